"""Merging of the rows that always change alike, to train fewer rows.

N-grams with the same words, and the own row of a word with the n-grams of no other word, receive the same changes, and
all words see only their sum. So training needs only their mean: it moves as each of them does. Of 97,500 rows of words
and n-grams of 1 M tokens of Wikipedia, 35,900 remain; of 364,300 of 17 M tokens, 173,400.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from wordvec.kernels.subwords import Subwords

_MERGED = 4096
"""Rows whose parts are copied at a time."""


class MergedRows(NamedTuple):
    """Rows that are trained in place of others, their parts: those of words, if they have any, then of n-grams."""

    rows: np.ndarray
    """(M,) int64, their numbers in the table of training."""
    bounds: np.ndarray
    """(M + 1,) int64; the parts of row m are ``parts[bounds[m] : bounds[m + 1]]``."""
    parts: np.ndarray
    """(P,) int64."""

    def average(self, parts: np.ndarray, table: np.ndarray) -> None:
        """Set the rows in ``table`` (R, D) to the means of ``parts`` (P, D)."""
        for rows, means, _, _ in self._means(parts):
            table[rows] = means

    def move(self, parts: np.ndarray, table: np.ndarray) -> None:
        """Add to ``parts`` (P, D), from before training, what their rows in ``table`` (R, D) have changed since."""
        for rows, means, counts, own in self._means(parts):
            parts[own] += np.repeat(table[rows] - means, counts, axis=0)

    def _means(self, parts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield some rows, the means of their parts, how many they have, and which."""
        for start in range(0, len(self.rows), _MERGED):
            bounds = self.bounds[start : start + _MERGED + 1]
            own, counts = self.parts[bounds[0] : bounds[-1]], np.diff(bounds)
            sums = np.add.reduceat(parts[own], bounds[:-1] - bounds[0])
            yield self.rows[start : start + _MERGED], sums / counts[:, None].astype(np.float32), counts, own


def merge_rows(subwords: "Subwords", types: int) -> tuple["Subwords", MergedRows]:
    """Merge the rows that have the same words, each equally often; the first of them gives its place.

    Args:
        subwords: one part in each row.
        types: V; rows of n-grams are numbered from 2 V on.

    Returns:
        The merged rows, those of n-grams numbered from 2 V on again.
    """
    words = np.repeat(np.arange(types), np.diff(subwords.offsets))
    # Rows with the same words have the same sum of random numbers, modulo 2**64. Two of a million rows with other words
    # do so with a probability of 3e-8, and would be merged, like n-grams that share a bucket.
    numbers = np.random.Generator(np.random.PCG64(0)).integers(0, 1 << 64, types, np.uint64)
    sums = np.zeros(int(subwords.rows.max()) + 1, np.uint64)
    np.add.at(sums, subwords.rows, numbers[words])
    used = np.unique(subwords.rows)
    _, first, merged = np.unique(sums[used], return_index=True, return_inverse=True)
    order = np.argsort(first)
    merged = np.argsort(order)[merged]  # in the order of their first parts
    counts = np.bincount(merged)
    own = np.count_nonzero(used < types)
    rows = np.arange(len(counts))
    rows[own:] += 2 * types - own
    new = np.full(len(sums), -1)  # of the first parts
    new[used[first[order]]] = np.arange(len(counts))
    entries = new[subwords.rows]
    kept = entries >= 0
    entries = entries[kept]
    composed = subwords._replace(
        offsets=np.append(0, np.cumsum(kept))[subwords.offsets],
        rows=rows[entries].astype(np.int32),
        parts=counts[entries].astype(np.float32),
        rates=subwords.rates[kept],
    )
    return composed, MergedRows(rows, np.append(0, np.cumsum(counts)), np.argsort(merged, kind="stable"))
