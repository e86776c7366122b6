"""Naive reference implementations. Imports only NumPy."""

import itertools

import numpy as np

# -- nearest neighbors and analogies ----------------------------------------------------------------------------------


def cosine(a, b):
    """Return a . b / (|a| |b|), or 0 if either norm is 0."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    lengths = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
    return float((a * b).sum() / lengths) if lengths else 0.0


def most_similar(vectors, positive, negative, asked, top, allowed=None, method="add"):
    """Return rows and scores of the best answers, computed one row at a time.

    vectors (V, D); positive, negative: lists of vectors; asked: excluded rows; allowed: rows to search.
    """
    unit = [np.asarray(v, float) / np.sqrt((np.asarray(v, float) ** 2).sum()) for v in [*positive, *negative]]
    near, far = unit[: len(positive)], unit[len(positive) :]
    scored = []
    for row in range(len(vectors)):
        if row in asked or (allowed is not None and row not in allowed):
            continue
        if method == "add":
            score = cosine(vectors[row], sum(near) - sum(far, np.zeros(len(vectors[0]))))
        else:
            score = 1.0
            for v in near:
                score *= (cosine(vectors[row], v) + 1) / 2
            below = 1.0
            for v in far:
                below *= (cosine(vectors[row], v) + 1) / 2 + 0.001
            score /= below
        scored.append((-score, row))
    return [(row, -score) for score, row in sorted(scored)[:top]]


# -- evaluation -------------------------------------------------------------------------------------------------------


def spearman(x, y):
    """Return Pearson's correlation of average ranks."""

    def ranks(values):
        return np.array([sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values])

    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def analogies_right(tokens, vectors, questions, top):
    """Return the numbers of correct answers and of questions with all words among the first ``top`` tokens.

    Like word2vec's compute-accuracy, for lower-cased questions.
    """
    ids = {token: row for row, token in enumerate(tokens[:top])}
    unit = np.asarray(vectors, float)[:top]
    unit = unit / np.sqrt((unit * unit).sum(axis=1, keepdims=True))
    right = asked = 0
    for a, b, c, d in questions:
        words = [w.lower() for w in (a, b, c, d)]
        if all(w in ids for w in words):
            asked += 1
            a, b, c, d = (ids[w] for w in words)
            scores = unit @ (unit[b] - unit[a] + unit[c])
            scores[[a, b, c]] = -np.inf
            right += int(np.argmax(scores)) == d
    return right, asked


# -- word2vec: sampling -----------------------------------------------------------------------------------------------

# Purposes of random numbers, each with its own key.
KEEP, RADIUS, NOISE, LOSS = 1, 2, 3, 4


