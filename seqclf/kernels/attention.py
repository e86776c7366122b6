"""Attention pooling: a learned weighted mean of the hidden states of each sequence.

Source: Yang et al. 2016, Hierarchical Attention Networks, equations 5 to 7 (word level)::

    k_t = tanh(W h_t + b)        a_t = exp(u · k_t) / sum_t exp(u · k_t)        pooled = sum_t a_t h_t

Packed rows, see ``lstm.py``. Sums run only over a sequence's own rows, in order, so results do not depend on the batch.
F is a multiple of 16; A is not, but the keys are padded to one, W.
"""

import math

import numpy as np

from seqclf.kernels.activations import squash
from seqclf.kernels.linear import add_gradients
from seqclf.kernels.panels import UNITS, project
from wordvec.kernels.simd import kernel


@kernel(internal=True, fastmath={"contract", "reassoc"})
def _dot(a: np.ndarray, b: np.ndarray) -> np.floating:
    """Return a · b; the order of the sum depends only on the width."""
    total: np.floating = a[0] * b[0]
    for k in range(1, a.size):
        total += a[k] * b[k]
    return total


@kernel(allocates=True)
def attention_forward(
    product: int, h: np.ndarray, starts: np.ndarray, weight: np.ndarray, bias: np.ndarray, query: np.ndarray,
    keys: np.ndarray, attention: np.ndarray, pooled: np.ndarray,
) -> None:  # fmt: skip
    """Pool the packed states.

    Args:
        product: see ``panels.py``.
        h: (R, F) states. starts: (T + 1,) int64.
        weight: (A, F). bias, query: (A,); the query is the paper's u.
        keys: (R, W), output: tanh(W h + b), zero in the padding.
        attention: (R,), output: attention weights, which sum to one over each sequence.
        pooled: (B, F), output; zeros for an empty sequence.
    """
    (texts, width), size = pooled.shape, query.size
    panels, start = np.zeros((keys.shape[1] // UNITS, width, UNITS), h.dtype), np.zeros(keys.shape[1], h.dtype)
    for k in range(size):
        start[k] = bias[k]
        for j in range(width):
            panels[k // UNITS, j, k % UNITS] = weight[k, j]
    project(product, h, panels, start, keys)
    squash(keys.reshape(keys.size))
    tops, totals = np.full(texts, -np.inf), np.zeros(texts)
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            attention[row] = _dot(query, keys[row, :size])
            tops[s] = max(tops[s], np.float64(attention[row]))
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            share = math.exp(np.float64(attention[row]) - tops[s])
            attention[row] = share
            totals[s] += share
    for s in range(texts):
        for j in range(width):
            pooled[s, j] = 0
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            attention[row] = np.float64(attention[row]) / totals[s]
            own, state, target = attention[row], h[row], pooled[s]
            for j in range(width):
                target[j] += own * state[j]


@kernel(allocates=True)
def attention_backward(
    product: int, h: np.ndarray, starts: np.ndarray, weight: np.ndarray, query: np.ndarray, keys: np.ndarray,
    attention: np.ndarray, d_pooled: np.ndarray, d_h: np.ndarray, d_weight: np.ndarray, d_bias: np.ndarray,
    d_query: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``attention_forward``.

    Args:
        product, h, starts, weight, query, attention: as passed to and returned by ``attention_forward``.
        keys: as returned by it; overwritten with the gradient of W h + b.
        d_pooled: (B, F).
        d_h: (R, F), output. d_weight (A, F), d_bias and d_query (A,): accumulated.
    """
    texts, width = d_pooled.shape
    rows, size = h.shape[0], query.size
    shares, means = np.empty(rows), np.zeros(texts)
    # d_a_t = d_pooled · h_t, and its weighted mean, which the softmax gradient subtracts.
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            shares[row] = _dot(d_pooled[s], h[row])
            means[s] += np.float64(attention[row]) * shares[row]
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            d_score = h.dtype.type(np.float64(attention[row]) * (shares[row] - means[s]))
            own, key, d_state, d_mean = attention[row], keys[row], d_h[row], d_pooled[s]
            for k in range(size):
                d_query[k] += d_score * key[k]
                key[k] = d_score * query[k] * (key.dtype.type(1) - key[k] * key[k])
                d_bias[k] += key[k]
            for j in range(width):
                d_state[j] = own * d_mean[j]
    add_gradients(product, h, weight, keys, d_h, d_weight)
