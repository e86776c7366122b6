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
    data: str, columns: Sequence[str], future_columns: Sequence[str], by: str | None, encoding: Mapping[str, str]
) -> "tuple[dict[str, list[float]], dict[str, list[float]], Dates | None]":
    """Return the columns to forecast, those known ahead, and the dates, given the options of the encoding."""
    from corpora import read_dated_series

    if not future_columns:
        series, dates = read_dated_series(data, columns, by, **encoding)
        return series, {}, dates
    both = sorted(set(columns) & set(future_columns))
    if both:
        raise click.UsageError(
            f"a column is forecast, or known ahead, got {both[0]!r} for --column and --future-column"
        )
    if not columns:
        columns = [name for name in read_dated_series(data, **encoding).columns if name not in future_columns]
    if not columns:
        raise click.UsageError("--future-column must leave a column to forecast")
    found, dates = read_dated_series(data, [*columns, *future_columns], **encoding)
    return {name: found[name] for name in columns}, {name: found[name] for name in future_columns}, dates


def read_future(
    path: str | None, names: list[str], calendar: dict[str, Any] | None, length: int, encoding: Mapping[str, str]
) -> list[tuple[float, ...]]:
    """Return the columns known ahead, of the steps after a series of some length."""
    from corpora import InputError, read_dated_series
    from seqclf.forecasting.dates import dates_after

    if not names:
        raise click.UsageError("--future gives columns known ahead; the model was trained without --future-column")
    if path is None:
        raise click.UsageError(f"the model needs {', '.join(names)} of the steps to forecast; pass --future FILE")
    found, dates = read_dated_series(path, names, **encoding)
    expected = dates_after(calendar, length, len(next(iter(found.values()))))
    if dates is not None and expected is not None:
        written = dates_after({"unit": dates.unit, "first": dates.values[0], "step": 1}, 0, 1)
        if written != expected[:1]:
            raise InputError(
                f"{path}: the first record must be of {expected[0]}, the first step, got {(written or ['?'])[0]}"
            )
    return rows_of(found)


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
