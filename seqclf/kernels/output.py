"""Softmax over a large vocabulary: scores, loss and gradients as three cache-blocked matrix products.

For states x (R, H), word weights W (V, H) and biases b, with share_r = weight_r / R::

    s = x · Wᵀ + b        p = softmax(s)        loss = -sum_r share_r log p_r[target_r]
    d_s = share (p - onehot(target))     d_x = d_s · W     d_W = d_sᵀ · x     d_b = sum_r d_s

Label smoothing (Szegedy et al. 2016, section 7) replaces onehot by (1 - smoothing) onehot + smoothing / V.

Layout. Every array is flat float32. Rows of states and weights have ``width`` floats, a multiple of 16; the number of
state rows is a multiple of 16; padding is zero. Scores, later overwritten by d_s, are stored in *groups* of four rows:
(R / 4, P, 4), with P = V rounded up to a multiple of 16. So a 4 x 4 tile of scores is sixteen consecutive floats, the
softmax processes the four rows of a group together, and both gradient products read d_s sequentially.

The order of each sum does not depend on other rows or on the number of threads: threads split the rows for scores and
d_x, and the words for d_W and d_b.
"""

import math

import numpy as np

from wordvec.kernels.products import products_1x16, products_4x4
from wordvec.kernels.simd import (
    Sixteen,
    add,
    clamp,
    has_long_registers,
    kernel,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    subtract,
)

GROUP = 4
NEAR_SCORES = 32  # words whose weights stay in the L1 cache during the loop over rows
NEAR_WORDS = 256  # words whose weights stay in the L2 cache while accumulating d_x
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
def _exponential(x: Sixteen) -> Sixteen:
    """exp(x) of sixteen nonpositive floats with relative error of about 2e-6; clamped to exp(-80) below -80.

    y = exp(x / 128) - 1 by its Taylor series; (1 + y)² - 1 = y (2 + y) three times, which avoids the rounding of 1 + y;
    then 1 + y squared four times.
    """
    x = multiply(clamp(x, splat(np.float32(-80)), splat(np.float32(0))), splat(np.float32(1 / 128)))
    y = splat(np.float32(1 / 5040))
    y = multiply_add(y, x, splat(np.float32(1 / 720)))
    y = multiply_add(y, x, splat(np.float32(1 / 120)))
    y = multiply_add(y, x, splat(np.float32(1 / 24)))
    y = multiply_add(y, x, splat(np.float32(1 / 6)))
    y = multiply_add(y, x, splat(np.float32(0.5)))
    y = multiply_add(y, x, splat(np.float32(1)))
    y = multiply(y, x)
    for _ in range(3):
        y = multiply(y, add(y, splat(np.float32(2))))
    e = add(y, splat(np.float32(1)))
    for _ in range(4):
        e = multiply(e, e)
    return e


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
def _smooth(
    scores: np.ndarray, start: int, words: int, targets: np.ndarray, first: int, smoothing: float, losses: np.ndarray,
) -> None:  # fmt: skip
    """Add to the losses of a group's four rows what smoothing changes: smoothing * (score of the target - mean score).

    ``scratch`` is left as it is.
    """
    total0 = total1 = total2 = total3 = 0.0
    for v in range(words):
        at = start + v * GROUP
        total0 += np.float64(scores[at])
        total1 += np.float64(scores[at + 1])
        total2 += np.float64(scores[at + 2])
        total3 += np.float64(scores[at + 3])
    for t, total in ((0, total0), (1, total1), (2, total2), (3, total3)):
        row = first + t
        if targets[row] >= 0:
            own = np.float64(scores[start + np.int64(targets[row]) * GROUP + t])
            losses[row] += smoothing * (own - total / words)


