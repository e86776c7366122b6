"""The net: embedding ▶ recurrent layer, one or two directions ▶ pooling ▶ softmax head. Forward, backward, no training.

Parameters have two faces. People, files and tests see named arrays in the shapes of the papers
(:func:`parameter_shapes`). The kernels see one flat array of everything dense, laid out in panels, of which each part
below is a view: clipping, Adam, and keeping the best epoch are then one call on one array. The embedding table stands
apart, because a batch touches few of its rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqclf.batches import PackedBatch
from seqclf.cells import CELLS, UNITS, from_panels, padded, to_panels
from seqclf.workers import Workers

DIRECTIONS = ("forward", "reverse")
POOLINGS = {"max": 0, "mean": 1, "last": 2}


@dataclass(frozen=True)
class NetworkShape:
    """What fixes every parameter's shape.

    Attributes:
        vocabulary: V, the rows of the embedding table; the last one stands for unknown tokens.
        vector_size: E.
        hidden_size: H, for each direction.
        classes: C.
        cell: a name in ``CELLS``.
        bidirectional: read from both ends, features side by side (F = 2 H), or forwards alone (F = H).
        pooling: ``max``, ``mean`` or ``last``.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    classes: int
    cell: str = "lstm"
    bidirectional: bool = True
    pooling: str = "max"

    @property
    def directions(self) -> tuple[str, ...]:
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]


def parameter_shapes(shape: NetworkShape) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape, as files hold them; gates are in the order i, f, g, o.

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
    rows, hidden = CELLS[shape.cell].gates * shape.hidden_size, shape.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"embedding": (shape.vocabulary, shape.vector_size)}
    for direction in shape.directions:
        shapes[f"layers.0.{direction}.w_input"] = (rows, shape.vector_size)
        shapes[f"layers.0.{direction}.w_hidden"] = (rows, hidden)
        shapes[f"layers.0.{direction}.bias"] = (rows,)
    shapes["head.weight"] = (shape.classes, hidden * len(shape.directions))
    shapes["head.bias"] = (shape.classes,)
    return shapes


