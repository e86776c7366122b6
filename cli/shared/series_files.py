"""Series, columns known ahead and forecasts as files, for ``forecast``."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.shared.reporting import finite

if TYPE_CHECKING:
    from corpora.dates import Dates


def rows_of(series: dict[str, list[float]]) -> list[tuple[float, ...]]:
    """Return the rows of some columns."""
    return list(zip(*series.values(), strict=True))


def read_columns(
    data: str,
    columns: Sequence[str],
    future_columns: Sequence[str],
    by: str | None,
    encoding: Mapping[str, str],
    names: Sequence[str] = (),
) -> "tuple[dict[str, list[float]], dict[str, list[float]], Dates | None]":
    """Return the columns to forecast, those known ahead, and the dates.

    With ``by``, a column known ahead is one column if it is equal in all series, or else one for each of them.

    Args:
        data, columns, future_columns, by: the file, and options. encoding: the options of the encoding.
        names: of the columns known ahead that a model reads; empty before a training.
    """
    from corpora import read_dated_series
    from corpora.series import read_series_of_columns

    if not future_columns:
        series, dates = read_dated_series(data, columns, by, **encoding)
        return series, {}, dates
    both = sorted(set(columns) & set(future_columns))
    if both:
        raise click.UsageError(
            f"a column is forecast, or known ahead, got {both[0]!r} for --column and --future-column"
        )
    ahead = list(dict.fromkeys(future_columns))
    parts, dates = read_series_of_columns(data, list(dict.fromkeys(columns)), by, ahead, **encoding)
    columns = [name for name in parts if name not in ahead]
    if not columns:
        raise click.UsageError("--future-column must leave a column to forecast")
    if by is None:
        return {name: parts[name][""] for name in columns}, {name: parts[name][""] for name in ahead}, dates
    series = {
        name if len(columns) == 1 else f"{name} {column}": parts[column][name]
        for name in parts[columns[0]]
        for column in columns
    }
    known = {column: parts[column] for column in ahead}
    return series, _joined(data, known, by, names or _ahead_names(known)), dates


def _ahead_names(parts: Mapping[str, Mapping[str, list[float]]]) -> list[str]:
    """Return the names of columns known ahead: one if all series have the same values, else one for each series."""
    found: list[str] = []
    for column, own in parts.items():
        first, *others = own.values()
        same = all(values == first for values in others)
        found += [column] if same else [f"{name} {column}" for name in own]
    return found


def read_future(
    path: str | None,
    names: list[str],
    series: Sequence[str],
    by: str | None,
    calendar: dict[str, Any] | None,
    length: int,
    encoding: Mapping[str, str],
) -> list[tuple[float, ...]]:
    """Return the columns known ahead, of the steps after a series of some length.

    Args:
        path: the file. names: of the columns known ahead. series: of the columns that are forecast.
        by: the column of the file that names the series; None if the file has a column for each of ``names``.
        calendar, length: of the series. encoding: the options of the encoding.
    """
    from corpora import InputError
    from corpora.series import read_series_of_columns
    from seqclf.forecasting.dates import dates_after

    if not names:
        raise click.UsageError("--future gives columns known ahead; the model was trained without --future-column")
    if path is None:
        raise click.UsageError(f"the model needs {', '.join(names)} of the steps to forecast; pass --future FILE")
    columns = columns_ahead(names, series, by)
    parts, dates = read_series_of_columns(path, columns, by, **encoding)
    found = {name: parts[name][""] for name in columns} if by is None else _joined(path, parts, by, names)
    expected = dates_after(calendar, length, len(next(iter(found.values()))))
    if dates is not None and expected is not None:
        (written,) = dates_after({"unit": dates.unit, "first": dates.values[0], "step": 1}, 0, 1) or ["?"]
        if not _is_same(written, expected[0]):
            raise InputError(f"{path}: the first record must be of {expected[0]}, the first step, got {written}")
    return rows_of(found)


def _is_same(date: str, step: str) -> bool:
    """Return whether a date is that of a step; a file of few records may have another unit than the series.

    Example:
        >>> _is_same("2024-02-01", "2024-02"), _is_same("2024-02", "2024-02-29"), _is_same("2024-02", "2024-03-01")
        (True, True, False)
        >>> _is_same("2024-02-01", "2024-02-01T00:00:00"), _is_same("2024-02-01", "2024-02-01T06:00:00")
        (True, False)
    """
    if "T" in step:
        return step in (date, f"{date}T00:00:00")
    return date.startswith(step) or step.startswith(date)


def columns_ahead(names: list[str], series: Sequence[str], by: str | None) -> list[str]:
    """Return the columns of a file from which a model's columns known ahead are read.

    With ``by``, the names begin with those of series, such as ``A price``, unless all series have the same values.

    Args:
        names: of the columns known ahead. series: of the columns that are forecast. by: as for ``read_columns``.
    """
    if by is None:
        return names
    words = [each.split(" ") for each in series]
    begins = {" ".join(each[:count]) + " " for each in words for count in range(1, len(each) + 1)}
    found = (min((name.removeprefix(begin) for begin in begins), key=len) for name in names)
    return list(dict.fromkeys(found))


def _joined(
    path: str, parts: Mapping[str, Mapping[str, list[float]]], by: str, names: Sequence[str]
) -> dict[str, list[float]]:
    """Return the columns ``names``: those of one series, or those that are equal in all series."""
    from corpora import InputError

    found = {f"{name} {column}": values for column, own in parts.items() for name, values in own.items()}
    for column, own in parts.items():
        first, *others = own.values()
        if column in names and any(values != first for values in others):
            raise InputError(f"{path}: {column} must be equal in all series of {by}, as in the training data")
        found[column] = first
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"{path}: {by} must name the series of the training data; {', '.join(missing)} is missing")
    return {name: found[name] for name in names}


def output_kind(path: str) -> str:
    """Return what to write to a file, from its suffix, before any work."""
    from wordvec.plotting.style import FORMATS, picture_format
    from wordvec.system.atomic_files import check_target

    kind = os.path.splitext(path)[1].lstrip(".").lower()
    if kind not in (*FORMATS, "csv", "json"):
        raise click.UsageError(f"--output must end in .{', .'.join(FORMATS)}, .csv or .json, got {path!r}")
    if kind in FORMATS:
        return picture_format(path)
    check_target(path)
    return kind


def write_rows(path: str, kind: str | None, rows: list[dict[str, Any]]) -> None:
    """Write the forecast as CSV with a header, or as JSON."""
    from wordvec.system.atomic_files import replacing

    if kind == "json":
        content = json.dumps(finite(rows), indent=2, ensure_ascii=False) + "\n"
    else:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue()
    with replacing(path) as file:
        file.write(content.encode())
