"""Recurrent cells: their parameters as people write them, as the kernels want them, and the two calls that run them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

UNITS = 16


def padded(size: int, multiple: int = UNITS) -> int:
    """``size`` rounded up to a multiple, as the kernels' loops want their widths."""
    return -(-size // multiple) * multiple


def to_panels(weight: np.ndarray, gates: int, columns: int) -> np.ndarray:
    """Lay out a weight (G H, N) for the kernels: (P, columns, 16 G), panels of 16 units, their G gates side by side.

    H is padded to a multiple of 16 and N to ``columns`` with zeros; the net leaves them zero.

    Example:
        >>> to_panels(np.arange(8.0).reshape(4, 2), gates=4, columns=2)[0, :, ::16]
        array([[0., 2., 4., 6.],
               [1., 3., 5., 7.]])
    """
    hidden = weight.shape[0] // gates
    panels = padded(hidden) // UNITS
    full = np.zeros((gates, panels * UNITS, columns), dtype=weight.dtype)
    full[:, :hidden, : weight.shape[1]] = weight.reshape(gates, hidden, -1)
    laid = full.reshape(gates, panels, UNITS, columns).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(laid).reshape(panels, columns, gates * UNITS)


def from_panels(panels: np.ndarray, gates: int, hidden: int, columns: int) -> np.ndarray:
    """Undo :func:`to_panels`: (P, ., 16 G) to (G hidden, columns)."""
    count, width, _ = panels.shape
    full = panels.reshape(count, width, gates, UNITS).transpose(2, 0, 3, 1).reshape(gates, count * UNITS, width)
    return np.ascontiguousarray(full[:, :hidden, :columns]).reshape(gates * hidden, columns)


@dataclass(frozen=True)
class Cell:
    """What a network must know of a recurrent cell.

    Attributes:
        name: as the settings and files write it.
        gates: G; weights have G H rows.
        initial_bias: the value each gate's bias starts from, G of them.
        kernels: a function that imports and returns the (forward, backward) kernels, when they are first needed.
    """

    name: str
    gates: int
    initial_bias: tuple[float, ...]
    kernels: Callable[[], tuple[Any, Any]]

    def initial(self, inputs: int, hidden: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Fresh float32 parameters: ``w_input`` (G H, E) Glorot-uniform, ``w_hidden`` (G H, H) orthogonal by gate."""
        limit = np.sqrt(6.0 / (inputs + hidden))
        blocks = [orthogonal(hidden, random) for _ in range(self.gates)]
        return {
            "w_input": random.uniform(-limit, limit, (self.gates * hidden, inputs)).astype(np.float32),
            "w_hidden": np.concatenate(blocks).astype(np.float32),
            "bias": np.repeat(np.array(self.initial_bias, np.float32), hidden),
        }


def orthogonal(size: int, random: np.random.Generator) -> np.ndarray:
    """A random orthogonal matrix (size, size), float64: modified Gram-Schmidt, free of what BLAS rounds by threads."""
    matrix = random.standard_normal((size, size))
    for k in range(size):
        matrix[k] /= np.sqrt((matrix[k] * matrix[k]).sum())
        matrix[k + 1 :] -= (matrix[k + 1 :] * matrix[k]).sum(axis=1, keepdims=True) * matrix[k]
    return matrix


def _lstm_kernels() -> tuple[Any, Any]:
    from seqclf.kernels.lstm import lstm_backward, lstm_forward

    return lstm_forward, lstm_backward


# A forget gate that starts open (bias 1: Jozefowicz et al. 2015) lets gradients pass from the first step on.
CELLS = {"lstm": Cell("lstm", gates=4, initial_bias=(0.0, 1.0, 0.0, 0.0), kernels=_lstm_kernels)}
