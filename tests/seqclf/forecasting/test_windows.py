"""The transformation of a series for the network, and its inverse."""

import numpy as np
import pytest

from corpora import InputError
from seqclf.forecasting.windows import Preparation, windows_after, windows_before

SEASON = 3


def series(rows=20, columns=2):
    return np.exp(np.random.default_rng(1).standard_normal((rows, columns))) + np.arange(columns) * 5


@pytest.mark.parametrize("seasonal", ["inputs", "difference", "both"])
@pytest.mark.parametrize("log", [True, False])
def test_restore_inverts_the_transformation(seasonal, log):
    """Also beyond a season, where the value one season earlier is itself a forecast."""
    values, origins, horizon = series(), np.array([7, 12]), 2 * SEASON + 1
    preparation = Preparation.learn(values[:10], season=SEASON, seasonal=seasonal, log=log, relative=False)
    level = preparation.logarithm(values)
    scaled = windows_after(preparation.scale(level), origins, horizon)
    known = level.copy()
    known[12:] = np.nan  # values after the last origin are not read
    restored = preparation.original(preparation.restore(scaled, origins, known))
    np.testing.assert_allclose(restored, windows_after(values, origins, horizon), rtol=1e-12)


def test_scaling_is_fitted_to_the_given_values():
    values = series()
    preparation = Preparation.learn(values[:12], season=SEASON, seasonal="difference", log=True, relative=False)
    change = np.log(values[SEASON:12]) - np.log(values[: 12 - SEASON])
    np.testing.assert_allclose(preparation.mean, change.mean(axis=0))
    np.testing.assert_allclose(preparation.deviation, change.std(axis=0))
    assert np.isnan(preparation.scale(np.log(values))[:SEASON]).all()


def test_constant_columns_stay_finite():
    preparation = Preparation.learn(np.full((9, 1), 4.0), season=0, seasonal="inputs", log=False, relative=False)
    assert preparation.scale(np.full((3, 1), 4.0)).tolist() == [[0], [0], [0]]


def test_windows_before_and_after_an_origin():
    values = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(windows_before(values, np.array([2, 6]), 2), [values[0:2], values[4:6]])
    np.testing.assert_array_equal(windows_after(values, np.array([2, 4]), 2), [values[2:4], values[4:6]])


def test_seasonal_inputs_depend_on_the_position():
    one = np.ones(1)
    preparation = Preparation(SEASON, "inputs", False, False, 0 * one, one)
    found = preparation.inputs(np.zeros((2, 4, 1)), np.array([5, 5 + SEASON]))
    np.testing.assert_array_equal(found[0], found[1])
    assert found.shape == (2, 4, 1 + preparation.waves)
    angle = 2 * np.pi * (np.arange(5, 9) % SEASON) / SEASON
    expected = [np.sin(angle), np.sin(2 * angle), np.cos(angle), np.cos(2 * angle)]
    np.testing.assert_allclose(found[0, :, 1:].T, expected, atol=1e-6)


def test_relative_windows_subtract_their_last_value():
    one = np.ones(1)
    preparation = Preparation(0, "inputs", False, True, 0 * one, one)
    windows = np.array([[[3.0], [5.0], [4.0]]])
    assert preparation.anchors(windows).tolist() == [[[4.0]]]
    assert preparation.inputs(windows, np.array([0]))[0, :, 0].tolist() == [-1, 1, 0]


def test_log_rejects_values_up_to_0():
    with pytest.raises(InputError, match="log needs values above 0, got -2"):
        Preparation.learn(np.array([[1.0], [-2]]), season=0, seasonal="inputs", log=True, relative=False)
