"""The search for settings: its trials, its log, and what interrupts it."""

import json
import sys

import pytest

from wordvec import FormatError, InputError, TrainingError
from wordvec.system.tuning import Range, tune

SPACE = {"rate": Range(0.01, 1, log=True), "epochs": Range(1, 9, whole=True), "loss": ("a", "b")}
FIRST = {"rate": 0.1, "epochs": 5, "loss": "a"}


@pytest.fixture(autouse=True, scope="module")
def _optuna():
    pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'wordvec-seqclf[tuning]'")


def peak(trial):
    """The score is best at rate 0.5, loss b."""
    return -abs(trial.settings["rate"] - 0.5) + (trial.settings["loss"] == "b")


class Clock:
    """Stands in for ``time``: each trial lasts 10 seconds."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 10
        return self.now


@pytest.fixture(autouse=True)
def _seconds(monkeypatch):
    monkeypatch.setattr("wordvec.system.tuning.time", Clock())


def search(tmp_path, objective=peak, seconds=100, **options):
    return tune(objective, SPACE, FIRST, seconds, tmp_path / "log.jsonl", **{"about": {"on": "it"}, **options})


def test_the_first_trial_has_the_first_settings_and_the_best_is_found(tmp_path):
    found = search(tmp_path, seconds=300)
    assert found.trials[0].settings == FIRST
    assert len(found.trials) == 30
    assert not found.interrupted
    assert found.best == max(found.trials, key=lambda trial: trial.score)
    assert found.best.score > 0.9
    assert {type(trial.settings["epochs"]) for trial in found.trials} == {int}


def test_the_budget_ends_before_a_trial_of_mean_duration_would_exceed_it(tmp_path):
    assert len(search(tmp_path, seconds=59).trials) == 5


def test_one_trial_runs_however_short_the_budget(tmp_path):
    assert len(search(tmp_path, seconds=1e-3).trials) == 1


def test_the_log_has_every_trial(tmp_path):
    found = search(tmp_path)
    head, *lines = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert head["search"]["on"] == "it"
    assert head["search"]["first"] == FIRST
    assert [line["score"] for line in lines] == [trial.score for trial in found.trials]
    assert str(found.trials[0]) == "trial 1: score -0.4000: rate=0.1 epochs=5 loss=a"


def pruning(trial):
    """Report at two steps, fail once, and be pruned when bad."""
    if trial.number == 3:
        raise TrainingError("diverged")
    trial.report(1, peak(trial))
    trial.report(2, peak(trial))
    return peak(trial)


def test_a_resumed_search_tries_what_an_unbroken_one_tries(tmp_path):
    whole = search(tmp_path, pruning, seconds=250)
    assert {trial.state for trial in whole.trials} == {"complete", "pruned", "failed"}
    (tmp_path / "log.jsonl").unlink()
    for seconds in (20, 140, 250):
        broken = search(tmp_path, pruning, seconds=seconds, resume=True)
    assert broken == whole


def test_the_best_is_kept_before_it_is_logged(tmp_path):
    kept = []

    def keep(outcome):
        lines = (tmp_path / "log.jsonl").read_text().splitlines() if kept else []
        kept.append(outcome)
        assert str(outcome.settings["rate"]) not in "".join(lines[1:])

    found = search(tmp_path, on_best=keep)
    scores = [outcome.score for outcome in kept]
    assert scores == sorted(set(scores))
    assert kept[-1] == found.best


def test_an_interrupt_keeps_the_best_and_forgets_the_unfinished_trial(tmp_path):
    def interrupted(trial):
        if trial.number == 4:
            raise KeyboardInterrupt
        return peak(trial)

    found = search(tmp_path, interrupted)
    assert found.interrupted
    assert len(found.trials) == 4
    assert search(tmp_path, resume=True).trials[:4] == found.trials


def test_an_interrupt_of_the_first_trial_propagates(tmp_path):
    def interrupted(trial):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, interrupted)
    assert not (tmp_path / "log.jsonl").exists()


def test_a_score_of_zero_is_improved_only_by_a_better_one(tmp_path):
    scores = iter([0.0, -1.0, 0.0, 2.0, 1.0])
    assert search(tmp_path, lambda trial: next(scores), seconds=59).best.number == 3


def test_trials_that_all_fail(tmp_path):
    def diverged(trial):
        raise TrainingError("diverged")

    with pytest.raises(TrainingError, match="all 2 trials of"):
        search(tmp_path, diverged, seconds=20)


def test_the_log_of_another_search_is_refused(tmp_path):
    search(tmp_path, seconds=10)
    with pytest.raises(InputError, match="holds a search: resume it"):
        search(tmp_path)
    with pytest.raises(InputError, match="holds another search, which differs in: on, seed;"):
        search(tmp_path, about={"on": "that"}, seed=2, resume=True)


@pytest.mark.parametrize("text", ["", "{}", "[1]\n", '{"search": {}, "version": 1}\n{"number": 1}\n', "\xff"])
def test_a_damaged_log_is_refused(tmp_path, text):
    (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(FormatError, match=r"log\.jsonl: not a log of a search"):
        search(tmp_path, resume=True)


@pytest.mark.parametrize(
    ("space", "first", "message"),
    [
        ({}, {}, "nothing to tune"),
        ({"a": (1, 2)}, {"b": 1}, "first must have the settings a, got b"),
        ({"a": (1, 2)}, {"a": 3}, "the first a must be one of 1, 2, got 3"),
        ({"a": Range(1, 2)}, {"a": 3}, "the first a must be at least 1 and at most 2, got 3"),
    ],
)
def test_a_wrong_space_is_refused(tmp_path, space, first, message):
    with pytest.raises(InputError, match=message):
        tune(peak, space, first, 1, tmp_path / "log", about={})


def test_without_optuna(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"tuning needs Optuna, which is not installed: pip install"):
        search(tmp_path)
