"""Reader for numeric time series in CSV columns, one row per step; errors name the file and line."""

import contextlib
import itertools
import logging
import math
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from corpora.dates import NAMES, Dates, chronological, is_date, parse_dates
from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.readers import source_lines
from corpora.sources import resolve_one
from corpora.tables import check_width, csv_records, listed, position

_log = logging.getLogger(__name__)

_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none"))
_INDEX_NAMES = frozenset(("", "unnamed: 0", "index"))
"""Lower-case names of columns that pandas and R write for row numbers."""
_COMMA = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_WRITTEN_NUMBER = re.compile(
    r"[€$£]?\s?[-+]?[€$£]?\s?(\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d+)?|\d{1,3}(\.\d{3})+,\d+|\d+([.,]\d+)?)\s?[%€$£]?"
)
"""A number as people write it, with separators or a unit."""


class DatedSeries(NamedTuple):
    """Columns of a time series, oldest record first, and the dates of its records.

    Attributes:
        columns: names mapped to their values, all of the same length.
        dates: None if no column holds dates.
    """

    columns: dict[str, list[float]]
    dates: Dates | None


def read_series(
    source: str | os.PathLike[str],
    columns: Sequence[str] = (),
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
) -> dict[str, list[float]]:
    """Read numeric columns from a CSV file with a header and one record per step.

    Records are sorted by the first column that holds dates, if there is one. In a file separated by semicolons, numbers
    may have a decimal comma.

    Args:
        source: a file, plain or compressed, ``-`` for standard input, or a part of a catalogue data set
            (``data:series/daily-min-temperatures``).
        columns: column names; if empty, every column that begins with a number, except row numbers and dates.
        encoding, encoding_errors: see :class:`corpora.TextCorpus`.

    Returns:
        Column names mapped to their values, all of the same length.

    Raises:
        InputError: a column is missing, a cell is not a finite number, there are no records or no header, or a date is
            missing or occurs twice.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "sales.csv"
        >>> _ = path.write_text('"Month","Sales"\\n"2001-01",266.0\\n"2001-02",145.9\\n')
        >>> read_series(path)
        {'Sales': [266.0, 145.9]}
    """
    return read_dated_series(source, columns, encoding=encoding, encoding_errors=encoding_errors).columns


def read_dated_series(
    source: str | os.PathLike[str],
    columns: Sequence[str] = (),
    by: str | None = None,
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
) -> DatedSeries:
    """Read numeric columns and the dates of their records; see :func:`read_series`.

    Args:
        source, columns, encoding, encoding_errors: as for :func:`read_series`.
        by: a column that names the series of each record, such as a company. Each name, in the order of their first
            records, becomes a column, which also has the name of the numeric column if there are several.

    Raises:
        InputError: as for :func:`read_series`; the series of a file with ``by`` have other dates, or other lengths.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "sales.csv"
        >>> _ = path.write_text("Month,Sales\\n2001-02,145.9\\n2001-01,266\\n")
        >>> read_dated_series(path)
        DatedSeries(columns={'Sales': [266.0, 145.9]}, dates=Dates(unit='month', values=[24012, 24013]))
    """
    rows = _read_rows(source, columns, encoding, encoding_errors)
    if by is None:
        return _dated_columns(rows, columns)
    parts, dates = _by_name(rows, by, columns)
    found: dict[str, list[float]] = {}
    for name in dict.fromkeys(itertools.chain.from_iterable(parts.values())):
        own = [column for column in parts if name in parts[column]]
        found |= {name if len(own) == 1 else f"{name} {column}": parts[column][name] for column in own}
    return DatedSeries(found, dates)


def read_series_of_columns(
    source: str | os.PathLike[str],
    columns: Sequence[str],
    by: str | None,
    more: Sequence[str] = (),
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
) -> tuple[dict[str, dict[str, list[float]]], Dates | None]:
    """Return the series of each column of a file by the names in its column ``by``, and the dates.

    Without ``by``, each column is one series, named "". Columns in ``more`` are read besides the others, even if they
    hold row numbers or dates. The rest is as for :func:`read_dated_series`.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "sales.csv"
        >>> _ = path.write_text("shop,sales\\na,4\\nb,5\\na,6\\nb,7\\n")
        >>> read_series_of_columns(path, [], "shop")[0]
        {'sales': {'a': [4.0, 6.0], 'b': [5.0, 7.0]}}
    """
    rows = _read_rows(source, [*columns, *more], encoding, encoding_errors)
    if by is not None:
        return _by_name(rows, by, columns, more)
    found, dates = _dated_columns(rows, columns, more)
    return {column: {"": values} for column, values in found.items()}, dates


