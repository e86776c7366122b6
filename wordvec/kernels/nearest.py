"""Candidates for the nearest rows of a direction, from rows rounded to eight bits: a quarter of the memory to read.

A unit row u is kept as s q, with whole numbers q from -127 to 127 and a scale s, and with the length e of the error
u - s q. For a direction d of length 1::

    | u . d  -  s q . d |  <=  | u - s q | | d |  =  e

A row whose upper bound s q . d + e is below the n-th largest lower bound s q . d - e is not among the n nearest; few
remain, whose exact scores decide. The rows that remain depend on the order of the sums, the answer does not.
"""

import numpy as np

from wordvec.kernels.simd import kernel

FAST = {"contract", "reassoc"}


@kernel(fastmath=FAST)
def round_rows(units: np.ndarray, whole: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> None:
    """Round rows to eight bits.

    Args:
        units: (R, D) float32.
        whole: (R, D) int8, output. scales, errors: (R,) float32, output: s, and e or a little more.
    """
    width = units.shape[1]
    for r in range(units.shape[0]):
        row, rounded = units[r], whole[r]
        top = np.float32(0)
        for k in range(width):
            top = max(top, abs(row[k]))
        scale = top / np.float32(127)
        inverse = np.float32(1) / scale if scale > 0 else np.float32(0)
        total = 0.0
        for k in range(width):
            rounded[k] = np.int8(np.rint(row[k] * inverse))
            error = np.float64(row[k]) - np.float64(scale) * np.float64(rounded[k])
            total += error * error
        scales[r], errors[r] = scale, np.float32(np.sqrt(total) * 1.0001)


@kernel(fastmath=FAST)
def candidates(
    whole: np.ndarray, scales: np.ndarray, errors: np.ndarray, direction: np.ndarray, slack: float,
    excluded: np.ndarray, lowest: np.ndarray, highest: np.ndarray, found: np.ndarray,
) -> int:  # fmt: skip
    """Find the rows that can be among the n nearest to a direction.

    Args:
        whole, scales, errors: see ``round_rows``.
        direction: (D,) float32. slack: a bound on the rounding errors of the sums.
        excluded: rows to leave out.
        lowest: (n,) float32, scratch. highest: (C,) float32, scratch.
        found: (C,) int64, output: rows, ascending.

    Returns:
        Their number; -1 if C is too small.
    """
    count, last = 0, lowest.size - 1
    for k in range(lowest.size):
        lowest[k] = -np.inf
    for r in range(whole.shape[0]):
        row = whole[r]
        score = np.float32(0)
        for k in range(direction.size):
            score += np.float32(row[k]) * direction[k]
        score *= scales[r]
        error = errors[r] + np.float32(slack)
        if score + error < lowest[last]:
            continue
        is_excluded = False
        for other in excluded:
            is_excluded = is_excluded or other == r
        if is_excluded:
            continue
        if score - error > lowest[last]:
            at = last
            while at > 0 and lowest[at - 1] < score - error:
                lowest[at] = lowest[at - 1]
                at -= 1
            lowest[at] = score - error
        if count == found.size:
            count = _still_possible(highest, found, count, lowest[last])
            if count == found.size:
                return -1
        highest[count], found[count] = score + error, r
        count += 1
    return _still_possible(highest, found, count, lowest[last])


@kernel
def _still_possible(highest: np.ndarray, found: np.ndarray, count: int, least: float) -> int:
    """Drop the rows whose upper bound is below ``least``; return how many are left."""
    kept = 0
    for j in range(count):
        if highest[j] >= least:
            highest[kept], found[kept] = highest[j], found[j]
            kept += 1
    return kept
