"""Loss and gradients of a softmax over many words, for groups of rows that share the columns dropout has left."""

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqclf.layers.workers import Workers
from wordvec.system.aligned_arrays import aligned

if TYPE_CHECKING:
    from seqclf.kernels.output_gradients import Groups

LANES = 32
"""Rows per group, and words per part of a thread's share."""
NEAR_FLOATS = 2**23
"""The scores in memory at once: 32 MB, or those of the fewest rows."""


class LiveColumns(NamedTuple):
    """Which columns of the states locked dropout has left: those of others are zero.

    Attributes:
        sequences: (R,) int64, the sequence of each row.
        live: (S, F) bool, by sequence.
    """

    sequences: np.ndarray
    live: np.ndarray


def group_rows(rows: int, width: int, live: LiveColumns | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows (at most 32) and the columns of each group.

    Rows of one sequence form groups with its live columns. The rest of a sequence, if it would leave too many lanes
    empty, joins those of others in groups with all columns.

    Args:
        rows, width: R, F. live: None if all columns are live.

    Example:
        >>> live = LiveColumns(np.repeat([0, 1], 33), np.array([[True, False], [False, True]]))
        >>> [(len(rows), columns.tolist()) for rows, columns in group_rows(66, 2, live)]
        [(32, [0]), (32, [1]), (2, [0, 1])]
    """
    found, rest, every = [], [np.arange(0)], np.arange(width)
    if live is None:
        rest = [np.arange(rows)]
    else:
        order = np.argsort(live.sequences, kind="stable")
        ends = np.searchsorted(live.sequences[order], np.arange(len(live.live)), side="right")
        for columns, own in zip(map(np.flatnonzero, live.live), np.split(order, ends[:-1]), strict=True):
            for part in _parts(own):
                if LANES * columns.size <= part.size * width:
                    found.append((part, columns))
                else:
                    rest.append(part)
    return found + [(part, every) for part in _parts(np.concatenate(rest))]


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[first : first + LANES] for first in range(0, rows.size, LANES)]


class Slopes(NamedTuple):
    """Arrays that the gradients are written to: d_states (R, F); d_weight (V, F) and d_bias (V,), accumulated."""

    d_states: np.ndarray
    d_weight: np.ndarray
    d_bias: np.ndarray


class Objective(NamedTuple):
    """Words by row and the loss's weights.

    Attributes:
        targets: (R,) int32. shares: (R,) float32, of each row's loss.
        smoothing: the share of the target distribution that is uniform.
    """

    targets: np.ndarray
    shares: np.ndarray
    smoothing: np.float32


class SoftmaxGradients:
    """Computes losses and gradients; threads that train different networks may share it.

    Example:
        >>> d = Slopes(np.empty((1, 16), np.float32), np.zeros((2, 16), np.float32), np.zeros(2, np.float32))
        >>> goal = Objective(np.array([0], np.int32), np.ones(1, np.float32), np.float32(0))
        >>> states, weight, bias = np.ones((1, 16), np.float32), np.zeros((2, 16), np.float32), np.zeros(2, np.float32)
        >>> SoftmaxGradients().run(states, weight, bias, goal, d, None).round(4), d.d_bias
        (array([0.6931]), array([-0.5,  0.5], dtype=float32))
    """

    def __init__(self) -> None:
        self._kept = threading.local()

    def losses(
        self,
        states: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        targets: np.ndarray,
        workers: Workers | None = None,
    ) -> np.ndarray:
        """Return -log p(target) of each row: (R,) float64; arguments as for ``run``."""
        from seqclf.kernels.chosen import chosen_product
        from seqclf.kernels.output_gradients import NEAR_WORDS, output_group_losses, output_pack

        rows, width = states.shape
        losses, parts = np.empty(rows), group_rows(rows, width, None)
        groups, count, product = _groups(parts, width), len(parts), chosen_product()
        packed = self._array("packed", groups.columns.size * LANES)
        tops, totals = aligned(count * LANES, np.float32), aligned(count * LANES, np.float32)
        output_pack(states, groups, packed)

        def by_groups(first: int, last: int) -> None:
            scratch = aligned(2 * NEAR_WORDS * LANES, np.float32), tops, totals
            flat = weight.reshape(-1)
            output_group_losses(product, packed, groups, flat, bias, targets, losses, *scratch, first, last)

        share_out(workers, by_groups, count)
        return losses

    def run(
        self,
        states: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        goal: Objective,
        slopes: Slopes,
        live: LiveColumns | None,
        workers: Workers | None = None,
    ) -> np.ndarray:
        """Return each row's loss (R,) float64, unweighted, and write or add all gradients.

        Args:
            states: (R, F) float32, F a multiple of 16. weight: (V, F). bias: (V,).
            goal, slopes, live: see there.
            workers: threads that share groups, then words; they do not change the result.
        """
        from seqclf.kernels.output_gradients import output_subtract_targets

        rows, width = states.shape
        losses, groups = np.empty(rows), group_rows(rows, width, live)
        size = max(1, NEAR_FLOATS // (LANES * len(weight)))
        for first in range(0, len(groups), size):
            self._chunk(groups[first : first + size], states, weight, bias, goal, slopes, losses, workers)
        output_subtract_targets(
            states, goal.targets, goal.shares, goal.smoothing, slopes.d_weight.reshape(-1), slopes.d_bias
        )
        return losses

    def _chunk(
        self,
        rows_and_columns: list[tuple[np.ndarray, np.ndarray]],
        states: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        goal: Objective,
        slopes: Slopes,
        losses: np.ndarray,
        workers: Workers | None,
    ) -> None:
        from seqclf.kernels.chosen import chosen_product
        from seqclf.kernels.output_gradients import (
            RUN,
            output_d_states,
            output_d_weight,
            output_exponentials,
            output_group_scores,
            output_pack,
        )

        product, (words, width) = chosen_product(), weight.shape
        groups, count = _groups(rows_and_columns, width), len(rows_and_columns)
        packed, d_packed = (self._array(name, groups.columns.size * LANES) for name in ("packed", "d_packed"))
        scores, factors = self._array("scores", (count * words + LANES) * LANES), self._array("factors", count * LANES)
        flat, d_weight = weight.reshape(-1), slopes.d_weight.reshape(-1)
        output_pack(states, groups, packed)

        def by_groups(first: int, last: int) -> None:
            output_group_scores(product, packed, groups, flat, bias, scores, first, last)
            output_exponentials(scores, packed, groups, words, *goal, losses, factors, first, last)
            output_d_states(
                product, scores, groups, flat, words, *goal, factors, d_packed, slopes.d_states, first, last
            )  # fmt: skip

        def by_words(first: int, last: int) -> None:
            sums, squares = (aligned(2 * size * LANES, np.float32) for size in (width + 1, RUN * LANES))
            scratch = sums, squares, np.empty(RUN * LANES, np.int64)
            bounds = first * LANES, min(last * LANES, words)
            output_d_weight(product, scores, packed, groups, words, *scratch, d_weight, slopes.d_bias, *bounds)

        share_out(workers, by_groups, count)
        share_out(workers, by_words, -(-words // LANES))

    def _array(self, name: str, size: int) -> np.ndarray:
        """Return a thread's array, uninitialized."""
        kept = getattr(self._kept, name, None)
        if kept is None or kept.size < size:
            kept = aligned(size, np.float32)
            setattr(self._kept, name, kept)
        return np.asarray(kept[:size])


def _groups(rows_and_columns: list[tuple[np.ndarray, np.ndarray]], width: int) -> "Groups":
    """Return the groups as the kernels take them."""
    from seqclf.kernels.output_gradients import NEAR_WORDS, RUN, Groups

    rows = np.full((len(rows_and_columns), LANES), -1)
    for lanes, (own, _) in zip(rows, rows_and_columns, strict=True):
        lanes[: own.size] = own
    columns = np.concatenate([part for _, own in rows_and_columns for part in (own, [width])])
    bounds = np.cumsum([0, *(own.size + 1 for _, own in rows_and_columns)])
    steps = np.arange(max(NEAR_WORDS, width + 1)) * LANES
    runs = [0]
    for group, (_, own) in enumerate(rows_and_columns):
        if own is not rows_and_columns[runs[-1]][1] or group - runs[-1] == RUN:
            runs.append(group)
    runs.append(len(rows_and_columns))
    every = [own for _, own in rows_and_columns]
    alike = np.array([*(own is following for own, following in pairwise(every)), False])
    return Groups(
        rows.reshape(-1), bounds, columns, columns * LANES, np.arange(NEAR_WORDS) * width, steps, alike, np.array(runs)
    )


def share_out(workers: Workers | None, work: Callable[[int, int], None], size: int, multiple: int = 1) -> None:
    """Call ``work(first, last)`` for one part of ``0 .. size``, itself a multiple, per thread, in multiples."""
    threads = 1 if workers is None else workers.threads
    bounds = [size // multiple * k // threads * multiple for k in range(threads + 1)]
    if workers is None:
        work(0, size)
    else:
        workers.map(work, bounds[:-1], bounds[1:])
