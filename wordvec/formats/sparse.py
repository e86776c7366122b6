"""Native file of sparse word vectors: safetensors with a CSR matrix.

=================== ================ ======================================================================
``data``            F32 (n,)         nonzero values, row by row
``indices``         I32 (n,)         their columns, ascending within each row
``indptr``          I64 (V + 1,)     row t is ``data[indptr[t]:indptr[t + 1]]``
``counts`` ...                       vocabulary arrays, as in the dense format
=================== ================ ======================================================================

The metadata key ``wordvec`` is sorted JSON: kind, version, columns, tokenizer, lowercase, settings, and normalize if
not none.
"""

import os
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.safetensors import (
    check_about,
    check_shapes,
    pack_attributes,
    pack_tokens,
    read_attributes,
    read_words,
    tokenization,
)  # fmt: skip
from wordvec.formats.table import VectorTable
from wordvec.formats.tensors import TensorFile, write_tensors

KIND, VERSION = "sparse vectors", 1


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write vectors with all their metadata.

    Raises:
        InputError: the settings are not JSON-serializable, or the path is not writable.
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
    tensors |= pack_attributes(table)
    about = {
        "kind": KIND,
        "version": VERSION,
        "columns": table.vector_size,
        **tokenization(table),
        "settings": table.settings,
        **({"origin": table.origin} if table.origin else {}),
    }
    write_tensors(path, tensors, "wordvec", about)


def read(file: TensorFile, limit: int | None = None) -> VectorTable:
    """Read the vectors, or the first ``limit`` of them.

    Raises:
        FormatError: not a native sparse vector file, truncated, or inconsistent.
    """
    from wordvec.system.csr import csr_of
    from wordvec.system.structures import check_ids, check_offsets

    path = file.path
    size, columns, cells = check(file)
    vocabulary = read_words(file, size, limit)
    indptr = file.read("indptr", len(vocabulary) + 1)
    end = cells if limit is None else min(cells, max(0, int(indptr[-1])))
    try:
        check_offsets("indptr", indptr, end)
        indices = file.read("indices", end)
        check_ids("indices", indices, columns)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path}: {error}; the file is damaged") from None
    _check_ascending(path, indptr, indices)
    about = file.metadata_of("wordvec")
    return VectorTable(
        vocabulary,
        csr_of(indptr, indices, file.read("data", end), (len(vocabulary), columns)),
        tokenizer=about["tokenizer"],
        lowercase=about["lowercase"],
        normalize=about.get("normalize", "none"),
        settings=about["settings"],
        origin=about.get("origin", {}),
        attributes=read_attributes(file, len(vocabulary)),
    )


def check(file: TensorFile) -> tuple[int, int, int]:
    """Validate metadata and array shapes; return V, the column count and the number of nonzero values.

    Raises:
        FormatError: not a native sparse vector file, an unsupported version, or inconsistent.
    """
    columns = check_about(file, KIND, VERSION).get("columns")
    if isinstance(columns, bool) or not isinstance(columns, int) or not 1 <= columns < 1 << 31:
        raise FormatError(
            f"{file.path}: 'columns' in its metadata must be an integer in 1..2^31-1, got {columns!r:.40}"
        )
    size, cells = file.shape("indptr", "I64", 1)[0] - 1, file.shape("data", "F32", 1)[0]
    if size < 1:
        raise FormatError(f"{file.path}: indptr must have an offset per row and one more, got {size + 1}")
    check_shapes(file, size, {"indices": ("I32", (cells,))})
    return size, columns, cells


def _check_ascending(path: str | os.PathLike[str], indptr: np.ndarray, indices: np.ndarray) -> None:
    rises: np.ndarray = np.empty(len(indices), bool)
    np.greater(indices[1:], indices[:-1], out=rises[1:])
    starts = indptr[:-1]
    rises[starts[starts < len(indices)]] = True  # the first column of a row is unconstrained
    if not rises.all():
        raise FormatError(f"{path}: the column indices of a row must be ascending; the file is damaged")
