"""L-BFGS (Liu & Nocedal 1989) for smooth convex functions, with the same bits at any number of threads."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_PAIRS = (10, 40)
"""The fewest and the most steps that are remembered: of 40, a search needs half the steps, which are slower."""
_NUMBERS = 4_000_000
"""Numbers in these steps, unless ten have more."""
_DECREASE = 1e-4
"""The part of the decrease that the gradient promises from which on a step is accepted (Armijo 1966)."""
_SHORTEST = 1e-10


class Minimum(NamedTuple):
    """Where the search ended; ``converged`` is False at the largest number of iterations."""

    x: np.ndarray
    value: float
    iterations: int
    converged: bool


def minimize(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    *,
    tolerance: float = 1e-5,
    most: int = 500,
    inner: Callable[[np.ndarray, np.ndarray], float] | None = None,
    largest: Callable[[np.ndarray], float] | None = None,
) -> Minimum:
    """Minimize a smooth convex function.

    A direction is that of the two-loop recursion over the last 10 to 40 steps, fewer for large N; a step is halved, or
    set to the minimum of the parabola through what is known, until the function decreases enough.

    Args:
        function: returns the value and a new gradient (N,) at x (N,) float64.
        x: where the search starts; unchanged.
        tolerance: the largest absolute component of the gradient at which it ends.
        most: the largest number of iterations.
        inner: the inner product of two vectors, if they stand for others; None is that of their components.
        largest: the largest absolute component of the last gradient; None takes that of the vector.

    Example:
        >>> found = minimize(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2))
        >>> found.x.round(4), found.converged
        (array([3., 3.]), True)
    """
    from seqclf.kernels.sparse_linear import add_scaled, inner_product

    inner = inner or inner_product
    largest = largest or (lambda vector: float(np.abs(vector).max(initial=0.0)))
    x = np.array(x, np.float64)
    value, gradient = function(x)
    remembered = max(_PAIRS[0], min(_PAIRS[1], _NUMBERS // max(x.size, 1)))
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=remembered)
    for iteration in range(most):
        if largest(gradient) <= tolerance:
            return Minimum(x, value, iteration, True)
        direction = -gradient
        factors = []
        for step, change, curvature in reversed(pairs):
            factors.append(inner(step, direction) / curvature)
            add_scaled(direction, -factors[-1], change)
        if pairs:
            _, change, curvature = pairs[-1]
            direction *= curvature / inner(change, change)
        for (step, change, curvature), factor in zip(pairs, reversed(factors), strict=True):
            add_scaled(direction, factor - inner(change, direction) / curvature, step)
        slope = inner(gradient, direction)
        length = 1.0 if pairs else min(1.0, 1.0 / np.sqrt(inner(gradient, gradient)))
        while True:
            step = length * direction
            moved = x + step
            found, new_gradient = function(moved)
            if found <= value + _DECREASE * length * slope:
                break
            if length < _SHORTEST:  # rounding hides any further decrease
                return Minimum(x, value, iteration, True)
            parabola = -0.5 * slope * length**2 / (found - value - slope * length)
            length = min(max(parabola, 0.1 * length), 0.5 * length)
        change = new_gradient - gradient
        curvature = inner(step, change)
        if curvature > 0:
            pairs.append((step, change, curvature))
        x, value, gradient = moved, found, new_gradient
    return Minimum(x, value, most, False)
