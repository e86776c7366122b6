"""SequenceTagger keeps scikit-learn's promises, on sentences and, through an adapter, on scikit-learn's own data."""

import inspect
import pickle

import numpy as np
import pytest
from numba import config
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from seqclf import SequenceTagger, TaggerModel, TaggerSettings
from wordvec import InputError, WordVectors

SENTENCES = [["the", "old", "cat"], ["a", "dog", "barks"], ["Dogs", "bark"], []] * 6
TAGS = [["D", "A", "N"], ["D", "N", "V"], ["N", "V"], []] * 6


def small(**options):
    given = {"hidden_size": 8, "vector_size": 8, "feature_size": 4, "epochs": 10, "learning_rate": 0.02}
    return SequenceTagger(**{**given, "dropout": 0.1, "batch_size": 4, "random_state": 1, "n_jobs": 1, **options})


class NumbersAsSentences(SequenceTagger):
    """Turns rows of numbers into sentences, a token a column tagged even or odd, to feed scikit-learn's checks."""

    def _sentences(self, X, y=None):
        fitting = not hasattr(self, "model_") or getattr(self, "_fitting", False)
        X = validate_data(self, X, reset=fitting, dtype=np.float64)
        numbers = np.clip(np.round(3 * X), -99, 99).astype(int).tolist()
        sentences = [[*(f"{column}:{x}" for column, x in enumerate(row)), "end"] for row in numbers]
        return sentences, [[*(x % 2 for x in row), 2] for row in numbers]

    def fit(self, X, y=None):
        self._fitting = True
        try:
            return super().fit(X, [] if y is None else y)
        finally:
            del self._fitting

    def predict(self, X):
        return np.array(super().predict(X))

    def predict_proba(self, X):
        return np.array(super().predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        return tags


@pytest.mark.skipif(
    config.DISABLE_JIT, reason="dozens of fits take minutes without JIT; the kernels have their own tests"
)
@parametrize_with_checks(
    [NumbersAsSentences(hidden_size=4, vector_size=4, feature_size=4, epochs=1, validation_fraction=0, n_jobs=1)],
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_check_estimator_passes_on_the_class_itself():
    # Sentences are no 2-D array, which is why scikit-learn runs hardly any check here and the adapter above exists.
    with pytest.warns(match="requires input"):
        results = check_estimator(small())
    assert {result["status"] for result in results} <= {"passed"}
    assert get_tags(small()).input_tags.string


def test_parameters_are_the_settings_with_the_same_defaults():
    parameters = {name: p.default for name, p in inspect.signature(SequenceTagger).parameters.items()}
    defaults = vars(TaggerSettings()) | {"vectors": None, "random_state": None, "n_jobs": None}
    del defaults["seed"]
    assert parameters == defaults


def test_fit_predict_score():
    tagger = small(validation_fraction=0).fit((row for row in SENTENCES), iter(TAGS))
    assert tagger.classes_.tolist() == ["A", "D", "N", "V"]
    assert tagger.predict(SENTENCES) == TAGS
    assert tagger.score(SENTENCES, TAGS) == 1.0
    assert tagger.score([["the", "dog"]], [["D", "A"]]) == 0.5
    assert [array.shape for array in tagger.predict_proba(SENTENCES[:2])] == [(3, 4), (3, 4)]
    assert isinstance(tagger.model_, TaggerModel)
    assert len(tagger.history_) == 10


def test_the_same_seed_repeats_and_none_does_not():
    found = [
        small(epochs=1, random_state=seed).fit(SENTENCES, TAGS).predict_proba(SENTENCES) for seed in (5, 5, 6, None)
    ]
    flat = [np.concatenate(arrays) for arrays in found]
    np.testing.assert_array_equal(flat[0], flat[1])
    assert not np.array_equal(flat[0], flat[2])
    assert not np.array_equal(flat[0], flat[3])


def test_clone_pickle_and_a_grid_search_over_two_processes():
    tagger = small(head="crf").fit(SENTENCES, TAGS)
    assert clone(tagger).get_params() == tagger.get_params()
    assert not hasattr(clone(tagger), "model_")
    assert pickle.loads(pickle.dumps(tagger)).predict(SENTENCES) == tagger.predict(SENTENCES)
    search = GridSearchCV(small(validation_fraction=0), {"epochs": [1, 15]}, cv=2, n_jobs=2).fit(SENTENCES, TAGS)
    assert search.best_params_ == {"epochs": 15}


def test_vectors_may_be_a_file_and_validation_data_chooses(tmp_path):
    vectors = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32), lowercase=True)
    vectors.save(tmp_path / "v.safetensors")
    taggers = [small(vectors=given, epochs=2) for given in (tmp_path / "v.safetensors", vectors)]
    for tagger in taggers:
        tagger.fit(SENTENCES, TAGS, validation_data=([["a", "cat"]], [["D", "N"]]))
        assert tagger.model_.metrics["dev_sentences"] == 1
    first, second = (np.concatenate(tagger.predict_proba(SENTENCES)) for tagger in taggers)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("sentences", "tags", "options", "message"),
    [
        (SENTENCES, None, {}, "requires y to be passed, but the target y is None"),
        (SENTENCES, TAGS[:-1], {}, "23 lists of tags for 24 sentences"),
        (np.ones((4, 2)), TAGS[:4], {}, "strings that are not empty, got np.float64"),
        (SENTENCES, TAGS, {"head": "none"}, "one of crf, softmax, got 'none'"),
        (SENTENCES, TAGS, {"vectors": "missing.txt"}, "missing.txt"),
    ],
)
def test_what_cannot_be_fitted_is_named(sentences, tags, options, message):
    with pytest.raises(InputError, match=message):
        small(**options).fit(sentences, tags)


def test_before_fit_it_says_so():
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(SENTENCES)
    with pytest.raises(NotFittedError):
        small().score(SENTENCES, TAGS)
