"""Adam (Kingma & Ba 2015, algorithm 1) for dense arrays and for table rows, and the norm for gradient clipping."""

import numpy as np

from wordvec.kernels.simd import kernel


@kernel(fastmath={"contract", "reassoc"})
def sum_of_squares(values: np.ndarray) -> float:
    """Return the sum of squares of a flat array in float64: partial sums of 256 in its dtype, added in float64."""
    total = 0.0
    for start in range(0, values.size, 256):
        stretch = values[start : start + 256]
        part = stretch[0] * stretch[0]
        for i in range(1, stretch.size):
            part += stretch[i] * stretch[i]
        total += part
    return total


@kernel
def adam_update(
    values: np.ndarray, gradient: np.ndarray, first: np.ndarray, second: np.ndarray, scale: np.floating,
    beta1: np.floating, beta2: np.floating, step_size: np.floating, epsilon: np.floating,
) -> None:  # fmt: skip
    """Update the flat array ``values`` and its moments ``first`` and ``second`` in place.

    With ``g = scale * gradient``::

        first  = beta1 * first  + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g²
        values -= step_size * first / (sqrt(second) + epsilon)

    The caller folds both bias corrections into ``step_size`` and ``epsilon``. Every scalar has the arrays' dtype.
    """
    rest1, rest2 = values.dtype.type(1) - beta1, values.dtype.type(1) - beta2
    for i in range(values.size):
        g = scale * gradient[i]
        first[i] = beta1 * first[i] + rest1 * g
        second[i] = beta2 * second[i] + rest2 * (g * g)
        values[i] -= step_size * first[i] / (np.sqrt(second[i]) + epsilon)


@kernel
def adam_update_rows(
    table: np.ndarray, rows: np.ndarray, gradient: np.ndarray, first: np.ndarray, second: np.ndarray,
    scale: np.floating, beta1: np.floating, beta2: np.floating, step_size: np.floating, epsilon: np.floating,
) -> None:  # fmt: skip
    """Apply ``adam_update`` to ``table[rows[i]]`` (V, E) with ``gradient[i]`` (U, E); other rows are unchanged."""
    width = table.shape[1]
    flat, flat_gradient = table.reshape(table.size), gradient.reshape(gradient.size)
    flat_first, flat_second = first.reshape(first.size), second.reshape(second.size)
    for i in range(rows.size):
        at, start = np.int64(rows[i]) * width, i * width
        adam_update(
            flat[at : at + width],
            flat_gradient[start : start + width],
            flat_first[at : at + width],
            flat_second[at : at + width],
            scale,
            beta1,
            beta2,
            step_size,
            epsilon,
        )
