"""A classifier's recurrent network as ONNX nodes: embedding, recurrent layers, pooling and head."""

from typing import Any, NamedTuple

import numpy as np

from seqclf.classification.network import Network
from seqclf.export.graph import FLOAT, INT64, Graph
from seqclf.export.zoneout import layer_with_zoneout
from seqclf.layers.cells import get_cell
from seqclf.layers.character_encoder import own_parameters
from seqclf.layers.parameters import EncoderShape

_ORDER = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
"""The place of ONNX's gates (LSTM: i, o, f, c; GRU: z, r, h) among ours."""


class Spelling(NamedTuple):
    """Names of a graph's inputs for a network that reads the characters of words."""

    words: str
    """Of (N, T) int64, the distinct word of each token."""
    characters: str
    """Of (W, K) int64, the characters of each distinct word, K at least 1."""
    lengths: str
    """Of (W,) int32, their numbers."""


def network_scores(
    graph: Graph, network: Network, token_ids: str, lengths: str, spelling: Spelling | None = None
) -> str:
    """Add a network to a graph and return its probabilities (N, C).

    Args:
        graph: extended.
        network: of a classifier.
        token_ids: name of (N, T) int64, T at least 1.
        lengths: name of (N,) int32.
        spelling: of a network that reads characters.
    """
    shape, parameters = network.shape, network.parameters()
    vectors = graph.node("Gather", graph.constant(parameters["embedding"]), token_ids)
    if spelling is not None:
        assert shape.spelling is not None
        features = _features(graph, shape.spelling.encoder, own_parameters(parameters), spelling)
        vectors = graph.node("Concat", vectors, graph.node("Gather", features, spelling.words), axis=-1)
    states, final = graph.node("Transpose", vectors, perm=[1, 0, 2]), ""  # (T, N, E)
    inside = _inside(graph, states, lengths)
    for layer in range(shape.layers):
        if shape.zoneout or shape.zoneout_cell:
            by_direction, last = layer_with_zoneout(graph, shape.encoder, parameters, layer, states, inside)
        else:
            by_direction, last = _layer(graph, shape.encoder, parameters, layer, states, lengths)
        states, final = (_merged(graph, shape.encoder, each) for each in (by_direction, last))
    features = final
    if shape.pooling != "last":
        features = _pooled(graph, shape.pooling, parameters, states, lengths, inside)
    scores = graph.node(
        "Gemm", features, graph.constant(parameters["head.weight"]), graph.constant(parameters["head.bias"]), transB=1
    )
    return str(graph.node("Sigmoid", scores) if shape.multi_label else graph.node("Softmax", scores, axis=-1))


def _features(graph: Graph, shape: EncoderShape, parameters: dict[str, np.ndarray], spelling: Spelling) -> str:
    """Return the features (W, 2 H) of distinct words, read by their characters."""
    vectors = graph.node("Gather", graph.constant(parameters["embedding"]), spelling.characters)
    _, final = _layer(graph, shape, parameters, 0, graph.node("Transpose", vectors, perm=[1, 0, 2]), spelling.lengths)
    return _merged(graph, shape, final)


def _layer(
    graph: Graph, shape: EncoderShape, parameters: dict[str, np.ndarray], layer: int, states: str, lengths: str
) -> tuple[str, str]:
    """Add a layer, and return its states (T, D, N, H) and those after the last step (D, N, H)."""
    cell, order = get_cell(shape.cell, shape.reset), _ORDER[shape.cell]

    def of(name: str) -> list[np.ndarray]:
        return [parameters[f"layers.{layer}.{direction}.{name}"] for direction in shape.directions]

    def gates(each: np.ndarray) -> np.ndarray:
        parts = each.reshape(cell.gates, shape.hidden_size, -1)
        return np.concatenate([parts[place] for place in order])

    w, r = (np.stack([gates(each) for each in of(name)]) for name in ("w_input", "w_hidden"))
    bias = np.stack([gates(each)[:, 0] for each in of("bias")])
    hidden = np.zeros_like(bias)
    if cell.hidden_bias:
        hidden[:, -shape.hidden_size :] = np.stack(of("bias_hidden"))
    attributes: dict[str, Any] = {"hidden_size": shape.hidden_size}
    attributes["direction"] = "bidirectional" if shape.bidirectional else "forward"
    if shape.cell == "gru":
        attributes["linear_before_reset"] = int(shape.reset == "after")
    weights = [graph.constant(each) for each in (w, r, np.concatenate([bias, hidden], axis=1))]
    found = graph.node(shape.cell.upper(), states, *weights, lengths, outputs=2, **attributes)
    return found[0], found[1]


def _merged(graph: Graph, shape: EncoderShape, states: str) -> str:
    """Merge the directions of states (..., D, N, H)."""
    if not shape.bidirectional:
        return str(graph.node("Squeeze", states, graph.constant([-3], np.int64)))
    halves = graph.node("Split", states, axis=-3, outputs=2)
    both = [graph.node("Squeeze", half, graph.constant([-3], np.int64)) for half in halves]
    if shape.merge == "concatenate":
        return str(graph.node("Concat", *both, axis=-1))
    merged = graph.node("Mul" if shape.merge == "multiply" else "Add", *both)
    return str(graph.node("Mul", merged, graph.constant(0.5)) if shape.merge == "average" else merged)


def _pooled(graph: Graph, kind: str, parameters: dict[str, np.ndarray], states: str, lengths: str, inside: str) -> str:
    """Pool states (T, N, F), of which each text has its number of tokens; a text without any gives zeros."""
    zero = graph.constant(0.0)
    counts = graph.node("Cast", graph.node("Unsqueeze", lengths, graph.constant([1], np.int64)), to=FLOAT)  # (N, 1)
    if kind == "mean":
        total = _sum(graph, graph.node("Where", inside, states, zero))
        return str(graph.node("Div", total, graph.node("Max", counts, graph.constant(1.0))))
    lowest = graph.constant(np.finfo(np.float32).min)
    if kind == "max":
        found = graph.node("ReduceMax", graph.node("Where", inside, states, lowest), axes=[0], keepdims=0)
    else:
        weight, bias, query = (graph.constant(parameters[f"pooling.{name}"].T) for name in ("weight", "bias", "query"))
        keys = graph.node("Tanh", graph.node("Add", graph.node("MatMul", states, weight), bias))
        scores = graph.node("MatMul", keys, graph.node("Unsqueeze", query, graph.constant([1], np.int64)))
        shares = graph.node("Softmax", graph.node("Where", inside, scores, lowest), axis=0)
        found = _sum(graph, graph.node("Mul", states, shares))
    return str(graph.node("Where", graph.node("Greater", counts, zero), found, zero))


def _inside(graph: Graph, states: str, lengths: str) -> str:
    """Return which of the states (T, N, F) are those of tokens (T, N, 1)."""
    steps = graph.node("Squeeze", graph.node("Shape", states, start=0, end=1))
    positions = graph.node("Range", graph.constant(0, np.int64), steps, graph.constant(1, np.int64))
    positions = graph.node("Unsqueeze", positions, graph.constant([1], np.int64))
    inside = graph.node("Less", positions, graph.node("Cast", lengths, to=INT64))
    return str(graph.node("Unsqueeze", inside, graph.constant([2], np.int64)))


def _sum(graph: Graph, values: str) -> str:
    """Return the sum over steps of values (T, N, F)."""
    return str(graph.node("ReduceSum", values, graph.constant([0], np.int64), keepdims=0))
