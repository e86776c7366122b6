"""The classifier's network: vectors of words and characters ▶ encoder ▶ pooling ▶ softmax or sigmoids."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.character_encoder import CharacterShape, character_shapes, initial_characters
from seqclf.layers.heads import MultiLabelHead, SoftmaxHead
from seqclf.layers.parameters import EncoderShape, check_memory, encoder_shapes, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.pooling import Pooling, pooling_shapes


@dataclass(frozen=True)
class NetworkShape:
    """Sizes and options that determine every parameter's shape.

    Attributes:
        vocabulary: V, the rows of the embedding table; the last one is for unknown tokens.
        vector_size: E.
        hidden_size: H, for each direction.
        classes: C.
        cell, bidirectional: see ``EncoderShape``.
        pooling: one of ``POOLINGS``.
        multi_label: any number of labels per text, instead of one of C classes.
        merge, layers, reset, zoneout, zoneout_cell: see ``EncoderShape``.
        spelling: the encoder of characters; None without.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    classes: int
    cell: str = "lstm"
    bidirectional: bool = True
    pooling: str = "max"
    multi_label: bool = False
    merge: str = "concatenate"
    layers: int = 1
    reset: str = "after"
    zoneout: float = 0.0
    zoneout_cell: float = 0.0
    spelling: CharacterShape | None = None

    @property
    def appended(self) -> int:
        return self.spelling.features if self.spelling else 0

    @property
    def encoder(self) -> EncoderShape:
        return EncoderShape(**{field.name: getattr(self, field.name) for field in fields(EncoderShape)})


def parameter_shapes(shape: NetworkShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them; gates are in the order i, f, g, o or r, z, n.

    Example:
        >>> for name, size in parameter_shapes(NetworkShape(9, 3, 2, 2, bidirectional=False)).items():
        ...     print(name, size)
        embedding (9, 3)
        layers.0.forward.w_input (8, 3)
        layers.0.forward.w_hidden (8, 2)
        layers.0.forward.bias (8,)
        head.weight (2, 2)
        head.bias (2,)
    """
    head = {"head.weight": (shape.classes, shape.encoder.features), "head.bias": (shape.classes,)}
    shapes = encoder_shapes(shape.encoder) | pooling_shapes(shape.encoder, shape.pooling) | head
    return shapes | character_shapes(shape.spelling)


def initial_parameters(
    shape: NetworkShape, table: np.ndarray | None, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return initial parameters with the given embedding table (V, E), if any; the head is Glorot-uniform."""
    check_memory(parameter_shapes(shape), table)
    parameters = initial_encoder(shape.encoder, table, random)
    parameters |= Pooling(shape.pooling, shape.encoder, random=random).parameters()
    features = shape.encoder.features
    limit = np.sqrt(6.0 / (features + shape.classes))
    parameters["head.weight"] = random.uniform(-limit, limit, (shape.classes, features)).astype(np.float32)
    parameters["head.bias"] = np.zeros(shape.classes, dtype=np.float32)
    return parameters | initial_characters(shape.spelling, random)


class Network(PooledNetwork):
    """A classifier's parameters and the two passes over a packed batch.

    Args:
        shape: see ``NetworkShape``.
        parameters: all of ``parameter_shapes(shape)``.
        dtype: float32; float64 is for gradient checks and uses libm's tanh.
    """

    def __init__(
        self, shape: NetworkShape, parameters: Mapping[str, np.ndarray], dtype: DTypeLike = np.float32
    ) -> None:
        self.shape = shape
        kind = MultiLabelHead if shape.multi_label else SoftmaxHead
        head = kind(shape.classes, shape.hidden_size, parts=shape.encoder.parts, dtype=dtype)
        super().__init__(shape.encoder, head, parameters, pooling=shape.pooling, characters=shape.spelling, dtype=dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {"shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype}