def random_bits(key, counter):
    """Return 64 random bits as an integer: splitmix64 (Steele et al. 2014) with key and counter as its state."""
    z = (int(key) + int(counter) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def random_below(bits, limit):
    """Return a number in 0 .. limit - 1, the upper 32 bits as a fraction of ``limit``."""
    return (bits >> 32) * int(limit) >> 32


def noise_id(bits, alias_table):
    """Draw by Walker's alias method: the upper 32 bits select a column, the lower 32 its own type or its alias."""
    column = random_below(bits, len(alias_table))
    own, alias = divmod(int(alias_table[column]), 2**32)
    return column if bits % 2**32 < own else alias


def alias_probabilities(alias_table):
    """Return the exact probability of each type under an alias table."""
    chances = np.zeros(len(alias_table))
    for column, entry in enumerate(alias_table):
        own, alias = divmod(int(entry), 2**32)
        chances[column] += own / 2**32 / len(alias_table)
        chances[alias] += (1 - own / 2**32) / len(alias_table)
    return chances


def kept_tokens(ids, offsets, thresholds, key, start, end):
    """Return position, sentence and id of each token in start .. end kept by subsampling; thresholds in 2^-32."""
    kept = []
    for sentence in range(len(offsets) - 1):
        for position in range(max(offsets[sentence], start), min(offsets[sentence + 1], end)):
            if random_bits(random_bits(key, KEEP), position) >> 32 < int(thresholds[ids[position]]):
                kept.append((position, sentence, int(ids[position])))
    return kept


def radius_of(kept, center, key, window):
    """Return the drawn window radius of a kept token, in kept tokens."""
    position = kept[center][0]
    return 1 + random_below(random_bits(random_bits(key, RADIUS), position), window)


def weight_of_distance(distance, window):
    """Return the probability that a uniform radius of 1 .. window is at least ``distance``."""
    return sum(distance <= radius for radius in range(1, window + 1)) / window


def contexts_of(kept, key, window, window_weights):
    """Return the contexts of each kept token, as pairs of a position in ``kept`` and a weight.

    "sampled": contexts within the token's radius, with weight 1. "expected": contexts within the window, weighted by
    distance. "flat": contexts within the window, with weight 1. All are in the same sentence.
    """
    contexts = []
    for center, (_, sentence, _) in enumerate(kept):
        radius = radius_of(kept, center, key, window) if window_weights == "sampled" else window
        found = []
        for place in range(max(center - radius, 0), min(center + radius + 1, len(kept))):
            if place != center and kept[place][1] == sentence:
                distance = abs(place - center)
                found.append((place, weight_of_distance(distance, window) if window_weights == "expected" else 1.0))
        contexts.append(found)
    return contexts


def negatives_of_tiles(kept, alias_table, key, shared, fresh, start):
    """Return the ``shared`` negatives of every four kept tokens: the last of the previous tile's, and ``fresh`` new."""
    key = random_bits(key, NOISE)
    last = [noise_id(random_bits(random_bits(key, start), k), alias_table) for k in range(shared - fresh)]
    tiles = []
    for first in range(0, len(kept), 4):
        tile_key = random_bits(key, ~kept[first][0])
        last = last + [noise_id(random_bits(tile_key, k), alias_table) for k in range(fresh)]
        tiles.append(last)
        last = last[fresh:]
    return tiles


def is_sampled_for_loss(key, position, loss_sample):
    """Return whether the loss of the tile whose first center is at ``position`` is computed: 1 in ``loss_sample``."""
    return random_bits(random_bits(key, LOSS), position) >> 32 < 2**32 // loss_sample


# -- word2vec: training -----------------------------------------------------------------------------------------------


def logistic(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def softplus(x):
    """Return -log logistic(-x)."""
    return np.logaddexp(0, np.asarray(x, float))


def tile_loss(rows, inputs, weights, targets):
    """Return -sum over j, t of target log logistic(x) + (weight - target) log logistic(-x), x = rows[j] . inputs[t]."""
    x = np.asarray(rows, float) @ np.asarray(inputs, float).T
    return float((targets * softplus(-x) + (weights - targets) * softplus(x)).sum())


def tile_step(table, rows, inputs, weights, targets):
    """Take one gradient step on ``tile_loss``, row by row, with the scores and inputs from before the step.

    table (n, D): updated in place in its rows ``rows`` (R,); inputs (T, D); weights, targets (R, T). A repeated row is
    read again after its first update. Returns the updates of the inputs, and the scores (R, T).
    """
    scores = np.array([[table[row] @ h for h in inputs] for row in rows])
    moves = np.zeros(np.shape(inputs))
    for j, row in enumerate(rows):
        g = targets[j] - weights[j] * logistic(scores[j])
        before = table[row].copy()
        for t, h in enumerate(inputs):
            moves[t] += g[t] * before
            table[row] += g[t] * h
    return moves, scores


def pairs_of_tile(model, kept, contexts, centers):
    """Return the positives of each center and their weights: its contexts (skip-gram), or the center itself (CBOW, if
    it has contexts)."""
    if model == "skipgram":
        return [contexts[center] for center in centers]
    return [[(center, 1.0)] if contexts[center] else [] for center in centers]


def in_order_of_rows(places, kept, radius):
    """Return the places of a tile's positives in the order in which they are trained, which matters for repeated words.

    If four centers have complete windows of the same ``radius``, their common places are first, then the first and the
    last three in turn.
    """
    complete = radius is not None and len(places) == 2 * radius + 4 and kept[places[0]][1] == kept[places[-1]][1]
    if not complete:
        return places
    around = 2 * radius + 1
    return [*places[3:around], *(place for q in range(3) for place in (places[q], places[around + q]))]


def mean_of_contexts(vectors, kept, contexts):
    """Return the weighted mean of a center's context vectors, zeros without contexts, and the sum of the weights."""
    total, mean = sum(weight for _, weight in contexts), np.zeros(vectors.shape[1])
    for place, weight in contexts:
        mean += weight * vectors[kept[place][2]] / total
    return mean, total


def negative_sampling_loss(model, vectors, context_vectors, kept, contexts, centers, negatives, scale):
    """Return the textbook loss of some centers: per pair, -log logistic(x) plus ``scale`` times -log logistic(-x) of
    each negative other than the pair's positive, all times the weight of the pair."""
    loss = 0.0
    for center, positives in zip(centers, pairs_of_tile(model, kept, contexts, centers), strict=True):
        if not positives:
            continue
        mean, _ = mean_of_contexts(vectors, kept, contexts[center])
        h = vectors[kept[center][2]] if model == "skipgram" else mean
        for place, weight in positives:
            positive = kept[place][2]
            loss += weight * softplus(-(context_vectors[positive] @ h))
            for negative in negatives:
                if negative != positive:
                    loss += weight * scale * softplus(context_vectors[negative] @ h)
    return float(loss)


def train_tile(
    model, vectors, context_vectors, kept, contexts, centers, negatives, *, rate, scale, radius=None, divide=False,
    parts=1,
):  # fmt: skip
    """Take one step for up to four centers that share negatives; both tables (V, D) float64, updated in place.

    ``scale`` is the weight of a negative; ``radius`` that of all windows, unless it is drawn; ``divide`` (CBOW):
    whether the gradient is divided among the contexts; ``parts``: in how many equal steps the whole step is taken.
    Returns the loss before the last part and the sum of the pairs' weights.
    """
    positives = pairs_of_tile(model, kept, contexts, centers)
    places = sorted({place for found in positives for place, _ in found})
    if model == "skipgram":
        places = in_order_of_rows(places, kept, radius)
    rows = [*negatives, *(kept[place][2] for place in places)]
    weights, targets = np.zeros((len(rows), len(centers))), np.zeros((len(rows), len(centers)))
    for t, found in enumerate(positives):
        for place, weight in found:
            for k, negative in enumerate(negatives):
                if negative != kept[place][2]:
                    weights[k, t] += rate * scale * weight
            j = len(negatives) + places.index(place)
            weights[j, t] = targets[j, t] = rate * weight
    means = [mean_of_contexts(vectors, kept, contexts[center]) for center in centers]
    inputs = np.array([mean for mean, _ in means])
    for _ in range(parts):
        if model == "skipgram":
            inputs = np.array([vectors[kept[center][2]] for center in centers])
        moves, x = tile_step(context_vectors, rows, inputs, weights / parts, targets / parts)
        inputs += moves
        if model == "skipgram":
            for center, move in zip(centers, moves, strict=True):
                vectors[kept[center][2]] += move
    if model == "cbow":
        for center, changed, (mean, total) in zip(centers, inputs, means, strict=True):
            for place, weight in contexts[center]:
                vectors[kept[place][2]] += weight * (changed - mean) / (total if divide else 1)
    loss = (targets * softplus(-x) + (weights - targets) * softplus(x)).sum() / rate
    return float(loss), sum(weight for found in positives for _, weight in found)


def slice_of_tiles(kept, window, start, end, slice_size):
    """Return the slice in which each tile is trained: the first after which all of its windows have been read."""
    tiles = -(-len(kept) // 4)
    found = []
    for number in range(-(-(end - start) // slice_size)):
        read_to = min(start + (number + 1) * slice_size, end)
        read = sum(position < read_to for position, _, _ in kept)
        ready = tiles if read_to == end else max(read - window, 0) // 4
        found += [number] * (ready - len(found))
    return found


def train_rounds(
    model, vectors, context_vectors, text, bounds, *, key, settings, slice_size, rates, divide=False, parts=1
):
    """Train one epoch of parallel lanes, round by round; both tables (V, D) float64, updated in place.

    In a round, every lane trains its next slice independently, from the tables as they were before the round. Then the
    updates of the lanes are added to the tables, lane by lane.

    text: ids, offsets, thresholds, alias table. bounds: lane boundaries. settings: window, window_weights, negatives,
    shared, fresh. rates: learning rates at the start and end of a lane, interpolated at a slice's first center.
    Yields after each round, for each tile: position of its first center, loss, pairs.
    """
    ids, offsets, thresholds, alias_table = text
    window, window_weights, negatives, shared, fresh = settings
    lanes = []
    for start, end in itertools.pairwise(bounds):
        kept = kept_tokens(ids, offsets, thresholds, key, start, end)
        noise = negatives_of_tiles(kept, alias_table, key, shared, fresh, start)
        slices = slice_of_tiles(kept, window, start, end, slice_size)
        lanes.append((start, end, kept, contexts_of(kept, key, window, window_weights), noise, slices))
    for number in range(-(-max(np.diff(bounds)) // slice_size)):
        record, gains = [], []
        for start, end, kept, contexts, noise, slices in lanes:
            own = vectors.copy(), context_vectors.copy()
            tiles = [tile for tile, when in enumerate(slices) if when == number]
            for tile in tiles:
                done = (kept[4 * tiles[0]][0] - start) / (end - start)
                loss, pairs = train_tile(
                    model, *own, kept, contexts, range(4 * tile, min(4 * tile + 4, len(kept))), noise[tile],
                    rate=rates[0] + (rates[1] - rates[0]) * done, scale=negatives / shared,
                    radius=window if window_weights != "sampled" else None, divide=divide, parts=parts,
                )  # fmt: skip
                record.append((kept[4 * tile][0], loss, pairs))
            gains.append((own[0] - vectors, own[1] - context_vectors))
        for gain, context_gain in gains:
            vectors += gain
            context_vectors += context_gain
        yield record


def expected_loss(vectors, context_vectors, pairs, noise, negatives):
    """Return the mean loss of skip-gram pairs, with the expected loss of ``negatives`` draws each.

    A draw of the pair's own positive is ignored. pairs: (V, V) counts of center c and context o at [c, o].
    noise: (V,) probabilities.
    """
    loss = 0.0
    for center_id, context_id in np.argwhere(pairs):
        x = context_vectors @ vectors[center_id]
        drawn = noise * softplus(x)
        cost = softplus(-x[context_id]) + negatives * (drawn.sum() - drawn[context_id])
        loss += pairs[center_id, context_id] * cost
    return float(loss / pairs.sum())


# -- encoding ---------------------------------------------------------------------------------------------------------


def count_types(tokens):
    """Return the distinct tokens in order of first occurrence, with counts."""
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    return list(counts), list(counts.values())


def encode(sentences, min_count=1, max_vocabulary=None, keep=(), drop=()):
    """Return tokens by descending count, then bytes, their counts, and ids and offsets of sentences given as lists."""
    types, numbers = count_types([token for sentence in sentences for token in sentence])
    counts = dict(zip(types, numbers, strict=True))
    in_order = sorted(types, key=lambda token: (-counts[token], token.encode("utf-8", "surrogatepass")))
    others = [token for token in in_order if counts[token] >= min_count and token not in {*keep, *drop}]
    if max_vocabulary is not None:
        others = others[: max_vocabulary - len({*keep} & {*types})]
    tokens = [token for token in in_order if token in {*keep, *others}]
    ids, offsets = [], [0]
    for sentence in sentences:
        ids += [tokens.index(token) for token in sentence if token in tokens]
        offsets.append(len(ids))
    return tokens, [counts[token] for token in tokens], ids, offsets


def count_in_rounds(rounds, max_types, pinned=()):
    """Count the types of a text, keeping at most ``max_types`` types, plus those pinned, between rounds.

    Misra and Gries (1982), by rounds: if there are more types, subtract from all sums the smallest number that leaves
    at most half of them above zero, and discard the others. Returns the counts since a type was last new, and the sum
    of the subtracted numbers.
    """
    counts, sums, taken = dict.fromkeys(pinned, 0), {}, 0
    for tokens in rounds:
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
            if token not in pinned:
                sums[token] = sums.get(token, 0) + 1
        if len(sums) > max_types:
            step = next(step for step in range(1, 10**9) if sum(s > step for s in sums.values()) <= max_types // 2)
            taken += step
            sums = {token: s - step for token, s in sums.items() if s > step}
            counts = {token: count for token, count in counts.items() if token in sums or token in pinned}
    return counts, taken
