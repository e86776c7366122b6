"""Linear layer of every head except the vocabulary softmax; plain loops, any float dtype."""

import numpy as np

from wordvec.kernels.simd import kernel

# The summation order depends only on the width, so scores do not depend on the batch.


@kernel(fastmath={"contract", "reassoc"})
def linear_forward(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray) -> None:
    """Compute scores (R, C) = features (R, F) · weightᵀ (C, F) + bias (C,)."""
    classes, width = weight.shape
    for r in range(features.shape[0]):
        for k in range(classes):
            total = bias[k]
            for j in range(width):
                total += features[r, j] * weight[k, j]
            scores[r, k] = total


@kernel
def linear_backward(
    features: np.ndarray, weight: np.ndarray, d_scores: np.ndarray, d_features: np.ndarray, d_weight: np.ndarray,
    d_bias: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``linear_forward``: set d_features (R, F), accumulate d_weight (C, F) and d_bias (C,)."""
    classes, width = weight.shape
    for r in range(features.shape[0]):
        for j in range(width):
            d_features[r, j] = 0
        for k in range(classes):
            d_score = d_scores[r, k]
            d_bias[k] += d_score
            for j in range(width):
                d_features[r, j] += d_score * weight[k, j]
                d_weight[k, j] += d_score * features[r, j]
