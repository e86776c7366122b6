"""Forecaster: learning, no look-ahead, files, intervals, error messages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqclf import Forecaster, ForecasterSettings, load_model
from seqclf.forecasting.backtest import Backtest
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError

SMALL = ForecasterSettings(window=6, horizon=3, hidden_size=8, epochs=3, batch_size=16)


def waves(length=150, noise=0.05):
    """Two columns with a season of 10: one with a trend, one with half the amplitude and another phase."""
    at = np.arange(length)
    both = np.stack([3 + 0.02 * at + np.sin(at * 2 * np.pi / 10), 9 + 0.5 * np.cos(at * 2 * np.pi / 10)], axis=1)
    return both + np.random.default_rng(0).normal(0, noise, both.shape)


@pytest.fixture(scope="module")
def trained():
    return Forecaster(SMALL).fit(waves(), names=["tide", "swell"], threads=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": "direct"},
        {"strategy": "recursive", "cell": "gru", "relative": True},
        {"strategy": "direct", "season": 10, "cell": "rnn", "layers": 2, "log": True},
        {"strategy": "recursive", "season": 10, "seasonal": "difference", "horizon": 12},
    ],
)
def test_a_regular_series_is_learned(changes):
    series = waves(noise=0)
    settings = replace(SMALL, epochs=25, learning_rate=0.02, hidden_size=16, **changes)
    model = Forecaster(settings).fit(series[:130], threads=1)
    forecast = model.forecast(series, [130])[0]
    truth = series[130 : 130 + settings.horizon]
    assert np.abs(forecast - truth).mean() < 0.2
    assert np.abs(series[129] - truth).mean() > 0.4


def test_a_failed_fit_does_not_change_the_forecaster():
    forecaster = Forecaster(SMALL).fit(waves(), threads=1)
    expected = forecaster.predict()
    for series, names in ((waves(3)[:, 0], None), (waves()[:, 0], ["one", "too many"])):
        with pytest.raises(InputError):
            forecaster.fit(series, names=names, threads=1)
        np.testing.assert_array_equal(forecaster.predict(), expected)


def test_a_forecast_does_not_depend_on_later_values(trained):
    series, origins = waves(), np.array([20, 60, 61])
    before = trained.forecast(series, origins)
    for origin, expected in zip(origins, before, strict=True):
        changed = series.copy()
        changed[origin:] = 1e6
        np.testing.assert_array_equal(trained.forecast(changed, [origin])[0], expected)
        changed[origin - 1] += 1
        assert (trained.forecast(changed, [origin])[0] != expected).all()


def test_training_does_not_depend_on_the_validation_part():
    """Neither the scaling nor the loss of the first epoch depends on it."""
    settings = replace(SMALL, epochs=1, validation_fraction=0.2, season=10, seasonal="difference")
    series = waves()
    first = Forecaster(settings).fit(series, threads=1)
    begin = 150 - first.metrics["dev_windows"] - SMALL.horizon + 1
    series[begin:] *= 3
    again = Forecaster(settings).fit(series, threads=1)
    assert first.metrics["dev_windows"] == int(0.2 * (150 - 16 - 3 + 1))
    np.testing.assert_array_equal(first.model_.preparation.mean, again.model_.preparation.mean)
    assert first.metrics["loss"] == again.metrics["loss"]
    assert first.metrics["dev_loss"] != again.metrics["dev_loss"]


def test_a_forecast_does_not_depend_on_other_origins(trained):
    series, origins = waves(), np.arange(6, 151)
    together = trained.forecast(series, origins)
    np.testing.assert_array_equal(trained.forecast(series, [77])[0], together[77 - 6])
    np.testing.assert_array_equal(trained.predict(), together[-1])
    np.testing.assert_array_equal(trained.predict(2), trained.predict()[:2])


def test_predict_continues_the_training_series(trained):
    series = waves()
    np.testing.assert_array_equal(trained.predict(), trained.forecast(series, [150])[0])
    np.testing.assert_array_equal(trained.predict(series=series), trained.predict())
    seasonal = Forecaster(replace(SMALL, season=10)).fit(series, threads=1)
    np.testing.assert_array_equal(seasonal.predict(series=series[43:], start=43), seasonal.predict())
    np.testing.assert_array_equal(seasonal.predict(series=series[50:]), seasonal.predict())
    assert (seasonal.predict(series=series[43:]) != seasonal.predict()).any()


def test_number_of_threads_does_not_change_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for threads in (1, 2, 4):
        settings = replace(SMALL, dropout=0.2, epochs=2)
        Forecaster(settings).fit(waves(), threads=threads).save(tmp_path / f"{threads}.safetensors")
    files = {(tmp_path / f"{threads}.safetensors").read_bytes() for threads in (1, 2, 4)}
    assert len(files) == 1


def report(count=40, horizon=3, columns=2):
    errors = np.random.default_rng(2).standard_normal((count, horizon, columns))
    nothing = np.empty(0)
    return Backtest(np.arange(count), nothing, nothing, errors, [], 1)


def test_save_and_load_round_trip(tmp_path):
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    settings = replace(SMALL, season=10, seasonal="both", log=True)
    model = Forecaster(settings).fit(waves(), names=["tide", "swell"], threads=1).calibrate(report())
    model.save(path)
    loaded = load_model(path, "forecaster")
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()
    np.testing.assert_array_equal(loaded.predict(), model.predict())
    np.testing.assert_array_equal(loaded.predict_interval(0.8), model.predict_interval(0.8))
    assert (loaded.names, loaded.settings, loaded.history) == (["tide", "swell"], settings, model.history)
    assert "lstm of 8" in repr(loaded)


def test_intervals_are_order_statistics_of_the_errors(trained):
    found = report(count=19, columns=2)
    model = Forecaster(SMALL).fit(waves(), threads=1).calibrate(found)
    low, high = model.predict_interval(0.9)
    np.testing.assert_allclose(low, model.predict() + found.residuals.min(axis=0))
    np.testing.assert_allclose(high, model.predict() + found.residuals.max(axis=0))
    low, high = model.predict_interval(0.8, 1)
    np.testing.assert_allclose(low, model.predict(1) + np.sort(found.residuals[:, :1], axis=0)[1])
    with pytest.raises(InputError, match=r"0.95 needs 39 back-test errors, got 19"):
        model.predict_interval(0.95)
    with pytest.raises(InputError, match="level must be above 0 and below 1, got 1"):
        model.predict_interval(1)
    with pytest.raises(InputError, match="call calibrate"):
        trained.predict_interval()
    with pytest.raises(InputError, match=r"must have \(3, 2\) steps and columns, like the forecaster, got \(2, 1\)"):
        model.calibrate(report(horizon=2, columns=1))


def test_largest_number_of_steps(trained):
    with pytest.raises(InputError, match="steps must be at most 3, the horizon of this direct forecaster, got 4"):
        trained.predict(4)
    recursive = Forecaster(replace(SMALL, strategy="recursive")).fit(waves(), threads=1)
    assert recursive.predict(20).shape == (20, 2)
    np.testing.assert_array_equal(recursive.predict(20)[:3], recursive.predict())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"horizon": 1.5}, "horizon must be a whole number, got 1.5"),
        ({"strategy": "both"}, "strategy must be one of direct, recursive, got 'both'"),
        ({"seasonal": "no"}, "seasonal must be one of inputs, difference, both"),
        ({"season": 1}, "season must be at least 2, got 1"),
        ({"cell": "elman"}, "cell must be one of"),
        ({"huber": 0}, "huber must be above 0, got 0"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, got 1"),
        ({"log": "yes"}, "log must be true or false, got 'yes'"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_rejected(changes, message):
    with pytest.raises(InputError, match=message):
        Forecaster(replace(SMALL, **changes))


def test_misuse_is_rejected(trained):
    with pytest.raises(InputError, match="not fitted; call fit"):
        Forecaster(SMALL).predict()
    with pytest.raises(InputError, match="8 values are too few: a window of 6 and 3 steps ahead need 9"):
        Forecaster(SMALL).fit(waves(8))
    with pytest.raises(InputError, match="a season of 10 and 3 steps ahead need 19"):
        Forecaster(replace(SMALL, season=10, seasonal="both")).fit(waves(18))
    with pytest.raises(InputError, match="1 names for 2 columns"):
        Forecaster(SMALL).fit(waves(), names=["tide"])
    with pytest.raises(InputError, match="must have 2 columns, as in training, got 1"):
        trained.predict(series=waves()[:, :1])
    for origin in (5, 151):
        with pytest.raises(InputError, match=f"needs at least 6 of the 150 values before it, got position {origin}"):
            trained.forecast(waves(), [50, origin])


def test_shortest_possible_series():
    assert Forecaster(SMALL).fit(waves(9), threads=1).predict().shape == (3, 2)


@pytest.fixture
def file(tmp_path, trained):
    path = tmp_path / "model.safetensors"
    trained.save(path)
    return path


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ("mean", np.full(2, np.nan)),
        ("deviation", np.zeros(2)),
        ("tail", np.zeros((5, 2))),
        ("residuals", np.zeros((1, 9, 2))),
        ("head.bias", np.zeros(6)),
        ("head.weight", None),
        ("extra", np.zeros(2)),
    ],
)
def test_damaged_tensors_are_rejected(file, tensor, value):
    tensors, header = read_model(file, ["forecaster"])
    tensors = {key: array for key, array in (tensors | {tensor: value}).items() if array is not None}
    write_model(file, tensors, header)
    with pytest.raises(FormatError, match="damaged"):
        load_model(file, "forecaster")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("names", []),
        ("names", ["tide"]),
        ("names", [1, 2]),
        ("length", "150"),
        ("history", [1]),
        ("settings", {}),
        ("settings", "lstm"),
        *(("settings", {"hidden_size": size}) for size in (10**12, -1, "8")),
        *(("settings", {name: 10**12}) for name in ("layers", "window", "horizon")),
        ("settings", {"temperature": 1}),
    ],
)
def test_damaged_headers_are_rejected(file, key, value):
    tensors, header = read_model(file, ["forecaster"])
    if key == "settings" and value and isinstance(value, dict):
        value = header["settings"] | value
    write_model(file, tensors, header | {key: value})
    with pytest.raises(FormatError, match="damaged"):
        load_model(file, "forecaster")


def test_other_kinds_of_files_are_rejected(file, model_file, vectors_file):
    from seqclf import load_model

    with pytest.raises(FormatError, match="holds a forecaster, not a text classifier; pass a file that classify-text"):
        load_model(file, "model")
    with pytest.raises(FormatError, match="holds a text classifier, not a forecaster; pass a file that forecast train"):
        load_model(model_file, "forecaster")
    with pytest.raises(FormatError, match="holds word vectors, not a model; pass a file that forecast train wrote"):
        load_model(vectors_file, "forecaster")
    Path(file).write_bytes(file.read_bytes()[:-9])
    with pytest.raises(FormatError, match="truncated"):
        load_model(file, "forecaster")
