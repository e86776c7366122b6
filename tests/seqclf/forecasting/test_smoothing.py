"""Exponential smoothing against a slow oracle, and its fit."""

import numpy as np
import pytest

from seqclf.forecasting.smoothing import (
    Rates,
    Smoothing,
    best_criterion,
    head_length,
    initial_states,
    line,
    seasonal_pattern,
    smooth,
)
from tests.oracles import naive_smoothing


def column(length=60, season=4):
    at = np.arange(length)
    return 20 + 0.3 * at + np.array([3.0, -1, 0, -2])[at % season] + np.random.default_rng(2).normal(0, 0.5, length)


@pytest.mark.parametrize(("season", "trend"), [(1, "none"), (1, "additive"), (4, "damped"), (4, "additive")])
def test_states_and_forecasts_are_those_of_the_oracle(season, trend):
    values = column()
    rates = Rates(0.3, 0.2, 0.4, {"none": 0.0, "additive": 1.0}.get(trend, 0.9))
    level, slope, pattern = initial_states(values, season)
    slope = 0.0 if trend == "none" else slope
    applied = 0.3, 0.3 * 0.2, 0.7 * 0.4, rates.phi
    several = Rates(*(np.array([0.5, rate]) for rate in rates))
    found = smooth(values, season, trend, several)
    for end in (15, 43, 60):
        errors, *states = naive_smoothing.smoothed(values[:end], *applied, level, slope, pattern)
        np.testing.assert_allclose(found.errors[:end, 1], errors)
        np.testing.assert_allclose((found.levels[end, 1], found.trends[end, 1]), states[:2])
        if end >= head_length(season):
            expected = naive_smoothing.continued(*states, rates.phi, 6)
            forecast = Smoothing(season, trend, rates, 0.0).forecast(values, np.array([end]), 6)
            np.testing.assert_allclose(forecast[0], expected)


@pytest.mark.parametrize("season", [1, 4])
def test_no_forecast_knows_what_comes_after(season):
    model = Smoothing.fit(column(), season, "additive")
    origins = np.array([2 * season, 12, 40])
    before = model.forecast(column(), origins, 3)
    for row, origin in enumerate(origins):
        changed = column()
        changed[origin:] = -1e6
        np.testing.assert_array_equal(model.forecast(changed, origins[row : row + 1], 3)[0], before[row])


def test_the_fit_finds_rates_that_no_other_tried_ones_beat():
    values = column()
    found = Smoothing.fit(values, 4, "additive")

    def loss(rates):
        return np.square(smooth(values, 4, "additive", Rates(*(np.atleast_1d(rate) for rate in rates))).errors).sum()

    random = np.random.default_rng(1)
    others = [loss(Rates(*random.uniform(0.001, 0.999, 3), 1.0)) for _ in range(200)]
    assert loss(found.rates) <= min(others) * 1.001


def test_the_criterion_prefers_what_is_in_the_series():
    values = column()
    kinds = {
        (season, trend): Smoothing.fit(values, season, trend) for season in (1, 4) for trend in ("none", "additive")
    }
    assert min(kinds, key=lambda kind: kinds[kind].criterion) == (4, "additive")
    assert best_criterion(values, 4) <= kinds[4, "additive"].criterion
    noise = np.random.default_rng(0).normal(0, 1, 60)
    assert Smoothing.fit(noise, 1, "none").criterion < Smoothing.fit(noise, 4, "none").criterion


def test_lines_and_patterns_by_hand():
    assert line(np.array([1.0, 3, 5])) == (1.0, 2.0)
    assert line(column()) == pytest.approx(naive_smoothing.line(column()))
    exact = 5 + 0.5 * np.arange(24) + np.tile([2.0, -1, 0, -1], 6)
    np.testing.assert_allclose(seasonal_pattern(exact, 4), [2, -1, 0, -1], atol=1e-12)
    np.testing.assert_allclose(seasonal_pattern(np.tile([1.0, 0, -1], 5), 3), [1, 0, -1], atol=1e-12)
    level, slope, pattern = initial_states(exact, 4)
    np.testing.assert_allclose((level, slope, *pattern), (4.5, 0.5, 2, -1, 0, -1), atol=1e-12)


def test_states_match_statsmodels():
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    values = column()
    level, slope, pattern = initial_states(values, 4)
    model = ets.ETSModel(
        values, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=4,
        initialization_method="known", initial_level=level, initial_trend=slope, initial_seasonal=pattern,
    )  # fmt: skip
    peer = model.smooth([0.3, 0.06, 0.28, 0.9]).forecast(6)
    own = Smoothing(4, "damped", Rates(0.3, 0.2, 0.4, 0.9), 0.0).forecast(values, np.array([60]), 6)
    np.testing.assert_allclose(own[0], peer)
