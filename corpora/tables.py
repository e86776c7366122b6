"""CSV parsing with record locations, and column lookup by name."""

import contextlib
import csv
import itertools
from collections.abc import Iterator

from corpora.errors import InputError

Lines = Iterator[tuple[int, str]]
"""Pairs of 1-based line number and line without its newline."""


def csv_records(name: str, lines: Lines) -> Iterator[tuple[str, list[str], str]]:
    """Yield the location (``file:line``), cells and delimiter of each CSV record, including the header and empty ones.

    If the header contains semicolons but no comma, the delimiter is the semicolon. Quoted fields may contain newlines.

    Raises:
        InputError: a quote is never closed or is misplaced.
    """
    first = next(lines, None)
    if first is None:
        return
    delimiter = ";" if ";" in first[1] and "," not in first[1] else ","
    records = csv.reader((line + "\n" for _, line in itertools.chain([first], lines)), delimiter=delimiter, strict=True)
    start = 1
    with _long_fields():
        while True:
            where = f"{name}:{start}"
            try:
                cells = next(records, None)
            except csv.Error as error:
                raise InputError(f"{where}: not CSV: {_csv_reason(error)}") from None
            if cells is None:
                return
            yield where, cells, delimiter
            start = records.line_num + 1


def _csv_reason(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "the double quote that opens a field here is never closed"
    return f"{reason}; double the quotes inside a quoted field"


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters per field, which is global to the process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def check_width(where: str, cells: list[str], columns: int, hint: str = "") -> None:
    """Check that a record has as many cells as the header.

    Raises:
        InputError: it does not; ``hint`` is the remedy for too many cells.
    """
    if len(cells) != columns:
        more = f"; {hint}" if hint and len(cells) > columns else ""
        expected = "1 column" if columns == 1 else f"{columns} columns"
        raise InputError(f"{where}: expected {expected}, found {len(cells)}{more}")


def position(where: str, header: list[str], name: str, option: str) -> int:
    """Return the index of the column ``name`` in a header.

    Raises:
        InputError: the column is missing or not unique; the message names ``option`` as the way to choose another.
    """
    count = header.count(name)
    if count == 1:
        return header.index(name)
    if count:
        raise InputError(f"{where}: {count} columns are named {name!r:.40}; column names must be unique")
    raise InputError(f"{where}: no column {name!r:.40}; set {option} to one of {listed(header)}")


def listed(names: list[str]) -> str:
    """Format at most ten names, and about 120 characters, for an error message."""
    written = [f"{name!r:.40}" for name in names[:10]]
    fitting = sum(length <= 120 for length in itertools.accumulate(map(len, written)))
    shown = ", ".join(written[:fitting])
    return f"{shown} and {len(names) - fitting} more" if len(names) > fitting else shown
