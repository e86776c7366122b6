"""Numeric columns from CSV files."""

import datetime
import gzip
import re

import pytest

from corpora import InputError, read_dated_series, read_series
from corpora.dates import Dates
from corpora.series import read_series_of_columns


def write(tmp_path, content, name="s.csv"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_named_columns_and_all_numeric_columns(tmp_path):
    path = write(tmp_path, "day,low,high,note\nMon,1,2.5,3\nTue,-4,5e1,x\n\n")
    with pytest.raises(InputError, match=r"s.csv:3: note must be a number, found 'x'; fill missing values first"):
        read_series(path)
    assert read_series(path, ["high", "low"]) == {"high": [2.5, 50.0], "low": [1.0, -4.0]}
    assert read_series(write(tmp_path, '"Month";"Sales"\n"1-01";7\n"1-02";8\n')) == {"Sales": [7.0, 8.0]}


def test_compressed_files_are_read(tmp_path):
    path = tmp_path / "s.csv.gz"
    path.write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert read_series(path) == {"x": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("", [], "contains no numbers"),
        ("a,b\n", [], "contains no numbers"),
        ("a,b\nx,y\n", [], "s.csv:2: no column contains a number"),
        ("a,b\n1,2\n", ["c"], "s.csv:1: no column 'c'; set column to one of 'a', 'b'"),
        ("a,a\n1,2\n", [], "s.csv:2: 2 columns are named 'a'"),
        ("a,b\n1,2\n3\n", ["a"], "s.csv:3: expected 2 columns, found 1"),
        ("a\n1\nnan\n", [], "s.csv:3: a must be a number, found 'nan'"),
        ("a\n1\n\n\n?0.2\n", [], r"s.csv:5: a must be a number, found '\?0.2'"),
        ('a\n1\n"2\n', [], "s.csv:3: not CSV: the double quote that opens a field"),
    ],
)
def test_invalid_series_errors_name_the_line(tmp_path, content, columns, message):
    with pytest.raises(InputError, match=message):
        read_series(write(tmp_path, content), columns)


MONTHS = [f"{1949 + month // 12}-{month % 12 + 1:02d}" for month in range(30)]
VALUES = [100.0 + 7 * (month % 12) + month for month in range(30)]


def table(dates, *, header="Month,Sales", order=range(30), extra=None):
    rows = [
        f"{dates[row]},{VALUES[row]}" if extra is None else f"{extra[row]},{dates[row]},{VALUES[row]}" for row in order
    ]
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize(
    ("header", "dates"),
    [
        ("Year,Sales", [str(1800 + row) for row in range(30)]),
        ("date,Sales", [month.replace("-", "") + "01" for month in MONTHS]),
        ("anything,Sales", [month.replace("-", "") + "01" for month in MONTHS]),
        (",Sales", [str(row) for row in range(30)]),
        ("Unnamed: 0,Sales", [str(row) for row in range(30)]),
        ("timestamp,Sales", [str(1_600_000_000 + 60 * row) for row in range(30)]),
        ("time,Sales", [str(row / 10) for row in range(30)]),
    ],
)
def test_row_numbers_and_dates_are_not_series(tmp_path, caplog, header, dates):
    with caplog.at_level("INFO"):
        assert read_series(write(tmp_path, table(dates, header=header))) == {"Sales": VALUES}
    assert "not forecast, as row numbers or dates: " + repr(header.split(",")[0]) in caplog.text
    with_month = table(MONTHS, header=f"{header.split(',')[0]},Month,Sales", extra=dates)
    assert read_series(write(tmp_path, with_month)) == {"Sales": VALUES}


def test_a_column_of_dates_is_read_when_named(tmp_path):
    path = write(tmp_path, "Year,Sales\n1800,1\n1801,2\n")
    assert read_series(path, ["Year"]) == {"Year": [1800.0, 1801.0]}
    assert read_series(write(tmp_path, "time\n3\n4\n")) == {"time": [3.0, 4.0]}


