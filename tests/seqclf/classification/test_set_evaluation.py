"""Evaluations of multi-label classifiers, against scikit-learn and by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import average_precision_score, f1_score

from seqclf.classification.set_evaluation import evaluated_sets
from wordvec import InputError

NAMES = ["fire", "flood", "storm"]
PROBABILITIES = np.array([[0.9, 0.2, 0.4], [0.1, 0.7, 0.6], [0.55, 0.5, 0.05], [0.3, 0.95, 0.2]], np.float32)
TRUTH = [["fire"], ["storm", "flood"], [], ["fire", "flood", "hail"]]
THRESHOLDS = np.array([0.5, 0.6, 0.65])


def evaluation():
    return evaluated_sets(NAMES, PROBABILITIES, THRESHOLDS, TRUTH)


def test_predictions_and_their_mistakes():
    found = evaluation()
    assert found.predicted == [["fire"], ["flood"], ["fire"], ["flood"]]
    assert found.truth[3] == ["fire", "flood", "hail"]
    # Text 3 lacks fire with 0.3, text 2 has fire with 0.55, text 1 lacks storm with 0.6.
    assert [(row, round(confidence, 4)) for row, confidence in found.mistakes()] == [(3, 0.7), (2, 0.55), (1, 0.4)]


def test_a_text_whose_only_mistake_is_a_label_that_the_model_does_not_know():
    found = evaluated_sets(NAMES, PROBABILITIES, THRESHOLDS, [["fire", "hail"], ["flood"], ["fire"], ["flood"]])
    assert found.mistakes() == [(0, 0.0)]


@pytest.mark.parametrize("names", [NAMES, [0, 1, 2]])
def test_an_indicator_matrix_is_read_as_label_sets(names):
    matrix = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 0]])
    given = (names, PROBABILITIES, THRESHOLDS)
    expected = evaluated_sets(*given, [[names[place] for place in row.nonzero()[0]] for row in matrix])
    for labels in (matrix, matrix.astype(bool), csr_array(matrix)):
        found = evaluated_sets(*given, labels)
        assert (found.truth, found.score) == (expected.truth, expected.score)
    with pytest.raises(InputError, match="of 0 and 1 of equal length"):
        evaluated_sets(*given, matrix.tolist())
    with pytest.raises(InputError, match="2 columns for 3 labels"):
        evaluated_sets(*given, matrix[:, :2])


def test_scores_of_scikit_learn():
    found = evaluation()
    has = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 0]], bool)
    assert (found.has == has).all()
    known = evaluated_sets(
        NAMES, PROBABILITIES, THRESHOLDS, [[name for name in own if name != "hail"] for own in TRUTH]
    )
    assert known.score.micro_f1 == pytest.approx(f1_score(has, PROBABILITIES >= THRESHOLDS, average="micro"))
    for place, name in enumerate(NAMES):
        expected = average_precision_score(has[:, place], PROBABILITIES[:, place])
        assert found.precision_recall(name).average_precision == pytest.approx(expected)


def test_calibration_is_that_of_pairs_of_texts_and_labels():
    rows = evaluation().reliability(2)
    low, high = PROBABILITIES[PROBABILITIES <= 0.5], PROBABILITIES[PROBABILITIES > 0.5]
    assert [(row.texts, row.accuracy) for row in rows] == [(7, pytest.approx(1 / 7)), (5, pytest.approx(4 / 5))]
    assert [row.confidence for row in rows] == pytest.approx([low.mean(), high.mean()])
    expected = (7 * abs(low.mean() - 1 / 7) + 5 * abs(high.mean() - 4 / 5)) / 12
    assert evaluation().calibration_error(2) == pytest.approx(expected)


def test_intervals_narrow_with_the_number_of_texts():
    def width(times):
        found = evaluated_sets(NAMES, np.tile(PROBABILITIES, (times, 1)), THRESHOLDS, TRUTH * times)
        low, high = found.intervals(200)["micro_f1"]
        assert low < found.score.micro_f1 < high
        return high - low

    assert width(50) < width(5) / 2
    assert evaluation().intervals() == evaluation().intervals()


def test_a_label_without_texts_has_no_curve():
    with pytest.raises(InputError, match="'hail' is not a label of the model"):
        evaluation().precision_recall("hail")
    with pytest.raises(InputError, match="3 label sets"):
        evaluated_sets(NAMES, PROBABILITIES, THRESHOLDS, TRUTH[:3])
