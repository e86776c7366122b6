"""The cells of an LSTM that hold a word: what each token has left in each cell at the end of a text."""

from typing import NamedTuple

import numpy as np

from seqclf.inspection.tracing import Activations, LayerTrace
from wordvec import InputError
from wordvec.system.validation import check_whole


class Holder(NamedTuple):
    """A cell that holds a token.

    Attributes:
        layer: from 0. direction: ``forward`` or ``reverse``. unit: from 0.
        written: what the token wrote to the cell, ``i g``.
        left: what of it is left after the last step.
        share: of ``left`` in the sum of what all tokens left there, in absolute values.
    """

    layer: int
    direction: str
    unit: int
    written: float
    left: float
    share: float


def contributions(layer: LayerTrace) -> np.ndarray:
    """Return what each token has left in each cell at the end: (T, H), whose sum over the tokens is the last cell.

    ``c_T = sum_t i_t g_t f_{t+1} ... f_T``, in the direction's own order of steps; rows are in text order.

    Raises:
        InputError: the layer is not an LSTM's.

    Example:
        >>> from seqclf.inspection.tracing import LayerTrace
        >>> gates = {name: np.full((3, 1), 0.5) for name in "ifgo"}
        >>> contributions(LayerTrace(0, "forward", gates, np.zeros((3, 1)), np.zeros((3, 1)))).ravel()
        array([0.0625, 0.125 , 0.25  ])
    """
    if layer.c is None:
        raise InputError(f"only an LSTM has cells, got gates {', '.join(layer.gates)}; train with --cell lstm")
    order = slice(None, None, 1 if layer.direction == "forward" else -1)
    i, f, g = (layer.gates[name][order].astype(np.float64) for name in "ifg")
    kept = np.ones_like(f)
    kept[:-1] = np.cumprod(f[:0:-1], axis=0)[::-1]
    return np.asarray((i * g * kept)[order])


def find_holders(trace: Activations, place: int, *, top: int = 3) -> list[Holder]:
    """Return the cells that hold one token best: much of it is left after the last step, and little of other tokens.

    They are ordered by ``|left| share``.

    Args:
        trace: of an LSTM.
        place: of the token, from 0. top: the number of cells.

    Raises:
        InputError: ``place`` is not one of the tokens, ``top`` is below 1, or the network is not an LSTM.
    """
    check_whole("place", place, 0, len(trace.tokens) - 1)
    check_whole("top", top, 1)
    found = []
    for layer in trace.layers:
        parts = contributions(layer)
        shares = np.abs(parts[place]) / np.maximum(np.abs(parts).sum(axis=0), 1e-12)
        for unit in np.argsort(-np.abs(parts[place]) * shares, kind="stable")[:top]:
            written = float(layer.gates["i"][place, unit] * layer.gates["g"][place, unit])
            left = float(parts[place, unit])
            found.append(Holder(layer.layer, layer.direction, int(unit), written, left, float(shares[unit])))
    return sorted(found, key=lambda holder: -abs(holder.left) * holder.share)[:top]
