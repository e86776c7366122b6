"""Our own file of sparse word vectors: safetensors with a matrix in CSR.

=================== ================ ======================================================================
``data``            F32 (n,)         the numbers that are not 0, row after row
``indices``         I32 (n,)         their columns, ascending in each row
``indptr``          I64 (V + 1,)     row t is ``data[indptr[t]:indptr[t + 1]]``
``counts`` ...                       the words, as in the file of dense vectors
=================== ================ ======================================================================

The metadata key ``wordvec`` is sorted JSON: kind, version, columns, tokenizer, lowercase, settings.
"""

import os
from typing import Any

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats.safetensors import check_about, check_shapes, pack_tokens, read_words
from wordvec.formats.table import VectorTable
from wordvec.formats.tensors import TensorFile, write_tensors

KIND, VERSION = "sparse vectors", 1


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write everything ``table`` holds.

    Raises:
        InputError: the settings are nothing JSON can hold, or the place cannot be written to.
    """
    matrix: Any = table.vectors
    token_bytes, token_offsets = pack_tokens(table.tokens)
    tensors: dict[str, np.ndarray] = {
        "data": np.asarray(matrix.data, np.float32),
        "indices": np.asarray(matrix.indices, np.int32),
        "indptr": np.asarray(matrix.indptr, np.int64),
        "token_bytes": token_bytes,
        "token_offsets": token_offsets,
    }
    if table.counts is not None:
        tensors["counts"] = table.counts
    about = {
        "kind": KIND,
        "version": VERSION,
        "columns": table.vector_size,
        "tokenizer": table.tokenizer,
        "lowercase": table.lowercase,
        "settings": table.settings,
    }
    write_tensors(path, tensors, "wordvec", about)


def read(path: str | os.PathLike[str], limit: int | None = None) -> VectorTable:
    """The vectors of a file of ours, or the first ``limit`` of them.

    Raises:
        FormatError: it is not one, was cut short, or its parts do not fit.
    """
    from wordvec.system.csr import csr_of

    file = TensorFile(path)
    size, columns, cells = check(file)
    vocabulary = read_words(file, size, limit)
    indptr = file.read("indptr", len(vocabulary) + 1)
    end = int(indptr[-1])
    if indptr[0] != 0 or (np.diff(indptr) < 0).any() or end > cells or (limit is None and end < cells):
        raise FormatError(f"{path}: its row ends do not rise from 0 to the number of its numbers")
    indices = file.read("indices", end)
    _check_indices(path, indptr, indices, columns)
    about = file.told("wordvec")
    return VectorTable(
        vocabulary,
        csr_of(indptr, indices, file.read("data", end), (len(vocabulary), columns)),
        tokenizer=about["tokenizer"],
        lowercase=about["lowercase"],
        settings=about["settings"],
    )


def check(file: TensorFile) -> tuple[int, int, int]:
    """V, C and the number of cells of a file of ours, once what it says of itself fits together.

    Raises:
        FormatError: it is not one, or from a later version, or its parts do not fit.
    """
    columns = check_about(file, KIND, VERSION).get("columns")
    if isinstance(columns, bool) or not isinstance(columns, int) or not 1 <= columns < 1 << 31:
        raise FormatError(f"{file.path}: its metadata must give 'columns' as a number from 1 to 2^31, got {columns!r}")
    size, cells = file.shape("indptr", "I64", 1)[0] - 1, file.shape("data", "F32", 1)[0]
    check_shapes(file, size, {"indices": ("I32", (cells,))})
    return size, columns, cells


def _check_indices(path: str | os.PathLike[str], indptr: np.ndarray, indices: np.ndarray, columns: int) -> None:
    rises: np.ndarray = np.empty(len(indices), bool)
    np.greater(indices[1:], indices[:-1], out=rises[1:])
    starts = indptr[:-1]
    rises[starts[starts < len(indices)]] = True  # a row may begin anywhere
    if not rises.all() or (len(indices) and not 0 <= indices.min() <= indices.max() < columns):
        raise FormatError(f"{path}: the columns of a row must rise and lie between 0 and {columns - 1:,}")
