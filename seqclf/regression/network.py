"""The regressor's network: encoder ▶ pooling ▶ regression head."""

from collections.abc import Mapping

import numpy as np

from seqclf.layers.heads import RegressionHead
from seqclf.layers.parameters import EncoderShape, check_memory, encoder_shapes, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.pooling import Pooling, pooling_shapes
from seqclf.regression.settings import RegressorSettings


def encoder_shape(settings: RegressorSettings, vocabulary: int, vector_size: int) -> EncoderShape:
    """Return the encoder's shape; with a vocabulary of 0, the input is numeric."""
    return EncoderShape(vocabulary=vocabulary, vector_size=vector_size, **settings.encoder_options())


def parameter_shapes(shape: EncoderShape, pooling: str, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them."""
    head = {"head.weight": (outputs, shape.features), "head.bias": (outputs,)}
    return encoder_shapes(shape) | pooling_shapes(shape, pooling) | head


def initial_parameters(
    shape: EncoderShape, pooling: str, outputs: int, table: np.ndarray | None, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return initial parameters; ``table`` (V, E) is the embedding, None for numeric sequences."""
    check_memory(parameter_shapes(shape, pooling, outputs), table)
    head = RegressionHead(outputs, shape.hidden_size, parts=shape.parts, random=random)
    parameters = initial_encoder(shape, table, random) | head.parameters()
    return parameters | Pooling(pooling, shape, random=random).parameters()


def build_network(
    shape: EncoderShape, pooling: str, outputs: int, parameters: Mapping[str, np.ndarray]
) -> PooledNetwork:
    """Return the network with the given parameters."""
    head = RegressionHead(outputs, shape.hidden_size, parts=shape.parts)
    return PooledNetwork(shape, head, parameters, pooling=pooling)
