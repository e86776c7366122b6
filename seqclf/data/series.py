"""Numeric sequences as arrays."""

from typing import Any

import numpy as np

from seqclf.data.columns import is_table
from wordvec import InputError
from wordvec.system.structures import real_array

_LARGEST = 1e150
"""The largest number whose square is finite."""

_FARTHEST = 1e30
"""The largest standardized number, so that sums of products with weights are finite as float32."""


def as_series(series: Any, name: str = "the series") -> np.ndarray:
    """Return a series (N,) or (N, D) as (N, D) float64.

    Raises:
        InputError: not an array of that shape, empty, or some values are not finite.
    """
    values = real_array(name, series)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"{name} must be a nonempty array (N,) or (N, D), got {values.shape}")
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        row, column = bad[0]
        raise InputError(f"{name} must be finite, got {values[row, column]} at position {row}; fill gaps first")
    if np.abs(values).max() > _LARGEST:
        row = int(np.abs(values).max(axis=1).argmax())
        raise InputError(f"{name} must be at most {_LARGEST:g} in size, got {np.abs(values[row]).max():g} at position "
                         f"{row}; use a larger unit")  # fmt: skip
    return values


def column_names(series: Any) -> list[str] | None:
    """Return the names of a DataFrame's columns, or of a Series, whatever the library; None if there are none."""
    names: list[Any] = list(series.columns) if is_table(series) else [getattr(series, "name", None)]
    return names if all(isinstance(name, str) and name for name in names) else None  # numbers are only positions


def check_order(series: Any, names: list[str], what: str = "columns") -> None:
    """Raise InputError if a DataFrame has the columns ``names`` in another order."""
    found = column_names(series)
    if found is not None and found != names and sorted(found) == sorted(names):
        raise InputError(f"{what} must be in the order of training, {', '.join(names)}, got {', '.join(found)}")


def is_numeric(sequence: Any) -> bool:
    """Return whether a sequence holds numbers, rather than tokens; an empty list may hold either."""
    try:
        found = np.asarray(sequence)
        return found.dtype.kind in "fiub" and (found.size > 0 or isinstance(sequence, np.ndarray))
    except (TypeError, ValueError):
        return False


def as_steps(sequence: Any, columns: int | None = None) -> np.ndarray:
    """Return a numeric sequence as (T, E) float64.

    Raises:
        InputError: it is not numeric, is empty, or E is not ``columns``.
    """
    if isinstance(sequence, str) or not is_numeric(sequence):
        raise InputError("numeric sequences must be nonempty arrays (T,) or (T, E), all with the same E")
    steps = as_series(sequence, "a sequence")
    if columns is not None and steps.shape[1] != columns:
        raise InputError(f"every step must have {columns} values, like the first one, got {steps.shape[1]}")
    return steps


def check_scaled(name: str, values: np.ndarray) -> None:
    """Check that standardized values are finite as float32.

    Raises:
        InputError: a value is more than 1e30 standard deviations of the training data away from their mean.
    """
    if values.size and np.abs(values).max() > _FARTHEST:
        raise InputError(
            f"{name} must be like the training data, got a value {np.abs(values).max():.0e} standard deviations from "
            "their mean; check its unit"
        )


def mean_and_deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the standard deviation of each column, 1 for a constant column."""
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
