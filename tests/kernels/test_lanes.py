"""Lanes: epochs against the oracle, thread independence, and the barrier between rounds."""

import threading

import numpy as np
import pytest

from tests.cases.word2vec import (
    SENTENCES,
    LaneCase,
    drawn_from,
    epoch_key,
    fewer_without_jit,
    from_python,
    random_corpus,
    start_epoch,
    tables_of,
    train_epoch,
    wraps_around,
)
from tests.oracles import naive
from wordvec import Word2VecSettings
from wordvec.kernels.code_cache import compiled
from wordvec.kernels.lanes import CONTROL, LINE, STOP, lane_in_turn, parts_of_rounds, take, train_rounds, wait_for_all
from wordvec.kernels.negative_sampling import train_skipgram_slice
from wordvec.kernels.simd import JIT_OFF, atomic_add, atomic_read, kernel
from wordvec.kernels.slices import CENTER, DRAWN, FILLED, KEPT, LAST_CENTER, POSITION
from wordvec.kernels.tile import LOSS_PAIRS, LOSS_SUM
from wordvec.system.threads import run_in_threads

pytestmark = wraps_around

MODELS = [("skipgram", "sum"), ("cbow", "sum"), ("cbow", "mean")]

needs_jit = pytest.mark.skipif(JIT_OFF, reason="without JIT operations are not atomic: single-threaded only")


@kernel
def march(control, marks, thread, threads, rounds):
    """Synchronize threads repeatedly; return how often one saw another in the wrong round."""
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


@kernel
def share_out(control, taken, thread, threads, lanes, phases):
    """Take lanes in every phase; return how many this thread got, and how often one was not taken exactly once."""
    had = violations = 0
    for phase in range(1, phases + 1):
        for i in range(lanes):
            k = lane_in_turn(i, lanes, thread, threads)
            if take(control, k, phase):
                had += 1
                violations += atomic_add(taken, k, 1) != phase
        wait_for_all(control, threads, 2 * phase - 1)
        for k in range(lanes):
            violations += atomic_read(taken, k) != phase
        wait_for_all(control, threads, 2 * phase)
    return had, violations


def train_round(trainer, threads=1):
    """Train one round, by requesting a stop before it starts."""
    control = np.zeros(CONTROL + len(trainer.lanes.state) * LINE, np.int64)
    control[STOP] = 1
    run_in_threads(trainer._worker(trainer.bounds, control, threads), threads, lambda: None, lambda: None)


def bits_of(trainer):
    """Return the bytes of all training results."""
    rows = trainer.memory.reshape(-1, trainer.stride)[: 2 * trainer.types]
    return rows.tobytes(), trainer.lanes.loss.tobytes(), trainer.lanes.state[:, [POSITION, CENTER, KEPT]].tobytes()


@pytest.fixture
def lanes_of_any_length(monkeypatch):
    """Start a trainer of four lanes: a short one, an empty one, and two of several slices."""
    monkeypatch.setattr("wordvec.word2vec.epoch.safe_round", lambda _, of, *__: (of.lanes, of.lane_tokens))

    def start(*, threads=1, **options):
        corpus = random_corpus(SENTENCES, types=60)
        settings = Word2VecSettings(
            vector_size=20, window=3, epochs=1, learning_rate=0.2, min_learning_rate=0.02, subsample=0.1, lanes=4,
            lane_tokens=64, **options,
        )  # fmt: skip
        trainer, *tables = start_epoch(corpus, settings, threads)
        trainer.bounds[:] = 0, 70, 70, 245, len(corpus.ids)
        trainer._start_lanes()
        return corpus, trainer, tables

    return start


def oracle(trainer, corpus, tables, epoch, rates):
    """Train the oracle's rounds of one epoch on ``tables``; skip-gram's rate of 0.2 takes steps of two parts."""
    settings = trainer.settings
    return naive.train_rounds(
        settings.model, *tables, drawn_from(corpus, settings), trainer.bounds.tolist(),
        key=epoch_key(settings, epoch), rates=rates, slice_size=settings.lane_tokens,
        settings=(
            settings.window, settings.window_weights, settings.negatives, settings.shared_negatives,
            settings.negatives_per_tile,
        ),
        divide=settings.cbow_gradient == "mean", parts=2 if settings.model == "skipgram" else 1,
    )  # fmt: skip


# -- threads ---------------------------------------------------------------------------------------------------------


