"""Callbacks, evaluation, best-epoch selection, early stopping."""

import functools
import itertools
import threading
import time

import numpy as np
import pytest

from tests.cases.word2vec import random_corpus, wraps_around
from wordvec import TrainingCallback, Word2VecSettings, WordVectors
from wordvec.errors import InputError
from wordvec.kernels.simd import JIT_OFF
from wordvec.system.threads import run_in_threads
from wordvec.word2vec import epoch as training
from wordvec.word2vec.training import train_word2vec

pytestmark = wraps_around

SETTINGS = Word2VecSettings(vector_size=8, epochs=4, learning_rate=0.1)


def train(**options):
    return train_word2vec(random_corpus(), options.pop("settings", SETTINGS), threads=1, **options)


class Witness(TrainingCallback):
    def __init__(self):
        self.seen = []

    def on_begin(self, training):
        self.seen.append(("begin", training.epoch, training.position))

    def on_epoch(self, training):
        self.seen.append(("epoch", training.epoch, training.position))

    def on_evaluation(self, training, score):
        self.seen.append(("evaluation", training.epoch, training.position, score))

    def on_end(self, training):
        self.seen.append(("end", training.epoch, training.result.kept_epoch))


# -- callbacks --------------------------------------------------------------------------------------------------------


def test_callbacks_are_called_in_order():
    first, second = Witness(), Witness()
    train(callbacks=[first, second], evaluate=lambda vectors: 0.5, evaluate_every=3)
    assert first.seen == second.seen
    assert first.seen == [
        ("begin", 0, 0.0),
        ("epoch", 1, 1.0),
        ("epoch", 2, 2.0),
        ("evaluation", 2, 3.0, 0.5),
        ("epoch", 3, 3.0),
        ("evaluation", 3, 4.0, 0.5),
        ("epoch", 4, 4.0),
        ("end", 4, 3),
    ]


def test_callbacks_see_a_copy_of_the_vectors():
    seen = []

    def look(training):
        vectors = training.vectors()
        seen.append((training.result.losses[:], vectors.vectors, vectors.context_vectors))
        with pytest.raises(ValueError, match="read-only"):
            vectors.vectors[:] = np.nan

    result = train(callbacks=[look])
    assert [len(losses) for losses, _, _ in seen] == [1, 2, 3, 4]
    assert np.isfinite(result.vectors.vectors).all()
    np.testing.assert_array_equal(seen[-1][1], result.vectors.vectors)
    assert all(np.abs(a[1] - b[1]).max() > 1e-4 for a, b in itertools.pairwise(seen))
    np.testing.assert_array_equal(seen[-1][2], result.vectors.context_vectors)


def test_vectors_in_on_end_are_those_of_the_result():
    kept = []
    result = train(callbacks=[Witness(), kept.append])
    assert kept[-1].vectors() is result.vectors


def test_a_callback_can_stop_training():
    result = train(callbacks=[lambda training: training.epoch == 2 and training.stop()])
    assert (len(result.losses), result.kept_epoch) == (2, 2)


class Trouble(Exception):
    pass


@pytest.mark.parametrize("moment", ["on_begin", "on_epoch", "on_evaluation", "on_end"])
def test_callback_errors_propagate_and_leave_no_thread(moment):
    class Bad:
        pass

    def fail(*arguments):
        raise Trouble("mine")

    callback = Bad()
    setattr(callback, moment, fail)
    before = {*threading.enumerate()}
    with pytest.raises(Trouble, match=r"^mine$"):
        train(callbacks=[callback], evaluate=lambda vectors: 1.0)
    assert {*threading.enumerate()} <= before


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (3, "a callback must be a function or have one of on_begin, on_epoch, on_evaluation, on_end, got 3"),
        (Witness, r"a callback must be an object, got the class Witness; write Witness\(\)"),
    ],
)
def test_invalid_callbacks_are_rejected_before_any_work(callback, message):
    with pytest.raises(InputError, match=message):
        train(callbacks=[callback])


# -- evaluation -------------------------------------------------------------------------------------------------------


def test_the_best_epoch_is_kept_ties_keep_the_first():
    scores, tables = iter([0.2, 0.9, 0.9, 0.1]), []

    def evaluate(vectors):
        assert isinstance(vectors, WordVectors)
        tables.append(vectors)
        return next(scores)

    result = train(evaluate=evaluate)
    assert result.scores == [0.2, 0.9, 0.9, 0.1]
    assert result.kept_epoch == 2
    np.testing.assert_array_equal(result.vectors.vectors, tables[1].vectors)
    np.testing.assert_array_equal(result.vectors.context_vectors, tables[1].context_vectors)
    assert len(result.losses) == 4, "all epochs: early stopping was not requested"


