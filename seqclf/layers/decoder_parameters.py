"""The decoder's shape, and its parameters by name."""

from dataclasses import dataclass

import numpy as np

from seqclf.layers.cells import get_cell

NONE = "none"
PROJECTED = ("general", "additive")
"""Kinds of attention with a matrix of the encoder's states."""


@dataclass(frozen=True)
class DecoderShape:
    """Sizes and options that determine a decoder's parameters and computation.

    Attributes:
        vocabulary: rows of the target embedding: V units and the symbol of the beginning.
        vector_size: E of the target embedding.
        hidden_size: H.
        source_size, source_parts: the width of one direction's states in the encoder, and the number concatenated.
        cell, reset, layers, zoneout, zoneout_cell: see ``EncoderShape``.
        attention: ``general``, ``dot`` or ``additive``; ``dot`` needs encoder states as wide as H. ``none`` weighs all
            positions equally, for sources with only one.
        input_feeding: the first layer reads the attentional state of the step before.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    source_size: int
    source_parts: int = 1
    cell: str = "lstm"
    reset: str = "after"
    layers: int = 1
    attention: str = "general"
    input_feeding: bool = True
    zoneout: float = 0.0
    zoneout_cell: float = 0.0

    @property
    def source_width(self) -> int:
        """F, the width of the encoder's states."""
        return self.source_size * self.source_parts

    @property
    def firsts(self) -> int:
        """K, the states that the bridge computes: h, and c of an LSTM, of each layer."""
        return self.layers * (2 if get_cell(self.cell, self.reset).has_cell else 1)


def decoder_shapes(shape: DecoderShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them; gates are in the order i, f, g, o or r, z, n.

    Example:
        >>> shape = DecoderShape(9, 3, 2, source_size=5, cell="rnn", attention="dot", input_feeding=False)
        >>> for name, size in decoder_shapes(shape).items():
        ...     print(name, size)
        target_embedding (9, 3)
        decoder.layers.0.w_input (2, 3)
        decoder.layers.0.w_hidden (2, 2)
        decoder.layers.0.bias (2,)
        decoder.combine.w_context (2, 5)
        decoder.combine.w_state (2, 2)
        decoder.combine.bias (2,)
        decoder.bridge.weight (2, 5)
        decoder.bridge.bias (2,)
    """
    hidden, width, cell = shape.hidden_size, shape.source_width, get_cell(shape.cell, shape.reset)
    found: dict[str, tuple[int, ...]] = {}
    for layer in range(shape.layers):
        for name, size in cell.shapes(hidden if layer else shape.vector_size, hidden).items():
            found[f"layers.{layer}.{name}"] = size
            if name == "w_input" and layer == 0 and shape.input_feeding:
                found["layers.0.w_feed"] = (cell.gates * hidden, hidden)
    if shape.attention in PROJECTED:
        found["attention.w_source"] = (hidden, width)
    if shape.attention == "additive":
        found |= {"attention.w_query": (hidden, hidden), "attention.bias": (hidden,), "attention.scorer": (hidden,)}
    found |= {"combine.w_context": (hidden, width), "combine.w_state": (hidden, hidden), "combine.bias": (hidden,)}
    found |= {"bridge.weight": (shape.firsts * hidden, width), "bridge.bias": (shape.firsts * hidden,)}
    table = {"target_embedding": (shape.vocabulary, shape.vector_size)}
    return table | {f"decoder.{name}": size for name, size in found.items()}


def initial_decoder(shape: DecoderShape, table: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return initial parameters with the given target embedding.

    The cells' own as those of an encoder; other matrices Glorot-uniform; other biases zero.
    """
    cell, found = get_cell(shape.cell, shape.reset), {"target_embedding": table}
    drawn = {}
    for layer in range(shape.layers):
        for name, value in cell.initial(
            shape.hidden_size if layer else shape.vector_size, shape.hidden_size, random
        ).items():
            drawn[f"decoder.layers.{layer}.{name}"] = value
    for name, size in decoder_shapes(shape).items():
        if name in drawn:
            found[name] = drawn[name]
        elif name not in found:
            limit = np.sqrt(6.0 / (size[-1] + shape.hidden_size)) if len(size) > 1 or name.endswith("scorer") else 0.0
            found[name] = random.uniform(-limit, limit, size).astype(np.float32)
    return found
