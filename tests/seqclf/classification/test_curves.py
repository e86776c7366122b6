"""Precision-recall curves, compared with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from seqclf.classification.curves import precision_recall
from wordvec import InputError


def test_curves_match_scikit_learn():
    random = np.random.default_rng(3)
    for size in (1, 7, 200):
        scores = random.integers(0, max(size // 3, 2), size) / 100
        truth = random.random(size) < 0.3
        truth[random.integers(size)] = True
        found = precision_recall(truth, scores)
        precision, recall, thresholds = precision_recall_curve(truth, scores)
        np.testing.assert_allclose(found.thresholds[::-1], thresholds)
        np.testing.assert_allclose(found.precision[::-1], precision[:-1])
        np.testing.assert_allclose(found.recall[::-1], recall[:-1])
        assert found.average_precision == pytest.approx(average_precision_score(truth, scores))


@pytest.mark.parametrize(
    ("truth", "scores", "message"),
    [
        ([True], [0.5, 0.1], "pass one for each text"),
        ([False], [0.5], "no text has the label"),
        ([True], [np.nan], "got NaN"),
    ],
)
def test_wrong_input_is_rejected(truth, scores, message):
    with pytest.raises(InputError, match=message):
        precision_recall(truth, scores)
