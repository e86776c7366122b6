"""From a series to what a net reads and learns, and back: logarithm, seasonal difference, scaling, windows."""

from dataclasses import dataclass

import numpy as np

from seqclf.data.series import mean_and_deviation
from wordvec import InputError

HARMONICS = 2
"""How many waves a season has among the inputs."""


@dataclass(frozen=True)
class Preparation:
    """What is done to a series before the net sees it; mean and deviation are learnt on the training part alone.

    Attributes:
        season: steps in a season; 0 where there is none.
        seasonal: what is made of it: ``inputs`` tells the net the time of the season, as sine and cosine of
            one and two waves; ``difference`` subtracts the value one season before; or ``both``.
        log: take logarithms first, for series whose swings grow with their level.
        relative: a window counts from its last value, so that the net learns changes, at any level.
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
        """How many values before a value are needed to prepare it."""
        return self.season if self.season and self.seasonal != "inputs" else 0

    @property
    def waves(self) -> int:
        """The inputs that tell the time of the season."""
        return 2 * HARMONICS if self.season and self.seasonal != "difference" else 0

    @classmethod
    def learn(cls, values: np.ndarray, *, season: int, seasonal: str, log: bool, relative: bool) -> "Preparation":
        """From the training part (N, D) of a series."""
        columns = values.shape[1]
        raw = cls(season, seasonal, log, relative, np.zeros(columns), np.ones(columns))
        known = raw.scale(raw.logarithm(values))[raw.lag :]
        return cls(season, seasonal, log, relative, *mean_and_deviation(known))

    def logarithm(self, values: np.ndarray) -> np.ndarray:
        """The series (N, D), or its logarithm."""
        if not self.log:
            return values
        if (values <= 0).any():
            raise InputError(f"log needs values above 0, got {values.min():g}; leave it out, or add a constant before")
        return np.log(values)

    def scale(self, level: np.ndarray) -> np.ndarray:
        """(N, D) as the net sees it, from ``logarithm``'s; the first ``lag`` rows are NaN."""
        change = level
        if self.lag:
            change = np.full_like(level, np.nan)
            change[self.lag :] = level[self.lag :] - level[: -self.lag]
        return (change - self.mean) / self.deviation

    def restore(self, scaled: np.ndarray, origins: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Undo ``scale`` for forecasts (n, H, D) of the steps from ``origins`` (n,) on; ``level`` ends before them."""
        forecast = scaled * self.deviation + self.mean
        for step in range(forecast.shape[1] if self.lag else 0):
            season_ago = level[origins + step - self.lag] if step < self.lag else forecast[:, step - self.lag]
            forecast[:, step] += season_ago
        return forecast

    def original(self, level: np.ndarray) -> np.ndarray:
        """Undo ``logarithm``; what was the middle of logarithms is then a median."""
        return np.exp(level) if self.log else level

    def anchors(self, windows: np.ndarray) -> np.ndarray:
        """What windows (n, T, D) count from: (n, 1, D)."""
        return windows[:, -1:] if self.relative else np.zeros_like(windows[:, :1])

    def inputs(self, windows: np.ndarray, first: np.ndarray) -> np.ndarray:
        """What the net reads (n, T, D + waves) float32 of scaled windows (n, T, D).

        Args:
            windows: scaled values. first: (n,) the position of each window's first value in the series.
        """
        parts = [windows - self.anchors(windows)]
        if self.waves:
            position = (first[:, None] + np.arange(windows.shape[1])) % self.season
            angles = 2 * np.pi * position[:, :, None] * np.arange(1, HARMONICS + 1) / self.season
            parts += [np.sin(angles), np.cos(angles)]
        return np.concatenate(parts, axis=2).astype(np.float32)


def windows_before(scaled: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """The ``length`` values before each origin: (n, length, D).

    Example:
        >>> windows_before(np.arange(6.0)[:, None], np.array([2, 5]), 2)[:, :, 0].tolist()
        [[0.0, 1.0], [3.0, 4.0]]
    """
    return scaled[origins[:, None] + np.arange(-length, 0)]


def windows_after(scaled: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """The ``length`` values from each origin on: (n, length, D).

    Example:
        >>> windows_after(np.arange(6.0)[:, None], np.array([2, 4]), 2)[:, :, 0].tolist()
        [[2.0, 3.0], [4.0, 5.0]]
    """
    return scaled[origins[:, None] + np.arange(length)]
