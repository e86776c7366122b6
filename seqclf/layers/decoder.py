"""The decoder: target embedding ▶ recurrent layers with attention to a memory ▶ an attentional state for every unit.

    memory = decoder.remember(states, final, spans)         # keys, values and first states of some sources
    tape = decoder.forward(targets, memory, workers)        # tape.states (R, H), one row per packed target unit
    ...                                                     # the head's own forward and backward
    found = decoder.backward(tape, d_states, workers)       # gradients of the weights, the embeddings and the sources

Two threads share a batch: every other target each. The work is split the same way at any number of threads, and sums
are added in a fixed order, so the result has the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import Half, PackedBatch, halves
from seqclf.layers.cells import get_cell, padded
from seqclf.layers.choices import ATTENTIONS
from seqclf.layers.decoder_parameters import NONE, DecoderShape, canonical_arrays, load_panels, panel_shapes
from seqclf.layers.parameters import FlatParameters, Workspace
from seqclf.layers.workers import Workers
from wordvec.system.aligned_arrays import aligned

if TYPE_CHECKING:
    from seqclf.kernels.decoder import Output, Pass
    from seqclf.kernels.decoder_attention import Attention, Memory
    from seqclf.kernels.decoder_cells import Layers


@dataclass
class DecoderNoise:
    """Dropout masks of a training pass; each is optional.

    Attributes:
        words: (U, E padded): dropout of the distinct units' vectors.
        between: (L - 1, R, H padded) factors of the states that layers above the first read.
        w_hidden: (L, ...) factors of the recurrent weights, in panels.
        hold_h, hold_c: (L, R, H padded), 1 where the old value is kept (zoneout).
    """

    words: np.ndarray | None = None
    between: np.ndarray | None = None
    w_hidden: np.ndarray | None = None
    hold_h: np.ndarray | None = None
    hold_c: np.ndarray | None = None


class Sources(NamedTuple):
    """Encoder states of M sequences, each sequence's in one stretch."""

    states: np.ndarray
    """(N, F padded)."""
    final: np.ndarray
    """(M, F padded), what the decoder starts from."""
    spans: np.ndarray
    """(M + 1,) int64: sequence m has the states ``spans[m] .. spans[m + 1] - 1``."""


@dataclass
class Share:
    """Some targets that are decoded together, with the sources they attend to.

    Attributes:
        half: selects the targets.
        batch: of the targets.
        chosen: (M,) the sources, of all sources.
        sources: their states, copied.
        places: (N,) the rows of their states among all states.
    """

    half: Half
    batch: PackedBatch
    chosen: np.ndarray
    sources: Sources
    places: np.ndarray
    inputs: np.ndarray = field(init=False)
    stack: Any = field(init=False)
    state: "Layers" = field(init=False)
    memory: "Memory" = field(init=False)
    attention: "Attention" = field(init=False)
    run: "Pass" = field(init=False)


@dataclass
class DecoderTape:
    """Result of a forward pass; valid until the next one.

    Attributes:
        batch: of the targets. states: (R, H padded), the attentional states, in packed order.
    """

    batch: PackedBatch
    sources: Sources
    noise: DecoderNoise
    shares: list[Share]
    states: np.ndarray


class DecoderGradients(NamedTuple):
    """Result of a backward pass, besides the gradients of the weights."""

    d_rows: np.ndarray
    """(U, E padded), of the distinct units' vectors."""
    d_states: np.ndarray
    """(N, F padded), of the encoder's states."""
    d_final: np.ndarray
    """(M, F padded)."""


class OneStep(NamedTuple):
    """What the kernels need to advance some targets by one unit."""

    w_input: np.ndarray
    stack: Any
    output: "Output"
    state: "Layers"
    attention: "Attention"
    run: "Pass"


