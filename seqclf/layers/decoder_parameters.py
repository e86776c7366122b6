"""The decoder's shape, and its parameters by name, as files hold them and as the kernels read them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seqclf.layers.cells import UNITS, from_panels, get_cell, padded, spread, to_panels, unspread

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
    def padded_width(self) -> int:
        """The width of the encoder's states in the kernels' layout, where each direction is padded."""
        return padded(self.source_size) * self.source_parts

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


def panel_shapes(shape: DecoderShape) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the dense parameters in the kernels' layout: all but the target embedding."""
    cell, layers, width = get_cell(shape.cell, shape.reset), shape.layers, shape.padded_width
    columns, hidden = padded(shape.vector_size), padded(shape.hidden_size)
    gates, part, additive = cell.gates, hidden // UNITS, shape.attention == "additive"
    found: dict[str, tuple[int, ...]] = {
        "w_input": (gates * part, columns, UNITS),
        "w_below": (layers, gates * part, hidden, UNITS),
        "w_hidden": (layers, gates * part, hidden, UNITS),
        "bias": (layers, gates * hidden),
        "bias_hidden": (layers, hidden if cell.hidden_bias else 0),
        "w_keys": (part if shape.attention in PROJECTED else 0, width, UNITS),
        "b_keys": (hidden,),
        "w_query": (part if additive else 0, hidden, UNITS),
        "scorer": (hidden,),
        "w_values": (part, width, UNITS),
        "w_state": (part, hidden, UNITS),
        "b_state": (hidden,),
        "w_bridge": (shape.firsts, part, width, UNITS),
        "b_bridge": (shape.firsts, hidden),
    }
    return {f"decoder.{name}": size for name, size in found.items()}


def load_panels(shape: DecoderShape, views: Mapping[str, np.ndarray], parameters: Mapping[str, np.ndarray]) -> None:
    """Copy parameters of ``decoder_shapes`` into ``views`` of ``panel_shapes``."""
    cell, v, hidden, width = get_cell(shape.cell, shape.reset), views, padded(shape.hidden_size), shape.padded_width
    gates, columns = cell.gates, padded(shape.vector_size)

    def square(name: str, count: int = 1) -> np.ndarray:
        return to_panels(parameters[f"decoder.{name}"], count, hidden)

    def wide(weight: np.ndarray) -> np.ndarray:
        return to_panels(spread(weight, shape.source_parts), 1, width)

    v["decoder.w_input"][:] = to_panels(parameters["decoder.layers.0.w_input"], gates, columns)
    for layer in range(shape.layers):
        if layer > 0:
            v["decoder.w_below"][layer] = square(f"layers.{layer}.w_input", gates)
        elif shape.input_feeding:
            v["decoder.w_below"][0] = square("layers.0.w_feed", gates)
        v["decoder.w_hidden"][layer] = square(f"layers.{layer}.w_hidden", gates)
        v["decoder.bias"][layer] = spread(parameters[f"decoder.layers.{layer}.bias"], gates)
        if cell.hidden_bias:
            v["decoder.bias_hidden"][layer] = spread(parameters[f"decoder.layers.{layer}.bias_hidden"], 1)
    if shape.attention in PROJECTED:
        v["decoder.w_keys"][:] = wide(parameters["decoder.attention.w_source"])
    if shape.attention == "additive":
        v["decoder.w_query"][:] = square("attention.w_query")
        v["decoder.b_keys"][:] = spread(parameters["decoder.attention.bias"], 1)
        v["decoder.scorer"][:] = spread(parameters["decoder.attention.scorer"], 1)
    v["decoder.w_values"][:] = wide(parameters["decoder.combine.w_context"])
    v["decoder.w_state"][:] = square("combine.w_state")
    v["decoder.b_state"][:] = spread(parameters["decoder.combine.bias"], 1)
    for k in range(shape.firsts):
        rows = slice(k * shape.hidden_size, (k + 1) * shape.hidden_size)
        v["decoder.w_bridge"][k] = wide(parameters["decoder.bridge.weight"][rows])
        v["decoder.b_bridge"][k] = spread(parameters["decoder.bridge.bias"][rows], 1)


def canonical_arrays(shape: DecoderShape, views: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies of ``views`` of ``panel_shapes`` in the shapes of ``decoder_shapes``."""
    cell, hidden = get_cell(shape.cell, shape.reset), shape.hidden_size
    gates, width = cell.gates, shape.padded_width
    v = {name.removeprefix("decoder."): view for name, view in views.items()}

    def wide(panels: np.ndarray) -> np.ndarray:
        return unspread(from_panels(panels, 1, hidden, width), shape.source_parts, shape.source_size)

    found: dict[str, np.ndarray] = {}
    for layer in range(shape.layers):
        prefix = f"layers.{layer}."
        if layer == 0:
            found[prefix + "w_input"] = from_panels(v["w_input"], gates, hidden, shape.vector_size)
            if shape.input_feeding:
                found[prefix + "w_feed"] = from_panels(v["w_below"][0], gates, hidden, hidden)
        else:
            found[prefix + "w_input"] = from_panels(v["w_below"][layer], gates, hidden, hidden)
        found[prefix + "w_hidden"] = from_panels(v["w_hidden"][layer], gates, hidden, hidden)
        found[prefix + "bias"] = unspread(v["bias"][layer], gates, hidden)
        if cell.hidden_bias:
            found[prefix + "bias_hidden"] = unspread(v["bias_hidden"][layer], 1, hidden)
    if shape.attention in PROJECTED:
        found["attention.w_source"] = wide(v["w_keys"])
    if shape.attention == "additive":
        found["attention.w_query"] = from_panels(v["w_query"], 1, hidden, hidden)
        found["attention.bias"] = unspread(v["b_keys"], 1, hidden)
        found["attention.scorer"] = unspread(v["scorer"], 1, hidden)
    found["combine.w_context"] = wide(v["w_values"])
    found["combine.w_state"] = from_panels(v["w_state"], 1, hidden, hidden)
    found["combine.bias"] = unspread(v["b_state"], 1, hidden)
    found["bridge.weight"] = np.concatenate([wide(panels) for panels in v["w_bridge"]])
    found["bridge.bias"] = np.concatenate([unspread(bias, 1, hidden) for bias in v["b_bridge"]])
    return {f"decoder.{name}": array for name, array in found.items()}