@kernel
def output_softmax(
    scores: np.ndarray, first: int, last: int, words: int, padded: int, targets: np.ndarray, shares: np.ndarray,
    smoothing: np.float32, losses: np.ndarray, scratch: np.ndarray, differentiate: bool,
) -> None:  # fmt: skip
    """Convert the scores of the groups ``first`` .. ``last`` to probabilities, or to d_s, in place.

    Args:
        scores: as computed by ``output_scores``. words, padded: V, P.
        targets: (R,) int32; -1 for a padding row.
        shares: (R,) float32, loss weight of a row; 0 for a padding row.
        smoothing: float32, the share of the target distribution that is uniform.
        losses: (R,) float64, output: unweighted -log p[target], or the smoothed loss; 0 for a padding row.
        scratch: (16,) float32, private to the thread.
        differentiate: compute d_s instead of probabilities.
    """
    size = padded * GROUP
    for g in range(first, last):
        start = g * size
        top = _largest(scores, start, size, scratch)
        for t in range(GROUP):
            row = g * GROUP + t
            losses[row] = 0.0
            if targets[row] >= 0:
                place = start + np.int64(targets[row]) * GROUP + t
                losses[row] = np.float64(scratch[t]) - np.float64(scores[place])
        if smoothing > 0:
            _smooth(scores, start, words, targets, g * GROUP, np.float64(smoothing), losses)
        total = splat(np.float32(0))
        for near in range(start, start + size, STRETCH):
            part = splat(np.float32(0))
            for k in range(near, min(near + STRETCH, start + size), 16):
                e = _exponential(subtract(load(scores, k), top))
                store(scores, k, e)
                part = add(part, e)
            total = add(total, part)
        store(scratch, 0, total)
        for t in range(GROUP):
            row = g * GROUP + t
            whole = scratch[t] + scratch[4 + t] + scratch[8 + t] + scratch[12 + t]
            if targets[row] >= 0:
                losses[row] += math.log(np.float64(whole))
            factor = shares[row] / whole if differentiate else np.float32(1) / whole
            scratch[t] = scratch[4 + t] = scratch[8 + t] = scratch[12 + t] = factor
        factors = load(scratch, 0)
        for t in range(GROUP):
            uniform = shares[g * GROUP + t] * smoothing / np.float32(words) if differentiate else np.float32(0)
            scratch[t] = scratch[4 + t] = scratch[8 + t] = scratch[12 + t] = uniform
        uniforms = load(scratch, 0)
        for k in range(start, start + size, 16):
            store(scores, k, subtract(multiply(load(scores, k), factors), uniforms))
        if differentiate:
            for t in range(GROUP):
                row = g * GROUP + t
                if targets[row] >= 0:
                    scores[start + np.int64(targets[row]) * GROUP + t] -= shares[row] * (np.float32(1) - smoothing)


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
                part = add(part, _exponential(subtract(load(scores, k), top)))
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


@kernel(inline=True)
def _sixteen_rows(
    d_scores: np.ndarray, start: int, size: int, count: int, weight: np.ndarray, near: int, width: int,
    d_states: np.ndarray, at: int,
) -> None:  # fmt: skip
    """Add d_s times the vectors of ``count`` words, from ``near`` on, to one vector in each of sixteen rows of d_states
    from ``at`` on, ``width`` apart. The d_s of the first four rows start at ``start``, of the next four ``size`` later.
    """
    g0, start = d_scores[start : start + count * GROUP], start + size
    g1, start = d_scores[start : start + count * GROUP], start + size
    g2, start = d_scores[start : start + count * GROUP], start + size
    g3 = d_scores[start : start + count * GROUP]
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(np.float32(0))
    a8 = a9 = a10 = a11 = a12 = a13 = a14 = a15 = splat(np.float32(0))
    for k in range(count):
        w, j = load(weight, near + k * width), k * GROUP
        a0, a1 = multiply_add(splat(g0[j]), w, a0), multiply_add(splat(g0[j + 1]), w, a1)
        a2, a3 = multiply_add(splat(g0[j + 2]), w, a2), multiply_add(splat(g0[j + 3]), w, a3)
        a4, a5 = multiply_add(splat(g1[j]), w, a4), multiply_add(splat(g1[j + 1]), w, a5)
        a6, a7 = multiply_add(splat(g1[j + 2]), w, a6), multiply_add(splat(g1[j + 3]), w, a7)
        a8, a9 = multiply_add(splat(g2[j]), w, a8), multiply_add(splat(g2[j + 1]), w, a9)
        a10, a11 = multiply_add(splat(g2[j + 2]), w, a10), multiply_add(splat(g2[j + 3]), w, a11)
        a12, a13 = multiply_add(splat(g3[j]), w, a12), multiply_add(splat(g3[j + 1]), w, a13)
        a14, a15 = multiply_add(splat(g3[j + 2]), w, a14), multiply_add(splat(g3[j + 3]), w, a15)
    _add_four_rows(d_states, at, width, 4, a0, a1, a2, a3)
    _add_four_rows(d_states, at + 4 * width, width, 4, a4, a5, a6, a7)
    _add_four_rows(d_states, at + 8 * width, width, 4, a8, a9, a10, a11)
    _add_four_rows(d_states, at + 12 * width, width, 4, a12, a13, a14, a15)


