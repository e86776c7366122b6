"""``forecast``: train with and without a back-test, predict, one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.series_files import read_future
from seqclf import load_model
from wordvec import InputError

SMALL = ("--hidden-size", "8", "--window", "6", "--horizon", "2", "--epochs", "2")
TINY = (*SMALL, "--method", "network")


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.forecast, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(1).normal(20, 3, (100, 2)).round(2)
    rows = [f"day {day},{low},{high}" for day, (low, high) in enumerate(values.tolist())]
    Path("data.csv").write_text("\n".join(["Date,Low,High", *rows]) + "\n")
    return values


def test_defaults_and_choices_match_the_library():
    from cli.forecast import METHODS
    from seqclf import ForecasterSettings
    from seqclf.forecasting.settings import SEASONAL, STRATEGIES
    from seqclf.layers.choices import CELLS, RESETS
    from seqclf.training.settings import OPTIMIZERS, SCHEDULES

    train = main.forecast.commands["train"]
    defaults = train.make_context("train", ["data", "-o", "model"]).params
    settings = vars(ForecasterSettings())
    assert {name: defaults[name] for name in settings} == settings
    choices = {p.name: set(p.type.choices) for p in train.params if hasattr(p.type, "choices")}
    known = {"cell": CELLS, "reset": RESETS, "strategy": STRATEGIES, "seasonal": SEASONAL, "method": METHODS}
    known |= {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "encoding_errors": ("strict", "replace")}
    assert choices == {name: set(values) for name, values in known.items()}


def test_options_reach_the_library(data):

    invoke(
        *("train", "data.csv", "-o", "m.safetensors", "--column", "High", "--window", 5, "--horizon", 3, "--log"),
        *(
            "--strategy",
            "recursive",
            "--season",
            7,
            "--seasonal",
            "both",
            "--relative",
            "--related",
            "--cell",
            "gru",
            "--epochs",
            2,
        ),
        *("--reset", "before", "--layers", 2, "--hidden-size", 4, "--dropout", 0.1, "--huber", 2, "--batch-size", 8),
        *("--learning-rate", 0.01, "--patience", 2, "--validation-fraction", 0.2, "--seed", 3, "--threads", 1),
        *("--method", "network"),
    )
    from seqclf import load_model

    forecaster = load_model("m.safetensors", "forecaster")
    expected = {
        **{"window": 5, "horizon": 3, "log": True, "strategy": "recursive", "season": 7, "seasonal": "both"},
        **{
            "relative": True,
            "related": True,
            "cell": "gru",
            "epochs": 2,
            "reset": "before",
            "layers": 2,
            "hidden_size": 4,
        },
        **{"dropout": 0.1, "huber": 2, "batch_size": 8, "learning_rate": 0.01, "patience": 2},
        **{"validation_fraction": 0.2, "seed": 3},
    }
    assert expected.items() <= vars(forecaster.settings).items()
    assert forecaster.names == ["High"]


def test_back_test_prints_a_table_and_enables_intervals(data):
    result = invoke("train", "data.csv", "-o", "m.safetensors", *TINY, "--test", 30, "--naive-season", 7, "--seed", 2)
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["29", "origins"]
    assert [line.split("  ")[0].strip() for line in lines[1:]] == ["lstm, direct", "naive", "seasonal-naive 7"]
    assert "(" in lines[2]
    assert "m.safetensors: Low, High: 2 steps from 6 values" in result.stderr
    rows = [line.split("\t") for line in invoke("predict", "m.safetensors").stdout.splitlines()]
    assert [row[:2] for row in rows] == [["Low", "1"], ["Low", "2"], ["High", "1"], ["High", "2"]]
    for row in rows:
        value, low, high = map(float, row[2:])
        assert low < value < high
    (narrow,) = json.loads(invoke("predict", "m.safetensors", "--steps", 1, "--level", 0.5, "--json").stdout)[:1]
    assert narrow["low"] > float(rows[0][3])


def test_json_and_quiet(data):
    result = invoke("train", "data.csv", "-o", "m.safetensors", *TINY, "--column", "Low", "--test", 9, "--json", "-q")
    found = json.loads(result.stdout)
    assert result.stderr == ""
    assert (found["columns"], found["values"], found["back_test"]["origins"]) == (["Low"], 100, 8)
    assert found["back_test"]["scores"][1]["mae_margin"]["low"] is None
    again = invoke("train", "data.csv", "-o", "n.safetensors", *TINY, "--column", "Low", "--test", 9)
    assert "8 origins are too few for confidence intervals" in again.stderr
    assert Path("m.safetensors").read_bytes() == Path("n.safetensors").read_bytes()


def test_predictions_continue_given_data(data):
    invoke("train", "data.csv", "-o", "m.safetensors", *TINY, "--column", "Low")
    default = invoke("predict", "m.safetensors").stdout
    assert [len(line.split("\t")) for line in default.splitlines()] == [2, 2]
    assert invoke("predict", "m.safetensors", "data.csv").stdout == default
    Path("other.csv").write_text("Level\n" + "\n".join(map(str, range(20, 30))) + "\n")
    assert invoke("predict", "m.safetensors", "other.csv", "--column", "Level").stdout != default


def test_recent_values_are_placed_in_the_season_by_their_dates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{1990 + row // 12}-{row % 12 + 1:02d},{50 + row % 12 * 3 + row * 0.1}" for row in range(120)]
    for name, first in [("all", 0), ("years", 72), ("months", 101)]:
        Path(f"{name}.csv").write_text("\n".join(["Month,Sales", *rows[first:]]) + "\n")
    Path("undated.csv").write_text(Path("months.csv").read_text().replace("-", "x"))
    Path("weeks.csv").write_text("Week,Sales\n" + "".join(f"2024-01-{1 + 7 * w:02d},{w}\n" for w in range(4)))
    Path("holes.csv").write_text("Day,Sales\n2024-01-01,3\n2024-01-02,3\n2024-01-04,4\n")
    invoke("train", "all.csv", "-o", "m.safetensors", *TINY, "--season", 12, "-q")

    def values(*arguments):
        lines = invoke("predict", "m.safetensors", *arguments).stdout.splitlines()
        return [line.split("\t")[1] for line in lines]

    expected = values()
    for arguments in [("all.csv",), ("years.csv",), ("months.csv",), ("undated.csv", "--start", 101 - 12)]:
        assert values(*arguments) == expected
    assert values("undated.csv") != expected
    assert values("months.csv", "--start", 0) != expected
    found = invoke("predict", "m.safetensors", "weeks.csv", code=1).stderr
    assert (
        "the series must have dates 1 month(s) apart that continue those of the training series, got 7 day(s)" in found
    )
    assert "fill in the missing records" in invoke("predict", "m.safetensors", "holes.csv", code=1).stderr
    assert "--start is the position of DATA" in invoke("predict", "m.safetensors", "--start", 3, code=2).stderr


def test_a_forecast_without_options(tmp_path, monkeypatch):
    """Season, logarithm and method are chosen and explained; intervals come without a back-test of one's own."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(1).normal(0, 0.03, 48)
    values = np.exp(4 + 0.02 * np.arange(48) + 0.3 * np.sin(np.arange(48) * 2 * np.pi / 12) + noise)
    rows = [f"{1990 + row // 12}-{row % 12 + 1:02d},{value:.2f}" for row, value in enumerate(values)]
    Path("sales.csv").write_text("\n".join(["Month,Sales", *rows]) + "\n")
    told = invoke("train", "sales.csv", "-o", "m.safetensors", *SMALL).stderr.splitlines()
    assert told[0].startswith("season of 12 steps: its changes depend on the time of 12 steps (F-test, p < 0.0001)")
    assert told[1].startswith("logarithms: ")
    assert told[2].startswith("MASE in 15 forecasts of the last 16 values: exponential smoothing 0.")
    assert told[4] == "m.safetensors: Sales: 2 steps by exponential smoothing"
    row = json.loads(invoke("predict", "m.safetensors", "--json").stdout)[0]
    assert row["low"] < row["value"] < row["high"]
    arguments = ("train", "sales.csv", "-o", "n.safetensors", *SMALL, "--test", 4, "--refits", 1, "--json", "-q")
    found = json.loads(invoke(*arguments).stdout)
    names = [score["name"] for score in found["back_test"]["scores"]]
    assert names == ["automatic: exponential smoothing", "naive", "seasonal-naive 12", "seasonal mean 12"]
    assert found["metrics"]["choice"]["season"] == 12
    assert list(found["back_test"]["coverage"]) == ["0.5", "0.8", "0.9"]
    table = invoke(*arguments[:-2], "-q").stdout.splitlines()
    assert table[-1].startswith("coverage of the prediction intervals: ")
    assert table[-1].endswith(" % at 90 %")
    # --test has three forecasts, fewer than the 15 of the choice, from whose errors the intervals are.
    assert json.loads(invoke("predict", "n.safetensors", "--json").stdout)[0] == row


