"""Records that connect the encoder's forward and backward passes, and successive calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from seqclf.layers.batches import Half, PackedBatch, row_sequences
from seqclf.layers.plan import EncoderPlan

if TYPE_CHECKING:
    from seqclf.kernels.panels import State, Weights


@dataclass
class DropoutMasks:
    """Dropout and zoneout masks of a training pass; each is optional.

    Attributes:
        words: (U, at least E padded to 16): dropout of the distinct tokens' vectors.
        between: for each layer but the last, (R, F padded) factors of its states.
        w_hidden: for each layer and direction, factors of its recurrent weights, in panels.
        hold_h, hold_c: for each layer and direction, (R, H padded), 1 where the old value is kept (zoneout), in the
            direction's reading order.
    """

    words: np.ndarray | None = None
    between: Sequence[np.ndarray] = ()
    w_hidden: Sequence[Sequence[np.ndarray]] = ()
    hold_h: Sequence[Sequence[np.ndarray]] = ()
    hold_c: Sequence[Sequence[np.ndarray]] = ()


@dataclass(frozen=True)
class States:
    """The state between two calls, in the caller's order of sequences.

    Attributes:
        h, c: (layers * directions, B, H); layer by layer, forward before reverse. c is empty in cells without one.
    """

    h: np.ndarray
    c: np.ndarray


@dataclass
class Run:
    """One direction of one layer over one part: the kernels' inputs and outputs, and their gradients.

    Attributes:
        inputs: (U, E padded), or the merged states below.
        rows: (R,) int32, the input row each packed row reads.
        target: (R,) int32, the merged row of each row's state.
        weights, state: see ``kernels.panels``.
        d_h: (R, H padded), after the backward pass the gradient of the states.
        d_first, d_cell: (B, H padded), after the backward pass the gradients of the first state and cell.
    """

    layer: int
    number: int
    inputs: np.ndarray
    rows: np.ndarray
    target: np.ndarray
    weights: "Weights"
    state: "State"
    d_h: np.ndarray = field(init=False)
    d_first: np.ndarray = field(init=False)
    d_cell: np.ndarray = field(init=False)


@dataclass
class Part:
    """Sequences that go through all layers together.

    Attributes:
        place: its number.
        half: selects the part's sequences; None selects the whole batch.
        inputs: the distinct tokens' vectors, then the merged states of each layer in turn.
        runs: by layer and direction.
    """

    place: int
    batch: PackedBatch
    half: Half | None
    inputs: np.ndarray
    runs: list[list[Run]] = field(default_factory=list)

    def rows_of(self, whole: np.ndarray) -> np.ndarray:
        """Return the part's rows of an array with one row for each packed row of the whole batch."""
        return whole if self.half is None else whole[self.half.rows]

    def sequences(self) -> np.ndarray:
        """Return the sequence of the whole batch each packed row belongs to: (R,) int32."""
        found = row_sequences(self.batch)
        return (found if self.half is None else self.batch.order[found]).astype(np.int32)

    def last_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the part's nonempty sequences of the whole batch, and the packed row of each one's last token."""
        lengths = self.batch.lengths
        sequences = np.arange(np.count_nonzero(lengths))
        rows = self.batch.starts[lengths[: sequences.size] - 1] + sequences
        return (sequences if self.half is None else self.batch.order[: sequences.size]), rows


@dataclass
class EncoderTape:
    """Result of a forward pass, read by the head and by the backward pass; valid until the next pass.

    Attributes:
        plan: the encoder's shape and weights.
        batch: as given.
        states: (R, F padded), the last layer's merged states in the order of ``batch``'s packed rows.
        d_first: after a backward pass, the gradient of the initial state, if one was given.
    """

    plan: EncoderPlan
    batch: PackedBatch
    noise: DropoutMasks
    parts: list[Part]
    first: States | None
    states: np.ndarray
    d_first: States | None = None

    @cached_property
    def final(self) -> np.ndarray:
        """Each direction's state after the last token it read, merged: (B, F padded), zeros for empty sequences."""
        shape = self.plan.shape
        whole = np.zeros((self.batch.lengths.size, self.states.shape[1]), self.states.dtype)
        for part in self.parts:
            sequences, rows = part.last_rows()
            final = [run.state.h[rows] for run in part.runs[-1]]
            if shape.parts == len(final):
                merged = np.concatenate(final, axis=1)
            elif shape.merge == "multiply":
                merged = final[0] * final[1]
            else:
                merged = (final[0] + final[1]) * whole.dtype.type(0.5 if shape.merge == "average" else 1)
            whole[sequences] = merged
        return whole

    @cached_property
    def last(self) -> States:
        """The state after each sequence's last token; needs a pass with ``keep``."""
        size = self.plan.shape.hidden_size
        found = zero_states(self.plan, self.batch.lengths.size)
        if self.first is not None:
            found.h[:], found.c[:] = self.first.h, self.first.c
        for part in self.parts:
            sequences, rows = part.last_rows()
            order = self.batch.order[sequences]
            for index, run in enumerate(run for runs in part.runs for run in runs):
                found.h[index, order] = run.state.h[rows, :size]
                if self.plan.cell.has_cell:
                    found.c[index, order] = run.state.c[rows, :size]
        return found


def zero_states(plan: EncoderPlan, sequences: int) -> States:
    """Return a state of zeros for that many sequences."""
    count, size = plan.shape.layers * len(plan.shape.directions), plan.shape.hidden_size
    cells = size if plan.cell.has_cell else 0
    return States(np.zeros((count, sequences, size), plan.dtype), np.zeros((count, sequences, cells), plan.dtype))
