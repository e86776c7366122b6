"""Dates of the records of a time series: parsing of a column, order, repeats and gaps."""

import calendar
import datetime
import itertools
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from corpora.errors import InputError

_log = logging.getLogger(__name__)

_ENGLISH = (
    "year",
    "month",
    "day",
    "date",
    "time",
    "datetime",
    "timestamp",
    "week",
    "quarter",
    "hour",
    "minute",
    "period",
)
NAMES = frozenset((*_ENGLISH, "ds", "jahr", "monat", "tag", "datum", "zeit"))
"""Lower-case names of columns that hold the time of a record, even if their cells are plain numbers."""

_WARNED_DAYS = 5
"""Series of working days may skip this many days, such as weekends and holidays, without a warning."""
_WORKING_DAYS = 0.8
"""Share of the days from Monday to Friday that a series of working days has at least."""
_WEEKEND = {6, 0}
"""Saturday and Sunday, as proleptic day numbers modulo 7."""


class Dates(NamedTuple):
    """The times of the N records of a series, as whole numbers of a unit, which is exact where months are not.

    Attributes:
        unit: ``year``, ``month``, ``day`` or ``second``.
        values: (N,) such as 12 * year + month - 1, or the proleptic day number.
    """

    unit: str
    values: list[int]

    def step(self) -> int | None:
        """Return the distance of consecutive records, None unless it is the same everywhere and above 0."""
        steps = {later - earlier for earlier, later in zip(self.values, self.values[1:], strict=False)}
        return steps.pop() if len(steps) == 1 and min(steps) > 0 else None

    def calendar(self) -> dict[str, Any] | None:
        """Return unit, first date and step of equally spaced records, as a model stores them; otherwise None.

        Days without weekends are equally spaced in the unit ``weekday``, the number of days from Monday to Friday. The
        first date is then counted back from the last, as if no other day, such as a holiday, were left out.

        Example:
            >>> Dates("day", [738000, 738001, 738004]).calendar()  # Thursday, Friday, Monday
            {'unit': 'weekday', 'first': 527143, 'step': 1}
        """
        step = self.step()
        if step is not None:
            return {"unit": self.unit, "first": self.values[0], "step": step}
        if self.unit != "day" or len(self.values) < 2 or any(day % 7 in _WEEKEND for day in self.values):
            return None
        begin, *_, end = (day // 7 * 5 + day % 7 - 1 for day in self.values)
        if len(self.values) < _WORKING_DAYS * (end - begin + 1):
            return None
        return {"unit": "weekday", "first": end + 1 - len(self.values), "step": 1}


_Parsed = tuple[str, int]
_Parser = Callable[[str], _Parsed | None]


def _month(year: int, month: int) -> _Parsed | None:
    return ("month", 12 * year + month - 1) if 1 <= month <= 12 else None


def _iso(cell: str) -> _Parsed | None:
    if not re.match(r"\d{4}-\d\d-\d\d", cell):
        return None
    try:
        moment = datetime.datetime.fromisoformat(cell)
    except ValueError:
        return None
    if len(cell) <= 10:
        return "day", moment.toordinal()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return "second", int(moment.timestamp())


def _numbers(pattern: str, order: str) -> _Parser:
    """Return a parser of numbers; ``order`` says which are the year (y), the month (m) and the day (d)."""
    compiled = re.compile(pattern)

    def parse(cell: str) -> _Parsed | None:
        found = compiled.fullmatch(cell)
        if found is None:
            return None
        parts = dict(zip(order, map(int, found.groups()), strict=True))
        if "q" in parts:
            return _month(parts["y"], 3 * parts["q"] - 2)
        if "m" not in parts:
            return "year", parts["y"]
        if "d" not in parts:
            return _month(parts["y"], parts["m"])
        try:
            return "day", datetime.date(parts["y"], parts["m"], parts["d"]).toordinal()
        except ValueError:
            return None

    return parse


def _named(form: str) -> _Parser:
    def parse(cell: str) -> _Parsed | None:
        try:
            moment = datetime.datetime.strptime(cell, form)
        except ValueError:
            return None
        return ("day", moment.toordinal()) if "%d" in form else _month(moment.year, moment.month)

    return parse


_PARSERS: list[_Parser] = [
    _iso,
    _numbers(r"(\d{4})[-/. ]?[Qq]([1-4])", "yq"),
    _numbers(r"(\d{4})[-/.](\d\d?)", "ym"),
    _numbers(r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)", "ymd"),
    _numbers(r"([12]\d{3})([01]\d)([0-3]\d)", "ymd"),
    _numbers(r"(\d\d?)/(\d\d?)/(\d{4})", "mdy"),
    _numbers(r"(\d\d?)[./-](\d\d?)[./-](\d{4})", "dmy"),
    _numbers(r"(\d\d?)[/-](\d{4})", "my"),
    *map(_named, ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%b %Y", "%B %Y", "%Y %b", "%Y %B", "%b-%Y",
          "%b-%y")),
]  # fmt: skip
_NAMED_PARSERS: list[_Parser] = [_numbers(r"(\d{4})", "y"), _numbers(r"([12]\d{3})([01]\d)", "ym")]
"""Of numbers that are dates only in a column with such a name."""

