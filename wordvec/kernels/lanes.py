"""Lanes side by side: the same bits at any number of threads, or free running.

Reproducible. The corpus is cut into a fixed number of lanes. In a round every lane trains its next slice against a
snapshot of the tables that nobody writes, and keeps what it adds to each row in a delta of its own; a lane always sees
snapshot + its own delta. When all lanes are done, the deltas are added to the tables row by row, in the order of the
lanes. Threads only decide who runs a lane and who adds a row, so their number cannot be seen in the result. What a
round of lanes x slice tokens costs in freshness is a part of the algorithm, the same for every number of threads.

Free running (hogwild, Recht et al. 2011, arXiv 1106.5730). One lane a thread, all on the same tables, waiting for
nobody.
"""

import numpy as np

from wordvec.kernels.negative_sampling import prefetch_row, train_cbow_slice, train_skipgram_slice
from wordvec.kernels.simd import (
    atomic_add,
    atomic_read,
    kernel,
    load,
    yield_processor,
)
from wordvec.kernels.slices import FILLED, LAST_CENTER, POSITION, TOUCHED, Lane, assign_slots, prepare_slice
from wordvec.kernels.tile import Tile, add_to

STOP, STOP_ROUND, ARRIVED, NEXT = range(0, 32, 8)
"""Places in ``control`` (each on a cache line of its own): set to 1 to ask for a stop at the end of a round; the
round in which thread 0 saw that; threads that have come to a barrier so far; lanes asked for so far."""

CONTROL = 32
"""The size of ``control``."""

SPINS = 20_000
"""How often a thread looks whether the others have arrived before it lets another one have its processor."""


@kernel
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
        lanes.input_slots[k],
        lanes.output_slots[k],
        lanes.negative_ids[k],
        lanes.negative_slots[k],
        lanes.touched[k],
    )


@kernel(inline=True)
def tile_at(tiles, k):
    return Tile(
        tiles.rows[k],
        tiles.slots[k],
        tiles.weights[k],
        tiles.targets[k],
        tiles.scores[k],
        tiles.gradients[k],
        tiles.pair_weights[k],
        tiles.hidden[k],
        tiles.slot_of_row[k],
    )


@kernel(inline=True)
def is_finished(lane, lane_end):
    return lane.state[POSITION] >= lane_end and lane.state[LAST_CENTER] >= lane.state[FILLED]


@kernel
def count_unfinished(lanes, bounds):
    unfinished = 0
    for k in range(lanes.state.shape[0]):
        unfinished += not is_finished(lane_at(lanes, k), bounds[k + 1])
    return unfinished


@kernel
def train_slice(table, delta, lane, tile, text, step, divide, lane_start, lane_end, slice_size):
    """Prepare and train the lane's next slice; the learning rate falls with the lane's share of the epoch.

    ``divide`` is None for skip-gram, so that the other architecture is not even compiled.
    """
    done = (lane.state[POSITION] - lane_start) / max(lane_end - lane_start, 1)
    rate = step.first_rate + (step.last_rate - step.first_rate) * done
    prepare_slice(lane, text, step, lane_end, slice_size)
    if delta is not None:
        assign_slots(lane, delta, tile.slot_of_row, step)
    if divide is None:
        train_skipgram_slice(table, delta, lane, tile, lane.loss, step, rate)
    else:
        train_cbow_slice(table, delta, lane, tile, lane.loss, step, rate, divide)


@kernel
def add_deltas(table, deltas, lanes, stride, thread, threads):
    """Add every lane's delta to the rows whose number leaves ``thread`` when divided by ``threads``, in lane order.

    A plain sum, as if the lanes had taken their steps one after another. With few tokens in a round it stays close to
    that; what avoids the overshoot of long rounds (counting once what lanes have in common, or averaging) was measured
    to learn less from the same text.
    """
    for k in range(lanes.state.shape[0]):
        touched, delta, count = lanes.touched[k], deltas[k], lanes.state[k, TOUCHED]
        for place in range(1, count):  # place 0 is the padding row
            row = np.int64(touched[place])
            if row % threads == thread:
                ahead = np.int64(touched[min(place + 8, count - 1)])
                prefetch_row(table, ahead * stride, stride)
                for d in range(0, stride, 16):
                    add_to(table, row * stride + d, load(delta, place * stride + d))


@kernel
def train_rounds(table, deltas, lanes, tiles, text, step, divide, bounds, slice_size, thread, threads, control):
    """Train rounds until the epoch ends or a stop is asked for; called once by each of ``threads`` threads.

    Args:
        table: ((2 V + 1) * stride,) float32, input rows, output rows and a padding row; updated in place.
        deltas: (L, rows * stride) float32, scratch.
        lanes, tiles: ``Lane`` with an axis of L lanes in front, ``Tile`` with one of threads; updated in place.
        divide: None for skip-gram; for CBOW whether the gradient is divided by the number of contexts.
        bounds: (L + 1,) int64, where each lane starts and ends in the corpus.
        control: (CONTROL,) int64, zero at the call.
    """
    rounds = barriers = 0
    count = lanes.state.shape[0]
    unfinished, stopping = 1, False
    while unfinished > 0 and not stopping:
        rounds += 1
        if thread == 0 and atomic_read(control, STOP) != 0:
            atomic_add(control, STOP_ROUND, rounds)
        # Whoever is free takes the next lane: a processor that others use too holds nobody up. Each thread asks once in
        # vain in every round.
        taken = (rounds - 1) * (count + threads) + 1
        k = atomic_add(control, NEXT, 1) - taken
        while k < count:
            lane = lane_at(lanes, k)
            if is_finished(lane, bounds[k + 1]):
                lane.state[TOUCHED] = 0
            else:
                tile = tile_at(tiles, thread)
                train_slice(table, deltas[k], lane, tile, text, step, divide, bounds[k], bounds[k + 1], slice_size)
            k = atomic_add(control, NEXT, 1) - taken
        barriers += 1
        wait_for_all(control, threads, barriers)
        add_deltas(table, deltas, lanes, step.stride, thread, threads)
        # Lanes rest between the two barriers: all threads see the same.
        unfinished = count_unfinished(lanes, bounds)
        stopping = atomic_read(control, STOP_ROUND) == rounds
        barriers += 1
        wait_for_all(control, threads, barriers)


@kernel
def train_freely(table, lanes, tiles, text, step, divide, bounds, slice_size, thread, control):
    """Train lane ``thread`` on the shared table until its epoch ends or a stop is asked for."""
    lane, tile = lane_at(lanes, thread), tile_at(tiles, thread)
    while not is_finished(lane, bounds[thread + 1]) and atomic_read(control, STOP) == 0:
        train_slice(table, None, lane, tile, text, step, divide, bounds[thread], bounds[thread + 1], slice_size)
