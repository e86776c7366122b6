"""The season of a series: candidates from its dates, or from its autocorrelation, and their test."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import fdtrc

_DAY = 86_400
_SHORT = tuple(range(4, 61))
_LONG = (168, 365)
"""Candidates of a series without dates."""
_P_DATED, _P_SEARCHED = 0.01, 0.0001
"""Largest p of a short season that the dates suggest, and of one among the candidates without dates."""
_DEVIATIONS = 2.0
"""Standard deviations by which the autocorrelation of a long season exceeds 0."""


class Season(NamedTuple):
    """Steps in a season, 1 for none, and the reason for it; ``likely`` is the best candidate, whether found or not."""

    steps: int
    reason: str
    likely: int


def seasons_of(calendar: Mapping[str, Any] | None) -> list[int]:
    """Return the seasons that series of this calendar usually have.

    Example:
        >>> seasons_of({"unit": "month", "step": 1}), seasons_of({"unit": "second", "step": 3600})
        ([12], [24, 168])
    """
    if calendar is None:
        return []
    unit, step = calendar["unit"], calendar["step"]
    if unit == "month":
        found = [12 // step] if 12 % step == 0 else []
    elif unit == "day":
        found = {1: [7, 365], 7: [52]}.get(step, [])
    elif unit == "weekday":
        found = [5, 261]
    elif unit == "second":
        found = [_DAY // step, 7 * _DAY // step] if _DAY % step == 0 else []
    else:
        found = []
    return [each for each in found if each > 1]


def find_season(level: np.ndarray, calendar: Mapping[str, Any] | None) -> Season:
    """Return the season of a series (N, D), or of its logarithm, that most of its columns have.

    Candidates follow from the dates; without dates, they are 4 to 60, 168 and 365 steps. One of up to 60 steps is a
    season if the means of the changes at the times of the season differ, by an F-test, which a trend does not disturb.
    If there is none, a longer one is taken if the autocorrelation of the smoothed series at its lag is more than two
    standard deviations (Bartlett) above 0 and above that of the lags around it.

    Args:
        level: (N, D).
        calendar: unit and step of its dates, as ``Dates.calendar`` returns it; None without dates.

    Example:
        >>> wave = np.sin(np.arange(60) * 2 * np.pi / 12) + np.random.default_rng(1).normal(0, 0.1, 60)
        >>> find_season(wave[:, None], None).steps
        12
    """
    usual = seasons_of(calendar)
    if calendar is not None and not usual:
        return Season(1, f"none is usual for steps of {calendar['step']} {calendar['unit']}(s)", 1)
    fitting = [each for each in usual or (*_SHORT, *_LONG) if (2 if usual else 3) * each < len(level)]
    if not fitting:
        return Season(1, "the series is too short for one", usual[0] if usual else 1)
    chances = {each: _chance(level, each) for each in fitting if each <= _SHORT[-1]}
    likely = min(chances, key=lambda each: chances[each], default=fitting[0])
    if chances and chances[likely] < (_P_DATED if usual else _P_SEARCHED):
        return Season(
            likely, f"its changes depend on the time of {likely} steps (F-test, {_p(chances[likely])})", likely
        )
    strengths = {each: _strength(level, each) for each in fitting if each not in chances}
    longest = max(strengths, key=lambda each: strengths[each], default=0)
    if longest and strengths[longest] > 0:
        return Season(longest, f"autocorrelation {strengths[longest]:.2f} at lag {longest}", longest)
    shown = f"{likely} steps is the likeliest, {_p(chances[likely])}" if chances else "no significant autocorrelation"
    return Season(1, shown, likely)


def _p(chance: float) -> str:
    return f"p = {chance:.2g}" if chance >= 0.0001 else "p < 0.0001"


def _chance(level: np.ndarray, season: int) -> float:
    """Return the median, over the columns, of the p of an F-test of the changes' means at the times of the season."""
    return float(np.median([_column_chance(np.diff(column), season) for column in level.T]))


def _column_chance(changes: np.ndarray, season: int) -> float:
    times = np.arange(len(changes)) % season
    counts = np.bincount(times, minlength=season)
    means = np.bincount(times, changes, season) / counts
    within = np.square(changes - means[times]).sum()
    between = (counts * np.square(means - changes.mean())).sum()
    inner, outer = len(changes) - season, season - 1
    if between == 0:
        return 1.0
    if within <= 1e-12 * between:
        return 0.0
    return float(fdtrc(outer, inner, between / outer / (within / inner)))


def _strength(level: np.ndarray, lag: int) -> float:
    """Return the median autocorrelation of the columns at the lag of a long season, 0 for those without the season."""
    return float(np.median([_column_strength(column, lag) for column in level.T]))


def _column_strength(values: np.ndarray, lag: int) -> float:
    width, near = lag // 12, lag // 8
    smoothed = np.convolve(values - _trend(values), np.full(width, 1 / width), "valid")
    correlations = autocorrelations(smoothed, lag + near)
    limit = _DEVIATIONS * np.sqrt((1 + 2 * np.square(correlations[1 : _SHORT[-1]]).sum()) / len(smoothed))
    around = max(correlations[lag - near], correlations[lag + near])
    return float(correlations[lag]) if correlations[lag] > max(limit, around) else 0.0


def _trend(values: np.ndarray) -> np.ndarray:
    time = np.arange(len(values)) - (len(values) - 1) / 2
    return np.asarray(values.mean() + time * (time @ values / (time @ time)))


def autocorrelations(values: np.ndarray, most: int) -> np.ndarray:
    """Return the autocorrelations of a column (N,) at lags 0 to ``most``; 0 for a constant one.

    Example:
        >>> autocorrelations(np.array([1.0, -1, 1, -1]), 2)
        array([ 1.  , -0.75,  0.5 ])
    """
    centered = values - values.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(values))))
    power = np.square(np.abs(np.fft.rfft(centered, size)))
    products = np.fft.irfft(power, size)[: most + 1]
    return products / products[0] if products[0] > 0 else np.zeros(most + 1)
