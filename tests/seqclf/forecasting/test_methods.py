"""Methods without a network: their definitions, no look-ahead, and what their tensors may hold."""

import numpy as np
import pytest

from seqclf.forecasting.backtest import naive_forecasts
from seqclf.forecasting.methods import METHODS, ExponentialSmoothing, Theta
from tests.oracles import naive_smoothing

SEASON = 4


def series(length=50):
    at = np.arange(length)
    wave = np.stack([3 + 0.1 * at + np.sin(at * np.pi / 2), 9 - 0.2 * at + 2 * np.cos(at * np.pi / 2)], axis=1)
    return wave + np.random.default_rng(5).normal(0, 0.2, wave.shape)


@pytest.mark.parametrize("name", METHODS)
def test_no_forecast_knows_what_comes_after(name):
    method = METHODS[name].fit(series()[:40], SEASON)
    origins = np.array([max(method.least, 9), 40, 43])
    before = method.forecast(series(), origins, 6, 0)
    assert before.shape == (3, 6, 2)
    for row, origin in enumerate(origins):
        changed = series()
        changed[origin:] = 1e6
        np.testing.assert_array_equal(method.forecast(changed, origins[row : row + 1], 6, 0)[0], before[row])


def test_naive_methods_are_those_of_the_backtest():
    origins = np.array([41, 44])
    expected = naive_forecasts(series(), origins, 6, SEASON)
    for name in ("naive", "seasonal-naive", "seasonal mean"):
        method = METHODS[name].fit(series()[:41], SEASON)
        np.testing.assert_array_equal(method.forecast(series(), origins, 6, 0), expected[method.label])


@pytest.mark.parametrize("name", ["seasonal mean", "Theta", "autoregression"])
def test_the_start_places_a_series_in_the_season(name):
    method = METHODS[name].fit(series(), SEASON)
    whole = method.forecast(series(), np.array([50]), 3, 0)
    np.testing.assert_allclose(method.forecast(series()[2:], np.array([48]), 3, 2), whole, rtol=1e-2)
    assert np.abs(method.forecast(series()[2:], np.array([48]), 3, 0) - whole).max() > 0.5


def test_theta_is_smoothing_with_half_the_slope():
    values = series()[:, 1]
    method = Theta.fit(values[:, None], 1)
    alpha, slope = method.tensors["alphas"][0], naive_smoothing.line(values)[1]
    first, own = naive_smoothing.line(values[:10])
    _, level, *_ = naive_smoothing.smoothed(values, alpha, 0, 0, 0, first - own, 0, [0])
    drift = [slope / 2 * (step + (1 - (1 - alpha) ** 50) / alpha) for step in range(4)]
    np.testing.assert_allclose(method.forecast(values[:, None], np.array([50]), 4, 0)[0, :, 0], level + np.array(drift))


def test_smoothing_weighs_its_variants_by_their_criteria():
    method = ExponentialSmoothing.fit(series(), SEASON)
    weights = dict(zip(method.variants(SEASON), method.tensors["weights"][0], strict=True))
    assert sum(weights.values()) == pytest.approx(1)
    assert weights[1, "none"] == 0
    assert weights[4, "additive"] > 0.3
    assert method.least == 8
    assert ExponentialSmoothing.fit(series()[:7], SEASON).least == 1


def test_tensors_out_of_range_are_not_valid():
    for name in METHODS:
        assert METHODS[name].fit(series(), SEASON).is_valid()
    smoothing, theta = ExponentialSmoothing.fit(series(), SEASON), Theta.fit(series(), SEASON)
    for method, tensor, value in ((smoothing, "rates", 1.5), (smoothing, "weights", 0.2), (theta, "alphas", 0.0)):
        damaged = {**method.tensors, tensor: np.full_like(method.tensors[tensor], value)}
        assert not type(method)(SEASON, damaged).is_valid()
