"""A trained forecaster: forecasts, intervals and files."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from seqclf.data.series import as_series, check_scaled, column_names
from seqclf.forecasting.network import build_network, parameter_shapes, predict_windows
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.windows import Preparation, windows_before
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.model_file import (
    Rules,
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    read_settings,
    write_model,
)
from wordvec import FormatError, InputError
from wordvec.system.structures import finite_array, owned, real_array, whole_array
from wordvec.system.validation import check_number, check_whole

KIND = "forecaster"


class HasResiduals(Protocol):
    """A back-test's result, as :func:`seqclf.backtest` returns it."""

    @property
    def residuals(self) -> np.ndarray:
        """(K, H, D) truth minus forecast."""


class ForecasterModel:
    """A trained forecaster.

    Args:
        network: the trained network.
        preparation: the scaling of the series.
        settings: training settings.
        names: of the D columns.
        tail: (T, D) the end of the training series, from which ``predict`` continues.
        length: of the training series.
        residuals: (K, H, D) back-test errors for intervals; None without a back-test.
        metrics: results of training. history: one row per epoch.
        calendar: ``unit``, ``first`` and ``step`` of the dates of the training series; None without dates.
    """

    def __init__(
        self,
        network: PooledNetwork,
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
    ) -> None:
        self.network, self.preparation, self.settings = network, preparation, settings
        self.names, self.tail, self.length = list(names), tail, length
        self.residuals = np.empty((0, settings.horizon, len(self.names))) if residuals is None else residuals
        self.metrics, self.history = dict(metrics), [dict(row) for row in history]
        self.origin: dict[str, Any] = {}
        self.calendar = None if calendar is None else dict(calendar)

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

    def forecast(self, series: Any, origins: Any, steps: int | None = None, *, start: int = 0) -> np.ndarray:
        """Return forecasts (n, steps, D) from several positions; see :meth:`seqclf.Forecaster.forecast`."""
        level = self._level(series)
        places = whole_array("origins", origins)
        return self.preparation.original(self._forecast(level, places, self._steps(steps), start))

    def predict(self, steps: int | None = None, *, series: Any = None, start: int = 0) -> np.ndarray:
        """Return the next values (steps, D); see :meth:`seqclf.Forecaster.predict`."""
        return self.preparation.original(self._next(steps, series, start))

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
        self, level: float = 0.9, steps: int | None = None, *, series: Any = None, start: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds (steps, D); see :meth:`seqclf.Forecaster.predict_interval`."""
        level = check_number("level", level, above=0, below=1)
        middle, count = self._next(steps, series, start), len(self.residuals)
        rank = int((count + 1) * (1 - level) / 2 + 1e-9)
        if not count:
            raise InputError("intervals need back-test errors; call calibrate with a back-test, or train with --test")
        if rank < 1:
            raise InputError(f"an interval of {level:g} needs {int(np.ceil(2 / (1 - level) - 1e-9)) - 1} back-test "
                             f"errors, got {count}; lower the level")  # fmt: skip
        if len(middle) > self.residuals.shape[1]:
            raise InputError(
                f"intervals have at most {self.residuals.shape[1]} steps, as in the back-test, got {len(middle)}"
            )
        ordered = np.sort(self.residuals[:, : len(middle)], axis=0)
        low, high = middle + ordered[rank - 1], middle + ordered[count - rank]
        return self.preparation.original(low), self.preparation.original(high)

    def _level(self, series: Any) -> np.ndarray:
        """Return the series (N, D), or its logarithm."""
        values = as_series(series)
        if values.shape[1] != len(self.names):
            raise InputError(f"the series must have {len(self.names)} columns, as in training, got {values.shape[1]}")
        names = column_names(series)
        if names is not None and names != self.names and sorted(names) == sorted(self.names):
            raise InputError(f"columns must be in the order of training, {', '.join(self.names)}, got "
                             f"{', '.join(names)}")  # fmt: skip
        return self.preparation.logarithm(values)

    def _steps(self, steps: int | None) -> int:
        steps = self.settings.horizon if steps is None else steps
        steps = check_whole("steps", steps, 1)
        if self.settings.strategy == "direct" and steps > self.settings.horizon:
            raise InputError(
                f"steps must be at most {self.settings.horizon}, the horizon of this direct forecaster, got {steps}; "
                "train with a longer horizon, or a recursive one"
            )
        return steps

    def _next(self, steps: int | None, series: Any, start: int) -> np.ndarray:
        """Return the next steps (steps, D) of the series, or of its logarithm."""
        if series is None:
            series, start = self.tail, self.length - len(self.tail)
        level = self._level(series)
        return np.asarray(self._forecast(level, np.array([len(level)]), self._steps(steps), start)[0])

    def _forecast(self, level: np.ndarray, origins: np.ndarray, steps: int, start: int) -> np.ndarray:
        """Return forecasts (n, steps, D) of the series, or of its logarithm."""
        start = check_whole("start", start)
        least = self.settings.window + self.preparation.lag
        if origins.size and not least <= origins.min() <= origins.max() <= len(level):
            bad = origins.min() if origins.min() < least else origins.max()
            raise InputError(
                f"a forecast needs at least {least} of the {len(level)} values before it, got position {bad}"
            )
        windows = windows_before(self.preparation.scale(level), origins, self.settings.window)
        check_scaled("the series", windows)
        found = np.empty((origins.size, 0, level.shape[1]))
        while found.shape[1] < steps:
            ahead = predict_windows(self.network, self.preparation, windows, origins + start + found.shape[1])
            found = np.concatenate([found, ahead], axis=1)
            windows = np.concatenate([windows, ahead], axis=1)[:, -self.settings.window :]
        return self.preparation.restore(found[:, :steps], origins, level)

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal forecasters give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        header = {
            "settings": self.settings.record(),
            "names": self.names,
            "length": self.length,
            "metrics": self.metrics,
            "history": self.history,
        }
        if self.calendar is not None:
            header["calendar"] = self.calendar
        tensors = {
            **self.network.parameters(),
            "mean": self.preparation.mean,
            "deviation": self.preparation.deviation,
            "tail": self.tail,
            "residuals": self.residuals,
        }
        write_model(path, tensors, header, kind=KIND, origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "ForecasterModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, {**_HEADER, **(_CALENDAR if "calendar" in header else {})})
        settings = read_settings(name, ForecasterSettings, header["settings"])
        check_layers(name, settings.layers, tensors)
        columns = len(header["names"])
        preparation = Preparation(
            settings.season or 0, settings.seasonal, settings.log, settings.relative,
            *(tensors.get(key, np.zeros(columns)) for key in ("mean", "deviation")),
        )  # fmt: skip
        inputs = columns + preparation.waves
        weights = parameter_shapes(settings, inputs, columns)
        count = len(tensors["residuals"]) if "residuals" in tensors else 0
        numbers = {
            "mean": (columns,),
            "deviation": (columns,),
            "tail": (settings.window + preparation.lag, columns),
            "residuals": (count, settings.horizon, columns),
        }
        check_tensors(name, tensors, weights, numbers=numbers)
        if (tensors["deviation"] <= 0).any() or (settings.log and (tensors["tail"] <= 0).any()):
            raise FormatError(f"{name} is damaged: deviations, and values with log, must be above 0")
        return cls(
            build_network(settings, inputs, columns, {key: tensors[key] for key in weights}),
            preparation,
            settings=settings,
            tail=tensors["tail"],
            residuals=tensors["residuals"],
            calendar=header.get("calendar"),
            **{key: header[key] for key in ("names", "length", "metrics", "history")},
        )

    def __repr__(self) -> str:
        settings = self.settings
        return (
            f"<ForecasterModel: {settings.strategy} {settings.cell} of {settings.hidden_size}, "
            f"{settings.horizon} steps from {settings.window}; {', '.join(self.names)}>"
        )


_HEADER: Rules = {
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


_CALENDAR: Rules = {"calendar": (dict, "a unit, a first date and a step", _is_calendar)}
