"""Nodes and constants of an ONNX graph."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

FLOAT, INT32, INT64 = 1, 6, 7
"""ONNX's numbers of these types."""


class Graph:
    """Collects nodes and constants, each with a name of its own.

    Args:
        prefix: of the names of nodes.
        constants: shared by a graph and the graphs within it; None begins a graph.
    """

    def __init__(self, prefix: str = "", constants: list[Any] | None = None) -> None:
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = [] if constants is None else constants

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node, and return the name of its output, or a list of several."""
        from onnx import helper

        names = [f"{self.prefix}{kind.lower()}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant, and return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(values, dtype).reshape(np.shape(values))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def scan(
        self,
        step: Callable[..., Sequence[str]],
        states: Sequence[str],
        inputs: Sequence[str],
        *,
        backward: bool,
    ) -> list[str]:
        """Add a loop over the first axis of some float arrays.

        Args:
            step: takes a graph and the names of the old states and of one row of each input; returns those of the new
                states.
            states: names of the initial ones.
            inputs: names of arrays (T, ...).
            backward: begin with the last row.

        Returns:
            the names of the last states, and of the first state after each step (T, ...).
        """
        from onnx import helper

        body = Graph(f"{self.prefix}scan_{len(self.nodes)}_", self.constants)
        given = [f"{body.prefix}given_{place}" for place in range(len(states) + len(inputs))]
        new = list(step(body, *given))
        new.append(body.node("Identity", new[0]))
        before, after = ([helper.make_tensor_value_info(name, FLOAT, None) for name in names] for names in (given, new))
        found: list[str] = self.node(
            "Scan", *states, *inputs, outputs=len(states) + 1, num_scan_inputs=len(inputs),
            scan_input_directions=[int(backward)] * len(inputs), scan_output_directions=[int(backward)],
            body=helper.make_graph(body.nodes, f"{body.prefix}body", before, after),
        )  # fmt: skip
        return found
