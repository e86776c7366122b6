"""Max and mean pooling over time. Packed rows, see ``lstm.py``."""

import numpy as np

from wordvec.kernels.simd import kernel

MAX, MEAN = 0, 1


@kernel
def pool_forward(h: np.ndarray, starts: np.ndarray, mode: int, pooled: np.ndarray, where: np.ndarray) -> None:
    """Pool the packed states of one direction.

    Args:
        h: (R, H) states.
        starts: (T + 1,) int64, the first packed row of each step.
        mode: ``MAX`` or ``MEAN``.
        pooled: (B, H), output; zeros for an empty text.
        where: (B, H) int32, output for ``MAX``: the step of the largest state, the first of ties.
    """
    hidden = h.shape[1]
    steps = starts.size - 1
    for s in range(pooled.shape[0]):
        for k in range(hidden):
            pooled[s, k] = 0
            where[s, k] = 0
    for t in range(steps):
        first, count = starts[t], starts[t + 1] - starts[t]
        following = starts[t + 2] - starts[t + 1] if t + 1 < steps else 0
        if mode == MEAN or t == 0:
            for s in range(count):
                for k in range(hidden):
                    pooled[s, k] += h[first + s, k]
        else:
            for s in range(count):
                for k in range(hidden):
                    larger = h[first + s, k] > pooled[s, k]
                    pooled[s, k] = h[first + s, k] if larger else pooled[s, k]
                    where[s, k] = t if larger else where[s, k]
        if mode == MEAN:
            for s in range(following, count):
                for k in range(hidden):
                    pooled[s, k] /= t + 1


@kernel
def max_backward(d_pooled: np.ndarray, starts: np.ndarray, where: np.ndarray, d_h: np.ndarray) -> None:
    """Set d_h (R, H) to d_pooled (B, H) at the largest states, else 0. Backward of ``pool_forward``."""
    hidden = d_h.shape[1]
    for row in range(d_h.shape[0]):
        for k in range(hidden):
            d_h[row, k] = 0
    count = starts[1] - starts[0] if starts.size > 1 else 0
    for s in range(count):
        for k in range(hidden):
            d_h[starts[where[s, k]] + s, k] = d_pooled[s, k]
