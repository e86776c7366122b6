"""Attention pooling: a learned weighted mean of the hidden states of each sequence.

Source: Yang et al. 2016, Hierarchical Attention Networks, equations 5 to 7 (word level)::

    k_t = tanh(W h_t + b)        a_t = exp(u · k_t) / sum_t exp(u · k_t)        pooled = sum_t a_t h_t

Packed rows, see ``lstm.py``. Sums run only over a sequence's own rows, in order, so results do not depend on the batch.
"""

import math

import numpy as np

from seqclf.kernels.linear import linear_backward, linear_forward
from wordvec.kernels.simd import kernel


@kernel(allocates=True)
def attention_forward(
    h: np.ndarray, starts: np.ndarray, weight: np.ndarray, bias: np.ndarray, query: np.ndarray, keys: np.ndarray,
    attention: np.ndarray, pooled: np.ndarray,
) -> None:  # fmt: skip
    """Pool the packed states.

    Args:
        h: (R, F) states. starts: (T + 1,) int64.
        weight: (A, F). bias, query: (A,); the query is the paper's u.
        keys: (R, A), output: tanh(W h + b).
        attention: (R,), output: attention weights, which sum to one over each sequence.
        pooled: (B, F), output; zeros for an empty sequence.
    """
    texts, width = pooled.shape
    linear_forward(h, weight, bias, keys)
    tops, totals = np.full(texts, -np.inf), np.zeros(texts)
    scores = np.empty(h.shape[0])
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            score = 0.0
            for k in range(query.size):
                keys[row, k] = math.tanh(keys[row, k])
                score += np.float64(query[k]) * np.float64(keys[row, k])
            scores[row] = score
            tops[s] = max(tops[s], score)
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            scores[row] = math.exp(scores[row] - tops[s])
            totals[s] += scores[row]
    for s in range(texts):
        for j in range(width):
            pooled[s, j] = 0
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            attention[row] = scores[row] / totals[s]
            for j in range(width):
                pooled[s, j] += attention[row] * h[row, j]


@kernel(allocates=True)
def attention_backward(
    h: np.ndarray, starts: np.ndarray, weight: np.ndarray, query: np.ndarray, keys: np.ndarray, attention: np.ndarray,
    d_pooled: np.ndarray, d_h: np.ndarray, d_weight: np.ndarray, d_bias: np.ndarray, d_query: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``attention_forward``.

    Args:
        h, starts, weight, query, attention: as passed to and returned by ``attention_forward``.
        keys: as returned by it; overwritten with the gradient of W h + b.
        d_pooled: (B, F).
        d_h: (R, F), output. d_weight (A, F), d_bias and d_query (A,): accumulated.
    """
    texts, width = d_pooled.shape
    shares, means = np.empty(h.shape[0]), np.zeros(texts)
    # d_a_t = d_pooled · h_t, and its weighted mean, which the softmax gradient subtracts.
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            share = 0.0
            for j in range(width):
                share += np.float64(d_pooled[s, j]) * np.float64(h[row, j])
            shares[row] = share
            means[s] += np.float64(attention[row]) * share
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            d_score = np.float64(attention[row]) * (shares[row] - means[s])
            for k in range(query.size):
                key = np.float64(keys[row, k])
                d_query[k] += d_score * key
                keys[row, k] = d_score * np.float64(query[k]) * (1.0 - key * key)
    linear_backward(h, weight, keys, d_h, d_weight, d_bias)
    for t in range(starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            row = starts[t] + s
            for j in range(width):
                d_h[row, j] += attention[row] * d_pooled[s, j]
