"""Softmax over a large vocabulary: scores, probabilities and the best words of some rows.

For states x (R, H), word weights W (V, H) and biases b: p = softmax(x · Wᵀ + b). Training has its own kernels, in
``output_gradients.py``.

Layout. Every array is flat float32. Rows of states and weights have ``width`` floats, a multiple of 16; padding is
zero. Scores, later overwritten by probabilities, are stored in *groups* of four rows: (R / 4, P, 4), with P = V rounded
up to a multiple of 16. So a 4 x 4 tile of scores is sixteen consecutive floats, and the softmax processes the four rows
of a group together.

The order of each sum does not depend on other rows or on the number of threads, which split the rows.
"""

import math

import numpy as np

from seqclf.kernels.activations import exponential
from wordvec.kernels.products import products_1x16, products_4x4
from wordvec.kernels.simd import Sixteen, add, clamp, kernel, load, multiply, splat, store, subtract

GROUP = 4
NEAR_SCORES = 32  # words whose weights stay in the L1 cache during the loop over rows
STRETCH = 512  # floats per partial sum


@kernel
def output_scores(
    states: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray, first: int, last: int, words: int,
    width: int,
) -> None:  # fmt: skip
    """Compute the scores of the groups ``first`` .. ``last``.

    Args:
        states: (R * width,), R a multiple of 16.
        weight: (V * width,).
        bias: (P * 4,): each word's bias repeated four times, and -inf for the padding from V to P.
        scores: (R / 4 * P * 4,), output.
        words: V.
    """
    padded = bias.size // GROUP
    end = words - 1
    for near in range(0, words, NEAR_SCORES):
        for g in range(first, last):
            x0, x1, x2, x3 = 4 * g * width, (4 * g + 1) * width, (4 * g + 2) * width, (4 * g + 3) * width
            for v in range(near, min(near + NEAR_SCORES, words), 4):
                w0, w1, w2, w3 = v, min(v + 1, end), min(v + 2, end), min(v + 3, end)
                s = products_4x4(weight, w0 * width, w1 * width, w2 * width, w3 * width, states, x0, x1, x2, x3, width)
                store(scores, (g * padded + v) * GROUP, add(s, load(bias, v * GROUP)))
    for g in range(first, last):
        for v in range((words + 3) // 4 * 4, padded, 4):
            store(scores, (g * padded + v) * GROUP, load(bias, v * GROUP))


@kernel
def output_scores_of_one(
    state: np.ndarray, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray, words: int, width: int,
    scratch: np.ndarray,
) -> None:  # fmt: skip
    """Compute the scores of a single row, to the same bits; those of the other rows of its group are its biases.

    ``scratch``: (16,) float32; else see ``output_scores``.
    """
    padded = bias.size // GROUP
    for v in range(0, padded * GROUP, 16):
        store(scores, v, load(bias, v))
    whole = words // 16 * 16
    for v in range(0, whole, 16):
        store(scratch, 0, products_1x16(state, 0, weight, v * width, width, width))
        for lane in range(16):
            scores[(v + lane) * GROUP] += scratch[lane]
    for v in range(whole, words):
        store(scratch, 0, products_1x16(state, 0, weight, v * width, 0, width))
        scores[v * GROUP] += scratch[0]


@kernel(inline=True)
def _largest(scores: np.ndarray, start: int, size: int, scratch: np.ndarray) -> Sixteen:
    """Return the largest score of each of a group's four rows, four times, as in ``scratch`` (16,)."""
    top = load(scores, start)
    for k in range(start + 16, start + size, 16):
        top = clamp(load(scores, k), top, splat(np.float32(np.inf)))
    store(scratch, 0, top)
    for t in range(GROUP):
        most = max(max(scratch[t], scratch[4 + t]), max(scratch[8 + t], scratch[12 + t]))
        scratch[t] = scratch[4 + t] = scratch[8 + t] = scratch[12 + t] = most
    return load(scratch, 0)


@kernel
def output_softmax(scores: np.ndarray, first: int, last: int, padded: int, scratch: np.ndarray) -> None:
    """Convert the scores of the groups ``first`` .. ``last`` to probabilities, in place.

    Args:
        scores: as computed by ``output_scores``. padded: P.
        scratch: (16,) float32, private to the thread.
    """
    size = padded * GROUP
    for g in range(first, last):
        start = g * size
        top = _largest(scores, start, size, scratch)
        total = splat(np.float32(0))
        for near in range(start, start + size, STRETCH):
            part = splat(np.float32(0))
            for k in range(near, min(near + STRETCH, start + size), 16):
                e = exponential(subtract(load(scores, k), top))
                store(scores, k, e)
                part = add(part, e)
            total = add(total, part)
        store(scratch, 0, total)
        for t in range(GROUP):
            whole = scratch[t] + scratch[4 + t] + scratch[8 + t] + scratch[12 + t]
            scratch[t] = scratch[4 + t] = scratch[8 + t] = scratch[12 + t] = np.float32(1) / whole
        factors = load(scratch, 0)
        for k in range(start, start + size, 16):
            store(scores, k, multiply(load(scores, k), factors))


@kernel(allocates=True)
def output_best(
    scores: np.ndarray, first: int, last: int, words: int, padded: int, asked: int, tokens: np.ndarray,
    logs: np.ndarray, asked_logs: np.ndarray, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Find the K most probable words of the rows in the groups ``first`` .. ``last``, and the logs of their
    probabilities, without storing the others.

    Args:
        scores: as computed by ``output_scores``. words, padded: V, P.
        asked: a word whose probability is also returned.
        tokens: (R, K) int32, output, the most probable first, of equal ones the lower. logs: (R, K) float32.
        asked_logs: (R,) float32. Rows of padding, from R on, are skipped.
        scratch: (16,) float32, private to the thread.
    """
    size, kept = padded * GROUP, tokens.shape[1]
    tops = np.empty((GROUP, (size + STRETCH - 1) // STRETCH), np.float32)  # the largest score of each stretch
    for g in range(first, last):
        start = g * size
        for near in range(tops.shape[1]):
            _largest(scores, start + near * STRETCH, min(STRETCH, size - near * STRETCH), scratch)
            for t in range(GROUP):
                tops[t, near] = scratch[t]
        for t in range(GROUP):
            scratch[t] = scratch[4 + t] = scratch[8 + t] = scratch[12 + t] = tops[t].max()
        top = load(scratch, 0)
        total = splat(np.float32(0))
        for near in range(start, start + size, STRETCH):
            part = splat(np.float32(0))
            for k in range(near, min(near + STRETCH, start + size), 16):
                part = add(part, exponential(subtract(load(scores, k), top)))
            total = add(total, part)
        store(scratch, 0, total)
        for t in range(min(GROUP, tokens.shape[0] - g * GROUP)):
            row = g * GROUP + t
            log_sum = math.log(np.float64(scratch[t] + scratch[4 + t] + scratch[8 + t] + scratch[12 + t]))
            log_sum += np.float64(tops[t].max())
            found = 0
            for near in range(tops.shape[1]):
                if found == kept and tops[t, near] <= logs[row, kept - 1]:
                    continue
                for v in range(near * STRETCH // GROUP, min((near + 1) * STRETCH // GROUP, words)):
                    score = scores[start + v * GROUP + t]
                    if found == kept and score <= logs[row, kept - 1]:
                        continue
                    at = min(found, kept - 1)
                    while at > 0 and logs[row, at - 1] < score:
                        logs[row, at], tokens[row, at] = logs[row, at - 1], tokens[row, at - 1]
                        at -= 1
                    logs[row, at], tokens[row, at] = score, v
                    found = min(found + 1, kept)
            for k in range(kept):
                logs[row, k] = np.float64(logs[row, k]) - log_sum
            asked_logs[row] = np.float64(scores[start + asked * GROUP + t]) - log_sum
