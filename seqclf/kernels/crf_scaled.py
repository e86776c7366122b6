"""Linear-chain conditional random field by scaled probabilities: an exponential for each score, a logarithm for each
token; see ``crf.py``.

Source: Rabiner 1989, section V.A. Every a_t is divided by its sum c_t, every b_t by a_t · b_t::

    M = exp(T - max T)        p_t = exp(e_t - max e)
    a_0     = exp(start - max start) p_0        a_t     = p_t (a_(t-1) M)
    b_(L-1) = exp(end - max end)                b_(t-1) = M (p_t b_t)
    log Z   = sum of all log c_t, of log (a_(L-1) · exp(end - max end)), and of the maxima
    p(y_t = j)                = a_t[j] b_t[j]
    p(y_(t-1) = i, y_t = j)   = a_(t-1)[i] M[i, j] p_t[j] b_t[j]
"""

import math
from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import Sixteen, add, kernel, load, multiply, multiply_add, splat_as, store

UNITS = 16
REACH = 300.0
"""The largest difference of two scores of a kind. No probability then is below exp(-600), which float64 represents."""
LOG2_E, LN2_HIGH, LN2_LOW = 1.44269504088896340736, 6.93147180369123816490e-01, 1.90821492927058770002e-10
WHOLE = 1.5 * 2.0**52
"""A float64 of this size has no fraction, and the low bits of an integer added to it are its own."""
ONE = 1023 << 52
"""The bits of 1.0."""


class Chain(NamedTuple):
    """What the passes over the sequences of one call share; C labels, W = C rounded up to a multiple of 16.

    All arrays are float64; padding is zero.
    """

    moves: np.ndarray  # (C, W)
    back_moves: np.ndarray  # (C, W), transposed
    start: np.ndarray  # (W,), exp(start - max start)
    end: np.ndarray  # (W,)
    p: np.ndarray  # (L, W)
    a: np.ndarray  # (L, W)
    marginals: np.ndarray  # (L, W)
    rows: np.ndarray  # (2, W) scratch
    bits: np.ndarray  # (W,) int64, the memory of the first of these rows
    counts: np.ndarray  # (C, W), accumulated: the expected number of each transition, divided by M
    tops: np.ndarray  # (4,): the maxima of transitions, start, end and a sequence's emissions; NaN: out of reach


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
def _exponentials(scores: np.ndarray, found: np.ndarray, powers: np.ndarray, bits: np.ndarray) -> float:
    """Set found (W,) to exp(scores - max scores) of scores (C,), zero in the padding; return max scores, NaN if out of
    reach."""
    top, low = scores[0], scores[0]
    for k in range(1, scores.size):
        top, low = max(top, scores[k]), min(low, scores[k])
    for k in range(found.size):
        found[k] = scores[k] - top if k < scores.size else 0.0
    exponentials(found, powers, bits)
    for k in range(scores.size, found.size):
        found[k] = 0.0
    return top if top - low <= REACH else np.nan


@kernel(allocates=True)
def prepare(transitions: np.ndarray, start: np.ndarray, end: np.ndarray, longest: int) -> Chain:
    """Return the chain for sequences of at most ``longest`` tokens."""
    classes = start.size
    width, longest = (classes + UNITS - 1) // UNITS * UNITS, max(longest, 1)
    squares, tables = np.zeros((3, classes, width)), np.empty((3, longest, width))
    rows, tops, found = np.zeros((4, width)), np.empty(4), np.empty(classes * classes)
    powers = np.empty(found.size)
    tops[0] = _exponentials(transitions.reshape(transitions.size), found, powers, powers.view(np.int64))
    bits = rows[2].view(np.int64)
    tops[1], tops[2] = _exponentials(start, rows[0], rows[2], bits), _exponentials(end, rows[1], rows[2], bits)
    tops[3] = 0.0
    for i in range(classes):
        for j in range(classes):
            squares[0, i, j] = squares[1, j, i] = found[i * classes + j]
    return Chain(
        squares[0], squares[1], rows[0], rows[1], tables[0], tables[1], tables[2], rows[2:], bits, squares[2], tops
    )  # fmt: skip


