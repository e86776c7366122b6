"""The transformation of a series for the network, and its inverse: logarithm, seasonal difference, scaling, windows."""

from dataclasses import dataclass

import numpy as np

from seqclf.data.series import mean_and_deviation
from wordvec import InputError

HARMONICS = 2
"""Sine and cosine pairs that encode the time of the season."""


@dataclass(frozen=True)
class Preparation:
    """The transformation of a series for the network; mean and deviation are fitted to the training part only.

    Attributes:
        season: steps in a season; 0 for none.
        seasonal: ``inputs`` adds the time of the season to the inputs, as sine and cosine of the first two harmonics;
            ``difference`` subtracts the value one season earlier; or ``both``.
        log: take logarithms first, for series whose variation grows with their level.
        relative: subtract a window's last value, so that the network learns changes at any level.
        mean, deviation: (D,) of the series after logarithm and difference.
    """

    season: int
    seasonal: str
    log: bool
    relative: bool
    mean: np.ndarray
    deviation: np.ndarray

    @property
    def lag(self) -> int:
        """The number of earlier values that the transformation of a value needs."""
        return self.season if self.season and self.seasonal != "inputs" else 0

    @property
    def waves(self) -> int:
        """The number of inputs that encode the time of the season."""
        return 2 * HARMONICS if self.season and self.seasonal != "difference" else 0

    @classmethod
    def learn(
        cls,
        values: np.ndarray,
        effect: np.ndarray | float = 0.0,
        *,
        season: int,
        seasonal: str,
        log: bool,
        relative: bool,
    ) -> "Preparation":
        """Fit to the training part (N, D) of a series, or of its logarithm, without an effect of other columns."""
        columns = values.shape[1]
        raw = cls(season, seasonal, log, relative, np.zeros(columns), np.ones(columns))
        known = raw.scale(raw.logarithm(values) - effect)[raw.lag :]
        return cls(season, seasonal, log, relative, *mean_and_deviation(known))

    def logarithm(self, values: np.ndarray) -> np.ndarray:
        """Return the series (N, D), or its logarithm."""
        if not self.log:
            return values
        if (values <= 0).any():
            raise InputError(f"log needs values above 0, got {values.min():g}; omit log, or add a constant first")
        return np.asarray(np.log(values))

    def scale(self, level: np.ndarray) -> np.ndarray:
        """Return (N, D) scaled, from the output of ``logarithm``; the first ``lag`` rows are NaN."""
        change = level
        if self.lag:
            change = np.full_like(level, np.nan)
            change[self.lag :] = level[self.lag :] - level[: -self.lag]
        return np.asarray((change - self.mean) / self.deviation)

    def restore(self, scaled: np.ndarray, origins: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Undo ``scale`` for forecasts (n, H, D) of the steps from ``origins`` (n,) on; ``level`` ends before them."""
        forecast = scaled * self.deviation + self.mean
        for step in range(forecast.shape[1] if self.lag else 0):
            season_ago = level[origins + step - self.lag] if step < self.lag else forecast[:, step - self.lag]
            forecast[:, step] += season_ago
        return np.asarray(forecast)

    def original(self, level: np.ndarray) -> np.ndarray:
        """Undo ``logarithm``; the mean of logarithms becomes a median."""
        return np.exp(level) if self.log else level

    def anchors(self, windows: np.ndarray) -> np.ndarray:
        """Return the values (n, 1, D) that are subtracted from windows (n, T, D)."""
        return windows[:, -1:] if self.relative else np.zeros_like(windows[:, :1])

    def inputs(self, windows: np.ndarray, first: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Return the network's inputs (n, T, D + waves + E) float32 for scaled windows (n, T, D).

        Args:
            windows: scaled values. first: (n,) the position of each window's first value in the series.
            known: (n, T, E) the inputs of columns known ahead; None without any.
        """
        parts = [windows - self.anchors(windows)] + ([] if known is None else [known])
        if self.waves:
            position = (first[:, None] + np.arange(windows.shape[1])) % self.season
            angles = 2 * np.pi * position[:, :, None] * np.arange(1, HARMONICS + 1) / self.season
            parts += [np.sin(angles), np.cos(angles)]
        return np.concatenate(parts, axis=2).astype(np.float32)


def windows_before(scaled: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """Return the ``length`` values before each origin: (n, length, D).

    Example:
        >>> windows_before(np.arange(6.0)[:, None], np.array([2, 5]), 2)[:, :, 0].tolist()
        [[0.0, 1.0], [3.0, 4.0]]
    """
    return scaled[origins[:, None] + np.arange(-length, 0)]


def windows_after(scaled: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """Return the ``length`` values from each origin on: (n, length, D).

    Example:
        >>> windows_after(np.arange(6.0)[:, None], np.array([2, 4]), 2)[:, :, 0].tolist()
        [[2.0, 3.0], [4.0, 5.0]]
    """
    return scaled[origins[:, None] + np.arange(length)]
