"""Class labels and their weights."""

import numpy as np
import pytest

from seqclf import ClassifierSettings, SequenceClassifier, score, train_classifier, train_multi_label, train_tagger
from seqclf.data.labels import class_weights
from wordvec import InputError

QUICK = ClassifierSettings(hidden_size=2, vector_size=2, epochs=1, validation_fraction=0)


def test_class_weights():
    targets = np.array([0, 0, 1])
    assert class_weights(targets, ["a", "b"], None).tolist() == [1, 1]
    assert class_weights(targets, ["a", "b"], {"b": 3}).tolist() == [1, 3]
    balanced = class_weights(targets, ["a", "b"], "balanced")
    assert balanced[targets].mean() == pytest.approx(1)
    assert balanced[1] == 2 * balanced[0]


def test_equal_numbers_are_one_class_and_other_types_are_refused():
    texts = ["fire", "rain", "sun", "snow"]
    for labels in ([1, 1.0, 0, 0], [1.0, 1, 0, 0]):
        model = train_classifier(texts, labels, settings=QUICK)
        assert model.labels == [0.0, 1.0]
        assert all(isinstance(label, float) for label in model.labels)
        assert SequenceClassifier(hidden_size=2, epochs=1).fit(texts, labels).classes_.tolist() == [0.0, 1.0]
    for labels, kinds in (([True, 1, 0, 0], "bool and int"), (["1", 1, 0, 0], "int and str")):
        with pytest.raises(InputError, match=f"labels must have the same type, got {kinds}; convert them with str"):
            train_classifier(texts, labels, settings=QUICK)
        with pytest.raises(InputError, match=f"labels must have the same type, got {kinds}"):
            SequenceClassifier(hidden_size=2, epochs=1).fit(texts, labels)
        with pytest.raises(InputError, match=f"tags must have the same type, got {kinds}"):
            train_tagger([[text] for text in texts], [[label] for label in labels])
        with pytest.raises(InputError, match=f"labels must have the same type, got {kinds}"):
            train_multi_label(texts, [[label] for label in labels])
    with pytest.raises(InputError, match="label '1' is not among the known labels: 0, 1"):
        score(["1", "0"], ["1", "0"], [0, 1])


def test_labels_that_all_differ_are_reported(caplog):
    texts = [f"text {number}" for number in range(8)]
    train_classifier(texts, [f"label {number}" for number in range(8)], settings=QUICK)
    assert "8 of 8 labels are different, such as 'label 0': check that they are the labels" in caplog.text
    caplog.clear()
    train_classifier(texts, ["a", "b", "c", "d"] * 2, settings=QUICK)
    assert "different" not in caplog.text


def test_no_message_prints_all_labels():
    weights = {f"label {number}": 1.0 for number in range(1000)}
    with pytest.raises(InputError, match=r"unknown label 'label 20'; the labels are .* and 10 more") as caught:
        class_weights(np.zeros(20, int), list(weights)[:20], weights)
    assert len(str(caught.value)) < 300
