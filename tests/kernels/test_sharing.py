"""Shared rows of lanes: slots, users, copies and changes against sets and plain sums."""

import numpy as np
import pytest

from tests.cases.word2vec import LaneCase, from_python, random_corpus, start_epoch, wraps_around
from wordvec import Word2VecSettings
from wordvec.kernels.sharing import (
    add_gains,
    clear_users,
    count_users,
    is_owner,
    place_in_table,
    set_places,
    settle_rows,
    subtract_rows,
)
from wordvec.kernels.slices import COPIED, DRAWN, FILLED, PRIVATE, TOUCHED, Lane, prepare_slice
from wordvec.word2vec.buffers import sizes_of

pytestmark = wraps_around


class Lanes:
    """Five lanes with a prepared slice each, and the user counts of three threads."""

    def __init__(self):
        corpus = random_corpus([41, 0, 150, 1, 90, 18], types=400)
        settings = Word2VecSettings(vector_size=20, window=3, subsample=0, lanes=5, lane_tokens=64)
        trainer, *_ = start_epoch(corpus, settings, threads=3)
        assert len(trainer.lanes.state) == 5, "the vocabulary supports five lanes"
        self.step, self.stride, self.types, self.settings = trainer._step(0), trainer.stride, 400, settings.resolved()
        self.memory, self.users, self.arrays = trainer.memory, trainer.users[1], trainer.lanes
        self.rows = self.memory.reshape(-1, self.stride)
        self.slot_of_row = trainer.tiles.slot_of_row
        self.lanes = [Lane(*(a[k] for a in trainer.lanes)) for k in range(5)]
        for k, lane in enumerate(self.lanes):
            from_python(prepare_slice)(lane, trainer.text, self.step, trainer.bounds[k + 1], 64)
        self.touched = [rows_of(lane, self.types) for lane in self.lanes]
        self.shared = {row for row in range(800) if sum(row in rows for rows in self.touched) > 1}

    def count(self, threads=(2, 0, 1, 2, 2)):
        """Count the users of every lane's rows with the given threads."""
        for k in (3, 0, 4, 2, 1):
            count_users(self.lanes[k], self.users[threads[k]], self.slot_of_row[threads[k]], self.step)

    def settle(self):
        for lane in self.lanes:
            settle_rows(self.memory, lane, self.users, self.step)
            set_places(lane)

    def copies(self, k):
        """Return the table rows copied by lane k, and the memory rows of the copies."""
        state = self.lanes[k].state
        first = state[PRIVATE] // self.stride
        return self.lanes[k].copied[1 : state[COPIED]].tolist(), range(first + 1, first + state[COPIED])


def rows_of(lane, types):
    """Return the rows that a prepared slice touches."""
    tokens = lane.token_ids[: lane.state[FILLED]].tolist()
    negatives = lane.negative_ids[: lane.state[DRAWN]].tolist()
    return {*tokens} | {token_id + types for token_id in tokens + negatives}


def uses_of(lane, types):
    """Return row and place of every use of a row: inputs, outputs, negatives."""
    filled, drawn = lane.state[FILLED], lane.state[DRAWN]
    token_ids, negative_ids = lane.token_ids[:filled].astype(int), lane.negative_ids[:drawn].astype(int)
    places = lane.input_places[:filled], lane.output_places[:filled], lane.negative_places[:drawn]
    return np.concatenate([token_ids, token_ids + types, negative_ids + types]), np.concatenate(places)


# -- users ------------------------------------------------------------------------------------------------------------


def test_every_row_of_a_slice_gets_one_slot_and_one_more_user():
    case = LaneCase(random_corpus(), lane_tokens=100, vector_size=20, window=3, subsample=0)
    lane, rounds = case.lane, 0
    while not case.finished:
        assert len(case.prepare()) > 0
        case.users[0, :] = 7
        count_users(lane, case.users[0], case.tile.slot_of_row, case.step)
        assert (case.tile.slot_of_row == -1).all()
        count, wanted = lane.state[TOUCHED], sorted(rows_of(lane, case.types))
        assert sorted(lane.touched[:count].tolist()) == wanted
        rows, slots = uses_of(lane, case.types)
        np.testing.assert_array_equal(lane.touched[slots], rows)
        assert np.flatnonzero(case.users[0] == 8).tolist() == wanted
        assert (case.users[0] == 7).sum() == case.users.size - len(wanted)
        # Slots in order of first use: each token's two rows, then the negatives'.
        filled = lane.state[FILLED]
        tokens_first = np.concatenate([np.column_stack([slots[:filled], slots[filled : 2 * filled]]).ravel(), slots])
        assert [*dict.fromkeys(tokens_first.tolist())] == [*range(count)]
        rounds += 1
    assert rounds > 2


