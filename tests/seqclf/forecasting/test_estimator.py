"""Forecaster as an estimator; what all estimators promise is checked in tests/estimators."""

import numpy as np
import pytest

from seqclf import Forecaster, ForecasterModel, ForecasterSettings, backtest, load_model, train_forecaster
from wordvec import InputError

SMALL = {"window": 6, "horizon": 3, "hidden_size": 8, "epochs": 3, "batch_size": 16}
SERIES = np.sin(np.arange(120) * 2 * np.pi / 10) + 0.01 * np.arange(120)


def small(**options):
    return Forecaster(**{**SMALL, "random_state": 1, "n_jobs": 1, **options})


def test_it_forecasts_what_the_trained_model_does():
    series, seen = np.stack([SERIES, 2 - SERIES], axis=1), []
    forecaster = small().fit(series, names=["tide", "ebb"], on_progress=seen.append)
    model = train_forecaster(series, settings=ForecasterSettings(**SMALL, seed=1), threads=1)
    assert isinstance(forecaster.model_, ForecasterModel)
    assert forecaster.model_.names == ["tide", "ebb"]
    assert forecaster.history_ == model.history
    assert seen[-1].unit == "windows"
    np.testing.assert_array_equal(forecaster.predict(2), model.predict(2))
    np.testing.assert_array_equal(forecaster.predict(series=series[:50], start=5), model.predict(series=series[:50]))
    np.testing.assert_array_equal(forecaster.forecast(series, [40, 60]), model.forecast(series, [40, 60]))


def test_intervals_come_from_a_back_test(tmp_path):
    forecaster = small().fit(SERIES)
    with pytest.raises(InputError, match="call calibrate"):
        forecaster.predict_interval()
    report = backtest(SERIES, ForecasterSettings(**SMALL), 30, threads=1)
    assert forecaster.calibrate(report) is forecaster
    low, high = forecaster.predict_interval(0.8)
    assert (low <= high).all()
    forecaster.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors", "forecaster")
    np.testing.assert_array_equal(loaded.predict_interval(0.8), (low, high))


def test_a_failed_fit_leaves_the_forecaster_as_it_was():
    forecaster = small().fit(SERIES)
    expected = forecaster.predict()
    for series, names in ((SERIES[:3], None), (SERIES, ["one", "too many"])):
        with pytest.raises(InputError):
            forecaster.fit(series, names=names)
        np.testing.assert_array_equal(forecaster.predict(), expected)


def test_parameters_are_checked_by_fit():
    with pytest.raises(InputError, match="horizon must be at least 1, got 0"):
        small(horizon=0).fit(SERIES)


class DataFrame:
    """What the packages ask of a DataFrame of numbers."""

    def __init__(self, **columns):
        self.columns, self._values = list(columns), np.stack(list(columns.values()), axis=1)
        self.shape, self.to_numpy = self._values.shape, self.__array__

    def __array__(self, dtype=None, copy=None):
        return self._values


class Series(np.ndarray):
    name = "tide"


def test_columns_have_the_names_of_a_data_frame_and_their_order():
    forecaster = small(epochs=1).fit(DataFrame(tide=SERIES, ebb=2 - SERIES))
    assert forecaster.model_.names == ["tide", "ebb"]
    with pytest.raises(InputError, match="columns must be in the order of training, tide, ebb, got ebb, tide"):
        forecaster.predict(series=DataFrame(ebb=2 - SERIES, tide=SERIES))
    assert small(epochs=1).fit(SERIES.view(Series)).model_.names == ["tide"]
    assert small(epochs=1).fit(np.stack([SERIES, SERIES], axis=1)).model_.names == ["y0", "y1"]


def test_columns_known_ahead_have_the_order_of_training():
    sale, rain = (np.random.default_rng(seed).integers(0, 2, 123).astype(float) for seed in (1, 2))
    forecaster = small(epochs=1).fit(SERIES + sale[:120], known=DataFrame(sale=sale[:120], rain=rain[:120]))
    right, wrong = DataFrame(sale=sale[120:], rain=rain[120:]), DataFrame(rain=rain[120:], sale=sale[120:])
    np.testing.assert_array_equal(forecaster.predict(known=right), forecaster.predict(known=right.to_numpy()))
    with pytest.raises(InputError, match="known ahead must be in the order of training, sale, rain, got rain, sale"):
        forecaster.predict(known=wrong)
