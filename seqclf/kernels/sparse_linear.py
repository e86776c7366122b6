"""Linear model on sparse rows: products, cross-entropy and its gradient, and the vector operations of its solver.

Every row is summed in its own order, so that neither threads nor other rows change a result.
"""

import math

import numpy as np

from wordvec.kernels.simd import kernel

_FEW = 8
"""Columns up to which products are summed four at a time."""


@kernel
def sparse_products(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, dense: np.ndarray, first: int, last: int,
    products: np.ndarray,
) -> None:  # fmt: skip
    """Compute rows ``first:last`` of the product of a CSR matrix (R, V) and ``dense`` (V, K).

    Args:
        indptr: (R + 1,) int64. indices: int32. data: float64.
        dense: (V, K), any float dtype.
        products: (R, K) float64, output.
    """
    columns = dense.shape[1]
    if columns > _FEW:
        for r in range(first, last):
            for k in range(columns):
                products[r, k] = 0
            for place in range(indptr[r], indptr[r + 1]):
                row, value = indices[place], data[place]
                for k in range(columns):
                    products[r, k] += value * dense[row, k]
        return
    # Sums of four columns stay in registers, which takes half to a third of the time of adding to memory. Unsigned,
    # because Numba wraps around negative places.
    whole = columns - columns % 4
    for r in range(first, last):
        begin, end = np.uint64(indptr[r]), np.uint64(indptr[r + 1])
        for k in range(0, whole, 4):
            a = b = c = d = 0.0
            for place in range(begin, end):
                own, value = np.uint64(indices[place]), data[place]
                a += value * dense[own, k]
                b += value * dense[own, k + 1]
                c += value * dense[own, k + 2]
                d += value * dense[own, k + 3]
            products[r, k] = a
            products[r, k + 1] = b
            products[r, k + 2] = c
            products[r, k + 3] = d
        for k in range(whole, columns):
            a = 0.0
            for place in range(begin, end):
                a += data[place] * dense[np.uint64(indices[place]), k]
            products[r, k] = a


@kernel
def log_softmax(scores: np.ndarray, logs: np.ndarray) -> None:
    """Compute log-probabilities (R, C) of scores (R, C); or, if C is 2, of scores (R, 1) whose other class has 0."""
    classes = logs.shape[1]
    single = scores.shape[1] < classes
    for r in range(scores.shape[0]):
        top = 0.0 if single else scores[r, 0]
        for k in range(scores.shape[1]):
            top = max(top, scores[r, k])
        total = math.exp(-top) if single else 0.0
        for k in range(scores.shape[1]):
            total += math.exp(scores[r, k] - top)
        total = math.log(total) + top
        for k in range(classes):
            score = (0.0 if k == 0 else scores[r, 0]) if single else scores[r, k]
            logs[r, k] = score - total


@kernel
def cross_entropy(
    scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, first: int, last: int, losses: np.ndarray
) -> None:
    """Compute the weighted cross-entropy of rows ``first:last``, and replace their scores by its gradient.

    Args:
        scores: (R, K) float64, updated in place; K is C, or 1 if there are two classes, of which the first has score 0.
        targets: (R,) int32 classes. weights: (R,) float64.
        losses: (R,) float64, output.
    """
    columns = scores.shape[1]
    for r in range(first, last):
        target, weight = targets[r], weights[r]
        if columns == 1:
            x = scores[r, 0]
            e = math.exp(-abs(x))
            losses[r] = weight * (max(x, 0.0) + math.log1p(e) - (x if target == 1 else 0.0))
            scores[r, 0] = weight * ((1.0 if x >= 0 else e) / (1.0 + e) - (1.0 if target == 1 else 0.0))
            continue
        top = scores[r, 0]
        for k in range(1, columns):
            top = max(top, scores[r, k])
        own, total = scores[r, target] - top, 0.0
        for k in range(columns):
            scores[r, k] = math.exp(scores[r, k] - top)
            total += scores[r, k]
        losses[r] = weight * (math.log(total) - own)
        for k in range(columns):
            scores[r, k] = weight * (scores[r, k] / total - (1.0 if k == target else 0.0))


@kernel
def stacked(
    network: np.ndarray, linear: np.ndarray, weights: np.ndarray, logs: np.ndarray, probabilities: np.ndarray
) -> None:
    """Compute the softmax of a weighted sum of two models' log-probabilities.

    Args:
        network: (R, C) float32 probabilities, not read if their weight is 0.
        linear: (R, C) float64 log-probabilities, not read if their weight is 0.
        weights: (2,) float64, of the two.
        logs: (C,) float64, work space.
        probabilities: (R, C) float32, output.
    """
    classes = probabilities.shape[1]
    for r in range(probabilities.shape[0]):
        top = -np.inf
        for k in range(classes):
            logs[k] = 0.0
            if weights[0] != 0:
                # The smallest normal float32 keeps the logarithm of an underflow finite.
                logs[k] += weights[0] * math.log(max(np.float64(network[r, k]), 1.2e-38))
            if weights[1] != 0:
                logs[k] += weights[1] * linear[r, k]
            top = max(top, logs[k])
        total = 0.0
        for k in range(classes):
            logs[k] = math.exp(logs[k] - top)
            total += logs[k]
        for k in range(classes):
            probabilities[r, k] = logs[k] / total


@kernel(fastmath={"contract", "reassoc"})
def inner_product(a: np.ndarray, b: np.ndarray) -> float:
    """Return the inner product of two vectors (N,) float64."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@kernel
def add_scaled(target: np.ndarray, factor: float, other: np.ndarray) -> None:
    """Add ``factor * other`` (N,) to ``target`` (N,) in place."""
    for i in range(target.size):
        target[i] += factor * other[i]
