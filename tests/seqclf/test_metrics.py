"""Metrics against scikit-learn's, and by hand."""

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from seqclf.metrics import accuracy, confusion_matrix, macro_f1, matthews, score, score_entities
from wordvec import InputError


@pytest.mark.parametrize("classes", [2, 5])
def test_scores_match_scikit_learn(classes):
    random = np.random.default_rng(classes)
    truth = random.integers(0, classes, 200)
    predicted = np.where(random.random(200) < 0.6, truth, random.integers(0, classes, 200))
    result = score(truth, predicted)
    assert result.accuracy == accuracy(truth, predicted) == pytest.approx(reference.accuracy_score(truth, predicted))
    assert macro_f1(truth, predicted) == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert matthews(truth, predicted) == pytest.approx(reference.matthews_corrcoef(truth, predicted))
    np.testing.assert_array_equal(result.confusion, reference.confusion_matrix(truth, predicted))
    table = reference.precision_recall_fscore_support(truth, predicted)
    np.testing.assert_allclose([[c.precision, c.recall, c.f1, c.support] for c in result.classes], np.transpose(table))


def test_label_that_is_never_predicted_scores_0():
    result = score(["a", "b", "b"], ["b", "b", "b"])
    assert [(row.label, row.precision, row.f1) for row in result.classes] == [("a", 0.0, 0.0), ("b", 2 / 3, 0.8)]
    assert result.matthews == 0.0


def test_labels_set_order_and_size_of_the_confusion_matrix():
    counts = confusion_matrix(["x", "y"], ["y", "y"], ["y", "z", "x"])
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert score(["x", "y"], ["y", "y"], ["y", "z", "x"]).macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_invalid_input_is_rejected():
    with pytest.raises(InputError, match="3 predictions for 2 labels"):
        accuracy([1, 2], [1, 2, 1])
    with pytest.raises(InputError, match="nothing to score"):
        accuracy([], [])
    with pytest.raises(InputError, match="label 'c' is not among the known labels: 'a', 'b'"):
        score(["a", "c"], ["a", "b"], ["a", "b"])


def test_scores_are_json_serializable():
    labels = np.array([3, 1, 1])
    text = json.dumps(score(labels, labels).as_dict())
    assert json.loads(text)["labels"] == [1, 3]
    assert json.loads(text)["confusion"] == [[2, 0], [0, 1]]


def test_entities_are_scored_as_a_whole():
    truth = [["B-PER", "I-PER", "O", "B-LOC"], [], ["B-LOC", "I-LOC"], ["O"]]
    found = [["B-PER", "O", "O", "B-LOC"], [], ["I-LOC", "I-LOC"], ["B-ORG"]]
    result = score_entities(truth, found)
    assert (result.precision, result.recall, result.f1, result.support) == (0.5, 2 / 3, 4 / 7, 3)
    rows = {row.label: (row.precision, row.recall, row.support) for row in result.classes}
    assert rows == {"LOC": (1, 1, 2), "ORG": (0, 0, 0), "PER": (0, 0, 1)}
    assert result.as_dict()["classes"][0]["label"] == "LOC"
    nothing = score_entities([["O"]], [["O"]])
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.classes) == (0, 0, 0, [])
    assert score_entities([["U-A", "B-A", "L-A"]], [["S-A", "B-A", "E-A"]]).f1 == 1


@pytest.mark.parametrize(
    ("truth", "found", "message"),
    [
        ([["O"]], [], "0 predictions for 1 sentences"),
        ([["O"]], [["O", "O"]], "2 predicted tags for 1 tags in sentence 0"),
        ([["NOUN"]], [["O"]], "entity tags must be O or start with B-, .* got 'NOUN'"),
    ],
)
def test_invalid_entity_tags_are_rejected(truth, found, message):
    with pytest.raises(InputError, match=message):
        score_entities(truth, found)


def test_entity_scores_equal_those_of_seqeval():
    seqeval = pytest.importorskip("seqeval.metrics")
    random = np.random.default_rng(1)
    labels = ["O", "B-A", "I-A", "B-B", "I-B", "E-A", "S-B"]
    truth, found = ([random.choice(labels, size).tolist() for size in range(1, 40)] for _ in range(2))
    result = score_entities(truth, found)
    assert result.precision == pytest.approx(seqeval.precision_score(truth, found))
    assert result.recall == pytest.approx(seqeval.recall_score(truth, found))
    assert result.f1 == pytest.approx(seqeval.f1_score(truth, found))
