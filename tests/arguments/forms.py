"""Forms in which callers pass an array, a sparse matrix or a number: what is the same value, and what is invalid."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp


class Form(NamedTuple):
    """A value as a caller may pass it.

    ``valid`` forms give the result of the plain value or are rejected, others are rejected; the result of a value that
    is only ``extreme`` may also be another finite one.
    """

    name: str
    make: Callable[[], Any]
    valid: bool = False
    extreme: bool = False


def _strided(array: np.ndarray) -> np.ndarray:
    """Return a view of every second item along each axis, between items of another value."""
    wide = np.full([2 * size for size in array.shape], 7, array.dtype)
    wide[tuple(slice(None, None, 2) for _ in array.shape)] = array
    return wide[tuple(slice(None, None, 2) for _ in array.shape)]


def _reversed(array: np.ndarray) -> np.ndarray:
    flip = tuple(slice(None, None, -1) for _ in array.shape)
    return array[flip].copy()[flip]


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _swapped(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder())


LAYOUTS: Mapping[str, Callable[[np.ndarray], Any]] = {
    "strided": _strided,
    "reversed": _reversed,
    "read-only": _read_only,
    "Fortran order": np.asfortranarray,
    "other byte order": _swapped,
    "without masked values": np.ma.masked_array,
}

WRONG: Mapping[str, Any] = {
    "None": None,
    "a string": "text",
    "bytes": b"bytes",
    "an object": object(),
    "a mapping": {"a": 1.0},
    "a set": {1.0},
    "an empty list": [],
}
"""What is no array."""


def _replaced(array: np.ndarray, value: Any, dtype: Any = None) -> np.ndarray:
    array = array.astype(dtype or array.dtype)
    array.flat[-1] = value
    return array


def _masked(array: np.ndarray) -> Any:
    mask = np.zeros(array.shape, bool)
    mask.flat[-1] = True
    return np.ma.masked_array(array, mask)


def of_array(array: np.ndarray, dtypes: str, *, fixed: bool = True) -> Iterator[Form]:
    """Yield the forms of an array of real numbers.

    Args:
        array: its values are exact in each of ``dtypes``.
        dtypes: characters of NumPy's types that hold the values.
        fixed: whether an array of another size is invalid.
    """
    for kind in dtypes:
        yield Form(f"dtype {np.dtype(kind)}", lambda kind=kind: array.astype(kind), valid=True)
    for name, layout in LAYOUTS.items():
        yield Form(name, lambda layout=layout: layout(array), valid=True)
    yield Form("list", array.tolist, valid=True)
    yield Form("objects", lambda: array.astype(object), valid=True)
    yield Form("strings of numbers", lambda: array.astype(str), valid=True)
    yield Form("a masked value", lambda: _masked(array))
    yield Form("complex", lambda: _replaced(array, 1j, complex))
    yield Form("complex objects", lambda: _replaced(array, 1j, object))
    yield Form("a missing value", lambda: _replaced(array, None, object))
    yield Form("a word among numbers", lambda: _replaced(array, "word", object))
    yield Form("dates", lambda: array.astype("datetime64[D]"))
    yield Form("durations", lambda: array.astype("timedelta64[s]"))
    yield Form("NaN", lambda: _replaced(array, np.nan, float))
    yield Form("infinity", lambda: _replaced(array, -np.inf, float))
    yield Form("records", lambda: np.zeros(array.shape, [("a", float)]))
    yield Form("a scalar", lambda: np.array(1.0))
    yield Form("one more axis", lambda: array.reshape((*array.shape, 1, 1)))
    yield Form("no rows", lambda: array[:0])
    if fixed:
        yield Form("one row more", lambda: np.concatenate([array, array[-1:]]))
        yield Form("one row less", lambda: array[:-1])
        yield Form("a sparse matrix", lambda: sp.csr_array(np.atleast_2d(array)))
    for name, value in WRONG.items():
        yield Form(name, lambda value=value: value)


def of_real_array(array: np.ndarray, *, fixed: bool = True) -> Iterator[Form]:
    whole = bool((array == np.rint(array)).all())
    yield from of_array(array, "efdgbhilqBHILQ" if whole else "efdg", fixed=fixed)
    yield Form("huge", lambda: _replaced(array, 1e300, float), extreme=True)
    yield Form("huge in long double", lambda: _replaced(array, np.longdouble("1e4000"), np.longdouble), extreme=True)
    yield Form("huge integer", lambda: _replaced(array, 10**400, object), extreme=True)


def of_whole_array(array: np.ndarray, top: int | None, *, fixed: bool = True) -> Iterator[Form]:
    """Yield the forms of an array of whole numbers from 0 to below ``top``."""
    yield from of_array(array, "bhilqBHILQ", fixed=fixed)
    yield Form("half", lambda: _replaced(array, 0.5, float))
    yield Form("negative", lambda: _replaced(array, -1))
    yield Form("beyond int64", lambda: _replaced(array, 2**64 - 1, np.uint64))
    yield Form("beyond uint64", lambda: _replaced(array, 2**70, object))
    for value in () if top is None else (top, 2**31 - 1, -(2**31), 2**40, -(2**63)):
        yield Form(f"{value}", lambda value=value: _replaced(array, value, np.int64))


def _with(matrix: Any, **arrays: Any) -> Any:
    """Return a copy of a CSR matrix with other arrays, which SciPy does not check."""
    changed = matrix.copy()
    for name, array in arrays.items():
        setattr(changed, name, array)
    return changed


def _unsorted(matrix: Any) -> Any:
    """Return the same matrix with the cells of each row in descending order of columns."""
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)])
    return type(matrix)((matrix.data[order], matrix.indices[order], matrix.indptr.copy()), shape=matrix.shape)


def _in_halves(matrix: Any) -> Any:
    """Return the same matrix with each cell as two cells of half the value."""
    arrays = np.repeat(matrix.data / 2, 2), np.repeat(matrix.indices, 2), 2 * matrix.indptr
    return type(matrix)(arrays, shape=matrix.shape)


def of_matrix(dense: np.ndarray) -> Iterator[Form]:
    """Yield the forms of a sparse matrix of whole numbers above 0, at least two of them in the last row."""
    plain = sp.csr_array(dense)
    data, indices, indptr = plain.data, plain.indices, plain.indptr
    for kind in ("array", "matrix"):
        for name in ("csr", "csc", "bsr", "coo", "dia", "dok", "lil"):
            make = getattr(sp, f"{name}_{kind}")
            yield Form(f"{name}_{kind}", lambda make=make: make(dense), valid=True)
    yield Form("dense", lambda: dense, valid=True)
    yield Form("dense matrix", lambda: np.asmatrix(dense), valid=True)
    for kind in "fdgbhilqBHILQ":
        yield Form(f"data {np.dtype(kind)}", lambda kind=kind: _with(plain, data=data.astype(kind)), valid=True)
    for name, layout in LAYOUTS.items():
        for part, array in (("data", data), ("indices", indices), ("indptr", indptr)):
            yield Form(f"{part}: {name}", lambda p=part, a=array, to=layout: _with(plain, **{p: to(a)}), valid=True)
    for kind in "bhlqBHILQ":
        yield Form(
            f"indices {np.dtype(kind)}",
            lambda kind=kind: _with(plain, indices=indices.astype(kind), indptr=indptr.astype(kind)),
            valid=True,
        )
    yield Form("unsorted", lambda: _unsorted(plain), valid=True)
    yield Form("repeated cells", lambda: _in_halves(plain), valid=True)
    wide = np.append(data, [9] * 3)
    yield Form(
        "spare room", lambda: _with(plain, data=wide, indices=np.append(indices, [0] * 3).astype("i")), valid=True
    )
    for value in (np.nan, np.inf, -np.inf):
        yield Form(f"{value}", lambda value=value: _with(plain, data=_replaced(data, value, float)))
    yield Form("a masked value", lambda: _with(plain, data=_masked(data)))
    yield Form("complex", lambda: plain.astype(complex) * 1j)
    yield Form("objects", lambda: _with(plain, data=data.astype(object)))
    yield Form("strings", lambda: _with(plain, data=data.astype(str)))
    for value in (dense.shape[1], 2**31 - 1, -1, -(2**31)):
        yield Form(f"column {value}", lambda value=value: _with(plain, indices=_replaced(indices, value)))
    yield Form("column 2**40", lambda: _with(plain, indices=_replaced(indices, 2**40, np.int64)))
    yield Form("columns as floats", lambda: _with(plain, indices=indices + 0.0))
    yield Form("data too short", lambda: _with(plain, data=data[:-1]))
    yield Form("indices too short", lambda: _with(plain, indices=indices[:-1]))
    for change in ({1: 2**31 - 1}, {1: -1}, {0: 1}, {-1: len(data) + 1}, {-1: len(data) - 1}, {1: len(data)}):
        ((place, value),) = change.items()
        wrong = indptr.copy()
        wrong[place] = value
        yield Form(f"indptr[{place}] = {value}", lambda wrong=wrong: _with(plain, indptr=wrong))
    yield Form("indptr too short", lambda: _with(plain, indptr=indptr[:-1]))
    yield Form("indptr too long", lambda: _with(plain, indptr=np.append(indptr, indptr[-1])))
    yield Form("one-dimensional", lambda: sp.coo_array(dense[0]))
    yield Form("a list", lambda: [plain])
    for name, value in WRONG.items():
        yield Form(name, lambda value=value: value)


def of_number(value: float, *, none: bool = False) -> Iterator[Form]:
    """Yield the forms of a number; ``none``: None is another valid value."""
    for kind in "bhilqBHILQefdg":
        whole = kind not in "efdg"
        if (value <= np.iinfo(kind).max and value % 1 == 0) if whole else abs(value) <= 2**10 or kind in "dg":
            yield Form(f"{np.dtype(kind)}", lambda kind=kind: np.dtype(kind).type(value), valid=True)
    yield Form("0-d array", lambda: np.array(value), valid=True)
    yield Form("string of a number", lambda: str(value), valid=True)
    yield Form("float", lambda: float(value), valid=True)
    wrong = {"None": None, "a word": "many", "bytes": b"1", "list": [value], "array": np.array([value, value])}
    wrong |= {"NaN": float("nan"), "inf": float("inf"), "-inf": -float("inf"), "complex": complex(value, 1)}
    wrong |= {"float32 NaN": np.float32("nan"), "10**400": 10**400, "-10**400": -(10**400), "an object": object()}
    wrong |= {"masked": np.ma.masked, "a date": np.datetime64("2020-01-01"), "mapping": {"a": value}}
    for name, each in wrong.items():
        if not (none and each is None):
            yield Form(name, lambda each=each: each)


def of_whole_number(value: int, *, none: bool = False) -> Iterator[Form]:
    yield from of_number(value, none=none)
    for name, each in {"True": True, "numpy True": np.True_, "half": value + 0.5, "-1": -1, "2**64": 2**64}.items():
        yield Form(name, lambda each=each: each)


TEXTS = ["the old cat sat", "a dog sat", "", "the dog and the old cat ran"]


def of_texts(texts: list[str]) -> Iterator[Form]:
    """Yield the forms of a list of texts, not all empty."""
    tokens = [text.split() for text in texts]
    objects = np.empty(len(texts), object)
    objects[:] = texts
    yield Form("list", lambda: list(texts), valid=True)
    yield Form("tuple", lambda: tuple(texts), valid=True)
    yield Form("array", lambda: np.array(texts), valid=True)
    yield Form("objects", lambda: objects, valid=True)
    yield Form("generator", lambda: iter(texts), valid=True)
    yield Form("lists of tokens", lambda: tokens, valid=True)
    yield Form("arrays of tokens", lambda: [np.array(each, str) for each in tokens], valid=True)
    yield Form("column", lambda: objects.reshape(-1, 1), valid=True)
    yield Form("masked text", lambda: np.ma.masked_array(objects, [False] * (len(texts) - 1) + [True]))
    wrong = {"numbers": list(range(len(texts))), "array of numbers": np.arange(len(texts) + 0.0), "None": None}
    wrong |= {"one text": "the old cat", "bytes": b"the old cat", "texts as bytes": [t.encode() for t in texts]}
    wrong |= {"missing text": [*texts[:-1], None], "NaN": [*texts[:-1], float("nan")], "7": 7, "an object": object()}
    wrong |= {"surrogate": [*texts[:-1], "a \udcff b"], "mapping": {"a": texts[0]}, "True": True}
    wrong |= {"missing token": [[*each, None] for each in tokens], "byte tokens": [[b"the", b"cat"] for _ in texts]}
    wrong |= {"nested tokens": [[each] for each in tokens], "0-d": np.array("the old cat")}
    for name, value in wrong.items():
        yield Form(name, lambda value=value: value)


def of_path() -> Iterator[Form]:
    """Yield what is not the path of an existing file."""
    wrong = {"None": None, "1.5": 1.5, "list": [], "empty": "", "NUL": "a\0b", "object": object(), "folder": "."}
    wrong |= {"missing": "no-such-file.txt", "True": True, "number": 10**6, "surrogate": "\ud800"}
    for name, value in wrong.items():
        yield Form(name, lambda value=value: value)


def of_object() -> Iterator[Form]:
    """Yield what is no object of this library; None stands for the defaults of some arguments."""
    for name, value in (WRONG | {"0": 0, "a path": Path("no-such-file.txt"), "texts": TEXTS}).items():
        if name != "None":
            yield Form(name, lambda value=value: value)
