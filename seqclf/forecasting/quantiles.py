"""Conformalized quantile regression (Romano et al. 2019): learned intervals are widened by their errors."""

import math

import numpy as np

from seqclf.forecasting.settings import QUANTILES

LEVELS = tuple(round(1 - 2 * share, 9) for share in QUANTILES[: len(QUANTILES) // 2])
"""Probabilities of the intervals, the widest first."""


def conformal_widening(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return what to add to both sides of each interval (L, S, D), so that it covers its share of some values.

    It is the error of an interval that has the rank ``ceil((n + 1) level)`` among n, at most the largest; the error is
    the distance of a value beyond the nearer bound, below 0 for a value within the interval.

    Args:
        found: (n, Q, S, D) quantiles, of windows that the network was not trained on. truth: (n, S, D).

    Example:
        >>> found = np.zeros((4, 7, 1, 1)) + np.array([-3, -2, -1, 0, 1, 2, 3.0])[:, None, None]
        >>> conformal_widening(found, np.array([0.0, 0.5, 5, -1])[:, None, None])[:, 0, 0].tolist()
        [2.0, 3.0, 0.0]
    """
    count, widening = len(found), np.zeros((len(LEVELS), *found.shape[2:]))
    for place, level in enumerate(LEVELS if count else ()):
        errors = np.maximum(found[:, place] - truth, truth - found[:, -1 - place])
        rank = min(math.ceil((count + 1) * level - 1e-9), count)
        widening[place] = np.sort(errors, axis=0)[rank - 1]
    return widening


def interval(found: np.ndarray, widening: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds (n, S, D) of an interval from quantiles (n, Q, S, D), at least as wide as the median."""
    middle = found[:, found.shape[1] // 2]
    low, high = found[:, place] - widening[place], found[:, -1 - place] + widening[place]
    return np.minimum(low, middle), np.maximum(high, middle)
