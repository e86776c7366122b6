"""Checks of offsets, ids and CSR matrices from files and callers, before a kernel indexes with them.

Numbers are compared, never subtracted, since the difference of two extreme integers wraps around. Arrays are read in
pieces, so that a memory-mapped one is not loaded.
"""

from typing import Any

import numpy as np

from wordvec.errors import InputError

_PIECE = 1 << 20
"""Items checked at a time."""


def check_offsets(name: str, offsets: Any, end: int, *, strictly: bool = False) -> None:
    """Check that ``offsets`` (n + 1,) increase from 0 to ``end``; equal neighbors are allowed unless ``strictly``.

    Raises:
        InputError: they do not, or are not a one-dimensional array of integers.

    Example:
        >>> check_offsets("offsets", np.array([0, 3, 2, 4]), 4)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: offsets must increase from 0 to 4, got 2 after 3 at position 2
    """
    _check_integers(name, offsets)
    rule = f"{name} must {'strictly ' if strictly else ''}increase from 0 to {end:,}"
    if not len(offsets):
        raise InputError(f"{rule}, got an empty array")
    if offsets[0] != 0:
        raise InputError(f"{rule}, got {int(offsets[0]):,} at position 0")
    for first in range(0, len(offsets) - 1, _PIECE):
        left, right = offsets[first : first + _PIECE], offsets[first + 1 : first + 1 + _PIECE]
        falls = right <= left[: len(right)] if strictly else right < left[: len(right)]
        if falls.any():
            place = first + int(falls.argmax()) + 1
            raise InputError(
                f"{rule}, got {int(offsets[place]):,} after {int(offsets[place - 1]):,} at position {place:,}"
            )
    if offsets[-1] != end:
        raise InputError(f"{rule}, got {int(offsets[-1]):,} at the end")


def check_ids(name: str, ids: Any, size: int) -> None:
    """Check that ``ids`` (n,) are integers from 0 to ``size`` - 1.

    Raises:
        InputError: they are not, or are not a one-dimensional array of integers.

    Example:
        >>> check_ids("ids", np.array([0, 7, 1]), 5)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: ids must be in 0..4, got 7 at position 1
    """
    _check_integers(name, ids)
    for first in range(0, len(ids), _PIECE):
        piece = ids[first : first + _PIECE]
        if piece.min() < 0 or piece.max() >= size:
            place = int(((piece < 0) | (piece >= size)).argmax())
            allowed = f"in 0..{size - 1:,}" if size else "absent, since there is nothing to index"
            raise InputError(f"{name} must be {allowed}, got {int(piece[place]):,} at position {first + place:,}")


def check_csr(name: str, matrix: Any, *, rows: int | None = None, columns: int | None = None) -> None:
    """Check that ``matrix`` is a two-dimensional SciPy CSR matrix whose arrays agree, which SciPy does not ensure.

    Args:
        name: of the argument.
        matrix: the matrix.
        rows, columns: the shape it must have; None allows any.

    Raises:
        InputError: another format or shape, values that are not real numbers, or arrays that do not agree.

    Example:
        >>> from scipy.sparse import csc_array
        >>> check_csr("counts", csc_array((2, 3)))
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: counts must be sparse, in CSR format, got csc_array; call tocsr()
    """
    if getattr(matrix, "format", "") != "csr":
        remedy = "call tocsr()" if hasattr(matrix, "tocsr") else "convert it with scipy.sparse.csr_array"
        raise InputError(f"{name} must be sparse, in CSR format, got {type(matrix).__name__}; {remedy}")
    if matrix.ndim != 2:
        raise InputError(f"{name} must be two-dimensional, got shape {matrix.shape}")
    for axis, wanted, found in (("rows", rows, matrix.shape[0]), ("columns", columns, matrix.shape[1])):
        if wanted is not None and found != wanted:
            raise InputError(f"{name} must have {wanted:,} {axis}, got shape {matrix.shape}")
    data, indices, indptr = matrix.data, matrix.indices, matrix.indptr
    if not isinstance(data, np.ndarray) or data.ndim != 1 or data.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold real numbers, got {getattr(data, 'dtype', type(data).__name__)}")
    _check_integers(f"{name}.indices", indices)
    _check_integers(f"{name}.indptr", indptr)
    if len(indptr) != matrix.shape[0] + 1:
        raise InputError(
            f"{name}.indptr must have {matrix.shape[0] + 1:,} offsets, one per row and 0, got {len(indptr):,}"
        )
    if len(indices) != len(data):
        raise InputError(f"{name} must have a column index per value: {len(data):,} values, {len(indices):,} indices")
    check_offsets(f"{name}.indptr", indptr, len(data))
    check_ids(f"{name}.indices", indices, matrix.shape[1])


def checked_weights(weights: Any, columns: int, name: str = "idf") -> np.ndarray:
    """Return ``weights`` as (V,) float64 after checking that there is one finite number per column.

    Raises:
        InputError: another number of them, or a value that is not a finite real number.
    """
    array = np.asarray(weights)
    if array.shape != (columns,):
        raise InputError(f"{name} must have one weight per column, ({columns},), got shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must hold real numbers, got {array.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        place = int(finite.argmin())
        raise InputError(f"{name} must be finite, got {array[place]} at position {place:,}")
    return np.ascontiguousarray(array, np.float64)


def _check_integers(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{name} must be a one-dimensional array of integers, got {found}")
