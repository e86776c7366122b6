"""Exponential smoothing and Theta, one value after the other."""

import math


def smoothed(values, alpha, beta, gamma, phi, level, slope, pattern):
    """Return the one-step errors and the last level, slope and pattern (the oldest time of the season first)."""
    errors, pattern = [], list(pattern)
    for value in values:
        seasonal = pattern.pop(0)
        error = value - (level + phi * slope + seasonal)
        level, slope = level + phi * slope + alpha * error, phi * slope + beta * error
        pattern.append(seasonal + gamma * error)
        errors.append(error)
    return errors, level, slope, pattern


def continued(level, slope, pattern, phi, steps):
    """Return the forecasts of the next steps."""
    return [
        level + sum(phi**power for power in range(1, step + 1)) * slope + pattern[(step - 1) % len(pattern)]
        for step in range(1, steps + 1)
    ]


def line(values):
    """Return the first value and the slope of the least-squares line."""
    count = len(values)
    middle, mean = (count - 1) / 2, math.fsum(values) / count
    slope = sum((at - middle) * value for at, value in enumerate(values)) / sum(
        (at - middle) ** 2 for at in range(count)
    )
    return mean - slope * middle, slope