class _Rows(NamedTuple):
    """Records of a CSV file, and where they are."""

    header: list[str]
    first: str
    cells: list[list[str]]
    wheres: list[str]
    semicolons: bool


def _read_rows(source: str | os.PathLike[str], columns: Sequence[str], encoding: str, encoding_errors: str) -> _Rows:
    """Read the records of a file that has the columns."""
    found = resolve_one(source)
    header: list[str] = []
    first = semicolons = ""
    places: dict[str, int] = {}
    rows: list[list[str]] = []
    wheres: list[str] = []
    with contextlib.closing(source_lines(found, encoding, encoding_errors)) as lines:
        for where, cells, delimiter in csv_records(found.name, enumerate(lines, 1)):
            cells = [cell.strip() for cell in cells]
            if not header:
                header, first, semicolons = cells, where, ";" if delimiter == ";" else ""
                places = {name: position(where, header, name, "column") for name in columns}
            elif cells:
                check_width(where, cells, len(header))
                rows.append(cells)
                wheres.append(where)
    if not places and header and all(_number(cell) is not None or is_date(cell) for cell in header):
        raise InputError(f"{first}: expected the names of the columns, found {listed(header)}; add a header line")
    if not rows:
        raise InputError(f"{found.name} contains no numbers; expected a header and one record per step")
    return _Rows(header, first, rows, wheres, bool(semicolons))


def _by_name(
    rows: _Rows, by: str, columns: Sequence[str], more: Sequence[str] = ()
) -> tuple[dict[str, dict[str, list[float]]], Dates | None]:
    """Return the series that the column called ``by`` names, by column and name, and their dates."""
    at = position(rows.first, rows.header, by, "by")
    header = [*rows.header[:at], *rows.header[at + 1 :]]
    members: dict[str, list[int]] = {}
    for row, cells in enumerate(rows.cells):
        members.setdefault(cells.pop(at), []).append(row)
    parts = {
        name: rows._replace(
            header=header, cells=[rows.cells[row] for row in chosen], wheres=[rows.wheres[row] for row in chosen]
        )
        for name, chosen in members.items()
    }
    if not columns:  # all series have the columns that are numeric in one
        numeric = {column for own in parts.values() for column in _numeric(own, *_table(own))}
        columns = [column for column in header if column in numeric]
    found: dict[str, dict[str, list[float]]] = {}
    dates: Dates | None = None
    for number, (name, own) in enumerate(parts.items()):
        series = _dated_columns(own, columns, more, quiet=number > 0)
        if number and (series.dates != dates or len(own.cells) != len(next(iter(parts.values())).cells)):
            first = next(iter(parts))
            raise InputError(
                f"{own.wheres[0]}: {by:.40} {name!r:.40} must have the dates of {first!r:.40}, "
                f"{len(parts[first].cells):,} records, found {len(own.cells):,} records; fill in the missing ones"
            )
        dates = series.dates
        for column, values in series.columns.items():
            found.setdefault(column, {})[name] = values
    return found, dates


def _dated_columns(rows: _Rows, columns: Sequence[str], more: Sequence[str] = (), quiet: bool = False) -> DatedSeries:
    """Return the columns, or all numeric ones if none are named, and ``more``, in the order of their dates."""
    header, wheres = rows.header, rows.wheres
    named, others = ({name: position(wheres[0], header, name, "column") for name in names} for names in (columns, more))
    table, commas = _table(rows)
    places = (named or _numeric(rows, table, commas)) | others
    order, dates = _dated(header, table, wheres, set(places.values()), quiet)
    series = {name: _values(name, table[place], wheres, place in commas) for name, place in places.items()}
    return DatedSeries({name: [values[row] for row in order] for name, values in series.items()}, dates)


def _table(rows: _Rows) -> tuple[dict[int, tuple[str, ...]], set[int]]:
    """Return the cells of each column by its place, and the places of those with decimal commas."""
    header, _, cells, wheres, semicolons = rows
    table = dict(enumerate(zip(*cells, strict=True)))
    return table, {each for each in table if semicolons and _has_decimal_commas(header[each], table[each], wheres)}


