"""Forecasting methods without a network: naive ones, exponential smoothing, Theta, autoregression. All columns are
forecast alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from seqclf.forecasting import autoregression
from seqclf.forecasting.smoothing import (
    TRENDS,
    Rates,
    Smoothing,
    line,
    pattern_parameters,
    penalty,
    seasonal_pattern,
)

_LEAST_WEIGHT = 0.01


@dataclass(frozen=True)
class Method(ABC):
    """A fitted method.

    Attributes:
        season: m, steps in a season; 1 for none.
        tensors: what was learned, float64, by the names of ``shapes``.
    """

    season: int
    tensors: Mapping[str, np.ndarray]
    name: ClassVar[str]
    seasonal: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The name, with the season of a seasonal method."""
        return f"{self.name} {self.season}" if self.seasonal else self.name

    @property
    def least(self) -> int:
        """The number of values that a forecast needs before it."""
        return self.season if self.seasonal else 1

    @classmethod
    @abstractmethod
    def fit(cls, level: np.ndarray, season: int) -> "Method":
        """Fit to a series (N, D), or to its logarithm."""

    @staticmethod
    @abstractmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of ``tensors``."""

    def is_valid(self) -> bool:
        """Return whether ``tensors`` can have been fitted."""
        return True

    @abstractmethod
    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D) from positions of a series (N, D), each from the values before it.

        Args:
            level: (N, D). origins: (n,) positions. steps: their number.
            start: the position of the first value in the training series.
        """


class Naive(Method):
    """Repeat the last value."""

    name = "naive"

    @classmethod
    def fit(cls, level: np.ndarray, season: int) -> "Naive":
        """Learn nothing."""
        return cls(season, {})

    @staticmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return no shapes."""
        return {}

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        return np.repeat(level[origins - 1][:, None], steps, axis=1)


class SeasonalNaive(Naive):
    """Repeat the last season."""

    name, seasonal = "seasonal-naive", True

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        return np.asarray(level[origins[:, None] - self.season + np.arange(steps) % self.season])


class SeasonalMean(Method):
    """The mean of the same time over all seasons of the training series."""

    name, seasonal = "seasonal mean", True

    @classmethod
    def fit(cls, level: np.ndarray, season: int) -> "SeasonalMean":
        """Fit to a series (N, D) of at least a season."""
        return cls(season, {"means": np.stack([level[time::season].mean(axis=0) for time in range(season)])})

    @staticmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of the means."""
        return {"means": (season, columns)}

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        return np.asarray(self.tensors["means"][(start + origins[:, None] + np.arange(steps)) % self.season])


