"""The loop over epochs: what it reports."""

import math
import signal
from dataclasses import dataclass

import numpy as np
import pytest

from seqclf.training import loop
from wordvec import Progress


@dataclass(frozen=True)
class Plan:
    epochs: int = 2
    batch_size: int = 4
    patience: int | None = None
    seed: int = 1


class Training:
    learning_rate = 0.25

    def end_epoch(self, score):
        """Take the score of an epoch."""


@pytest.fixture
def clock(monkeypatch):
    """A clock on which a step takes one second, and the first, which compiles, a hundred."""
    now = [0.0]
    monkeypatch.setattr(loop.time, "perf_counter", lambda: now[0])

    def step(members):
        now[0] += 1 if now[0] else 100
        return 0.5

    return step


def reports(step, sequences=10, **options):
    seen = []
    loop.train_in_batches(
        step, np.ones(sequences, int), Training(), Plan(**options), arrays=[], unit="texts", on_progress=seen.append,
        evaluate=lambda: ({"dev_accuracy": 0.75}, (0.75,)),
    )  # fmt: skip
    return seen


def test_reports_count_sequences(clock):
    seen = reports(clock)
    assert all(isinstance(state, Progress) for state in seen)
    assert [state.done for state in seen if state.epoch_done] == [10, 20]
    assert {(state.stage, state.total, state.unit, state.epochs) for state in seen} == {("training", 20, "texts", 2)}
    assert [state.epoch for state in seen] == [0] * 4 + [1] * 4
    assert {(state.loss, state.learning_rate) for state in seen} == {(0.5, 0.25)}


def test_the_speed_leaves_out_the_first_step(clock):
    first, second, *_, last = reports(clock)
    assert math.isnan(first.per_second)
    assert math.isnan(first.seconds_left)
    assert second.per_second == second.done - first.done
    assert second.seconds_left == (20 - second.done) / second.per_second
    assert last.seconds_left == 0


def test_metrics_are_those_of_the_last_finished_epoch(clock):
    seen = reports(clock)
    assert [state.metrics for state in seen[:3]] == [{}] * 3
    assert [state.metrics for state in seen[3:]] == [{"dev_accuracy": 0.75}] * 5


def test_a_training_of_one_step_has_no_speed(clock):
    first, last = reports(clock, sequences=3, epochs=1)
    assert (first.done, last.done, last.epoch_done) == (3, 3, True)
    assert math.isnan(last.per_second)
    assert math.isnan(last.seconds_left)


@pytest.mark.parametrize(("scores", "kept"), [((1.0, 3.0, 2.0), 2), ((1.0, 2.0, 3.0), 3), (None, 3)])
def test_a_stopped_training_has_the_values_of_its_best_complete_epoch(scores, kept):
    weight = np.zeros(2)

    def run(epoch):
        weight[:] += 1
        if epoch == 3:
            weight[0] = 99  # half an epoch
            raise loop.StopTraining
        return {"epoch": epoch + 1}, None if scores is None else (scores[epoch],)

    outcome = loop.best_of_epochs(run, 9, patience=None, arrays=[weight])
    assert (outcome.best_epoch, weight.tolist()) == (kept, [kept, kept])
    assert [row["epoch"] for row in outcome.history] == [1, 2, 3]


def test_stopping_before_the_first_epoch_ends_is_an_exception():
    def run(epoch):
        raise loop.StopTraining

    with pytest.raises(loop.StopTraining):
        loop.best_of_epochs(run, 9, patience=None, arrays=[])


def test_ctrl_c_waits_for_the_end_of_a_step():
    steps = []

    def step(members):
        signal.raise_signal(signal.SIGINT)
        steps.append(members)
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        loop.train_in_batches(step, np.ones(10, int), Training(), Plan(epochs=5), arrays=[], unit="texts")
    assert len(steps) == 1


def test_the_report_of_an_epoch_can_stop_the_training_after_it(clock):
    def stop(state):
        if state.epoch_done and state.epoch == 1:
            raise loop.StopTraining

    outcome = loop.train_in_batches(
        clock, np.ones(10, int), Training(), Plan(epochs=5), arrays=[], unit="texts", on_progress=stop,
    )  # fmt: skip
    assert len(outcome.history) == 2
