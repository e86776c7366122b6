"""Stratified folds and cross-validation."""

import numpy as np
import pytest

from seqclf import ClassifierSettings
from seqclf.classification.cross_validation import cross_validate
from seqclf.data.splits import stratified_folds
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