def test_users_are_counted_per_row_and_cleared():
    case = Lanes()
    by_thread = [case.touched[1], case.touched[2], case.touched[0], case.touched[3], case.touched[4]]
    case.count(threads=(2, 0, 1, 2, 2))
    found = case.users[:, :800].astype(int)
    for row in range(800):
        assert found[0, row] == (row in by_thread[0])
        assert found[1, row] == (row in by_thread[1])
        assert found[2, row] == sum(row in rows for rows in by_thread[2:])
    assert {*found.sum(axis=0).tolist()} == {0, 1, 2, 3, 4, 5}
    for k in (1, 4, 0, 3, 2):  # in any order
        clear_users(case.lanes[k], case.users)
    assert not case.users.any()
    assert not any(lane.state[TOUCHED] for lane in case.lanes)


def test_the_maximum_number_of_users_is_counted():
    case = LaneCase(random_corpus([5], types=4))
    case.prepare()
    for _ in range(255):
        count_users(case.lane, case.users[0], case.tile.slot_of_row, case.step)
    assert {*case.users[0, sorted(rows_of(case.lane, 4))].tolist()} == {255}
    settle_rows(case.memory, case.lane, case.users, case.step)
    set_places(case.lane)
    assert case.lane.state[COPIED] == 1 + case.lane.state[TOUCHED]


# -- places -----------------------------------------------------------------------------------------------------------


def test_shared_rows_are_copied_and_others_stay_in_the_table():
    case = Lanes()
    table = case.rows[:800].copy()
    assert not case.rows[800:].any()
    case.count()
    case.settle()
    np.testing.assert_array_equal(case.rows[:800], table)
    private, alone = [], 0
    for k, lane in enumerate(case.lanes):
        rows, places = uses_of(lane, case.types)
        copied, copies = case.copies(k)
        assert sorted(copied) == sorted(case.touched[k] & case.shared), "each once"
        place_of = dict(zip(copied, copies, strict=True))
        np.testing.assert_array_equal(places, [place_of.get(row, row) * case.stride for row in rows.tolist()])
        np.testing.assert_array_equal(case.rows[copies], table[copied])
        private += copies
        alone += len(case.touched[k] - case.shared)
        assert lane.state[COPIED] <= 1 + sizes_of(case.settings, case.types).touched
    assert len({*private}) == len(private), "all copies have distinct places"
    others = sorted({*range(800, len(case.rows))} - {*private})
    assert not case.rows[others].any()
    assert {int(lane.state[PRIVATE]) // case.stride for lane in case.lanes} <= {*others}, "padding rows"
    assert min(alone, len(private)) > 50


def test_hogwild_places_are_all_in_the_table():
    case = LaneCase(random_corpus(), lane_tokens=100, vector_size=20, window=3, subsample=0)
    case.prepare()
    place_in_table(case.lane, case.step)
    rows, places = uses_of(case.lane, case.types)
    assert len(rows) > 250
    np.testing.assert_array_equal(places, rows * case.stride)


# -- changes ----------------------------------------------------------------------------------------------------------


def test_changes_are_added_in_lane_order_at_any_number_of_threads():
    case = Lanes()
    case.count()
    case.settle()
    table = case.rows[:800].copy()
    random = np.random.default_rng(4)
    for k in range(5):
        # Simulate training of copies and of the lane's own rows in the table.
        for row in {*case.copies(k)[1]} | (case.touched[k] - case.shared):
            case.rows[row, :20] += random.standard_normal(20).astype(np.float32)
    trained = case.rows.copy()
    for lane in case.lanes:
        subtract_rows(case.memory, lane, case.step)
    np.testing.assert_array_equal(case.rows[:800], trained[:800], "changes stay in the copies")

    def sums(order):
        expected = trained[:800].copy()
        for k in order:
            for row, copy in zip(*case.copies(k), strict=True):
                expected[row] += trained[copy] - table[row]
        return expected

    expected, gains = sums(range(5)), case.memory.copy()
    assert (expected != sums(reversed(range(5)))).any(), "the order matters"
    for threads in (1, 2, 3, 7):
        case.memory[:] = gains
        for thread in reversed(range(threads)):
            add_gains(case.memory, case.arrays, case.step, thread, threads)
        np.testing.assert_array_equal(case.rows[:800], expected)
        np.testing.assert_array_equal(case.rows[800:], gains.reshape(case.rows.shape)[800:])
    alone = sorted(set().union(*case.touched) - case.shared)
    np.testing.assert_array_equal(expected[alone], trained[alone])
    assert np.abs(expected - table).max() > 0.1


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_frequent_rows_are_spread_over_all_threads(threads):
    rows = [*range(100), *range(1000, 1100)]
    owned = np.array([[is_owner(row, thread, threads) for row in rows] for thread in range(threads)])
    assert (owned.sum(axis=0) == 1).all()
    for part in (owned[:, :100], owned[:, 100:]):
        assert part.sum(axis=1) == pytest.approx(np.full(threads, 100 / threads), abs=3)
