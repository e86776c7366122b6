"""The encoder: embedding ▶ recurrent layers ▶ a state for every token. Forward and backward, for heads of any shape.

A head takes the states and gives their gradient back::

    tape = encoder.forward(batch, workers)              # tape.states (R, F), a row for each packed token
    ...                                                 # the head's own forward and backward
    d_rows = encoder.backward(tape, d_states, workers)  # gradients of the weights, and of the tokens' vectors

Parameters have two faces. People, files and tests see named arrays in the shapes of the papers
(:func:`encoder_shapes`). The kernels see one flat array of everything dense, of which each weight is a view
(:class:`FlatParameters`): clipping, Adam and keeping the best epoch are then one call on one array. The embedding table
stands apart, because a batch touches few of its rows.

Two threads share the work: a direction each, or, where there is one direction alone, every other sequence each. That
is so at any number of threads, and what both add up is added in one order, so the result has the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqclf.batches import Half, PackedBatch, halves
from seqclf.cells import UNITS, from_panels, get_cell, padded, spread, to_panels, unspread
from seqclf.parameters import MERGES, EncoderShape, FlatParameters, Workspace, aligned
from seqclf.workers import Workers


@dataclass
class Noise:
    """Factors that training multiplies into a pass; every part may be missing.

    Attributes:
        words: (U, at least E padded to 16): dropout of the distinct tokens' vectors.
        between: for each layer but the last, (R, F padded) factors of its states.
        w_hidden: for each layer and direction, factors of its recurrent weights, in panels.
        hold_h, hold_c: for each layer and direction, (R, H padded), 1 where the old value stays (zoneout), in the order
            in which the direction reads.
    """

    words: np.ndarray | None = None
    between: Sequence[np.ndarray] = ()
    w_hidden: Sequence[Sequence[np.ndarray]] = ()
    hold_h: Sequence[Sequence[np.ndarray]] = ()
    hold_c: Sequence[Sequence[np.ndarray]] = ()


@dataclass(frozen=True)
class States:
    """The state between two calls, in the caller's order of sequences, so that it can be carried on.

    Attributes:
        h, c: (layers * directions, B, H); layer by layer, forward before reverse. c has no columns without a cell.
    """

    h: np.ndarray
    c: np.ndarray


@dataclass
class Run:
    """What one direction of one layer leaves for its way back, and then the gradient of its states there."""

    inputs: np.ndarray
    rows: np.ndarray
    weights: Any
    state: Any
    workspace: Workspace
    d_h: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass
class Part:
    """The sequences that go through all layers together."""

    batch: PackedBatch
    half: Half | None
    inputs: np.ndarray
    runs: list[list[Run]] = field(default_factory=list)
    states: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass
class EncoderTape:
    """What a forward pass leaves for the head and for the backward pass; valid until the next pass.

    Attributes:
        batch: as given.
        states: (R, F padded), the last layer's merged states in the order of ``batch``'s packed rows.
        final: (B, F padded), each direction's state after the last token it read, merged; zeros for empty sequences.
    """

    batch: PackedBatch
    noise: Noise
    parts: list[Part]
    carried: bool
    states: np.ndarray
    final: np.ndarray
    last: States | None = None


class Encoder:
    """Parameters of embedding and recurrent layers, and the two passes over a packed batch.

    Args:
        shape: see ``EncoderShape``.
        dtype: float32; float64 is for proofs, and takes libm's tanh.

    A network makes one ``FlatParameters`` of ``layout()`` and what its head needs, calls ``attach`` with it, then
    ``load``.
    """

    def __init__(self, shape: EncoderShape, dtype: Any = np.float32) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.cell = get_cell(shape.cell, shape.reset)
        self.columns = padded(shape.vector_size)
        self.hidden = padded(shape.hidden_size)
        self.features = self.hidden * shape.parts
        """Columns of the states as the kernels hold them: each direction's H padded to 16."""
        self.embedding = aligned(shape.vocabulary * self.columns, self.dtype).reshape(-1, self.columns)
        self.embedding[:] = 0
        self._workspace = Workspace(self.dtype)
        self._product: int | None = None
        share = np.full((1, self.hidden), shape.zoneout, self.dtype)
        cell_share = np.full((1, self.hidden), shape.zoneout_cell, self.dtype)
        self._hold = share[: shape.zoneout > 0], cell_share[: shape.zoneout_cell > 0]

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the dense parameters as the kernels hold them."""
        panels = self.cell.gates * self.hidden // UNITS
        found: dict[str, tuple[int, ...]] = {}
        for prefix, layer, _ in self._places():
            found[f"{prefix}.w_input"] = (panels, self.features if layer else self.columns, UNITS)
            found[f"{prefix}.w_hidden"] = (panels, self.hidden, UNITS)
            found[f"{prefix}.bias"] = (panels * UNITS,)
            found[f"{prefix}.bias_hidden"] = (self.hidden if self.cell.hidden_bias else 0,)
        return found

    def attach(self, flat: FlatParameters) -> None:
        """Take the views of ``layout()`` out of a network's parameters."""
        from seqclf.kernels.panels import Weights

        def grouped(views: Mapping[str, np.ndarray]) -> list[list[Any]]:
            groups: list[list[Any]] = [[] for _ in range(self.shape.layers)]
            for prefix, layer, _ in self._places():
                groups[layer].append(Weights(*(views[f"{prefix}.{name}"] for name in Weights._fields)))
            return groups

        self._weights, self._d_weights = grouped(flat.views), [grouped(flat.d_views)]
        if not self.shape.bidirectional:
            # The second half-batch has gradients of its own, which are added to the first's.
            self._second = FlatParameters(self.layout(), self.dtype)
            self._d_weights.append(grouped(self._second.d_views))

    def _places(self) -> Iterable[tuple[str, int, int]]:
        """Every direction's name as files write it, its layer and its number."""
        for layer in range(self.shape.layers):
            for number, direction in enumerate(self.shape.directions):
                yield f"layers.{layer}.{direction}", layer, number

    # ------------------------------------------------------------- parameters

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over the parameters of ``encoder_shapes``, given in these shapes."""
        gates = self.cell.gates
        if self.shape.vocabulary:
            self.embedding[:, : self.shape.vector_size] = parameters["embedding"]
        for prefix, layer, number in self._places():
            weights = self._weights[layer][number]
            w_input = parameters[f"{prefix}.w_input"]
            columns = spread(w_input, self.shape.parts) if layer else w_input
            weights.w_input[:] = to_panels(columns, gates, weights.w_input.shape[1])
            weights.w_hidden[:] = to_panels(parameters[f"{prefix}.w_hidden"], gates, self.hidden)
            weights.bias[:] = spread(parameters[f"{prefix}.bias"], gates)
            if self.cell.hidden_bias:
                weights.bias_hidden[:] = spread(parameters[f"{prefix}.bias_hidden"], 1)

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all parameters in their canonical shapes."""
        table = {"embedding": self.embedding[:, : self.shape.vector_size].copy()} if self.shape.vocabulary else {}
        return table | self._canonical(self._weights)

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return self._canonical(self._d_weights[0])

    def _canonical(self, groups: list[list[Any]]) -> dict[str, np.ndarray]:
        gates, hidden, parts = self.cell.gates, self.shape.hidden_size, self.shape.parts
        named = {}
        for prefix, layer, number in self._places():
            weights = groups[layer][number]
            columns = from_panels(weights.w_input, gates, hidden, weights.w_input.shape[1])
            columns = unspread(columns, parts, hidden) if layer else columns[:, : self.shape.vector_size]
            named[f"{prefix}.w_input"] = np.ascontiguousarray(columns)
            named[f"{prefix}.w_hidden"] = from_panels(weights.w_hidden, gates, hidden, hidden)
            named[f"{prefix}.bias"] = unspread(weights.bias, gates, hidden)
            if self.cell.hidden_bias:
                named[f"{prefix}.bias_hidden"] = unspread(weights.bias_hidden, 1, hidden)
        return named

    # ---------------------------------------------------------------- forward

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers | None = None,
        *,
        inputs: np.ndarray | None = None,
        noise: Noise | None = None,
        first: States | None = None,
        keep: bool = True,
        workspace: Workspace | None = None,
    ) -> EncoderTape:
        """Run the batch.

        Args:
            batch: B sequences.
            workers: threads; None does everything on this one.
            inputs: (U, E) vectors of ``batch.token_ids``; None looks them up in the embedding table.
            noise: what training multiplies in; with it zoneout draws, without it the expected value is taken.
            first: the state before the first token; None: zeros.
            keep: keep what ``backward`` needs. Without it a tape has no ``last``.
            workspace: threads that bring one each may share an encoder; None takes the encoder's own.
        """
        run = workers.map if workers is not None and keep else map
        noise = noise or Noise()
        space = workspace or self._workspace
        whole = self._inputs(batch, inputs, noise, space)
        packed, sequences = int(batch.starts[-1]), batch.lengths.size
        if self.shape.bidirectional or not keep:
            parts = [Part(batch, None, whole)]
        else:
            parts = [Part(half.batch, half, whole[half.batch.token_ids]) for half in halves(batch)]
        tape = EncoderTape(
            batch, noise, parts, first is not None,
            space.array("states", packed, self.features), space.array("final", sequences, self.features),
        )  # fmt: skip
        if self.shape.bidirectional:
            self._forward_part(tape, 0, first, keep, space, run)
        else:
            list(run(lambda place: self._forward_part(tape, place, first, keep, space, map), range(len(parts))))
        tape.final[:] = 0
        for part in parts:
            self._finish(tape, part)
        if keep:
            tape.last = self._last(tape, first)
        return tape

    def _inputs(self, batch: PackedBatch, inputs: np.ndarray | None, noise: Noise, space: Workspace) -> np.ndarray:
        """The distinct tokens' vectors (U, E padded)."""
        whole = space.array("inputs", batch.token_ids.size, self.columns)
        if inputs is None:
            np.take(self.embedding, batch.token_ids, axis=0, out=whole)
        else:
            whole[:, : self.shape.vector_size] = inputs
            whole[:, self.shape.vector_size :] = 0
        if noise.words is not None:
            whole *= noise.words
        return whole

    def _forward_part(
        self, tape: EncoderTape, place: int, first: States | None, keep: bool, space: Workspace, run: Any
    ) -> None:
        """All layers of one part; ``run`` maps over the directions."""
        from seqclf.kernels.merging import merge_forward
        from seqclf.kernels.merging import place as put

        part, mode = tape.parts[place], MERGES[self.shape.merge]
        batch, inputs = part.batch, part.inputs
        packed = int(batch.starts[-1])
        identity = np.arange(packed, dtype=np.int32)
        for layer in range(self.shape.layers):
            last = layer + 1 == self.shape.layers
            whole = part.half is None
            name = f"{place}.{layer}.merged"
            merged = tape.states if last and whole else space.array(name, packed, self.features)

            def direction(
                number: int, layer: int = layer, inputs: np.ndarray = inputs, merged: np.ndarray = merged
            ) -> Run:
                rows = identity
                if layer == 0:
                    rows = (batch.forward_rows, batch.reverse_rows)[number]
                elif number == 1:
                    rows = batch.mirror
                found = self._run(tape, place, layer, number, inputs, rows, first, keep, space)
                if self.shape.parts == len(self.shape.directions):
                    put(found.state.h, batch.mirror if number else identity, number * self.hidden, merged)
                return found

            runs = list(run(direction, range(len(self.shape.directions))))
            part.runs.append(runs)
            if self.shape.parts < len(runs):
                merge_forward(runs[0].state.h, runs[1].state.h, batch.mirror, mode, merged)
            if not last and len(tape.noise.between):
                factors = tape.noise.between[layer]
                merged *= factors if part.half is None else factors[part.half.rows]
            inputs = part.states = merged

    def _run(
        self,
        tape: EncoderTape,
        place: int,
        layer: int,
        number: int,
        inputs: np.ndarray,
        rows: np.ndarray,
        first: States | None,
        keep: bool,
        space: Workspace,
    ) -> Run:
        """One direction of one layer."""
        from seqclf.kernels.panels import State, product

        if self._product is None:
            self._product = product(self.dtype.name)

        part, noise, hidden = tape.parts[place], tape.noise, self.hidden
        batch = part.batch
        packed, sequences = int(batch.starts[-1]), batch.lengths.size
        weights = self._weights[layer][number]
        name = f"{place}.{layer}.{number}." if keep else "."

        def array(what: str, *shape: int) -> np.ndarray:
            return space.array(name + what, *shape)

        if len(noise.w_hidden):
            dropped = array("w_hidden", *weights.w_hidden.shape)
            np.multiply(weights.w_hidden, noise.w_hidden[layer][number], out=dropped)
            weights = weights._replace(w_hidden=dropped)
        before_h, before_c = array("h_first", sequences, hidden), array("c_first", sequences, hidden)
        before_h[:], before_c[:] = 0, 0
        if first is not None:
            order = tape.batch.order if part.half is None else tape.batch.order[batch.order]
            index = layer * len(self.shape.directions) + number
            before_h[:, : self.shape.hidden_size] = first.h[index, order]
            if self.cell.has_cell:
                before_c[:, : self.shape.hidden_size] = first.c[index, order]
        hold_h, hold_c = self._hold
        if len(noise.hold_h):
            hold_h = noise.hold_h[layer][number]
            hold_h = hold_h if part.half is None else hold_h[part.half.rows]
        if len(noise.hold_c):
            hold_c = noise.hold_c[layer][number]
            hold_c = hold_c if part.half is None else hold_c[part.half.rows]
        kept, cells = packed if keep else sequences, 0
        if self.cell.has_cell:
            cells = packed if keep else 2 * sequences
        state = State(
            projected=array("projected", inputs.shape[0], self.cell.gates * hidden),
            gates=array("gates", kept, self.cell.kept * hidden),
            c=array("c", cells, hidden),
            # Without keeping, names are shared by all layers, but each direction's states are still to be merged.
            h=space.array(f"{name}{number}.h", packed, hidden),
            h_first=before_h,
            c_first=before_c,
            hold_h=hold_h,
            hold_c=hold_c,
            product=self._product,
        )
        forward, _ = self.cell.kernels()
        forward(inputs, rows, batch.starts, weights, state, first is not None, keep)
        return Run(inputs, rows, weights, state, space)

    def _finish(self, tape: EncoderTape, part: Part) -> None:
        """The part's states among all states, and its final states."""
        last = part.runs[-1]
        if part.half is not None:
            tape.states[part.half.rows] = part.states
        sequences, rows = _last_rows(part.batch)
        final = [run.state.h[rows] for run in last]
        if self.shape.parts == len(final):
            merged = np.concatenate(final, axis=1)
        elif self.shape.merge == "multiply":
            merged = final[0] * final[1]
        else:
            merged = (final[0] + final[1]) * self.dtype.type(0.5 if self.shape.merge == "average" else 1)
        tape.final[part.batch.order[sequences] if part.half is not None else sequences] = merged

    def _last(self, tape: EncoderTape, first: States | None) -> States:
        """The state after each sequence's last token, to be carried on."""
        sequences, size = tape.batch.lengths.size, self.shape.hidden_size
        count = self.shape.layers * len(self.shape.directions)
        h = np.zeros((count, sequences, size), self.dtype) if first is None else first.h.astype(self.dtype)
        c = np.zeros((count, sequences, size if self.cell.has_cell else 0), self.dtype)
        if first is not None and self.cell.has_cell:
            c[:] = first.c
        for part in tape.parts:
            places, rows = _last_rows(part.batch)
            order = tape.batch.order[places if part.half is None else part.batch.order[places]]
            for index, run in enumerate(run for runs in part.runs for run in runs):
                h[index, order] = run.state.h[rows, :size]
                if self.cell.has_cell:
                    c[index, order] = run.state.c[rows, :size]
        return States(h, c)

    # --------------------------------------------------------------- backward

    def backward(
        self,
        tape: EncoderTape,
        d_states: np.ndarray | None,
        workers: Workers | None = None,
        *,
        d_final: np.ndarray | None = None,
        tune_vectors: bool = True,
    ) -> np.ndarray:
        """Add the gradients of all weights to the network's; mirrors ``forward``.

        Args:
            tape: what ``forward`` returned; its arrays are overwritten.
            d_states: (R, F padded), the gradient of ``tape.states``, or None.
            workers: threads.
            d_final: (B, F padded), the gradient of ``tape.final``, or None.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The gradient (U, E padded) of the vectors of ``batch.token_ids`` (no rows unless tuned).
        """
        run = workers.map if workers is not None else map
        distinct = tape.batch.token_ids.size if tune_vectors else 0
        d_rows = self._workspace.array("d_rows", distinct, self.columns)
        if self.shape.bidirectional:
            found = self._backward_part(tape, 0, d_states, d_final, tune_vectors, run)
            np.add(found[0], found[1], out=d_rows)
        else:
            if len(tape.parts) > 1:
                self._second.gradient[:] = 0
            found = list(
                run(
                    lambda place: self._backward_part(tape, place, d_states, d_final, tune_vectors, map)[0],
                    range(len(tape.parts)),
                )
            )
            d_rows[:] = 0
            for part, d_inputs in zip(tape.parts, found, strict=True):
                if tune_vectors:
                    d_rows[part.batch.token_ids] += d_inputs
            if len(tape.parts) > 1:
                for layer in range(self.shape.layers):
                    for mine, second in zip(*(groups[layer][0] for groups in self._d_weights), strict=True):
                        mine += second
        if tape.noise.words is not None and tune_vectors:
            d_rows *= tape.noise.words
        return d_rows

    def _backward_part(
        self,
        tape: EncoderTape,
        place: int,
        d_states: np.ndarray | None,
        d_final: np.ndarray | None,
        tune_vectors: bool,
        run: Any,
    ) -> list[np.ndarray]:
        """All layers of one part from the last; each direction's gradient of the part's inputs."""
        part, space = tape.parts[place], self._workspace
        packed = int(part.batch.starts[-1])
        d_merged = space.array(f"{place}.d_states", packed, self.features)
        if d_states is None:
            d_merged[:] = 0
        else:
            d_merged[:] = d_states if part.half is None else d_states[part.half.rows]
        found: list[np.ndarray] = []
        for layer in reversed(range(self.shape.layers)):
            last = layer + 1 == self.shape.layers
            if not last and len(tape.noise.between):
                factors = tape.noise.between[layer]
                d_merged *= factors if part.half is None else factors[part.half.rows]

            def direction(number: int, layer: int = layer, d_merged: np.ndarray = d_merged) -> np.ndarray:
                final = d_final if layer + 1 == self.shape.layers else None
                return self._run_back(tape, place, layer, number, d_merged, final, tune_vectors)

            found = list(run(direction, range(len(self.shape.directions))))
            d_merged = found[0]
            if layer > 0 and len(found) > 1:
                d_merged += found[1]
        return found

    def _run_back(
        self,
        tape: EncoderTape,
        place: int,
        layer: int,
        number: int,
        d_merged: np.ndarray,
        d_final: np.ndarray | None,
        tune_vectors: bool,
    ) -> np.ndarray:
        """One direction of one layer backwards: its gradients, and that of its inputs."""
        from seqclf.kernels.merging import merge_backward

        part = tape.parts[place]
        batch, runs = part.batch, part.runs[layer]
        me, space, hidden = runs[number], runs[number].workspace, self.hidden
        packed, sequences = int(batch.starts[-1]), batch.lengths.size
        name = f"{place}.{layer}.{number}."
        side = number * hidden if self.shape.parts == 2 else 0
        mode = MERGES[self.shape.merge] if self.shape.bidirectional else 0
        d_h = space.array(name + "d_h", packed, hidden)
        other = runs[1 - number].state.h if len(runs) > 1 else me.state.h
        rows = batch.mirror if number else np.arange(packed, dtype=np.int32)
        merge_backward(d_merged, rows, side, other, batch.mirror, mode, d_h)
        if d_final is not None:
            self._add_final(d_final, part, side, other, d_h)
        d_first, d_c = space.array(name + "d_h_first", sequences, hidden), space.array(name + "d_c", sequences, hidden)
        d_first[:], d_c[:] = 0, 0
        wanted = tune_vectors or layer > 0
        d_inputs = space.array(name + "d_inputs", me.inputs.shape[0] if wanted else 0, me.inputs.shape[1])
        d_inputs[:] = 0
        gradients = self._d_weights[place][layer][number]
        dropped = len(tape.noise.w_hidden) > 0
        if dropped:
            d_w_hidden = space.array(name + "d_w_hidden", *gradients.w_hidden.shape)
            d_w_hidden[:] = 0
            gradients = gradients._replace(w_hidden=d_w_hidden)
        _, backward = self.cell.kernels()
        backward(
            me.inputs, me.rows, batch.starts, me.weights, me.state, d_h, gradients, d_inputs, d_first, d_c,
            tape.carried,
        )  # fmt: skip
        me.d_h = d_h
        if dropped:
            d_w_hidden *= tape.noise.w_hidden[layer][number]
            self._d_weights[place][layer][number].w_hidden[:] += d_w_hidden
        return d_inputs

    def _add_final(self, d_final: np.ndarray, part: Part, side: int, other: np.ndarray, d_h: np.ndarray) -> None:
        """The gradient of one direction's final states, added to that of its states."""
        sequences, rows = _last_rows(part.batch)
        whole = sequences if part.half is None else part.batch.order[sequences]
        d_last = d_final[whole, side : side + self.hidden]
        if self.shape.bidirectional and self.shape.merge == "average":
            d_last = d_last * self.dtype.type(0.5)
        elif self.shape.bidirectional and self.shape.merge == "multiply":
            d_last = d_last * other[rows]
        d_h[rows] += d_last


def _last_rows(batch: PackedBatch) -> tuple[np.ndarray, np.ndarray]:
    """The sequences that are not empty, and the packed row of each one's last token as it is read."""
    sequences = np.arange(np.count_nonzero(batch.lengths))
    return sequences, batch.starts[batch.lengths[sequences] - 1] + sequences
