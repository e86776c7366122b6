"""A classifier's recurrent network as ONNX nodes: embedding, recurrent layers, pooling and head."""

from typing import Any, Protocol

import numpy as np

from seqclf.classification.network import Network
from seqclf.layers.cells import get_cell
from wordvec import InputError

_ORDER = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
"""The place of ONNX's gates (LSTM: i, o, f, c; GRU: z, r, h) among ours."""


_FLOAT, _INT64 = 1, 7
"""ONNX's numbers of these types."""


class Graph(Protocol):
    """Collects nodes and constants; both return the name of their result."""

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any: ...

    def constant(self, values: Any, dtype: Any = np.float32) -> str: ...


def network_scores(graph: Graph, network: Network, token_ids: str, lengths: str) -> str:
    """Add a network to a graph and return its probabilities (N, C).

    Args:
        graph: extended.
        network: of a classifier.
        token_ids: name of (N, T) int64, T at least 1.
        lengths: name of (N,) int32.

    Raises:
        InputError: the network has zoneout, which ONNX's cells lack.
    """
    shape = network.shape
    if shape.zoneout or shape.zoneout_cell:
        raise InputError("the recurrent cells of ONNX have no zoneout; export a model that was trained without it")
    parameters = network.parameters()
    vectors = graph.node("Gather", graph.constant(parameters["embedding"]), token_ids)
    states, final = graph.node("Transpose", vectors, perm=[1, 0, 2]), ""  # (T, N, E)
    for layer in range(shape.layers):
        by_direction, last = _layer(graph, network, parameters, layer, states, lengths)
        states, final = (_merged(graph, network, each) for each in (by_direction, last))
    features = final
    if shape.pooling != "last":
        features = _pooled(graph, network, parameters, states, lengths)
    scores = graph.node(
        "Gemm", features, graph.constant(parameters["head.weight"]), graph.constant(parameters["head.bias"]), transB=1
    )
    return str(graph.node("Sigmoid", scores) if shape.multi_label else graph.node("Softmax", scores, axis=-1))


def _layer(
    graph: Graph, network: Network, parameters: dict[str, np.ndarray], layer: int, states: str, lengths: str
) -> tuple[str, str]:
    """Add a layer, and return its states (T, D, N, H) and those after the last step (D, N, H)."""
    shape = network.shape
    cell, order = get_cell(shape.cell, shape.reset), _ORDER[shape.cell]

    def of(name: str) -> list[np.ndarray]:
        return [parameters[f"layers.{layer}.{direction}.{name}"] for direction in shape.encoder.directions]

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


def _merged(graph: Graph, network: Network, states: str) -> str:
    """Merge the directions of states (..., D, N, H)."""
    shape = network.shape
    if not shape.bidirectional:
        return str(graph.node("Squeeze", states, graph.constant([-3], np.int64)))
    halves = graph.node("Split", states, axis=-3, outputs=2)
    both = [graph.node("Squeeze", half, graph.constant([-3], np.int64)) for half in halves]
    if shape.merge == "concatenate":
        return str(graph.node("Concat", *both, axis=-1))
    merged = graph.node("Mul" if shape.merge == "multiply" else "Add", *both)
    return str(graph.node("Mul", merged, graph.constant(0.5)) if shape.merge == "average" else merged)


def _pooled(graph: Graph, network: Network, parameters: dict[str, np.ndarray], states: str, lengths: str) -> str:
    """Pool states (T, N, F), of which each text has its number of tokens; a text without any gives zeros."""
    kind, zero, inside = network.shape.pooling, graph.constant(0.0), _inside(graph, states, lengths)
    counts = graph.node("Cast", graph.node("Unsqueeze", lengths, graph.constant([1], np.int64)), to=_FLOAT)  # (N, 1)
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
    inside = graph.node("Less", positions, graph.node("Cast", lengths, to=_INT64))
    return str(graph.node("Unsqueeze", inside, graph.constant([2], np.int64)))


def _sum(graph: Graph, values: str) -> str:
    """Return the sum over steps of values (T, N, F)."""
    return str(graph.node("ReduceSum", values, graph.constant([0], np.int64), keepdims=0))