def test_a_forecast_is_written_with_its_dates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = [f"2024-02-{day:02d},{day % 7}" for day in range(1, 29)]
    Path("days.csv").write_text("\n".join(["Day,Visits", *days]) + "\n")
    invoke("train", "days.csv", "-o", "m.safetensors", *SMALL, "-q")
    dates = [line.split("\t")[0] for line in invoke("predict", "m.safetensors").stdout.splitlines()]
    assert dates == ["2024-02-29", "2024-03-01"]
    invoke("predict", "m.safetensors", "-o", "f.csv")
    assert Path("f.csv").read_text().splitlines()[1].startswith("Visits,1,2024-02-29,")
    invoke("predict", "m.safetensors", "-o", "f.json")
    rows = json.loads(Path("f.json").read_text())
    assert rows == json.loads(invoke("predict", "m.safetensors", "--json").stdout)
    assert [row["date"] for row in rows] == dates
    pytest.importorskip("matplotlib")
    invoke("predict", "m.safetensors", "days.csv", "-o", "f.svg")
    assert all(text in Path("f.svg").read_text() for text in ("Visits", "90 % interval", "2024-03-01"))
    long = invoke("predict", "m.safetensors", "--steps", 3)
    assert "no prediction intervals: 3 steps, but a horizon of 2" in long.stderr
    assert [len(line.split("\t")) for line in long.stdout.splitlines()] == [2, 2, 2]


