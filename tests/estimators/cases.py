"""The estimators under test, each with tiny settings and two tiny data sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from seqclf import (
    Forecaster,
    LanguageModel,
    MultiLabelClassifier,
    SequenceClassifier,
    SequenceFromVector,
    SequenceRegressor,
    SequenceTagger,
    SequenceToSequence,
)
from wordvec import (
    Cooccurrence,
    CountVectorizer,
    FastText,
    Glove,
    Phrases,
    Ppmi,
    Svd,
    TfidfVectorizer,
    Word2Vec,
)

TEXTS = ["Fire in the hills", "a calm evening", "the river floods the hills", "tea and cake", "", "fire and floods"] * 3
OTHER_TEXTS = ["no word in common here", "some other words", "here are some more", "words here"] * 3
NEW_TEXTS = ["the fire", "tea with unknowns", "", "cake in the evening", "hills"]
WORDS = ["fire", "flood", "hill", "tea", "cake", "river"] * 3
OTHER_WORDS = ["some", "other", "words", "here"] * 3
SENTENCES = [["the", "old", "cat"], ["a", "dog", "barks"], ["Dogs", "bark"], [], ["the", "dog"]] * 3
TAGS = [["D", "A", "N"], ["D", "N", "V"], ["N", "V"], [], ["D", "N"]] * 3
_draw = np.random.default_rng(3)
SEQUENCES = [_draw.normal(size=(1 + k % 4, 2)) for k in range(18)]
OTHER_SEQUENCES = [5 + _draw.normal(size=(1 + k % 3, 2)) for k in range(12)]
_steps = np.arange(60)
SERIES = 10 + np.sin(_steps * 2 * np.pi / 6) + 0.1 * np.cos(_steps)
OTHER_SERIES = 3 + np.cos(_steps[:50] * 2 * np.pi / 5) + 0.01 * _steps[:50]

NETWORK = {
    "hidden_size": 4,
    "epochs": 2,
    "learning_rate": 0.02,
    "validation_fraction": 0,
    "random_state": 1,
    "n_jobs": 1,
}


@dataclass(frozen=True)
class Case:
    """An estimator and its data.

    Attributes:
        estimator: never fitted itself; checks use ``new()``.
        X, y: training data; y is None for unsupervised estimators.
        other_X, other_y: other training data, with another vocabulary, other labels and sizes.
        new_X: input of a fitted estimator.
        result: returns a fitted estimator's output for X, comparable by ``np.testing.assert_array_equal``.
        random: whether the result depends on ``random_state``.
        takes_numbers: whether numeric sequences are also valid samples.
        without: names of checks that do not apply, with the reason.
    """

    estimator: Any
    X: Any
    y: Any
    other_X: Any
    other_y: Any
    new_X: Any
    result: Callable[[Any, Any], Any]
    random: bool = True
    takes_numbers: bool = False
    without: Mapping[str, str] = field(default_factory=dict)

    def new(self, **parameters: Any) -> Any:
        return clone(self.estimator).set_params(**parameters)

    def fit(self, estimator: Any, X: Any, y: Any) -> Any:
        return estimator.fit(X) if y is None else estimator.fit(X, y)

    def fitted(self, **parameters: Any) -> Any:
        return self.fit(self.new(**parameters), self.X, self.y)


def _transformed(estimator: BaseEstimator, X: Any) -> np.ndarray:
    found = estimator.transform(X)
    return found.toarray() if hasattr(found, "toarray") else found


def _joined(estimator: BaseEstimator, X: Any) -> np.ndarray:
    return np.array([" ".join(tokens) for tokens in estimator.transform(X)], dtype=object)


def _probabilities(estimator: BaseEstimator, X: Any) -> np.ndarray:
    return estimator.predict_proba(X)


def _of_tokens(estimator: BaseEstimator, X: Any) -> np.ndarray:
    """Return one row per sentence: the probabilities of its tags, padded."""
    tables = estimator.predict_proba(X)
    rows = np.full((len(tables), 4 * 4), -1.0)
    for row, table in zip(rows, tables, strict=True):
        row[: table.size] = table.reshape(-1)
    return rows


def _predicted(estimator: BaseEstimator, X: Any) -> np.ndarray:
    return estimator.predict(X)


def _scores(estimator: BaseEstimator, X: Any) -> np.ndarray:
    """Return the log-probability of each prediction: predictions themselves hardly differ after so little training."""
    return np.array([each.score for each in estimator.model_.predict(X, beam=estimator.beam)])


def _forecast(estimator: Forecaster, X: Any) -> np.ndarray:
    return estimator.predict(series=X)


def _score(estimator: LanguageModel, X: Any) -> np.ndarray:
    return np.array([estimator.score(X)])


_TOKENS = "it returns lists of tokens"
_SERIES = "it learns one series, not samples"

CASES = {
    "Word2Vec": Case(
        Word2Vec(vector_size=4, epochs=1, min_count=1, learning_rate=0.1, random_state=1, n_jobs=1),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed,
    ),
    "FastText": Case(
        FastText(vector_size=4, epochs=1, min_count=1, buckets=100, random_state=1, n_jobs=1),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed,
    ),
    "Glove": Case(
        Glove(vector_size=4, epochs=2, min_count=1, random_state=1, n_jobs=1),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed,
    ),
    "Svd": Case(
        Svd(vector_size=3, iterations=0, oversampling=0, min_count=1, random_state=1, n_jobs=1),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed,
    ),
    "Ppmi": Case(
        Ppmi(subsample=0.05, min_count=1, random_state=1, n_jobs=1),
        TEXTS * 10, None, OTHER_TEXTS * 10, None, NEW_TEXTS, _transformed,
    ),
    "Cooccurrence": Case(
        Cooccurrence(weighting="log", subsample=0.05, min_count=1, random_state=1, n_jobs=1),
        TEXTS * 10, None, OTHER_TEXTS * 10, None, NEW_TEXTS, _transformed,
    ),
    "CountVectorizer": Case(
        CountVectorizer(ngram_range=(1, 2), n_jobs=1),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed, random=False,
    ),
    "TfidfVectorizer": Case(
        TfidfVectorizer(n_jobs=1), TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _transformed, random=False
    ),
    "Phrases": Case(
        Phrases(min_count=2, threshold=0.1, n_jobs=1), TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _joined, random=False,
        without={"check_fit_transform": _TOKENS, "check_feature_names": _TOKENS},
    ),
    "SequenceClassifier": Case(
        SequenceClassifier(**NETWORK, vector_size=4),
        TEXTS, ["alarm", "calm", "alarm", "calm", "calm", "alarm"] * 3, OTHER_TEXTS, ["x", "y", "z"] * 4,
        NEW_TEXTS, _probabilities,
    ),
    "MultiLabelClassifier": Case(
        MultiLabelClassifier(**NETWORK, vector_size=4),
        TEXTS, [["fire"], [], ["flood", "alarm"], ["calm"], [], ["fire", "flood"]] * 3,
        OTHER_TEXTS, [["x"], ["y", "x"], []] * 4, NEW_TEXTS, _probabilities,
    ),
    "SequenceRegressor": Case(
        SequenceRegressor(**NETWORK, vector_size=4),
        TEXTS, [4.0, 1.5, 4.5, 1.0, 0.0, 5.0] * 3, OTHER_TEXTS, np.arange(24.0).reshape(12, 2), NEW_TEXTS, _predicted,
        takes_numbers=True,
    ),
    "SequenceRegressor of numbers": Case(
        SequenceRegressor(**NETWORK),
        SEQUENCES, [float(x.sum()) for x in SEQUENCES], OTHER_SEQUENCES, [float(x[-1, 0]) for x in OTHER_SEQUENCES],
        SEQUENCES[:7], _predicted,
        without={"check_wrong_X": "numbers are valid samples"},
    ),
    "SequenceTagger": Case(
        SequenceTagger(**NETWORK, vector_size=4, feature_size=3),
        SENTENCES, TAGS, [["x"], ["y", "z"]] * 4, [["X"], ["Y", "Z"]] * 4,
        [["the", "zebra"], [], ["dogs", "the", "dog"]], _of_tokens,
    ),
    "SequenceToSequence": Case(
        SequenceToSequence(**NETWORK, vector_size=4, target_vector_size=4, beam=2),
        WORDS, [word.upper() for word in WORDS], OTHER_WORDS, [word[1:] for word in OTHER_WORDS],
        ["rose", "tea", "hills"], _scores,
    ),
    "SequenceFromVector": Case(
        SequenceFromVector(**NETWORK, target_vector_size=4, beam=2),
        np.arange(54.0).reshape(18, 3) % 7, WORDS, np.arange(36.0).reshape(12, 3) % 5, OTHER_WORDS,
        np.arange(12.0).reshape(4, 3) % 5, _scores,
        without={"check_wrong_X": "numbers are valid samples", "check_tags": "samples are rows of a matrix"},
    ),
    "LanguageModel": Case(
        LanguageModel(**NETWORK, batch_size=2, window=5),
        TEXTS, None, OTHER_TEXTS, None, NEW_TEXTS, _score,
        without={"check_order": "the lines of a text follow each other"},
    ),
    "Forecaster": Case(
        Forecaster(**NETWORK, window=5, horizon=2),
        SERIES, None, OTHER_SERIES, None, SERIES[:33], _forecast,
        without={"check_wrong_X": _SERIES, "check_order": _SERIES},
    ),
}  # fmt: skip
