"""Slow, obvious versions of what the package does fast. Needs NumPy only, and nothing of ours."""

import itertools

import numpy as np

# -- questions to word vectors ----------------------------------------------------------------------------------------


def cosine(a, b):
    """a . b / (|a| |b|), 0 where one has no length."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    lengths = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
    return float((a * b).sum() / lengths) if lengths else 0.0


def most_similar(vectors, positive, negative, asked, top, allowed=None, method="add"):
    """Rows and scores of the best answers, one row at a time.

    vectors (V, D); positive, negative: lists of vectors; asked: rows that are no answers; allowed: rows that may be.
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
    """Pearson's correlation of average ranks."""

    def ranks(values):
        return np.array([sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values])

    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def analogies_right(tokens, vectors, questions, top):
    """How many of the questions with all words among the first ``top`` tokens are answered rightly, and how many
    there are: word2vec's compute-accuracy, for lower-cased questions."""
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


# -- word2vec: what is drawn ------------------------------------------------------------------------------------------

# What a random number is for; a key of its own for each.
KEEP, RADIUS, NOISE, LOSS = 1, 2, 3, 4


def random_bits(key, counter):
    """64 random bits, a whole number: splitmix64 (Steele et al. 2014) with key and counter as its state."""
    z = (int(key) + int(counter) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def random_below(bits, limit):
    """0 .. limit - 1: the upper 32 bits as a fraction of ``limit``."""
    return (bits >> 32) * int(limit) >> 32


def noise_id(bits, alias_table):
    """Walker's alias method: the upper 32 bits choose a column, the lower 32 its own type or its alias."""
    column = random_below(bits, len(alias_table))
    own, alias = divmod(int(alias_table[column]), 2**32)
    return column if bits % 2**32 < own else alias


def alias_probabilities(alias_table):
    """How often each type is drawn from an alias table, exactly."""
    chances = np.zeros(len(alias_table))
    for column, entry in enumerate(alias_table):
        own, alias = divmod(int(entry), 2**32)
        chances[column] += own / 2**32 / len(alias_table)
        chances[alias] += (1 - own / 2**32) / len(alias_table)
    return chances


def kept_tokens(ids, offsets, thresholds, key, start, end):
    """Position, sentence and id of each token in start .. end that subsampling keeps; thresholds in 2^-32."""
    kept = []
    for sentence in range(len(offsets) - 1):
        for position in range(max(offsets[sentence], start), min(offsets[sentence + 1], end)):
            if random_bits(random_bits(key, KEEP), position) >> 32 < int(thresholds[ids[position]]):
                kept.append((position, sentence, int(ids[position])))
    return kept


def radius_of(kept, center, key, window):
    """How many kept tokens the window of a kept token reaches to each side."""
    position = kept[center][0]
    return 1 + random_below(random_bits(random_bits(key, RADIUS), position), window)


def weight_of_distance(distance, window):
    """The chance that a radius of 1 .. window, all as likely, reaches so far."""
    return sum(distance <= radius for radius in range(1, window + 1)) / window


def contexts_of(kept, key, window, window_weights):
    """For each kept token its contexts, as pairs of a place in ``kept`` and what it counts there.

    "sampled": those within the token's radius, each once. "expected": those within the window, each by its distance.
    None is of another sentence.
    """
    contexts = []
    for center, (_, sentence, _) in enumerate(kept):
        radius = radius_of(kept, center, key, window) if window_weights == "sampled" else window
        found = []
        for place in range(max(center - radius, 0), min(center + radius + 1, len(kept))):
            if place != center and kept[place][1] == sentence:
                distance = abs(place - center)
                found.append((place, 1.0 if window_weights == "sampled" else weight_of_distance(distance, window)))
        contexts.append(found)
    return contexts


def negatives_of_tiles(kept, alias_table, key, shared, fresh, start):
    """For every four kept tokens their ``shared`` negatives: the last ones of the four before, and ``fresh`` new."""
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
    """Whether the loss of the tile whose first centre stands there is computed: one in so many."""
    return random_bits(random_bits(key, LOSS), position) >> 32 < 2**32 // loss_sample


# -- word2vec: what is learned ----------------------------------------------------------------------------------------


def logistic(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def softplus(x):
    """-log logistic(-x)."""
    return np.logaddexp(0, np.asarray(x, float))


def tile_loss(rows, inputs, weights, targets):
    """-sum over j, t of target log logistic(x) + (weight - target) log logistic(-x), x = rows[j] . inputs[t]."""
    x = np.asarray(rows, float) @ np.asarray(inputs, float).T
    return float((targets * softplus(-x) + (weights - targets) * softplus(x)).sum())


def tile_step(table, rows, inputs, weights, targets):
    """One step down ``tile_loss``: row by row, all with the scores and the inputs from before the step.

    table (n, D) is updated in place in its rows number ``rows`` (R,); inputs (T, D); weights, targets (R, T).
    A row that stands twice is read again after its first move. Returns what the inputs move by, and the scores (R, T).
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
    """The positives of each centre and what they count: for skip-gram its contexts, for CBOW (if there are contexts)
    the centre itself."""
    if model == "skipgram":
        return [contexts[center] for center in centers]
    return [[(center, 1.0)] if contexts[center] else [] for center in centers]


def mean_of_contexts(vectors, kept, contexts):
    """The mean of a centre's context vectors, by weight; zeros without contexts. Returns it and the weights' sum."""
    total, mean = sum(weight for _, weight in contexts), np.zeros(vectors.shape[1])
    for place, weight in contexts:
        mean += weight * vectors[kept[place][2]] / total
    return mean, total


def negative_sampling_loss(model, vectors, context_vectors, kept, contexts, centers, negatives, scale):
    """The textbook loss of a few centres: -log logistic(x) a pair, and for each pair -log logistic(-x) of the negatives
    other than the pair's own positive, times ``scale``; a pair's whole loss times what the pair counts."""
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


def train_tile(model, vectors, context_vectors, kept, contexts, centers, negatives, *, rate, scale, divide=False):
    """One step of up to four centres that share their negatives; both tables (V, D) float64, updated in place.

    ``scale`` weighs a negative. ``divide`` is CBOW's: whether contexts share the gradient of their mean. Returns the
    loss before the step and the pairs, each counted by its weight.
    """
    positives = pairs_of_tile(model, kept, contexts, centers)
    places = sorted({place for found in positives for place, _ in found})
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
    if model == "skipgram":
        inputs = [vectors[kept[center][2]].copy() for center in centers]
    else:
        inputs = [mean for mean, _ in means]
    moves, x = tile_step(context_vectors, rows, inputs, weights, targets)
    for center, move, (_, total) in zip(centers, moves, means, strict=True):
        if model == "skipgram":
            vectors[kept[center][2]] += move
        else:
            for place, weight in contexts[center]:
                vectors[kept[place][2]] += weight * move / total if divide else weight * move
    loss = (targets * softplus(-x) + (weights - targets) * softplus(x)).sum() / rate
    return float(loss), sum(weight for found in positives for _, weight in found)


def slice_of_tiles(kept, window, start, end, slice_size):
    """In which slice every tile is trained: the first one after which nothing its windows may reach is unread."""
    tiles = -(-len(kept) // 4)
    found = []
    for number in range(-(-(end - start) // slice_size)):
        read_to = min(start + (number + 1) * slice_size, end)
        read = sum(position < read_to for position, _, _ in kept)
        ready = tiles if read_to == end else max(read - window, 0) // 4
        found += [number] * (ready - len(found))
    return found


def train_rounds(model, vectors, context_vectors, text, bounds, *, key, settings, slice_size, rates, divide=False):
    """One epoch of lanes side by side, round by round; both tables (V, D) float64, updated in place.

    In a round every lane trains its next slice as if it were alone, from the tables as they were before the round. Then
    what the lanes have gained is added to them, one lane after the other.

    text: ids, offsets, thresholds, alias table. bounds: where the lanes start and end. settings: window,
    window_weights, negatives, shared, fresh. rates: at the start and at the end of a lane, in between by the position
    of a slice's first centre.
    Yields after each round, for each tile: position of its first centre, loss, pairs.
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
                    rate=rates[0] + (rates[1] - rates[0]) * done, scale=negatives / shared, divide=divide,
                )  # fmt: skip
                record.append((kept[4 * tile][0], loss, pairs))
            gains.append((own[0] - vectors, own[1] - context_vectors))
        for gain, context_gain in gains:
            vectors += gain
            context_vectors += context_gain
        yield record


def expected_loss(vectors, context_vectors, pairs, noise, negatives):
    """Mean loss of skip-gram's pairs, each with its expected cost of ``negatives`` draws.

    A draw that hits the pair's own positive costs nothing. pairs: (V, V), how often center c and context o come
    together at [c, o]. noise: (V,) probabilities.
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
    """The different tokens as they come, and how often each does."""
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    return list(counts), list(counts.values())


def encode(sentences, min_count=1, max_vocabulary=None, keep=(), drop=()):
    """Tokens by falling count and then by their bytes, their counts, ids and offsets of sentences given as lists."""
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
    """Counts of a text of which at most ``max_types`` types, and those pinned, are remembered between two rounds.

    Misra and Gries (1982), a round at a time: when there are more types, the smallest number is taken from all sums
    that leaves at most half of them above zero, and the others are forgotten. Returns the counts since a type was last
    new, and the sum of what was taken.
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
