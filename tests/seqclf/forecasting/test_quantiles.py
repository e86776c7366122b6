"""Conformalized quantile regression: coverage of the windows that it was fitted to, and its use by a forecaster."""

from dataclasses import replace

import numpy as np

from seqclf import ForecasterSettings, train_forecaster
from seqclf.forecasting.quantiles import LEVELS, conformal_widening, interval
from seqclf.forecasting.settings import QUANTILES

SMALL = ForecasterSettings(window=4, horizon=2, hidden_size=8, epochs=3, quantiles=True, validation_fraction=0.3)
SERIES = np.random.default_rng(3).standard_normal((90, 2)) + np.arange(90)[:, None] / 20


def test_widened_intervals_cover_their_share_and_no_more():
    random = np.random.default_rng(1)
    found = np.sort(random.standard_normal((99, len(QUANTILES), 3, 2)), axis=1)
    truth = 2 * random.standard_normal((99, 3, 2))
    widening = conformal_widening(found, truth)
    assert LEVELS == (0.9, 0.8, 0.5)
    for place, level in enumerate(LEVELS):
        low, high = found[:, place] - widening[place], found[:, -1 - place] + widening[place]
        covered = ((low <= truth + 1e-12) & (truth <= high + 1e-12)).sum(axis=0)
        np.testing.assert_array_equal(covered, round(100 * level))  # of 99, so that a next one is covered by level


def test_an_interval_holds_the_median():
    found = np.arange(7.0).reshape(1, 7, 1, 1)
    low, high = interval(found, np.full((3, 1, 1), -5.0), 0)
    assert (low.item(), high.item()) == (3.0, 3.0)


def test_a_forecaster_widens_its_intervals_by_its_validation_windows():
    model = train_forecaster(SERIES, settings=SMALL, threads=1)
    assert model.widening.shape == (3, 2, 2)
    assert (model.widening != 0).all()
    low, high = model.predict_interval(0.8)
    model.widening[1] += 0.5
    wider, higher = model.predict_interval(0.8)
    np.testing.assert_allclose(low - wider, 0.5 * np.tile(model.preparation.deviation, (2, 1)), rtol=1e-6)
    np.testing.assert_allclose(higher - high, low - wider, rtol=1e-6)
    for related in (False, True):
        unfitted = train_forecaster(SERIES, settings=replace(SMALL, validation_fraction=0, related=related), threads=1)
        assert not unfitted.widening.any()
