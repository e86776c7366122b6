"""Parquet tables: a column ``token`` of strings, ``vector`` of lists of D float32, and, if known, ``count``.

Needs pyarrow: ``pip install 'wordvec-seqclf[parquet]'``. ``word``, and ``embedding``, are read as other names.
"""

import os
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.npz import SPACES, check_names
from wordvec.formats.rows import Rows
from wordvec.formats.sources import MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.atomic_files import replacing
from wordvec.system.optional import optional_module
from wordvec.vocabulary import Vocabulary

_TOKENS = ("token", "word")
_VECTORS = ("vector", "embedding")
_ROWS_AT_ONCE = 65_536


def looks_like(sample: bytes) -> bool:
    """Whether the sample is the start of a Parquet file."""
    return sample.startswith(b"PAR1")


def declared(source: VectorSource) -> tuple[int, int | None]:
    """Return V from the footer, and D if the column has lists of a fixed size, else None."""
    file = _opened(source)
    kind = file.schema_arrow.field(_column(source, file, _VECTORS)).type
    return file.metadata.num_rows, getattr(kind, "list_size", None)


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read the vectors, some rows at a time.

    Raises:
        FormatError: the file is damaged, lacks a column, or has lists of different lengths, NaN or infinity.
        InputError: pyarrow is not installed.
    """
    file = _opened(source)
    token, vector = (_column(source, file, names) for names in (_TOKENS, _VECTORS))
    count = "count" if "count" in file.schema_arrow.names else None
    rows: Rows | None = None
    counts: list[np.ndarray] = []
    left = file.metadata.num_rows if limit is None else min(limit, file.metadata.num_rows)
    added = 0
    try:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[token, vector, *([count] if count else [])]):
            batch = batch.slice(0, left)
            left -= len(batch)
            block = _matrix(source, batch.column(1))
            rows = rows or Rows(source.name, block.shape[1], 0, skip_bad, words=source.words)
            if block.shape[1] != rows.vector_size:
                raise FormatError(
                    f"{source.name}: vectors must have one length, got {rows.vector_size} and {block.shape[1]}"
                )
            names = [str(name or "") for name in batch.column(0).to_pylist()]
            good = np.isfinite(block).all(axis=1)
            for row in np.flatnonzero(~good).tolist():
                rows.bad(f"{source.name}: vector {rows.read + row + 1:,} contains NaN or infinity")
            named = np.array([bool(name.strip(SPACES)) for name in names], bool)
            for _ in range(int((~named).sum())):
                rows.unnamed()
            places = np.flatnonzero(good & named)
            rows.add_named([names[place] for place in places.tolist()], block[places])
            added += len(places)
            if count:
                counts.append(np.asarray(batch.column(2).to_numpy(zero_copy_only=False))[places])
            if not left:
                break
    except (ValueError, OSError, TypeError) as error:  # errors of pyarrow are one of these
        if isinstance(error, InputError):
            raise
        raise FormatError(f"{source.name}: a damaged Parquet file ({' '.join(str(error).split())[:200]})") from None
    if rows is None:
        raise FormatError(f"{source.name}: no vectors")
    table = rows.finish()
    whole = np.concatenate(counts) if counts else np.zeros(0)
    if whole.dtype.kind not in "iu" or len(whole) != len(table) or added != len(table):
        return table
    return VectorTable(Vocabulary(table.tokens, whole.astype(np.int64)), table.vectors)


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write tokens, vectors and counts.

    Raises:
        InputError: pyarrow is not installed, or a token is only white space.
    """
    arrow = _pyarrow()
    check_names(table)
    flat = arrow.array(np.ascontiguousarray(table.vectors, np.float32).reshape(-1))
    columns = {
        "token": arrow.array(table.tokens, arrow.string()),
        "vector": arrow.FixedSizeListArray.from_arrays(flat, table.vector_size),
    }
    if table.counts is not None:
        columns["count"] = arrow.array(table.counts)
    from pyarrow.parquet import write_table

    with replacing(path) as file:
        write_table(arrow.table(columns), file)


def _pyarrow() -> Any:
    return optional_module("pyarrow", "Parquet files need pyarrow", "parquet")


def _opened(source: VectorSource) -> Any:
    _pyarrow()
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(source.stored())
    except (ValueError, OSError) as error:
        raise FormatError(
            f"{source.name}: not a Parquet file, or damaged ({' '.join(str(error).split())[:200]})"
        ) from None


def _column(source: VectorSource, file: Any, names: tuple[str, ...]) -> str:
    for name in names:
        if name in file.schema_arrow.names:
            return name
    raise FormatError(
        f"{source.name}: a Parquet file of vectors needs a column {names[0]!r}; "
        f"it has {', '.join(file.schema_arrow.names)[:200]}"
    )


def _matrix(source: VectorSource, column: Any) -> np.ndarray:
    """Return a column of lists as (n, D) float32."""
    if not hasattr(column, "value_lengths"):
        raise FormatError(f"{source.name}: the column of vectors must be of lists of numbers, got {column.type}")
    lengths: set[int | None] = set(column.value_lengths().to_pylist())
    size = lengths.pop() if len(lengths) == 1 else None
    if size is None:
        raise FormatError(f"{source.name}: vectors must have one length, and none may be missing")
    if not 1 <= size <= MAX_VECTOR_SIZE:
        raise FormatError(f"{source.name}: vectors must have 1 to {MAX_VECTOR_SIZE:,} numbers, got {size:,}")
    with np.errstate(over="ignore"):
        values = np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float32)
    return values.reshape(len(column), size)
