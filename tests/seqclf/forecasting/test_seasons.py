"""Seasons found by dates and by autocorrelation."""

import numpy as np
import pytest

from seqclf.forecasting.seasons import autocorrelations, find_season, seasons_of

MONTHS, DAYS = {"unit": "month", "step": 1}, {"unit": "day", "step": 1}


def noise(length, seed=1):
    return np.random.default_rng(seed).normal(0, 1, length)


def wave(length, season, trend=0.05):
    at = np.arange(length)
    return (trend * at + 3 * np.sin(at * 2 * np.pi / season) + noise(length))[:, None]


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (None, []),
        ({"unit": "month", "step": 3}, [4]),
        ({"unit": "month", "step": 12}, []),
        ({"unit": "month", "step": 5}, []),
        (DAYS, [7, 365]),
        ({"unit": "day", "step": 7}, [52]),
        ({"unit": "second", "step": 900}, [96, 672]),
        ({"unit": "second", "step": 7}, []),
        ({"unit": "year", "step": 1}, []),
    ],
)
def test_usual_seasons_of_a_calendar(calendar, expected):
    assert seasons_of(calendar) == expected


@pytest.mark.parametrize(
    ("season", "length", "calendar"),
    [(12, 96, MONTHS), (12, 96, None), (7, 90, DAYS), (7, 90, None), (365, 1100, DAYS), (365, 1500, None)],
)
def test_a_season_is_found(season, length, calendar):
    found = find_season(wave(length, season), calendar)
    assert found.steps == found.likely == season
    assert str(season) in found.reason


@pytest.mark.parametrize("calendar", [MONTHS, DAYS, None])
def test_noise_and_random_walks_rarely_have_one(calendar):
    found = [find_season(noise(300, seed)[:, None], calendar).steps > 1 for seed in range(20)]
    found += [find_season(np.cumsum(noise(300, seed))[:, None], calendar).steps > 1 for seed in range(20)]
    assert sum(found) <= 3


def test_a_season_is_of_most_columns():
    both = np.hstack([wave(96, 12), wave(96, 12, -0.1), noise(96)[:, None]])
    assert find_season(both, MONTHS).steps == 12
    both[:, 0] = noise(96, 2)
    assert find_season(both, MONTHS).steps == 1


def test_short_constant_and_yearly_series():
    assert find_season(wave(24, 12), MONTHS) == (1, "the series is too short for one", 12)
    assert find_season(np.full((60, 1), 5.0), MONTHS).steps == 1
    assert find_season(wave(60, 11), {"unit": "year", "step": 1}).reason == "none is usual for steps of 1 year(s)"


def test_autocorrelations_match_their_definition():
    values = noise(50)
    centered = values - values.mean()
    expected = [centered[: 50 - lag] @ centered[lag:] / (centered @ centered) for lag in range(9)]
    np.testing.assert_allclose(autocorrelations(values, 8), expected)
