"""The encoder: embedding ▶ recurrent layers ▶ a state for every token, forward and backward.

A head takes the states and returns their gradient::

    tape = encoder.forward(batch, workers)              # tape.states (R, F), one row per packed token
    ...                                                 # the head's own forward and backward
    d_rows = encoder.backward(tape, d_states, workers)  # gradients of the weights, and of the tokens' vectors

Parameters have two layouts. Callers, files and tests see named arrays in the shapes of the papers
(:func:`encoder_shapes`). The kernels see one flat array of all dense parameters, of which each weight is a view
(:class:`FlatParameters`), so that clipping, Adam and keeping the best epoch are one call on one array. The embedding
table is separate because a batch touches few of its rows.

Two threads share the work: one direction each, or every other sequence each in a unidirectional encoder. The work is
split the same way at any number of threads, and sums are added in a fixed order, so the result has the same bytes.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.backward_pass import BackwardPass
from seqclf.layers.batches import PackedBatch, is_alone
from seqclf.layers.cells import UNITS, from_panels, get_cell, padded, spread, to_panels, unspread
from seqclf.layers.forward_pass import ForwardPass
from seqclf.layers.parameters import EncoderShape, FlatParameters, Views, Workspace
from seqclf.layers.plan import EncoderPlan
from seqclf.layers.second_thread import second_thread
from seqclf.layers.tape import DropoutMasks, EncoderTape, States
from seqclf.layers.workers import Workers
from wordvec.system.aligned_arrays import aligned

if TYPE_CHECKING:
    from seqclf.kernels.panels import Weights


class Encoder:
    """Parameters of embedding and recurrent layers, and the two passes over a packed batch.

    Args:
        shape: see ``EncoderShape``.
        dtype: float32; float64 is for gradient checks, and uses libm's tanh.

    A network makes one ``FlatParameters`` of ``layout()`` and its head's layout, calls ``attach`` with it, then
    ``load``.
    """

    def __init__(self, shape: EncoderShape, dtype: DTypeLike = np.float32) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.cell = get_cell(shape.cell, shape.reset)
        self.columns = padded(shape.inputs)
        self.hidden = padded(shape.hidden_size)
        self.features = self.hidden * shape.parts
        """Columns of the states in the kernels' layout: each direction's H is padded to a multiple of 16."""
        width = padded(shape.vector_size)
        self.embedding = aligned(shape.vocabulary * width, self.dtype).reshape(-1, width)
        self.embedding[:] = 0
        self._workspace = Workspace(self.dtype)
        share = np.full((1, self.hidden), shape.zoneout, self.dtype)
        cell_share = np.full((1, self.hidden), shape.zoneout_cell, self.dtype)
        self._hold = share[: shape.zoneout > 0], cell_share[: shape.zoneout_cell > 0]

    @cached_property
    def plan(self) -> EncoderPlan:
        """The shape and weights that the passes read; the first access compiles the matrix product."""
        from seqclf.kernels.panels import product

        return EncoderPlan(
            shape=self.shape,
            cell=self.cell,
            hidden=self.hidden,
            features=self.features,
            dtype=self.dtype,
            weights=self.weights,
            d_weights=self.d_weights,
            hold=self._hold,
            product=product(self.dtype.name),
        )

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the dense parameters in the kernels' layout."""
        panels = self.cell.gates * self.hidden // UNITS
        found: dict[str, tuple[int, ...]] = {}
        for prefix, layer, _ in self._places():
            found[f"{prefix}.w_input"] = (panels, self.features if layer else self.columns, UNITS)
            found[f"{prefix}.w_hidden"] = (panels, self.hidden, UNITS)
            found[f"{prefix}.bias"] = (panels * UNITS,)
            found[f"{prefix}.bias_hidden"] = (self.hidden if self.cell.hidden_bias else 0,)
        return found

    @cached_property
    def size(self) -> int:
        """The length of the dense parameters in a flat array."""
        return sum(padded(math.prod(shape)) for shape in self.layout().values())

    def attach(self, flat: Views) -> None:
        """Use a network's parameters for the views of ``layout()``."""
        from seqclf.kernels.panels import Weights

        def grouped(views: Mapping[str, np.ndarray]) -> tuple[tuple[Weights, ...], ...]:
            groups: list[list[Weights]] = [[] for _ in range(self.shape.layers)]
            for prefix, layer, _ in self._places():
                groups[layer].append(Weights(*(views[f"{prefix}.{name}"] for name in Weights._fields)))
            return tuple(map(tuple, groups))

        self.weights = grouped(flat.views)
        self.d_weights: tuple[tuple[tuple[Weights, ...], ...], ...] = (grouped(flat.d_views),)
        if not self.shape.bidirectional:
            # The second half-batch has its own gradients, which are added to the first's.
            self._second = FlatParameters(self.layout(), self.dtype)
            self.d_weights += (grouped(self._second.d_views),)

    def _places(self) -> Iterable[tuple[str, int, int]]:
        """Yield every direction's name in files, its layer and its number."""
        for layer in range(self.shape.layers):
            for number, direction in enumerate(self.shape.directions):
                yield f"layers.{layer}.{direction}", layer, number

    # ------------------------------------------------------------- parameters

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in the parameters of ``encoder_shapes``, given in these shapes."""
        gates = self.cell.gates
        if self.shape.vocabulary:
            self.embedding[:, : self.shape.vector_size] = parameters["embedding"]
        for prefix, layer, number in self._places():
            weights = self.weights[layer][number]
            w_input = parameters[f"{prefix}.w_input"]
            columns = spread(w_input, self.shape.parts) if layer else w_input
            weights.w_input[:] = to_panels(columns, gates, weights.w_input.shape[1])
            weights.w_hidden[:] = to_panels(parameters[f"{prefix}.w_hidden"], gates, self.hidden)
            weights.bias[:] = spread(parameters[f"{prefix}.bias"], gates)
            if self.cell.hidden_bias:
                weights.bias_hidden[:] = spread(parameters[f"{prefix}.bias_hidden"], 1)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        table = {"embedding": self.embedding[:, : self.shape.vector_size].copy()} if self.shape.vocabulary else {}
        return table | self._canonical(self.weights)

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return self._canonical(self.d_weights[0])

    def _canonical(self, groups: "tuple[tuple[Weights, ...], ...]") -> dict[str, np.ndarray]:
        gates, hidden, parts = self.cell.gates, self.shape.hidden_size, self.shape.parts
        named = {}
        for prefix, layer, number in self._places():
            weights = groups[layer][number]
            columns = from_panels(weights.w_input, gates, hidden, weights.w_input.shape[1])
            columns = unspread(columns, parts, hidden) if layer else columns[:, : self.shape.inputs]
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
        noise: DropoutMasks | None = None,
        first: States | None = None,
        keep: bool = True,
        workspace: Workspace | None = None,
        paired: bool = False,
    ) -> EncoderTape:
        """Run the batch.

        Args:
            batch: B sequences.
            workers: threads; None runs on the caller's thread.
            inputs: (U, E + appended) vectors of ``batch.token_ids``; None looks them up in the embedding table.
            noise: dropout masks; with them zoneout draws units, without them its expected value is used.
            first: the state before the first token; None is zeros. ``backward`` puts its gradient into the tape's
                ``d_first``.
            keep: keep what ``backward`` needs. Without it a tape has no ``last``.
            workspace: threads that each pass their own may share an encoder; None uses the encoder's.
            paired: without ``keep``, the directions of a single sequence may be computed at the same time.
        """
        space = workspace or self._workspace
        whole = self._inputs(batch, inputs, noise, space)
        second = None
        if paired and not keep and first is None and batch.order.size == 1 and self.shape.bidirectional:
            second = second_thread(self.cell, self.hidden, batch.starts.size - 1) if self.dtype == np.float32 else None

        def make() -> ForwardPass:
            return ForwardPass(self.plan, batch, whole, noise or DropoutMasks(), first, keep, space, second)

        if noise is None and first is None and not keep and is_alone(batch):
            # A short text takes less time than the preparation of its pass.
            return space.record((self.plan, batch.starts.size, second is None), make).again(batch, second)
        return make().run(workers.map if workers is not None and keep else map)

    def _inputs(
        self, batch: PackedBatch, inputs: np.ndarray | None, noise: DropoutMasks | None, space: Workspace
    ) -> np.ndarray:
        """Return the distinct tokens' vectors (U, E padded)."""
        whole = space.array("inputs", batch.token_ids.size, self.columns)
        if inputs is None:
            # The ids are valid; "raise" would copy by way of a buffer.
            np.take(self.embedding, batch.token_ids, axis=0, out=whole, mode="clip")
        else:
            whole[:, : self.shape.inputs] = inputs
            whole[:, self.shape.inputs :] = 0
        if noise is not None and noise.words is not None:
            whole *= noise.words
        return whole

    # --------------------------------------------------------------- backward

    def backward(
        self,
        tape: EncoderTape,
        d_states: np.ndarray | None = None,
        workers: Workers | None = None,
        *,
        d_every: np.ndarray | None = None,
        d_final: np.ndarray | None = None,
        tune_vectors: bool = True,
    ) -> np.ndarray:
        """Set the gradients of all weights; mirrors ``forward``.

        Args:
            tape: returned by ``forward``; its arrays are overwritten.
            d_states: (R, F padded), the gradient of ``tape.states``, or None.
            workers: threads.
            d_every: (B, F padded), instead of ``d_states`` one gradient for all states of a sequence.
            d_final: (B, F padded), the gradient of ``tape.final``, or None.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The gradient (U, E padded) of the vectors of ``batch.token_ids`` (no rows unless tuned).
        """
        distinct = tape.batch.token_ids.size if tune_vectors else 0
        d_rows = self._workspace.array("d_rows", distinct, self.columns)
        if not tape.parts:
            for gradient in itertools.chain(*itertools.chain(*self.d_weights[0])):
                gradient[:] = 0
        run = workers.map if workers is not None else map
        found = BackwardPass(tape, d_final, tune_vectors, self._workspace).run(d_states, d_every, run)
        if self.shape.bidirectional:
            np.add(found[0][0], found[0][1], out=d_rows)
        else:
            d_rows[:] = 0
            for part, (d_inputs,) in zip(tape.parts, found, strict=True):
                if tune_vectors:
                    d_rows[part.batch.token_ids] += d_inputs
        if len(tape.parts) > 1:
            for layer in range(self.shape.layers):
                for mine, second in zip(*(groups[layer][0] for groups in self.d_weights), strict=True):
                    mine += second
        if tape.noise.words is not None and tune_vectors:
            d_rows *= tape.noise.words
        return d_rows
