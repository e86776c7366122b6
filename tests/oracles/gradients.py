"""Numerical gradients, to check backward passes. Imports only NumPy."""

from collections.abc import Callable

import numpy as np


def numerical_gradient(function: Callable[[], float], array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return d function / d array by central differences; ``array`` (float64) is modified in place and restored.

    ``function`` takes no arguments and reads ``array`` by reference.
    """
    gradient = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        below = function()
        array[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def directional_derivative(
    function: Callable[[], float], array: np.ndarray, direction: np.ndarray, step: float = 1e-5
) -> float:
    """Return the derivative of ``function`` along ``direction``, which checks a whole gradient with two calls."""
    kept = array.copy()
    array[...] = kept + step * direction
    above = function()
    array[...] = kept - step * direction
    below = function()
    array[...] = kept
    return (above - below) / (2 * step)
