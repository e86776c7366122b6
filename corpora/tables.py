"""Tables with a header: CSV records with the place of each, and a column found by its name."""

import contextlib
import csv
import itertools
from collections.abc import Iterator

from corpora.errors import InputError

Lines = Iterator[tuple[int, str]]
"""Line numbers from 1, and lines without their ends."""


def csv_records(name: str, lines: Lines) -> Iterator[tuple[str, list[str], str]]:
    """The records of a CSV file, header and empty ones included: where each begins (``file:line``), its cells, and what
    separates them.

    A header with semicolons and no comma makes the semicolon the separator. Quoted fields may hold line ends.

    Raises:
        InputError: a quote is never closed, or stands where it must not.
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
        return "a double quote opens a field that starts here and is never closed"
    return f"{reason}; inside quotes a double quote is written twice"


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """csv refuses fields of more than 131,072 characters, and knows one limit for the whole process only."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def check_width(where: str, cells: list[str], columns: int, hint: str = "") -> None:
    """See that a record has as many cells as the header.

    Raises:
        InputError: it has not; ``hint`` says what to do about too many.
    """
    if len(cells) != columns:
        more = f"; {hint}" if hint and len(cells) > columns else ""
        expected = "1 column" if columns == 1 else f"{columns} columns"
        raise InputError(f"{where}: expected {expected}, found {len(cells)}{more}")


def position(where: str, header: list[str], name: str, option: str) -> int:
    """Where the column ``name`` stands in a header.

    Raises:
        InputError: nowhere, or twice; ``option`` is where another can be chosen.
    """
    count = header.count(name)
    if count == 1:
        return header.index(name)
    if count:
        raise InputError(f"{where}: {count} columns are called {name!r}; give each its own name")
    raise InputError(f"{where}: no column is called {name!r}; there are {listed(header)}: choose one as {option}")


def listed(names: list[str]) -> str:
    """At most ten names for a message."""
    shown = ", ".join(map(repr, names[:10]))
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
