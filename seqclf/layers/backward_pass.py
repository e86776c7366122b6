"""The encoder's backward pass: layer by layer from the last, all directions of a layer in parallel.

As in the forward pass, the threads run little but kernels. Runs that add to the same array do so in a fixed order, so
that sums do not depend on the timing of threads.
"""

from collections.abc import Callable, Iterable

import numpy as np

from seqclf.layers.choices import MERGES
from seqclf.layers.parameters import Workspace
from seqclf.layers.plan import EncoderPlan
from seqclf.layers.tape import EncoderTape, Part, Run, States, zero_states


class BackwardPass:
    """A batch's gradients through all layers; mirrors ``ForwardPass``.

    Args:
        tape: returned by the forward pass; its plan has the weights and their gradients.
        d_final, tune_vectors: see ``Encoder.backward``.
        space: provides the arrays.
    """

    def __init__(self, tape: EncoderTape, d_final: np.ndarray | None, tune_vectors: bool, space: Workspace) -> None:
        self._tape, self._d_final, self._tune, self._space = tape, d_final, tune_vectors, space
        self._plan: EncoderPlan = tape.plan
        self._shape = tape.plan.shape

    def run(
        self, d_states: np.ndarray | None, d_every: np.ndarray | None, run: Callable[..., Iterable[object]]
    ) -> list[list[np.ndarray]]:
        """Run all layers; return, for each part, each direction's gradient of the part's inputs."""
        tape, shape = self._tape, self._shape
        merged = [self._source(part, d_states, d_every) for part in tape.parts]
        found: list[list[np.ndarray]] = []
        for layer in reversed(range(shape.layers)):
            last = layer + 1 == shape.layers
            tasks = []
            for part, d_merged in zip(tape.parts, merged, strict=True):
                if not last and len(tape.noise.between):
                    d_merged *= part.rows_of(tape.noise.between[layer])
                sequences = part.sequences() if last and d_every is not None else None
                for one in part.runs[layer]:
                    # Both directions read a sequence at the same place of each step.
                    rows = one.target if sequences is None else sequences
                    tasks.append((part, one, d_merged, rows, self._prepare(part, one)))
            list(run(self._walk, tasks))
            each = iter([d_inputs for *_, d_inputs in tasks])
            found = [[next(each) for _ in part.runs[layer]] for part in tape.parts]
            merged = [d_inputs[0] for d_inputs in found]
            if layer > 0 and shape.bidirectional:
                merged[0] += found[0][1]
        if tape.first is not None:
            tape.d_first = self._first()
        return found

    def _source(self, part: Part, d_states: np.ndarray | None, d_every: np.ndarray | None) -> np.ndarray:
        """Return the gradient of the last layer's merged states; it is only read."""
        if d_every is not None:
            return d_every
        if d_states is not None:
            return part.rows_of(d_states)
        return self._space.zeros(int(part.batch.starts[-1]), self._plan.features)

    def _prepare(self, part: Part, run: Run) -> np.ndarray:
        """Set one direction's arrays; return the array for the gradient of its inputs."""
        name = f"{part.place}.{run.layer}.{run.number}."
        packed, hidden, sequences = run.rows.size, self._plan.hidden, part.batch.lengths.size
        run.d_h = self._space.array(name + "d_h", packed, hidden)
        run.d_first = self._space.array(name + "d_first", sequences, hidden)
        run.d_cell = self._space.array(name + "d_cell", sequences, hidden)
        distinct = run.inputs.shape[0] if self._tune or run.layer > 0 else 0
        return self._space.array(name + "d_inputs", distinct, run.inputs.shape[1])

    def _walk(self, task: tuple[Part, Run, np.ndarray, np.ndarray, np.ndarray]) -> None:
        """Compute the gradients of one direction's weights and inputs in one layer."""
        from seqclf.kernels.merging import merge_backward

        part, run, d_merged, rows, d_inputs = task
        plan, shape, noise = self._plan, self._shape, self._tape.noise
        batch, hidden = part.batch, plan.hidden
        side = run.number * hidden if shape.parts == 2 else 0
        mode = MERGES.index(shape.merge) if shape.bidirectional else 0
        other = part.runs[run.layer][1 - run.number if shape.bidirectional else 0].state.h
        merge_backward(d_merged, rows, side, other, batch.mirror, mode, run.d_h)
        if self._d_final is not None and run.layer + 1 == shape.layers:
            self._add_final(self._d_final, part, run, side, other)
        run.d_first[:], run.d_cell[:], d_inputs[:] = 0, 0, 0
        gradients = plan.d_weights[part.place][run.layer][run.number]
        for gradient in gradients:
            gradient[:] = 0
        whole = gradients
        if len(noise.w_hidden):
            gradients = gradients._replace(w_hidden=np.zeros_like(whole.w_hidden))
        _, backward = plan.cell.kernels()
        backward(
            run.inputs, run.rows, batch.starts, run.weights, run.state, run.d_h, gradients, d_inputs,
            run.d_first, run.d_cell, self._tape.first is not None,
        )  # fmt: skip
        if len(noise.w_hidden):
            gradients.w_hidden[:] *= noise.w_hidden[run.layer][run.number]
            whole.w_hidden[:] = gradients.w_hidden

    def _add_final(self, d_final: np.ndarray, part: Part, run: Run, side: int, other: np.ndarray) -> None:
        """Add the gradient of one direction's final states to that of its states."""
        sequences, rows = part.last_rows()
        d_last = d_final[sequences, side : side + self._plan.hidden]
        if self._shape.bidirectional and self._shape.merge == "average":
            d_last = d_last * d_final.dtype.type(0.5)
        elif self._shape.bidirectional and self._shape.merge == "multiply":
            d_last = d_last * other[rows]
        run.d_h[rows] += d_last

    def _first(self) -> States:
        """Return the gradient of the state before the first token."""
        tape, size = self._tape, self._shape.hidden_size
        found = zero_states(self._plan, tape.batch.lengths.size)
        for part in tape.parts:
            order = tape.batch.order if part.half is None else tape.batch.order[part.batch.order]
            for index, run in enumerate(run for runs in part.runs for run in runs):
                found.h[index, order] = run.d_first[:, :size]
                if self._plan.cell.has_cell:
                    found.c[index, order] = run.d_cell[:, :size]
        return found