def test_working_days_are_followed_by_working_days(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = [f"2024-02-{day:02d},{day % 7}" for day in range(1, 24) if day % 7 not in (3, 4)]
    Path("days.csv").write_text("\n".join(["Day,Price", *days]) + "\n")
    invoke("train", "days.csv", "-o", "m.safetensors", *TINY, "-q")
    found = [line.split("\t")[0] for line in invoke("predict", "m.safetensors").stdout.splitlines()]
    assert found == ["2024-02-26", "2024-02-27"]


def test_a_column_names_related_series(tmp_path, monkeypatch):
    """Company A and B in one file: the first of four days decides the fifth."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"2024-01-0{day},{company},{value}"
        for company, values in (("B", (1, 0.5, 0.25, 1, 1)), ("A", (0, 0.5, 0.25, 1, 0)))
        for day, value in enumerate(values, 1)
    ]
    Path("long.csv").write_text("\n".join(["Day,Company,Value", *rows]) + "\n")
    network = ("--method", "network", "--window", 4, "--horizon", 1, "--hidden-size", 8, "--epochs", 150, "-q")
    options = ("--by", "Company", "--related", "--learning-rate", 0.02, "--validation-fraction", 0)
    invoke("train", "long.csv", "-o", "m.safetensors", *options, *network)
    Path("new.csv").write_text("\n".join(["Day,Company,Value", *rows[:4], *rows[5:9]]) + "\n")
    found = [
        line.split("\t")
        for line in invoke("predict", "m.safetensors", "new.csv", "--by", "Company").stdout.splitlines()
    ]
    assert [row[:2] for row in found] == [["B", "2024-01-05"], ["A", "2024-01-05"]]
    assert [round(float(row[2])) for row in found] == [1, 0]
    Path("swapped.csv").write_text("\n".join(["Day,Company,Value", *rows[5:9], *rows[:4]]) + "\n")
    swapped = invoke("predict", "m.safetensors", "swapped.csv", "--by", "Company").stdout
    assert swapped == invoke("predict", "m.safetensors", "new.csv", "--by", "Company").stdout
    Path("one.csv").write_text("\n".join(["Day,Company,Value", *rows[:4]]) + "\n")
    message = "--by Company must name the series of the model, B, A, got B"
    assert message in invoke("predict", "m.safetensors", "one.csv", "--by", "Company", code=2).stderr
    Path("new.csv").write_text("\n".join(["Day,Company,Value", *rows[:9]]) + "\n")
    message = "new.csv:7: Company 'A' must have the dates of 'B', 5 records, found 4 records"
    assert message in invoke("predict", "m.safetensors", "new.csv", "--by", "Company", code=1).stderr
    failure = invoke("predict", "m.safetensors", "new.csv", "--by", "Firm", code=1).stderr
    assert "no column 'Firm'; set --by to one of" in failure


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "data.csv", "-o", "m", "--window", "0"], 2, "window must be at least 1, got 0"),
        (["train", "data.csv", "-o", "m", "--column", "Mean"], 1, "data.csv:1: no column 'Mean'"),
        (["train", "data.csv", "-o", "m", "--column", "Date"], 1, "data.csv:2: Date must be a number, found 'day 0'"),
        (["train", "none.csv", "-o", "m"], 1, "none.csv"),
        (
            ["train", "data.csv", "-o", "m", "--window", "200", "--method", "network"],
            1,
            "100 values are too few: a window",
        ),
        (["train", "data.csv", "-o", "m", "--horizon", "99"], 1, "100 values are too few to forecast 99 steps"),
        (
            ["train", "data.csv", "-o", "m", "--window", "200"],
            1,
            "67 values before the back-test are too few for a win",
        ),
        (["predict", "m.safetensors", "-o", "forecast.doc"], 2, "--output must end in .png, .svg, .pdf, .csv or .json"),
        (["predict", "m.safetensors", "-o", "forecast.csv", "--json"], 2, "--json has no effect with --output"),
        (
            ["train", "data.csv", "-o", "m", "--method", "auto", "--resume"],
            2,
            "--resume has no effect with --method auto",
        ),
        (["train", "data.csv", "-o", "m", "--refits", "2"], 2, "--naive-season and --refits need --test N"),
        (["train", "data.csv", "-o", "no/where/m"], 1, "no/where"),
        (["predict", "data.csv"], 1, "data.csv is not a model file"),
        (["predict", "m.safetensors", "--column", "Low"], 2, "--column and --by select columns of DATA"),
        (["predict", "m.safetensors", "--level", "0.9"], 1, "intervals need back-test errors"),
        (["predict", "m.safetensors", "--level", "0"], 1, "level must be above 0 and below 1, got 0"),
        (["predict", "m.safetensors", "--steps", "3"], 1, "steps must be at most 2"),
        (["predict", "m.safetensors", "short.csv"], 1, "a forecast needs at least 6 values before it, got 1"),
    ],
)
def test_bad_input_is_a_one_line_error(data, arguments, code, message):
    if "m.safetensors" in arguments:
        Path("short.csv").write_text("Low\n1\n")
        invoke("train", "data.csv", "-o", "m.safetensors", *TINY, "--column", "Low", "-q")
    result = invoke(*arguments, code=code)
    assert message in result.stderr
    assert code == 2 or len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_columns_known_ahead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(2)
    holidays = (random.random(60) < 0.3).astype(int)
    rows = [f"2024-{1 + day // 28:02d}-{1 + day % 28:02d},{20 + 9 * free},{free}" for day, free in enumerate(holidays)]
    Path("sales.csv").write_text("day,sales,holiday\n" + "\n".join(rows[:28]) + "\n")
    Path("ahead.csv").write_text("day,holiday\n2024-01-29,1\n2024-01-30,0\n")
    train = ("train", "sales.csv", "-o", "m.safetensors", *TINY, "--future-column", "holiday")
    invoke(*train)
    found = invoke("predict", "m.safetensors", "--future", "ahead.csv").stdout.split()
    assert found[::2] == ["2024-01-29", "2024-01-30"]
    np.testing.assert_allclose([float(value) for value in found[1::2]], [29, 20], atol=1)
    assert invoke("predict", "m.safetensors", "sales.csv", "--future", "ahead.csv").stdout.split() == found
    Path("late.csv").write_text("day,holiday\n2024-01-30,0\n")
    for arguments, code, message in (
        (("predict", "m.safetensors"), 2, "the model needs holiday of the steps to forecast; pass --future FILE"),
        (
            ("predict", "m.safetensors", "--future", "late.csv"),
            1,
            "must be of 2024-01-29, the first step, got 2024-01-30",
        ),
        ((*train, "--column", "holiday"), 2, "'holiday' for --column and --future-column"),
        ((*train, "--future-column", "sales"), 2, "--future-column must leave a column to forecast"),
    ):
        assert message in invoke(*arguments, code=code).stderr
    invoke("train", "sales.csv", "-o", "p.safetensors", *TINY, "--column", "sales")
    assert (
        "trained without --future-column" in invoke("predict", "p.safetensors", "--future", "ahead.csv", code=2).stderr
    )


@pytest.mark.parametrize(
    ("calendar", "date"),
    [
        ({"unit": "month", "first": 12 * 2024, "step": 1}, "2024-03-01"),
        ({"unit": "second", "first": 1_704_067_200 - 7200, "step": 3600}, "2024-01-01T00:00:00"),
        ({"unit": "weekday", "first": 738_886 // 7 * 5, "step": 1}, "2024-01-03"),
    ],
)
def test_a_single_step_of_columns_known_ahead(tmp_path, calendar, date):
    """A single record does not show whether a series is daily, monthly or hourly."""
    path = tmp_path / "ahead.csv"
    path.write_text(f"date,holiday\n{date},1\n")
    assert read_future(str(path), ["holiday"], ["sales"], None, calendar, 2, {}) == [(1.0,)]
    path.write_text("date,holiday\n2024-05-01T06:00:00,1\n")
    with pytest.raises(InputError, match="the first record must be of "):
        read_future(str(path), ["holiday"], ["sales"], None, calendar, 2, {})


def test_columns_known_ahead_of_related_series(tmp_path, monkeypatch):
    """Holidays are those of both shops, prices differ."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(2)
    free, prices = (random.random(30) < 0.3).astype(int), random.integers(1, 9, (30, 2))

    def write(name, rows, days, truth=True):
        header = "day,shop,holiday,price" + ",sales" * truth
        sales = [(20 + 9 * free - prices[:, 0]).tolist(), (50 - 2 * prices[:, 1]).tolist()]
        lines = [
            f"2024-01-{day + 1:02d},{shop},{free[day]},{prices[day, place]}" + f",{sales[place][day]}" * truth
            for place, shop in rows
            for day in days
        ]
        Path(name).write_text("\n".join([header, *lines]) + "\n")

    shops = ((0, "A"), (1, "B 2"))
    write("sales.csv", shops, range(28))
    write("ahead.csv", shops[::-1], (28, 29), truth=False)
    by = ("--by", "shop")
    future = ("--future-column", "holiday", "--future-column", "price")
    invoke("train", "sales.csv", "-o", "m.safetensors", *TINY, *by, *future)
    model = load_model("m.safetensors", "forecaster")
    assert (model.names, model.known.names) == (["A", "B 2"], ["holiday", "A price", "B 2 price"])
    found = invoke("predict", "m.safetensors", "--future", "ahead.csv", *by).stdout
    rows = [line.split("\t") for line in found.splitlines()]
    assert [row[:2] for row in rows] == [[shop, f"2024-01-{day}"] for _, shop in shops for day in (29, 30)]
    expected = [*(20 + 9 * free - prices[:, 0])[28:], *(50 - 2 * prices[:, 1])[28:]]
    np.testing.assert_allclose([float(row[2]) for row in rows], expected, atol=1)
    assert invoke("predict", "m.safetensors", "sales.csv", "--future", "ahead.csv", *by).stdout == found
    wide = "\n".join(f"{free[day]},{prices[day, 0]},{prices[day, 1]}" for day in (28, 29))
    Path("wide.csv").write_text(f"holiday,A price,B 2 price\n{wide}\n")
    assert invoke("predict", "m.safetensors", "--future", "wide.csv").stdout == found
    write("one.csv", shops[:1], (28, 29), truth=False)
    message = invoke("predict", "m.safetensors", "--future", "one.csv", *by, code=1).stderr
    assert "one.csv: shop must name the series of the training data; B 2 price is missing" in message
    free[29] = 1 - free[29]
    write("ahead.csv", shops[:1], (28, 29), truth=False)
    lines = Path("ahead.csv").read_text() + "\n".join(
        Path("one.csv").read_text().replace(",A,", ",B 2,").split("\n")[1:]
    )
    Path("ahead.csv").write_text(lines)
    message = invoke("predict", "m.safetensors", "--future", "ahead.csv", *by, code=1).stderr
    assert "ahead.csv: holiday must be equal in all series of shop, as in the training data" in message


def test_a_file_in_another_encoding(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_bytes("Größe\n".encode("latin-1") + b"1\n2\n" * 20)
    message = invoke("train", "data.csv", "-o", "m.safetensors", *TINY, code=1).stderr
    assert "is not UTF-8; re-encode the file, or pass --encoding NAME" in message
    latin = ("--encoding", "latin-1")
    invoke("train", "data.csv", "-o", "m.safetensors", *TINY, *latin)
    found = invoke("predict", "m.safetensors", "data.csv", *latin).stdout
    assert found == invoke("predict", "m.safetensors").stdout
    assert "is not UTF-8" in invoke("predict", "m.safetensors", "data.csv", code=1).stderr


def test_a_constant_series_is_warned_of_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("x\n" + "5\n" * 30)
    message = invoke("train", "data.csv", "-o", "m.safetensors", *SMALL, "--test", 4).stderr
    assert message.count("x: all values are equal; the forecast repeats them") == 1
    assert message.count("all values are equal; ") == 1
    assert invoke("predict", "m.safetensors").stdout.split() == ["1", "5", "5", "5", "2", "5", "5", "5"]
    Path("data.csv").write_text("x\n1\n2\n3\n")
    message = invoke("train", "data.csv", "-o", "m.safetensors", "--horizon", 1, code=1).stderr
    assert "3 values are too few to forecast a step: at least 5 are needed; add values" in message
    Path("data.csv").write_text("x\n1\n")
    message = invoke("train", "data.csv", "-o", "m.safetensors", code=1).stderr
    assert "Error: 1 value is too few to forecast 7 steps" in message
