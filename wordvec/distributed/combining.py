"""Combination of the shards' changes of a range of rows by adaptive summation (AdaSum, arXiv 2006.02924)."""

from collections.abc import Sequence

import numpy as np

from wordvec.errors import TrainingError
from wordvec.word2vec.epoch import LARGEST

GROUP = 8
"""Shards whose changes one call combines, a power of two, so that groups of groups are the same tree."""

_ROWS = 256
"""Rows combined at a time, so that the changes of four shards fit in a processor's cache."""


def combine(before: np.ndarray | None, changes: Sequence[np.ndarray]) -> np.ndarray:
    """Return rows with the combined change of all shards; without rows, the combined change.

    A pairwise tree in shard order: two changes a and b give (1 - a.b / 2 |a|^2) a + (1 - a.b / 2 |b|^2) b, row by row.
    More shards than ``GROUP`` can be combined in groups of ``GROUP``, whose results are combined in turn; the result
    has the same bits.

    Args:
        before: (R, D) float32, or None.
        changes: S arrays (R, D) float32.

    Returns:
        (R, D) float32.

    Raises:
        TrainingError: a number of the result is NaN, infinite, or larger than learning vectors hold.

    Example:
        >>> row = np.ones((1, 2), np.float32)
        >>> combine(row, [2 * row, 2 * row]), combine(None, [np.float32([[3, 0]]), np.float32([[0, 4]])])
        (array([[3., 3.]], dtype=float32), array([[3., 4.]], dtype=float32))
    """
    from wordvec.kernels.combining import add_adaptively

    rows, size = changes[0].shape
    after = np.empty((rows, size), np.float32)
    scratch: np.ndarray = np.empty(len(changes) * min(_ROWS, rows) * size, np.float32)
    nothing = np.zeros((min(_ROWS, rows), size), np.float32)
    diverged = 0
    for first in range(0, rows, _ROWS):
        part = slice(first, min(first + _ROWS, rows))
        count = part.stop - first
        block = scratch[: len(changes) * count * size].reshape(len(changes), count, size)
        for shard, change in enumerate(changes):
            block[shard] = change[part]
        rows_before = nothing[:count] if before is None else before[part]
        diverged += add_adaptively(block, rows_before, after[part], LARGEST)
    if diverged:
        raise TrainingError(
            f"training diverged: {diverged:,} numbers of the combined vectors are above {LARGEST:g} or not finite; "
            "lower learning_rate or round_tokens and start again"
        )
    return after