FORMATS = {
    "2003-01-31": lambda day: day.isoformat(),
    "2003-01-31 06:00": lambda day: f"{day.isoformat()} 06:00",
    "2003-01-31T00:00:00Z": lambda day: f"{day.isoformat()}T00:00:00Z",
    "2003/1/31": lambda day: f"{day.year}/{day.month}/{day.day}",
    "31.01.2003": lambda day: day.strftime("%d.%m.%Y"),
    "31/1/2003": lambda day: f"{day.day}/{day.month}/{day.year}",
    "1/31/2003": lambda day: f"{day.month}/{day.day}/{day.year}",
    "Jan 31, 2003": lambda day: day.strftime('"%b %d, %Y"'),
    "31-Jan-2003": lambda day: day.strftime("%d-%b-%Y"),
    "20030131": lambda day: day.strftime("%Y%m%d"),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("order", ["falling", "shuffled"])
def test_records_are_sorted_by_their_dates(tmp_path, caplog, form, order):
    dates = [FORMATS[form](datetime.date(2003, 1, 20) + datetime.timedelta(row)) for row in range(30)]
    rows = range(29, -1, -1) if order == "falling" else [(7 * row + 3) % 30 for row in range(30)]
    with caplog.at_level("INFO"):
        assert read_series(write(tmp_path, table(dates, header="day,Sales", order=rows))) == {"Sales": VALUES}
    assert "the records are sorted, oldest first" in caplog.text


@pytest.mark.parametrize("dates", [MONTHS, [f"{month}-01" for month in MONTHS], [f"{m[5:]}/{m[:4]}" for m in MONTHS]])
def test_months_are_recognized(tmp_path, dates):
    found = read_dated_series(write(tmp_path, table(dates, order=range(29, -1, -1))))
    assert found == ({"Sales": VALUES}, ("month", [12 * 1949 + row for row in range(30)]))
    assert found.dates.step() == 1


@pytest.mark.parametrize("count", [2, 3, 12, 60])
@pytest.mark.parametrize("header", ["week", "date"])
def test_weeks_are_not_months(tmp_path, header, count):
    mondays = [datetime.date(2023, 1, 2) + datetime.timedelta(7 * row) for row in range(count)]
    forms = ["%d/%m/%Y", "%d.%m.%Y", "%G-W%V", *(["%G%V", "%G-%V"] if header == "week" else [])]
    for form in forms:
        rows = "".join(f"{day.strftime(form)},{row}\n" for row, day in enumerate(mondays))
        found = read_dated_series(write(tmp_path, f"{header},x\n{rows}"))
        assert found == ({"x": [*map(float, range(count))]}, ("day", [day.toordinal() for day in mondays])), form


@pytest.mark.parametrize(
    ("form", "unit", "first", "warned"),
    [
        ("{:02}/02/2023", "day", datetime.date(2023, 2, 1).toordinal(), "2: date '01/02/2023' may be 2023-01-02 or "),
        ("02/{:02}/2023", "day", datetime.date(2023, 2, 1).toordinal(), "2: date '02/01/2023' may be 2023-01-02 or "),
        ("{:02}/01/2023", "month", 12 * 2023, "3: date '02/01/2023' may be 2023-01-02 or 2023-02-01, and is read as "),
        ("{:02}/15/2023", "month", 12 * 2023, ""),
        ("2023-02-{:02}", "day", datetime.date(2023, 2, 1).toordinal(), ""),
    ],
)
@pytest.mark.parametrize("by", [None, "shop"])
def test_few_dates_that_may_be_days_or_months_are_warned_of(tmp_path, caplog, form, unit, first, warned, by):
    shops = "ab" if by else "a"
    rows = "".join(f"{shop},{form.format(row)},{row}\n" for shop in shops for row in range(1, 13))
    found = read_dated_series(write(tmp_path, f"shop,date,x\n{rows}"), by=by)
    assert found.dates == (unit, [first + row for row in range(12)])
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == bool(warned)
    assert not warned or f"s.csv:{warned}" in warnings[0]
    assert not warned or warnings[0].endswith("; write dates as year-month-day")


def test_weeks_of_other_calendars_have_no_dates_and_gaps_are_refused(tmp_path):
    for weeks in (["2023-00", "2023-01"], ["2023-51", "2023-52", "2023-53"], ["2020-W52", "2021-W01"], ["1", "2"]):
        path = write(tmp_path, "\n".join(["week,x", *(f"{week},1" for week in weeks)]))
        assert read_dated_series(path) == ({"x": [1.0] * len(weeks)}, None)
    for third, message in (("2023-W02", "repeats the date of line 3"), ("2023-W04", "fill in the missing records")):
        path = write(tmp_path, f"week,x\n2023-W01,1\n2023-W02,2\n{third},3\n2023-W05,4\n2023-W06,4\n")
        with pytest.raises(InputError, match=message):
            read_dated_series(path)


def test_columns_for_year_and_month_are_one_date(tmp_path):
    parts = [month.split("-") for month in MONTHS]
    rows = [f"{int(month)},{year},{value}" for (year, month), value in zip(parts, VALUES, strict=True)]
    path = write(tmp_path, "\n".join(["month,year,Sales", *rows[::-1]]))
    assert read_dated_series(path) == ({"Sales": VALUES}, ("month", [12 * 1949 + row for row in range(30)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table(MONTHS, order=[*range(5), *range(8, 30)]), "s.csv:7: Month jumps from '1949-05' to '1949-09'; fill in"),
        (
            table(MONTHS, order=[*range(5), 3, *range(5, 30)]),
            "s.csv:7: Month '1949-04' repeats the date of line 5; keep one record a date, or set by to",
        ),
        (table([*MONTHS[:4], "", *MONTHS[5:]]), "s.csv:6: Month must be a date like '1949-01', found ''"),
        (table([*MONTHS[:4], "May", *MONTHS[5:]]), "s.csv:6: Month must be a date like '1949-01', found 'May'"),
        (
            table([f"2001-{1 + 7 * w // 28:02d}-{1 + 7 * w % 28:02d}" for w in range(4)] + ["2001-02-12"] * 26),
            "s.csv:7: Month '2001-02-12' repeats the date of line 6",
        ),
        ("1,2\n3,4\n", "s.csv:1: expected the names of the columns, found '1', '2'; add a header line"),
        ("2001-01,2\n2001-02,4\n", "s.csv:1: expected the names of the columns"),
        ("a,b\n,1\n2,\n", "s.csv:2: a must be a number, found ''; fill missing values first"),
        ('a,b\nx,"1,112"\n', "s.csv:2: b is '1,112'; write numbers with a decimal point and without separators"),
        ('a,b\n1,"1,112"\n', "s.csv:2: b is '1,112'"),
        ("a,b\n1,12%\n", "s.csv:2: b is '12%'"),
        ("a;b\nx;1,5\ny;1.5\n", "s.csv:2: b is '1,5', but other numbers have decimal points"),
        ("a;b\nx;1,500\ny;2,250\n", "s.csv:2: b is '1,500', which may have a decimal comma or a thousands"),
    ],
)
def test_invalid_records_are_named(tmp_path, content, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_series(write(tmp_path, content))


def test_decimal_commas_in_a_file_with_semicolons(tmp_path):
    path = write(tmp_path, "a;b;c\nx;-112,5;1.5\ny;0,125;2\nz;3;-1e3\n")
    assert read_series(path) == {"b": [-112.5, 0.125, 3.0], "c": [1.5, 2.0, -1000.0]}
    with pytest.raises(
        InputError, match=r"s.csv:2: b must be a number, found '1,5'; write numbers with a decimal point"
    ):
        read_series(write(tmp_path, 'a,b\nx,"1,5"\n'), ["b"])


def test_the_calendar_of_working_days_counts_back_from_the_last():
    days = [day for day in range(738000, 738060) if day % 7 not in (6, 0)]
    whole = Dates("day", days).calendar()
    assert whole == {"unit": "weekday", "first": 738000 // 7 * 5 + 738000 % 7 - 1, "step": 1}
    assert Dates("day", days[:9] + days[10:]).calendar() == whole | {"first": whole["first"] + 1}  # a holiday
    assert Dates("day", days[:9] + days[20:]).calendar() is None
    assert Dates("day", [*days, 738059]).calendar() is None  # a Sunday
    assert Dates("day", days[:1] + days[5:6] + days[10:11]).calendar() == {"unit": "day", "first": 738000, "step": 7}


def test_a_single_day_has_no_calendar():
    assert Dates("day", [738000]).calendar() is None  # a Thursday


def test_the_last_day_of_the_calendar_is_a_date(tmp_path):
    path = write(tmp_path, "until,x\n9999-11-30,1\n9999-12-31,2\n")
    assert read_dated_series(path) == ({"x": [1.0, 2.0]}, ("month", [12 * 9999 + 10, 12 * 9999 + 11]))


def test_daily_series_skip_weekends_silently_and_weeks_with_a_warning(tmp_path, caplog):
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(day) for day in range(60)]
    trading = [day.isoformat() for day in days if day.weekday() < 5][:30]
    assert read_series(write(tmp_path, table(trading))) == {"Sales": VALUES}
    assert not caplog.text
    trading[20:] = [day.isoformat() for day in days[-10:]]
    assert read_series(write(tmp_path, table(trading))) == {"Sales": VALUES}
    assert "s.csv:22: Month jumps from 2024-01-26 to 2024-02-20; records are taken as equally spaced" in caplog.text


@pytest.mark.parametrize("left_out", [5, 6, 20])
def test_a_missing_day_is_refused_if_the_series_has_all_days_of_the_week(tmp_path, left_out):
    days = [datetime.date(2023, 1, 1) + datetime.timedelta(day) for day in range(31)]
    before, after = days[left_out - 1], days[left_out + 1]
    del days[left_out]
    message = rf"s.csv:{left_out + 2}: Month jumps from '{before}' to '{after}'; fill in the missing records"
    with pytest.raises(InputError, match=message):
        read_series(write(tmp_path, table([day.isoformat() for day in days])))


def test_a_missing_day_in_a_short_series_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"s.csv:4: Month jumps from '2024-01-02' to '2024-01-04'"):
        read_series(write(tmp_path, "Month,Sales\n2024-01-01,1\n2024-01-02,2\n2024-01-04,3\n2024-01-05,4\n"))


def test_calendars_of_365_days_are_complete(tmp_path, caplog):
    days = [datetime.date(2024, 2, 14) + datetime.timedelta(day) for day in range(31)]
    days.remove(datetime.date(2024, 2, 29))
    assert read_series(write(tmp_path, table([day.isoformat() for day in days]))) == {"Sales": VALUES}
    assert not caplog.text


def test_a_column_names_the_series_of_each_record(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("day,shop,bread,milk\n2024-01-02,7,3,30\n2024-01-01,7,2,20\n2024-01-01,5,1,10\n2024-01-02,5,4,40\n")
    found = read_dated_series(path, by="shop")
    assert found.columns == {"7 bread": [2, 3], "7 milk": [20, 30], "5 bread": [1, 4], "5 milk": [10, 40]}
    assert found.dates == ("day", [738886, 738887])
    assert read_dated_series(path, ["milk"], by="shop").columns == {"7": [20, 30], "5": [10, 40]}
    path.write_text("shop,bread,milk\n7,1,10\n5,2,\n7,3,30\n5,4,\n")
    with pytest.raises(InputError, match=r"long.csv:3: milk must be a number, found ''; fill missing values first"):
        read_dated_series(path, by="shop")
    path.write_text("index,shop,bread\n0,7,1\n1,7,3\n")
    assert read_series_of_columns(path, [], "shop", ["index"])[0] == {"bread": {"7": [1, 3]}, "index": {"7": [0, 1]}}
    path.write_text("day,shop,bread\n2024-01-01,7,2\n2024-01-02,7,2\n2024-01-02,5,1\n2024-01-03,5,1\n")
    with pytest.raises(
        InputError, match=r"long.csv:4: shop '5' must have the dates of '7', 2 records, found 2 records"
    ):
        read_dated_series(path, by="shop")