def _numeric(rows: _Rows, table: dict[int, tuple[str, ...]], commas: set[int]) -> dict[str, int]:
    """Return the places of the columns that begin with a number, by name, except row numbers and dates."""
    header, wheres = rows.header, rows.wheres
    found: dict[str, int] = {}
    times: dict[str, int] = {}
    unreadable: tuple[str, str, str] | None = None
    for place, name in enumerate(header):
        row = next((row for row, cell in enumerate(table[place]) if cell.lower() not in _MISSING), None)
        if row is None:
            continue
        cell = table[place][row]
        if _number(cell, place in commas) is not None:
            kept = times if _is_time(name, place, table[place]) else found
            kept[name] = place
        elif unreadable is None and not is_date(cell) and _WRITTEN_NUMBER.fullmatch(cell):
            unreadable = wheres[row], name, cell
    if unreadable is not None:
        where, name, cell = unreadable
        raise InputError(f"{where}: {name:.40} is {cell!r:.40}; {_PLAIN}, or choose other columns by name")
    if not found:
        found, times = times, {}
    if not found:
        raise InputError(f"{wheres[0]}: no column contains a number; a series needs at least one")
    for name in found:
        position(wheres[0], header, name, "column")
    if times:
        source = wheres[0].rsplit(":", 1)[0]
        _log.info("%s: not forecast, as row numbers or dates: %s", source, listed(list(times)))
    return found


def _dated(
    header: list[str], table: dict[int, tuple[str, ...]], wheres: list[str], forecast: set[int], quiet: bool
) -> tuple[list[int], Dates | None]:
    """Return the rows in the order of their dates, and the dates in that order; None if no column holds dates."""
    columns = [(header[place] or "the first column", cells) for place, cells in table.items() if place not in forecast]
    parts = {_PARTS[name.lower()]: cells for name, cells in columns if name.lower() in _PARTS}
    if {"year", "month"} <= parts.keys():
        joined = tuple(
            map("-".join, zip(*(parts[part] for part in ("year", "month", "day") if part in parts), strict=True))
        )
        columns.insert(0, ("date", joined))
    for place, (name, cells) in enumerate(columns):
        dates = parse_dates(name, cells, wheres, strict=place == 0 or name.lower() in NAMES, quiet=quiet)
        if dates is None:
            continue
        if len(set(dates.values)) < len(dates.values) and any(
            other.lower() in NAMES for other, _ in columns if other != name
        ):
            continue  # a part of the date, such as its year
        order = chronological(name, dates, cells, wheres)
        return order, Dates(dates.unit, [dates.values[row] for row in order])
    return list(range(len(wheres))), None


_PARTS = {"year": "year", "jahr": "year", "month": "month", "monat": "month", "day": "day", "tag": "day"}
_PLAIN = "write numbers with a decimal point and without separators or units"


def _is_time(name: str, place: int, cells: tuple[str, ...]) -> bool:
    """Return whether a column of numbers holds row numbers, or dates, rather than a series."""
    if name.lower() in _INDEX_NAMES:
        return place == 0 or all(cell.isdecimal() for cell in cells)
    if all(len(cell) == 8 and cell.isdecimal() and is_date(cell) for cell in cells):  # yyyymmdd
        return True
    if name.lower() not in NAMES:
        return False
    values = [_number(cell) or 0.0 for cell in cells]
    return all(cell.isdecimal() for cell in cells) or all(map(float.__lt__, values, values[1:]))


def _has_decimal_commas(name: str, cells: tuple[str, ...], wheres: list[str]) -> bool:
    """Return whether the numbers of a column have decimal commas.

    Raises:
        InputError: they may be thousands separators, or other numbers of the column have decimal points.
    """
    written = [row for row, cell in enumerate(cells) if _COMMA.fullmatch(cell)]
    if not written or any(_number(cell, True) is None for cell in cells if cell.lower() not in _MISSING):
        return False
    where, cell = wheres[written[0]], cells[written[0]]
    if any("." in cell for cell in cells):
        raise InputError(f"{where}: {name:.40} is {cell!r:.40}, but other numbers have decimal points; {_PLAIN}")
    if all(_THOUSANDS.fullmatch(cells[row]) for row in written):
        raise InputError(
            f"{where}: {name:.40} is {cell!r:.40}, which may have a decimal comma or a thousands separator; {_PLAIN}"
        )
    return True


def _values(name: str, cells: tuple[str, ...], wheres: list[str], comma: bool) -> list[float]:
    found = []
    for where, cell in zip(wheres, cells, strict=True):
        value = _number(cell, comma)
        if value is None:
            remedy = _PLAIN if _WRITTEN_NUMBER.fullmatch(cell) else "fill missing values first"
            raise InputError(f"{where}: {name:.40} must be a number, found {cell!r:.40}; {remedy}")
        found.append(value)
    return found


def _number(cell: str, comma: bool = False) -> float | None:
    if comma and _COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
