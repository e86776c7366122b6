"""Search for settings: reproducible from its log, resumable, ended by Ctrl-C with the best model."""

import json

import numpy as np
import pytest

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'wordvec-seqclf[tuning]'")

from seqclf import ClassifierSettings, StopTraining, train_classifier
from seqclf.classification.train_linear import train_linear
from seqclf.classification.tuning import SPACE, tune_classifier
from seqclf.data.splits import stratified_folds
from wordvec import InputError

TEXTS = ["fire in the hills", "lovely warm evening", "the river floods", "tea in the sun"] * 4
LABELS = ["alarm", "calm"] * 8
SETTINGS = ClassifierSettings(hidden_size=4, vector_size=4, epochs=3, warmup_steps=0)
FIXED = [name for name in SPACE if name not in ("learning_rate", "dropout", "pooling")]


def stop_after(epochs):
    """Return a function that ends a search when some epochs have ended, as Ctrl-C does."""
    ended = []

    def stop(state):
        ended.append(state.epoch_done)
        if sum(ended) > epochs:
            raise StopTraining

    return stop


def search(log, seconds=60, **options):
    return tune_classifier(
        TEXTS, LABELS, seconds=seconds, log=log, settings=SETTINGS, fixed=FIXED, dev=(TEXTS[:6], LABELS[:6]), threads=1,
        **options,
    )  # fmt: skip


def test_the_best_trial_is_returned_and_can_be_trained_again(tmp_path):
    found = search(tmp_path / "log", on_progress=stop_after(12))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) == 1 + len(found.search.trials) > 2
    assert lines[1]["settings"] == {"learning_rate": 0.002, "dropout": 0.5, "pooling": "max"}
    scores = [line["score"] for line in lines[1:] if line["score"] is not None]
    assert found.search.best.score == max(scores)
    best = found.search.best.settings
    again = ClassifierSettings(hidden_size=4, vector_size=4, epochs=3, warmup_steps=0, **best)
    model = train_classifier(TEXTS, LABELS, settings=again, dev=(TEXTS[:6], LABELS[:6]), threads=1)
    np.testing.assert_array_equal(model.predict_proba(TEXTS), found.model.predict_proba(TEXTS))
    assert found.model.metrics["trials"] == len(found.search.trials)


def test_a_log_is_continued_with_the_same_trials(tmp_path):
    whole = search(tmp_path / "whole", on_progress=stop_after(24))
    part = search(tmp_path / "part", on_progress=stop_after(10))
    with pytest.raises(InputError, match="holds a search: resume it"):
        search(tmp_path / "part")
    rest = search(tmp_path / "part", on_progress=stop_after(10), resume=True)
    assert len(rest.search.trials) > len(part.search.trials) > 1
    for one, other in zip(whole.search.trials, rest.search.trials, strict=False):
        assert (one.settings, one.score, one.state) == (other.settings, other.score, other.state)
    for options in ({"seconds": 0.01}, {"on_progress": stop_after(0)}):  # no trial ends: the model is trained again
        again = search(tmp_path / "part", resume=True, **options)
        assert len(again.search.trials) == len(rest.search.trials)
        np.testing.assert_array_equal(again.model.predict_proba(TEXTS), rest.model.predict_proba(TEXTS))


def test_the_linear_part_is_trained_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "seqclf.classification.train.train_linear", lambda *a, **b: calls.append(1) or train_linear(*a, **b)
    )
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=2, model="blend")
    dev = TEXTS[:6], LABELS[:6]
    found = tune_classifier(
        TEXTS, LABELS, seconds=60, log=tmp_path / "log", settings=settings, fixed=FIXED, dev=dev, threads=1,
        on_progress=stop_after(6),
    )  # fmt: skip
    assert (len(calls), len(found.search.trials) > 1) == (1, True)
    again = train_classifier(TEXTS, LABELS, settings=ClassifierSettings(**found.model.settings), dev=dev, threads=1)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), found.model.predict_proba(TEXTS))


