"""Linear-chain conditional random field by scaled probabilities, sixteen sequences at once; see ``crf.py``.

Source: Rabiner 1989, section V.A. Every a_t is divided by its sum c_t, every b_t by a_t · b_t::

    M = exp(T - max T)        p_t = exp(e_t - max e)
    a_0     = exp(start - max start) p_0        a_t     = p_t (a_(t-1) M)
    b_(L-1) = exp(end - max end)                b_(t-1) = M (p_t b_t)
    log Z   = sum of all log c_t, of log (a_(L-1) · exp(end - max end)), and of the maxima
    p(y_t = j)                = a_t[j] b_t[j]
    p(y_(t-1) = i, y_t = j)   = a_(t-1)[i] M[i, j] p_t[j] b_t[j]

A vector holds the same number of sixteen sequences, the *lanes*. So nothing is added across a vector but the expected
numbers of transitions, any number of labels fills all vectors, and steps of sixteen chains hide each other's latency.
A lane whose sequence has ended goes on with numbers that are finite, and that nobody reads.
"""

import math
from typing import NamedTuple

import numpy as np

from seqclf.kernels.panels import UNITS
from wordvec.kernels.simd import (
    Sixteen,
    add,
    clamp,
    divide,
    kernel,
    load,
    multiply,
    multiply_add,
    splat_as,
    store,
    subtract,
)

LANES = UNITS
REACH = 300.0
"""The largest difference of two scores of a kind. No probability then is below exp(-600), which float64 represents."""
LOG2_E, LN2_HIGH, LN2_LOW = 1.44269504088896340736, 6.93147180369123816490e-01, 1.90821492927058770002e-10
WHOLE = 1.5 * 2.0**52
"""A float64 of this size has no fraction, and the low bits of an integer added to it are its own."""
ONE, FRACTION = 1023 << 52, (1 << 52) - 1
"""The bits of 1.0, and those of a number's fraction."""
STEPS = 8
"""Steps whose numbers, at twenty labels, stay in the L1 cache while transitions are counted."""


class Chain(NamedTuple):
    """What the passes over the groups of one call share; C labels, W = 16 C. All arrays are float64 but ``bits``."""

    moves: np.ndarray  # (C, C)
    back_moves: np.ndarray  # (C, C), transposed
    start: np.ndarray  # (C,), exp(start - max start)
    end: np.ndarray  # (C,)
    p: np.ndarray  # (L, W)
    a: np.ndarray  # (L, W)
    b: np.ndarray  # (W,)
    ahead: np.ndarray  # (W,) scratch
    bits: np.ndarray  # (W,) int64, the memory of ``ahead``
    counts: np.ndarray  # (C, C), accumulated: the expected number of each transition, divided by M
    tops: np.ndarray  # (3,): the maxima of transitions, start and end; NaN: out of reach
    lanes: np.ndarray  # (6, 16) by lane: see below
    exponents: np.ndarray  # (16,) int64


HIGH, LOW, FACTOR, END, WEIGHT, SPARE = range(6)
"""Rows of ``Chain.lanes``: the largest and the lowest emission; the product of all c_t, of which the exponent is kept
apart; a_(L-1) · end; the weight in the gradient, 0 when the sequence has ended; scratch."""


@kernel
def exponentials(x: np.ndarray, powers: np.ndarray, bits: np.ndarray) -> None:
    """Replace float64 x (W,) of -300 .. 0 by exp(x), within 2 units in the last place.

    x = n log 2 + r, and exp(x) = 2^n exp(r), by the Taylor series for r; LLVM vectorizes the loops. ``powers`` (W,) is
    scratch, ``bits`` (W,) int64 the same memory.
    """
    for k in range(x.size):
        shifted = x[k] * LOG2_E + WHOLE
        n = shifted - WHOLE
        r = (x[k] - n * LN2_HIGH) - n * LN2_LOW
        y = 1 / 6227020800
        y = y * r + 1 / 479001600
        y = y * r + 1 / 39916800
        y = y * r + 1 / 3628800
        y = y * r + 1 / 362880
        y = y * r + 1 / 40320
        y = y * r + 1 / 5040
        y = y * r + 1 / 720
        y = y * r + 1 / 120
        y = y * r + 1 / 24
        y = y * r + 1 / 6
        y = y * r + 0.5
        y = y * r + 1.0
        x[k], powers[k] = y * r + 1.0, shifted
    for k in range(x.size):
        bits[k] = (bits[k] << 52) + ONE
    for k in range(x.size):
        x[k] *= powers[k]