@kernel(inline=True)
def _four_rows_at_a_time(
    d_scores: np.ndarray, start: int, size: int, count: int, weight: np.ndarray, near: int, width: int,
    d_states: np.ndarray, at: int,
) -> None:  # fmt: skip
    """``_sixteen_rows`` for processors with few registers."""
    for first in range(at, at + 16 * width, 4 * width):
        g, start = d_scores[start : start + count * GROUP], start + size
        a0 = a1 = a2 = a3 = splat(np.float32(0))
        for k in range(count):
            w, j = load(weight, near + k * width), k * GROUP
            a0, a1 = multiply_add(splat(g[j]), w, a0), multiply_add(splat(g[j + 1]), w, a1)
            a2, a3 = multiply_add(splat(g[j + 2]), w, a2), multiply_add(splat(g[j + 3]), w, a3)
        _add_four_rows(d_states, first, width, 4, a0, a1, a2, a3)


_add_to_states = _sixteen_rows if has_long_registers() else _four_rows_at_a_time


@kernel
def output_d_states(
    d_scores: np.ndarray, weight: np.ndarray, d_states: np.ndarray, first: int, last: int, words: int, padded: int,
    width: int,
) -> None:  # fmt: skip
    """Compute d_states (R * width,) = d_s · W for the rows ``first`` .. ``last``, multiples of 16."""
    size = padded * GROUP
    for near in range(0, words, NEAR_WORDS):
        count = min(NEAR_WORDS, words - near)
        for row in range(first, last, 16):
            start = row // GROUP * size + near * GROUP
            for d in range(0, width, 16):
                at = row * width + d
                if near == 0:
                    for i in range(16):
                        store(d_states, at + i * width, splat(np.float32(0)))
                _add_to_states(d_scores, start, size, count, weight, near * width + d, width, d_states, at)


@kernel(inline=True)
def _add_to(array: np.ndarray, at: int, value: Sixteen) -> None:
    store(array, at, add(load(array, at), value))


@kernel(inline=True)
def _add_four_rows(
    array: np.ndarray, at: int, stride: int, live: int, a0: Sixteen, a1: Sixteen, a2: Sixteen, a3: Sixteen
) -> None:
    """Add a vector to each of four rows, ``stride`` apart, of which the first ``live`` exist."""
    if live > 0:
        _add_to(array, at, a0)
    if live > 1:
        _add_to(array, at + stride, a1)
    if live > 2:
        _add_to(array, at + 2 * stride, a2)
    if live > 3:
        _add_to(array, at + 3 * stride, a3)


