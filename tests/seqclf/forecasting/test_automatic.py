"""Automatic forecasters: what they choose and why, their back-test, their file, and series that are too short."""

import numpy as np
import pytest

from seqclf import load_model
from seqclf.forecasting.automatic import backtest_automatic, train_automatic
from seqclf.forecasting.blend import BlendedForecaster
from seqclf.forecasting.known import Past
from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.search import Search
from seqclf.forecasting.series_model import error_bounds
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError

TINY = {"horizon": 3, "hidden_size": 4, "epochs": 1, "window": 4}
MONTHS = {"unit": "month", "first": 0, "step": 1}


def sales(length=72, seed=1):
    """Months with a season and noise that grow with the level."""
    at = np.arange(length)
    noise = np.random.default_rng(seed).normal(0, 0.03, length)
    return np.exp(4 + 0.02 * at + 0.3 * np.sin(at * 2 * np.pi / 12) + noise)


def henon(length=150):
    """Hénon's chaotic map, which no linear method follows."""
    values = [0.1, 0.1]
    while len(values) < length:
        values.append(1 - 1.4 * values[-1] ** 2 + 0.3 * values[-2])
    return np.array(values)


@pytest.fixture(scope="module")
def trained():
    return train_automatic(sales(), calendar=MONTHS, names=["sales"], threads=1, **TINY)


@pytest.fixture(scope="module")
def networked():
    settings = {"horizon": 2, "hidden_size": 8, "epochs": 30, "window": 8, "learning_rate": 0.02}
    return train_automatic(henon(), threads=1, **settings)


def test_season_and_logarithm_are_found_and_explained(trained):
    choice = trained.metrics["choice"]
    assert (choice["season"], choice["log"]) == (12, True)
    assert (trained.settings.season, trained.settings.log) == (12, True)
    assert "changes depend on the time of 12 steps" in choice["season_reason"]
    assert "AICc" in choice["log_reason"]
    assert choice["forecast"] == "exponential smoothing"
    simple = ["exponential smoothing", "Theta", "autoregression", "naive", "seasonal-naive 12", "seasonal mean 12"]
    assert list(choice["mase"])[:7] == [*simple, "network"]
    assert (choice["tested"], choice["origins"]) == (24, 22)
    truth = sales(75)[72:]
    assert np.abs(trained.predict()[:, 0] / truth - 1).max() < 0.15


def test_the_forecast_goes_on_where_training_ended(trained):
    np.testing.assert_array_equal(trained.predict(), trained.forecast(sales(), [72])[0])
    np.testing.assert_array_equal(trained.predict(series=sales()), trained.predict())
    assert trained.predict(20).shape == (20, 1)
    low, high = trained.predict_interval(0.8)
    assert (low < trained.predict()).all()
    assert (trained.predict() < high).all()


def test_a_network_that_is_clearly_better_is_chosen(networked):
    choice, columns = networked.metrics["choice"], henon()[:, None]
    assert "network" in choice["forecast"]
    assert choice["mase"][choice["forecast"]] < 0.9 * choice["mase"]["exponential smoothing"]
    networks = [part for _, part in networked.parts if isinstance(part, ForecasterModel)]
    assert sorted(part.settings.seed for part in networks) == [1, 2]
    expected = sum(part.forecast_level(Past(columns), np.array([150]), 2)[0] / 2 for part in networks)
    if choice["forecast"].startswith("network"):
        np.testing.assert_allclose(networked.predict(), expected)
    with pytest.raises(InputError, match="steps must be at most 2, the horizon"):
        networked.predict(3)


@pytest.mark.parametrize("name", ["trained", "networked"])
def test_a_file_gives_the_same_forecaster(name, request, tmp_path):
    model, path, again = request.getfixturevalue(name), tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(path)
    loaded = load_model(path, "forecaster")
    loaded.save(again)
    assert isinstance(loaded, BlendedForecaster)
    assert path.read_bytes() == again.read_bytes()
    np.testing.assert_array_equal(loaded.predict(), model.predict())
    np.testing.assert_array_equal(loaded.predict_interval(0.5), model.predict_interval(0.5))
    assert repr(loaded) == repr(model)


