"""Lanes: a whole epoch against the oracle, what threads must not change, and the barrier between rounds."""

import threading

import numpy as np
import pytest

from tests import naive
from tests.word2vec_cases import (
    SENTENCES,
    LaneCase,
    drawn_from,
    epoch_key,
    fewer_without_jit,
    random_corpus,
    wraps_around,
)
from wordvec import Word2VecSettings
from wordvec.kernels.lanes import CONTROL, wait_for_all
from wordvec.kernels.negative_sampling import train_skipgram_slice
from wordvec.kernels.simd import JIT_OFF, kernel
from wordvec.kernels.slices import FILLED, KEPT, LAST_CENTER, POSITION, TOUCHED, assign_slots
from wordvec.word2vec import _Trainer

pytestmark = wraps_around

needs_jit = pytest.mark.skipif(JIT_OFF, reason="the twins of the atomic operations add in Python: for one thread only")


@kernel
def march(control, marks, thread, threads, rounds):
    """Threads in step: how often one saw another that was not where the barrier says it must be."""
    violations = barriers = 0
    for r in range(1, rounds + 1):
        marks[thread] = r
        barriers += 1
        wait_for_all(control, threads, barriers)
        for other in range(threads):
            violations += marks[other] != r
        barriers += 1
        wait_for_all(control, threads, barriers)
    return violations


def start_epoch(corpus, settings, threads=1, scale=1.0):
    """A trainer with random vectors on both sides, and those as float64."""
    trainer = _Trainer(corpus, settings.resolved(), threads, None)
    types, size = len(corpus.vocabulary), settings.vector_size
    rows = trainer.table.reshape(-1, trainer.stride)
    random = np.random.default_rng(8).standard_normal((2 * types, size))
    rows[: 2 * types, :size] = scale * random / np.sqrt(size)
    return trainer, rows[:types, :size].astype(np.float64), rows[types : 2 * types, :size].astype(np.float64)


# -- the barrier ------------------------------------------------------------------------------------------------------


@needs_jit
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_no_thread_passes_the_barrier_before_all_have_come(threads):
    rounds, found = 300, []
    assert march(np.zeros(CONTROL, np.int64), np.zeros(1, np.int64), 0, 1, 2) == 0  # compiled before the race
    control, marks = np.zeros(CONTROL, np.int64), np.zeros(threads, np.int64)
    running = [
        threading.Thread(target=lambda k: found.append(march(control, marks, k, threads, rounds)), args=(k,))
        for k in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=60)
    assert found == [0] * threads
    assert (marks == rounds).all()


# -- one lane ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
@pytest.mark.parametrize(("model", "gradient"), [("skipgram", "sum"), ("cbow", "sum"), ("cbow", "mean")])
def test_epochs_of_one_lane_equal_the_oracle_with_its_falling_learning_rate(model, gradient, mode):
    corpus = random_corpus(SENTENCES, types=25)
    settings = Word2VecSettings(
        model=model, vector_size=20, window=3, epochs=3, learning_rate=0.2, min_learning_rate=0.02, subsample=0.1,
        cbow_gradient=gradient, mode=mode, lanes=1, lane_tokens=64,
    )  # fmt: skip
    trainer, vectors, context_vectors = start_epoch(corpus, settings)
    drawn, end = drawn_from(corpus, settings), len(corpus.ids)
    rates = []
    for epoch in range(2):
        key = epoch_key(settings, epoch)
        kept = naive.kept_tokens(*drawn[:3], key, 0, end)
        slices = naive.slice_of_tiles(kept, 3, 0, end, 64)
        assert slices[-1] >= 5
        # The rate falls in a straight line over the raw tokens of all epochs, slice by slice.
        rates = [0.2 - (0.2 - 0.02) * (epoch + number * 64 / end) / 3 for number in slices]
        resolved = trainer.settings
        naive.train_lane(
            model, vectors, context_vectors, drawn, 0, end, key=key, rates=rates, divide=gradient == "mean",
            settings=(3, 5, resolved.shared_negatives, resolved.fresh_negatives),
        )  # fmt: skip
        trainer.train_epoch(epoch)
        rows, types = trainer.table.reshape(-1, trainer.stride), len(corpus.vocabulary)
        np.testing.assert_allclose(rows[:types, :20], vectors, atol=2e-4)
        np.testing.assert_allclose(rows[types : 2 * types, :20], context_vectors, atol=2e-4)
        assert not rows[2 * types].any()
        assert not rows[:, 20:].any()
        assert trainer.result.effective_tokens[epoch] == len(kept)


# -- several lanes ----------------------------------------------------------------------------------------------------


@needs_jit
def test_a_row_that_one_lane_touches_gets_exactly_its_delta_at_any_number_of_threads():
    # So short that a lane is one slice and the epoch one round; so many types that lanes have most rows to themselves.
    corpus = random_corpus([50, 0, 100, 1, 29], types=3000, seed=2)
    settings = Word2VecSettings(vector_size=24, window=3, subsample=0, lanes=3, lane_tokens=64, learning_rate=0.1)
    trainers = [start_epoch(corpus, settings, threads)[0] for threads in (1, 2, 3)]
    before = trainers[0].table.reshape(-1, 32).copy()
    for trainer in trainers:
        trainer.train_epoch(0)
    assert {trainer.table.tobytes() for trainer in trainers} == {trainers[0].table.tobytes()}
    after = trainers[0].table.reshape(-1, 32)

    deltas = {}
    for start in (0, 60, 120):
        case = LaneCase(corpus, start=start, end=start + 60, vector_size=24, window=3, subsample=0, lane_tokens=64)
        case.table[:] = before.ravel()
        case.prepare()
        assert case.finished
        assign_slots(case.lane, case.delta, case.tile.slot_of_row, case.step)
        train_skipgram_slice(case.table, case.delta, case.lane, case.tile, case.lane.loss, case.step, 0.1)
        count = case.lane.state[TOUCHED]
        for row, delta in zip(case.lane.touched[:count].tolist(), case.delta.reshape(-1, 32), strict=False):
            deltas.setdefault(row, []).append(delta.copy())
    alone = [row for row, found in deltas.items() if len(found) == 1]
    together = [row for row, found in deltas.items() if len(found) == 3 and row < 2 * 3000]
    untouched = sorted({*range(2 * 3000 + 1)} - {*deltas})
    assert min(len(alone), len(untouched)) > 100
    assert len(together) > 5
    np.testing.assert_array_equal(after[alone], before[alone] + np.array([deltas[row][0] for row in alone]))
    np.testing.assert_array_equal(after[untouched], before[untouched])
    assert np.abs(after[together] - before[together]).max() > 1e-3


def test_every_token_is_read_once_however_many_lanes_there_are(monkeypatch):
    monkeypatch.setattr("wordvec.word2vec.safe_lanes", lambda counts, settings: settings.lanes)
    lengths = [7, 0, 3, 55 // fewer_without_jit]
    corpus = random_corpus(lengths, types=4)
    for lanes in (2, 7, 200):
        settings = Word2VecSettings(vector_size=16, subsample=0, lanes=lanes, lane_tokens=64)
        trainer, *_ = start_epoch(corpus, settings)
        trainer.train_epoch(0)
        state = trainer.lanes.state
        assert len(state) == lanes
        assert state[:, KEPT].sum() == sum(lengths)
        np.testing.assert_array_equal(state[:, POSITION], trainer.bounds[1:])
        np.testing.assert_array_equal(state[:, LAST_CENTER], state[:, FILLED])
        assert np.isfinite(trainer.table).all()