@kernel(inline=True)
def _sixteen_words(
    d_scores: np.ndarray, v: int, size: int, groups: int, states: np.ndarray, d: int, width: int, d_weight: np.ndarray,
    live: int,
) -> None:  # fmt: skip
    """Accumulate over all rows the gradient of the vector at ``d`` of the ``live`` words (at most sixteen) from ``v``
    on. The d_s of consecutive groups of four rows are ``size`` apart."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(np.float32(0))
    a8 = a9 = a10 = a11 = a12 = a13 = a14 = a15 = splat(np.float32(0))
    for g in range(groups):
        start = g * size + v * GROUP
        block = d_scores[start : start + 16 * GROUP]
        for t in range(GROUP):
            x = load(states, (g * GROUP + t) * width + d)
            a0, a1 = multiply_add(splat(block[t]), x, a0), multiply_add(splat(block[4 + t]), x, a1)
            a2, a3 = multiply_add(splat(block[8 + t]), x, a2), multiply_add(splat(block[12 + t]), x, a3)
            a4, a5 = multiply_add(splat(block[16 + t]), x, a4), multiply_add(splat(block[20 + t]), x, a5)
            a6, a7 = multiply_add(splat(block[24 + t]), x, a6), multiply_add(splat(block[28 + t]), x, a7)
            a8, a9 = multiply_add(splat(block[32 + t]), x, a8), multiply_add(splat(block[36 + t]), x, a9)
            a10, a11 = multiply_add(splat(block[40 + t]), x, a10), multiply_add(splat(block[44 + t]), x, a11)
            a12, a13 = multiply_add(splat(block[48 + t]), x, a12), multiply_add(splat(block[52 + t]), x, a13)
            a14, a15 = multiply_add(splat(block[56 + t]), x, a14), multiply_add(splat(block[60 + t]), x, a15)
    at = v * width + d
    _add_four_rows(d_weight, at, width, live, a0, a1, a2, a3)
    _add_four_rows(d_weight, at + 4 * width, width, live - 4, a4, a5, a6, a7)
    _add_four_rows(d_weight, at + 8 * width, width, live - 8, a8, a9, a10, a11)
    _add_four_rows(d_weight, at + 12 * width, width, live - 12, a12, a13, a14, a15)


@kernel(inline=True)
def _four_words_at_a_time(
    d_scores: np.ndarray, v: int, size: int, groups: int, states: np.ndarray, d: int, width: int, d_weight: np.ndarray,
    live: int,
) -> None:  # fmt: skip
    """``_sixteen_words`` for processors with few registers."""
    for w in range(v, v + live, 4):
        a0 = a1 = a2 = a3 = splat(np.float32(0))
        for g in range(groups):
            start = g * size + w * GROUP
            block = d_scores[start : start + 4 * GROUP]
            for t in range(GROUP):
                x = load(states, (g * GROUP + t) * width + d)
                a0, a1 = multiply_add(splat(block[t]), x, a0), multiply_add(splat(block[4 + t]), x, a1)
                a2, a3 = multiply_add(splat(block[8 + t]), x, a2), multiply_add(splat(block[12 + t]), x, a3)
        _add_four_rows(d_weight, w * width + d, width, v + live - w, a0, a1, a2, a3)


_add_to_words = _sixteen_words if has_long_registers() else _four_words_at_a_time


@kernel
def output_d_weight(
    d_scores: np.ndarray, states: np.ndarray, d_weight: np.ndarray, d_bias: np.ndarray, first: int, last: int,
    words: int, padded: int, width: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Add d_sᵀ · x to d_weight (V * width,) and the sums of d_s to d_bias (V,), for the words ``first`` .. ``last``.

    ``first`` is a multiple of 16, ``last`` a multiple of 16 or V; ``scratch``: (16,) float32, private to the thread.
    """
    size = padded * GROUP
    groups = d_scores.size // size
    for v in range(first, last, 16):
        live = min(16, last - v)
        for d in range(0, width, 16):
            _add_to_words(d_scores, v, size, groups, states, d, width, d_weight, live)
        for w in range(v, v + live, 4):
            total = splat(np.float32(0))
            for g in range(groups):
                total = add(total, load(d_scores, g * size + w * GROUP))
            store(scratch, 0, total)
            for i in range(min(4, words - w)):
                at = GROUP * i
                d_bias[w + i] += scratch[at] + scratch[at + 1] + scratch[at + 2] + scratch[at + 3]
