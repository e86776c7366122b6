"""Recurrent cells: parameter shapes, initialization, the kernels' memory layout and the kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

UNITS = 16

Kernels: TypeAlias = tuple[Callable[..., None], Callable[..., None]]
"""A cell's forward and backward kernel."""


def padded(size: int, multiple: int = UNITS) -> int:
    """Return ``size`` rounded up to a multiple, as the kernels require of all widths."""
    return -(-size // multiple) * multiple


def to_panels(weight: np.ndarray, gates: int, columns: int) -> np.ndarray:
    """Return a weight (G H, N) in the kernels' layout: panels of 16 units (V, columns, 16), gate by gate.

    H is padded to a multiple of 16 and N to ``columns`` with zeros, which training leaves zero.

    Example:
        >>> to_panels(np.arange(8.0).reshape(4, 2), gates=2, columns=2)[:, :, :3]
        array([[[0., 2., 0.],
                [1., 3., 0.]],
        <BLANKLINE>
               [[4., 6., 0.],
                [5., 7., 0.]]])
    """
    hidden = weight.shape[0] // gates
    full = np.zeros((gates, padded(hidden), columns), dtype=weight.dtype)
    full[:, :hidden, : weight.shape[1]] = weight.reshape(gates, hidden, -1)
    return np.ascontiguousarray(full.reshape(-1, UNITS, columns).transpose(0, 2, 1))


def from_panels(panels: np.ndarray, gates: int, hidden: int, columns: int) -> np.ndarray:
    """Undo :func:`to_panels`: (V, ., 16) to (G hidden, columns)."""
    full = panels.transpose(0, 2, 1).reshape(gates, -1, panels.shape[1])
    return np.ascontiguousarray(full[:, :hidden, :columns]).reshape(gates * hidden, columns)


def spread(array: np.ndarray, parts: int) -> np.ndarray:
    """Pad each of the equal parts of the last axis to a multiple of 16, the kernels' layout of features.

    Example:
        >>> spread(np.array([[1, 2]]), parts=2).nonzero()[1]
        array([ 0, 16])
    """
    size = array.shape[-1] // parts
    full = np.zeros((*array.shape[:-1], parts, padded(size)), dtype=array.dtype)
    full[..., :size] = array.reshape(*array.shape[:-1], parts, size)
    return full.reshape(*array.shape[:-1], parts * padded(size))


def unspread(array: np.ndarray, parts: int, size: int) -> np.ndarray:
    """Undo :func:`spread`: copy the first ``size`` elements of each part of the last axis."""
    full = array.reshape(*array.shape[:-1], parts, array.shape[-1] // parts)[..., :size]
    return full.copy().reshape(*array.shape[:-1], parts * size)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent cell.

    Attributes:
        gates: G; weights have G H rows, gate by gate.
        kept: numbers per unit that a step stores for the backward pass, including the activated gates.
        initial_bias: the initial bias of each of the G gates.
        kernels: imports the (forward, backward) kernels on demand and returns them.
        hidden_bias: the hidden state's product for the last gate has its own bias, ``bias_hidden``.
        has_cell: there is a cell state c besides the hidden state h.
    """

    gates: int
    kept: int
    initial_bias: tuple[float, ...]
    kernels: Callable[[], Kernels]
    hidden_bias: bool = False
    has_cell: bool = False

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of one direction's parameters."""
        rows = self.gates * hidden
        shapes: dict[str, tuple[int, ...]] = {"w_input": (rows, inputs), "w_hidden": (rows, hidden), "bias": (rows,)}
        return shapes | {"bias_hidden": (hidden,)} if self.hidden_bias else shapes

    def initial(self, inputs: int, hidden: int, random: np.random.Generator) -> dict[str, np.ndarray]:
        """Return initial float32 parameters: ``w_input`` Glorot-uniform, ``w_hidden`` orthogonal in each gate."""
        limit = np.sqrt(6.0 / (inputs + hidden))
        blocks = [orthogonal(hidden, random) for _ in range(self.gates)]
        parameters = {
            "w_input": random.uniform(-limit, limit, (self.gates * hidden, inputs)).astype(np.float32),
            "w_hidden": np.concatenate(blocks).astype(np.float32),
            "bias": np.repeat(np.array(self.initial_bias, np.float32), hidden),
        }
        if self.hidden_bias:
            parameters["bias_hidden"] = np.zeros(hidden, np.float32)
        return parameters


def orthogonal(size: int, random: np.random.Generator) -> np.ndarray:
    """Return a random orthogonal matrix (size, size) float64.

    Modified Gram-Schmidt without BLAS, whose rounding depends on the number of threads.
    """
    matrix = random.standard_normal((size, size))
    for k in range(size):
        matrix[k] /= np.sqrt((matrix[k] * matrix[k]).sum())
        matrix[k + 1 :] -= (matrix[k + 1 :] * matrix[k]).sum(axis=1, keepdims=True) * matrix[k]
    return matrix


@cache
def _rnn_kernels() -> Kernels:
    from seqclf.kernels.rnn import rnn_backward, rnn_forward

    return rnn_forward, rnn_backward


@cache
def _gru_kernels() -> Kernels:
    from seqclf.kernels.gru import gru_backward, gru_forward

    return gru_forward, gru_backward


@cache
def _gru_after_kernels() -> Kernels:
    from seqclf.kernels.gru import gru_after_backward, gru_after_forward

    return gru_after_forward, gru_after_backward


@cache
def _lstm_kernels() -> Kernels:
    from seqclf.kernels.lstm import lstm_backward, lstm_forward

    return lstm_forward, lstm_backward


_RNN = Cell(1, 1, (0.0,), _rnn_kernels)
_GRU = {
    "before": Cell(3, 4, (0.0, 0.0, 0.0), _gru_kernels),
    "after": Cell(3, 4, (0.0, 0.0, 0.0), _gru_after_kernels, hidden_bias=True),
}
# A forget gate bias of 1 lets gradients pass from the start of training (Jozefowicz et al. 2015).
_LSTM = Cell(4, 4, (0.0, 1.0, 0.0, 0.0), _lstm_kernels, has_cell=True)


def get_cell(name: str, reset: str = "after") -> Cell:
    """Return the cell with a name from ``CELLS``; ``reset``, from ``RESETS``, only affects a GRU.

    Example:
        >>> get_cell("gru", "before").shapes(inputs=3, hidden=2)
        {'w_input': (6, 3), 'w_hidden': (6, 2), 'bias': (6,)}
    """
    return {"rnn": _RNN, "gru": _GRU[reset], "lstm": _LSTM}[name]