def test_the_score_of_folds_is_their_mean(tmp_path):
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=2, model="blend")
    weights = np.linspace(0.5, 2, 16)
    options = {"seconds": 0.01, "settings": settings, "fixed": FIXED, "sample_weight": weights, "threads": 1}
    found = tune_classifier(TEXTS, LABELS, log=tmp_path / "log", folds=2, **options)
    scores = []
    for own in stratified_folds(np.array([0, 1] * 8), 2, seed=1):
        others = sorted(set(range(16)) - {*own})
        parts = [[[each[row] for row in rows] for each in (TEXTS, LABELS)] for rows in (others, own)]
        given = {"settings": settings, "dev": parts[1], "sample_weight": weights[others], "threads": 1}
        metrics = train_classifier(*parts[0], **given).metrics
        scores.append(metrics["dev_accuracy"] - 1e-4 * metrics["dev_loss"])
    assert found.search.best.score == pytest.approx(np.mean(scores), abs=1e-9)
    assert list(found.search.best.reports) == [1, 2]
    again = train_classifier(TEXTS, LABELS, settings=settings, sample_weight=weights, threads=1)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), found.model.predict_proba(TEXTS))
    with pytest.raises(InputError, match="differs in: weights"):
        tune_classifier(TEXTS, LABELS, log=tmp_path / "log", folds=2, resume=True, **options | {"sample_weight": None})
    with pytest.raises(InputError, match="differs in: number of folds"):
        tune_classifier(TEXTS, LABELS, log=tmp_path / "log", folds=3, resume=True, **options)
    with pytest.raises(InputError, match="folds are stratified by label, but each text has several"):
        tune_classifier(TEXTS, [[each] for each in LABELS], log=tmp_path / "l", folds=2, multi_label={}, **options)


def test_label_sets_are_tuned_by_micro_f1(tmp_path):
    sets = [{"wet", "high"}, set(), {"wet"}, set()] * 4
    found = tune_classifier(
        TEXTS, sets, seconds=0.01, log=tmp_path / "log", settings=SETTINGS, dev=(TEXTS[:8], sets[:8]), threads=1,
        multi_label={"tune_thresholds": True},
    )  # fmt: skip
    assert found.model.labels == ["high", "wet"]
    assert found.search.best.score == pytest.approx(found.model.metrics["dev_micro_f1"], abs=1e-2)


def test_stopping_keeps_the_best_of_the_complete_trials(tmp_path):
    found = search(tmp_path / "log", on_progress=stop_after(4))  # in the second trial
    assert found.search.interrupted
    assert [trial.number for trial in found.search.trials] == [0]
    assert found.model.settings["learning_rate"] == 0.002
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "other", on_progress=stop_after(1))
    assert not (tmp_path / "other").exists()


def test_the_first_trial_has_the_default_number_of_epochs(tmp_path):
    found = tune_classifier(
        TEXTS, LABELS, seconds=60, log=tmp_path / "log", settings=ClassifierSettings(hidden_size=4, vector_size=4),
        fixed=[name for name in SPACE if name != "epochs"], threads=1, on_progress=stop_after(11),
    )  # fmt: skip
    assert found.search.trials[0].settings == {"epochs": 10}


def test_what_cannot_be_tuned_is_refused(tmp_path):
    given = {"seconds": 1, "log": tmp_path / "log"}
    with pytest.raises(InputError, match="no effect on a linear model"):
        tune_classifier(TEXTS, LABELS, settings=ClassifierSettings(model="linear"), **given)
    with pytest.raises(InputError, match="tuning needs validation texts"):
        tune_classifier(TEXTS, LABELS, settings=ClassifierSettings(validation_fraction=0), **given)
    with pytest.raises(InputError, match="nothing to tune: all settings are fixed"):
        tune_classifier(TEXTS, LABELS, fixed=list(SPACE), **given)