@kernel(internal=True)
def _exponentials(scores: np.ndarray, found: np.ndarray, powers: np.ndarray) -> float:
    """Set found to exp(scores - max scores), all (n,); return max scores, NaN if out of reach."""
    top, low = scores[0], scores[0]
    for k in range(1, scores.size):
        top, low = max(top, scores[k]), min(low, scores[k])
    for k in range(found.size):
        found[k] = max(scores[k] - top, -REACH)
    exponentials(found, powers, powers.view(np.int64))
    return top if top - low <= REACH else np.nan


@kernel(allocates=True)
def prepare(transitions: np.ndarray, start: np.ndarray, end: np.ndarray, longest: int) -> Chain:
    """Return the chain for sequences of at most ``longest`` tokens."""
    classes, longest = start.size, max(longest, 1)
    squares, tables = np.zeros((3, classes, classes)), np.empty((2, longest, classes * LANES))
    rows, ends = np.empty((2, classes * LANES)), np.empty((2, classes))
    tops, powers = np.empty(3), np.empty(classes * classes)
    tops[0] = _exponentials(transitions.reshape(transitions.size), squares[0].reshape(transitions.size), powers)
    tops[1] = _exponentials(start, ends[0], powers[:classes])
    tops[2] = _exponentials(end, ends[1], powers[:classes])
    for i in range(classes):
        for j in range(classes):
            squares[1, j, i] = squares[0, i, j]
    return Chain(
        squares[0], squares[1], ends[0], ends[1], tables[0], tables[1], rows[0], rows[1], rows[1].view(np.int64),
        squares[2], tops, np.zeros((6, LANES)), np.zeros(LANES, np.int64),
    )  # fmt: skip


@kernel(internal=True)
def active_at(t: int, starts: np.ndarray, first: int, count: int) -> int:
    """Return how many of ``count`` sequences from ``first`` on have a token t: the first, as they are the longest."""
    there = starts[t + 1] - starts[t] - first if t + 1 < starts.size else 0
    return max(min(there, count), 0)


@kernel(internal=True)
def read_group(chain: Chain, emissions: np.ndarray, starts: np.ndarray, first: int, count: int, length: int) -> None:
    """Compute p of ``count`` sequences from ``first`` on, the longest of ``length`` tokens."""
    classes, high, low = emissions.shape[1], chain.lanes[HIGH], chain.lanes[LOW]
    high[:] = low[:] = 0.0
    for lane in range(count):
        high[lane] = low[lane] = emissions[starts[0] + first + lane, 0]
    top, bottom = load(high, 0), load(low, 0)
    least, zero, infinity = splat_as(top, -REACH), splat_as(top, 0.0), splat_as(top, np.inf)
    for t in range(length):
        p, active = chain.p[t], active_at(t, starts, first, count)
        for lane in range(active):
            row = emissions[starts[t] + first + lane]
            for k in range(classes):
                p[k * LANES + lane] = row[k]
        for lane in range(active, LANES):
            for k in range(classes):
                p[k * LANES + lane] = high[lane]
        for k in range(0, p.size, LANES):
            x = load(p, k)
            top, bottom = clamp(x, top, infinity), clamp(x, splat_as(x, -np.inf), bottom)
    store(high, 0, top)
    store(low, 0, bottom)
    for t in range(length):
        p = chain.p[t]
        for k in range(0, p.size, LANES):
            store(p, k, clamp(subtract(load(p, k), top), least, zero))
        exponentials(p, chain.ahead, chain.bits)


@kernel(internal=True)
def in_reach(chain: Chain, lane: int) -> bool:
    """Whether no two scores of a kind of the sequence differ too much."""
    near: bool = chain.lanes[HIGH, lane] - chain.lanes[LOW, lane] <= REACH
    return near and not np.isnan(chain.tops.sum())


