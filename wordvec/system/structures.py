"""Checks of arrays, offsets, ids and CSR matrices from files and callers, before a kernel computes with them.

Numbers are compared, never subtracted, since the difference of two extreme integers wraps around. Arrays are read in
pieces, so that a memory-mapped one is not loaded.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from wordvec.errors import InputError
from wordvec.system.validation import shown

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PIECE = 1 << 20
"""Items checked at a time."""


def real_array(name: str, values: Any, dtype: DTypeLike = np.float64) -> np.ndarray:
    """Return ``values``, an array or nested lists of real numbers, as a C-contiguous array, without copying one.

    Raises:
        InputError: complex numbers, dates, words or other objects, lists of different lengths, or masked values.

    Example:
        >>> real_array("weights", [1, 1j])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: weights must hold real numbers, got complex128
    """
    if type(values) is not np.ndarray and np.ma.is_masked(values):  # the import of numpy.ma takes 10 ms
        raise InputError(f"{name} must not have masked values; fill them, or leave them out")
    found: Any = values
    try:
        found = np.asarray(values)
        if found.dtype.kind in "biufO":
            with np.errstate(over="ignore"):
                return np.ascontiguousarray(found, dtype).reshape(found.shape)
        kind = str(found.dtype)
    except (TypeError, ValueError, OverflowError):
        kind = shown(found.tolist() if isinstance(found, np.ndarray) else found)
    raise InputError(f"{name} must hold real numbers, got {kind}") from None


def finite_array(name: str, values: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return ``values`` as a float64 array of that shape, in which None stands for any size.

    Raises:
        InputError: see ``real_array``; another shape; NaN, infinity, or a number beyond float64.

    Example:
        >>> finite_array("weights", [1, float("nan")], (2,))
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: weights must be finite, got nan at position 1
    """
    array = real_array(name, values)
    if array.ndim != len(shape) or any(size not in (None, own) for size, own in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("n" if size is None else str(size) for size in shape)
        raise InputError(f"{name} must have shape ({wanted}{',' * (len(shape) == 1)}), got {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0]
        raise InputError(f"{name} must be finite, got {array[tuple(place)]} at position {', '.join(map(str, place))}")
    return array


def whole_array(name: str, values: Any, below: int | None = None) -> np.ndarray:
    """Return ``values``, whole numbers from 0 to below ``below``, as (n,) int64.

    Raises:
        InputError: another shape, or a number that is not whole or out of range.

    Example:
        >>> whole_array("rows", [0, 7, 1], 5)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: rows must be in 0..4, got 7 at position 1
    """
    array = values
    if not isinstance(array, np.ndarray) or np.ma.is_masked(array) or array.dtype.kind not in "iu" or array.ndim != 1:
        numbers = finite_array(name, values, (None,))
        if (numbers != np.rint(numbers)).any():
            place = int((numbers != np.rint(numbers)).argmax())
            raise InputError(f"{name} must be whole numbers, got {numbers[place]} at position {place:,}")
        array = np.clip(numbers, -(2.0**63), 2.0**62).astype(np.int64)
    check_ids(name, array, 2**62 if below is None else below)
    return np.asarray(array, np.int64)


def owned(array: np.ndarray) -> np.ndarray:
    """Return a read-only array with the same numbers that nobody else can change: the array itself, or a copy.

    An array is shared if it is read-only, and so is the one that it is a view of; see ``frozen``.
    """
    if any(part.flags.writeable for part in _with_bases(array)):
        return frozen(array.copy())
    return array


def is_mapped(array: np.ndarray) -> bool:
    """Whether an array is a map of a file, or a view of one."""
    return any(isinstance(part, np.memmap) for part in _with_bases(array))


def frozen(array: np.ndarray) -> np.ndarray:
    """Make an array read-only, together with the one that it is a view of; for arrays that no other code will change.

    Example:
        >>> table = np.zeros(4)
        >>> frozen(table[:2]) is not None, table.flags.writeable
        (True, False)
    """
    for part in _with_bases(array):
        part.flags.writeable = False
    return array


def freeze_arrays(values: Iterable[Any]) -> None:
    """Make the arrays among ``values`` read-only; for unpickled objects, because NumPy pickles no such flag."""
    for value in values:
        if isinstance(value, np.ndarray):
            frozen(value)


def _with_bases(array: np.ndarray) -> Iterator[np.ndarray]:
    base: Any = array
    while isinstance(base, np.ndarray):
        yield base
        base = base.base


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


def check_ngrams(about: Any, *flags: str) -> None:
    """Check a file's description of hashed n-grams: ``min_n``, ``max_n`` and ``buckets``, whether they are ``pruned``,
    further ``flags``, and optionally the number of ``hashes``.

    Raises:
        InputError: an entry is missing, unknown, of another type or out of range.

    Example:
        >>> check_ngrams({"min_n": 3, "max_n": 2, "buckets": 9, "pruned": False})
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: subwords must have 1 <= min_n <= max_n <= 100 and 1 <= buckets < 2^31, got 3, 2 and 9
    """
    kinds = {"hashes": int, "min_n": int, "max_n": int, "buckets": int, **dict.fromkeys(("pruned", *flags), bool)}
    if not isinstance(about, dict) or {"hashes": int} | {name: type(value) for name, value in about.items()} != kinds:
        listed = ", ".join(("pruned", *flags))
        raise InputError(f"subwords must have the numbers min_n, max_n, buckets, and {listed}, got {about!r:.80}")
    least, most, buckets = about["min_n"], about["max_n"], about["buckets"]
    if not (1 <= least <= most <= 100 and 1 <= buckets < 1 << 31):
        raise InputError(
            "subwords must have 1 <= min_n <= max_n <= 100 and 1 <= buckets < 2^31, "
            f"got {shown(least)}, {shown(most)} and {shown(buckets)}"
        )
    if not 1 <= about.get("hashes", 1) <= 4:
        raise InputError(f"subwords must have 1 <= hashes <= 4, got {shown(about['hashes'])}")


def check_buckets(held: np.ndarray, buckets: int) -> None:
    """Check that the buckets ``held`` (n,) ascend within 0 .. ``buckets`` - 1.

    Raises:
        InputError: they do not.
    """
    if len(held) and not (held[0] >= 0 and held[-1] < buckets and (held[1:] > held[:-1]).all()):
        raise InputError(f"ngram_buckets must ascend within 0..{buckets - 1}")


def checked_csr(name: str, matrix: Any, *, rows: int | None = None, columns: int | None = None) -> "csr_array":
    """Return a CSR matrix as kernels expect it, after ``check_csr``; a valid one is returned as it is.

    Rows are sorted, without repeated cells, whose values are summed. Data are int32, int64, float32 or float64 and
    finite, indices int32 or int64, all contiguous and in the byte order of the machine.

    Raises:
        InputError: see ``check_csr``; or a value that is NaN or infinite.
    """
    check_csr(name, matrix, rows=rows, columns=columns)
    given = matrix.data, matrix.indices, matrix.indptr
    kinds = [
        next((kind for kind in allowed if np.can_cast(array.dtype, kind)), allowed[-1])
        for array, allowed in zip(given, (_VALUES, _PLACES, _PLACES), strict=True)
    ]
    found = matrix
    if any(not _is_plain(array, kind) for array, kind in zip(given, kinds, strict=True)):
        with np.errstate(over="ignore"):
            arrays = [np.ascontiguousarray(array, kind) for array, kind in zip(given, kinds, strict=True)]
        found = type(matrix)(tuple(arrays), shape=matrix.shape)
    for first in range(0, len(found.data), _PIECE) if found.data.dtype.kind == "f" else ():
        finite = np.isfinite(found.data[first : first + _PIECE])
        if not finite.all():
            place = first + int(finite.argmin())
            raise InputError(f"{name} must hold finite numbers, got {given[0][place]} at position {place:,}")
    if not found.has_canonical_format:
        found = found.copy()
        found.sum_duplicates()
    return found


_VALUES = (np.int32, np.int64, np.float32, np.float64)
"""Types of a matrix's values that kernels are compiled for."""

_PLACES = (np.int32, np.int64)
"""Types of its indices."""


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
    if np.ma.is_masked(data):
        raise InputError(f"{name} must not have masked values")
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
    array = real_array(name, weights)
    if array.shape != (columns,):
        raise InputError(f"{name} must have one weight per column, ({columns},), got shape {array.shape}")
    return finite_array(name, array, (columns,))


def _is_plain(array: np.ndarray, kind: DTypeLike) -> bool:
    return array.dtype == kind and array.flags.c_contiguous and not isinstance(array, np.ma.MaskedArray)


def _check_integers(name: str, array: Any) -> None:
    if np.ma.is_masked(array):
        raise InputError(f"{name} must not have masked values")
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{name} must be a one-dimensional array of integers, got {found}")
