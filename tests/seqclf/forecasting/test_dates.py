"""Dates of forecast steps."""

import pytest

from seqclf.forecasting.dates import dates_after


@pytest.mark.parametrize(
    ("unit", "first", "step", "expected"),
    [
        ("year", 1995, 2, ["2001", "2003"]),
        ("month", 12 * 1999 + 10, 3, ["2000-08", "2000-11"]),
        ("day", 738_000, 7, ["2021-08-19", "2021-08-26"]),
        ("weekday", 527141, 1, ["2021-07-30", "2021-08-02"]),
        ("second", 1_700_000_000, 3600, ["2023-11-15T01:13:20", "2023-11-15T02:13:20"]),
    ],
)
def test_dates_follow_the_calendar(unit, first, step, expected):
    assert dates_after({"unit": unit, "first": first, "step": step}, 3, 2) == expected


def test_no_dates_without_a_calendar_or_beyond_it():
    assert dates_after(None, 3, 2) is None
    assert dates_after({"unit": "day", "first": 3_650_000, "step": 365}, 10, 9) is None