@kernel(internal=True)
def _times(matrix: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Set out (W,) to matrix (C, C) · values (W,), for each lane."""
    size, zero = matrix.shape[0], splat_as(load(values, 0), 0.0)
    for j in range(0, size, 2):
        other, x, y = min(j + 1, size - 1), zero, zero
        for i in range(size):
            value = load(values, i * LANES)
            x = multiply_add(splat_as(zero, matrix[j, i]), value, x)
            y = multiply_add(splat_as(zero, matrix[other, i]), value, y)
        store(out, j * LANES, x)
        store(out, other * LANES, y)


@kernel(internal=True)
def _scale(values: np.ndarray, factors: Sixteen) -> None:
    for k in range(0, values.size, LANES):
        store(values, k, multiply(load(values, k), factors))


@kernel(internal=True)
def _keep_factors(chain: Chain, factors: Sixteen) -> None:
    """Multiply each lane's product by its factor, and keep the exponent apart, so that one logarithm at the end is that
    of all."""
    products = chain.lanes[FACTOR]
    store(products, 0, multiply(load(products, 0), factors))
    bits = products.view(np.int64)
    for lane in range(LANES):
        chain.exponents[lane] += (bits[lane] >> 52) - 1023
        bits[lane] = (bits[lane] & FRACTION) | ONE


@kernel(internal=True)
def forward(chain: Chain, starts: np.ndarray, first: int, count: int, length: int, log_z: np.ndarray) -> None:
    """Compute a, and the ``log_z`` (B,) of ``count`` sequences from ``first`` on, those that are in reach."""
    factors, ends, highs = chain.lanes[FACTOR], chain.lanes[END], chain.lanes[HIGH]
    one = splat_as(load(factors, 0), 1.0)
    store(factors, 0, one)
    chain.exponents[:] = 0
    for t in range(length):
        a, p = chain.a[t], chain.p[t]
        if t > 0:
            _times(chain.back_moves, chain.a[t - 1], a)
        total = splat_as(one, 0.0)
        for k in range(0, a.size, LANES):
            x = multiply(load(a, k) if t > 0 else splat_as(one, chain.start[k // LANES]), load(p, k))
            store(a, k, x)
            total = add(total, x)
        _scale(a, divide(one, total))
        _keep_factors(chain, total)
        for lane in range(active_at(t + 1, starts, first, count), active_at(t, starts, first, count)):
            ends[lane] = 0.0
            for k in range(chain.end.size):
                ends[lane] += a[k * LANES + lane] * chain.end[k]
            maxima = chain.tops[1] + chain.tops[2] + (t + 1) * highs[lane] + t * chain.tops[0]
            power = chain.exponents[lane]
            logarithm = math.log(factors[lane]) + math.log(ends[lane])
            log_z[first + lane] = maxima + power * LN2_HIGH + (logarithm + power * LN2_LOW)


@kernel(internal=True)
def backward(
    chain: Chain, starts: np.ndarray, first: int, count: int, length: int, weights: np.ndarray, marginals: np.ndarray
) -> None:
    """After ``forward``, set the rows of ``marginals`` (R, C) of ``count`` sequences from ``first`` on.

    The expected number of each transition of those in reach, divided by M, times ``weights`` (B,), is added to
    ``chain.counts``, unless there are no weights.
    """
    classes, b, ahead, own = chain.end.size, chain.b, chain.ahead, chain.lanes[WEIGHT]
    b[:], own[:] = 1.0, 0.0
    for t in range(length - 1, -1, -1):
        a, p, active = chain.a[t], chain.p[t], active_at(t, starts, first, count)
        for lane in range(active_at(t + 1, starts, first, count), active):
            for k in range(classes):
                b[k * LANES + lane] = chain.end[k] / chain.lanes[END, lane]
            if weights.size and in_reach(chain, lane):
                own[lane] = weights[first + lane]
        for k in range(0, b.size, LANES):
            store(ahead, k, multiply(load(a, k), load(b, k)))
        for lane in range(active):
            row = marginals[starts[t] + first + lane]
            for k in range(classes):
                row[k] = ahead[k * LANES + lane]
        if t == 0:
            break
        for k in range(0, b.size, LANES):
            store(ahead, k, multiply(load(p, k), load(b, k)))
        _times(chain.moves, ahead, b)
        a = chain.a[t - 1]
        total = splat_as(load(b, 0), 0.0)
        for k in range(0, b.size, LANES):
            total = multiply_add(load(a, k), load(b, k), total)
        share = divide(splat_as(total, 1.0), total)
        _scale(b, share)
        share = multiply(share, load(own, 0))
        for k in range(0, b.size, LANES):
            store(p, k, multiply(load(ahead, k), share))
    if weights.size:
        _count_transitions(chain, length)


@kernel(internal=True, fastmath={"contract", "reassoc"})
def _total(values: np.ndarray) -> float:
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


@kernel(internal=True)
def _count_transitions(chain: Chain, length: int) -> None:
    """Add the sums of a_(t-1)[i] q_t[j] over steps and lanes, with the q that ``backward`` left in p, to the counts."""
    classes, spare = chain.end.size, chain.lanes[SPARE]
    for near in range(1, length, STEPS):
        far = min(near + STEPS, length)
        for i in range(0, classes, 2):
            other = min(i + 1, classes - 1)
            for j in range(classes):
                x = y = splat_as(load(spare, 0), 0.0)
                for t in range(near, far):
                    q = load(chain.p[t], j * LANES)
                    x = multiply_add(load(chain.a[t - 1], i * LANES), q, x)
                    y = multiply_add(load(chain.a[t - 1], other * LANES), q, y)
                store(spare, 0, x)
                chain.counts[i, j] += _total(spare)
                if other > i:
                    store(spare, 0, y)
                    chain.counts[other, j] += _total(spare)
