"""Exponential smoothing with additive errors, and the Theta method, for one column of a series.

Level, trend and season follow Holt and Winters in the error-correction form of Hyndman et al. 2008, table 2.2:

    e_t = y_t - (l + phi b + s_{t-m});  l += phi b + alpha e;  b = phi b + beta e;  s_t = s_{t-m} + gamma e

Multiplicative seasons and trends are additive ones of logarithms. The rates are found on a grid that is refined; all
points of it are smoothed at once.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_FITTED_VALUES = 1500
"""Rates are fitted to this many last values, or five seasons if they are longer."""
_ROUNDS = 6
_HEAD, _HEAD_SEASONS = 10, 4
"""Values, or seasons, from which the initial states are computed."""
TRENDS = ("none", "damped", "additive")
_ALPHAS = (0.01, 0.03, 0.07, 0.15, 0.3, 0.5, 0.7, 0.9, 0.99)
_BETA_SHARES = (0.001, 0.02, 0.1, 0.3)
_GAMMA_SHARES = (0.001, 0.03, 0.1, 0.25, 0.5)
_PHIS = (0.8, 0.9, 0.95, 0.98)


class Rates(NamedTuple):
    """Smoothing rates, numbers or (K,) arrays: of the level, of the trend as a share of it, of the season as a share of
    what the level leaves; and the damping of the trend."""

    alpha: np.ndarray | float
    beta_share: np.ndarray | float
    gamma_share: np.ndarray | float
    phi: np.ndarray | float


class States(NamedTuple):
    """States before each value and after the last: levels and trends (N + 1, K), seasons (m + N, K), errors (N, K)."""

    levels: np.ndarray
    trends: np.ndarray
    seasons: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True)
class Smoothing:
    """Exponential smoothing of one column.

    Attributes:
        season: m, steps in a season; 1 for none.
        trend: ``none``, ``damped`` or ``additive``.
        rates: the fitted ones.
        criterion: Akaike's, corrected for few values (AICc); smaller is better.
    """

    season: int
    trend: str
    rates: Rates
    criterion: float

    @classmethod
    def fit(cls, values: np.ndarray, season: int, trend: str) -> "Smoothing":
        """Fit the rates to a column (N,) by the sum of its squared one-step errors."""
        recent = values[-max(_FITTED_VALUES, 5 * season) :]
        rates = _grid(season, trend)
        losses = _losses(recent, season, trend, rates)
        for width in 0.5 ** np.arange(_ROUNDS):
            best = int(np.argmin(losses))
            rates = _around(Rates(*(np.asarray(rate)[best] for rate in rates)), season, trend, width)
            losses = _losses(recent, season, trend, rates)
        best, count = int(np.argmin(losses)), len(recent)
        free = 2 + (trend != "none") * 2 + (trend == "damped") + pattern_parameters(season)
        criterion = count * np.log(max(losses[best], 1e-300) / count) + penalty(free, count)
        return cls(season, trend, Rates(*(float(np.asarray(rate)[best]) for rate in rates)), float(criterion))

    def forecast(self, values: np.ndarray, origins: np.ndarray, steps: int) -> np.ndarray:
        """Return forecasts (n, steps) from positions of a column (N,), each from the values before it."""
        found = np.empty((len(origins), steps))
        early = origins < head_length(self.season)  # the initial states must not know what comes after the origin
        for row in np.flatnonzero(early):
            found[row] = self._continued(values[: origins[row]], origins[row : row + 1], steps)[0]
        if not early.all():
            found[~early] = self._continued(values, origins[~early], steps)
        return found

    def _continued(self, values: np.ndarray, origins: np.ndarray, steps: int) -> np.ndarray:
        states = smooth(values, self.season, self.trend, Rates(*(np.atleast_1d(rate) for rate in self.rates)))
        ahead = np.arange(steps)
        damping = np.cumsum(self.rates.phi ** (ahead + 1))
        found = states.levels[origins, 0][:, None] + damping * states.trends[origins, 0][:, None]
        return np.asarray(found + states.seasons[origins[:, None] + ahead % self.season, 0])


def pattern_parameters(season: int) -> int:
    """Return the number of parameters of a seasonal pattern, 24 at most, as the times of long seasons are alike."""
    return 1 + min(season, 24) if season > 1 else 0


def penalty(free: int, count: int) -> float:
    """Return the penalty in the AICc of ``free`` parameters fitted to ``count`` values."""
    return 2 * free * count / max(count - free - 1, 0.5)


def best_criterion(values: np.ndarray, season: int) -> float:
    """Return the smallest AICc of smoothing a column (N,) with and without trend and season."""
    seasons = sorted({1, season} if len(values) >= 2 * season else {1})
    return min(Smoothing.fit(values, each, trend).criterion for each in seasons for trend in TRENDS)


def smooth(values: np.ndarray, season: int, trend: str, rates: Rates) -> States:
    """Smooth a column (N,) with K sets of rates at once."""
    alpha, beta_share, gamma_share, phi = (np.asarray(rate, float) for rate in rates)
    beta, gamma = alpha * beta_share, (1 - alpha) * gamma_share
    count, kinds = len(values), alpha.size
    levels, trends = np.empty((count + 1, kinds)), np.zeros((count + 1, kinds))
    seasons, errors = np.empty((season + count, kinds)), np.empty((count, kinds))
    level, slope, pattern = initial_states(values, season)
    levels[0], seasons[:season] = level, pattern[:, None]
    trends[0] = 0.0 if trend == "none" else slope
    for at, value in enumerate(values):
        carried = phi * trends[at]
        expected = levels[at] + carried
        error = value - expected - seasons[at]
        errors[at] = error
        levels[at + 1] = expected + alpha * error
        trends[at + 1] = carried + beta * error
        seasons[at + season] = seasons[at] + gamma * error
    return States(levels, trends, seasons, errors)


def head_length(season: int) -> int:
    """Return the number of first values that determine the initial states."""
    return _HEAD_SEASONS * season if season > 1 else _HEAD


def initial_states(values: np.ndarray, season: int) -> tuple[float, float, np.ndarray]:
    """Return level and trend before the first value, and the season (m,), from the first values of a column (N,)."""
    head, pattern = values[: head_length(season)], np.zeros(season)
    if season > 1:
        cycles = head[: len(head) // season * season].reshape(-1, season)
        slope = (cycles[-1].mean() - cycles[0].mean()) / max((len(cycles) - 1) * season, 1)
        time = np.arange(season) - (season - 1) / 2
        pattern = (cycles - cycles.mean(axis=1, keepdims=True)).mean(axis=0) - slope * time
        head = cycles.ravel() - np.tile(pattern, len(cycles))
    level, slope = line(head)
    return level - slope, slope, pattern


def line(values: np.ndarray) -> tuple[float, float]:
    """Return the first value and the slope of the least-squares line through a column (N,)."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    slope = float(time @ values / max(time @ time, 1.0))
    return float(values.mean() + slope * time[0]), slope


