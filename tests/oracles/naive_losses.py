"""Slow, obvious versions of the losses beside shared negatives: word2vec's own negatives, a Huffman tree, all words.

Imports NumPy and ``tests.oracles.naive`` only. ``vectors`` and ``context_vectors`` (V, D) float64 are updated in place.
"""

import heapq

import numpy as np

from tests.oracles.naive import NOISE, logistic, noise_id, random_bits, softplus

# -- the tree ---------------------------------------------------------------------------------------------------------


def huffman_cost(counts):
    """Least possible sum of count x length of code: the two smallest are joined until one is left."""
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        heapq.heappush(heap, joined)
        cost += joined
    return cost


def paths_of_words(nodes, codes, offsets):
    """For each word its (node, code) from the root down."""
    steps = list(zip(nodes.tolist(), codes.tolist(), strict=True))
    return [steps[offsets[word] : offsets[word + 1]] for word in range(len(offsets) - 1)]


# -- losses of one pair: an input vector h (D,) and the word it predicts -----------------------------------------------


def negatives_loss(context_vectors, h, positive, negatives):
    """-log logistic(x) of the positive, -log logistic(-x) of each negative but those that are the positive."""
    wrong = [softplus(context_vectors[negative] @ h) for negative in negatives if negative != positive]
    return float(softplus(-(context_vectors[positive] @ h)) + sum(wrong))


def path_loss(node_vectors, h, path):
    """-log of the chance to take every turn: code 0 at a node with logistic(x), code 1 with logistic(-x)."""
    return float(sum(softplus((2 * code - 1) * (node_vectors[node] @ h)) for node, code in path))


def softmax(x):
    powers = np.exp(x - np.max(x))
    return powers / powers.sum()


def softmax_loss(context_vectors, h, positive):
    """-log of the positive's share in exp(x) of all words."""
    x = context_vectors @ h
    return float(np.logaddexp.reduce(x) - x[positive])


# -- steps ------------------------------------------------------------------------------------------------------------


def logistic_step(table, rows, inputs, targets, rates, saturation="exact"):
    """One step for ``inputs`` (T, D), each at its rate, against ``rows``; targets (R,) of 0 and 1.

    saturation: what becomes of a score beyond 6. "exact": nothing; "clip", word2vec.c: its logistic is 0 or 1; "skip",
    gensim: it is no pair. Returns what the inputs move by, and the loss of each.
    """
    x = np.array([[table[row] @ h for h in inputs] for row in rows])
    label = np.array([[target] * len(inputs) for target in targets], float)
    guess = logistic(x)
    if saturation == "clip":
        guess = np.where(x > 6, 1, np.where(x < -6, 0, guess))
    gradients = np.array(rates) * (label - guess)
    if saturation == "skip":
        gradients = np.where(np.abs(x) >= 6, 0, gradients)
    moves = np.zeros(np.shape(inputs))
    for j, row in enumerate(rows):
        before = table[row].copy()
        for t, h in enumerate(inputs):
            moves[t] += gradients[j, t] * before
            table[row] += gradients[j, t] * h
    return moves, softplus(np.where(label, -x, x)).sum(axis=0)


def mean_of_contexts(vectors, kept, places):
    """``places``: place and weight of each context."""
    return sum(vectors[kept[place][2]] * weight for place, weight in places.items()) / sum(places.values())


def spread(vectors, kept, places, move, divide):
    """CBOW: pass what the mean should move by on to each context by its weight, whole or divided by their number."""
    for place, weight in places.items():
        vectors[kept[place][2]] += weight * move / (sum(places.values()) if divide else 1)


def fresh_negatives(kept, alias_table, key, window, negatives, center, place):
    """The negatives of one pair: drawn for the centre's position and for where in the window the context stands."""
    center_key = random_bits(random_bits(key, NOISE), ~kept[center][0])
    first = (place - center + window) * negatives
    return [noise_id(random_bits(center_key, first + k), alias_table) for k in range(negatives)]