def test_the_same_bytes_at_any_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for threads in (1, 4):
        settings = TINY | {"season": 6, "seasonal": "both"}
        train_automatic(henon(60), threads=threads, **settings).save(tmp_path / f"{threads}.safetensors")
    assert len({(tmp_path / f"{threads}.safetensors").read_bytes() for threads in (1, 4)}) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parts", []),
        ("parts", [{"name": "magic", "weight": 1.0}]),
        ("parts", [{"name": "naive", "weight": 2.0, "season": 1}]),
        ("parts", [{"name": "seasonal mean", "weight": 1.0, "season": 10**12}]),
        ("parts", [{"name": "network", "weight": 1.0}]),
        ("parts", [{"name": "naive", "weight": 1.0, "season": 12}]),
        ("names", ["a", "b"]),
        ("settings", {"horizon": 0}),
    ],
)
def test_a_damaged_header_is_rejected(trained, tmp_path, key, value):
    path = tmp_path / "m.safetensors"
    trained.save(path)
    tensors, header = read_model(path, ["forecaster"])
    write_model(path, tensors, header | {key: value}, kind="forecaster")
    with pytest.raises(FormatError, match="damaged"):
        load_model(path)


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ("0.rates", np.full((1, 6, 4), 2.0)),
        ("0.weights", None),
        ("7.weights", np.ones((1, 6))),
        ("tail", np.ones((5, 1))),
        ("tail", np.float64(1)),
        ("residuals", np.zeros((1, 9, 1))),
        ("extra", np.zeros(2)),
    ],
)
def test_a_damaged_tensor_is_rejected(trained, tmp_path, tensor, value):
    path = tmp_path / "m.safetensors"
    trained.save(path)
    tensors, header = read_model(path, ["forecaster"])
    tensors = {key: array for key, array in (tensors | {tensor: value}).items() if array is not None}
    write_model(path, tensors, header, kind="forecaster")
    with pytest.raises(FormatError, match="damaged"):
        load_model(path)


def test_given_settings_are_kept():
    model = train_automatic(sales(60), threads=1, season=6, log=True, relative=True, **TINY)
    choice = model.metrics["choice"]
    assert (choice["season"], choice["season_reason"], choice["log_reason"]) == (6, "as given", "as given")
    assert [name for name in choice["mase"] if name.startswith("network")] == ["network of changes"]
    both = train_automatic(sales(60), threads=1, season=6, seasonal="both", **TINY)
    assert [name for name in both.metrics["choice"]["mase"] if name.startswith("network")] == ["network"]


def test_zeros_after_the_training_part_are_not_logarithms():
    values = sales(60)
    values[-3:] = 0
    assert train_automatic(values, threads=1, **TINY).metrics["choice"]["log_reason"] == "not all values are above 0"
    found = backtest_automatic(values, 8, threads=1, **TINY)
    assert np.isfinite(found.forecasts).all()
    neither = train_automatic(sales(60), threads=1, log=False, season=None, **TINY).metrics["choice"]
    assert (neither["log"], neither["season"], neither["log_reason"]) == (False, None, "as given")


def search(values, **settings):
    return Search(values[:, None], ForecasterSettings(**settings), {}, 40, 1, None)


def test_a_method_is_kept_averaged_or_replaced_by_standard_errors():
    found = search(np.arange(80.0), horizon=2)
    truth = np.stack([np.arange(40.0, 79), np.arange(41.0, 80)], axis=1)[:, :, None]
    noise = np.tile([0.5, -0.5], 20)[:39, None, None] * np.ones((1, 2, 1))
    # The differences of the errors deviate by 1 around their mean; 39 origins count as 19.5, the error is 0.23.
    forecasts = {"held": truth + 4 + noise} | {
        name: truth + 4 - gain - noise for name, gain in (("near", 0.2), ("better", 0.35), ("best", 0.6))
    }
    recipes = dict.fromkeys(forecasts, lambda count: [(1.0, count)])
    assert found._compare("held", ["near"], recipes, forecasts)[0] == "held"
    assert found._compare("held", ["near", "better"], recipes, forecasts)[0] == "mean of better and held"
    np.testing.assert_allclose(forecasts["mean of better and held"], truth + 4 - 0.35 / 2)
    assert recipes["mean of better and held"](7) == [(0.5, 7), (0.5, 7)]
    chosen, reason = found._compare("held", ["near", "better", "best"], recipes, forecasts)
    assert chosen == "best"
    assert "lower than that of held by 0.6" in reason
    assert found._compare("best", ["held"], recipes, forecasts)[1].endswith("no other is better")