class ExponentialSmoothing(Method):
    """Smoothing without a trend, with a damped and with an additive one, each with and without a season.

    The forecasts are averaged with Akaike weights (Kolassa 2011, doi:10.1016/j.ijforecast.2010.04.006), which are
    proportional to exp(-AICc / 2).
    """

    name = "exponential smoothing"

    @staticmethod
    def variants(season: int) -> list[tuple[int, str]]:
        """Return season and trend of the V variants."""
        return [(each, trend) for each in sorted({1, season}) for trend in TRENDS]

    @classmethod
    def fit(cls, level: np.ndarray, season: int) -> "ExponentialSmoothing":
        """Fit to a series (N, D); seasonal variants need two seasons."""
        kinds, columns = cls.variants(season), level.shape[1]
        rates, weights = np.zeros((columns, len(kinds), 4)), np.zeros((columns, len(kinds)))
        for column in range(columns):
            criteria = np.full(len(kinds), np.inf)
            for place, (each, trend) in enumerate(kinds):
                if each == 1 or len(level) >= 2 * each:
                    found = Smoothing.fit(level[:, column], each, trend)
                    rates[column, place], criteria[place] = found.rates, found.criterion
            share = np.exp((criteria.min() - criteria) / 2)
            share[share < _LEAST_WEIGHT] = 0.0
            weights[column] = share / share.sum()
        return cls(season, {"rates": rates, "weights": weights})

    @staticmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of rates and weights."""
        count = len(ExponentialSmoothing.variants(season))
        return {"rates": (columns, count, 4), "weights": (columns, count)}

    def is_valid(self) -> bool:
        """Return whether all rates are shares, and the weights of each column sum to 1."""
        rates, weights = self.tensors["rates"], self.tensors["weights"]
        shares = ((rates >= 0) & (rates <= 1)).all() and (weights >= 0).all()
        return bool(shares and np.allclose(weights.sum(axis=1), 1))

    @property
    def least(self) -> int:
        """Two seasons, if a seasonal variant has a weight."""
        seasonal = [bool(each > 1) for each, _ in self.variants(self.season)]
        return 2 * self.season if self.tensors["weights"][:, seasonal].any() else 1

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        found = np.zeros((len(origins), steps, level.shape[1]))
        kinds = self.variants(self.season)
        for column, place in np.argwhere(self.tensors["weights"] > 0):
            season, trend = kinds[place]
            each = Smoothing(season, trend, Rates(*self.tensors["rates"][column, place].tolist()), 0.0)
            forecast = each.forecast(level[:, column], origins, steps)
            found[:, :, column] += self.tensors["weights"][column, place] * forecast
        return found


class Theta(Method):
    """Theta (Assimakopoulos & Nikolopoulos 2000): smoothing with half the slope of the series as drift (Hyndman &
    Billah 2003, eq. 12), after a constant seasonal pattern is subtracted."""

    name = "Theta"

    @classmethod
    def fit(cls, level: np.ndarray, season: int) -> "Theta":
        """Fit to a series (N, D); a column has a pattern if there are two seasons, and its AICc is lower with it."""
        columns = level.shape[1]
        patterns, alphas, slopes = np.zeros((season, columns)), np.zeros(columns), np.zeros(columns)
        for column in range(columns):
            values = level[:, column]
            fitted = Smoothing.fit(values, 1, "none")
            if season > 1 and len(values) >= 2 * season:
                pattern = seasonal_pattern(values, season)
                adjusted = values - pattern[np.arange(len(values)) % season]
                seasonal = Smoothing.fit(adjusted, 1, "none")
                more = penalty(2 + pattern_parameters(season), len(values)) - penalty(2, len(values))
                if seasonal.criterion + more < fitted.criterion:
                    patterns[:, column], fitted, values = pattern, seasonal, adjusted
            alphas[column], slopes[column] = fitted.rates.alpha, line(values)[1]
        return cls(season, {"patterns": patterns, "alphas": alphas, "slopes": slopes})

    @staticmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of patterns, rates and slopes."""
        return {"patterns": (season, columns), "alphas": (columns,), "slopes": (columns,)}

    def is_valid(self) -> bool:
        """Return whether all rates are shares."""
        return bool(((self.tensors["alphas"] > 0) & (self.tensors["alphas"] < 1)).all())

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        found = np.empty((len(origins), steps, level.shape[1]))
        ahead = np.arange(steps)
        for column in range(level.shape[1]):
            pattern, alpha = self.tensors["patterns"][:, column], self.tensors["alphas"][column]
            values = level[:, column] - pattern[(start + np.arange(len(level))) % self.season]
            smoothed = Smoothing(1, "none", Rates(alpha, 0.0, 0.0, 0.0), 0.0).forecast(values, origins, steps)
            drift = ahead + (1 - (1 - alpha) ** origins[:, None]) / alpha
            seasonal = pattern[(start + origins[:, None] + ahead) % self.season]
            found[:, :, column] = smoothed + self.tensors["slopes"][column] / 2 * drift + seasonal
        return found


class Autoregressive(Method):
    """The mean, or the seasonal means, and an autoregression of the deviations from them, by Burg's method."""

    name = "autoregression"

    @classmethod
    def fit(cls, level: np.ndarray, season: int) -> "Autoregressive":
        """Fit to a series (N, D); order and season of a column are those of the smallest AICc."""
        means, coefficients = (np.zeros(shape) for shape in cls.shapes(season, level.shape[1]).values())
        for column, values in enumerate(level.T):
            found = autoregression.fit(values, season)
            means[:, column] = np.resize(found.means, season)
            coefficients[: len(found.coefficients), column] = found.coefficients
        return cls(season, {"means": means, "coefficients": coefficients})

    @staticmethod
    def shapes(season: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of means and coefficients, which are zeros beyond the order."""
        return {"means": (season, columns), "coefficients": (autoregression.ORDER, columns)}

    @property
    def least(self) -> int:
        """The largest order, or 1."""
        return int(np.flatnonzero(self.tensors["coefficients"].any(axis=1)).max(initial=0)) + 1

    def forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D)."""
        means, coefficients = self.tensors["means"], self.tensors["coefficients"][: self.least]
        deviations = level - means[(start + np.arange(len(level))) % self.season]
        columns = zip(deviations.T, coefficients.T, strict=True)
        found = [autoregression.continued(values, origins, steps, own) for values, own in columns]
        seasonal = means[(start + origins[:, None] + np.arange(steps)) % self.season]
        return np.asarray(np.stack(found, axis=2) + seasonal)


METHODS: dict[str, type[Method]] = {
    kind.name: kind for kind in (ExponentialSmoothing, Theta, Autoregressive, Naive, SeasonalNaive, SeasonalMean)
}
"""The methods by name; the first is kept unless another is better by more than a standard error."""