_ISO_WEEK, _WEEK_NUMBER = re.compile(r"(\d{4})-?[Ww](\d\d)"), re.compile(r"(\d{4})[-/. ]?[Ww]?(\d\d?)")
_NO_WEEKS = ("year", "month")
"""Units that a column of weeks does not have: 202305 is a week there."""


def is_date(cell: str) -> bool:
    """Return whether a cell is written as a date."""
    return any(parse(cell) is not None for parse in _PARSERS)


def parse_dates(name: str, cells: Sequence[str], wheres: Sequence[str], strict: bool, quiet: bool) -> Dates | None:
    """Return the dates of a column, or None if it does not hold dates.

    Of two readings, such as of 01/02/2003, the one with equal steps is chosen; if both have them, the likelier one,
    with a warning.

    Args:
        name: of the column. cells: (N,) its cells. wheres: (N,) ``file:line`` of each.
        strict: a column that begins with a date must hold only dates. quiet: without the warning.

    Raises:
        InputError: with ``strict``, the first cell that is not a date.
    """
    of_weeks = name.lower() == "week"
    if (weeks := _weeks(cells, of_weeks)) is not None:
        return weeks
    parsers = [*_PARSERS, *(_NAMED_PARSERS if name.lower() in NAMES else ())]
    begun = [parse for parse in parsers if (first := parse(cells[0])) and not (of_weeks and first[0] in _NO_WEEKS)]
    complete = []
    for parse in begun:
        found = [parse(cell) for cell in cells]
        whole = [date for date in found if date is not None]
        if len(whole) == len(cells) and len({unit for unit, _ in whole}) == 1:
            complete.append(Dates(whole[0][0], [value for _, value in whole]))
    if not complete:
        if begun and strict:
            bad = next(row for row, cell in enumerate(cells) if all(parse(cell) is None for parse in begun))
            raise InputError(
                f"{wheres[bad]}: {name:.40} must be a date like {cells[0]!r:.40}, found {cells[bad]!r:.40}"
            )
        return None
    coarsened = [dates if of_weeks else _coarsened(dates) for dates in complete]
    if all(dates == coarsened[0] for dates in coarsened):
        return coarsened[0]
    # 01/02/2003 is two dates: choose the reading with equal steps
    equal = [place for place, dates in enumerate(coarsened) if _equal_step(dates)]
    if not equal:
        return None
    ranks = {place: _unlikely(complete[place]) for place in equal}
    chosen, *others = sorted(equal, key=ranks.__getitem__)
    if others and ranks[others[0]] < _MOST_UNLIKELY and not quiet:
        _warn_of_two(name, complete[chosen], complete[others[0]], cells, wheres)
    return coarsened[chosen]


def _warn_of_two(name: str, chosen: Dates, other: Dates, cells: Sequence[str], wheres: Sequence[str]) -> None:
    """Warn of dates that may be others."""
    row = next(row for row, value in enumerate(chosen.values) if value != other.values[row])
    read, also = (datetime.date.fromordinal(dates.values[row]) for dates in (chosen, other))
    _log.warning(
        "%s: %.40s %r may be %s or %s, and is read as %s; write dates as year-month-day", wheres[row], name, cells[row],
        *sorted((read, also)), read,
    )  # fmt: skip


def _equal_step(dates: Dates) -> int | None:
    """Return the step of rising or falling dates."""
    return dates.step() or Dates(dates.unit, dates.values[::-1]).step()


_MOST_UNLIKELY = 2


def _unlikely(dates: Dates) -> int:
    """Return how unlikely dates are, from 0.

    ``_MOST_UNLIKELY`` are odd numbers of months: 05/01/2023 and 12/01/2023 are rather a week apart. Months on another
    day than the first, such as 01/02/2023 and 02/02/2023, are rather days.
    """
    months = _coarsened(dates)
    step = _equal_step(months) or 1
    if months.unit != "month":
        return 0
    if 12 % step > 0 and step % 12 > 0:
        return _MOST_UNLIKELY
    return int(dates.unit == "day" and datetime.date.fromordinal(dates.values[0]).day > 1)


