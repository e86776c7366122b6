"""A forecaster that averages networks and methods without a network, and its file."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from seqclf.forecasting.known import KnownColumns, Past
from seqclf.forecasting.methods import METHODS, Method
from seqclf.forecasting.model import KIND, ForecasterModel
from seqclf.forecasting.series_model import SERIES_HEADER, SeriesModel, optional_rules
from seqclf.forecasting.settings import ForecasterSettings
from seqclf.forecasting.windows import Preparation
from seqclf.model_file import check_header, check_tensors, read_settings, write_model
from wordvec import FormatError

Part: TypeAlias = ForecasterModel | Method
"""A network forecasts the level of its own settings, which have the logarithm of the blend."""
NETWORK = "network"


class BlendedForecaster(SeriesModel):
    """A weighted mean of the forecasts of networks and of methods without a network.

    Args:
        parts: networks and methods, each with its weight.
        about: as for ``SeriesModel``, without the preparation; ``settings`` are those of the first network.
    """

    def __init__(self, parts: Sequence[tuple[float, Part]], *, settings: ForecasterSettings, **about: Any) -> None:
        columns = len(about["names"])
        preparation = Preparation(0, "inputs", settings.log, False, np.zeros(columns), np.ones(columns))
        super().__init__(preparation, settings=settings, **about)
        self.parts = list(parts)

    @property
    def least(self) -> int:
        """The largest number that a part needs."""
        return max(part.least for _, part in self.parts)

    @property
    def longest(self) -> int | None:
        """The horizon of the networks; None for methods without one."""
        found = [part.longest for _, part in self.parts if isinstance(part, ForecasterModel)]
        return next((steps for steps in found if steps is not None), None)

    def forecast_level(self, past: Past, origins: np.ndarray, steps: int) -> np.ndarray:
        """Return forecasts (n, steps, D) of the series, or of its logarithm."""
        found = np.zeros((len(origins), steps, past.level.shape[1]))
        for weight, part in self.parts:
            found += weight * forecast_part(part, past, origins, steps)
        return found

    # ------------------------------------------------------------------ files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal forecasters give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        tensors, parts = {"tail": self.tail, "residuals": self.residuals}, []
        tensors |= {} if self.known is None else self.known.tensors()
        for place, (weight, part) in enumerate(self.parts):
            if isinstance(part, ForecasterModel):
                parts.append({"name": NETWORK, "weight": weight, "settings": part.settings.record()})
                own = part.tensors()
            else:
                parts.append({"name": part.name, "weight": weight, "season": part.season})
                own = dict(part.tensors)
            tensors |= {f"{place}.{name}": array for name, array in own.items()}
        write_model(path, tensors, self.header() | {"parts": parts}, kind=KIND, origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "BlendedForecaster":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, {**SERIES_HEADER, **optional_rules(header), "parts": _PARTS})
        settings = read_settings(name, ForecasterSettings, header["settings"])
        about = {key: header[key] for key in ("names", "length", "metrics", "history")}
        ahead = header.get("known", [])
        columns = len(header["names"])
        parts: list[tuple[float, Part]] = []
        for place, each in enumerate(header["parts"]):
            prefix = f"{place}."
            own = {key[len(prefix) :]: array for key, array in tensors.items() if key.startswith(prefix)}
            if each["name"] == NETWORK:
                part: Part = _read_network(name, own, each, about | ({"known": ahead} if ahead else {}))
            else:
                part = _read(name, own, each, columns)
            parts.append((each["weight"], part))
        if any(isinstance(part, ForecasterModel) and part.settings.log != settings.log for _, part in parts):
            raise FormatError(f"{name} is damaged: all networks must forecast logarithms, or none")
        others = {key: array for key, array in tensors.items() if not key.split(".")[0].isdecimal()}
        if len(tensors) - len(others) != sum(len(_names(part)) for _, part in parts):
            raise FormatError(f"{name} is damaged: it has tensors of {len(parts)} parts and of others")
        shapes: dict[str, tuple[int, ...]] = {"tail": (_count(tensors, "tail"), columns)}
        shapes["residuals"] = (_count(tensors, "residuals"), settings.horizon, columns)
        shapes |= KnownColumns.shapes(tensors, len(ahead), shapes["tail"][0], columns)
        check_tensors(name, others, {}, numbers=shapes)
        model = cls(
            parts, settings=settings, tail=tensors["tail"], residuals=tensors["residuals"],
            calendar=header.get("calendar"), **about,
            known=KnownColumns.from_tensors(ahead, settings.step, tensors),
        )  # fmt: skip
        if len(model.tail) < model.least or (settings.log and (model.tail <= 0).any()):
            raise FormatError(f"{name} is damaged: too few values, or with log values that are not above 0")
        return model

    def __repr__(self) -> str:
        names = [NETWORK if isinstance(part, ForecasterModel) else part.label for _, part in self.parts]
        return f"<BlendedForecaster: {', '.join(names)}; {self.settings.horizon} steps; {', '.join(self.names)}>"


class AnyForecaster:
    """A reader of the files of both kinds of forecasters."""

    @staticmethod
    def from_file(name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> SeriesModel:
        """Return a ``BlendedForecaster`` if the header has parts, else a ``ForecasterModel``."""
        return (BlendedForecaster if "parts" in header else ForecasterModel).from_file(name, tensors, header)


def forecast_part(part: Part, past: Past, origins: np.ndarray, steps: int) -> np.ndarray:
    """Return forecasts (n, steps, D) of a part, of the series or of its logarithm."""
    if isinstance(part, ForecasterModel):
        return part.forecast_level(past, origins, steps)
    return part.forecast(past.level, origins, steps, past.start)


def _count(tensors: Mapping[str, np.ndarray], name: str) -> int:
    return len(tensors[name]) if name in tensors and tensors[name].ndim else 0


def _names(part: Part) -> Mapping[str, np.ndarray]:
    return part.tensors() if isinstance(part, ForecasterModel) else part.tensors


def _read_network(
    name: str, tensors: Mapping[str, np.ndarray], part: Mapping[str, Any], about: Mapping[str, Any]
) -> ForecasterModel:
    return ForecasterModel.from_file(name, tensors, {**about, "settings": part.get("settings")})


def _read(name: str, tensors: Mapping[str, np.ndarray], part: Mapping[str, Any], columns: int) -> Method:
    season = part.get("season")
    if type(season) is not int or not 1 <= season <= _LONGEST_SEASON:
        raise FormatError(f"{name} is damaged: a season must be a whole number, at least 1, got {season!r:.40}")
    kind = METHODS[part["name"]]
    check_tensors(name, tensors, {}, numbers=kind.shapes(season, columns))
    method = kind(season, dict(tensors))
    if not method.is_valid():
        raise FormatError(f"{name} is damaged: {kind.name} needs rates of 0 to 1 and weights that sum to 1")
    return method


_LONGEST_SEASON = 10**9


def _are_parts(value: list[Any]) -> bool:
    return bool(value) and all(
        isinstance(each, dict)
        and each.get("name") in (NETWORK, *METHODS)
        and type(each.get("weight")) is float
        and 0 < each["weight"] <= 1
        for each in value
    )


_PARTS = (list, "a list of names and weights", _are_parts)