class Workspace:
    """Arrays that are used again from batch to batch, so that no step asks the system for memory."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = np.dtype(dtype)
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, *shape: int, dtype: Any = None) -> np.ndarray:
        """An array with unspecified content, valid until ``name`` is asked for again."""
        size = int(np.prod(shape))
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = np.empty(max(size, 2 * kept.size if kept is not None else 0), dtype=dtype or self._dtype)
            self._kept[name] = kept
        return kept[:size].reshape(shape)


@dataclass
class Direction:
    """One direction of the recurrent layer: views of its weights and gradients in panels, and its own workspace."""

    w_input: np.ndarray
    w_hidden: np.ndarray
    bias: np.ndarray
    d_w_input: np.ndarray
    d_w_hidden: np.ndarray
    d_bias: np.ndarray
    workspace: Workspace


@dataclass
class Tape:
    """What a forward pass leaves for the backward pass."""

    batch: PackedBatch
    inputs: np.ndarray
    word_mask: np.ndarray | None
    pooled_mask: np.ndarray | None
    states: list[dict[str, np.ndarray]] = field(default_factory=list)
    features: np.ndarray = field(default_factory=lambda: np.empty(0))
    probabilities: np.ndarray = field(default_factory=lambda: np.empty(0))


class Network:
    """Parameters and the two passes over a packed batch.

    Args:
        shape: see ``NetworkShape``.
        parameters: all of ``parameter_shapes``, of that shape.
        dtype: float32; float64 is for proofs, and takes libm's tanh.
    """

    def __init__(self, shape: NetworkShape, parameters: Mapping[str, np.ndarray], dtype: Any = np.float32) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._cell = CELLS[shape.cell]
        self._exact = self.dtype == np.float64
        self._columns = padded(shape.vector_size)
        self._hidden = padded(shape.hidden_size)
        self.embedding = np.zeros((shape.vocabulary, self._columns), dtype=self.dtype)
        self._lay_out_dense()
        self.load(parameters)

    def _lay_out_dense(self) -> None:
        """Allocate ``dense`` and ``d_dense``, and take every part's view of them."""
        panels, width = self._hidden // UNITS, self._cell.gates * UNITS
        per_direction = {
            "w_input": (panels, self._columns, width),
            "w_hidden": (panels, self._hidden, width),
            "bias": (panels, width),
        }
        features = self._hidden * len(self.shape.directions)
        layout = {f"{direction}.{k}": v for direction in self.shape.directions for k, v in per_direction.items()}
        layout |= {"head.weight": (self.shape.classes, features), "head.bias": (self.shape.classes,)}
        total = sum(int(np.prod(size)) for size in layout.values())
        self.dense = np.zeros(total, dtype=self.dtype)
        self.d_dense = np.zeros(total, dtype=self.dtype)
        views, d_views, start = {}, {}, 0
        for name, size in layout.items():
            stop = start + int(np.prod(size))
            views[name], d_views[name] = self.dense[start:stop].reshape(size), self.d_dense[start:stop].reshape(size)
            start = stop
        self._directions = [
            Direction(
                **{name: views[f"{direction}.{name}"] for name in per_direction},
                **{f"d_{name}": d_views[f"{direction}.{name}"] for name in per_direction},
                workspace=Workspace(self.dtype),
            )
            for direction in self.shape.directions
        ]
        self._head, self._head_bias = views["head.weight"], views["head.bias"]
        self._d_head, self._d_head_bias = d_views["head.weight"], d_views["head.bias"]
        self._workspace = Workspace(self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {"shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Built anew, so that arrays which joblib maps read-only do not make the kernels compile once more.
        Network.__init__(self, **state)

    @property
    def feature_columns(self) -> int:
        """Columns of the pooled features as the kernels hold them: each direction's H padded to 16."""
        return self._head.shape[1]

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters, given in their canonical shapes."""
        shape, cell = self.shape, self._cell
        self.embedding[:, : shape.vector_size] = parameters["embedding"]
        for name, part in zip(shape.directions, self._directions, strict=True):
            prefix = f"layers.0.{name}"
            part.w_input[:] = to_panels(parameters[f"{prefix}.w_input"], cell.gates, self._columns)
            part.w_hidden[:] = to_panels(parameters[f"{prefix}.w_hidden"], cell.gates, self._hidden)
            part.bias[:] = to_panels(parameters[f"{prefix}.bias"][:, None], cell.gates, 1)[:, 0]
        head = self._head.reshape(shape.classes, len(shape.directions), self._hidden)
        head[:, :, : shape.hidden_size] = parameters["head.weight"].reshape(shape.classes, len(shape.directions), -1)
        self._head_bias[:] = parameters["head.bias"]

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all parameters in their canonical shapes."""
        dense = self._canonical(
            [(d.w_input, d.w_hidden, d.bias) for d in self._directions], self._head, self._head_bias
        )
        return {"embedding": self.embedding[:, : self.shape.vector_size].copy(), **dense}

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        parts = [(d.d_w_input, d.d_w_hidden, d.d_bias) for d in self._directions]
        return self._canonical(parts, self._d_head, self._d_head_bias)

    def _canonical(
        self, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], head: np.ndarray, head_bias: np.ndarray
    ) -> dict[str, np.ndarray]:
        shape, gates = self.shape, self._cell.gates
        named = {}
        for name, (w_input, w_hidden, bias) in zip(shape.directions, parts, strict=True):
            prefix = f"layers.0.{name}"
            named[f"{prefix}.w_input"] = from_panels(w_input, gates, shape.hidden_size, shape.vector_size)
            named[f"{prefix}.w_hidden"] = from_panels(w_hidden, gates, shape.hidden_size, shape.hidden_size)
            named[f"{prefix}.bias"] = from_panels(bias[:, None], gates, shape.hidden_size, 1)[:, 0]
        head = head.reshape(shape.classes, len(shape.directions), self._hidden)[:, :, : shape.hidden_size]
        named["head.weight"] = np.ascontiguousarray(head).reshape(shape.classes, -1)
        named["head.bias"] = head_bias.copy()
        return named

    # ---------------------------------------------------------------- forward

    def predict(self, batch: PackedBatch, workspace: Workspace | None = None) -> np.ndarray:
        """Class probabilities (B, C) in the batch's order.

        Writes to ``workspace`` alone, so threads that bring one each may share the net.
        """
        workspace = workspace or Workspace(self.dtype)
        tape = Tape(batch, self._gather(batch, workspace), None, None)
        for index in range(len(self._directions)):
            state = self._run(index, tape, workspace, keep=False)
            tape.states.append({"pooled": state["pooled"].copy()})
        return self._classify(tape).probabilities

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers,
        *,
        word_mask: np.ndarray | None = None,
        pooled_mask: np.ndarray | None = None,
    ) -> Tape:
        """Run the batch and keep what ``backward`` needs; the tape is valid until the next call.

        Args:
            batch: B sequences.
            workers: run the directions side by side.
            word_mask: (U, at least E padded to 16) factors of the distinct tokens' vectors: dropout by word type.
            pooled_mask: (B, D * H padded to 16) factors of the pooled features.
        """
        tape = Tape(batch, self._gather(batch, self._workspace), word_mask, pooled_mask)
        if word_mask is not None:
            tape.inputs[: batch.token_ids.size] *= word_mask
        tape.states = workers.map(
            lambda index: self._run(index, tape, self._directions[index].workspace, keep=True),
            range(len(self._directions)),
        )
        return self._classify(tape)

    def _gather(self, batch: PackedBatch, workspace: Workspace) -> np.ndarray:
        """The distinct tokens' vectors (U4, E): rows beyond U are zeros."""
        distinct = batch.token_ids.size
        inputs = workspace.array("inputs", padded(distinct, 4), self._columns)
        np.take(self.embedding, batch.token_ids, axis=0, out=inputs[:distinct])
        inputs[distinct:] = 0
        return inputs

    def _run(self, index: int, tape: Tape, workspace: Workspace, *, keep: bool) -> dict[str, np.ndarray]:
        """One direction: its states and pooled vector."""
        from seqclf.kernels.pooling import pool_forward

        part, batch = self._directions[index], tape.batch
        packed, texts = int(batch.starts[-1]), batch.lengths.size
        panels, width = part.bias.shape
        state = {
            "projected": workspace.array("projected", panels, tape.inputs.shape[0], width),
            "gates": workspace.array("gates", panels, padded(packed, 4) if keep else 0, width),
            "c": workspace.array("c", packed if keep else 2 * texts, self._hidden),
            "h": workspace.array("h", packed, self._hidden),
            "pooled": workspace.array("pooled", texts, self._hidden),
            "where": workspace.array("where", texts, self._hidden, dtype=np.int32),
        }
        rows = batch.forward_rows if index == 0 else batch.reverse_rows
        forward, _ = self._cell.kernels()
        forward(
            tape.inputs, rows, batch.starts, part.w_input, part.w_hidden, part.bias,
            state["projected"], state["gates"], state["c"], state["h"], keep, self._exact,
        )  # fmt: skip
        pool_forward(state["h"], batch.starts, POOLINGS[self.shape.pooling], state["pooled"], state["where"])
        return state

    def _classify(self, tape: Tape) -> Tape:
        from seqclf.kernels.softmax import softmax_forward

        tape.features = np.concatenate([state["pooled"] for state in tape.states], axis=1)
        if tape.pooled_mask is not None:
            tape.features *= tape.pooled_mask
        tape.probabilities = np.empty((tape.features.shape[0], self.shape.classes), dtype=self.dtype)
        softmax_forward(tape.features, self._head, self._head_bias, tape.probabilities)
        return tape

    # --------------------------------------------------------------- backward

    def backward(
        self, tape: Tape, targets: np.ndarray, weights: np.ndarray, workers: Workers, *, tune_vectors: bool = True
    ) -> tuple[float, np.ndarray]:
        """Gradients of ``-sum_b weights[b] * log p(targets[b]) / B`` into ``d_dense``; mirrors ``forward``.

        Args:
            tape: what ``forward`` returned; its arrays are overwritten.
            targets: (B,) int32 in the batch's order. weights: (B,) in the net's dtype.
            workers: run the directions side by side.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The loss, and the gradient (U, E padded) of ``embedding[batch.token_ids]`` (no rows when frozen).
        """
        from seqclf.kernels.softmax import softmax_backward

        self.d_dense[:] = 0
        d_features = np.empty_like(tape.features)
        loss = softmax_backward(
            tape.features, self._head, tape.probabilities, targets, weights, d_features, self._d_head, self._d_head_bias
        )
        if tape.pooled_mask is not None:
            d_features *= tape.pooled_mask
        d_inputs = workers.map(
            lambda index: self._run_back(index, tape, d_features, tune_vectors), range(len(self._directions))
        )
        distinct = tape.batch.token_ids.size if tune_vectors else 0
        d_rows = d_inputs[0][:distinct]
        for other in d_inputs[1:]:
            d_rows += other[:distinct]
        if tape.word_mask is not None and tune_vectors:
            d_rows *= tape.word_mask
        return float(loss), d_rows

    def _run_back(self, index: int, tape: Tape, d_features: np.ndarray, tune_vectors: bool) -> np.ndarray:
        """One direction backwards: its gradients, and that of its inputs (U4, E)."""
        from seqclf.kernels.pooling import pool_backward

        part, batch, state = self._directions[index], tape.batch, tape.states[index]
        d_pooled = np.ascontiguousarray(d_features[:, index * self._hidden : (index + 1) * self._hidden])
        d_h = part.workspace.array("d_h", *state["h"].shape)
        pool_backward(d_pooled, batch.starts, POOLINGS[self.shape.pooling], state["where"], d_h)
        d_inputs = part.workspace.array("d_inputs", tape.inputs.shape[0] if tune_vectors else 0, self._columns)
        d_inputs[:] = 0
        rows = batch.forward_rows if index == 0 else batch.reverse_rows
        _, backward = self._cell.kernels()
        backward(
            tape.inputs, rows, batch.starts, part.w_input, part.w_hidden, state["projected"], state["gates"],
            state["c"], state["h"], d_h, part.d_w_input, part.d_w_hidden, part.d_bias, d_inputs, self._exact,
        )  # fmt: skip
        return d_inputs
