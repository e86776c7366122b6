"""SequenceClassifier on texts; what all estimators promise is checked in tests/estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from seqclf import ClassifierModel, SequenceClassifier, load_model
from wordvec import WordVectors

TEXTS = ["Fire in the hills", "a calm evening", "the river floods", "tea and cake"] * 6
LABELS = ["alarm", "calm", "alarm", "calm"] * 6


def small(**options):
    given = {"hidden_size": 8, "vector_size": 8, "epochs": 4, "learning_rate": 0.02, "random_state": 1, "n_jobs": 1}
    return SequenceClassifier(**{**given, **options})


def strip_punctuation(texts):
    return [text.replace("!", "") for text in texts]


def test_fit_predict_score():
    classifier = small().fit(TEXTS, LABELS)
    assert classifier.classes_.tolist() == ["alarm", "calm"]
    assert classifier.predict(TEXTS).tolist() == LABELS
    assert classifier.score(TEXTS, LABELS) == 1.0
    assert classifier.predict_proba(TEXTS[:3]).shape == (3, 2)
    assert isinstance(classifier.model_, ClassifierModel)
    assert len(classifier.history_) == 4
    check_is_fitted(classifier)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [text.lower().split() for text in TEXTS],
        lambda: (text.split() for text in TEXTS),
        lambda: np.array(TEXTS),
    ],
    ids=["tokens", "token generator", "array"],
)
def test_tokens_and_arrays_of_strings_give_the_same_result(make):
    expected = small().fit(TEXTS, LABELS)
    got = small().fit(make(), iter(LABELS))
    np.testing.assert_array_equal(got.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    np.testing.assert_array_equal(got.predict_proba(make()), expected.predict_proba(TEXTS))


@pytest.mark.parametrize(
    "labels", [np.array([3, 7] * 12), [True, False] * 12, np.array(["b", "a"] * 12, dtype=object), [0.0, 1.0] * 12]
)
def test_labels_keep_their_dtype(labels):
    classifier = small(epochs=1).fit(TEXTS, labels)
    np.testing.assert_array_equal(classifier.classes_, np.unique(labels))
    assert classifier.classes_.dtype == np.unique(labels).dtype
    assert classifier.predict(TEXTS).dtype == classifier.classes_.dtype


def test_validation_data_chooses_the_epoch():
    classifier = small(epochs=3).fit(TEXTS, LABELS, validation_data=(["fire", "tea"], ["alarm", "calm"]))
    assert classifier.model_.metrics["dev_texts"] == 2
    assert classifier.model_.metrics["texts"] == len(TEXTS)
    assert all("dev_accuracy" in row for row in classifier.history_)


def test_vectors_from_a_file(tmp_path):
    vectors = WordVectors(["fire", "tea"], np.eye(2, dtype=np.float32), tokenizer="words", lowercase=True)
    vectors.save(tmp_path / "v.safetensors")
    from_file = small(vectors=tmp_path / "v.safetensors").fit(TEXTS, LABELS)
    from_memory = small(vectors=vectors).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(from_file.predict_proba(TEXTS), from_memory.predict_proba(TEXTS))
    assert from_file.get_params()["vectors"] == tmp_path / "v.safetensors"


def test_pipeline_and_grid_search_in_two_processes():
    pipeline = make_pipeline(FunctionTransformer(strip_punctuation), small())
    search = GridSearchCV(pipeline, {"sequenceclassifier__epochs": [1, 8]}, cv=2, n_jobs=2)
    search.fit(TEXTS, LABELS)
    assert search.best_params_ == {"sequenceclassifier__epochs": 8}
    assert search.score(TEXTS, LABELS) == 1.0
    assert cross_val_score(small(epochs=8), TEXTS, LABELS, cv=3).mean() > 0.9


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (TEXTS[:4], LABELS[:3], {}, "3 labels for 4 texts"),
        (TEXTS[:2], ["x", "x"], {}, "only one class: 'x'"),
        ([], [], {}, "no texts given"),
        (TEXTS[:2], None, {}, "requires y to be passed, but the target y is None"),
        (TEXTS[:4], [0.5, 1.5, 2.5, 3.5], {}, "Unknown label type"),
        (TEXTS[:2], [[1, 0], [0, 1]], {}, "one for each text"),
        ("one text", ["x"], {}, "pass \\[text\\]"),
        (np.ones((4, 2)), [0, 1, 0, 1], {}, "ndarray of float64 at position 0"),
        (TEXTS, LABELS, {"epochs": 0}, "epochs must be at least 1, got 0"),
        (TEXTS, LABELS, {"vectors": "missing.txt"}, "missing.txt"),
        (TEXTS, LABELS, {"n_jobs": 0}, "n_jobs must be at least 1"),
    ],
)
def test_invalid_input_is_rejected(texts, labels, options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(texts, labels)


def test_blends_are_fitted_cloned_and_saved(tmp_path):
    texts, labels = ["fire in the hills", "a lovely evening"] * 20, ["alarm", "calm"] * 20
    shape = {"hidden_size": 4, "vector_size": 4, "epochs": 1}
    classifier = clone(SequenceClassifier(model="blend", random_state=1, **shape)).fit(texts, labels)
    assert classifier.model_.parts == "blend"
    assert classifier.score(texts, labels) == 1.0
    classifier.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        load_model(tmp_path / "m.safetensors").predict_proba(texts[:2]), classifier.predict_proba(texts[:2])
    )
    linear = SequenceClassifier(model="linear", random_state=1).fit(texts, labels)
    assert linear.history_ == []
    assert linear.predict(["fire"]).tolist() == ["alarm"]
