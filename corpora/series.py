"""Reader for numeric time series in CSV columns, one row per step; errors name the file and line."""

import contextlib
import math
import os
from collections.abc import Sequence

from corpora.errors import InputError
from corpora.readers import source_lines
from corpora.sources import resolve_one
from corpora.tables import check_width, csv_records, position


def read_series(source: str | os.PathLike[str], columns: Sequence[str] = ()) -> dict[str, list[float]]:
    """Read numeric columns from a CSV file with a header and one record per step, oldest first.

    Args:
        source: a file, plain or compressed, ``-`` for standard input, or a part of a catalogue data set
            (``data:series/daily-min-temperatures``).
        columns: column names; if empty, every column with a number in the first record.

    Returns:
        Column names mapped to their values, all of the same length.

    Raises:
        InputError: a column is missing, a cell is not a finite number, or there are no records.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "sales.csv"
        >>> _ = path.write_text('"Month","Sales"\\n"2001-01",266.0\\n"2001-02",145.9\\n')
        >>> read_series(path)
        {'Sales': [266.0, 145.9]}
    """
    found = resolve_one(source)
    header: list[str] = []
    places: dict[str, int] = {}
    series: dict[str, list[float]] = {}
    with contextlib.closing(source_lines(found, "strict")) as lines:
        for where, cells, _ in csv_records(found.name, enumerate(lines, 1)):
            if not header:
                header = [cell.strip() for cell in cells]
                places = {name: position(where, header, name, "column") for name in columns}
                continue
            if not cells:
                continue
            check_width(where, cells, len(header))
            if not series:
                places = places or {
                    name: position(where, header, name, "column")
                    for name, cell in zip(header, cells, strict=True)
                    if _number(cell) is not None
                }
                if not places:
                    raise InputError(f"{where}: no column contains a number; a series needs at least one")
                series = {name: [] for name in places}
            for name, place in places.items():
                value = _number(cells[place])
                if value is None:
                    raise InputError(
                        f"{where}: {name} must be a number, found {cells[place]!r:.40}; fill missing values first"
                    )
                series[name].append(value)
    if not series:
        raise InputError(f"{found.name} contains no numbers; expected a header and one record per step")
    return series


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
