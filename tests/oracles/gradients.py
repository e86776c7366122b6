"""Numerical gradients: the judge of every backward pass. Imports numpy only."""

from collections.abc import Callable

import numpy as np


def numerical_gradient(function: Callable[[], float], array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """d function / d array by central differences; ``array`` (float64) is changed in place and put back.

    ``function`` takes no argument: it reads ``array`` from wherever it lives.
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
    """The slope of ``function`` along ``direction``: two calls prove a whole gradient's projection."""
    kept = array.copy()
    array[...] = kept + step * direction
    above = function()
    array[...] = kept - step * direction
    below = function()
    array[...] = kept
    return (above - below) / (2 * step)
