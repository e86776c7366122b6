"""Predictions as a table: the columns of the input, or one of them, and the predictions in further ones."""

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

from cli.shared.reporting import finite

if TYPE_CHECKING:
    from corpora.records import Record, Records


class PredictionTable:
    """Writes records with their predictions in one of the formats of ``corpora.records``.

    Args:
        file: the output.
        format: of the output.
        records: the input.
        id_column: the only column of the input that is kept; None keeps all.
        added: names of the columns of predictions, and the types of their values: ``str``, ``float`` or ``list``.

    Raises:
        InputError: there is no such column, the input has a column of that name, or pyarrow is not installed.
    """

    def __init__(
        self, file: IO[bytes], format: str, records: "Records", id_column: str | None, added: Mapping[str, type]
    ) -> None:
        from corpora import InputError
        from corpora.tables import encodable, listed

        self._file, self._format, self._id_column = file, format, id_column
        if id_column is not None and id_column not in records.columns and records.columns:
            raise InputError(f"no column {id_column!r:.40}; set id_column to one of {listed(records.columns)}")
        kept = records.columns if id_column is None else [id_column]
        self._columns, self._added = [*kept, *added], added
        self._refuse_repeated("the input has a column", kept)
        if format != "jsonl":
            encodable("the names of the columns", "\n".join(self._columns))
        self._parquet = _ParquetWriter(file, records, kept, added) if format == "parquet" else None
        if format in ("csv", "tsv"):
            self._put_cells([self._columns])

    def write(self, records: "Sequence[Record]", predictions: Sequence[Mapping[str, Any]]) -> None:
        """Write records, each with the values of its prediction.

        Raises:
            InputError: an object of JSON Lines lacks the column that is kept, has a key that is the name of a column of
                predictions, has others than the first, or has an unpaired surrogate, which only JSON can escape.
        """
        from corpora.tables import encodable

        rows = [self._kept(record) | dict(found) for record, found in zip(records, predictions, strict=True)]
        if self._format == "jsonl":
            self._file.write(b"".join(map(_json_line, rows)))
            return
        for (where, _, _), row in zip(records, rows, strict=True):
            self._refuse_others(where, row)
        try:
            self._put(rows)
        except UnicodeEncodeError:  # seldom, and nothing has been written
            for (where, _, _), row in zip(records, rows, strict=True):
                encodable(where, json.dumps(row, ensure_ascii=False, default=str))
            raise

    def close(self) -> None:
        """Write what ends a table."""
        if self._parquet is not None:
            self._parquet.close()

    def _kept(self, record: "Record") -> dict[str, Any]:
        where, _, values = record
        if self._id_column is None:
            self._refuse_repeated(f"{where}: the object has a key", values)
            return values
        if self._id_column not in values:
            from corpora import InputError

            raise InputError(f"{where}: no key {self._id_column!r:.40}; set id_column to one that every object has")
        return {self._id_column: values[self._id_column]}

    def _refuse_repeated(self, what: str, names: Collection[str]) -> None:
        if repeated := next((name for name in self._added if name in names), None):
            from corpora import InputError

            raise InputError(f"{what} {repeated!r} already; rename it, or set id_column to keep another")

    def _refuse_others(self, where: str, names: Collection[str]) -> None:
        if unknown := [name for name in names if name not in self._columns]:
            from corpora import InputError
            from corpora.tables import listed

            raise InputError(f"{where}: the first object has no {listed(unknown)}; write .jsonl, or set id_column")

    def _put(self, rows: list[dict[str, Any]]) -> None:
        if self._parquet is not None:
            self._parquet.write(rows)
        else:
            self._put_cells([[self._cell(name, row.get(name)) for name in self._columns] for row in rows])

    def _cell(self, name: str, value: Any) -> str:
        """Return a value as a cell: as it is written, lists and objects as JSON, and probabilities to six digits."""
        if value is None:
            return ""
        if isinstance(value, float) and name in self._added:
            return f"{value:.6g}"
        if isinstance(value, bool | list | dict):
            return json.dumps(value, ensure_ascii=False, default=str)
        return str(value)

    def _put_cells(self, rows: list[list[str]]) -> None:
        lines: list[str] = []
        ending = "\r\n"  # cells with these are quoted
        writer = csv.writer(
            SimpleNamespace(write=lines.append),
            delimiter="\t" if self._format == "tsv" else ",",
            lineterminator=ending,
        )
        writer.writerows(rows)
        self._file.write("".join(line.removesuffix(ending) + "\n" for line in lines).encode())


class _ParquetWriter:
    """Writes rows with the types of the input's columns, or those of the first rows."""

    def __init__(self, file: IO[bytes], records: "Records", kept: list[str], added: Mapping[str, type]) -> None:
        from wordvec.system.optional import optional_module

        pyarrow = optional_module("pyarrow", "Parquet files need pyarrow", "parquet")
        self._file, self._writer = file, None
        kinds = {str: pyarrow.string(), float: pyarrow.float64(), list: pyarrow.list_(pyarrow.string())}
        own = [pyarrow.field(name, kinds[kind]) for name, kind in added.items()]
        self._schema: Any = None
        if records.schema is not None:
            self._schema = pyarrow.schema([*(records.schema.field(name) for name in kept), *own])
        elif records.format != "jsonl" or not records.columns:
            self._schema = pyarrow.schema([*(pyarrow.field(name, kinds[str]) for name in kept), *own])

    def write(self, rows: list[dict[str, Any]]) -> None:
        from pyarrow import Table
        from pyarrow.lib import ArrowException

        from corpora import InputError

        try:
            table = Table.from_pylist(rows, schema=self._schema)
        except ArrowException as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"the values of a column must have one type ({reason}); write .jsonl instead") from None
        self._schema = table.schema
        self._opened().write_table(table)

    def close(self) -> None:
        self._opened().close()

    def _opened(self) -> Any:
        from pyarrow.parquet import ParquetWriter

        self._writer = self._writer or ParquetWriter(self._file, self._schema)
        return self._writer


def _json_line(row: Mapping[str, Any]) -> bytes:
    """Return an object as a line, with an unpaired surrogate escaped as in the input."""
    try:
        return (json.dumps(finite(row), ensure_ascii=False, default=str) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(finite(row), default=str) + "\n").encode()
