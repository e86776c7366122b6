"""SequenceClassifier keeps scikit-learn's promises, on texts and, through an adapter, on scikit-learn's own data."""

import pickle

import numpy as np
import pytest
from numba import config
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from seqclf import ClassifierModel, SequenceClassifier
from wordvec import InputError, WordVectors

TEXTS = ["Fire in the hills", "a calm evening", "the river floods", "tea and cake"] * 6
LABELS = ["alarm", "calm", "alarm", "calm"] * 6


def small(**options):
    given = {"hidden_size": 8, "vector_size": 8, "epochs": 4, "learning_rate": 0.02, "random_state": 1, "n_jobs": 1}
    return SequenceClassifier(**{**given, **options})


def strip_punctuation(texts):
    return [text.replace("!", "") for text in texts]


class NumbersAsTexts(SequenceClassifier):
    """Turns rows of numbers into texts, a token a column, so that scikit-learn's own checks have something to feed."""

    def _texts(self, X):
        fitting = not hasattr(self, "model_") or getattr(self, "_fitting", False)
        X = validate_data(self, X, reset=fitting, accept_sparse=False, dtype=np.float64)
        return [[f"{column}:{int(np.clip(np.round(3 * x), -99, 99))}" for column, x in enumerate(row)] for row in X]

    def fit(self, X, y):
        self._fitting = True
        try:
            return super().fit(X, y)
        finally:
            del self._fitting

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        return tags


@pytest.mark.skipif(
    config.DISABLE_JIT, reason="dozens of fits take minutes without JIT; the kernels have their own tests"
)
@parametrize_with_checks(
    [NumbersAsTexts(hidden_size=8, vector_size=8, epochs=12, learning_rate=0.02, validation_fraction=0, n_jobs=1)],
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_check_estimator_passes_on_the_class_itself():
    # Texts are no 2-D array, which is why scikit-learn runs hardly any check here and the adapter above exists.
    with pytest.warns(match="requires input"):
        results = check_estimator(small())
    assert {result["status"] for result in results} <= {"passed"}
    tags = get_tags(small())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.estimator_type == "classifier"


def test_fit_predict_score():
    classifier = small().fit(TEXTS, LABELS)
    assert classifier.classes_.tolist() == ["alarm", "calm"]
    assert classifier.predict(TEXTS).tolist() == LABELS
    assert classifier.score(TEXTS, LABELS) == 1.0
    assert classifier.predict_proba(TEXTS[:3]).shape == (3, 2)
    assert isinstance(classifier.model_, ClassifierModel)
    assert len(classifier.history_) == 4
    check_is_fitted(classifier)


def test_before_fit_it_says_so():
    with pytest.raises(NotFittedError):
        small().predict(TEXTS)
    with pytest.raises(NotFittedError):
        small().predict_proba(TEXTS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: (text for text in TEXTS),
        lambda: [text.lower().split() for text in TEXTS],
        lambda: (text.split() for text in TEXTS),
        lambda: np.array(TEXTS),
        lambda: np.array(TEXTS, dtype=object),
        lambda: tuple(TEXTS),
    ],
    ids=["generator", "tokens", "token generator", "array", "object array", "tuple"],
)
def test_texts_come_in_any_form(make):
    expected = small().fit(TEXTS, LABELS)
    got = small().fit(make(), iter(LABELS))
    np.testing.assert_array_equal(got.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    np.testing.assert_array_equal(got.predict_proba(make()), expected.predict_proba(TEXTS))


@pytest.mark.parametrize(
    "labels", [np.array([3, 7] * 12), [True, False] * 12, np.array(["b", "a"] * 12, dtype=object), [0.0, 1.0] * 12]
)
def test_labels_keep_their_kind(labels):
    classifier = small(epochs=1).fit(TEXTS, labels)
    np.testing.assert_array_equal(classifier.classes_, np.unique(labels))
    assert classifier.classes_.dtype == np.unique(labels).dtype
    assert classifier.predict(TEXTS).dtype == classifier.classes_.dtype


def test_the_same_seed_repeats_and_none_does_not():
    probabilities = [small(random_state=seed).fit(TEXTS, LABELS).predict_proba(TEXTS) for seed in (5, 5, 6, None, None)]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert not np.array_equal(probabilities[0], probabilities[2])
    assert not np.array_equal(probabilities[3], probabilities[4])
    generators = [np.random.RandomState(3), np.random.RandomState(3)]
    drawn = [small(random_state=generator).fit(TEXTS, LABELS).predict_proba(TEXTS) for generator in generators]
    np.testing.assert_array_equal(*drawn)


def test_validation_data_chooses_the_epoch():
    classifier = small(epochs=3).fit(TEXTS, LABELS, validation_data=(["fire", "tea"], ["alarm", "calm"]))
    assert classifier.model_.metrics["dev_texts"] == 2
    assert classifier.model_.metrics["texts"] == len(TEXTS)
    assert all("dev_accuracy" in row for row in classifier.history_)


def test_vectors_may_be_a_file(tmp_path):
    vectors = WordVectors(["fire", "tea"], np.eye(2, dtype=np.float32), tokenizer="words", lowercase=True)
    vectors.save(tmp_path / "v.safetensors")
    from_file = small(vectors=tmp_path / "v.safetensors").fit(TEXTS, LABELS)
    from_memory = small(vectors=vectors).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(from_file.predict_proba(TEXTS), from_memory.predict_proba(TEXTS))
    assert from_file.get_params()["vectors"] == tmp_path / "v.safetensors"


def test_clone_pickle_and_set_params():
    classifier = small(class_weight={"alarm": 2.0})
    twin = clone(classifier)
    assert twin.get_params() == classifier.get_params()
    fitted = classifier.fit(TEXTS, LABELS)
    back = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(back.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert not hasattr(clone(fitted), "model_")
    assert fitted.set_params(epochs=1).fit(TEXTS, LABELS).history_[-1]["epoch"] == 1


def test_a_pipeline_and_a_grid_search_over_two_processes():
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
        ([], [], {}, "no texts: 0 given"),
        (TEXTS[:2], None, {}, "requires y to be passed, but the target y is None"),
        (TEXTS[:4], [0.5, 1.5, 2.5, 3.5], {}, "Unknown label type"),
        (TEXTS[:2], [[1, 0], [0, 1]], {}, "one for each text"),
        ("one text", ["x"], {}, "pass \\[text\\]"),
        (np.ones((4, 2)), [0, 1, 0, 1], {}, "ndarray of float64 at position 0"),
        (TEXTS, LABELS, {"epochs": 0}, "epochs must be at least 1, got 0"),
        (TEXTS, LABELS, {"vectors": "missing.txt"}, "missing.txt"),
        (TEXTS, LABELS, {"n_jobs": 0}, "threads must be at least 1"),
    ],
)
def test_what_cannot_be_fitted_is_named(texts, labels, options, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(texts, labels)


def test_bad_parameters_wait_for_fit():
    classifier = SequenceClassifier(hidden_size="large")
    with pytest.raises(InputError, match="hidden_size must be a whole number, got 'large'"):
        classifier.fit(TEXTS, LABELS)
