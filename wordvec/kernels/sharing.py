"""Detection and merging of the rows shared by the lanes of a round.

A round in reproducible mode (see ``lanes.py``) has two phases, separated by barriers. A lane is prepared for the next
round right after it has trained, while its buffers are in the cache:

    train     rows that no other lane touches are trained in the table;                        settle_rows
              shared rows are copied, trained on the lane's copy, and the copy is replaced     subtract_rows
              by its change
    prepare   the lane draws its next slice and marks the rows it will touch                   mark_users
    add       the changes are added to the table, in lane order, by columns                    add_gains

During training no thread writes a shared row of the table, and every other row is touched only by its own lane. So
every lane reads the same values regardless of which thread runs it and when.

A row with a rate of its own, such as 0 for a frozen one, counts as shared: a lane trains its copy, of whose change that
share is added. So such a row moves as usual within a lane's slice, and the next slice starts from the table again.
"""

import numpy as np

from wordvec.kernels.simd import (
    PART,
    kernel,
    load,
    load_part,
    multiply,
    prefetch,
    prefetch_to_read,
    splat,
    store,
    subtract,
)
from wordvec.kernels.slices import COPIED, DRAWN, FILLED, PRIVATE, Lane, Step
from wordvec.kernels.tile import add_part_to

AHEAD = 12
"""Prefetch distance in rows."""

NOBODY, SHARED = np.uint8(0), np.uint8(255)
"""Users of a row that no lane touches, and of one that several do; others are the number of a lane, from 1 on."""


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
def mark_rows(ids: np.ndarray, first: int, users: np.ndarray, user: np.uint8, marked: np.ndarray) -> None:
    """Mark rows ``first`` + id as touched by ``user``, and list them. Branch-free, because whether another lane touches
    a row is unpredictable."""
    count = np.int64(marked[0])
    for k in range(ids.size):
        row = np.uint64(ids[k]) + np.uint64(first)
        other = users[row]
        users[row] = user if (other == NOBODY) | (other == user) else SHARED
        marked[1 + count + k] = row
    marked[0] = count + ids.size


@kernel(internal=True)
def mark_users(lane: Lane, k: int, users: np.ndarray, marked: np.ndarray, step: Step) -> None:
    """Mark the rows that the prepared slice of lane ``k`` touches, but no composed ones, which are always private.

    Args:
        users: (2 V,) uint8, private to the thread: the lane that touches each row, among those this thread prepared.
            Tables of their own avoid cache-line contention, since frequent rows occur in every lane.
        marked: (1 + marks,) uint32, private to the thread: the number of marks in ``users``, and their rows.
    """
    user = np.uint8(min(k + 1, int(SHARED)))  # the rows of lanes without a number of their own count as shared
    token_ids, negative_ids = lane.token_ids[: lane.state[FILLED]], lane.negative_ids[: lane.state[DRAWN]]
    if step.composed == 0:
        mark_rows(token_ids, 0, users, user, marked)
    mark_rows(token_ids, step.vocabulary, users, user, marked)
    mark_rows(negative_ids, step.vocabulary, users, user, marked)


@kernel(internal=True)
def share_rated_rows(users: np.ndarray, marked: np.ndarray, row_rates: np.ndarray) -> None:
    """Mark the rows with a rate of their own as shared, among those that are marked."""
    if row_rates.size:
        for row in marked[1 : 1 + np.int64(marked[0])]:
            if row_rates[row] != 1:
                users[row] = SHARED


@kernel(inline=True)
def clear_users(users: np.ndarray, marked: np.ndarray) -> None:
    """Remove the thread's marks."""
    for row in marked[1 : 1 + np.int64(marked[0])]:
        users[row] = NOBODY
    marked[0] = 0


@kernel(inline=True)
def is_shared(users: np.ndarray, row: np.uint64) -> np.bool_:
    user = users[0, row]
    shared: np.bool_ = user == SHARED
    for thread in range(1, users.shape[0]):
        other = users[thread, row]
        shared |= (other == SHARED) | ((other != NOBODY) & (user != NOBODY))
        user |= other
    return shared


@kernel(internal=True)
def settle_uses(
    ids: np.ndarray, first: int, places: np.ndarray, uses: np.ndarray, copied: np.ndarray, private: int,
    users: np.ndarray, slot_of_row: np.ndarray, count: np.int32, stride: int,
) -> np.int32:  # fmt: skip
    """Set the place of every use of rows ``first`` + id: in the table, or, if shared, in one of the private rows from
    ``private`` on, of which ``count`` are taken; return how many are then."""
    shared = np.uint64(0)
    # Listed first and without branches, because whether a row is shared, and whether it is new, is unpredictable. With
    # unsigned numbers, because Numba wraps around negative ones.
    for k in range(ids.size):
        row = np.uint64(ids[k]) + np.uint64(first)
        places[k] = np.int64(row) * stride
        uses[shared] = k
        shared += np.uint64(is_shared(users, row))
    for i in range(shared):
        use = np.uint64(uses[i])
        row = np.uint64(ids[use]) + np.uint64(first)
        slot = slot_of_row[row]
        slot = count if slot < 0 else slot
        slot_of_row[row] = slot
        copied[np.uint64(slot)] = row
        places[use] = private + np.int64(slot) * stride
        count = max(count, np.int32(slot + 1))
    return count


@kernel(inline=True)
def settle_rows(memory: np.ndarray, lane: Lane, users: np.ndarray, slot_of_row: np.ndarray, step: Step) -> None:
    """Copy the shared rows among the touched ones to the lane's private rows, and set the places of all but composed
    ones.

    Args:
        users: (T, 2 V) uint8, of all threads.
        slot_of_row: (2 V,) int32, private to the thread; all -1 before and after.
    """
    state, stride, uses, copied = lane.state, step.stride, lane.uses, lane.copied
    private = state[PRIVATE]
    token_ids, negative_ids = lane.token_ids[: state[FILLED]], lane.negative_ids[: state[DRAWN]]
    count = np.int32(1)  # private row 0 is the padding row
    if step.composed == 0:
        count = settle_uses(token_ids, 0, lane.input_places, uses, copied, private, users, slot_of_row, count, stride)
    count = settle_uses(
        token_ids, step.vocabulary, lane.output_places, uses, copied, private, users, slot_of_row, count, stride
    )
    count = settle_uses(
        negative_ids, step.vocabulary, lane.negative_places, uses, copied, private, users, slot_of_row, count, stride
    )
    state[COPIED] = count
    for c in range(1 - AHEAD, count):
        # For reading: other lanes copy the same row at the same time.
        if c + AHEAD < count:
            for d in range(0, stride, 16):
                prefetch_to_read(memory, copied[c + AHEAD] * stride + d)
        if c >= 1:
            slot_of_row[copied[c]] = -1
            for d in range(0, stride, 16):
                store(memory, state[PRIVATE] + c * stride + d, load(memory, copied[c] * stride + d))


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
                for d in range(first, last, PART):
                    add_part_to(memory, copied[c] * stride + d, load_part(memory, start + c * stride + d))
