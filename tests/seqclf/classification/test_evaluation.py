"""Calibration error, mistakes and thresholds of an evaluation."""

import numpy as np
import pytest

from seqclf import compare_baselines
from seqclf.classification.evaluation import Coverage, Evaluation, evaluated
from seqclf.classification.set_evaluation import evaluated_sets
from seqclf.metrics import mcnemar, score
from wordvec import InputError

TRUTH = ["a", "b", "a", "c", "b"]
PREDICTED = ["a", "a", "a", "b", "b"]


@pytest.fixture
def evaluation():
    confidence = np.array([0.9, 0.95, 0.6, 0.7, 0.7], np.float32)
    return Evaluation(score(TRUTH, PREDICTED), TRUTH, PREDICTED, confidence, np.zeros(5, np.float32))


def test_calibration_error(evaluation):
    # Bins of 0.25: two texts of confidence 0.6 .. 0.75 right, one wrong; of those above, one right and one wrong.
    expected = (abs(0.6 + 0.7 + 0.7 - 2) + abs(0.9 + 0.95 - 1)) / 5
    assert evaluation.calibration_error(bins=4) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(InputError, match="bins must be at least 1, got 0"):
        evaluation.calibration_error(0)


def test_reliability_has_the_intervals_with_texts(evaluation):
    found = evaluation.reliability(bins=4)
    assert [row.texts for row in found] == [3, 2]
    assert [row.accuracy for row in found] == [pytest.approx(2 / 3), 0.5]
    assert [row.confidence for row in found] == [pytest.approx(2 / 3), pytest.approx(0.925)]


@pytest.mark.parametrize("names", [[0, 1], [0.0, 1.0], [False, True], ["0", "1"]])
@pytest.mark.parametrize("truth", [[0, 1], [0.0, 1.0], ["0", "1"]])
def test_labels_that_are_equal_or_written_alike_are_one(names, truth):
    equal = names == truth or [*map(str, names)] == [*map(str, truth)]
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    assert evaluated(names, probabilities, np.array(truth)).score.accuracy == equal
    assert evaluated_sets(names, probabilities, np.full(2, 0.5), [[each] for each in truth]).score.micro_f1 == equal
    texts = ["calm", "fire"]
    assert compare_baselines(texts, names, texts, truth)[1].score.accuracy == equal


def test_precision_and_recall_are_scikit_learn_s():
    from sklearn.metrics import average_precision_score, precision_recall_curve

    random = np.random.default_rng(4)
    probabilities = random.dirichlet(np.ones(3), 60).round(1).astype(np.float32)  # with ties
    truth = random.choice(["a", "b", "unknown"], 60).tolist()
    found = evaluated(["a", "b", "c"], probabilities, truth)
    for column, label in enumerate("ab"):
        is_label = [own == label for own in truth]
        precision, recall, _ = precision_recall_curve(is_label, probabilities[:, column])
        own = found.precision_recall(label)
        np.testing.assert_allclose(own.precision, precision[:-1][::-1])
        np.testing.assert_allclose(own.recall, recall[:-1][::-1])
        expected = average_precision_score(is_label, probabilities[:, column])
        assert own.average_precision == pytest.approx(expected)
    for label in ("c", "unknown"):
        with pytest.raises(InputError, match="is not a label of the model that some text has"):
            found.precision_recall(label)


def test_mistakes_begin_with_the_most_confident(evaluation):
    assert evaluation.mistakes() == [1, 3]


def test_coverage_and_thresholds(evaluation):
    assert evaluation.coverage([0.0, 0.8, 0.99]) == [
        Coverage(0.0, 1.0, 0.6),
        Coverage(0.8, 0.4, 0.5),
        Coverage(0.99, 0.0, None),
    ]
    found = evaluation.threshold_for(0.6)
    assert (found.coverage, found.accuracy) == (1.0, 0.6)
    # Two of the first three are right, but the third and fourth have equal confidence: two of four.
    assert evaluation.threshold_for(0.65) is None
    with pytest.raises(InputError, match="accuracy must be above 0 and at most 1, got 2"):
        evaluation.threshold_for(2)


def test_intervals_are_those_of_resampled_texts():
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, 150)
    predicted = np.where(random.random(150) < 0.7, truth, random.integers(0, 3, 150))
    samples = []
    for _ in range(1000):
        rows = random.integers(0, 150, 150)
        drawn = score(truth[rows], predicted[rows], [0, 1, 2])
        samples.append((drawn.accuracy, drawn.macro_f1))
    expected = np.quantile(samples, [0.025, 0.975], axis=0)
    found = score(truth, predicted).intervals()
    np.testing.assert_allclose([found["accuracy"], found["macro_f1"]], expected.T, atol=0.015)
    assert found == score(truth, predicted).intervals()


def test_mcnemar():
    assert mcnemar(np.ones(5, bool), np.ones(5, bool)) == 1.0
    only, others = np.arange(12) < 7, np.arange(12) >= 10
    assert mcnemar(only, others) == pytest.approx(2 * sum([1, 9, 36]) / 2**9)
