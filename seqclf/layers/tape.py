"""What the encoder's two passes hand to each other, to heads, and from one call to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from seqclf.layers.batches import Half, PackedBatch


@dataclass
class DropoutMasks:
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
    """One direction of one layer over one part: what the kernels read and leave, and then its gradients.

    Attributes:
        inputs: (U, E padded), or the merged states below.
        rows: (R,) int32, the input row each packed row reads.
        target: (R,) int32, where each row's state stands among the merged ones.
        weights, state: see ``kernels.panels``.
        d_h: (R, H padded), after the backward pass the gradient of the states.
        d_first, d_cell: (B, H padded), after the backward pass the gradients of the first state and cell.
    """

    layer: int
    number: int
    inputs: np.ndarray
    rows: np.ndarray
    target: np.ndarray
    weights: Any
    state: Any
    d_h: np.ndarray = field(init=False)
    d_first: np.ndarray = field(init=False)
    d_cell: np.ndarray = field(init=False)


@dataclass
class Part:
    """The sequences that go through all layers together.

    Attributes:
        place: its number.
        half: which sequences of the whole they are; None for all of them.
        inputs: the distinct tokens' vectors, then the merged states of each layer in turn.
        runs: for each layer, one for each direction.
    """

    place: int
    batch: PackedBatch
    half: Half | None
    inputs: np.ndarray
    runs: list[list[Run]] = field(default_factory=list)

    def rows_of(self, whole: np.ndarray) -> np.ndarray:
        """The part's rows of an array with a row for each packed row of the whole batch."""
        return whole if self.half is None else whole[self.half.rows]

    def sequences(self) -> np.ndarray:
        """(R,) int32, which sequence of the whole batch each packed row belongs to."""
        starts = self.batch.starts
        found = np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))
        return (found if self.half is None else self.batch.order[found]).astype(np.int32)

    def last_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Which sequences of the whole batch are here and not empty, and the packed row of each one's last token."""
        lengths = self.batch.lengths
        sequences = np.arange(np.count_nonzero(lengths))
        rows = self.batch.starts[lengths[: sequences.size] - 1] + sequences
        return (sequences if self.half is None else self.batch.order[: sequences.size]), rows


@dataclass
class EncoderTape:
    """What a forward pass leaves for the head and for the backward pass; valid until the next pass.

    Attributes:
        encoder: whose it is.
        batch: as given.
        states: (R, F padded), the last layer's merged states in the order of ``batch``'s packed rows.
        d_first: after a backward pass, the gradient of the first state, where one was given.
    """

    encoder: Any
    batch: PackedBatch
    noise: DropoutMasks
    parts: list[Part]
    first: States | None
    states: np.ndarray
    d_first: States | None = None

    @cached_property
    def final(self) -> np.ndarray:
        """(B, F padded), each direction's state after the last token it read, merged; zeros for empty sequences."""
        shape = self.encoder.shape
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
        """The state after each sequence's last token, to be carried on; of a pass that kept everything."""
        size = self.encoder.shape.hidden_size
        found = no_states(self.encoder, self.batch.lengths.size)
        if self.first is not None:
            found.h[:], found.c[:] = self.first.h, self.first.c
        for part in self.parts:
            sequences, rows = part.last_rows()
            order = self.batch.order[sequences]
            for index, run in enumerate(run for runs in part.runs for run in runs):
                found.h[index, order] = run.state.h[rows, :size]
                if self.encoder.cell.has_cell:
                    found.c[index, order] = run.state.c[rows, :size]
        return found


def no_states(encoder: Any, sequences: int) -> States:
    """Zeros for each of so many sequences."""
    count, size = encoder.shape.layers * len(encoder.shape.directions), encoder.shape.hidden_size
    cells = size if encoder.cell.has_cell else 0
    return States(np.zeros((count, sequences, size), encoder.dtype), np.zeros((count, sequences, cells), encoder.dtype))