def test_the_back_test_trains_on_earlier_values_only():
    whole = backtest_automatic(henon(120), 40, threads=1, **TINY)
    assert [score.name.split(":")[0] for score in whole.scores][:2] == ["automatic", "naive"]
    model = train_automatic(henon(120)[:80], threads=1, **TINY)
    np.testing.assert_array_equal(model.predict(), whole.forecasts[0])
    low, high = model.predict_interval(0.8)
    first = (low <= whole.truth[0]) & (whole.truth[0] <= high)
    assert list(whole.coverage) == ["0.5", "0.8", "0.9"]
    assert whole.coverage["0.5"] < whole.coverage["0.8"] <= whole.coverage["0.9"]
    bounds = error_bounds(model.residuals, 0.8)
    inside = (bounds[0] <= whole.residuals) & (whole.residuals <= bounds[1])
    np.testing.assert_array_equal(inside[0], first)
    assert whole.coverage["0.8"] == inside.mean()
    np.testing.assert_array_equal(whole.residuals_of(False), whole.truth - whole.forecasts)
    assert whole.residuals_of(True) is None
    short = backtest_automatic(sales(40), 5, calendar=MONTHS, threads=1, **TINY)
    names = ["naive", "seasonal-naive 12", "seasonal mean 12"]
    assert [score.name for score in short.scores[1:]] == names
    last = train_automatic(sales(40)[:37], calendar=MONTHS, threads=1, **TINY)
    np.testing.assert_array_equal(last.predict(), short.forecasts[-1])
    np.testing.assert_allclose(short.residuals_of(True), np.log(short.truth / short.forecasts))


def test_short_constant_and_bad_series(caplog):
    with pytest.raises(InputError, match="3 values are too few to forecast 7 steps: at least 11 are needed"):
        train_automatic([1, 2, 3])
    with pytest.raises(InputError, match="must be finite, got nan at position 1; fill gaps first"):
        train_automatic([1, np.nan, 3] * 9)
    with pytest.raises(InputError, match="log needs values above 0, got 0"):
        train_automatic(np.arange(30), log=True)
    with pytest.raises(InputError, match="a season must be at most 16, the values before the back-test, got 21"):
        train_automatic(np.arange(30), season=21)
    with pytest.raises(InputError, match="2 names for 1 columns"):
        train_automatic(np.arange(30), names=["a", "b"])
    with pytest.raises(TypeError, match="seasons"):
        train_automatic(np.arange(30), seasons=4)
    model = train_automatic(np.full(30, 5.0), names=["five"], threads=1)
    np.testing.assert_allclose(model.predict(), 5.0)
    assert model.metrics["choice"]["forecast"] == "naive"
    assert "five: all values are equal; the forecast repeats them" in caplog.text
    assert train_automatic(np.arange(11.0) ** 2, threads=1).predict().shape == (7, 1)


def test_networks_read_the_end_of_a_long_series_in_whole_seasons(monkeypatch):
    monkeypatch.setattr("seqclf.forecasting.search._RECENT", 60)
    values = 10 + np.sin(np.arange(150) * 2 * np.pi / 7)
    found = Search(
        values[:, None], ForecasterSettings(horizon=2, season=7), {"epochs": 1, "hidden_size": 4}, 40, 1, None
    )
    networks = found._networks()["network"](150)
    assert {network.length for _, network in networks} == {150 - 84}
    assert len(networks) == 2  # windows, with a seed each
