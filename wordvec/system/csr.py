"""SciPy ``csr_array`` over existing, possibly memory-mapped arrays, processed in blocks of rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from wordvec.system.scratch import Scratch

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PIECE = 1 << 18
"""Nonzero cells processed at a time."""


def csr_of(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, shape: tuple[int, int], scratch: Scratch | None = None
) -> "csr_array":
    """Return a matrix that shares these arrays, whose rows must be sorted; SciPy's constructor would copy them.

    The files in ``scratch`` are removed with the matrix.
    """
    from scipy.sparse import csr_array

    matrix = csr_array(shape, dtype=data.dtype)
    matrix.indptr, matrix.indices, matrix.data = indptr, indices, data
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    matrix._scratch = scratch
    return matrix


def row_pieces(matrix: "csr_array") -> Iterator[tuple[int, int, slice]]:
    """Yield first row, last row (exclusive) and cells of blocks of about ``PIECE`` cells, at least one row each."""
    first, rows = 0, matrix.shape[0]
    while first < rows:
        start = int(matrix.indptr[first])
        last = int(np.searchsorted(matrix.indptr, start + PIECE, side="right")) - 1
        last = min(max(last, first + 1), rows)
        yield first, last, slice(start, int(matrix.indptr[last]))
        first = last


def rows_of(matrix: "csr_array", rows: np.ndarray) -> "csr_array":
    """Return a float64 copy of some rows."""
    ends = np.cumsum(matrix.indptr[rows + 1] - matrix.indptr[rows])
    cells = [slice(*matrix.indptr[row : row + 2]) for row in rows]
    empty = [np.empty(0, np.int32)]
    return csr_of(
        np.concatenate([[0], ends]).astype(np.int32),
        np.concatenate([*(matrix.indices[part] for part in cells), *empty]),
        np.concatenate([*(matrix.data[part] for part in cells), *empty]).astype(np.float64),
        (len(rows), matrix.shape[1]),
    )


def row_lengths(matrix: "csr_array") -> np.ndarray:
    """Return the Euclidean norm of each row, (R,) float64."""
    squares = np.zeros(matrix.shape[0])
    for first, last, cells in row_pieces(matrix):
        row = np.repeat(np.arange(last - first), np.diff(matrix.indptr[first : last + 1]))
        squares[first:last] = np.bincount(row, np.square(matrix.data[cells], dtype=np.float64), last - first)
    return np.sqrt(squares)


def products(matrix: "csr_array", dense: np.ndarray, rows: int | None = None) -> np.ndarray:
    """Return the dot products (Q, R) float64 of ``dense`` (Q, C) with all rows, or with the first ``rows``.

    Each sum is accumulated in column order, so that a result does not depend on the other rows of ``dense``.
    """
    rows = matrix.shape[0] if rows is None else min(rows, matrix.shape[0])
    found = np.empty((rows, len(dense)))
    columns = np.ascontiguousarray(dense.T)
    for first, last, cells in row_pieces(matrix):
        if first >= rows:
            break
        indptr = (matrix.indptr[first : last + 1] - cells.start).astype(np.int32)
        part = csr_of(
            indptr, matrix.indices[cells], matrix.data[cells].astype(np.float64), (last - first, len(columns))
        )
        found[first:last] = (part @ columns)[: rows - first]
    return found.T