@needs_jit
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_no_thread_passes_the_barrier_before_all_arrive(threads):
    rounds, found = 300, []
    assert march(np.zeros(CONTROL, np.int64), np.zeros(1, np.int64), 0, 1, 2) == 0  # compile before starting threads
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


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=needs_jit), pytest.param(5, marks=needs_jit)])
@pytest.mark.parametrize("lanes", [1, 8, 11])
def test_every_lane_is_taken_once_per_phase(lanes, threads):
    phases, found = 300 // fewer_without_jit, []
    control, taken = np.zeros(CONTROL + lanes * LINE, np.int64), np.zeros(lanes, np.int64)
    share_out(control.copy(), taken.copy(), 0, 1, lanes, 1)  # compile before starting threads

    def work(thread):
        found.append(share_out(control, taken, thread, threads, lanes, phases))

    run_in_threads(work, threads, lambda: None, lambda: None)
    assert [violations for _, violations in found] == [0] * threads
    assert sum(had for had, _ in found) == lanes * phases


@pytest.mark.parametrize(("lanes", "threads"), [(8, 1), (8, 2), (8, 3), (3, 3), (255, 7)])
def test_threads_ask_for_all_lanes_starting_with_their_own(lanes, threads):
    first = []
    for thread in range(threads):
        asked = [lane_in_turn(i, lanes, thread, threads) for i in range(lanes)]
        assert sorted(asked) == [*range(lanes)]
        first += asked[: lanes // threads]
    assert len({*first}) == len(first) == lanes // threads * threads


@needs_jit
def test_the_parts_of_rounds_are_what_rounds_call():
    trainer, *_ = start_epoch(random_corpus(SENTENCES, types=25), Word2VecSettings(vector_size=20))
    train_epoch(trainer, 0)
    before = compiled.total()
    for signature in train_rounds.signatures:
        for part, kinds in parts_of_rounds(signature):
            part.compile(kinds)
    assert compiled.total() == before


# -- one lane ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_epochs_of_one_lane_match_the_oracle_with_linear_decay(model, gradient, mode):
    corpus = random_corpus(SENTENCES, types=25)
    settings = Word2VecSettings(
        model=model, vector_size=20, window=3, epochs=3, learning_rate=0.2, min_learning_rate=0.02, subsample=0.1,
        cbow_gradient=gradient, mode=mode, lanes=1, lane_tokens=64,
    )  # fmt: skip
    trainer, *expected = start_epoch(corpus, settings)
    for epoch in range(2):
        # The rate decays linearly over the raw tokens of all epochs, slice by slice.
        rates = [0.2 - (0.2 - 0.02) * part / 3 for part in (epoch, epoch + 1)]
        assert len([*oracle(trainer, corpus, expected, epoch, rates)]) >= 6
        result = train_epoch(trainer, epoch)
        for found, wanted in zip(tables_of(trainer.memory, 25, 20, 32), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-4)
        kept = naive.kept_tokens(*drawn_from(corpus, settings)[:3], epoch_key(settings, epoch), 0, len(corpus.ids))
        assert result.effective_tokens == len(kept)


# -- several lanes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window_weights", ["expected", "sampled"])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_rounds_of_several_lanes_match_the_oracle(model, gradient, window_weights, lanes_of_any_length):
    corpus, trainer, expected = lanes_of_any_length(model=model, cbow_gradient=gradient, window_weights=window_weights)
    losses, rounds = np.zeros(2), 0
    ends = trainer.bounds[1:]
    for record in oracle(trainer, corpus, expected, 0, (0.2, 0.02)):
        state = trainer.lanes.state
        finished = (state[:, POSITION] >= ends) & (state[:, LAST_CENTER] >= state[:, FILLED])
        assert finished.sum() == [1, 1, 2][rounds], "one lane is empty, one is short"
        before = state[finished, :DRAWN].copy(), trainer.lanes.loss[finished].copy()
        train_round(trainer)
        for found, wanted in zip(tables_of(trainer.memory, 60, 20, 32), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-4)
        losses += np.sum([tile[1:] for tile in record], axis=0)
        found = trainer.lanes.loss.sum(axis=0)
        np.testing.assert_allclose(found[[LOSS_SUM, LOSS_PAIRS]], losses, rtol=1e-5)
        np.testing.assert_array_equal(trainer.lanes.state[finished, :DRAWN], before[0])
        np.testing.assert_array_equal(trainer.lanes.loss[finished], before[1])
        assert not trainer.users.any()
        rounds += 1
    assert rounds == 3
    after = bits_of(trainer)
    train_round(trainer)
    assert bits_of(trainer) == after, "finished lanes are not trained again"


@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_jit)])
@pytest.mark.parametrize(("model", "gradient"), MODELS[:2])
def test_stopping_and_resuming_after_every_round_is_bit_identical(model, gradient, threads, lanes_of_any_length):
    _, whole, _ = lanes_of_any_length(model=model, cbow_gradient=gradient)
    _, stopped, _ = lanes_of_any_length(model=model, cbow_gradient=gradient, threads=threads)
    start = bits_of(whole)
    train_epoch(whole, 0)
    seen = [start]
    for _ in range(3):
        train_round(stopped, threads)
        seen.append(bits_of(stopped))
        assert not stopped.users.any()
        assert (stopped.tiles.slot_of_row == -1).all()
    assert len({*seen}) == 4, "one round at a time"
    assert seen[-1] == bits_of(whole)


