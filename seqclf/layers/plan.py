"""What the forward and the backward pass read of an encoder."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqclf.layers.cells import Cell
from seqclf.layers.parameters import EncoderShape

if TYPE_CHECKING:
    from seqclf.kernels.panels import Weights


@dataclass(frozen=True)
class EncoderPlan:
    """An encoder's shape and weights as the kernels hold them.

    Attributes:
        shape: see ``EncoderShape``.
        cell: the recurrent cell.
        hidden: H padded to 16, the units of one direction.
        features: F padded, the columns of the merged states.
        dtype: of all arrays.
        weights: by layer and direction.
        d_weights: their gradients, by half-batch, layer and direction.
        hold: zoneout's expected values of h and of c: (1, H padded), or no rows without zoneout.
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
