"""Attention of decoder states to the encoder states of their own sequence, forward and backward, one step at a time.

For a decoder state h, keys K_j and values V_j of the sequence's S positions (Luong et al. 2015, equations 5, 7 and 8;
Bahdanau et al. 2015, appendix A.1.2)::

    score_j = h · K_j                            general and dot; K_j = W s_j, or s_j itself
    score_j = v · tanh(W_query h + K_j)          additive; K_j = U s_j + b
    a       = softmax(score)
    state   = tanh(W_state h + sum_j a_j V_j + b)

``V_j = W_context s_j``, so that the sum is W_context times the context vector; keys and values are computed once for a
batch. A row's sums run only over its sequence, so they depend neither on padding nor on the rest of the batch.
"""

import math
from typing import NamedTuple

import numpy as np

from seqclf.kernels.activations import tanh
from seqclf.kernels.panels import UNITS, multiply
from wordvec.kernels import simd
from wordvec.kernels.simd import add, kernel, load, splat_as, store, subtract

GENERAL, DOT, ADDITIVE = 0, 1, 2
"""Kinds of attention."""


class Memory(NamedTuple):
    """What a decoder attends to: N positions of all sequences, each sequence's in one stretch."""

    keys: np.ndarray  # (N, H)
    values: np.ndarray  # (N, H)
    spans: np.ndarray  # (M + 1,) int64: sequence m has the positions spans[m] .. spans[m + 1] - 1
    owners: np.ndarray  # (B,) int64: the sequence that the decoder's sequence s attends to


class Attention(NamedTuple):
    """Weights over the positions, or the gradient of the scores, by decoder row."""

    weights: np.ndarray  # flat; step t of the decoder's sequence s has its S weights at first[s] + t S
    first: np.ndarray  # (B,) int64
    query: np.ndarray  # (R, H) W_query h, of additive attention; else (0, H)
    scorer: np.ndarray  # (H,) v, of additive attention; else zeros


@kernel(fastmath={"contract", "reassoc"})
def _dot(a: np.ndarray, a_row: int, b: np.ndarray, b_row: int) -> np.floating:
    """Return a[a_row] · b[b_row]; the order of the sum depends only on the width."""
    left, right = a[a_row], b[b_row]
    total: np.floating = left[0] * right[0]
    for k in range(1, left.size):
        total += left[k] * right[k]
    return total


@kernel
def _additive_score(query: np.ndarray, keys: np.ndarray, scorer: np.ndarray, scratch: np.ndarray) -> np.floating:
    """Return v · tanh(query + key) of two rows (H,); scratch: (16,)."""
    total = splat_as(load(query, 0), 0.0)
    for k in range(0, query.size, UNITS):
        squashed = tanh(add(load(query, k), load(keys, k)))
        total = simd.multiply_add(load(scorer, k), squashed, total)
    store(scratch, 0, total)
    score: np.floating = scratch[0]
    for lane in range(1, UNITS):
        score += scratch[lane]
    return score