def _weeks(cells: Sequence[str], named: bool) -> Dates | None:
    """Return the Mondays of ISO weeks, such as 2023-W05, or 202305 if the column is ``named`` week; None for others.

    Of the years with 53 weeks, one must not lack the last: then the weeks are those of another calendar.
    """
    form, weeks = _WEEK_NUMBER if named else _ISO_WEEK, []
    for cell in cells:
        found = form.fullmatch(cell)
        if found is None:
            return None
        try:
            weeks.append((datetime.date.fromisocalendar(int(found[1]), int(found[2]), 1).toordinal(), int(found[2])))
        except ValueError:
            return None
    for (day, week), (later, following) in itertools.pairwise(sorted(weeks)):
        if (week, following, later - day) == (52, 1, 14):
            return None
    return Dates("day", [day for day, _ in weeks])


def _coarsened(dates: Dates) -> Dates:
    """Return dates in days where all are midnights, and in months where all are the same or the last day of one."""
    unit, values = dates
    if unit == "second" and all(value % 86_400 == 0 for value in values):
        epoch = datetime.date(1970, 1, 1).toordinal()
        unit, values = "day", [value // 86_400 + epoch for value in values]
    if unit == "day" and len(values) > 1:
        days = [datetime.date.fromordinal(value) for value in values]
        last = all(calendar.monthrange(day.year, day.month)[1] == day.day for day in days)
        months = [12 * day.year + day.month - 1 for day in days]
        if (last or len({day.day for day in days}) == 1) and len(set(months)) > 1:
            return Dates("month", months)
    return Dates(unit, values)


def chronological(name: str, dates: Dates, cells: Sequence[str], wheres: Sequence[str]) -> list[int]:
    """Return the rows in the order of their dates.

    Falling and shuffled dates are sorted, with a message. Gaps get a warning in series of working days and of steps
    shorter than a day.

    Args:
        name: of the column. dates: of N records. cells, wheres: (N,) as written, and ``file:line``.

    Raises:
        InputError: a date occurs twice, or is missing in a series of years, months, weeks, or all days of the week.
    """
    order = sorted(range(len(cells)), key=lambda row: dates.values[row])
    source = wheres[0].rsplit(":", 1)[0]
    if order != list(range(len(cells))):
        manner = "fall" if order == list(range(len(cells)))[::-1] else "are not in order"
        _log.info("%s: the dates of %.40s %s; the records are sorted, oldest first", source, name, manner)
    steps = [dates.values[later] - dates.values[earlier] for earlier, later in itertools.pairwise(order)]
    if not steps:
        return order
    if 0 in steps:
        earlier, later = order[steps.index(0)], order[steps.index(0) + 1]
        line = wheres[earlier].rsplit(":", 1)[1]
        raise InputError(
            f"{wheres[later]}: {name:.40} {cells[later]!r:.40} repeats the date of line {line}; "
            "keep one record a date, or set by to the column that names the series"
        )
    usual = Counter(steps).most_common(1)[0][0]
    regular = dates.unit in ("year", "month") or (dates.unit == "day" and usual % 7 == 0)
    every_day = dates.unit == "day" and usual == 1 and _includes_all_weekdays(dates.values)
    for place, step in enumerate(steps):
        earlier, later = order[place], order[place + 1]
        gap = f"{name:.40} jumps from {cells[earlier]!r:.40} to {cells[later]!r:.40}"
        if step > usual and (regular or (every_day and not _is_leap_day(dates.values[earlier], step))):
            raise InputError(f"{wheres[later]}: {gap}; fill in the missing records")
    if every_day:
        return order
    longest = max(range(len(steps)), key=steps.__getitem__)
    if steps[longest] > usual * (_WARNED_DAYS if dates.unit == "day" else 1):
        earlier, later = order[longest], order[longest + 1]
        _log.warning(
            "%s: %.40s jumps from %.40s to %.40s; records are taken as equally spaced",
            wheres[later], name, cells[earlier], cells[later],
        )  # fmt: skip
    return order


def _includes_all_weekdays(days: Sequence[int]) -> bool:
    """Return whether no day of the week is always, or mostly, left out, as weekends are in series of working days."""
    counts = Counter(day % 7 for day in days)
    span = range(min(days), max(days))
    closed = {day % 7 for day in span if 2 * counts[day % 7] < max(counts.values())}
    return not (closed if len(span) >= 14 else closed & _WEEKEND)


def _is_leap_day(day: int, step: int) -> bool:
    """Return whether the step leaves out the day that calendars of 365 days lack: 29 February or 31 December."""
    left_out = datetime.date.fromordinal(day + 1)
    return step == 2 and calendar.isleap(left_out.year) and (left_out.month, left_out.day) in ((2, 29), (12, 31))
