"""Elementwise losses, averaged over rows and columns: binary cross-entropy, squared error, Huber and pinball loss."""

import math

import numpy as np

from wordvec.kernels.simd import kernel


@kernel
def sigmoid(scores: np.ndarray, probabilities: np.ndarray) -> None:
    """Compute probabilities (R, C) = 1 / (1 + exp(-scores)) in float64, without overflow."""
    for r in range(scores.shape[0]):
        for k in range(scores.shape[1]):
            e = math.exp(-abs(np.float64(scores[r, k])))
            probabilities[r, k] = 1.0 / (1.0 + e) if scores[r, k] >= 0 else e / (1.0 + e)


@kernel
def binary_cross_entropy(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
    """Compute the cross-entropy of ``sigmoid(scores)`` and ``targets``: the mean of w (log(1 + exp(x)) - y x).

    Args:
        scores, targets: (R, C); targets in 0 .. 1. weights: (R,).
        d_scores: (R, C), output: the gradient w (sigmoid(x) - y) / (R C).

    Returns:
        The loss, float64.
    """
    rows, labels = scores.shape
    loss = 0.0
    for r in range(rows):
        share = np.float64(weights[r]) / (rows * labels)
        for k in range(labels):
            x, y = np.float64(scores[r, k]), np.float64(targets[r, k])
            e = math.exp(-abs(x))
            loss += share * (max(x, 0.0) + math.log1p(e) - x * y)
            d_scores[r, k] = share * ((1.0 if x >= 0 else e) / (1.0 + e) - y)
    return loss


@kernel
def squared_error(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
    """Compute the mean of w (score - target)²; arguments and result as in ``binary_cross_entropy``, any targets."""
    rows, values = scores.shape
    loss = 0.0
    for r in range(rows):
        share = np.float64(weights[r]) / (rows * values)
        for k in range(values):
            d = np.float64(scores[r, k]) - np.float64(targets[r, k])
            loss += share * d * d
            d_scores[r, k] = share * 2.0 * d
    return loss


@kernel
def huber(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, delta: float, d_scores: np.ndarray) -> float:
    """Compute the mean Huber loss (1964), d = score - target: w d² / 2 up to ``delta``, else w delta (|d| - delta / 2).

    ``delta`` is a positive float64; the rest as in ``squared_error``.
    """
    rows, values = scores.shape
    loss = 0.0
    for r in range(rows):
        share = np.float64(weights[r]) / (rows * values)
        for k in range(values):
            d = np.float64(scores[r, k]) - np.float64(targets[r, k])
            if abs(d) <= delta:
                loss += share * 0.5 * d * d
                d_scores[r, k] = share * d
            else:
                loss += share * delta * (abs(d) - 0.5 * delta)
                d_scores[r, k] = share * (delta if d > 0 else -delta)
    return loss


@kernel
def pinball(
    scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, quantiles: np.ndarray, d_scores: np.ndarray
) -> float:
    """Compute the mean pinball loss (Koenker & Bassett 1978): w q d if d = target - score is above 0, else w (q - 1) d.

    Args:
        scores: (R, Q * C), for each target its Q quantiles: those of the first for all C targets, then the next.
        targets: (R, C). weights: (R,). quantiles: (Q,) float64, within 0 .. 1.
        d_scores: (R, Q * C), output.

    Returns:
        The loss, float64.
    """
    rows, values = targets.shape
    loss = 0.0
    for r in range(rows):
        share = np.float64(weights[r]) / (rows * scores.shape[1])
        for place in range(quantiles.size):
            for k in range(values):
                at = place * values + k
                d = np.float64(targets[r, k]) - np.float64(scores[r, at])
                slope = quantiles[place] - (1.0 if d < 0 else 0.0)
                loss += share * slope * d
                d_scores[r, at] = -share * slope if d != 0 else 0.0
    return loss
