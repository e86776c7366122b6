"""What every trained forecaster does with its forecasts: continuation by dates, steps, intervals from errors."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from scipy.special import stdtrit

from seqclf.data.series import as_series, check_order
from seqclf.forecasting.known import KnownColumns, Past
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.windows import Preparation
from seqclf.model_file import Rules, header_rules
from wordvec import InputError
from wordvec.system.structures import finite_array, owned, real_array, whole_array
from wordvec.system.validation import check_number, check_whole


class HasResiduals(Protocol):
    """A back-test's result, as :func:`seqclf.backtest` returns it."""

    @property
    def residuals(self) -> np.ndarray:
        """(K, H, D) truth minus forecast."""


class SeriesModel(ABC):
    """A trained forecaster of any kind.

    Args:
        preparation: the logarithm, and the scaling for a network.
        settings: training settings.
        names: of the D columns.
        tail: (T, D) the end of the training series, from which ``predict`` continues.
        length: of the training series.
        residuals: (K, H, D) back-test errors for intervals; None without a back-test.
        metrics: results of training. history: one row per epoch.
        calendar: ``unit``, ``first`` and ``step`` of the dates of the training series; None without dates.
        known: the columns known ahead; None without any.
    """

    def __init__(
        self,
        preparation: Preparation,
        *,
        settings: ForecasterSettings,
        names: Sequence[str],
        tail: np.ndarray,
        length: int,
        residuals: np.ndarray | None = None,
        metrics: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]],
        calendar: Mapping[str, Any] | None = None,
        known: KnownColumns | None = None,
    ) -> None:
        self.preparation, self.settings = preparation, settings
        self.names, self.tail, self.length = list(names), tail, length
        self.residuals = np.empty((0, settings.horizon, len(self.names))) if residuals is None else residuals
        self.metrics, self.history = dict(metrics), [dict(row) for row in history]
        self.origin: dict[str, Any] = {}
        self.known = known
        self.calendar = None if calendar is None else dict(calendar)

    @property
    @abstractmethod
    def least(self) -> int:
        """The number of values that a forecast needs before it."""

    @property
    @abstractmethod
    def longest(self) -> int | None:
        """The largest number of steps; None for any."""

    @abstractmethod
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal forecasters give equal bytes."""

    @abstractmethod
    def forecast_level(self, past: Past, origins: np.ndarray, steps: int) -> np.ndarray:
        """Return forecasts (n, steps, D) of the series, or of its logarithm.

        Args:
            past: N checked values. origins: (n,) at least ``least``, at most N. steps: at most ``longest``.
        """

    @property
    def has_intervals(self) -> bool:
        """Whether there are quantiles, or errors of a back-test, for ``predict_interval``."""
        return self.settings.quantiles or len(self.residuals) > 0

    def margins(self, past: Past, origins: np.ndarray, steps: int, probability: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds (n or 1, steps, D) of the next values around the forecasts of ``forecast_level``.

        Raises:
            InputError: there are none of this probability or of so many steps.
        """
        if not len(self.residuals):
            raise InputError("intervals need back-test errors; call calibrate with a back-test, or train with --test")
        if steps > self.residuals.shape[1]:
            raise InputError(
                f"intervals have at most {self.residuals.shape[1]} steps, as in the back-test, got {steps}"
            )
        low, high = error_bounds(self.residuals[:, :steps], probability)
        return low[None], high[None]

    def start_of(self, calendar: Mapping[str, Any] | None) -> int:
        """Return the position of a series in the training series, for ``start``, found by the dates of both.

        Args:
            calendar: of the series, None if it has no equally spaced dates.

        Returns:
            0 if the model has no season, or the training series no equally spaced dates.

        Raises:
            InputError: the dates of the series do not continue those of the training series.
        """
        if self.settings.season is None or self.calendar is None:
            return 0
        unit, first, step = (self.calendar[name] for name in ("unit", "first", "step"))
        if calendar is None:
            raise InputError("the dates of the series must be equally spaced, as in training; or give start")
        if (calendar["unit"], calendar["step"]) != (unit, step) or (calendar["first"] - first) % step:
            raise InputError(
                f"the series must have dates {step} {unit}(s) apart that continue those of the training series, got "
                f"{calendar['step']} {calendar['unit']}(s); or give start"
            )
        return int((calendar["first"] - first) // step)

    def forecast(
        self, series: Any, origins: Any, steps: int | None = None, *, start: int = 0, known: Any = None
    ) -> np.ndarray:
        """Return forecasts (n, steps, D) from several positions; see :meth:`seqclf.Forecaster.forecast`."""
        count, places = self._steps(steps), whole_array("origins", origins)
        past = self.past(series, start, known, int(places.max(initial=0)), count)
        return self.preparation.original(self._forecast(past, places, count))

    def predict(self, steps: int | None = None, *, series: Any = None, start: int = 0, known: Any = None) -> np.ndarray:
        """Return the next values (steps, D); see :meth:`seqclf.Forecaster.predict`."""
        return self.preparation.original(self._forecast(*self._place(steps, series, start, known))[0])

    def calibrate(self, report: HasResiduals) -> None:
        """Keep the errors of a back-test for ``predict_interval``.

        Raises:
            InputError: it has another horizon or other columns.
        """
        residuals = real_array("residuals", report.residuals)
        if residuals.shape[1:] != (self.settings.horizon, len(self.names)):
            raise InputError(
                f"the back-test must have {(self.settings.horizon, len(self.names))} steps and columns, like the "
                f"forecaster, got {residuals.shape[1:]}"
            )
        self.residuals = owned(finite_array("residuals", residuals, (None, *residuals.shape[1:])))

    def predict_interval(
        self, level: float = 0.9, steps: int | None = None, *, series: Any = None, start: int = 0, known: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds (steps, D); see :meth:`seqclf.Forecaster.predict_interval`."""
        probability = check_number("level", level, above=0, below=1)
        place = self._place(steps, series, start, known)
        middle = self._forecast(*place)
        low, high = self.margins(*place, probability)
        return self.preparation.original((middle + low)[0]), self.preparation.original((middle + high)[0])

    def _level(self, series: Any) -> np.ndarray:
        """Return the series (N, D), or its logarithm."""
        values = as_series(series)
        if values.shape[1] != len(self.names):
            raise InputError(f"the series must have {len(self.names)} columns, as in training, got {values.shape[1]}")
        check_order(series, self.names)
        return self.preparation.logarithm(values)

    def _steps(self, steps: int | None) -> int:
        steps = self.settings.horizon if steps is None else steps
        steps = check_whole("steps", steps, 1)
        if self.longest is not None and steps > self.longest:
            raise InputError(
                f"steps must be at most {self.longest}, the horizon of this direct forecaster, got {steps}; "
                "train with a longer horizon, or a recursive one"
            )
        return steps

    def _place(self, steps: int | None, series: Any, start: int, known: Any) -> tuple[Past, np.ndarray, int]:
        """Return the arguments of ``forecast_level`` for the steps after a series."""
        count = self._steps(steps)
        if series is None:
            series, start = self.tail, self.length - len(self.tail)
            if self.known is not None:
                known = np.concatenate([self.known.tail, self.known.check(known, 0, count)])
        past = self.past(series, start, known, None, count)
        return past, np.array([len(past.level)]), count

    def past(self, series: Any, start: int, known: Any, last: int | None, steps: int) -> Past:
        """Return what forecasts of some steps start from, without the effects of columns known ahead.

        Args:
            series, start, known: as for ``forecast``.
            last: the last position from which steps are forecast; None is the end.
            steps: their number.

        Raises:
            InputError: other columns, or too few of those known ahead.
        """
        level, start = self._level(series), check_whole("start", start)
        if self.known is not None:
            rows = self.known.check(known, len(level) if last is None else last, steps)
            level = level[: len(rows)]
            return Past(level - self.known.effect(rows[: len(level)], len(self.names)), start, rows)
        if known is not None:
            raise InputError("this forecaster was trained without columns known ahead; leave out known")
        return Past(level, start)

    def _forecast(self, past: Past, origins: np.ndarray, steps: int) -> np.ndarray:
        if origins.size and origins.min() < self.least:
            raise InputError(f"a forecast needs at least {self.least} values before it, got {origins.min()}")
        if origins.size and origins.max() > len(past.level):
            raise InputError(f"an origin must be at most {len(past.level)}, the end of the series, got {origins.max()}")
        forecast = self.forecast_level(past, origins, steps)
        if self.known is None or past.known is None:
            return forecast
        effect = self.known.effect(past.known, len(self.names))
        return np.asarray(forecast + effect[origins[:, None] + np.arange(steps)])

    def header(self) -> dict[str, Any]:
        """Return the header of the file."""
        header = {
            "settings": self.settings.record(),
            "names": self.names,
            "length": self.length,
            "metrics": self.metrics,
            "history": self.history,
        }
        header |= {} if self.calendar is None else {"calendar": self.calendar}
        return header | ({} if self.known is None else {"known": self.known.names})


def error_bounds(residuals: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds (H, D) of the next error, from K errors (K, H, D).

    They are the errors with the ranks of split-conformal prediction (Vovk et al. 2005). Where so few have none for this
    level, they are those of Student's t with K degrees of freedom, for normal errors around 0.
    """
    count = len(residuals)
    rank = int((count + 1) * (1 - level) / 2 + 1e-9)
    if rank < 1:
        spread = np.sqrt(np.square(residuals).mean(axis=0))
        half = float(stdtrit(count, (1 + level) / 2)) * spread
        return -half, half
    ordered = np.sort(residuals, axis=0)
    return ordered[rank - 1], ordered[count - rank]


SERIES_HEADER: Rules = {
    **header_rules(),
    "names": (list, "a list of column names", lambda value: value and all(isinstance(name, str) for name in value)),
    "length": (int, "above 0", lambda value: value > 0),
}


def _is_calendar(value: dict[str, Any]) -> bool:
    return (
        value.keys() == {"unit", "first", "step"}
        and isinstance(value["unit"], str)
        and type(value["first"]) is type(value["step"]) is int
        and value["step"] > 0
    )


_OPTIONAL: Rules = {
    "calendar": (dict, "a unit, a first date and a step", _is_calendar),
    "known": SERIES_HEADER["names"],
}


def optional_rules(header: Mapping[str, Any]) -> Rules:
    """Return the rules of the calendar and the columns known ahead, if the header has them."""
    return {name: rule for name, rule in _OPTIONAL.items() if name in header}