def train_fresh(
    model, vectors, context_vectors, kept, places, center, draw, *, rate, divide=False, from_context=False,
    saturation="exact",
):  # fmt: skip
    """The textbook's steps of one centre, pair by pair.

    places: place and weight of each context. draw: the negatives of a pair by the place of its context, for CBOW by the
    centre's. from_context: a context's vector predicts the centre. Returns loss and pairs.
    """
    loss = 0.0
    if not places:
        return 0.0, 0.0
    for place, weight in places.items() if model == "skipgram" else [(center, 1.0)]:
        source, target = (place, center) if from_context else (center, place)
        positive = kept[target][2]
        h = mean_of_contexts(vectors, kept, places) if model == "cbow" else vectors[kept[source][2]].copy()
        rows = [positive, *(negative for negative in draw(place) if negative != positive)]
        targets = [1] + [0] * (len(rows) - 1)
        (move,), (step_loss,) = logistic_step(context_vectors, rows, [h], targets, [rate * weight], saturation)
        if model == "cbow":
            spread(vectors, kept, places, move, divide)
        else:
            vectors[kept[source][2]] += move
        loss += weight * step_loss
    return loss, sum(places.values()) if model == "skipgram" else 1.0


def train_paths(model, vectors, node_vectors, kept, places, center, path, *, rate, divide=False, saturation="exact"):
    """Hierarchical softmax for one centre: four contexts at a time, or their mean, go down to the centre's word.

    places: place and weight of each context. path: the (node, code) from the root down. Returns loss and pairs.
    """
    rows, targets = [node for node, _ in path], [1 - code for _, code in path]
    if not places:
        return 0.0, 0.0
    if model == "cbow":
        h = mean_of_contexts(vectors, kept, places)
        (move,), (loss,) = logistic_step(node_vectors, rows, [h], targets, [rate], saturation)
        spread(vectors, kept, places, move, divide)
        return loss, 1.0
    loss, contexts = 0.0, [*places.items()]
    for first in range(0, len(contexts), 4):
        four = contexts[first : first + 4]
        inputs, rates = [vectors[kept[place][2]].copy() for place, _ in four], [rate * weight for _, weight in four]
        moves, losses = logistic_step(node_vectors, rows, inputs, targets, rates, saturation)
        for (place, _), move in zip(four, moves, strict=True):
            vectors[kept[place][2]] += move
        loss += losses @ [weight for _, weight in four]
    return loss, sum(places.values())


def train_softmax(model, vectors, context_vectors, kept, windows, centers, *, rate, divide=False):
    """Full softmax for up to four centres, all from the vectors before: each centre's vector (skip-gram) predicts all
    its contexts, the mean of its contexts (CBOW) the centre.

    windows: place and weight of the contexts of every centre. Returns loss and pairs.
    """
    steps, loss, pairs = [], 0.0, 0.0
    for center in centers:
        places = windows[center]
        if not places:
            continue
        if model == "skipgram":
            h, positives = vectors[kept[center][2]].copy(), places
        else:
            h, positives = mean_of_contexts(vectors, kept, places), {center: 1.0}
        hits = np.zeros(len(context_vectors))
        for place, weight in positives.items():
            hits[kept[place][2]] += weight
            loss += weight * softmax_loss(context_vectors, h, kept[place][2])
        pairs += hits.sum()
        steps.append((center, h, rate * (hits - hits.sum() * softmax(context_vectors @ h))))
    moves = [context_vectors.T @ gradient for _, _, gradient in steps]
    for _, h, gradient in steps:
        context_vectors += np.outer(gradient, h)
    for (center, _, _), move in zip(steps, moves, strict=True):
        if model == "skipgram":
            vectors[kept[center][2]] += move
        else:
            spread(vectors, kept, windows[center], move, divide)
    return float(loss), float(pairs)


def train_lane(
    loss, model, vectors, context_vectors, kept, windows, *, key, window, negatives, alias_table, paths, rate,
    divide=False, from_context=False, saturation="exact",
):  # fmt: skip
    """One epoch of a lane; its loss and its pairs. ``loss`` is "fresh", "hierarchical" or "softmax"."""
    record = []
    if loss == "softmax":
        for first in range(0, len(kept), 4):
            centers = range(first, min(first + 4, len(kept)))
            found = train_softmax(model, vectors, context_vectors, kept, windows, centers, rate=rate, divide=divide)
            record.append(found)
        return np.sum(record, axis=0)
    for center in range(len(kept)):
        arguments, options = (model, vectors, context_vectors, kept, windows[center], center), {}
        if loss == "hierarchical":
            step, last = train_paths, paths[kept[center][2]]
        else:
            step, options["from_context"] = train_fresh, from_context

            def last(place, center=center):
                return fresh_negatives(kept, alias_table, key, window, negatives, center, place)

        record.append(step(*arguments, last, rate=rate, divide=divide, saturation=saturation, **options))
    return np.sum(record, axis=0)
