"""Columns whose future is known, such as holidays or prices: the inputs that a network reads of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqclf.data.series import as_series, check_order, check_scaled, column_names, mean_and_deviation
from wordvec import InputError

_SURE = 3.0
"""Standard errors from which on an effect is believed."""


class Past(NamedTuple):
    """What a forecast starts from.

    Attributes:
        level: (N, D) the series, or its logarithm.
        start: the position of its first value in the training series.
        known: (N + ahead, K) the columns known ahead, from the same position on; None without such columns.
    """

    level: np.ndarray
    start: int = 0
    known: np.ndarray | None = None


@dataclass(frozen=True)
class KnownColumns:
    """K columns known ahead.

    Their linear effect is subtracted from the series, and added to forecasts. A network that forecasts S steps at once
    also reads, at each step, the columns of this step and the next S.

    Attributes:
        names: of the columns.
        leads: S.
        mean, deviation: (K,) of the training series.
        tail: (T, K) the end of the training series.
        effects: (K, D) on each column of the series, or of its logarithm; None for none.
    """

    names: list[str]
    leads: int
    mean: np.ndarray
    deviation: np.ndarray
    tail: np.ndarray
    effects: np.ndarray | None = None

    @classmethod
    def learn(
        cls, known: np.ndarray, names: Sequence[str], leads: int, tail: int, effects: np.ndarray | None = None
    ) -> "KnownColumns":
        """Fit the scaling to the columns (N, K) of the training series, and keep the last ``tail`` rows."""
        return cls(list(names), leads, *mean_and_deviation(known), known[-tail:].copy(), effects)

    def effect(self, known: np.ndarray, columns: int) -> np.ndarray:
        """Return the effect (M, D) of the columns (M, K) on the D columns of the series."""
        return np.zeros((len(known), columns)) if self.effects is None else np.asarray(known @ self.effects)

    @property
    def width(self) -> int:
        """The number of inputs of a step."""
        return (self.leads + 1) * len(self.names)

    def inputs(self, known: np.ndarray, origins: np.ndarray, window: int) -> np.ndarray:
        """Return the inputs (n, T, (S + 1) K) of the windows that end before their origins (n,).

        Args:
            known: (M, K), at least S rows from the last origin on. window: T.

        Example:
            >>> columns = KnownColumns.learn(np.array([[0.0], [2.0]]), ["sale"], leads=1, tail=1)
            >>> columns.inputs(np.array([[0.0], [2], [2], [0]]), np.array([3]), 2).tolist()
            [[[1.0, 1.0], [1.0, -1.0]]]
        """
        scaled = (known - self.mean) / self.deviation
        check_scaled("the columns known ahead", scaled)
        steps = origins[:, None, None] + np.arange(-window, 0)[:, None] + np.arange(self.leads + 1)
        return np.asarray(scaled[steps].reshape(len(origins), window, self.width))

    def check(self, known: Any, values: int, steps: int) -> np.ndarray:
        """Return the columns (M, K) as an array.

        Args:
            known: (M, K), or (M,) for a single column.
            values: the rows that precede the forecast. steps: to forecast.

        Raises:
            InputError: other columns, or too few rows.
        """
        named = ", ".join(self.names)
        if known is None:
            raise InputError(
                f"known must give {named} for the steps to forecast, which this forecaster was trained with"
            )
        rows = as_series(known, "known")
        if rows.shape[1] != len(self.names):
            raise InputError(f"known must have {len(self.names)} columns, {named}, got {rows.shape[1]}")
        check_order(known, self.names, "columns known ahead")
        ahead, least = len(rows) - values, max(steps, self.leads)
        if ahead < least:
            raise InputError(
                f"known must have {least} rows after the series, for the steps to forecast, got {max(ahead, 0)}: "
                f"{named} of the steps {max(ahead, 0) + 1} to {least} are missing"
            )
        return rows

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the tensors of a file."""
        found = {"known_mean": self.mean, "known_deviation": self.deviation, "known_tail": self.tail}
        return found | ({} if self.effects is None else {"known_effects": self.effects})

    @staticmethod
    def shapes(tensors: Mapping[str, np.ndarray], known: int, tail: int, columns: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the tensors of K columns known ahead, of T rows, and of D columns of the series."""
        if not known:
            return {}
        found: dict[str, tuple[int, ...]] = {"known_mean": (known,), "known_deviation": (known,)}
        found["known_tail"] = (tail, known)
        return found | ({"known_effects": (known, columns)} if "known_effects" in tensors else {})

    @classmethod
    def from_tensors(cls, names: Sequence[str], leads: int, tensors: Mapping[str, np.ndarray]) -> "KnownColumns | None":
        """Return the columns of a file; None without names."""
        if not names:
            return None
        mean, deviation, tail = (tensors[f"known_{name}"] for name in ("mean", "deviation", "tail"))
        return cls(list(names), leads, mean, deviation, tail, tensors.get("known_effects"))


def linear_effects(level: np.ndarray, known: np.ndarray, season: int) -> np.ndarray:
    """Return the effects (K, D) of columns (N, K) on a series (N, D), by least squares on its seasonal differences.

    Columns of the series on which an effect is less than three standard errors away from 0 have none of it.

    Args:
        level: the series, or its logarithm. known: the columns. season: m, 1 for none.

    Example:
        >>> known = np.random.default_rng(1).random((40, 2))
        >>> linear_effects(3 * known[:, :1] + 0.01 * np.arange(40)[:, None] ** 2, known, 1).round(1).tolist()
        [[3.0], [0.0]]
    """
    lag = season if season < len(level) else 1
    changes, drivers = level[lag:] - level[:-lag], known[lag:] - known[:-lag]
    drivers = drivers - drivers.mean(axis=0)
    effects = np.linalg.lstsq(drivers, changes, rcond=None)[0]
    free = len(changes) - known.shape[1] - 1
    if free < 1:
        return np.zeros_like(effects)
    errors = changes - changes.mean(axis=0) - drivers @ effects
    spread = np.diag(np.linalg.pinv(drivers.T @ drivers))[:, None]
    deviations = np.sqrt(spread * np.square(errors).sum(axis=0) / free)
    return np.where(np.abs(effects) > _SURE * deviations, effects, 0.0)


def training_columns(known: Any, names: Sequence[str] | None, rows: int) -> tuple[np.ndarray, list[str]]:
    """Return the columns (N, K) that a series of N rows is trained with, and their names.

    Raises:
        InputError: another number of rows or names.
    """
    found = as_series(known, "known")
    names = column_names(known) if names is None else names
    named = [f"x{column}" for column in range(found.shape[1])] if names is None else [str(name) for name in names]
    if len(named) != found.shape[1]:
        raise InputError(f"{len(named)} names for {found.shape[1]} columns known ahead")
    if len(found) != rows:
        raise InputError(f"known must have a row for each of the {rows} values of the series, got {len(found)}")
    return found, named
