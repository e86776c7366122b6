"""Columns known ahead: their effect, what a network reads of them, files, missing rows."""

from dataclasses import replace

import numpy as np
import pytest

from seqclf import Forecaster, ForecasterSettings, backtest, load_model, train_forecaster
from seqclf.forecasting.automatic import train_automatic
from seqclf.forecasting.known import KnownColumns, linear_effects
from wordvec import FormatError, InputError

SMALL = ForecasterSettings(window=5, horizon=3, hidden_size=8, epochs=2, relative=True)
RANDOM = np.random.default_rng(4)
HOLIDAYS = (RANDOM.random((160, 1)) < 0.2).astype(float)
SALES = 20 + 0.1 * np.arange(160) + 9 * HOLIDAYS[:, 0] + RANDOM.normal(0, 0.3, 160)


@pytest.fixture(scope="module")
def trained():
    return train_forecaster(SALES[:150], settings=SMALL, known=HOLIDAYS[:150], known_names=["holiday"], threads=1)


def test_the_effects_are_those_of_least_squares_on_seasonal_differences():
    known = RANDOM.random((60, 2))
    season = np.tile([0.0, 40, -7, 3], 15)
    series = np.stack([season + 2 * known[:, 0] - 5 * known[:, 1], season], axis=1) + RANDOM.normal(0, 0.01, (60, 2))
    np.testing.assert_allclose(linear_effects(series, known, 4)[:, 0], [2, -5], atol=0.05)
    assert not linear_effects(series, known, 4)[:, 1].any()  # not sure: none
    assert not linear_effects(series, np.ones((60, 2)), 4).any()
    assert not linear_effects(series[:4], known[:4], 1).any()  # too few values to be sure


def test_a_network_reads_the_columns_of_each_step_and_of_the_next():
    known = np.arange(20.0).reshape(10, 2)
    columns = KnownColumns(["a", "b"], 3, np.zeros(2), np.ones(2), known[:2])
    found = columns.inputs(known, np.array([4, 6]), 2)
    assert found.shape == (2, 2, columns.width)
    assert found[1, 0].tolist() == [8, 9, 10, 11, 12, 13, 14, 15]  # the steps 4, 5, 6 and 7


def test_holidays_ahead_are_forecast(trained):
    found = trained.predict(known=HOLIDAYS[150:153])
    np.testing.assert_allclose(found[:, 0], SALES[150:153], atol=2.5)
    more = trained.predict(known=1 - HOLIDAYS[150:153])
    np.testing.assert_allclose(more - found, 9 * (1 - 2 * HOLIDAYS[150:153]), atol=2)
    np.testing.assert_array_equal(found, trained.predict(series=SALES[:150], known=HOLIDAYS[:153]))
    np.testing.assert_array_equal(found, trained.forecast(SALES, [150], known=HOLIDAYS)[0])


def test_the_automatic_choice_uses_them(tmp_path):
    fixed = {"horizon": 3, "hidden_size": 4, "epochs": 1}
    model = train_automatic(SALES[:150], known=HOLIDAYS[:150], known_names=["holiday"], threads=1, **fixed)
    found = model.predict(known=HOLIDAYS[150:153])
    np.testing.assert_allclose(found[:, 0], SALES[150:153], atol=1.5)
    low, high = model.predict_interval(0.9, known=HOLIDAYS[150:153])
    assert ((low < found) & (found < high) & (high - low < 6)).all()
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(known=HOLIDAYS[150:153]), found)


@pytest.mark.parametrize(
    "changes", [{"strategy": "recursive", "horizon": 4}, {"quantiles": True}, {"season": 7, "seasonal": "both"}]
)
def test_files_and_back_tests_of_every_kind(changes, tmp_path):
    settings = replace(SMALL, epochs=1, log=True, **changes)
    two = np.stack([SALES, SALES[::-1]], axis=1)
    known = np.concatenate([HOLIDAYS, HOLIDAYS[::-1]], axis=1)
    model = train_forecaster(two, settings=replace(settings, related=True), known=known, threads=1)
    model.save(tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors")
    loaded.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    ahead = known[:4]
    np.testing.assert_array_equal(loaded.predict(known=ahead), model.predict(known=ahead))
    assert loaded.known.names == ["x0", "x1"]
    found = backtest(two, settings, 20, known=known, threads=1)
    changed = known.copy()
    changed[139] += 5  # the network is trained on the first 140 rows
    assert (backtest(two, settings, 20, known=changed, threads=1).forecasts != found.forecasts).any()


def test_the_estimator_passes_them_on():
    forecaster = Forecaster(window=5, horizon=3, hidden_size=8, epochs=2, n_jobs=1, random_state=1)
    forecaster.fit(SALES[:150], known=HOLIDAYS[:150])
    found = forecaster.predict(known=HOLIDAYS[150:153])
    np.testing.assert_array_equal(found, forecaster.forecast(SALES, [150], known=HOLIDAYS)[0])


def test_missing_rows_are_named(trained):
    for known, message in (
        (None, "known must give holiday for the steps to forecast"),
        (HOLIDAYS[:2], "3 rows after the series, for the steps to forecast, got 2: holiday of the steps 3"),
        (np.zeros((3, 2)), "known must have 1 columns, holiday, got 2"),
        ([np.nan] * 3, "known must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            trained.predict(known=known)
    with pytest.raises(InputError, match="got 0: holiday of the steps 1 to 3"):
        trained.predict(series=SALES, known=HOLIDAYS[:100])
    with pytest.raises(InputError, match="a row for each of the 160 values of the series, got 150"):
        train_forecaster(SALES, settings=SMALL, known=HOLIDAYS[:150])
    with pytest.raises(InputError, match="2 names for 1 columns known ahead"):
        train_forecaster(SALES, settings=SMALL, known=HOLIDAYS, known_names=["a", "b"])
    plain = train_forecaster(SALES, settings=SMALL, threads=1)
    with pytest.raises(InputError, match="trained without columns known ahead; leave out known"):
        plain.predict(known=HOLIDAYS[:3])


def test_damaged_files_are_refused(trained, tmp_path):
    from seqclf.model_file import read_model, write_model

    path = tmp_path / "m.safetensors"
    trained.save(path)
    tensors, header = read_model(path, ["forecaster"])
    for name, value in (
        ("known_deviation", np.zeros(1)),
        ("known_tail", np.zeros((2, 1))),
        ("known_effects", np.zeros(1)),
    ):
        write_model(path, tensors | {name: value}, header)
        with pytest.raises(FormatError, match="damaged"):
            load_model(path)
    write_model(path, tensors, header | {"known": ["a", "b"]})
    with pytest.raises(FormatError, match="damaged"):
        load_model(path)
