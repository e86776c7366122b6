"""Naive training with per-pair negatives (word2vec), hierarchical softmax and full softmax.

Imports only NumPy and ``tests.oracles.naive``. ``vectors`` and ``context_vectors`` (V, D) float64 are updated in place.
"""

import heapq

import numpy as np

from tests.oracles.naive import NOISE, logistic, noise_id, random_bits, softplus

# -- the tree ---------------------------------------------------------------------------------------------------------


def huffman_cost(counts):
    """Return the minimum sum of count x code length, by merging the two smallest until one is left."""
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        heapq.heappush(heap, joined)
        cost += joined
    return cost


def paths_of_words(nodes, codes, offsets):
    """Return the (node, code) pairs of each word from the root down."""
    steps = list(zip(nodes.tolist(), codes.tolist(), strict=True))
    return [steps[offsets[word] : offsets[word + 1]] for word in range(len(offsets) - 1)]


# -- losses of one pair: an input vector h (D,) and the word it predicts -----------------------------------------------


def negatives_loss(context_vectors, h, positive, negatives):
    """Return -log logistic(x) of the positive plus -log logistic(-x) of each negative that is not the positive."""
    wrong = [softplus(context_vectors[negative] @ h) for negative in negatives if negative != positive]
    return float(softplus(-(context_vectors[positive] @ h)) + sum(wrong))


def path_loss(node_vectors, h, path):
    """Return -log of the path's probability: at each node, code 0 has logistic(x), code 1 logistic(-x)."""
    return float(sum(softplus((2 * code - 1) * (node_vectors[node] @ h)) for node, code in path))


def softmax(x):
    powers = np.exp(x - np.max(x))
    return powers / powers.sum()


def softmax_loss(context_vectors, h, positive):
    """Return -log softmax of the positive over all words."""
    x = context_vectors @ h
    return float(np.logaddexp.reduce(x) - x[positive])


# -- steps ------------------------------------------------------------------------------------------------------------


def logistic_step(table, rows, inputs, targets, rates, saturation="exact"):
    """Take one step for ``inputs`` (T, D), each at its rate, against ``rows``; targets (R,) of 0 and 1.

    saturation: treatment of scores beyond 6. "exact": none; "clip" (word2vec.c): the logistic is 0 or 1; "skip"
    (gensim): the pair is skipped. Returns the updates of the inputs, and the loss of each.
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
    """Return the weighted mean of context vectors; ``places``: position and weight of each context."""
    return sum(vectors[kept[place][2]] * weight for place, weight in places.items()) / sum(places.values())


def spread(vectors, kept, places, move, divide):
    """Apply the update of a CBOW mean to each context by its weight, whole or divided by their number."""
    for place, weight in places.items():
        vectors[kept[place][2]] += weight * move / (sum(places.values()) if divide else 1)


def fresh_negatives(kept, alias_table, key, window, negatives, center, place):
    """Return the negatives of a pair, drawn by the center's position and the context's position in the window."""
    center_key = random_bits(random_bits(key, NOISE), ~kept[center][0])
    first = (place - center + window) * negatives
    return [noise_id(random_bits(center_key, first + k), alias_table) for k in range(negatives)]


def train_fresh(
    model, vectors, context_vectors, kept, places, center, draw, *, rate, divide=False, from_context=False,
    saturation="exact",
):  # fmt: skip
    """Take the textbook steps of one center, pair by pair.

    places: position and weight of each context. draw: the negatives of a pair by the position of its context, for CBOW
    of the center. from_context: a context's vector predicts the center. Returns loss and pairs.
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
    """Train hierarchical softmax for one center: four contexts at a time, or their mean, predict the center's path.

    places: position and weight of each context. path: (node, code) pairs from the root down. Returns loss and pairs.
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
    """Train full softmax for up to four centers, from the vectors before the step.

    Each center's vector predicts its contexts (skip-gram), or the mean of its contexts the center (CBOW).
    windows: position and weight of the contexts of each center. Returns loss and pairs.
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
    """Train one epoch of a lane; returns loss and pairs. ``loss`` is "fresh", "hierarchical" or "softmax"."""
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
