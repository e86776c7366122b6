"""Arrays as the kernels like them: they begin on a cache line, and their rows are whole vectors of the processor."""

import numpy as np
from numpy.typing import DTypeLike


def row_stride(vector_size: int) -> int:
    """Floats from row to row: whole vectors of the kernels."""
    return -(-vector_size // 16) * 16


def aligned(size: int, dtype: DTypeLike) -> np.ndarray:
    """(size,) zeros that start on a cache line, as the kernels like them.

    Example:
        >>> values = aligned(3, np.float32)
        >>> values.tolist(), values.ctypes.data % 64
        ([0.0, 0.0, 0.0], 0)
    """
    itemsize = np.dtype(dtype).itemsize
    memory: np.ndarray = np.zeros(size + 64 // itemsize, dtype)
    start = -memory.ctypes.data % 64 // itemsize
    return memory[start : start + size]
