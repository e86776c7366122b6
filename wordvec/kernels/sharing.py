"""Detection and merging of the rows shared by the lanes of a round.

A round in reproducible mode (see ``lanes.py``) has three phases, separated by barriers:

    prepare   every lane draws its slice and counts itself as a user of the rows it touches    count_users
    train     rows with a single user are trained in the table;                                settle_rows, set_places
              shared rows are copied, trained on the lane's copy, and the copy is replaced     subtract_rows
              by its change
    add       the changes are added to the table, in lane order, by columns                    add_gains

During training no thread writes a shared row of the table, and every other row is touched only by its own lane. So
every lane reads the same values regardless of which thread runs it and when.

A row with a rate of its own, such as 0 for a frozen one, counts as shared: a lane trains its copy, of whose change that
share is added. So such a row moves as usual within a lane's slice, and the next slice starts from the table again.
"""

import numpy as np

from wordvec.kernels.simd import Int, kernel, load, multiply, prefetch, prefetch_to_read, splat, store, subtract
from wordvec.kernels.slices import COPIED, DRAWN, FILLED, PRIVATE, TOUCHED, Lane, Step
from wordvec.kernels.tile import add_to

AHEAD = 12
"""Prefetch distance in rows."""


@kernel(inline=True)
def place_in_table(lane: Lane, step: Step) -> None:
    """Free running: use the rows of the table directly."""
    state, stride = lane.state, step.stride
    token_ids, negative_ids = lane.token_ids[: state[FILLED]], lane.negative_ids[: state[DRAWN]]
    for b in range(token_ids.size):
        lane.input_places[b] = np.int64(token_ids[b]) * stride
        lane.output_places[b] = (np.int64(token_ids[b]) + step.vocabulary) * stride
    for k in range(negative_ids.size):
        lane.negative_places[k] = (np.int64(negative_ids[k]) + step.vocabulary) * stride


@kernel(inline=True)
def count_users(lane: Lane, users: np.ndarray, slot_of_row: np.ndarray, step: Step) -> None:
    """Assign a slot to every row that the prepared slice touches, in order of first use, and count the lane as a user.

    The places of tokens and negatives are set to slots for now.

    Args:
        users: (2 V,) uint8, private to the thread: number of lanes touching each row, among those this thread prepared.
            Per-thread counts avoid cache-line contention, since frequent rows occur in every lane.
        slot_of_row: (2 V,) int32, private to the thread; all -1 before and after.
    """
    state, touched, vocabulary = lane.state, lane.touched, step.vocabulary
    token_ids, negative_ids = lane.token_ids[: state[FILLED]], lane.negative_ids[: state[DRAWN]]
    # Branch-free, because whether a row is new is unpredictable.
    count: Int = 0
    slot: Int
    for b in range(token_ids.size):
        token_id = np.int64(token_ids[b])
        slot = np.int64(slot_of_row[token_id])
        slot = count if slot < 0 else slot
        slot_of_row[token_id] = slot
        slot_of_row[token_id + vocabulary] = slot + 1
        touched[slot] = token_id
        touched[slot + 1] = token_id + vocabulary
        lane.input_places[b] = slot
        lane.output_places[b] = slot + 1
        count = max(count, slot + 2)
    for k in range(negative_ids.size):
        row = np.int64(negative_ids[k]) + vocabulary
        slot = np.int64(slot_of_row[row])
        slot = count if slot < 0 else slot
        slot_of_row[row] = slot
        touched[slot] = row
        lane.negative_places[k] = slot
        count = max(count, slot + 1)
    state[TOUCHED] = count
    for row in touched[:count]:
        slot_of_row[row] = -1
        users[row] += np.uint8(row >= step.composed)  # a composed row is always private


@kernel(internal=True)
def share_rated_rows(lane: Lane, users: np.ndarray, step: Step, row_rates: np.ndarray) -> None:
    """Count the touched rows with a rate of their own as shared."""
    if row_rates.size:
        for row in lane.touched[: lane.state[TOUCHED]]:
            if row_rates[row] != 1 and row >= step.composed:
                users[row] = np.uint8(2)


@kernel(inline=True)
def clear_users(lane: Lane, users: np.ndarray) -> None:
    """Clear the users (T, 2 V) of the lane's rows, whichever threads counted them."""
    for thread in range(users.shape[0]):
        for row in lane.touched[: lane.state[TOUCHED]]:
            users[thread, row] = 0
    lane.state[TOUCHED] = 0


@kernel(inline=True)
def is_shared(users: np.ndarray, row: int) -> np.bool_:
    count = np.int64(0)
    for thread in range(users.shape[0]):
        count += users[thread, row]
    return count > 1