@kernel(internal=True)
def in_reach(chain: Chain, emissions: np.ndarray, starts: np.ndarray, s: int, length: int) -> bool:
    """Compute p of sequence s; return False if scores differ too much."""
    classes, p, high, low = emissions.shape[1], chain.p, chain.rows[0], chain.rows[1]
    high[:] = low[:] = emissions[starts[0] + s, 0]
    for t in range(length):
        row, found = emissions[starts[t] + s], p[t]
        for k in range(found.size):
            found[k] = row[k] if k < classes else row[0]
        for k in range(found.size):
            high[k], low[k] = max(high[k], found[k]), min(low[k], found[k])
    top, bottom = high[0], low[0]
    for k in range(1, classes):
        top, bottom = max(top, high[k]), min(bottom, low[k])
    chain.tops[3] = top
    if not (top - bottom <= REACH) or np.isnan(chain.tops.sum()):
        return False
    for t in range(length):
        for k in range(high.size):
            p[t, k] -= top
        exponentials(p[t], chain.rows[0], chain.bits)
    return True


@kernel(internal=True)
def _times(values: np.ndarray, matrix: np.ndarray, column: int) -> Sixteen:
    """Return sixteen columns, from ``column`` on, of values (W,) · matrix (C, W)."""
    size, x = matrix.shape[0], splat_as(load(values, 0), 0.0)
    y = x
    for k in range(0, size - 1, 2):
        x = multiply_add(splat_as(x, values[k]), load(matrix[k], column), x)
        y = multiply_add(splat_as(y, values[k + 1]), load(matrix[k + 1], column), y)
    if size % 2 == 1:
        x = multiply_add(splat_as(x, values[size - 1]), load(matrix[size - 1], column), x)
    return add(x, y)


@kernel(internal=True, fastmath={"contract", "reassoc"})
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@kernel(internal=True, fastmath={"contract", "reassoc"})
def _total(values: np.ndarray) -> float:
    total = 0.0
    for k in range(values.size):
        total += values[k]
    return total


@kernel(internal=True)
def _scale(values: np.ndarray, factor: float) -> None:
    for k in range(values.size):
        values[k] *= factor


@kernel(internal=True)
def scaled_pass(chain: Chain, length: int, weight: float, differentiate: bool) -> float:
    """Return log Z of the sequence that ``in_reach`` read, and set the first L rows of ``chain.marginals``.

    To ``differentiate``, ``weight`` times the expected number of each transition, divided by M, is added to
    ``chain.counts``.
    """
    p, a, width = chain.p, chain.a, chain.start.size
    log_z: float = chain.tops[1] + chain.tops[2] + length * chain.tops[3] + (length - 1) * chain.tops[0]
    for t in range(length):
        for k in range(0, width, UNITS):
            x = load(chain.start, k) if t == 0 else _times(a[t - 1], chain.moves, k)
            store(a[t], k, multiply(x, load(p[t], k)))
        total = _total(a[t])
        _scale(a[t], 1 / total)
        log_z += math.log(total)
    b, ahead = chain.rows[0], chain.rows[1]
    total = _dot(a[length - 1], chain.end)
    for k in range(width):
        b[k] = chain.end[k] / total
    log_z += math.log(total)
    for t in range(length - 1, -1, -1):
        for k in range(width):
            chain.marginals[t, k] = a[t, k] * b[k]
        if t == 0:
            break
        for k in range(width):
            ahead[k] = p[t, k] * b[k]
        for k in range(0, width, UNITS):
            store(b, k, _times(ahead, chain.back_moves, k))
        share = 1 / _dot(a[t - 1], b)
        for k in range(width):
            b[k] *= share
            p[t, k] = weight * share * ahead[k]
    if differentiate:
        for i in range(0, chain.counts.shape[0], 2):
            j = min(i + 1, chain.counts.shape[0] - 1)
            for k in range(0, width, UNITS):
                x, y = load(chain.counts[i], k), load(chain.counts[j], k)
                for t in range(1, length):
                    q = load(p[t], k)
                    x = multiply_add(splat_as(x, a[t - 1, i]), q, x)
                    y = multiply_add(splat_as(y, a[t - 1, j]), q, y)
                store(chain.counts[i], k, x)
                store(chain.counts[j], k, y)
    return log_z