def test_evaluation_only_affects_which_epoch_is_kept():
    plain = train()
    watched = train(evaluate=lambda vectors: len(vectors) + next(rising), evaluate_every=2)
    np.testing.assert_array_equal(plain.vectors.vectors, watched.vectors.vectors)
    assert plain.losses == watched.losses
    assert plain.kept_epoch == watched.kept_epoch == 4
    assert plain.scores == [None] * 4
    assert watched.scores == [None, 31, None, 32]


rising = iter(range(1, 99))


@pytest.mark.skipif(JIT_OFF, reason="an epoch that takes a second")
def test_timed_evaluations_do_not_select_an_epoch(monkeypatch):
    # Polled so often that an epoch has several evaluations on the fastest machine.
    monkeypatch.setattr(training, "run_in_threads", functools.partial(run_in_threads, every=0.01))
    scores, witness = iter([9.0, 8.0, *[0.1] * 1000]), Witness()
    corpus = random_corpus([20] * 60_000, types=1000)
    settings = Word2VecSettings(vector_size=200, window=9, epochs=1, subsample=0)
    result = train_word2vec(
        corpus, settings, evaluate=lambda vectors: next(scores), evaluate_seconds=0.001, callbacks=[witness]
    )
    evaluations = [seen for seen in witness.seen if seen[0] == "evaluation"]
    assert len(evaluations) >= 3
    assert 0 <= evaluations[0][2] < evaluations[1][2] < 1
    assert result.scores == [0.1]
    assert result.kept_epoch == 1


@pytest.mark.parametrize("score", [None, float("nan"), "good", True])
def test_invalid_scores_are_rejected(score):
    with pytest.raises(InputError, match="evaluate must return a finite number, got"):
        train(evaluate=lambda vectors: score)


def test_evaluation_time_is_not_training_time():
    result = train(evaluate=lambda vectors: time.sleep(0.3) or 1.0, settings=Word2VecSettings(vector_size=8, epochs=2))
    assert result.seconds < 0.3 or JIT_OFF


# -- early stopping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("patience", "epochs", "kept"), [(1, 3, 2), (2, 6, 4), (3, 7, 4), (4, 8, 8)])
def test_early_stopping_ends_training(monkeypatch, patience, epochs, kept):
    losses = iter([3.0, 2.0, 2.5, 1.0, 1.0, 1.5, 1.2, 0.5])
    monkeypatch.setattr(training.Trainer, "end_epoch", lambda self: training.EpochResult(next(losses), 0.1, 7))
    tables = []
    settings = Word2VecSettings(vector_size=8, epochs=8, learning_rate=0.1)
    watch = [lambda training: tables.append(training.vectors().vectors)]
    result = train(settings=settings, early_stopping=patience, callbacks=watch)
    assert (len(result.losses), result.kept_epoch) == (epochs, kept)
    np.testing.assert_array_equal(result.vectors.vectors, tables[kept - 1])
    assert result.summary()["kept_epoch"] == kept


def test_patience_counts_all_epochs_not_only_evaluated_ones(caplog):
    caplog.set_level("INFO", logger="wordvec")
    scores = iter([0.5, 0.4, 0.3])
    settings = Word2VecSettings(vector_size=8, epochs=20)
    result = train(settings=settings, evaluate=lambda v: next(scores), evaluate_every=2, early_stopping=3)
    assert (len(result.losses), result.kept_epoch) == (5, 2)
    assert "stopping early: no improvement on epoch 2 in 3 epochs" in caplog.text
    assert "keeping the vectors of epoch 2, the best of 5" in caplog.text


def test_early_stopping_does_not_change_the_schedule():
    reports = []
    settings = Word2VecSettings(vector_size=8, epochs=10, learning_rate=0.1, min_learning_rate=0.05)
    scores = iter([3, 2, 1])
    train(settings=settings, early_stopping=2, evaluate=lambda v: next(scores), on_progress=reports.append)
    assert reports[-1].learning_rate == pytest.approx(0.1 - 3 * 0.005)


@pytest.mark.parametrize("name", ["evaluate_every", "evaluate_seconds", "early_stopping"])
@pytest.mark.parametrize("value", [0, -1, "2", float("inf")])
def test_values_out_of_range_are_rejected_before_any_work(name, value):
    with pytest.raises(InputError, match=f"{name} must be .*, got {value!r}"):
        train(**{name: value}, evaluate=lambda vectors: 1.0)
