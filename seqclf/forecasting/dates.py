"""Dates of forecast steps, from the calendar of a series."""

import datetime
from collections.abc import Mapping
from typing import Any


def dates_after(calendar: Mapping[str, Any] | None, values: int, steps: int) -> list[str] | None:
    """Return the dates of the steps after a series, in ISO 8601; None without equally spaced dates, or after year 9999.

    Args:
        calendar: ``unit``, ``first`` and ``step``, as ``Dates.calendar`` returns them.
        values: the length of the series. steps: the number of dates.

    Example:
        >>> dates_after({"unit": "month", "first": 12 * 1960, "step": 1}, 12, 2)
        ['1961-01', '1961-02']
    """
    if calendar is None:
        return None
    unit, first, step = (calendar[name] for name in ("unit", "first", "step"))
    try:
        return [_written(unit, first + step * (values + ahead)) for ahead in range(steps)]
    except (OverflowError, ValueError, OSError):
        return None


def _written(unit: str, value: int) -> str:
    if unit == "year":
        return f"{value:04d}"
    if unit == "month":
        return f"{value // 12:04d}-{value % 12 + 1:02d}"
    if unit == "day":
        return datetime.date.fromordinal(value).isoformat()
    if unit == "weekday":
        return datetime.date.fromordinal(value // 5 * 7 + value % 5 + 1).isoformat()
    moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
    return moment.replace(tzinfo=None).isoformat()
