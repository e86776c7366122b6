"""Slow, obvious versions of the losses beside shared negatives: word2vec's own negatives, a Huffman tree, all words.

Imports NumPy and ``tests.naive`` only. ``vectors`` and ``context_vectors`` (V, D) float64 are updated in place.
"""

import heapq

import numpy as np

from tests.naive import NOISE, logistic, noise_id, pairs_of_tile, random_bits, softplus

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


def logistic_step(table, rows, inputs, targets, rate, saturation="exact"):
    """One step for ``inputs`` (T, D) against ``rows``, all of weight ``rate``; targets (R,) of 0 and 1.

    saturation: what becomes of a score beyond 6. "exact": nothing; "clip", word2vec.c: its logistic is 0 or 1; "skip",
    gensim: it is no pair. Returns what the inputs move by, and the loss of all pairs.
    """
    x = np.array([[table[row] @ h for h in inputs] for row in rows])
    label = np.array([[target] * len(inputs) for target in targets], float)
    guess = logistic(x)
    if saturation == "clip":
        guess = np.where(x > 6, 1, np.where(x < -6, 0, guess))
    gradients = rate * (label - guess)
    if saturation == "skip":
        gradients = np.where(np.abs(x) >= 6, 0, gradients)
    moves = np.zeros(np.shape(inputs))
    for j, row in enumerate(rows):
        before = table[row].copy()
        for t, h in enumerate(inputs):
            moves[t] += gradients[j, t] * before
            table[row] += gradients[j, t] * h
    return moves, float(softplus(np.where(label, -x, x)).sum())


def mean_of_contexts(vectors, kept, places):
    return sum(vectors[kept[place][2]] / len(places) for place in places)


def spread(vectors, kept, places, move, divide):
    """CBOW: pass what the mean should move by on to each context, whole or divided by their number."""
    for place in places:
        vectors[kept[place][2]] += move / len(places) if divide else move


def fresh_negatives(kept, alias_table, key, window, negatives, center, place):
    """The negatives of one pair: drawn for the centre's position and for where in the window the context stands."""
    center_key = random_bits(random_bits(key, NOISE), ~kept[center][0])
    first = (place - center + window) * negatives
    return [noise_id(random_bits(center_key, first + k), alias_table) for k in range(negatives)]


def train_fresh(
    model, vectors, context_vectors, kept, contexts, center, draw, *, rate, divide=False, from_context=False,
    saturation="exact",
):  # fmt: skip
    """The textbook's steps of one centre, pair by pair; ``draw(place)`` are the negatives of a pair (CBOW: of the
    centre's own place). ``from_context``: a context's vector predicts the centre. Returns loss and pairs."""
    loss, places = 0.0, contexts[center]
    for place in pairs_of_tile(model, kept, contexts, [center])[0]:
        if model == "cbow":
            source, positive, h = None, kept[center][2], mean_of_contexts(vectors, kept, places)
        elif from_context:
            source, positive = kept[place][2], kept[center][2]
            h = vectors[source].copy()
        else:
            source, positive = kept[center][2], kept[place][2]
            h = vectors[source].copy()
        rows = [positive, *(negative for negative in draw(place) if negative != positive)]
        targets = [1] + [0] * (len(rows) - 1)
        (move,), step_loss = logistic_step(context_vectors, rows, [h], targets, rate, saturation)
        if model == "cbow":
            spread(vectors, kept, places, move, divide)
        else:
            vectors[source] += move
        loss += step_loss
    return loss, len(pairs_of_tile(model, kept, contexts, [center])[0])


def train_paths(
    model, vectors, node_vectors, kept, contexts, center, paths, *, rate, divide=False, saturation="exact"
):  # fmt: skip
    """Hierarchical softmax for one centre: four contexts at a time, or their mean, go down to the centre's word.

    ``paths``: for each word its (node, code) from the root down. Returns loss and pairs.
    """
    places = contexts[center]
    rows = [node for node, _ in paths[kept[center][2]]]
    targets = [1 - code for _, code in paths[kept[center][2]]]
    if not places:
        return 0.0, 0
    if model == "cbow":
        h = mean_of_contexts(vectors, kept, places)
        (move,), loss = logistic_step(node_vectors, rows, [h], targets, rate, saturation)
        spread(vectors, kept, places, move, divide)
        return loss, 1
    loss = 0.0
    for first in range(0, len(places), 4):
        sources = [kept[place][2] for place in places[first : first + 4]]
        moves, step_loss = logistic_step(
            node_vectors, rows, [vectors[s].copy() for s in sources], targets, rate, saturation
        )
        for source, move in zip(sources, moves, strict=True):
            vectors[source] += move
        loss += step_loss
    return loss, len(places)


def train_softmax(model, vectors, context_vectors, kept, contexts, centers, *, rate, divide=False):
    """Full softmax for up to four centres, all from the vectors before: each centre's vector (skip-gram) predicts all
    its contexts, the mean of its contexts (CBOW) the centre. Returns loss and pairs."""
    positives = [[kept[place][2] for place in found] for found in pairs_of_tile(model, kept, contexts, centers)]
    inputs, gradients, loss = [], [], 0.0
    for center, found in zip(centers, positives, strict=True):
        if model == "skipgram":
            h = vectors[kept[center][2]].copy()
        else:
            h = mean_of_contexts(vectors, kept, contexts[center]) + np.zeros(vectors.shape[1])
        inputs.append(h)
        loss += sum(softmax_loss(context_vectors, h, positive) for positive in found)
        hits = np.bincount(found, minlength=len(context_vectors)) if found else np.zeros(len(context_vectors))
        gradients.append(rate * (hits - len(found) * softmax(context_vectors @ h)))
    moves = [context_vectors.T @ gradient for gradient in gradients]
    for h, gradient in zip(inputs, gradients, strict=True):
        context_vectors += np.outer(gradient, h)
    for center, move in zip(centers, moves, strict=True):
        if model == "skipgram":
            vectors[kept[center][2]] += move
        else:
            spread(vectors, kept, contexts[center], move, divide)
    return float(loss), sum(map(len, positives))
