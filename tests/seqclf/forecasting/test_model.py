"""ForecasterModel: it learns, it never looks ahead, its file, its intervals, its errors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqclf import ForecasterSettings, backtest, load_model, train_forecaster
from seqclf.forecasting.backtest import Backtest
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError

SMALL = ForecasterSettings(window=6, horizon=3, hidden_size=8, epochs=3, batch_size=16)


def waves(length=150, noise=0.05):
    """Two columns: a season of 10 with a trend, and one of half the swing, later."""
    at = np.arange(length)
    both = np.stack([3 + 0.02 * at + np.sin(at * 2 * np.pi / 10), 9 + 0.5 * np.cos(at * 2 * np.pi / 10)], axis=1)
    return both + np.random.default_rng(0).normal(0, noise, both.shape)


@pytest.fixture(scope="module")
def trained():
    return train_forecaster(waves(), settings=SMALL, names=["tide", "swell"], threads=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": "direct"},
        {"strategy": "recursive", "cell": "gru", "relative": True},
        {"strategy": "direct", "season": 10, "cell": "rnn", "layers": 2, "log": True},
        {"strategy": "recursive", "season": 10, "seasonal": "difference", "horizon": 12},
    ],
)
def test_a_regular_series_is_learnt(changes):
    series = waves(noise=0)
    settings = replace(SMALL, epochs=25, learning_rate=0.02, hidden_size=16, **changes)
    net = train_forecaster(series[:130], settings=settings, threads=1)
    forecast = net.forecast(series, [130])[0]
    truth = series[130 : 130 + settings.horizon]
    assert np.abs(forecast - truth).mean() < 0.2
    assert np.abs(series[129] - truth).mean() > 0.4


def test_a_forecast_knows_nothing_of_what_comes_after(trained):
    series, origins = waves(), np.array([20, 60, 61])
    before = trained.forecast(series, origins)
    for origin, expected in zip(origins, before, strict=True):
        changed = series.copy()
        changed[origin:] = 1e6
        np.testing.assert_array_equal(trained.forecast(changed, [origin])[0], expected)
        changed[origin - 1] += 1
        assert (trained.forecast(changed, [origin])[0] != expected).all()


def test_training_knows_nothing_of_the_held_out_end():
    """Neither the scaling nor the weights of a first epoch change with it."""
    settings = replace(SMALL, epochs=1, validation_fraction=0.2, season=10, seasonal="difference")
    series = waves()
    held = train_forecaster(series, settings=settings, threads=1)
    first_held = 150 - held.metrics["dev_windows"] - SMALL.horizon + 1
    series[first_held:] *= 3
    again = train_forecaster(series, settings=settings, threads=1)
    assert held.metrics["dev_windows"] == int(0.2 * (150 - 16 - 3 + 1))
    np.testing.assert_array_equal(held.preparation.mean, again.preparation.mean)
    assert held.metrics["loss"] == again.metrics["loss"]
    assert held.metrics["dev_loss"] != again.metrics["dev_loss"]


def test_neighbours_and_the_place_in_the_call_change_nothing(trained):
    series, origins = waves(), np.arange(6, 151)
    together = trained.forecast(series, origins)
    np.testing.assert_array_equal(trained.forecast(series, [77])[0], together[77 - 6])
    np.testing.assert_array_equal(trained.predict(), together[-1])
    np.testing.assert_array_equal(trained.predict(2), trained.predict()[:2])


def test_it_goes_on_where_training_ended(trained):
    series = waves()
    np.testing.assert_array_equal(trained.predict(), trained.forecast(series, [150])[0])
    np.testing.assert_array_equal(trained.predict(series=series), trained.predict())
    seasonal = train_forecaster(series, settings=replace(SMALL, season=10), threads=1)
    np.testing.assert_array_equal(seasonal.predict(series=series[43:], start=43), seasonal.predict())
    np.testing.assert_array_equal(seasonal.predict(series=series[50:]), seasonal.predict())
    assert (seasonal.predict(series=series[43:]) != seasonal.predict()).any()


def test_the_same_bytes_at_any_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for threads in (1, 2, 4):
        settings = replace(SMALL, dropout=0.2, epochs=2)
        train_forecaster(waves(), settings=settings, threads=threads).save(tmp_path / f"{threads}.safetensors")
    files = {(tmp_path / f"{threads}.safetensors").read_bytes() for threads in (1, 2, 4)}
    assert len(files) == 1


def report(count=40, horizon=3, columns=2):
    errors = np.random.default_rng(2).standard_normal((count, horizon, columns))
    nothing = np.empty(0)
    return Backtest(np.arange(count), nothing, nothing, errors, [], 1)


def test_a_file_gives_the_same_forecaster(tmp_path):
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    settings = replace(SMALL, season=10, seasonal="both", log=True)
    net = train_forecaster(waves(), settings=settings, names=["tide", "swell"], threads=1)
    net.calibrate(report())
    net.save(path)
    loaded = load_model(path, "forecaster")
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()
    np.testing.assert_array_equal(loaded.predict(), net.predict())
    np.testing.assert_array_equal(loaded.predict_interval(0.8), net.predict_interval(0.8))
    assert (loaded.names, loaded.settings, loaded.history) == (["tide", "swell"], settings, net.history)
    assert "lstm of 8" in repr(loaded)


def test_intervals_are_the_ranks_of_the_errors(trained):
    found = report(count=19, columns=2)
    net = train_forecaster(waves(), settings=SMALL, threads=1)
    net.calibrate(found)
    low, high = net.predict_interval(0.9)
    np.testing.assert_allclose(low, net.predict() + found.residuals.min(axis=0))
    np.testing.assert_allclose(high, net.predict() + found.residuals.max(axis=0))
    low, high = net.predict_interval(0.8, 1)
    np.testing.assert_allclose(low, net.predict(1) + np.sort(found.residuals[:, :1], axis=0)[1])
    low, high = net.predict_interval(0.95)  # 19 errors have no rank for it; Student's t with 19 degrees of freedom
    spread = np.sqrt(np.square(found.residuals).mean(axis=0))
    np.testing.assert_allclose(high - net.predict(), 2.0930 * spread, rtol=1e-4)
    np.testing.assert_allclose(low - net.predict(), -2.0930 * spread, rtol=1e-4)
    with pytest.raises(InputError, match="level must be above 0 and below 1, got 1"):
        net.predict_interval(1)
    with pytest.raises(InputError, match="call calibrate"):
        trained.predict_interval()
    with pytest.raises(InputError, match=r"the back-test must have \(3, 2\) steps and columns"):
        net.calibrate(report(horizon=2, columns=1))


def test_quantiles_know_when_the_noise_is_wide(tmp_path):
    """Every second value is certain, the others have noise: no error of a back-test can tell them apart by time."""
    at = np.arange(400)
    series = 5 + np.where(at % 2, 2.0, 0.0) * np.random.default_rng(3).standard_normal(400)
    settings = ForecasterSettings(
        window=4, horizon=2, season=2, hidden_size=8, epochs=12, learning_rate=0.02, quantiles=True
    )
    net = train_forecaster(series, settings=settings, threads=1)
    assert net.has_intervals
    low, high = net.predict_interval(0.8)
    assert ((low <= net.predict()) & (net.predict() <= high)).all()
    widths = (high - low)[:, 0]
    np.testing.assert_allclose(widths, [0, 2 * 2 * 1.28], atol=1.2)
    assert (net.predict_interval(0.9)[1] >= high).all()
    net.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict_interval(0.8), (low, high))
    np.testing.assert_array_equal(loaded.predict_interval(0.8, 1)[0], low[:1])
    with pytest.raises(InputError, match=r"one of the learned 0\.9, 0\.8, 0\.5, got 0\.95"):
        loaded.predict_interval(0.95)
    found = backtest(series, replace(settings, epochs=2), 40, threads=1)
    assert found.coverage.keys() == {"0.5", "0.8", "0.9"}
    assert found.coverage["0.5"] < found.coverage["0.9"]


def test_related_series_have_quantiles_of_their_own(caplog):
    settings = replace(SMALL, related=True, quantiles=True, epochs=1)
    net = train_forecaster(waves(), settings=settings, threads=1)
    assert "126 windows are few to learn quantiles from" in caplog.text
    low, _ = net.predict_interval(0.5)
    changed = waves()
    changed[:, 1] += 5
    other, _ = net.predict_interval(0.5, series=changed)
    np.testing.assert_array_equal(other[:, 0], low[:, 0])
    assert (other[:, 1] != low[:, 1]).all()


def test_the_number_of_steps_is_limited(trained):
    with pytest.raises(InputError, match="steps must be at most 3, the horizon of this direct forecaster, got 4"):
        trained.predict(4)
    recursive = train_forecaster(waves(), settings=replace(SMALL, strategy="recursive"), threads=1)
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
        ({"huber": 1.0, "quantiles": True}, "quantiles have a loss of their own; leave out huber, got 1"),
        ({"strategy": "recursive", "quantiles": True}, "quantiles need the strategy direct, got recursive"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, got 1"),
        ({"log": "yes"}, "log must be true or false, got 'yes'"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(InputError, match=message):
        replace(SMALL, **changes)


def test_misuse_is_rejected(trained):
    with pytest.raises(InputError, match="8 values are too few: a window of 6 and 3 steps ahead need 9"):
        train_forecaster(waves(8), settings=SMALL)
    with pytest.raises(InputError, match="a season of 10 and 3 steps ahead need 19"):
        train_forecaster(waves(18), settings=replace(SMALL, season=10, seasonal="both"))
    with pytest.raises(InputError, match="1 names for 2 columns"):
        train_forecaster(waves(), settings=SMALL, names=["tide"])
    with pytest.raises(InputError, match="the series must have 2 columns, as in training, got 1"):
        trained.predict(series=waves()[:, :1])
    for origin, message in ((5, "needs at least 6 values before it, got 5"), (151, "at most 150, the end")):
        with pytest.raises(InputError, match=message):
            trained.forecast(waves(), [50, origin])


def test_the_shortest_series_there_is():
    assert train_forecaster(waves(9), settings=SMALL, threads=1).predict().shape == (3, 2)


def test_related_series_train_one_network():
    """Company A and B: the first of four days decides the fifth, with one set of weights for both."""
    companies = np.array([[0, 0.5, 0.25, 1, 0], [1, 0.5, 0.25, 1, 1]]).T
    settings = ForecasterSettings(
        window=4, horizon=1, related=True, hidden_size=8, epochs=150, learning_rate=0.02, validation_fraction=0
    )
    net = train_forecaster(companies, settings=settings, names=["A", "B"], threads=1)
    np.testing.assert_allclose(net.forecast(companies, [4])[0, 0], [0, 1], atol=0.1)
    assert net.metrics["windows"] == 1
    assert net.network.encoder.shape.vector_size == 1
    swapped = train_forecaster(companies[:, ::-1], settings=settings, threads=1)
    np.testing.assert_allclose(swapped.forecast(companies[:, ::-1], [4])[0, 0], [1, 0], atol=0.1)


def test_a_related_series_is_forecast_from_its_own_past(tmp_path):
    settings = replace(SMALL, related=True, season=10, strategy="recursive", epochs=1)
    net = train_forecaster(waves(), settings=settings, threads=1)
    expected = net.forecast(waves(), [80, 90], 4)
    changed = waves()
    changed[:, 1] += 5
    np.testing.assert_array_equal(net.forecast(changed, [80, 90], 4)[:, :, 0], expected[:, :, 0])
    assert (net.forecast(changed, [80, 90], 4)[:, :, 1] != expected[:, :, 1]).all()
    net.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").forecast(waves(), [80, 90], 4), expected)


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
def test_a_damaged_tensor_is_refused(file, tensor, value):
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
def test_a_damaged_header_is_refused(file, key, value):
    tensors, header = read_model(file, ["forecaster"])
    if key == "settings" and value and isinstance(value, dict):
        value = header["settings"] | value
    write_model(file, tensors, header | {key: value})
    with pytest.raises(FormatError, match="damaged"):
        load_model(file, "forecaster")


def test_files_of_other_kinds_are_rejected(file, model_file, vectors_file):
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


def test_layer_dropout_acts_between_layers_in_training_only(tmp_path):
    two = replace(SMALL, layers=2)
    plain, dropped, again = (
        train_forecaster(waves(), settings=replace(two, layer_dropout=rate), threads=threads)
        for rate, threads in ((0.0, 1), (0.5, 1), (0.5, 2))
    )
    assert (plain.predict() != dropped.predict()).all()
    np.testing.assert_array_equal(dropped.predict(), again.predict())
    # One layer has nothing above it; and prediction draws nothing.
    one = (train_forecaster(waves(), settings=replace(SMALL, layer_dropout=rate), threads=1) for rate in (0.0, 0.5))
    np.testing.assert_array_equal(*(model.predict() for model in one))
    dropped.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors", "forecaster")
    assert loaded.settings.layer_dropout == 0.5
    np.testing.assert_array_equal(loaded.predict(), dropped.predict())
