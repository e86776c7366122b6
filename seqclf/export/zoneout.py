"""Recurrent layers with zoneout as ONNX nodes: a loop over the steps, since ONNX's own cells have no zoneout.

At prediction every unit keeps a share of its old state (Krueger et al. 2017, equation 3). A step of padding keeps all.
"""

from collections.abc import Callable

import numpy as np

from seqclf.export.graph import Graph
from seqclf.layers.parameters import EncoderShape


def layer_with_zoneout(
    graph: Graph, shape: EncoderShape, parameters: dict[str, np.ndarray], layer: int, states: str, inside: str
) -> tuple[str, str]:
    """Add a layer, and return its states (T, D, N, H) and those after the last step (D, N, H).

    Args:
        graph: extended.
        shape: of the encoder.
        parameters: of the network, by name.
        layer: its number.
        states: name of the inputs (T, N, E).
        inside: name of the steps that are tokens (T, N, 1) bool.
    """
    shares = (shape.zoneout, shape.zoneout_cell) if shape.cell == "lstm" else (shape.zoneout,)
    holds = [graph.node("Where", inside, graph.constant(share), graph.constant(1.0)) for share in shares]
    texts = graph.node("Shape", states, start=1, end=2)
    zeros = graph.node("ConstantOfShape", graph.node("Concat", texts, _ints(graph, shape.hidden_size), axis=0))
    every, final = [], []
    for direction in shape.directions:
        prefix = f"layers.{layer}.{direction}."
        own = {name.removeprefix(prefix): each for name, each in parameters.items() if name.startswith(prefix)}
        product = graph.node("MatMul", states, graph.constant(own["w_input"].T))
        projected = graph.node("Add", product, graph.constant(own["bias"]))
        step = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[shape.cell](graph, own)
        backward = direction != shape.directions[0]
        *last, found = graph.scan(step, [zeros] * len(holds), [projected, *holds], backward=backward)
        every.append(graph.node("Unsqueeze", found, _ints(graph, 1)))
        final.append(graph.node("Unsqueeze", last[0], _ints(graph, 0)))
    return str(graph.node("Concat", *every, axis=1)), str(graph.node("Concat", *final, axis=0))


def _rnn(graph: Graph, own: dict[str, np.ndarray]) -> Callable[..., list[str]]:
    """Return a step, which takes the old states, the projected input (N, G H), and the shares (N, 1) to hold."""
    (weight,) = _by_gate(graph, own, 1)

    def step(body: Graph, h: str, projected: str, hold: str) -> list[str]:
        return [_held(body, hold, h, body.node("Tanh", _sum(body, projected, h, weight)))]

    return step


def _gru(graph: Graph, own: dict[str, np.ndarray]) -> Callable[..., list[str]]:
    weights = _by_gate(graph, own, 3)
    bias_hidden = graph.constant(own["bias_hidden"]) if "bias_hidden" in own else None  # reset after the product

    def step(body: Graph, h: str, projected: str, hold: str) -> list[str]:
        of_r, of_z, of_n = body.node("Split", projected, axis=-1, outputs=3)
        r = body.node("Sigmoid", _sum(body, of_r, h, weights[0]))
        z = body.node("Sigmoid", _sum(body, of_z, h, weights[1]))
        if bias_hidden is None:
            n = body.node("Tanh", _sum(body, of_n, body.node("Mul", r, h), weights[2]))
        else:
            n = body.node("Tanh", body.node("Add", of_n, body.node("Mul", r, _sum(body, bias_hidden, h, weights[2]))))
        return [_held(body, hold, h, _held(body, z, h, n))]

    return step


def _lstm(graph: Graph, own: dict[str, np.ndarray]) -> Callable[..., list[str]]:
    weights = _by_gate(graph, own, 4)

    def step(body: Graph, h: str, c: str, projected: str, hold: str, hold_cell: str) -> list[str]:
        parts = body.node("Split", projected, axis=-1, outputs=4)
        sums = [_sum(body, each, h, weight) for each, weight in zip(parts, weights, strict=True)]
        i, f, g, o = (body.node(kind, each) for kind, each in zip(_LSTM, sums, strict=True))
        cell = body.node("Add", body.node("Mul", f, c), body.node("Mul", i, g))
        state = body.node("Mul", o, body.node("Tanh", cell))
        return [_held(body, hold, h, state), _held(body, hold_cell, c, cell)]

    return step


_LSTM = ("Sigmoid", "Sigmoid", "Tanh", "Sigmoid")


def _by_gate(graph: Graph, own: dict[str, np.ndarray], gates: int) -> list[str]:
    """Return the hidden weights of each gate (H, H), transposed."""
    return [graph.constant(each.T) for each in np.split(own["w_hidden"], gates)]


def _sum(graph: Graph, values: str, h: str, weight: str) -> str:
    return str(graph.node("Add", values, graph.node("MatMul", h, weight)))


def _held(graph: Graph, share: str, old: str, new: str) -> str:
    """Return share old + (1 - share) new."""
    return str(graph.node("Add", new, graph.node("Mul", share, graph.node("Sub", old, new))))


def _ints(graph: Graph, value: int) -> str:
    return graph.constant([value], np.int64)
