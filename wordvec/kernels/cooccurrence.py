"""Co-occurrence counting, one matrix row at a time, in exact integer arithmetic.

All token positions are sorted by token. A row is then built from the windows around the positions of its token, adding
to one accumulator per column in memory that stays in cache. Sums are integers (in a unit small enough for every
weight), so they do not depend on the order of addition: different assignments of rows to threads, and merged runs over
parts of the corpus, give identical counts.

A place is one int64: the corpus position, and the numbers of contexts to its left and right.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import Int, kernel, prefetch
from wordvec.kernels.slices import KEEP, draw
from wordvec.kernels.tokenize import trailing_zeros

REACH_BITS = 15
"""Bits of a place for the window on either side; the remaining bits hold the position."""

_LEFT = np.int64(REACH_BITS)
_POSITION = np.int64(2 * REACH_BITS)
_REACH = np.int64((1 << REACH_BITS) - 1)
_AHEAD = 8

SIX, TWELVE, LOW_SIX, ONE = np.int64(6), np.int64(12), np.uint64(63), np.uint64(1)


class Row(NamedTuple):
    """A thread's row accumulator; all zeros between rows."""

    sums: np.ndarray  # (columns,) int64
    touched: np.ndarray  # (columns + 1,) int32, the nonzero columns, in order of first occurrence
    bits: np.ndarray  # (columns / 64,) uint64, bitmap of the same columns
    words: np.ndarray  # (columns / 4096,) uint64, bitmap of the nonzero ``bits``


# -- preparation ------------------------------------------------------------------------------------------------------


@kernel
def keep_tokens(
    ids: np.ndarray, first: int, last: int, thresholds: np.ndarray, key: np.uint64, dropped: int, kept: np.ndarray,
    before: np.ndarray,
) -> None:  # fmt: skip
    """Subsample ``ids[first:last]`` into ``kept``.

    Args:
        thresholds: (V,) uint64; a token is kept if 32 random bits are below its threshold.
        dropped: id written in place of a dropped token; negative: dropped tokens are removed.
        before: (last - first + 1,) int64, output: tokens written before each token, then the total.
    """
    keep_key = draw(key, KEEP)
    filled: Int = 0
    for p in range(first, last):
        token_id = ids[p]
        keep = (draw(keep_key, p) >> np.uint64(32)) < thresholds[token_id]
        before[p - first] = filled
        kept[filled] = token_id if keep else dropped
        filled += np.int64(keep or dropped >= 0)
    before[last - first] = filled


@kernel
def count_places(ids: np.ndarray, first: int, last: int, counts: np.ndarray) -> None:
    """Add the frequency of each id in ``ids[first:last]`` to ``counts``."""
    for p in range(first, last):
        counts[ids[p]] += 1


@kernel
def sort_places(
    ids: np.ndarray, offsets: np.ndarray, first: int, last: int, left: int, right: int, ends: np.ndarray,
    places: np.ndarray,
) -> None:  # fmt: skip
    """Write the places of corpus positions ``first .. last``, sorted by id, then by position.

    Args:
        left, right: window size on either side, truncated at sentence boundaries.
        ends: (columns,) int64, write offset of each id; updated in place.
    """
    sentence = np.searchsorted(offsets, first, side="right") - 1
    p = first
    while p < last:
        start, end = offsets[sentence], offsets[sentence + 1]
        for position in range(p, min(end, last)):
            token_id = ids[position]
            reach = (min(position - start, left) << _LEFT) | min(end - 1 - position, right)
            places[ends[token_id]] = (position << _POSITION) | reach
            ends[token_id] += 1
        p = max(p, min(end, last))
        sentence += 1


# -- rows -------------------------------------------------------------------------------------------------------------


@kernel
def count_rows(
    ids: np.ndarray, places: np.ndarray, starts: np.ndarray, weights: np.ndarray, first_row: int, last_row: int,
    row: Row, ends: np.ndarray, columns: np.ndarray, sums: np.ndarray,
) -> Int:  # fmt: skip
    """Count the rows ``first_row .. last_row``; the places of row r are ``places[starts[r]:starts[r + 1]]``.

    Args:
        weights: (window + 1,) int64, context weight by distance.
        ends: (rows,) int64, output: end of each row in ``columns`` and ``sums``, which must have room for one entry
            more than the rows can hold.
    """
    filled: Int = 0
    for r in range(first_row, last_row):
        found: Int = 0
        for i in range(starts[r], starts[r + 1]):
            place = places[i]
            position = place >> _POSITION
            left, right = (place >> _LEFT) & _REACH, place & _REACH
            ahead = places[min(i + _AHEAD, places.size - 1)] >> _POSITION
            prefetch(ids, max(ahead - left, 0))
            prefetch(ids, ahead)
            prefetch(ids, min(ahead + right, ids.size - 1))
            for distance in range(left, 0, -1):
                column = ids[position - distance]
                before = row.sums[column]
                row.touched[found] = column
                found += np.int64(before == 0)
                row.sums[column] = before + weights[distance]
            for distance in range(1, right + 1):
                column = ids[position + distance]
                before = row.sums[column]
                row.touched[found] = column
                found += np.int64(before == 0)
                row.sums[column] = before + weights[distance]
        filled = emit(row, found, filled, columns, sums)
        ends[r - first_row] = filled
    return filled


@kernel
def merge_rows(
    run_ends: np.ndarray, run_columns: np.ndarray, run_sums: np.ndarray, first_row: int, last_row: int, row: Row,
    ends: np.ndarray, columns: np.ndarray, sums: np.ndarray,
) -> Int:  # fmt: skip
    """Compute the rows ``first_row .. last_row`` as the sum of those of several runs.

    Args:
        run_ends: (runs * rows,) int64, end of each row of each run in ``run_columns`` and ``run_sums``.
        ends, columns, sums: as in ``count_rows``.
    """
    filled: Int = 0
    rows = row.sums.size - 1
    for r in range(first_row, last_row):
        found: Int = 0
        for line in range(r, run_ends.size, rows):
            for i in range(run_ends[line - 1] if line > 0 else 0, run_ends[line]):
                column = run_columns[i]
                before = row.sums[column]
                row.touched[found] = column
                found += np.int64(before == 0)
                row.sums[column] = before + run_sums[i]
        filled = emit(row, found, filled, columns, sums)
        ends[r - first_row] = filled
    return filled


@kernel(inline=True)
def emit(row: Row, found: Int, filled: Int, columns: np.ndarray, sums: np.ndarray) -> Int:
    """Write the row's columns in ascending order and their sums from index ``filled`` on, and clear the row.

    The last column represents dropped tokens and is not written.
    """
    for k in range(found):
        column = np.int64(row.touched[k])
        row.bits[column >> SIX] |= ONE << (np.uint64(column) & LOW_SIX)
        row.words[column >> TWELVE] |= ONE << (np.uint64(column >> SIX) & LOW_SIX)
    for w in range(row.words.size):
        words = row.words[w]
        row.words[w] = np.uint64(0)
        while words != np.uint64(0):
            place = (w << SIX) + np.int64(trailing_zeros(words))
            words &= words - ONE
            bits = row.bits[place]
            row.bits[place] = np.uint64(0)
            while bits != np.uint64(0):
                column = (place << SIX) + np.int64(trailing_zeros(bits))
                bits &= bits - ONE
                columns[filled] = column
                sums[filled] = row.sums[column]
                row.sums[column] = 0
                filled += np.int64(column != row.sums.size - 1)
    return filled
