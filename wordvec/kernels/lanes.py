"""Lanes side by side: the same bits at any number of threads, or free running.

Reproducible. The corpus is cut into a fixed number of lanes. In a round every lane trains its next slice as if it were
alone: on rows that no other lane touches in this round, and on copies of those that several touch. Then what the copies
have gained is added to the table, row by row, in the order of the lanes (``sharing.py``). Threads only decide who runs
a lane and who adds a row, so their number cannot be seen in the result. What a round of lanes x slice tokens costs in
freshness is a part of the algorithm, the same for every number of threads.

Free running (hogwild, Recht et al. 2011, arXiv 1106.5730). One lane a thread, all on the same tables, waiting for
nobody.
"""

from wordvec.kernels.objectives import list_rows, train_centers
from wordvec.kernels.sharing import add_gains, clear_users, count_users, place_in_table, settle_rows, subtract_rows
from wordvec.kernels.simd import atomic_add, atomic_exchange, atomic_read, kernel, yield_processor
from wordvec.kernels.slices import CENTER, COPIED, FILLED, LAST_CENTER, POSITION, Lane, prepare_slice
from wordvec.kernels.tile import Tile

STOP, STOP_ROUND, ARRIVED, READY, TAKEN = range(0, 40, 8)
"""Places in ``control`` (each on a cache line of its own): set to 1 to ask for a stop at the end of a round; the
round in which thread 0 saw that; threads that have come to a barrier so far; slices that were prepared so far; from
there on, for every lane, the phase for which a thread has taken it last."""

CONTROL = 40
"""The size of ``control`` without the lanes; each of them adds LINE."""

LINE = 8

SPINS = 100_000
"""How often a thread looks whether the others have arrived before it lets another one have its processor."""


@kernel(inline=True)
def wait_for_all(control, threads, barriers):
    """Return when all threads have called this for the ``barriers``-th time."""
    atomic_add(control, ARRIVED, 1)
    spins = 0
    while atomic_read(control, ARRIVED) < barriers * threads:
        spins += 1
        if spins > SPINS:
            yield_processor()


@kernel(inline=True)
def lane_at(lanes, k):
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
        lanes.touched[k],
        lanes.places[k],
        lanes.copied[k],
    )


@kernel(inline=True)
def tile_at(tiles, k):
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
    )


@kernel(inline=True)
def is_finished(lane, lane_end):
    return lane.state[POSITION] >= lane_end and lane.state[LAST_CENTER] >= lane.state[FILLED]


@kernel(inline=True)
def take(control, k, phase):
    """Whether lane k is this thread's in this phase: the first one to ask has it."""
    place = TAKEN + k * LINE
    return atomic_read(control, place) != phase and atomic_exchange(control, place, phase) != phase


