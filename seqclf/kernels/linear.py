"""Linear layer of every head except the vocabulary softmax, float32 or float64."""

import numpy as np

from seqclf.kernels.panels import UNITS, multiply, product
from wordvec.kernels.products import products_4x4
from wordvec.kernels.simd import kernel, store


def linear_forward(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray) -> None:
    """Compute scores (R, C) = features (R, F) · weightᵀ (C, F) + bias (C,); F is a multiple of 16.

    The summation order depends only on the width, so scores do not depend on the batch.
    """
    (_forward if scores.dtype == np.float32 else _plain_forward)(features, weight, bias, scores)


def linear_backward(
    features: np.ndarray, weight: np.ndarray, d_scores: np.ndarray, d_features: np.ndarray, d_weight: np.ndarray,
    d_bias: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``linear_forward``: set d_features (R, F), accumulate d_weight (C, F) and d_bias (C,)."""
    _backward(product(d_scores.dtype.name), features, weight, d_scores, d_features, d_weight, d_bias)


@kernel(fastmath={"contract", "reassoc"})
def _plain_forward(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray) -> None:
    """``linear_forward`` of any dtype."""
    classes, width = weight.shape
    for r in range(features.shape[0]):
        for k in range(classes):
            total = bias[k]
            for j in range(width):
                total += features[r, j] * weight[k, j]
            scores[r, k] = total


@kernel(allocates=True)
def _forward(features: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray) -> None:
    """``linear_forward`` of float32, in tiles of four rows and four classes."""
    rows, (classes, width) = features.shape[0], weight.shape
    x, w = features.reshape(features.size), weight.reshape(weight.size)
    tiles = np.empty((classes + 3) // 4 * 16, np.float32)
    for r in range(0, rows, 4):
        x0, x1, x2, x3 = r, min(r + 1, rows - 1), min(r + 2, rows - 1), min(r + 3, rows - 1)
        for k in range(0, classes, 4):
            w0, w1, w2, w3 = k, min(k + 1, classes - 1), min(k + 2, classes - 1), min(k + 3, classes - 1)
            tile = products_4x4(
                x, x0 * width, x1 * width, x2 * width, x3 * width, w, w0 * width, w1 * width, w2 * width, w3 * width,
                width,
            )  # fmt: skip
            store(tiles, 4 * k, tile)
        for t in range(min(4, rows - r)):
            for k in range(classes):
                scores[r + t, k] = tiles[k // 4 * 16 + 4 * t + k % 4] + bias[k]


@kernel(inline=True)
def add_gradients(
    product: int, features: np.ndarray, weight: np.ndarray, d_scores: np.ndarray, d_features: np.ndarray,
    d_weight: np.ndarray,
) -> None:  # fmt: skip
    """Add d_scores W to d_features (R, F), and d_scoresᵀ x to d_weight (C, F); d_scores is (R, C or more)."""
    (rows, width), classes, step = features.shape, weight.shape[0], d_scores.shape[1]
    flat = d_scores.reshape(d_scores.size)
    multiply(
        product, flat, 0, step, 1, rows, classes, weight.reshape(weight.size), 0, width, UNITS,
        d_features.reshape(d_features.size), 0, width, UNITS, width // UNITS,
    )  # fmt: skip
    multiply(
        product, flat, 0, 1, step, classes, rows, features.reshape(features.size), 0, width, UNITS,
        d_weight.reshape(d_weight.size), 0, width, UNITS, width // UNITS,
    )  # fmt: skip


@kernel
def _backward(
    product: int, features: np.ndarray, weight: np.ndarray, d_scores: np.ndarray, d_features: np.ndarray,
    d_weight: np.ndarray, d_bias: np.ndarray,
) -> None:  # fmt: skip
    rows, (classes, width) = features.shape[0], weight.shape
    for r in range(rows):
        for j in range(width):
            d_features[r, j] = 0
        for k in range(classes):
            d_bias[k] += d_scores[r, k]
    add_gradients(product, features, weight, d_scores, d_features, d_weight)
