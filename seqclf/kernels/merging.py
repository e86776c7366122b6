"""Merging the states of two directions, in the row order of the forward direction, and its backward pass.

``mirror[r]`` is the row of the other direction that reads the same token as row r; see ``PackedBatch``.
"""

import numpy as np

from wordvec.kernels.simd import WIDTH, kernel, load, multiply, splat_as, store

CONCATENATE, SUM, AVERAGE, MULTIPLY = 0, 1, 2, 3


@kernel
def place(h: np.ndarray, rows: np.ndarray, first: int, merged: np.ndarray) -> None:
    """Set merged[rows[r], first : first + H] = h[r]."""
    hidden, width = h.shape[1], merged.shape[1]
    source, target = h.reshape(h.size), merged.reshape(merged.size)
    for r in range(h.shape[0]):
        to = rows[r] * width + first
        for k in range(0, hidden, WIDTH):
            store(target, to + k, load(source, r * hidden + k))


@kernel
def merge_forward(
    h_forward: np.ndarray, h_reverse: np.ndarray, mirror: np.ndarray, mode: int, merged: np.ndarray
) -> None:
    """Set merged (R, H) to the ``SUM``, ``AVERAGE`` or product (``MULTIPLY``) of both directions' states (R, H)."""
    hidden = merged.shape[1]
    half = merged.dtype.type(0.5)
    for r in range(merged.shape[0]):
        a, b, target = h_forward[r], h_reverse[mirror[r]], merged[r]
        if mode == MULTIPLY:
            for k in range(hidden):
                target[k] = a[k] * b[k]
        elif mode == AVERAGE:
            for k in range(hidden):
                target[k] = half * (a[k] + b[k])
        else:
            for k in range(hidden):
                target[k] = a[k] + b[k]


@kernel
def merge_backward(
    d_merged: np.ndarray, rows: np.ndarray, first: int, other: np.ndarray, mirror: np.ndarray, mode: int,
    d_h: np.ndarray,
) -> None:  # fmt: skip
    """Set d_h (R, H) to the gradient of one direction from d_merged.

    Args:
        d_merged: (R, F), in the order of the forward direction; or (B, F), one row for all states of a sequence.
        rows: (R,), the row of d_merged for each row of this direction.
        first: the first column of this direction for ``CONCATENATE``, else 0.
        other: (R, H), the other direction's states in its own order; used for ``MULTIPLY``.
        mirror: (R,), the row of ``other`` for each row.
        mode: the merge mode.
    """
    hidden, width = d_h.shape[1], d_merged.shape[1]
    source, target, factors = d_merged.reshape(d_merged.size), d_h.reshape(d_h.size), other.reshape(other.size)
    for r in range(d_h.shape[0]):
        begin, to = rows[r] * width + first, r * hidden
        for k in range(0, hidden, WIDTH):
            value = load(source, begin + k)
            if mode == AVERAGE:
                value = multiply(value, splat_as(value, 0.5))
            elif mode == MULTIPLY:
                value = multiply(value, load(factors, mirror[r] * hidden + k))
            store(target, to + k, value)