def seasonal_pattern(values: np.ndarray, season: int) -> np.ndarray:
    """Return the mean of each time of the season (m,) around a centered moving average, for a column (N,)."""
    kernel = np.full(season, 1.0) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    half = len(kernel) // 2
    around = values[half : len(values) - half] - np.convolve(values, kernel / season, "valid")
    times = np.arange(half, len(values) - half) % season
    counts = np.bincount(times, minlength=season)
    pattern = np.bincount(times, around, season) / np.maximum(counts, 1)
    return np.asarray(pattern - pattern.mean())


def _grid(season: int, trend: str) -> Rates:
    betas = _BETA_SHARES if trend != "none" else (0.0,)
    gammas = _GAMMA_SHARES if season > 1 else (0.0,)
    phis = {"none": (0.0,), "damped": _PHIS, "additive": (1.0,)}[trend]
    return Rates(*(each.ravel() for each in np.meshgrid(_ALPHAS, betas, gammas, phis, indexing="ij")))


def _around(best: Rates, season: int, trend: str, width: float) -> Rates:
    """Return the grid of three values of each rate around the best, in log-odds."""

    def near(rate: np.ndarray | float, low: float, high: float) -> np.ndarray:
        share = np.clip((float(rate) - low) / (high - low), 1e-4, 1 - 1e-4)
        odds = np.log(share / (1 - share)) + width * np.array([-1.0, 0.0, 1.0])
        return np.asarray(low + (high - low) / (1 + np.exp(-odds)))

    alphas = near(best.alpha, 0.0, 1.0)
    betas = near(best.beta_share, 0.0, 1.0) if trend != "none" else np.zeros(1)
    gammas = near(best.gamma_share, 0.0, 1.0) if season > 1 else np.zeros(1)
    phis = near(best.phi, 0.75, 0.99) if trend == "damped" else np.full(1, best.phi)
    return Rates(*(each.ravel() for each in np.meshgrid(alphas, betas, gammas, phis, indexing="ij")))


def _losses(values: np.ndarray, season: int, trend: str, rates: Rates) -> np.ndarray:
    return np.asarray(np.square(smooth(values, season, trend, rates).errors).sum(axis=0))
