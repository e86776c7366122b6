"""The encoder's shape and weights, as the forward and backward passes read them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqclf.layers.cells import Cell
from seqclf.layers.parameters import EncoderShape

if TYPE_CHECKING:
    from seqclf.kernels.panels import Weights


@dataclass(frozen=True, eq=False)
class EncoderPlan:
    """An encoder's shape and weights in the kernels' layout; equal to itself only, so that records are kept by it.

    Attributes:
        shape: see ``EncoderShape``.
        cell: the recurrent cell.
        hidden: H padded to 16, the units of one direction.
        features: F padded, the columns of the merged states.
        dtype: of all arrays.
        weights: by layer and direction.
        d_weights: their gradients, by half-batch, layer and direction.
        hold: the zoneout probabilities of h and of c, (1, H padded); no rows without zoneout.
        product: the address of the compiled matrix product.
    """

    shape: EncoderShape
    cell: Cell
    hidden: int
    features: int
    dtype: np.dtype
    weights: "tuple[tuple[Weights, ...], ...]"
    d_weights: "tuple[tuple[tuple[Weights, ...], ...], ...]"
    hold: tuple[np.ndarray, np.ndarray]
    product: int