@kernel(inline=True)
def lane_in_turn(i, lanes, thread, threads):
    """The lane that ``thread`` asks for in turn i: first its own, whose rows are still near, then those of others.

    So a processor that is busy with something else holds nobody up.
    """
    return (thread * lanes // threads + i) % lanes


@kernel(inline=True)
def prepare_lanes(
    lanes, tiles, users, text, step, objective, bounds, slice_size, thread, threads, control, phase, rounds, stopping
):  # fmt: skip
    """Forget the users of the round behind; unless ``stopping``, draw the lanes' next slices and count theirs."""
    count = lanes.state.shape[0]
    for i in range(count):
        k = lane_in_turn(i, count, thread, threads)
        if take(control, k, phase):
            lane = lane_at(lanes, k)
            clear_users(lane, users[rounds % 2])
            if not (stopping or is_finished(lane, bounds[k + 1])):
                prepare(lane, text, step, objective, bounds[k + 1], slice_size)
                # Other counts than those of the round behind, which other lanes have not cleared yet.
                count_users(lane, users[(rounds + 1) % 2, thread], tiles.slot_of_row[thread], step)
                atomic_add(control, READY, 1)


@kernel(inline=True)
def train_lanes(memory, lanes, tiles, users, text, step, objective, bounds, thread, threads, control, phase):
    """Train the slices that are prepared."""
    count = lanes.state.shape[0]
    for i in range(count):
        k = lane_in_turn(i, count, thread, threads)
        if take(control, k, phase):
            lane = lane_at(lanes, k)
            lane.state[COPIED] = 0
            if lane.state[CENTER] < lane.state[LAST_CENTER]:
                settle_rows(memory, lane, users, step)
                train_slice(memory, lane, tile_at(tiles, thread), text, step, objective, bounds[k], bounds[k + 1])
                subtract_rows(memory, lane, step)


@kernel(inline=True)
def prepare(lane, text, step, objective, lane_end, slice_size):
    """Draw the lane's next slice, and list the output rows that it is scored with."""
    prepare_slice(lane, text, step, lane_end, slice_size)
    skipgram, _, _, fresh, paths, softmax = objective
    list_rows(lane, text, step, skipgram, fresh, paths, softmax)


@kernel(inline=True)
def train_slice(memory, lane, tile, text, step, objective, lane_start, lane_end):
    """Train the lane's prepared slice; the learning rate falls with the lane's share of the epoch."""
    done = (lane.positions[lane.state[CENTER]] - lane_start) / max(lane_end - lane_start, 1)
    rate = step.first_rate + (step.last_rate - step.first_rate) * done
    skipgram, divide, shared, fresh, paths, softmax = objective
    train_centers(memory, lane, tile, text, step, rate, skipgram, divide, shared, fresh, paths, softmax)
    lane.state[CENTER] = lane.state[LAST_CENTER]


@kernel
def train_rounds(memory, lanes, tiles, users, text, step, objective, bounds, slice_size, thread, threads, control):
    """Train rounds until the epoch ends or a stop is asked for; called once by each of ``threads`` threads.

    Args:
        memory: (all rows * stride,) float32: the input rows, the output rows, and each lane's private rows, of which
            the first is its padding row; updated in place.
        lanes, tiles: ``Lane`` with an axis of L lanes in front, ``Tile`` with one of threads; updated in place.
        users: (2, threads, 2 V) uint8, zero at the call and after it: of odd and even rounds.
        objective: what is learned.
        bounds: (L + 1,) int64, where each lane starts and ends in the corpus.
        control: (CONTROL + L * LINE,) int64, zero at the call.
    """
    rounds = trained = 0
    stopping = False
    while True:
        prepare_lanes(
            lanes, tiles, users, text, step, objective, bounds, slice_size, thread, threads, control, 2 * rounds + 1,
            rounds, stopping,
        )  # fmt: skip
        wait_for_all(control, threads, 2 * rounds + 1)
        # Between two barriers nobody prepares: all threads see the same.
        if atomic_read(control, READY) == trained:
            return
        trained = atomic_read(control, READY)
        rounds += 1
        if thread == 0 and atomic_read(control, STOP) != 0:
            atomic_add(control, STOP_ROUND, rounds)
        train_lanes(
            memory, lanes, tiles, users[rounds % 2], text, step, objective, bounds, thread, threads, control, 2 * rounds
        )
        wait_for_all(control, threads, 2 * rounds)
        add_gains(memory, lanes, step, thread, threads)
        stopping = atomic_read(control, STOP_ROUND) == rounds


@kernel
def train_freely(memory, lanes, tiles, text, step, objective, bounds, slice_size, thread, control):
    """Train lane ``thread`` on the shared table until its epoch ends or a stop is asked for."""
    lane, tile = lane_at(lanes, thread), tile_at(tiles, thread)
    while not is_finished(lane, bounds[thread + 1]) and atomic_read(control, STOP) == 0:
        prepare(lane, text, step, objective, bounds[thread + 1], slice_size)
        if lane.state[CENTER] < lane.state[LAST_CENTER]:
            place_in_table(lane, step)
            train_slice(memory, lane, tile, text, step, objective, bounds[thread], bounds[thread + 1])
