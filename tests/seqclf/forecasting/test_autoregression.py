"""Autoregression against a loop over the values, and its choice of order and season."""

import numpy as np
import pytest

from seqclf.forecasting import autoregression
from seqclf.forecasting.methods import Autoregressive
from tests.oracles import naive_autoregression


def process(length=120, season=(0.0,)):
    """Return a series of order 2 around a season."""
    values = [0.0, 0.0]
    for noise in np.random.default_rng(3).normal(0, 1, length + 20):
        values.append(1.4 * values[-1] - 0.8 * values[-2] + noise)
    return np.array(values[-length:]) + np.resize(season, length)


def test_coefficients_are_those_of_burg():
    values = process() - process().mean()
    for order, (coefficients, variance) in enumerate(autoregression._burg(values, 5)):
        expected = naive_autoregression.burg(values, order)
        np.testing.assert_allclose(coefficients, expected[0])
        assert variance == pytest.approx(expected[1])


def test_order_and_season_are_found():
    found = autoregression.fit(process(), 4)
    assert (len(found.means), len(found.coefficients)) == (1, 2)
    np.testing.assert_allclose(found.coefficients, [1.4, -0.8], atol=0.1)
    seasonal = autoregression.fit(process(season=(0.0, 30, 10, 90)), 4)
    np.testing.assert_allclose(seasonal.means - seasonal.means[0], [0, 30, 10, 90], atol=2)


@pytest.mark.parametrize("length", [1, 3, 9])
def test_short_and_constant_series_repeat_their_mean(length):
    assert autoregression.fit(np.full(length, 7.0), 2).coefficients.size == 0
    method = Autoregressive.fit(np.full((length, 1), 7.0), 2)
    assert method.least == 1
    assert method.forecast(np.full((length, 1), 7.0), np.array([length]), 3, 0).ravel().tolist() == [7, 7, 7]


def test_forecasts_continue_the_deviations_of_each_column():
    series = np.stack([process(season=(0.0, 9)), 5 + process()[::-1]], axis=1)
    method = Autoregressive.fit(series[:100], 2)
    found = method.forecast(series[20:], np.array([80, 90]), 5, 20)
    for column, values in enumerate(series.T):
        means, coefficients, _ = autoregression.fit(values[:100], 2)
        pattern = np.resize(means, 120)
        ahead = naive_autoregression.continued((values - pattern)[:100], coefficients, 5)
        np.testing.assert_allclose(found[0, :, column], ahead + pattern[100:105])
