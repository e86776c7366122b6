"""Sequences of numbers as arrays."""

from typing import Any

import numpy as np

from wordvec import InputError


def as_series(series: Any, name: str = "the series") -> np.ndarray:
    """Return a series (N,) or (N, D) as (N, D) float64.

    Raises:
        InputError: not such an array, empty, or not all numbers are finite.
    """
    try:
        values = np.asarray(series, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, one or more columns, got {type(series).__name__}") from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"{name} must be an array (N,) or (N, D), got {values.shape}")
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        row, column = bad[0]
        raise InputError(
            f"{name} holds {values[row, column]} at position {row}; fill gaps first, a forecaster reads every step"
        )
    return values
