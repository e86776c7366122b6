"""Autoregression by Burg's method, for one column of a series.

Burg 1975 (Maximum entropy spectral analysis): the order p + 1 follows from p by one reflection coefficient, which
minimizes the squared errors of forward and backward prediction::

    k = 2 Σ f_t b_{t-1} / Σ (f_t² + b_{t-1}²)      a_{p+1} = (a_p - k reversed(a_p), k)

|k| is at most 1, so the process is stable and long forecasts return to the mean.
"""

from typing import NamedTuple

import numpy as np

from seqclf.forecasting.smoothing import pattern_parameters, penalty

ORDER = 40
"""The largest order; series of N values have at most 10 log10(N) and N / 4."""


class Autoregression(NamedTuple):
    """``means`` (m,) of the times of a season; ``coefficients`` (p,) of the deviations, the last value's first."""

    means: np.ndarray
    coefficients: np.ndarray
    criterion: float


def fit(values: np.ndarray, season: int) -> Autoregression:
    """Fit to a column (N,) around its mean, or around its m seasonal means if there are two seasons; the order and the
    season are those of the smallest AICc.

    Example:
        >>> fit(np.tile([1.0, 3.0, 8.0], 9), 3).means
        array([1., 3., 8.])
    """
    count, found = len(values), []
    most = max(min(ORDER, int(10 * np.log10(count)), count // 4), 0)
    for each in sorted({1, season} if count >= 2 * season else {1}):
        means = np.array([values[time::each].mean() for time in range(each)])
        for coefficients, variance in _burg(values - means[np.arange(count) % each], most):
            free = 2 + len(coefficients) + pattern_parameters(each)
            criterion = count * np.log(max(variance, 1e-300)) + penalty(free, count)
            found.append(Autoregression(means, coefficients, float(criterion)))
    return min(found, key=lambda one: one.criterion)


def _burg(deviations: np.ndarray, most: int) -> list[tuple[np.ndarray, float]]:
    """Return coefficients (p,) and the variance of the errors of the orders p = 0 to ``most``."""
    forward, backward = deviations[1:], deviations[:-1]
    coefficients, variance = np.zeros(0), float(np.square(deviations).mean())
    found = [(coefficients, variance)]
    for _ in range(most):
        total = forward @ forward + backward @ backward
        reflection = 2 * (forward @ backward) / total if total > 0 else 0.0
        coefficients = np.append(coefficients - reflection * coefficients[::-1], reflection)
        variance *= 1 - reflection**2
        forward, backward = (forward - reflection * backward)[1:], (backward - reflection * forward)[:-1]
        found.append((coefficients, variance))
    return found


def continued(deviations: np.ndarray, origins: np.ndarray, steps: int, coefficients: np.ndarray) -> np.ndarray:
    """Return forecasts (n, steps) of the deviations from positions of a column (N,), at least p after its begin."""
    order = len(coefficients)
    found = np.zeros((len(origins), order + steps))
    found[:, :order] = deviations[origins[:, None] - order + np.arange(order)]
    for step in range(steps):
        found[:, order + step] = found[:, step : order + step] @ coefficients[::-1]
    return found[:, order:]
