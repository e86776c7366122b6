"""Softmax head: class probabilities from pooled features, and gradients of the weighted cross-entropy."""

import math

import numpy as np

from wordvec.kernels.simd import kernel

# The summation order depends only on the width, so probabilities do not depend on the batch.


@kernel(allocates=True, fastmath={"contract", "reassoc"})
def softmax_forward(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, probabilities: np.ndarray) -> None:
    """Compute probabilities (B, C) = softmax(features (B, F) · weightᵀ (C, F) + bias (C,)), exponentials in float64."""
    classes, width = weight.shape
    scores = np.empty(classes, dtype=np.float64)
    for b in range(features.shape[0]):
        for k in range(classes):
            total = bias[k]
            for j in range(width):
                total += features[b, j] * weight[k, j]
            scores[k] = total
        top = scores[0]
        for k in range(1, classes):
            top = max(top, scores[k])
        total_exp = 0.0
        for k in range(classes):
            scores[k] = math.exp(scores[k] - top)
            total_exp += scores[k]
        for k in range(classes):
            probabilities[b, k] = scores[k] / total_exp


@kernel(fastmath={"contract", "reassoc"})
def softmax_backward(
    features: np.ndarray, weight: np.ndarray, probabilities: np.ndarray, targets: np.ndarray, weights: np.ndarray,
    d_features: np.ndarray, d_weight: np.ndarray, d_bias: np.ndarray,
) -> float:  # fmt: skip
    """Compute loss and gradients of ``-sum_b weights[b] * log probabilities[b, targets[b]] / B``.

    Args:
        features, weight, probabilities: as passed to and computed by ``softmax_forward``.
        targets: (B,) int32 classes. weights: (B,) in the features' dtype.
        d_features: (B, F), output. d_weight (C, F) and d_bias (C,): accumulated.

    Returns:
        The loss, float64.
    """
    count, width = features.shape
    loss = 0.0
    for b in range(count):
        # The smallest normal float32 keeps the loss finite if a probability underflows; the gradient stays exact.
        loss -= weights[b] * math.log(max(np.float64(probabilities[b, targets[b]]), 1.2e-38))
        for j in range(width):
            d_features[b, j] = 0
        for k in range(weight.shape[0]):
            d_score = probabilities[b, k]
            if k == targets[b]:
                d_score -= 1
            d_score = d_score * weights[b] / count
            d_bias[k] += d_score
            for j in range(width):
                d_features[b, j] += d_score * weight[k, j]
                d_weight[k, j] += d_score * features[b, j]
    mean: float = loss / count
    return mean
