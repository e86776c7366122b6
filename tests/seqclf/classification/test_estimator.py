"""SequenceClassifier on texts; what all estimators promise is checked in tests/estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from seqclf import (
    ClassifierModel,
    ClassifierSettings,
    MultiLabelClassifier,
    SequenceClassifier,
    load_model,
    train_classifier,
    train_multi_label,
)
from seqclf.classification.train_vectors import train_vector_classifier
from wordvec import CountVectorizer, InputError, WordVectors

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


# -- in scikit-learn's tools, and with weights ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Series", "DataFrame"])
def test_columns_of_pandas(kind):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"text": TEXTS, "label": LABELS}, index=range(7, 7 + len(TEXTS)))
    texts = table["text"] if kind == "Series" else table[["text"]]
    found = small().fit(texts, table["label"]).predict_proba(texts)
    np.testing.assert_array_equal(found, small().fit(TEXTS, LABELS).predict_proba(TEXTS))


def test_columns_of_polars():
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    table = polars.DataFrame({"text": TEXTS, "label": LABELS})
    found = small().fit(table["text"], table["label"]).predict_proba(table.select("text"))
    np.testing.assert_array_equal(found, small().fit(TEXTS, LABELS).predict_proba(TEXTS))


@pytest.mark.parametrize("model", ["network", "linear"])
def test_sample_weights_shift_the_probabilities(model):
    texts, labels = ["same words"] * 20, ["rare"] * 4 + ["common"] * 16
    rare = np.where(np.array(labels) == "rare", 4.0, 1.0)
    options = {"epochs": 20, "validation_fraction": 0, "model": model}
    plain, equal, weighted = (
        small(**options).fit(texts, labels, weight).predict_proba(texts[:1])[0, 1]
        for weight in (None, rare * 0 + 1, rare)
    )
    assert plain == equal == pytest.approx(0.2, abs=0.1)
    assert weighted == pytest.approx(0.5, abs=0.1)
    ignored = small(**options).fit(texts, labels, rare - 1).predict_proba(texts[:1])[0, 1]
    assert ignored > 0.8, "texts of weight 0 have no effect"


@pytest.mark.parametrize("weights", [[1.0] * 23, [-1.0] * 24, [0.0] * 24, [np.nan] * 24, ["a"] * 24, [[1.0]] * 24])
def test_wrong_sample_weights_are_rejected(weights):
    with pytest.raises(ValueError, match="sample_weight must have"):
        small().fit(TEXTS, LABELS, sample_weight=weights)


@pytest.mark.parametrize(
    "train", [train_classifier, train_multi_label, train_vector_classifier], ids=lambda train: train.__name__
)
def test_weights_of_validation_data_only_are_rejected(train):
    given = [[1.0, 2.0], [3.0]] * 10 if train is train_vector_classifier else ["tea", "fire"] * 10
    labels = [[name] if train is train_multi_label else name for name in ["calm", "alarm"] * 10]
    settings = ClassifierSettings(validation_fraction=0.9)
    with pytest.raises(InputError, match="sample_weight is 0 for all that is trained on"):
        train(given, labels, settings=settings, sample_weight=np.arange(20) == 0, threads=1)


def test_a_linear_model_learns_from_the_one_text_that_has_a_weight():
    texts, labels = ["tea", "fire"] * 10, ["calm", "alarm"] * 10
    for row in range(20):
        found = small(model="linear", validation_fraction=0).fit(texts, labels, np.arange(20) == row)
        assert found.predict([texts[row]]) == [labels[row]]


def test_decision_function_ranks_as_probabilities_do():
    classifier = small().fit(TEXTS, LABELS)
    scores, probabilities = classifier.decision_function(TEXTS), classifier.predict_proba(TEXTS)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), probabilities[:, 1], rtol=1e-5)
    three = small(epochs=1).fit(TEXTS, ["a", "b", "c", "a"] * 6)
    np.testing.assert_allclose(np.exp(three.decision_function(TEXTS)), three.predict_proba(TEXTS), rtol=1e-5)


def test_partial_fit_continues_the_network():
    classifier = small().partial_fit(TEXTS[:3], LABELS[:3], classes=["calm", "alarm", "flood"])
    assert classifier.classes_.tolist() == ["alarm", "calm", "flood"]
    first = classifier.model_
    before = first.network.parameters()["head.weight"].copy()
    for _ in range(8):
        classifier.partial_fit(TEXTS, LABELS, sample_weight=np.ones(len(TEXTS)))
    assert classifier.predict(TEXTS[:3]).tolist() == LABELS[:3]
    assert classifier.model_.vocabulary is first.vocabulary
    np.testing.assert_array_equal(first.network.parameters()["head.weight"], before, "the earlier model is unchanged")
    with pytest.raises(ValueError, match="label 'storm' of the texts is not among the training labels"):
        classifier.partial_fit(["wind"], ["storm"])
    with pytest.raises(ValueError, match="only a network can be trained further"):
        small(model="linear", validation_fraction=0).fit(TEXTS, LABELS).partial_fit(TEXTS, LABELS)


def test_warm_start_continues_the_network():
    classifier = small(epochs=2, warm_start=True).fit(TEXTS, LABELS)
    first, losses = classifier.model_, [row["loss"] for row in classifier.history_]
    classifier.fit(TEXTS, LABELS)
    assert classifier.history_[0]["loss"] < losses[0]
    assert classifier.model_.vocabulary is first.vocabulary
    assert classifier.classes_.tolist() == ["alarm", "calm"]
    assert small(epochs=2).fit(TEXTS, LABELS).fit(TEXTS, LABELS).history_[0]["loss"] == losses[0]
    with pytest.raises(ValueError, match="a multi-label network is not trained further"):
        MultiLabelClassifier(warm_start=True).fit(TEXTS, [[label] for label in LABELS])


def test_calibrated_voting_and_cross_validated_predictions():
    quick = small(epochs=2, validation_fraction=0)
    texts = np.array(TEXTS, object)
    calibrated = CalibratedClassifierCV(quick, cv=2).fit(texts, LABELS)
    assert calibrated.predict_proba(texts).sum(axis=1) == pytest.approx(1)
    bags = make_pipeline(CountVectorizer(), LogisticRegression())
    vote = VotingClassifier([("network", quick), ("words", bags)], voting="soft").fit(texts, LABELS)
    assert vote.score(texts, LABELS) > 0.9
    assert cross_val_predict(quick, texts, LABELS, cv=2, method="decision_function").shape == (24,)
    assert clone(quick).get_params() == quick.get_params()
