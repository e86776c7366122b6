"""Detection and merging of the rows shared by the lanes of a round.

A round in reproducible mode (see ``lanes.py``) has two phases, separated by barriers. A lane is prepared for the next
round right after it has trained, while its buffers are in the cache:

    train     rows that no other lane touches are trained in the table;                        settle_rows
              shared rows are copied, and the lane trains its copy
    prepare   the lane draws its next slice and marks the rows it will touch                   mark_users
    add       each thread adds the changes of all copies of its rows to them, in lane order    add_changes

During training no thread writes a shared row of the table, and every other row is touched only by its own lane. So
every lane reads the same values regardless of which thread runs it and when.

A row with a rate of its own, such as 0 for a frozen one, counts as shared: a lane trains its copy, of whose change that
share is added. So such a row moves as usual within a lane's slice, and the next slice starts from the table again.
"""

import numpy as np

from wordvec.kernels.simd import (
    kernel,
    load,
    multiply_add,
    prefetch,
    prefetch_to_read,
    splat,
    store,
    subtract,
)
from wordvec.kernels.slices import COPIED, DRAWN, FILLED, PRIVATE, Lane, Step

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


@kernel(internal=True)
def settle_uses(
    ids: np.ndarray, first: int, places: np.ndarray, uses: np.ndarray, copied: np.ndarray, private: int,
    users: np.ndarray, slot_of_row: np.ndarray, count: np.int32, stride: int,
) -> np.int32:  # fmt: skip
    """Set the place of every use of rows ``first`` + id: in the table, or, if shared, in one of the private rows from
    ``private`` on, of which ``count`` are taken; return how many are then."""
    # In passes without branches, because whether a row is shared, and whether it is new, is unpredictable; by thread,
    # because rows that another one has marked take long to arrive. With unsigned numbers, because Numba wraps around
    # negative ones.
    for k in range(ids.size):
        row = np.uint64(ids[k]) + np.uint64(first)
        places[k] = np.int64(row) * stride
        uses[k] = users[0, row]
    for thread in range(1, users.shape[0]):
        for k in range(ids.size):
            user, other = uses[k], np.int32(users[thread, np.uint64(ids[k]) + np.uint64(first)])
            uses[k] = np.int32(SHARED) if (user != NOBODY) & (other != NOBODY) else user | other
    shared = np.uint64(0)
    for k in range(ids.size):
        is_shared = uses[k] == SHARED
        uses[shared] = k
        shared += np.uint64(is_shared)
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
def is_owner(row: int, thread: int, threads: int) -> bool:
    """Whether this thread adds to the row; hashing spreads the adjacent frequent rows over all threads."""
    scattered = (np.uint64(row) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    owns: bool = np.int64((scattered * np.uint64(threads)) >> np.uint64(32)) == thread
    return owns


@kernel(inline=True)
def group_copies(
    lanes: Lane, slot_of_row: np.ndarray, merging: np.ndarray, stride: int, thread: int, threads: int
) -> np.int32:
    """List the shared rows of ``thread``, and their copies row by row, in lane order; return the number of rows.

    Args:
        slot_of_row: (2 V,) int32, private to the thread; all -1 before and after.
        merging: see ``Tile``. Set to, for each row found, the row and the end of its copies, and the copies: how many
            rows of the memory after the first lane's first private row.
    """
    rows, ends, copies, listed, groups = merging[0], merging[1], merging[2], merging[3], merging[4]
    # In passes without branches, because whose a row is, and whether it is new, is unpredictable.
    found = np.uint64(0)
    for k in range(lanes.state.shape[0]):
        start, copied = (lanes.state[k, PRIVATE] - lanes.state[0, PRIVATE]) // stride, lanes.copied[k]
        for c in range(1, lanes.state[k, COPIED]):
            listed[found], groups[found] = start + c, copied[c]
            found += np.uint64(is_owner(copied[c], thread, threads))
    count = np.int32(0)
    for i in range(found):
        row = groups[i]
        slot = slot_of_row[row]
        is_new = slot < 0
        slot = count if is_new else slot
        slot_of_row[row] = groups[i] = slot
        rows[slot] = row
        ends[slot] = (np.uint32(0) if is_new else ends[slot]) + np.uint32(1)
        count += np.int32(is_new)
    total = np.uint32(0)
    for slot in range(count):
        slot_of_row[rows[slot]] = -1
        total, ends[slot] = total + ends[slot], total
    for i in range(found):
        slot = groups[i]
        copies[ends[slot]] = listed[i]
        ends[slot] += np.uint32(1)
    return count


@kernel(internal=True)
def rate_of(row_rates: np.ndarray, row: int) -> np.float32:
    """Return the share of a row's changes that is added: its own, or, if there are none, 1."""
    rate = np.float32(1)
    if row_rates.size:
        rate = row_rates[row]
    return rate


@kernel(internal=True)
def add_changes(
    memory: np.ndarray, lanes: Lane, step: Step, row_rates: np.ndarray, slot_of_row: np.ndarray, merging: np.ndarray,
    thread: int, threads: int,
) -> None:  # fmt: skip
    """Add the change of every copy, in lane order, to the shared rows of ``thread`` among ``threads``.

    Row by row, so that a row is read and written once for all of its copies, and copies are only read. A plain sum,
    which approximates sequential steps if a round has few tokens. Alternatives that avoid overshoot in long rounds
    (counting common updates once, or averaging) were measured to learn less from the same text.

    Args:
        row_rates: (2 V,) float32, the share of a row's changes that is added, or empty.
        slot_of_row, merging: scratch, see ``group_copies``.
    """
    stride, start = step.stride, lanes.state[0, PRIVATE]
    rows, ends, copies = merging[0], merging[1], merging[2]
    count = group_copies(lanes, slot_of_row, merging, stride, thread, threads)
    ahead = end = np.int64(0)
    for k in range(-AHEAD, count):
        if k + AHEAD < count:
            place, begin, ahead = np.int64(rows[k + AHEAD]) * stride, ahead, np.int64(ends[k + AHEAD])
            for d in range(0, stride, 16):
                prefetch(memory, place + d)
                for i in range(begin, ahead):
                    prefetch_to_read(memory, start + np.int64(copies[i]) * stride + d)
        if k >= 0:
            place, begin, end = np.int64(rows[k]) * stride, end, np.int64(ends[k])
            rate = rate_of(row_rates, rows[k])
            for d in range(0, stride if rate != 0 else 0, 16):
                before = after = load(memory, place + d)
                for i in range(begin, end):
                    change = subtract(load(memory, start + np.int64(copies[i]) * stride + d), before)
                    after = multiply_add(change, splat(rate), after)
                store(memory, place + d, after)
