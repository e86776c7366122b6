"""A trained forecaster: forecasts, intervals and files."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqclf.data.series import check_scaled
from seqclf.forecasting.known import KnownColumns, Past
from seqclf.forecasting.network import build_network, parameter_shapes, predict_quantiles, predict_windows
from seqclf.forecasting.series_model import SERIES_HEADER, SeriesModel, optional_rules
from seqclf.forecasting.settings import QUANTILES, ForecasterSettings
from seqclf.forecasting.windows import Preparation, windows_before
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.model_file import (
    check_header,
    check_layers,
    check_tensors,
    read_settings,
    write_model,
)
from wordvec import FormatError, InputError

KIND = "forecaster"
_SAME = 1e-9
"""Levels that differ by less are the same."""


class ForecasterModel(SeriesModel):
    """A trained recurrent network that forecasts.

    Args:
        network: the trained network.
        preparation, about: as for ``SeriesModel``.
    """

    def __init__(self, network: PooledNetwork, preparation: Preparation, **about: Any) -> None:
        super().__init__(preparation, **about)
        self.network = network

    @property
    def least(self) -> int:
        """The window, and a season before it where differences need one."""
        return self.settings.window + self.preparation.lag

    @property
    def longest(self) -> int | None:
        """The horizon of a direct forecaster; None for a recursive one."""
        return self.settings.horizon if self.settings.strategy == "direct" else None

    def forecast_level(self, past: Past, origins: np.ndarray, steps: int) -> np.ndarray:
        """Return forecasts (n, steps, D) of the series, or of its logarithm."""
        level = past.level
        windows = windows_before(self.preparation.scale(level), origins, self.settings.window)
        check_scaled("the series", windows)
        found = np.empty((origins.size, 0, level.shape[1]))
        while found.shape[1] < steps:
            places = origins + found.shape[1]
            known = self._inputs(past, places)
            ahead = predict_windows(self.network, self.preparation, windows, places + past.start, known)
            found = np.concatenate([found, ahead], axis=1)
            windows = np.concatenate([windows, ahead], axis=1)[:, -self.settings.window :]
        return self.preparation.restore(found[:, :steps], origins, level)

    def _inputs(self, past: Past, origins: np.ndarray) -> np.ndarray | None:
        """Return the inputs (n, T, E) of the columns known ahead."""
        if self.known is None or past.known is None:
            return None
        return self.known.inputs(past.known, origins, self.settings.window)

    def margins(self, past: Past, origins: np.ndarray, steps: int, probability: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds (n or 1, steps, D) around the forecasts: learned quantiles, or errors of a back-test."""
        if not self.settings.quantiles:
            return super().margins(past, origins, steps, probability)
        places = [place for place, share in enumerate(QUANTILES) if abs(1 - 2 * share - probability) < _SAME]
        if not places:
            learned = ", ".join(f"{1 - 2 * share:g}" for share in QUANTILES[: len(QUANTILES) // 2])
            raise InputError(f"level must be one of the learned {learned}, got {probability:g}")
        level = past.level
        windows = windows_before(self.preparation.scale(level), origins, self.settings.window)
        known, begins = self._inputs(past, origins), origins + past.start
        found = predict_quantiles(self.network, self.preparation, windows, begins, known)[:, :, :steps]
        flat = found.reshape(-1, *found.shape[2:])
        restored = self.preparation.restore(flat, np.repeat(origins, len(QUANTILES)), level).reshape(found.shape)
        middle = restored[:, len(QUANTILES) // 2]
        return restored[:, places[0]] - middle, restored[:, -1 - places[0]] - middle

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal forecasters give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        write_model(path, self.tensors(), self.header(), kind=KIND, origin=self.origin)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the tensors of the file."""
        return {
            **self.network.parameters(),
            "mean": self.preparation.mean,
            "deviation": self.preparation.deviation,
            "tail": self.tail,
            "residuals": self.residuals,
            **({} if self.known is None else self.known.tensors()),
        }

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "ForecasterModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, {**SERIES_HEADER, **optional_rules(header)})
        settings = read_settings(name, ForecasterSettings, header["settings"])
        check_layers(name, settings.layers, tensors)
        columns = len(header["names"])
        preparation = Preparation(
            settings.season or 0, settings.seasonal, settings.log, settings.relative,
            *(tensors.get(key, np.zeros(columns)) for key in ("mean", "deviation")),
        )  # fmt: skip
        at_once = settings.columns_at_once(columns)
        ahead = header.get("known", [])
        inputs = at_once + preparation.waves + (settings.step + 1) * len(ahead)
        weights = parameter_shapes(settings, inputs, at_once)
        count = len(tensors["residuals"]) if "residuals" in tensors else 0
        numbers = {
            "mean": (columns,),
            "deviation": (columns,),
            "tail": (settings.window + preparation.lag, columns),
            "residuals": (count, settings.horizon, columns),
        }
        numbers |= KnownColumns.shapes(tensors, len(ahead), settings.window + preparation.lag, columns)
        check_tensors(name, tensors, weights, numbers=numbers)
        deviations = [tensors[key] for key in ("deviation", "known_deviation") if key in numbers]
        if (np.concatenate(deviations) <= 0).any() or (settings.log and (tensors["tail"] <= 0).any()):
            raise FormatError(f"{name} is damaged: deviations, and values with log, must be above 0")
        return cls(
            build_network(settings, inputs, at_once, {key: tensors[key] for key in weights}),
            preparation,
            settings=settings,
            tail=tensors["tail"],
            residuals=tensors["residuals"],
            calendar=header.get("calendar"),
            known=KnownColumns.from_tensors(ahead, settings.step, tensors),
            **{key: header[key] for key in ("names", "length", "metrics", "history")},
        )

    def __repr__(self) -> str:
        settings = self.settings
        return (
            f"<ForecasterModel: {settings.strategy} {settings.cell} of {settings.hidden_size}, "
            f"{settings.horizon} steps from {settings.window}; {', '.join(self.names)}>"
        )