@kernel(inline=True)
def settle_rows(memory: np.ndarray, lane: Lane, users: np.ndarray, step: Step) -> None:
    """Copy the shared rows among the touched ones to the lane's private rows, and set the place of each slot, unless a
    composed row has one."""
    state, stride, copied = lane.state, step.stride, lane.copied
    count: Int = 1  # private row 0 is the padding row
    # Listed first and without branches, because whether a row is shared is unpredictable.
    for slot in range(state[TOUCHED]):
        row = lane.touched[slot]
        shared = is_shared(users, row)
        place = row * stride if row >= step.composed else lane.places[slot]
        lane.places[slot] = state[PRIVATE] + count * stride if shared else place
        copied[count] = row
        count += np.int64(shared)
    state[COPIED] = count
    for c in range(1 - AHEAD, count):
        # For reading: other lanes copy the same row at the same time.
        if c + AHEAD < count:
            for d in range(0, stride, 16):
                prefetch_to_read(memory, copied[c + AHEAD] * stride + d)
        if c >= 1:
            for d in range(0, stride, 16):
                store(memory, state[PRIVATE] + c * stride + d, load(memory, copied[c] * stride + d))


@kernel(inline=True)
def set_places(lane: Lane) -> None:
    """Convert the slots of tokens and negatives to places."""
    state = lane.state
    for b in range(state[FILLED]):
        lane.input_places[b] = lane.places[lane.input_places[b]]
        lane.output_places[b] = lane.places[lane.output_places[b]]
    for k in range(state[DRAWN]):
        lane.negative_places[k] = lane.places[lane.negative_places[k]]


@kernel(inline=True)
def subtract_rows(memory: np.ndarray, lane: Lane, step: Step) -> None:
    """Replace the lane's private rows by their change; the table's rows have not changed since copying."""
    start, stride = lane.state[PRIVATE], step.stride
    for k in range(1, lane.state[COPIED]):
        place, row = start + k * stride, lane.copied[k] * stride
        for d in range(0, stride, 16):
            store(memory, place + d, subtract(load(memory, place + d), load(memory, row + d)))


@kernel(internal=True)
def scale_changes(memory: np.ndarray, lane: Lane, step: Step, row_rates: np.ndarray) -> None:
    """Multiply the changes of rows with a rate of their own by it."""
    if row_rates.size:
        start, stride = lane.state[PRIVATE], step.stride
        for k in range(1, lane.state[COPIED]):
            place, rate = start + k * stride, row_rates[lane.copied[k]]
            for d in range(0, stride, 16):
                store(memory, place + d, multiply(load(memory, place + d), splat(rate)))
            if rate == 0:
                for d in range(0, stride, 16):
                    store(memory, place + d, splat(np.float32(-0.0)))  # x + -0.0 is x bit for bit, 0.0 and -0.0 as well


@kernel(inline=True)
def columns_of(thread: int, threads: int, stride: int) -> tuple[int, int, int, int]:
    """Return the first column of ``thread`` among ``threads``, the one after its last, and which of how many groups it
    is in: more threads than a row has vectors are several groups, each with all columns; the rest are in none."""
    vectors = stride // 16
    groups = (threads + vectors - 1) // vectors
    parts = threads // groups
    part, group = thread % parts, thread // parts
    return vectors * part // parts * 16, vectors * (part + 1) // parts * 16, group, groups


@kernel(inline=True)
def is_owner(row: int, thread: int, threads: int) -> bool:
    """Whether this thread adds to the row; hashing spreads the adjacent frequent rows over all threads."""
    scattered = (np.uint64(row) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    owns: bool = np.int64((scattered * np.uint64(threads)) >> np.uint64(32)) == thread
    return owns


@kernel(inline=True)
def add_gains(memory: np.ndarray, lanes: Lane, step: Step, thread: int, threads: int) -> None:
    """Add every lane's changes, in lane order, to the columns of ``thread`` among ``threads``, of all rows or, if the
    threads are more than a row has vectors, of some.

    Columns rather than rows: which rows are a thread's own is unpredictable. A plain sum, which approximates sequential
    steps if a round has few tokens. Alternatives that avoid overshoot in long rounds (counting common updates once, or
    averaging) were measured to learn less from the same text.
    """
    stride = step.stride
    first, last, group, groups = columns_of(thread, threads, stride)
    for k in range(lanes.state.shape[0] if group < groups else 0):
        start, count, copied = lanes.state[k, PRIVATE], lanes.state[k, COPIED], lanes.copied[k]
        for c in range(1 - AHEAD, count):
            if c + AHEAD < count:
                for d in range(first, last, 16):
                    prefetch(memory, copied[c + AHEAD] * stride + d)
                    prefetch_to_read(memory, start + (c + AHEAD) * stride + d)
            if c >= 1 and (groups == 1 or is_owner(copied[c], group, groups)):
                for d in range(first, last, 16):
                    add_to(memory, copied[c] * stride + d, load(memory, start + c * stride + d))
