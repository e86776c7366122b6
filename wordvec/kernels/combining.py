"""Adaptive summation of the changes that shards make to the same rows (Maleki et al. 2020, arXiv 2006.02924)."""

import numpy as np

from wordvec.kernels.simd import kernel

SMALLEST = np.float32(1e-30)
"""Squared length below which a change counts as zero, so that no quotient overflows."""


@kernel(fastmath={"reassoc", "contract"})
def add_adaptively(changes: np.ndarray, before: np.ndarray, after: np.ndarray, largest: float) -> int:
    """Combine the changes of all shards row by row, as a pairwise tree in shard order, and add them to the rows.

    Two changes a and b give (1 - a.b / 2 |a|^2) a + (1 - a.b / 2 |b|^2) b: their sum if they are orthogonal, their mean
    if they are equal.

    Args:
        changes: (S, R, D) float32, one per shard; overwritten.
        before: (R, D) float32.
        after: (R, D) float32, receives the rows with the combined change.
        largest: size of a number that only diverging training reaches.

    Returns:
        How many numbers of ``after`` are larger, or NaN.
    """
    shards, rows, size = changes.shape
    diverged = 0
    for row in range(rows):
        step = 1
        while step < shards:
            for s in range(0, shards - step, 2 * step):
                a, b = changes[s, row], changes[s + step, row]
                both = a_square = b_square = np.float32(0)
                for d in range(size):
                    both += a[d] * b[d]
                    a_square += a[d] * a[d]
                    b_square += b[d] * b[d]
                a_share = b_share = np.float32(1)
                if a_square > SMALLEST and b_square > SMALLEST:
                    a_share -= np.float32(0.5) * both / a_square
                    b_share -= np.float32(0.5) * both / b_square
                for d in range(size):
                    a[d] = a_share * a[d] + b_share * b[d]
            step *= 2
        for d in range(size):
            value = before[row, d] + changes[0, row, d]
            after[row, d] = value
            diverged += not abs(value) <= largest
    return diverged