@kernel
def attend(
    kind: int, h: np.ndarray, first: int, count: int, step: int, memory: Memory, attention: Attention,
    combined: np.ndarray, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Compute the attention of the rows ``first`` .. of h (R, H), step ``step`` of the decoder's sequences 0 ...

    ``combined`` (R, H): the weighted sums of values are added to its rows. A sequence without positions adds nothing.
    """
    weights = attention.weights
    for s in range(count):
        row, owner = first + s, memory.owners[s]
        begin, size = memory.spans[owner], memory.spans[owner + 1] - memory.spans[owner]
        at = attention.first[s] + step * size
        top = -np.inf
        for j in range(size):
            if kind == ADDITIVE:
                score = _additive_score(attention.query[row], memory.keys[begin + j], attention.scorer, scratch)
            else:
                score = _dot(h, row, memory.keys, begin + j)
            weights[at + j] = score
            top = max(top, np.float64(score))
        total = 0.0
        for j in range(size):
            e = math.exp(np.float64(weights[at + j]) - top)
            weights[at + j] = e
            total += e
        target = combined[row]
        for j in range(size):
            weights[at + j] = np.float64(weights[at + j]) / total
            share, value = weights[at + j], memory.values[begin + j]
            for k in range(target.size):
                target[k] += share * value[k]


@kernel
def attend_back(
    kind: int, first: int, count: int, step: int, memory: Memory, attention: Attention, d_combined: np.ndarray,
    d_scores: np.ndarray, d_h: np.ndarray, d_keys: np.ndarray, d_query: np.ndarray, d_scorer: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``attend``.

    Args:
        d_combined: (R, H), the gradient of the weighted sums.
        d_scores: flat as the weights, output: the gradient of the scores.
        d_h: (R, H), accumulated; of additive attention ``d_query`` (R, H), output, and d_scorer (B, H), accumulated.
        d_keys: (N, H), of additive attention accumulated; else unused, see ``memory_back``.
    """
    weights = attention.weights
    for s in range(count):
        row, owner = first + s, memory.owners[s]
        begin, size = memory.spans[owner], memory.spans[owner + 1] - memory.spans[owner]
        at = attention.first[s] + step * size
        mean = 0.0
        for j in range(size):
            d_weight = _dot(d_combined, row, memory.values, begin + j)
            d_scores[at + j] = d_weight
            mean += np.float64(weights[at + j]) * np.float64(d_weight)
        if kind == ADDITIVE:
            d_query[row, :] = 0
        for j in range(size):
            d_score = np.float64(weights[at + j]) * (np.float64(d_scores[at + j]) - mean)
            d_scores[at + j] = d_score
            if kind == ADDITIVE:
                _additive_back(
                    d_scores[at + j], attention.query[row], memory.keys[begin + j], attention.scorer, d_query[row],
                    d_keys[begin + j], d_scorer[s],
                )  # fmt: skip
            else:
                share, key, target = d_scores[at + j], memory.keys[begin + j], d_h[row]
                for k in range(target.size):
                    target[k] += share * key[k]


@kernel
def _additive_back(
    d_score: float, query: np.ndarray, key: np.ndarray, scorer: np.ndarray, d_query: np.ndarray,
    d_key: np.ndarray, d_scorer: np.ndarray,
) -> None:  # fmt: skip
    """Backward pass of ``_additive_score``; all gradients (H,) are accumulated."""
    for k in range(0, query.size, UNITS):
        squashed = tanh(add(load(query, k), load(key, k)))
        share = splat_as(squashed, d_score)
        slope = subtract(splat_as(squashed, 1.0), simd.multiply(squashed, squashed))
        d_sum = simd.multiply(simd.multiply(share, load(scorer, k)), slope)
        store(d_query, k, add(load(d_query, k), d_sum))
        store(d_key, k, add(load(d_key, k), d_sum))
        store(d_scorer, k, simd.multiply_add(share, squashed, load(d_scorer, k)))


@kernel
def memory_back(
    product: int, starts: np.ndarray, lengths: np.ndarray, memory: Memory, first: np.ndarray, weights: np.ndarray,
    rows: np.ndarray, d_memory: np.ndarray, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Add to each position's row of d_memory (N, H) the sum over its sequence's steps of its weight times their row.

    Args:
        starts, lengths: of the decoder's batch. weights, first: see ``Attention``; each sequence has one owner.
        rows: (R, H). scratch: (T, H).
    """
    hidden = rows.shape[1]
    flat, out = scratch.reshape(scratch.size), d_memory.reshape(d_memory.size)
    for s in range(lengths.size):
        begin, size = (
            memory.spans[memory.owners[s]],
            memory.spans[memory.owners[s] + 1] - memory.spans[memory.owners[s]],
        )
        steps = lengths[s]
        if size == 0 or steps == 0:
            continue
        for t in range(steps):
            source, target = rows[starts[t] + s], scratch[t]
            for k in range(hidden):
                target[k] = source[k]
        multiply(
            product, weights, first[s], 1, size, size, steps, flat, 0, hidden, UNITS,
            out, begin * hidden, hidden, UNITS, hidden // UNITS,
        )  # fmt: skip
