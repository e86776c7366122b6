"""Naive output layers: a CRF by enumeration of all label paths, softmax, attention. Imports only NumPy."""

from itertools import pairwise, product

import numpy as np


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sequence_rows(starts):
    """Return the packed rows of each sequence, from first to last token."""
    counts = np.diff(starts)
    longest = counts[0] if counts.size else 0
    return [[int(starts[t]) + s for t in range(counts.size) if counts[t] > s] for s in range(longest)]


def path_score(path, emissions, transitions, start, end):
    """Return the CRF score of a label path over a sequence, emissions (L, C)."""
    score = start[path[0]] + end[path[-1]]
    score += sum(emissions[t, label] for t, label in enumerate(path))
    return score + sum(transitions[a, b] for a, b in pairwise(path))


def all_paths(emissions, transitions, start, end):
    """Return every path over a sequence, and their probabilities."""
    paths = list(product(range(len(start)), repeat=len(emissions)))
    return paths, softmax(np.array([path_score(path, emissions, transitions, start, end) for path in paths]))


def best_path(emissions, transitions, start, end):
    """Return the path with the highest score; ties are broken by the smallest labels, compared from the last."""
    paths, _ = all_paths(emissions, transitions, start, end)
    return max(
        paths,
        key=lambda path: (
            path_score(path, emissions, transitions, start, end),
            tuple(-label for label in reversed(path)),
        ),
    )


def viterbi(emissions, transitions, start, end):
    """Return ``best_path`` as a list, and its score, token by token."""
    best, came_from = start + emissions[0], []
    for row in emissions[1:]:
        sums = best[:, None] + transitions
        came_from.append(sums.argmax(axis=0))
        best = sums.max(axis=0) + row
    best = best + end
    path = [int(best.argmax())]
    for before in reversed(came_from):
        path.append(int(before[path[-1]]))
    return path[::-1], best.max()


def crf(emissions, starts, transitions, start, end, targets, weights):
    """Return the sequence losses, marginals (R, C), and gradients of the weighted sum of the losses, by enumeration.

    Gradients of emissions, transitions, start, end: expected counts over all paths minus counts of the target.
    """
    marginals = np.zeros(emissions.shape)
    gradients = [np.zeros(np.shape(a)) for a in (emissions, transitions, start, end)]
    losses = []
    for s, rows in enumerate(sequence_rows(starts)):
        paths, probabilities = all_paths(emissions[rows], transitions, start, end)
        target = tuple(int(label) for label in targets[rows])
        losses.append(-np.log(probabilities[paths.index(target)]))
        for path, p in zip(paths, probabilities, strict=True):
            share = weights[s] * (p - (path == target))
            for row, label in zip(rows, path, strict=True):
                marginals[row, label] += p
                gradients[0][row, label] += share
            for a, b in pairwise(path):
                gradients[1][a, b] += share
            gradients[2][path[0]] += share
            gradients[3][path[-1]] += share
    return np.array(losses), marginals, gradients


def output(states, weight, bias, targets, shares, smoothing=0.0):
    """Return -log p(target) of each row, and gradients of their sum weighted by ``shares``: states, weight, bias.

    With ``smoothing``, that share of the target distribution is uniform over all words.
    """
    p = softmax(states @ weight.T + bias)
    rows = np.arange(len(states))
    wanted = np.full_like(p, smoothing / p.shape[1])
    wanted[rows, targets] += 1 - smoothing
    losses = -(wanted * np.log(p)).sum(axis=1)
    d_scores = (p - wanted) * shares[:, None]
    return losses, p, d_scores @ weight, d_scores.T @ states, d_scores.sum(axis=0)


def attention(h, starts, weight, bias, query, texts):
    """Return weights (R,) and pooled vectors (B, F) of attention pooling (Yang et al. 2016)."""
    weights, pooled = np.zeros(len(h)), np.zeros((texts, h.shape[1]))
    for s, rows in enumerate(sequence_rows(starts)):
        weights[rows] = softmax(np.tanh(h[rows] @ weight.T + bias) @ query)
        pooled[s] = weights[rows] @ h[rows]
    return weights, pooled