def test_a_round_equals_the_sum_of_changes_of_lanes_trained_separately():
    # Short enough for one slice per lane and one round; enough types that most rows belong to a single lane.
    corpus, types = random_corpus([50, 0, 100, 1, 29], types=3000, seed=2), 3000
    settings = {"vector_size": 24, "window": 3, "subsample": 0, "lane_tokens": 64, "learning_rate": 0.1}
    threads = (1,) if JIT_OFF else (1, 2, 3)
    trainers = [start_epoch(corpus, Word2VecSettings(**settings, lanes=3), count)[0] for count in threads]
    before = trainers[0].memory.reshape(-1, 32)[: 2 * types].copy()
    for trainer in trainers:
        assert len(trainer.lanes.state) == 3
        train_epoch(trainer, 0)
    assert len({bits_of(trainer) for trainer in trainers}) == 1
    after = trainers[0].memory.reshape(-1, 32)[: 2 * types]

    expected, users = before.copy(), np.zeros(2 * types, int)
    moved = []
    for start in (0, 60, 120):
        case = LaneCase(corpus, start=start, end=start + 60, **settings)
        case.rows[: 2 * types] = before
        case.prepare()
        assert case.finished
        case.place("alone")
        from_python(train_skipgram_slice)(case.memory, case.lane, case.tile, case.text, case.lane.loss, case.step, 0.1)
        tokens, state = case.lane.token_ids, case.lane.state
        tokens, negatives = tokens[: state[FILLED]], case.lane.negative_ids[: state[DRAWN]]
        touched = np.unique(np.concatenate([tokens, tokens + types, negatives + types]))
        users[touched] += 1
        moved.append(case.rows[: 2 * types].copy())
        np.testing.assert_array_equal(np.delete(moved[-1], touched, axis=0), np.delete(before, touched, axis=0))
    for rows in moved:
        expected[users > 1] += (rows - before)[users > 1]
        own = (users == 1) & (rows != before).any(axis=1)
        expected[own] = rows[own]
    assert min((users == 0).sum(), (users == 1).sum()) > 100
    assert (users == 3).sum() > 5
    np.testing.assert_array_equal(after, expected)
    assert np.abs(after - before)[users == 3].max() > 1e-3


def test_every_token_is_read_once_for_any_number_of_lanes(monkeypatch):
    monkeypatch.setattr("wordvec.word2vec.epoch.safe_round", lambda _, of, *__: (of.lanes, of.lane_tokens))
    lengths = [7, 0, 3, 55 // fewer_without_jit]
    corpus = random_corpus(lengths, types=4)
    for lanes in (2, 7, 255):
        settings = Word2VecSettings(vector_size=16, subsample=0, lanes=lanes, lane_tokens=64)
        trainer, *_ = start_epoch(corpus, settings)
        train_epoch(trainer, 0)
        state = trainer.lanes.state
        assert len(state) == lanes
        assert state[:, KEPT].sum() == sum(lengths)
        np.testing.assert_array_equal(state[:, POSITION], trainer.bounds[1:])
        np.testing.assert_array_equal(state[:, LAST_CENTER], state[:, FILLED])
        assert not trainer.users.any()
        assert np.isfinite(trainer.memory).all()


@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_jit)])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_rows_with_a_rate_of_their_own_match_the_oracle(model, gradient, threads, lanes_of_any_length):
    """A lane's slice trains them as usual, and that share of the change is added to the table."""
    corpus, trainer, tables = lanes_of_any_length(model=model, cbow_gradient=gradient, threads=threads)
    frozen, slow = [0, 2, 7, 40], [1, 3, 11]
    trainer.set_rates(np.array(slow), 0.25)
    trainer.objective.row_rates[frozen] = 0
    rates = np.ones((60, 1))
    rates[frozen], rates[slow] = 0, 0.25
    trainer.memory.reshape(-1, trainer.stride)[frozen, 3] = tables[0][frozen, 3] = -0.0
    before, table = tables[0].copy(), trainer.memory.reshape(-1, trainer.stride)
    kept = table[frozen].tobytes()
    for _ in oracle(trainer, corpus, tables, 0, (0.2, 0.02)):
        tables[0][:] = before + rates * (tables[0] - before)
        before = tables[0].copy()
        train_round(trainer, threads)
        for expected, found in zip(tables, tables_of(trainer.memory, 60, 20, trainer.stride), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert table[frozen].tobytes() == kept
