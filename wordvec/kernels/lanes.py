"""Parallel training over lanes: bit-reproducible at any number of threads, or Hogwild.

Reproducible. The corpus is split into a fixed number of lanes. In a round, every lane trains its next slice in
isolation: in place on rows that no other lane touches in this round, and on private copies of shared rows. Then the
updates of the copies are added to the table in lane order (``sharing.py``). Threads only determine who runs a lane and
who adds to which rows, so their number does not affect the result. The staleness of a round of lanes x slice tokens is
part of the algorithm and the same for every number of threads.

Free running (Hogwild, Recht et al. 2011, arXiv 1106.5730). One lane per thread, all on the same tables, without
synchronization.
"""

from typing import Any

import numpy as np
from numba import types

from wordvec.kernels.objectives import Objective, list_rows, train_centers
from wordvec.kernels.sharing import (
    add_changes,
    clear_users,
    mark_users,
    place_in_table,
    settle_rows,
    share_rated_rows,
)
from wordvec.kernels.simd import Parts, atomic_add, atomic_exchange, atomic_read, kernel, yield_processor
from wordvec.kernels.slices import CENTER, COPIED, FILLED, LAST_CENTER, POSITION, Lane, Step, Text, prepare_slice
from wordvec.kernels.subwords import compose_words, list_words, spread_words
from wordvec.kernels.tile import Tile

STOP, STOPPING, ARRIVED, READY, TAKEN = range(0, 40, 8)
"""Indices in ``control`` (each on its own cache line): stop request (1); whether thread 0 saw it, so that the next
round is the last; barrier arrivals so far; slices prepared so far; from there on, for every lane, the last phase for
which a thread has taken it."""

CONTROL = 40
"""Size of ``control`` without the lanes; each lane adds LINE."""

LINE = 8

SPINS = 200_000
"""Spins of a waiting thread before it yields its processor: about 0.1 ms, longer than a lane takes."""


@kernel(inline=True)
def wait_for_all(control: np.ndarray, threads: int, barriers: int) -> None:
    """Wait until all threads have called this for the ``barriers``-th time."""
    atomic_add(control, ARRIVED, 1)
    spins = 0
    while atomic_read(control, ARRIVED) < barriers * threads:
        spins += 1
        if spins > SPINS:
            yield_processor()


@kernel(inline=True)
def lane_at(lanes: Lane, k: int) -> Lane:
    return Lane(
        lanes.state[k],
        lanes.loss[k],
        lanes.token_ids[k],
        lanes.positions[k],
        lanes.sentences[k],
        lanes.left[k],
        lanes.right[k],
        lanes.input_places[k],
        lanes.output_places[k],
        lanes.negative_ids[k],
        lanes.negative_places[k],
        lanes.uses[k],
        lanes.copied[k],
        lanes.words[k],
    )


@kernel(inline=True)
def tile_at(tiles: Tile, k: int) -> Tile:
    return Tile(
        tiles.rows[k],
        tiles.ahead[k],
        tiles.weights[k],
        tiles.targets[k],
        tiles.scores[k],
        tiles.gradients[k],
        tiles.pair_weights[k],
        tiles.window_weights[k],
        tiles.contexts[k],
        tiles.hidden[k],
        tiles.slot_of_row[k],
        tiles.marked[k],
        tiles.merging[k],
    )


@kernel(inline=True)
def is_finished(lane: Lane, lane_end: int) -> bool:
    finished: bool = lane.state[POSITION] >= lane_end and lane.state[LAST_CENTER] >= lane.state[FILLED]
    return finished


@kernel(inline=True)
def take(control: np.ndarray, k: int, phase: int) -> bool:
    """Whether this thread gets lane k in this phase; the first one to ask does."""
    place = TAKEN + k * LINE
    return atomic_read(control, place) != phase and atomic_exchange(control, place, phase) != phase


