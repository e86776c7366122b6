"""Cache-line-aligned arrays with SIMD-friendly row strides."""

import numpy as np
from numpy.typing import DTypeLike


def row_stride(vector_size: int) -> int:
    """Return the row stride in floats: ``vector_size`` rounded up to a multiple of 16 (one cache line)."""
    return -(-vector_size // 16) * 16


def aligned(size: int, dtype: DTypeLike) -> np.ndarray:
    """Return (size,) zeros that start on a cache line, with one more behind, so that kernels may read a line from any
    place.

    Example:
        >>> values = aligned(3, np.float32)
        >>> values.tolist(), values.ctypes.data % 64
        ([0.0, 0.0, 0.0], 0)
    """
    itemsize = np.dtype(dtype).itemsize
    memory: np.ndarray = np.zeros(size + 2 * 64 // itemsize, dtype)
    start = -memory.ctypes.data % 64 // itemsize
    return memory[start : start + size]
