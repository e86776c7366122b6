"""Records of a table, one at a time: CSV, TSV, JSON Lines or Parquet, with the text that a model reads and all columns.

Parquet needs pyarrow: ``pip install 'wordvec-seqclf[parquet]'``.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.files import Source
from corpora.labelled_lines import record_text, text_place
from corpora.readers import arriving_lines
from corpora.sources import resolve_one
from corpora.tables import Lines, check_width, csv_records, ending_of, extension_of, json_records, tsv_records

_FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
FORMATS = ("csv", "tsv", "jsonl", "parquet")
_ROWS_AT_ONCE = 4096

Record = tuple[str, str, dict[str, Any]]
"""Location (``file:line``), text, and the values by column."""


@dataclass(frozen=True)
class Records:
    """The records of a table.

    Attributes:
        format: one of ``FORMATS``.
        columns: their names; of JSON Lines, whose objects may differ, those of the first.
        rows: the records, to be read once.
        schema: the types of Parquet's columns, as pyarrow has them; else None.
    """

    format: str
    columns: list[str]
    rows: Iterator[Record]
    schema: Any = None


def table_format(name: str | os.PathLike[str]) -> str | None:
    """Return the format that the extension of a file names, without one of a compression; None if there is none.

    Example:
        >>> table_format("texts.csv.gz"), table_format("texts.txt")
        ('csv', None)
    """
    return _FORMATS.get(extension_of(os.fspath(name)))


def open_records(
    source: str | os.PathLike[str],
    *,
    format: str | None = None,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
) -> Records:
    """Open a table; its records are read as they are asked for, those of a pipe as soon as they arrive.

    Values of CSV and TSV are strings, of JSON Lines and Parquet of any type. CSV and TSV need a header.

    Args:
        source: a file, or ``-`` for standard input.
        format: one of ``FORMATS``; None takes that of the extension.
        encoding, encoding_errors: see :class:`corpora.TextCorpus`.
        text_column: by default ``text``; of a table with one column, or one besides ``label``, that one.

    Raises:
        InputError: the format is unknown, there is no header, or no such column; while reading, a malformed record.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "messages.csv"
        >>> _ = path.write_text("id,text\\n7,Flood warning\\n")
        >>> records = open_records(path)
        >>> records.columns, [(text, record) for _, text, record in records.rows]
        (['id', 'text'], [('Flood warning', {'id': '7', 'text': 'Flood warning'})])
    """
    found = resolve_one(source)
    format = format or _FORMATS.get(ending_of(found))
    if format not in FORMATS:
        raise InputError(
            f"{found.name}: a table needs the extension .csv, .tsv, .jsonl or .parquet, or a format, one of "
            f"{', '.join(FORMATS)}"
        )
    if format == "parquet":
        return _parquet(found, text_column)
    lines: Lines = enumerate(arriving_lines(found, encoding, encoding_errors), 1)
    if format == "jsonl":
        objects = _objects(found.name, lines, text_column)
        first = list(itertools.islice(objects, 1))
        return Records(format, [name for _, _, record in first for name in record], itertools.chain(first, objects))
    records = _tsv(found.name, lines) if format == "tsv" else csv_records(found.name, lines)
    where, header, _ = next(records, ("", [], ""))
    columns = [cell.strip() for cell in header]
    if not any(columns):
        raise InputError(f"{found.name} is empty; expected a header")
    if repeated := next((name for name in columns if columns.count(name) > 1), None):
        raise InputError(f"{where}: {columns.count(repeated)} columns are named {repeated!r:.40}; rename them")
    place = text_place(where, columns, text_column)
    return Records(format, columns, _rows(records, columns, place))


def _tsv(name: str, lines: Lines) -> Iterator[tuple[str, list[str], str]]:
    return ((where, cells, "\t") for where, cells in tsv_records(name, lines))


def _rows(records: Iterator[tuple[str, list[str], str]], columns: list[str], place: int) -> Iterator[Record]:
    for where, cells, delimiter in records:
        if cells:
            check_width(where, cells, len(columns), f"put values that contain {delimiter!r} in double quotes")
            yield where, cells[place], dict(zip(columns, cells, strict=True))


def _objects(name: str, lines: Lines, text_column: str | None) -> Iterator[Record]:
    for where, record in json_records(name, lines):
        yield where, record_text(where, record, text_column), record


def _parquet(source: Source, text_column: str | None) -> Records:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(
            "Parquet files need pyarrow, which is not installed: pip install 'wordvec-seqclf[parquet]'"
        ) from None
    if not os.path.isfile(source.name):
        raise InputError(f"{source.name}: Parquet tables are read from local files; save it as one first")
    damaged = (ValueError, OSError, ArrowInvalid)
    try:
        file = ParquetFile(source.name)
    except damaged as error:
        raise InputError(f"{source.name}: not a Parquet file, or damaged ({_short(error)})") from None
    columns = list(file.schema_arrow.names)
    name = columns[text_place(source.name, columns, text_column)]

    def rows() -> Iterator[Record]:
        count = 0
        batches = file.iter_batches(_ROWS_AT_ONCE)
        while (batch := _next(batches, source.name, damaged)) is not None:
            for record in batch.to_pylist():
                count += 1
                where = f"{source.name}, row {count:,}"
                yield where, record_text(where, record, name), record

    return Records("parquet", columns, rows(), file.schema_arrow)


def _next(batches: Iterator[Any], name: str, damaged: tuple[type[Exception], ...]) -> Any:
    try:
        return next(batches, None)
    except damaged as error:
        raise InputError(f"{name}: a damaged Parquet file ({_short(error)})") from None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
