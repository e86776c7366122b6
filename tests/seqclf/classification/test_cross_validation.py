"""Stratified folds and cross-validation."""

import numpy as np
import pytest

from seqclf import ClassifierSettings, compare_baselines, train_classifier
from seqclf.classification.cross_validation import cross_validate, learning_curve
from seqclf.data.splits import grouped_folds, stratified_folds
from wordvec import InputError


def test_folds_are_disjoint_complete_and_stratified():
    targets = np.array([0] * 10 + [1] * 4 + [2])
    folds = stratified_folds(targets, 5, seed=1)
    assert np.sort(np.concatenate(folds)).tolist() == list(range(15))
    assert [np.count_nonzero(targets[rows] == 0) for rows in folds] == [2] * 5
    assert max(np.count_nonzero(targets[rows] == 1) for rows in folds) == 1
    assert all((np.diff(rows) > 0).all() for rows in folds)
    assert [rows.tolist() for rows in folds] != [rows.tolist() for rows in stratified_folds(targets, 5, seed=2)]


def test_a_fold_is_predicted_by_a_model_that_has_not_seen_it():
    # Every text is unlike all others: without having seen it, a model cannot know its label.
    texts = [f"{chr(97 + row)}{chr(65 + row)}" * 3 for row in range(16)]
    labels = ["x", "y"] * 8
    settings = ClassifierSettings(model="linear", validation_fraction=0)
    found = cross_validate(texts, labels, 4, settings=settings)
    assert [len(each.truth) for each in found] == [4] * 4
    assert sorted(label for each in found for label in each.truth) == sorted(labels)
    assert np.mean([each.score.accuracy for each in found]) <= 0.75
    for folds in (1, 17):
        with pytest.raises(InputError, match="folds must be"):
            cross_validate(texts, labels, folds, settings=settings)


def test_shares_of_a_learning_curve_are_nested_and_stratified(monkeypatch):
    seen = []

    def recorded(texts, labels, **options):
        seen.append(dict(zip(texts, labels, strict=True)))
        return train_classifier(texts, labels, **options)

    monkeypatch.setattr("seqclf.classification.cross_validation.train_classifier", recorded)
    texts = [f"{'fire' if row % 4 else 'calm'} {row}" for row in range(40)] + ["one of a kind"]
    labels = ["alarm" if row % 4 else "quiet" for row in range(40)] + ["odd"]
    settings = ClassifierSettings(model="linear")
    whole = train_classifier(texts, labels, settings=settings)
    test = texts[:8], labels[:8]
    points = learning_curve(texts, labels, *test, shares=(1.0, 0.2, 0.5), whole=whole, settings=settings)
    assert [point.texts for point in points] == [9, 21, 41]
    assert [len(each) for each in seen] == [9, 21]
    assert seen[0].items() <= seen[1].items()
    assert [list(each.values()).count("quiet") for each in seen] == [2, 5]
    assert points[-1].scores["this model"].accuracy == whole.evaluate(*test).score.accuracy
    expected = compare_baselines(texts, labels, *test)
    assert [*points[-1].scores] == ["this model", *(each.name for each in expected)]
    assert points[-1].scores["NB-SVM"].accuracy == expected[-1].score.accuracy
    with pytest.raises(InputError, match="a share of the texts must be above 0 and at most 1, got 0"):
        learning_curve(texts, labels, *test, shares=(0, 1), settings=settings)


def test_groups_stay_together_and_classes_are_spread():
    random = np.random.default_rng(1)
    groups = random.integers(0, 40, 400)
    targets = (random.random(400) < 0.3).astype(np.int64)
    folds = grouped_folds(targets, groups, 5, seed=1)
    assert np.sort(np.concatenate(folds)).tolist() == list(range(400))
    assert all(set(groups[one]).isdisjoint(groups[other]) for one in folds for other in folds if one is not other)
    shares = [targets[rows].mean() for rows in folds]
    assert max(shares) - min(shares) < 0.08
    assert max(map(len, folds)) - min(map(len, folds)) < 30
    single = grouped_folds(np.array([0, 0, 0, 0, 1]), ["a", "a", "a", "b", "c"], 3, seed=1)
    assert sorted(rows.tolist() for rows in single) == [[0, 1, 2], [3], [4]]


def test_cross_validation_by_groups():
    texts, labels = ["fire in the hills", "warm evening", "the fire spreads", "tea time"] * 4, [1, 0, 1, 0] * 4
    settings = ClassifierSettings(model="linear", validation_fraction=0)
    groups = np.repeat(["a", "b", "c", "d"], 4)
    found = cross_validate(texts, labels, 4, settings=settings, groups=groups)
    assert [len(each.truth) for each in found] == [4] * 4
    with pytest.raises(InputError, match="5 folds need at least as many groups, got 4"):
        cross_validate(texts, labels, 5, settings=settings, groups=groups)
    with pytest.raises(InputError, match="3 groups for 16 texts"):
        cross_validate(texts, labels, 2, settings=settings, groups=groups[:3])
