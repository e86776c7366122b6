"""The forecaster as an estimator, a thin layer over ``train_forecaster``."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from seqclf.forecasting.model import ForecasterModel
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.train import train_forecaster
from seqclf.training.loop import Progress
from wordvec import InputError


class HasResiduals(Protocol):
    """A back-test's result, as :func:`seqclf.backtest` returns it."""

    @property
    def residuals(self) -> np.ndarray: ...


class Forecaster:
    """A recurrent network that forecasts a univariate or multivariate series from a window of its past.

    Args:
        settings: default: ``ForecasterSettings()``.

    Attributes:
        settings: as given. model_: the :class:`ForecasterModel`, after ``fit``.

    Example:
        >>> months = np.arange(120)
        >>> series = 10 + np.sin(months * 2 * np.pi / 12)
        >>> settings = ForecasterSettings(window=6, horizon=3, season=12, hidden_size=8, epochs=15, learning_rate=0.02)
        >>> forecaster = Forecaster(settings).fit(series, threads=1)
        >>> bool(np.abs(forecaster.predict()[:, 0] - [10, 10.5, 10.87]).max() < 0.2)
        True
    """

    model_: ForecasterModel

    def __init__(self, settings: ForecasterSettings | None = None) -> None:
        self.settings = settings or ForecasterSettings()

    def fit(
        self,
        series: Any,
        *,
        names: Sequence[str] | None = None,
        threads: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> "Forecaster":
        """Train on a series.

        Scaling and weights are fitted to the windows before the validation part, the end that chooses the epoch.

        Args:
            series: (N,) or (N, D) numbers at equal time steps, the oldest first.
            names: of the columns.
            threads: the largest number of threads; None uses all cores. The result is the same at any number.
            on_progress: called a few times a second.

        Raises:
            InputError: the series is too short, or not all numbers are finite.
            TrainingError: the loss or a gradient is NaN or infinite.
        """
        self.model_ = train_forecaster(
            series, settings=self.settings, names=names, threads=threads, on_progress=on_progress
        )
        return self

    def forecast(self, series: Any, origins: Any, steps: int | None = None, *, start: int = 0) -> np.ndarray:
        """Return forecasts from several positions of a series, each from the values before its position only.

        Args:
            series: (N,) or (N, D). origins: (n,) positions of the first value to forecast, at most N.
            steps: the number of steps; None is the horizon, the maximum of a direct forecaster.
            start: the position of ``series[0]`` in the training series, which determines the time of the season.

        Returns:
            (n, steps, D) float64.

        Raises:
            InputError: not fitted, too few values before an origin, or other columns.
        """
        return self._fitted.forecast(series, origins, steps, start=start)

    def predict(self, steps: int | None = None, *, series: Any = None, start: int = 0) -> np.ndarray:
        """Return the values (steps, D) float64 that follow the training series, or another one.

        Arguments are those of ``forecast``; ``series`` None continues the training series.
        """
        return self._fitted.predict(steps, series=series, start=start)

    def calibrate(self, report: HasResiduals) -> "Forecaster":
        """Keep the errors of a back-test for ``predict_interval``."""
        self._fitted.calibrate(report.residuals)
        return self

    def predict_interval(
        self, level: float = 0.9, steps: int | None = None, *, series: Any = None, start: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds (steps, D) that cover each value with probability ``level``.

        The bounds are the forecast plus quantiles of the back-test's errors at the same step, with the ranks of split
        conformal prediction (Vovk et al. 2005).

        Raises:
            InputError: there was no back-test, it has too few errors for ``level``, or fewer steps.
        """
        return self._fitted.predict_interval(level, steps, series=series, start=start)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal forecasters give equal bytes.

        Raises:
            InputError: not fitted, or ``path`` cannot be written; an existing file is kept.
        """
        self._fitted.save(path)

    @property
    def _fitted(self) -> ForecasterModel:
        if not hasattr(self, "model_"):
            raise InputError("the forecaster is not fitted; call fit with a series first")
        return self.model_

    @property
    def names(self) -> list[str]:
        """The columns."""
        return self._fitted.names

    @property
    def metrics(self) -> dict[str, Any]:
        """Results of training."""
        return self._fitted.metrics

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row per epoch."""
        return self._fitted.history

    @property
    def residuals(self) -> np.ndarray:
        """(K, H, D) back-test errors for intervals; K is 0 before ``calibrate``."""
        return self._fitted.residuals

    def __repr__(self) -> str:
        if hasattr(self, "model_"):
            return repr(self.model_).replace("Model", "", 1)
        settings = self.settings
        return f"<Forecaster: {settings.strategy} {settings.cell} of {settings.hidden_size}, not fitted>"
