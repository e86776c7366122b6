"""Shared rows of lanes: users, places, copies and changes against sets and plain sums."""

import numpy as np
import pytest

from tests.cases.word2vec import NO_RATES, LaneCase, from_python, random_corpus, start_epoch, wraps_around
from wordvec import Word2VecSettings
from wordvec.kernels.sharing import (
    NOBODY,
    SHARED,
    add_changes,
    clear_users,
    is_owner,
    mark_users,
    place_in_table,
    settle_rows,
    share_rated_rows,
)
from wordvec.kernels.slices import COPIED, DRAWN, FILLED, PRIVATE, Lane, prepare_slice
from wordvec.word2vec.buffers import sizes_of
from wordvec.word2vec.settings import MOST_LANES

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
        self.slot_of_row, self.marked = trainer.tiles.slot_of_row, trainer.tiles.marked[:, 1]
        self.merging = trainer.tiles.merging
        self.lanes = [Lane(*(a[k] for a in trainer.lanes)) for k in range(5)]
        for k, lane in enumerate(self.lanes):
            from_python(prepare_slice)(lane, trainer.text, self.step, trainer.bounds[k + 1], 64)
        self.touched = [rows_of(lane, self.types) for lane in self.lanes]
        self.shared = {row for row in range(800) if sum(row in rows for rows in self.touched) > 1}

    def mark(self, threads=(2, 0, 1, 2, 2)):
        """Mark every lane's rows with the given threads."""
        for k in (3, 0, 4, 2, 1):
            from_python(mark_users)(self.lanes[k], k, self.users[threads[k]], self.marked[threads[k]], self.step)

    def settle(self):
        for lane in self.lanes:
            settle_rows(self.memory, lane, self.users, self.slot_of_row[1], self.step)
            assert (self.slot_of_row == -1).all()

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


def test_every_row_of_a_slice_is_marked_and_the_marks_are_removed():
    case = LaneCase(random_corpus(), lane_tokens=100, vector_size=20, window=3, subsample=0)
    rounds = 0
    while not case.finished:
        assert len(case.prepare()) > 0
        marked = case.tile.marked[rounds % 2]
        from_python(mark_users)(case.lane, 6, case.users[0], marked, case.step)
        rows, _ = uses_of(case.lane, case.types)
        assert np.flatnonzero(case.users[0] == 7).tolist() == sorted({*rows.tolist()})
        assert np.count_nonzero(case.users) == np.count_nonzero(case.users[0] == 7)
        assert marked[0] == len(rows)
        np.testing.assert_array_equal(marked[1 : 1 + len(rows)], rows)
        clear_users(case.users[0], marked)
        assert not case.users.any()
        assert marked[0] == 0
        rounds += 1
    assert rounds > 2


def test_rows_know_their_only_lane_or_that_they_are_shared():
    case = Lanes()
    by_thread = [(1,), (2,), (0, 3, 4)]
    case.mark(threads=(2, 0, 1, 2, 2))
    for thread, lanes in enumerate(by_thread):
        for row in range(800):
            users = [k + 1 for k in lanes if row in case.touched[k]]
            wanted = NOBODY if not users else users[0] if len(users) == 1 else SHARED
            assert case.users[thread, row] == wanted
    assert {1, 4, 5, SHARED} <= {*case.users[2].tolist()}
    for thread in (1, 2, 0):
        clear_users(case.users[thread], case.marked[thread])
    assert not case.users.any()


def test_the_rows_of_the_last_of_the_most_lanes_count_as_shared():
    case = LaneCase(random_corpus([5], types=4))
    case.prepare()
    assert MOST_LANES == 255
    for k in (253, 254):
        from_python(mark_users)(case.lane, k, case.users[0], case.tile.marked[0], case.step)
        assert {*case.users[0].tolist()} == {NOBODY, SHARED if k == 254 else 254}
        clear_users(case.users[0], case.tile.marked[0])
    from_python(mark_users)(case.lane, 254, case.users[0], case.tile.marked[0], case.step)
    settle_rows(case.memory, case.lane, case.users, case.tile.slot_of_row, case.step)
    assert case.lane.state[COPIED] == 1 + len(rows_of(case.lane, 4))


def test_marked_rows_with_a_rate_of_their_own_count_as_shared():
    case = LaneCase(random_corpus())
    case.prepare()
    from_python(mark_users)(case.lane, 2, case.users[0], case.tile.marked[0], case.step)
    touched, rates = rows_of(case.lane, case.types), np.ones(2 * case.types, np.float32)
    rated = {0, 7, case.types + 2, 2 * case.types - 1}
    assert touched & rated
    rates[sorted(rated)] = 0, 0.5, 2, 0
    from_python(share_rated_rows)(case.users[0], case.tile.marked[0], rates)
    wanted = [NOBODY if row not in touched else SHARED if row in rated else 3 for row in range(2 * case.types)]
    assert case.users[0, : 2 * case.types].tolist() == wanted


# -- places -----------------------------------------------------------------------------------------------------------


def test_shared_rows_are_copied_and_others_stay_in_the_table():
    case = Lanes()
    table = case.rows[:800].copy()
    assert not case.rows[800:].any()
    case.mark()
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


@pytest.mark.parametrize("rated", [False, True])
def test_changes_are_added_in_lane_order_at_any_number_of_threads(rated):
    case = Lanes()
    case.mark()
    case.settle()
    random = np.random.default_rng(4)
    for k in range(5):
        # Simulate training of copies and of the lane's own rows in the table.
        for row in {*case.copies(k)[1]} | (case.touched[k] - case.shared):
            case.rows[row, :20] += random.standard_normal(20).astype(np.float32)
    trained, memory = case.rows.copy(), case.memory.copy()
    rates = random.choice([0, 0.5, 1, 2], 800).astype(np.float32) if rated else NO_RATES

    def sums(order):
        expected = trained[:800].copy()
        for k in order:
            for row, copy in zip(*case.copies(k), strict=True):
                expected[row] += (trained[copy] - trained[row]) * (rates[row] if rated else 1)
        return expected

    expected = sums(range(5))
    assert (expected != sums(reversed(range(5)))).any(), "the order matters"
    for threads in (1, 2, 3, 7):
        case.memory[:] = memory
        for thread in reversed(range(threads)):
            scratch = case.slot_of_row[thread % 3], case.merging[thread % 3]
            from_python(add_changes)(case.memory, case.arrays, case.step, rates, *scratch, thread, threads)
            assert (case.slot_of_row == -1).all()
        np.testing.assert_array_equal(case.rows[:800], expected)
        np.testing.assert_array_equal(case.rows[800:], trained[800:])
    alone = sorted(set().union(*case.touched) - case.shared)
    np.testing.assert_array_equal(expected[alone], trained[alone])
    assert np.abs(expected - trained[:800]).max() > 0.1


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_frequent_rows_are_spread_over_all_threads(threads):
    rows = [*range(100), *range(1000, 1100)]
    owned = np.array([[is_owner(row, thread, threads) for row in rows] for thread in range(threads)])
    assert (owned.sum(axis=0) == 1).all()
    for part in (owned[:, :100], owned[:, 100:]):
        assert part.sum(axis=1) == pytest.approx(np.full(threads, 100 / threads), abs=3)
