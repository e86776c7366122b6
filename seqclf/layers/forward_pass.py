"""The encoder's forward pass: layer by layer, all directions of a layer in parallel.

The calling thread prepares a layer; the threads then run only kernels, which release the interpreter lock.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from seqclf.layers.batches import PackedBatch, halves
from seqclf.layers.choices import MERGES
from seqclf.layers.parameters import Workspace
from seqclf.layers.plan import EncoderPlan
from seqclf.layers.second_thread import SecondThread
from seqclf.layers.tape import DropoutMasks, EncoderTape, Part, Run, States

if TYPE_CHECKING:
    from seqclf.kernels.panels import State

Task: TypeAlias = tuple[Part, Run, np.ndarray]
"""One direction of a layer, and the merged states of its part."""


class ForwardPass:
    """One batch through all layers.

    Args:
        plan: the encoder's shape and weights.
        batch: B sequences.
        inputs: (U, E padded) vectors of ``batch.token_ids``.
        noise, first, keep: see ``Encoder.forward``.
        space: provides the arrays.
        second: computes one direction of a single sequence, without ``first`` and ``keep``; None: the caller does.
    """

    def __init__(
        self,
        plan: EncoderPlan,
        batch: PackedBatch,
        inputs: np.ndarray,
        noise: DropoutMasks,
        first: States | None,
        keep: bool,
        space: Workspace,
        second: SecondThread | None = None,
    ) -> None:
        self._plan, self._noise, self._first, self._keep, self._space = plan, noise, first, keep, space
        self._second = second
        self._shape = plan.shape
        if self._shape.bidirectional or not keep:
            parts = [Part(0, batch, None, inputs)]
        else:
            shares = enumerate(halves(batch))
            parts = [Part(place, half.batch, half, inputs[half.batch.token_ids]) for place, half in shares]
        states = space.array("states", int(batch.starts[-1]), plan.features)
        self.tape = EncoderTape(plan, batch, noise, parts, first, states)
        self._layers: list[tuple[list[Task], list[np.ndarray]]] = []

    def again(self, batch: PackedBatch, second: SecondThread | None) -> EncoderTape:
        """Run a batch that differs from the one before only in its tokens, whose vectors are in the same array."""
        before = self.tape
        self.tape = EncoderTape(self._plan, batch, self._noise, before.parts, None, before.states)
        self._second = second
        return self.run(map)

    def run(self, run: Callable[..., Iterable[object]]) -> EncoderTape:
        """Run all layers; ``run`` maps a function over independent tasks."""
        from seqclf.kernels.merging import merge_forward

        tape, shape = self.tape, self._shape
        for layer in range(shape.layers):
            last = layer + 1 == shape.layers
            if layer == len(self._layers):
                self._layers.append(self._tasks(layer, last))
            tasks, merged = self._layers[layer]
            if not self._walk_both(tasks):
                list(run(self._walk, tasks))
            for part, states in zip(tape.parts, merged, strict=True):
                runs = part.runs[layer]
                if shape.parts < len(runs):
                    merge_forward(
                        runs[0].state.h, runs[1].state.h, part.batch.mirror, MERGES.index(shape.merge), states
                    )
                if not last and len(self._noise.between):
                    states *= part.rows_of(self._noise.between[layer])
                part.inputs = states
        for part in tape.parts:
            if part.half is not None:
                tape.states[part.half.rows] = part.inputs
        return tape

    def _tasks(self, layer: int, last: bool) -> tuple[list[Task], list[np.ndarray]]:
        """Return a layer's tasks, and the array of each part's merged states."""
        tasks: list[Task] = []
        merged: list[np.ndarray] = []
        for part in self.tape.parts:
            name, packed = f"{part.place}.{layer}.merged", int(part.batch.starts[-1])
            whole = last and part.half is None
            merged.append(self.tape.states if whole else self._space.array(name, packed, self._plan.features))
            part.runs.append([self._prepare(part, layer, number) for number in range(len(self._shape.directions))])
            tasks += [(part, one, merged[-1]) for one in part.runs[layer]]
        return tasks, merged

    def _prepare(self, part: Part, layer: int, number: int) -> Run:
        """Return one direction's arrays."""
        plan, noise, batch = self._plan, self._noise, part.batch
        weights, inputs = plan.weights[layer][number], part.inputs
        # Without ``keep`` the runs in sequence share their arrays, except the states, which are merged later.
        name = f"{part.place}.{layer}.{number}." if self._keep else "." if self._second is None else f"{number}."
        if len(noise.w_hidden):
            dropped = self._space.array(name + "w_hidden", *weights.w_hidden.shape)
            np.multiply(weights.w_hidden, noise.w_hidden[layer][number], out=dropped)
            weights = weights._replace(w_hidden=dropped)
        packed = int(batch.starts[-1])
        if self._keep or self._first is not None or len(noise.hold_h) or len(noise.hold_c):
            state = self._state(part, layer, number, name, packed)
        else:
            key = (plan, name, layer > 0, number, inputs.shape[0], packed, batch.lengths.size)
            state = self._space.record(key, lambda: self._state(part, layer, number, name, packed))
        target = batch.mirror if number else np.arange(packed, dtype=np.int32)
        rows = target if layer else (batch.reverse_rows if number else batch.forward_rows)
        return Run(layer, number, inputs, rows, target, weights, state)

    def _state(self, part: Part, layer: int, number: int, name: str, packed: int) -> "State":
        """Return the arrays that one direction's kernels write to."""
        from seqclf.kernels.panels import State

        plan, noise, space = self._plan, self._noise, self._space
        hidden, cell, sequences = plan.hidden, plan.cell, part.batch.lengths.size
        h_first, c_first = self._first_states(part, layer, number, name)
        hold_h, hold_c = plan.hold
        if len(noise.hold_h):
            hold_h = part.rows_of(noise.hold_h[layer][number])
        if len(noise.hold_c):
            hold_c = part.rows_of(noise.hold_c[layer][number])
        cells = (packed if self._keep else 2 * sequences) if cell.has_cell else 0
        return State(
            projected=space.array(name + "projected", part.inputs.shape[0], cell.gates * hidden),
            gates=space.array(name + "gates", packed if self._keep else sequences, cell.kept * hidden),
            c=space.array(name + "c", cells, hidden),
            h=space.array(f"{name}{number}.h", packed, hidden),
            h_first=h_first,
            c_first=c_first,
            hold_h=hold_h,
            hold_c=hold_c,
            product=plan.product,
            width=part.inputs.shape[1] if layer else self._shape.inputs,
        )

    def _first_states(self, part: Part, layer: int, number: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return h and c before the first token (B, H padded), zeros by default."""
        hidden, sequences = self._plan.hidden, part.batch.lengths.size
        if self._first is None:
            zeros = self._space.zeros(sequences, hidden)
            return zeros, zeros
        order = self.tape.batch.order if part.half is None else self.tape.batch.order[part.batch.order]
        index = layer * len(self._shape.directions) + number
        found = []
        for what, given in (("h_first", self._first.h), ("c_first", self._first.c)):
            array = self._space.array(name + what, sequences, hidden)
            array[:] = 0
            array[:, : given.shape[2]] = given[index, order]
            found.append(array)
        return found[0], found[1]

    def _walk_both(self, tasks: list[Task]) -> bool:
        """Walk two directions with the second thread; return whether there is one that is free."""
        if self._second is None:
            return False
        (part, first, merged), (_, other, _) = tasks
        if not self._second.run(self._plan.cell, part.batch.starts, first, other):
            return False
        self._place(first, merged)
        self._place(other, merged)
        return True

    def _walk(self, task: Task) -> None:
        """Run one direction's kernels and write its states to the merged ones."""
        part, run, merged = task
        forward, _ = self._plan.cell.kernels()
        forward(run.inputs, run.rows, part.batch.starts, run.weights, run.state, self._first is not None, self._keep)
        self._place(run, merged)

    def _place(self, run: Run, merged: np.ndarray) -> None:
        """Write a direction's states to the merged ones, where directions are concatenated."""
        from seqclf.kernels.merging import place

        if self._shape.parts == len(self._shape.directions):
            place(run.state.h, run.target, run.number * self._plan.hidden, merged)
