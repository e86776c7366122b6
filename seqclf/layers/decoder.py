"""The decoder: target embedding ▶ recurrent layers with attention to a memory ▶ an attentional state for every unit.

    memory = decoder.remember(states, final, spans)         # keys, values and first states of some sources
    tape = decoder.forward(targets, memory, workers)        # tape.states (R, H), one row per packed target unit
    ...                                                     # the head's own forward and backward
    found = decoder.backward(tape, d_states, workers)       # gradients of the weights, the embeddings and the sources

Two threads decode every other target of a batch each. Gradients of weights are sums over the rows of the whole batch in
its order, so the result has the same bytes at any number of threads.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import Half, PackedBatch, halves
from seqclf.layers.cells import get_cell, padded
from seqclf.layers.choices import ATTENTIONS
from seqclf.layers.decoder_parameters import NONE, DecoderShape, canonical_arrays, load_panels, panel_shapes
from seqclf.layers.decoder_tape import DecoderGradients, DecoderNoise, DecoderTape, OneStep, Share, Sources
from seqclf.layers.parameters import FlatParameters, Workspace
from seqclf.layers.workers import Workers
from wordvec.system.aligned_arrays import aligned

if TYPE_CHECKING:
    from seqclf.kernels.decoder import Output
    from seqclf.kernels.decoder_attention import Attention, Memory
    from seqclf.kernels.decoder_cells import Layers


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
        self.views = {name: flat.views[name] for name in self.layout()}
        self.d_views = {name: flat.d_views[name] for name in self.layout()}
        self._weights, self._gradients = self._grouped(self.views), self._grouped(self.d_views)

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
        from seqclf.kernels.decoder import decode

        noise, space = noise or DecoderNoise(), self._workspace
        packed, units = int(batch.starts[-1]), batch.token_ids.size
        inputs = space.array("inputs", units, self.columns)
        np.take(self.embedding, batch.token_ids, axis=0, out=inputs)
        if noise.words is not None:
            inputs *= noise.words
        states = space.array("states", packed, self.hidden)
        projected = space.array("projected", units, self.cell.gates * self.hidden)
        first = space.array("first", self.shape.firsts, len(sources.final), self.hidden)
        memory = self._memory(sources)
        run = workers.map if workers is not None else map
        two = workers is not None and workers.threads > 1
        self._prepare(sources, memory, first, inputs, projected, run, 1 + two)
        _, stack, output = self._weights
        if noise.w_hidden is not None:
            stack = stack._replace(w_hidden=stack.w_hidden * noise.w_hidden)
        whole = Half(batch._replace(order=np.arange(batch.lengths.size)), np.arange(packed))
        halved = (halves(batch) if two else []) or [whole]
        shares = [
            self._share(f"{number}.", half, batch, memory, first, projected, noise, stack)
            for number, half in enumerate(halved)
        ]
        list(run(lambda each: decode(each.stack, output, each.state, each.memory, each.attention, each.run), shares))
        for share in shares:
            states[share.half.rows] = share.run.combined
        return DecoderTape(batch, sources, noise, shares, inputs, first, states)

    def _prepare(
        self,
        sources: Sources,
        memory: "Memory",
        first: np.ndarray,
        inputs: np.ndarray,
        projected: np.ndarray,
        run: Callable[..., Any],
        parts: int,
    ) -> None:
        """Compute what all steps read, in ``parts`` of equal work: memory, first states and projected inputs."""
        from seqclf.kernels.decoder import remember
        from seqclf.kernels.panels import project

        w_input, stack, output = self._weights
        size = len(sources.states)

        def work(part: int) -> None:
            rows = slice(size * part // parts, size * (part + 1) // parts)
            own = memory._replace(keys=memory.keys[rows], values=memory.values[rows])
            begun = first if part == 0 else first[:0]
            remember(self.product, self.kind, sources.states[rows], sources.final, output, own, begun)
            if part == parts - 1:
                project(self.product, inputs, w_input, stack.bias[0], projected)

        list(run(work, range(parts)))

    def _share(
        self,
        name: str,
        half: Half,
        whole: PackedBatch,
        memory: "Memory",
        first: np.ndarray,
        projected: np.ndarray,
        noise: DecoderNoise,
        stack: Any,
    ) -> Share:
        """Return some targets of a batch with the arrays of their pass."""
        from seqclf.kernels.decoder import Pass

        space, shape, hidden, batch, rows = self._workspace, self.shape, self.hidden, half.batch, half.rows
        packed, owners = rows.size, whole.order[batch.order]
        _, _, output = self._weights
        state = self._layers(space, packed, name)[0]._replace(first=np.take(first, owners, axis=1))
        if noise.hold_h is not None:
            state = state._replace(hold_h=np.take(noise.hold_h, rows, axis=1))
        if noise.hold_c is not None:
            state = state._replace(hold_c=np.take(noise.hold_c, rows, axis=1))
        between = np.zeros((0, 0, hidden), self.dtype)
        if noise.between is not None and shape.layers > 1:
            between = np.take(noise.between, rows, axis=1)
        sizes = np.diff(memory.spans)[owners] * batch.lengths
        run = Pass(
            starts=batch.starts,
            rows=whole.forward_rows[rows],
            projected=projected,
            x=space.array(name + "x", shape.layers, packed if shape.layers > 1 else 0, hidden),
            between=between,
            combined=space.array(name + "combined", packed, hidden),
            fed_first=space.zeros(owners.size, hidden),
            feeding=shape.input_feeding,
            kind=self.kind,
            product=self.product,
        )
        attention = self._attention(space, sizes, output, packed, name)
        return Share(half, stack, state, memory._replace(owners=owners), attention, run)

    def _layers(self, space: Workspace, packed: int, name: str) -> "tuple[Layers, np.ndarray]":
        """Return arrays for some packed rows, without the states before the first step; and h and c as one array."""
        from seqclf.kernels.decoder_cells import Layers

        layers, hidden = self.shape.layers, self.hidden
        both = space.array(name + "layers", self.shape.firsts, packed, hidden)
        found = Layers(
            gates=space.array(name + "gates", layers, packed, self.cell.kept * hidden),
            c=both[layers:] if self.cell.has_cell else np.empty((layers, 0, hidden), self.dtype),
            h=both[:layers],
            first=np.empty((self.shape.firsts, 0, hidden), self.dtype),
            hold_h=self._hold[0],
            hold_c=self._hold[1],
        )
        return found, both

    def _memory(self, sources: Sources) -> "Memory":
        from seqclf.kernels.decoder_attention import Memory

        space, size = self._workspace, (len(sources.states), self.hidden)
        keys = sources.states if self.shape.attention == "dot" else space.array("keys", *size)
        return Memory(keys, space.array("values", *size), sources.spans, np.empty(0, np.int64))

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
        _, _, output = self._weights
        remember(self.product, self.kind, sources.states, sources.final, output, memory, first)
        return memory, first

    def step(
        self,
        memory: "Memory",
        first: np.ndarray,
        fed: np.ndarray,
        tokens: np.ndarray,
        sources: np.ndarray,
        workspace: Workspace,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance N targets by one unit; a row does not depend on the others.

        Args:
            memory: of all sources. first: (K, N, H padded), states before the step. fed: (N, H padded).
            tokens: (N,) int32, rows of the target embedding. sources: (N,) int64, what each attends to.
            workspace: of the calling thread.

        Returns:
            The attentional states (N, H padded), the states after the step (K, N, H padded), and the attention's
            weights, flat: those of each row's source one after another; all until the workspace's next use.
        """
        from seqclf.kernels.decoder import decode
        from seqclf.kernels.panels import project

        units, rows = np.unique(tokens, return_inverse=True)
        now = self.one_step(tokens.size, memory.spans[sources + 1] - memory.spans[sources], first, workspace)
        run = now.run._replace(rows=rows.astype(np.int32), projected=now.run.projected[: units.size], fed_first=fed)
        project(self.product, self.embedding[units], now.w_input, now.stack.bias[0], run.projected)
        decode(now.stack, now.output, now.state, memory._replace(owners=sources), now.attention, run)
        return run.combined, now.after, now.attention.weights

    def one_step(self, count: int, sizes: np.ndarray, first: np.ndarray, space: Workspace) -> OneStep:
        """Return what the kernels need to advance ``count`` targets, with arrays of the workspace.

        Args:
            sizes: positions of each target's source. first: (K, N, H padded), states before the step.
        """
        from seqclf.kernels.decoder import Pass

        w_input, stack, output = self._weights
        hidden = self.hidden
        run = Pass(
            starts=np.array([0, count]),
            rows=np.arange(count, dtype=np.int32),
            projected=space.array("step.projected", count, self.cell.gates * hidden),
            x=space.array("step.x", self.shape.layers, count, hidden),
            between=np.zeros((0, 0, hidden), self.dtype),
            combined=space.array("step.combined", count, hidden),
            fed_first=space.array("step.fed", count, hidden),
            feeding=self.shape.input_feeding,
            kind=self.kind,
            product=self.product,
        )
        state, after = self._layers(space, count, "step.")
        attention = self._attention(space, sizes, output, count, "step.")
        return OneStep(w_input, stack, output, state._replace(first=first), attention, run, after)

    # --------------------------------------------------------------- backward

    def backward(self, tape: DecoderTape, d_states: np.ndarray, workers: Workers | None = None) -> DecoderGradients:
        """Add the gradients of all weights to the network's; mirrors ``forward``.

        Args:
            tape: returned by ``forward``; its arrays are overwritten.
            d_states: (R, H padded), the gradient of ``tape.states``.
            workers: threads.
        """
        from seqclf.kernels.decoder import decode_back, memory_gradients, stack_gradients

        space, sources, batch, shares, first = self._workspace, tape.sources, tape.batch, tape.shares, tape.first
        d_keys, d_values = (np.zeros((len(sources.states), self.hidden), self.dtype) for _ in range(2))
        w_input, _, output = self._weights
        run: Callable[..., Any] = workers.map if workers is not None else map

        def back(share: Share) -> tuple[np.ndarray, ...]:
            state, attention, batch = share.state, share.attention, share.half.batch
            d_combined, d_h, d_first = d_states[share.half.rows], np.zeros_like(state.h), np.zeros_like(state.first)
            d_scores, d_query = np.empty_like(attention.weights), np.empty_like(attention.query)
            d_scorer = np.zeros_like(share.run.fed_first)
            decode_back(
                share.stack, output, state, share.memory, attention, share.run, batch.lengths, d_combined, d_h,
                d_first, d_scores, d_keys, d_values, d_query, d_scorer,
            )  # fmt: skip
            return d_combined, d_query, d_scorer, d_first

        found = list(zip(*run(back, shares), strict=True))
        rows, lanes = [share.half.rows for share in shares], [share.half.batch.order for share in shares]
        d_combined, d_query, d_scorer = (
            _joined(each, places) for each, places in zip(found, (rows, rows, lanes), strict=False)
        )
        d_first = np.zeros_like(first)
        for share, each in zip(shares, found[3], strict=True):
            d_first[:, share.memory.owners] = each
        state = shares[0].state._replace(
            gates=_joined([share.state.gates for share in shares], rows, axis=1),
            h=_joined([share.state.h for share in shares], rows, axis=1),
            first=np.take(first, batch.order, axis=1),
        )
        whole = shares[0].run._replace(
            starts=batch.starts,
            rows=batch.forward_rows,
            x=_joined([share.run.x for share in shares], rows, axis=1),
            combined=tape.states,
            fed_first=space.zeros(batch.lengths.size, self.hidden),
        )
        d_rows = space.array("d_rows", *tape.inputs.shape)
        d_rows[:] = 0
        d_memory, d_final = (space.array(f"d_{name}", *getattr(sources, name).shape) for name in ("states", "final"))
        d_w_input, d_stack, d_output = self._gradients

        def weights(layer: int) -> None:
            if layer < 0:
                memory_gradients(
                    self.product, self.kind, sources.states, sources.final, output, first, state.h[-1], d_combined,
                    d_first, d_keys, d_values, d_query, d_scorer, d_output, d_memory, d_final,
                )  # fmt: skip
            else:
                stack_gradients(layer, tape.inputs, w_input, state, whole, d_stack, d_w_input, d_rows)

        list(run(weights, range(-1, self.shape.layers)))
        if tape.noise.w_hidden is not None:
            self.d_views["decoder.w_hidden"] *= tape.noise.w_hidden
        if tape.noise.words is not None:
            d_rows *= tape.noise.words
        return DecoderGradients(d_rows, d_memory, d_final)


_FIELDS = {"bias": "b_state"}
"""Names of output weights that differ from those of the kernels."""


def _joined(parts: Sequence[np.ndarray], places: Sequence[np.ndarray], axis: int = 0) -> np.ndarray:
    """Return the shares' arrays as one; ``places`` are the rows that each has in it."""
    if len(parts) == 1 or parts[0].shape[axis] == 0:
        return parts[0]
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    found = np.empty(shape, parts[0].dtype)
    for part, rows in zip(parts, places, strict=True):
        found[(slice(None),) * axis + (rows,)] = part
    return found