@kernel(inline=True)
def lane_in_turn(i: int, lanes: int, thread: int, threads: int) -> int:
    """Return the lane that ``thread`` asks for in turn i: first its own, whose rows are in its cache, then others.

    This work stealing keeps a busy processor from delaying the round.
    """
    return (thread * lanes // threads + i) % lanes


@kernel(inline=True)
def prepare_lane(
    lane: Lane, k: int, tiles: Tile, users: np.ndarray, text: Text, step: Step, objective: Objective,
    bounds: np.ndarray, slice_size: int, thread: int, control: np.ndarray, rounds: int,
) -> None:  # fmt: skip
    """Prepare the slice that lane ``k`` trains in round ``rounds``, if there is one, and mark the rows it touches."""
    part = rounds % 2  # others still need the marks and words of the previous round
    words, slot_of_row, marked = lane.words[part], tiles.slot_of_row[thread], tiles.marked[thread, part]
    words[0] = 0
    if not is_finished(lane, bounds[k + 1]):
        prepare(lane, text, step, objective, bounds[k + 1], slice_size)
        mark_users(lane, k, users[part, thread], marked, step)
        share_rated_rows(users[part, thread], marked, objective.row_rates)
        list_words(lane, words, slot_of_row, step, objective.subwords)
        atomic_add(control, READY, 1)


@kernel(inline=True)
def start_lane(lane: Lane) -> None:
    """Leave nothing to train, add or spread in round 0, in which lanes are only prepared."""
    lane.state[CENTER] = lane.state[LAST_CENTER]
    lane.state[COPIED] = lane.words[0, 0] = 0


@kernel(internal=True)
def settle_lane(memory: np.ndarray, lane: Lane, users: np.ndarray, slot_of_row: np.ndarray, step: Step) -> None:
    """Copy the rows that the prepared slice shares, and find the places of all."""
    lane.state[COPIED] = 0
    if lane.state[CENTER] < lane.state[LAST_CENTER]:
        settle_rows(memory, lane, users, slot_of_row, step)


@kernel(inline=True)
def compose_lanes(
    memory: np.ndarray, lanes: Lane, tiles: Tile, users: np.ndarray, step: Step, objective: Objective, thread: int,
    threads: int, control: np.ndarray, phase: int, rounds: int,
) -> None:  # fmt: skip
    """Compose the columns of ``thread`` of all lanes' words; settle lanes, so that fewer columns are not less work."""
    count = lanes.state.shape[0]
    for k in range(count):
        lane = lane_at(lanes, k)
        compose_words(memory, lane, lane.words[rounds % 2], step, objective.subwords, thread, threads)
    for i in range(count):
        k = lane_in_turn(i, count, thread, threads)
        if take(control, k, phase):
            settle_lane(memory, lane_at(lanes, k), users, tiles.slot_of_row[thread], step)


@kernel(inline=True)
def train_lanes(
    memory: np.ndarray, lanes: Lane, tiles: Tile, users: np.ndarray, text: Text, step: Step, objective: Objective,
    bounds: np.ndarray, slice_size: int, thread: int, threads: int, control: np.ndarray, phase: int, rounds: int,
    stopping: bool,
) -> None:  # fmt: skip
    """Train the prepared slices, after settling those that are not composed, and prepare the next ones, unless
    ``stopping``."""
    count = lanes.state.shape[0]
    for i in range(count):
        k = lane_in_turn(i, count, thread, threads)
        if take(control, k, phase):
            lane = lane_at(lanes, k)
            if rounds == 0:
                start_lane(lane)
            elif step.composed == 0:
                settle_lane(memory, lane, users[rounds % 2], tiles.slot_of_row[thread], step)
            if lane.state[CENTER] < lane.state[LAST_CENTER]:
                train_slice(memory, lane, tile_at(tiles, thread), text, step, objective, bounds[k], bounds[k + 1])
            if not stopping:
                prepare_lane(
                    lane, k, tiles, users, text, step, objective, bounds, slice_size, thread, control, rounds + 1
                )


@kernel(inline=True)
def spread_lanes(
    memory: np.ndarray, lanes: Lane, step: Step, objective: Objective, thread: int, threads: int, rounds: int
) -> None:
    """Add the changes of composed words to the columns of ``thread``, in lane order."""
    for k in range(lanes.state.shape[0]):
        lane = lane_at(lanes, k)
        spread_words(
            memory, lane, lane.words[rounds % 2], step, objective.subwords, objective.row_rates, thread, threads
        )


@kernel(inline=True)
def prepare(lane: Lane, text: Text, step: Step, objective: Objective, lane_end: int, slice_size: int) -> None:
    """Prepare the lane's next slice and list the output rows it is scored against."""
    prepare_slice(lane, text, step, lane_end, slice_size)
    list_rows(lane, text, step, objective.skipgram, objective.fresh, objective.paths, objective.softmax)


@kernel(inline=True)
def train_slice(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, step: Step, objective: Objective, lane_start: int,
    lane_end: int,
) -> None:  # fmt: skip
    """Train the lane's prepared slice; the learning rate decays linearly over the lane."""
    done = (lane.positions[lane.state[CENTER]] - lane_start) / max(lane_end - lane_start, 1)
    rate = step.first_rate + (step.last_rate - step.first_rate) * done
    train_centers(
        memory, lane, tile, text, step, rate, objective.skipgram, objective.divide, objective.shared, objective.fresh,
        objective.paths, objective.softmax,
    )  # fmt: skip
    lane.state[CENTER] = lane.state[LAST_CENTER]


def parts_of_rounds(signature: Any) -> Parts:
    """Return the kernels that ``train_rounds`` calls for every objective, with the types of their arguments."""
    memory, lanes, tiles, users, text, step, _, bounds, number, *_ = signature

    def below(array: Any, axes: int = 1) -> Any:
        return array.copy(ndim=array.ndim - axes)

    lane = types.NamedTuple([below(array) for array in lanes], Lane)
    tile = Tile(*tiles)
    return [
        (settle_lane, (memory, lane, below(users), below(tile.slot_of_row), step)),
        (mark_users, (lane, number, below(users, 2), below(tile.marked, 2), step)),
        (prepare_slice, (lane, text, step, bounds.dtype, number)),
    ]


@kernel(parts=parts_of_rounds)
def train_rounds(
    memory: np.ndarray, lanes: Lane, tiles: Tile, users: np.ndarray, text: Text, step: Step, objective: Objective,
    bounds: np.ndarray, slice_size: int, thread: int, threads: int, control: np.ndarray,
) -> None:  # fmt: skip
    """Train rounds until the epoch ends or a stop is requested; called once by each of ``threads`` threads.

    Args:
        memory: (all rows * stride,) float32: the input rows, the output rows, and each lane's private rows, the first
            of which is its padding row; updated in place.
        lanes, tiles: ``Lane`` with a leading axis of L lanes, ``Tile`` with one of threads; updated in place.
        users: (2, threads, 2 V) uint8, for odd and even rounds; zero before and after the call.
        objective: the parts of an ``Objective``.
        bounds: (L + 1,) int64, corpus position where each lane starts, and the end.
        control: (CONTROL + L * LINE,) int64, zero on entry.
    """
    rounds = trained = phases = 0
    while True:
        if step.composed > 0 and rounds > 0:
            compose_lanes(
                memory, lanes, tiles, users[rounds % 2], step, objective, thread, threads, control, phases + 1, rounds
            )
            phases += 1
            wait_for_all(control, threads, phases)
        # Only set between the next two barriers, so all read the same value.
        stopping = atomic_read(control, STOPPING) != 0
        train_lanes(
            memory, lanes, tiles, users, text, step, objective, bounds, slice_size, thread, threads, control,
            phases + 1, rounds, stopping,
        )  # fmt: skip
        phases += 1
        wait_for_all(control, threads, phases)
        # No slice is prepared until all threads pass the next barrier.
        prepared = atomic_read(control, READY)
        add_changes(
            memory, lanes, step, objective.row_rates, tiles.slot_of_row[thread], tiles.merging[thread], thread, threads
        )
        spread_lanes(memory, lanes, step, objective, thread, threads, rounds)
        clear_users(users[rounds % 2, thread], tiles.marked[thread, rounds % 2])
        if prepared == trained:
            return
        trained = prepared
        if thread == 0 and atomic_read(control, STOP) != 0:
            atomic_add(control, STOPPING, 1)
        phases += 1
        wait_for_all(control, threads, phases)
        rounds += 1


@kernel
def train_freely(
    memory: np.ndarray, lanes: Lane, tiles: Tile, text: Text, step: Step, objective: Objective, bounds: np.ndarray,
    slice_size: int, thread: int, control: np.ndarray,
) -> None:  # fmt: skip
    """Train lane ``thread`` on the shared table until its epoch ends or a stop is requested."""
    lane, tile = lane_at(lanes, thread), tile_at(tiles, thread)
    while not is_finished(lane, bounds[thread + 1]) and atomic_read(control, STOP) == 0:
        prepare(lane, text, step, objective, bounds[thread + 1], slice_size)
        if lane.state[CENTER] < lane.state[LAST_CENTER]:
            place_in_table(lane, step)
            train_slice(memory, lane, tile, text, step, objective, bounds[thread], bounds[thread + 1])