class Decoder:
    """Parameters of target embedding, recurrent layers and attention, and the two passes over packed targets.

    Args:
        shape: see ``DecoderShape``.
        dtype: float32; float64 is for gradient checks.

    A network calls ``attach`` with parameters of ``layout()``, then ``load``, as with ``Encoder``.
    """

    def __init__(self, shape: DecoderShape, dtype: DTypeLike = np.float32) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.cell = get_cell(shape.cell, shape.reset)
        self.columns, self.hidden = padded(shape.vector_size), padded(shape.hidden_size)
        self.width = shape.padded_width
        # Without attention, all keys are zero: the weights are uniform over the positions.
        self.kind = 0 if shape.attention == NONE else ATTENTIONS.index(shape.attention)
        self.embedding = aligned(shape.vocabulary * self.columns, self.dtype).reshape(-1, self.columns)
        self.embedding[:] = 0
        self._workspace = Workspace(self.dtype)
        self._hold = [
            np.full((shape.layers, int(share > 0), self.hidden), share, self.dtype)
            for share in (shape.zoneout, shape.zoneout_cell)
        ]

    @cached_property
    def product(self) -> int:
        """The address of the compiled matrix product."""
        from seqclf.kernels.panels import product

        return product(self.dtype.name)

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the dense parameters in the kernels' layout."""
        return panel_shapes(self.shape)

    def attach(self, flat: FlatParameters) -> None:
        """Use a network's parameters for the views of ``layout()``."""
        self._second = FlatParameters(self.layout(), self.dtype)
        self.views = {name: flat.views[name] for name in self.layout()}
        self.d_views = {name: flat.d_views[name] for name in self.layout()}

    def _grouped(self, views: Mapping[str, np.ndarray]) -> "tuple[np.ndarray, Any, Output]":
        """Return ``w_input``, the stack of layers and the output weights."""
        from seqclf.kernels import decoder_cells
        from seqclf.kernels.decoder import Output

        part = {name.removeprefix("decoder."): view for name, view in views.items()}
        kinds = {"lstm": decoder_cells.LstmStack, "rnn": decoder_cells.RnnStack}
        gru = decoder_cells.GruStack if self.shape.reset == "after" else decoder_cells.GruBeforeStack
        kind: Any = kinds.get(self.shape.cell, gru)
        stack = kind(*(part[name] for name in kind._fields))
        return part["w_input"], stack, Output(*(part[_FIELDS.get(name, name)] for name in Output._fields))

    # ------------------------------------------------------------- parameters

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in the parameters of ``decoder_shapes``, given in these shapes."""
        self.embedding[:, : self.shape.vector_size] = parameters["target_embedding"]
        load_panels(self.shape, self.views, parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        table = {"target_embedding": self.embedding[:, : self.shape.vector_size].copy()}
        return table | canonical_arrays(self.shape, self.views)

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return canonical_arrays(self.shape, self.d_views)

    # ---------------------------------------------------------------- forward

    def forward(
        self,
        batch: PackedBatch,
        sources: Sources,
        workers: Workers | None = None,
        *,
        noise: DecoderNoise | None = None,
    ) -> DecoderTape:
        """Run the targets.

        Args:
            batch: B targets, each beginning with the symbol of its beginning; target ``order[s]`` attends to that
                source.
            sources: B sources.
            workers: threads; None runs on the caller's thread.
            noise: dropout masks; with them zoneout draws units, without them its expected value is used.
        """
        noise, space = noise or DecoderNoise(), self._workspace
        whole = space.array("inputs", batch.token_ids.size, self.columns)
        np.take(self.embedding, batch.token_ids, axis=0, out=whole)
        if noise.words is not None:
            whole *= noise.words
        states = space.array("states", int(batch.starts[-1]), self.hidden)
        shares = [self._share(number, half, batch, sources) for number, half in enumerate(halves(batch))]
        for number, share in enumerate(shares):
            self._prepare(f"{number}.", share, whole, noise)
        w_input, _, output = self._grouped(self.views)
        run = workers.map if workers is not None else map
        list(run(lambda share: _forward(share, w_input, output), shares))
        for share in shares:
            states[share.half.rows] = share.run.combined
        return DecoderTape(batch, sources, noise, shares, states)

    def _share(self, number: int, half: Half, batch: PackedBatch, sources: Sources) -> Share:
        """Return every other target with copies of its sources' states."""
        chosen = batch.order[half.batch.order]
        sizes = np.diff(sources.spans)[chosen]
        spans = np.zeros(chosen.size + 1, np.int64)
        np.cumsum(sizes, out=spans[1:])
        places = np.repeat(sources.spans[chosen] - spans[:-1], sizes) + np.arange(spans[-1])
        states = self._workspace.array(f"{number}.memory", places.size, self.width)
        np.take(sources.states, places, axis=0, out=states)
        return Share(half, half.batch, chosen, Sources(states, sources.final[chosen], spans), places)

    def _prepare(self, name: str, share: Share, inputs: np.ndarray, noise: DecoderNoise) -> None:
        """Set a share's arrays."""
        from seqclf.kernels.decoder import Pass

        space, batch, shape, hidden = self._workspace, share.batch, self.shape, self.hidden
        packed, targets = int(batch.starts[-1]), batch.lengths.size
        share.inputs = inputs[batch.token_ids]
        _, stack, output = self._grouped(self.views)
        if noise.w_hidden is not None:
            stack = stack._replace(w_hidden=stack.w_hidden * noise.w_hidden)
        share.stack = stack
        share.state = self._layers(space, packed, targets, name)
        rows = share.half.rows
        holds = [None if each is None else np.take(each, rows, axis=1) for each in (noise.hold_h, noise.hold_c)]
        if holds[0] is not None:
            share.state = share.state._replace(hold_h=holds[0])
        if holds[1] is not None:
            share.state = share.state._replace(hold_c=holds[1])
        share.memory = self._memory(name, share.sources, np.arange(targets))
        share.attention = self._attention(space, np.diff(share.sources.spans) * batch.lengths, output, packed, name)
        between = np.zeros((0, 0, hidden), self.dtype)
        if noise.between is not None and shape.layers > 1:
            between = np.take(noise.between, rows, axis=1)
        share.run = Pass(
            starts=batch.starts,
            rows=batch.forward_rows,
            projected=space.array(name + "projected", batch.token_ids.size, self.cell.gates * hidden),
            x=space.array(name + "x", shape.layers, packed if shape.layers > 1 else 0, hidden),
            between=between,
            combined=space.array(name + "combined", packed, hidden),
            fed_first=space.zeros(targets, hidden),
            feeding=shape.input_feeding,
            kind=self.kind,
            product=self.product,
        )

    def _layers(self, space: Workspace, packed: int, targets: int, name: str = "") -> "Layers":
        from seqclf.kernels.decoder_cells import Layers

        layers, hidden = self.shape.layers, self.hidden
        return Layers(
            gates=space.array(name + "gates", layers, packed, self.cell.kept * hidden),
            c=space.array(name + "c", layers, packed if self.cell.has_cell else 0, hidden),
            h=space.array(name + "h", layers, packed, hidden),
            first=space.array(name + "first", self.shape.firsts, targets, hidden),
            hold_h=self._hold[0],
            hold_c=self._hold[1],
        )

    def _memory(self, name: str, sources: Sources, owners: np.ndarray) -> "Memory":
        from seqclf.kernels.decoder_attention import Memory

        size = len(sources.states)
        dot = self.shape.attention == "dot"
        keys = sources.states if dot else self._workspace.array(name + "keys", size, self.hidden)
        return Memory(keys, self._workspace.array(name + "values", size, self.hidden), sources.spans, owners)

    def _attention(
        self, space: Workspace, sizes: np.ndarray, output: "Output", rows: int, name: str = ""
    ) -> "Attention":
        """Return the arrays of attention over ``sizes`` (B,) weights of each target."""
        from seqclf.kernels.decoder_attention import Attention

        return Attention(
            weights=space.array(name + "weights", int(sizes.sum())),
            first=np.cumsum(sizes) - sizes,
            query=space.array(name + "query", rows if self.shape.attention == "additive" else 0, self.hidden),
            scorer=output.scorer,
        )

    # --------------------------------------------------------------- stepping

    def remember(self, sources: Sources) -> "tuple[Memory, np.ndarray]":
        """Return keys and values of M sources, and the states (K, M, H padded) that decoders start from."""
        from seqclf.kernels.decoder import remember
        from seqclf.kernels.decoder_attention import Memory

        size, dot = len(sources.states), self.shape.attention == "dot"
        keys = sources.states if dot else np.empty((size, self.hidden), self.dtype)
        memory = Memory(keys, np.empty((size, self.hidden), self.dtype), sources.spans, np.empty(0, np.int64))
        first = np.empty((self.shape.firsts, len(sources.final), self.hidden), self.dtype)
        _, _, output = self._grouped(self.views)
        remember(self.product, self.kind, sources.states, sources.final, output, memory, first)
        return memory, first

    def step(
        self, memory: "Memory", first: np.ndarray, fed: np.ndarray, tokens: np.ndarray, sources: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance N targets by one unit; a row does not depend on the others.

        Args:
            memory: of all sources. first: (K, N, H padded), states before the step. fed: (N, H padded).
            tokens: (N,) int32, rows of the target embedding. sources: (N,) int64, what each attends to.

        Returns:
            The attentional states (N, H padded), the states after the step (K, N, H padded), and the attention's
            weights, flat: those of each row's source one after another.
        """
        from seqclf.kernels.decoder import decode
        from seqclf.kernels.panels import project

        units, rows = np.unique(tokens, return_inverse=True)
        now = self.one_step(tokens.size, memory.spans[sources + 1] - memory.spans[sources], first)
        run = now.run._replace(rows=rows.astype(np.int32), projected=now.run.projected[: units.size], fed_first=fed)
        project(self.product, self.embedding[units], now.w_input, now.stack.bias[0], run.projected)
        decode(now.stack, now.output, now.state, memory._replace(owners=sources), now.attention, run)
        after = np.concatenate([now.state.h, now.state.c]) if self.cell.has_cell else now.state.h
        return run.combined, after, now.attention.weights

    def one_step(self, count: int, sizes: np.ndarray, first: np.ndarray) -> OneStep:
        """Return what the kernels need to advance ``count`` targets, with arrays of their own.

        Args:
            sizes: positions of each target's source. first: (K, N, H padded), states before the step.
        """
        from seqclf.kernels.decoder import Pass

        w_input, stack, output = self._grouped(self.views)
        space, hidden = Workspace(self.dtype), self.hidden
        run = Pass(
            starts=np.array([0, count]),
            rows=np.arange(count, dtype=np.int32),
            projected=np.empty((count, self.cell.gates * hidden), self.dtype),
            x=np.empty((self.shape.layers, count, hidden), self.dtype),
            between=np.zeros((0, 0, hidden), self.dtype),
            combined=np.empty((count, hidden), self.dtype),
            fed_first=np.empty((count, hidden), self.dtype),
            feeding=self.shape.input_feeding,
            kind=self.kind,
            product=self.product,
        )
        state = self._layers(space, count, count)._replace(first=first)
        return OneStep(w_input, stack, output, state, self._attention(space, sizes, output, count), run)

    # --------------------------------------------------------------- backward

    def backward(self, tape: DecoderTape, d_states: np.ndarray, workers: Workers | None = None) -> DecoderGradients:
        """Add the gradients of all weights to the network's; mirrors ``forward``.

        Args:
            tape: returned by ``forward``; its arrays are overwritten.
            d_states: (R, H padded), the gradient of ``tape.states``.
            workers: threads.
        """
        space, sources = self._workspace, tape.sources
        d_rows = space.array("d_rows", tape.batch.token_ids.size, self.columns)
        d_memory = space.array("d_memory", *sources.states.shape)
        d_final = space.array("d_final", *sources.final.shape)
        d_rows[:] = d_memory[:] = d_final[:] = 0
        self._second.gradient[:] = 0
        views = [self.d_views, self._second.d_views][: len(tape.shares)]
        tasks = [
            (share, d_states[share.half.rows], self._grouped(each))
            for share, each in zip(tape.shares, views, strict=True)
        ]
        w_input, _, output = self._grouped(self.views)
        run: Callable[..., Any] = workers.map if workers is not None else map
        found = list(run(lambda task: _backward(task, w_input, output), tasks))
        for share, (d_inputs, d_own, d_ends) in zip(tape.shares, found, strict=True):
            d_rows[share.batch.token_ids] += d_inputs
            d_memory[share.places] = d_own
            d_final[share.chosen] = d_ends
        if len(views) > 1:
            for name, second in self._second.d_views.items():
                self.d_views[name] += second
        if tape.noise.w_hidden is not None:
            self.d_views["decoder.w_hidden"] *= tape.noise.w_hidden
        if tape.noise.words is not None:
            d_rows *= tape.noise.words
        return DecoderGradients(d_rows, d_memory, d_final)


_FIELDS = {"bias": "b_state"}
"""Names of output weights that differ from those of the kernels."""


def _forward(share: Share, w_input: np.ndarray, output: "Output") -> None:
    """Run the kernels of one share."""
    from seqclf.kernels.decoder import decode, remember
    from seqclf.kernels.panels import project

    run, sources = share.run, share.sources
    project(run.product, share.inputs, w_input, share.stack.bias[0], run.projected)
    remember(run.product, run.kind, sources.states, sources.final, output, share.memory, share.state.first)
    decode(share.stack, output, share.state, share.memory, share.attention, run)


def _backward(
    task: "tuple[Share, np.ndarray, tuple[np.ndarray, Any, Output]]", w_input: np.ndarray, output: "Output"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the kernels of one share backward; return the gradients of its inputs, states and final states."""
    from seqclf.kernels.decoder import decode_back, memory_gradients, stack_gradients

    share, d_combined, (d_w_input, d_stack, d_output) = task
    state, run, memory, sources = share.state, share.run, share.memory, share.sources
    d_h, d_first = np.zeros_like(state.h), np.zeros_like(state.first)
    d_scores, d_keys = np.empty_like(share.attention.weights), np.zeros_like(memory.keys)
    d_query = np.empty_like(share.attention.query)
    back = memory, share.attention, run
    decode_back(share.stack, output, state, *back, d_combined, d_h, d_first, d_scores, d_keys, d_query, d_output)
    d_own, d_ends = np.empty_like(sources.states), np.empty_like(sources.final)
    memory_gradients(
        sources.states, sources.final, output, state, *back, share.batch.lengths, d_combined, d_first, d_scores,
        d_keys, d_query, d_output, d_own, d_ends,
    )  # fmt: skip
    d_inputs = np.zeros_like(share.inputs)
    stack_gradients(share.inputs, w_input, state, run, d_stack, d_w_input, d_inputs)
    return d_inputs, d_own, d_ends
