"""Pictures of forecasts."""

import numpy as np
import pytest

from seqclf.forecasting.plotting import plot_forecast
from wordvec import InputError

pytest.importorskip("matplotlib")


def test_a_picture_names_columns_dates_and_the_interval(tmp_path):
    history, forecast = np.arange(120.0).reshape(60, 2), np.full((3, 2), 130.0)
    dates = [f"day {day}" for day in range(63)]
    bounds = forecast - 5, forecast + 5
    plot_forecast(["bread", "milk"], history, forecast, bounds, tmp_path / "f.svg", level=0.8, dates=dates)
    drawn = (tmp_path / "f.svg").read_text()
    assert all(f">{text}<" in drawn for text in ("bread", "milk", "80 % interval", "day 10", "day 62"))
    plot_forecast(["bread", "milk"], history, forecast, bounds, tmp_path / "again.svg", level=0.8, dates=dates)
    assert (tmp_path / "again.svg").read_text() == drawn
    plot_forecast(["bread"], history[:, :1], forecast[:, :1], path=tmp_path / "plain.svg")
    assert "interval" not in (tmp_path / "plain.svg").read_text()
    plot_forecast(["US$_$"], history[:, :1], forecast[:, :1], path=tmp_path / "dollars.svg")  # not a formula
    assert ">US$_$<" in (tmp_path / "dollars.svg").read_text()


def test_wrong_suffixes_and_too_many_columns_are_rejected(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.png, \.svg, \.pdf"):
        plot_forecast(["a"], np.ones((9, 1)), np.ones((2, 1)), path=tmp_path / "f.doc")
    with pytest.raises(InputError, match=r"at most 50 columns, got 51; write a \.csv file instead"):
        plot_forecast(["a"] * 51, np.ones((9, 51)), np.ones((2, 51)), path=tmp_path / "f.svg")
