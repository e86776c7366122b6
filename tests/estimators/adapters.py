"""Adapters that convert rows of numbers to texts, so that scikit-learn's checks can be run on estimators of texts."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from seqclf import MultiLabelClassifier, SequenceClassifier, SequenceRegressor, SequenceTagger
from wordvec import CountVectorizer, TfidfVectorizer, Word2Vec


class Tokens(list):
    """Lists of tokens, already converted from rows."""


class NumbersAsTexts:
    """A mixin that converts each row to one token per column, named after the column and the rounded number.

    It goes before an estimator in the list of bases; every method that takes samples converts them first.
    """

    def _tokens(self, X: Any, reset: bool) -> Tokens:
        if isinstance(X, Tokens):
            return X
        if not reset:
            check_is_fitted(self)
        X = validate_data(self, X, reset=reset, dtype=np.float64)
        numbers = np.clip(np.round(3 * X), -99, 99).astype(int)
        return Tokens(["row", *(f"{column}:{x}" for column, x in enumerate(row))] for row in numbers.tolist())

    def fit(self, X: Any, y: Any = None) -> Any:
        return super().fit(self._tokens(X, reset=True), y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        return tags


class _Transforming(NumbersAsTexts):
    def transform(self, X: Any) -> Any:
        return super().transform(self._tokens(X, reset=False))

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return super().fit_transform(self._tokens(X, reset=True))


class NumberWord2Vec(_Transforming, Word2Vec):
    pass


class NumberCounts(_Transforming, CountVectorizer):
    pass


class NumberTfidf(_Transforming, TfidfVectorizer):
    pass


class NumberClassifier(NumbersAsTexts, SequenceClassifier):
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        return super(NumbersAsTexts, self).fit(self._tokens(X, reset=True), y, sample_weight)

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None) -> Any:
        tokens = self._tokens(X, reset=not hasattr(self, "model_"))
        return super().partial_fit(tokens, y, classes, sample_weight)

    def decision_function(self, X: Any) -> np.ndarray:
        return super().decision_function(self._tokens(X, reset=False))

    def predict(self, X: Any) -> np.ndarray:
        return super().predict(self._tokens(X, reset=False))

    def predict_proba(self, X: Any) -> np.ndarray:
        return super().predict_proba(self._tokens(X, reset=False))


class NumberMultiLabel(NumberClassifier, MultiLabelClassifier):
    """Trains on one label per text and predicts the most probable one, as scikit-learn's checks expect."""

    def fit(self, X: Any, y: Any = None) -> Any:
        tokens = self._tokens(X, reset=True)
        if y is not None:
            y = column_or_1d(y, warn=True)
            check_classification_targets(y)
            if len(y) == len(tokens) and len(np.unique(y)) < 2:
                raise ValueError("only one class")
            y = [[label] for label in y]
        return super().fit(tokens, y)

    def predict(self, X: Any) -> np.ndarray:
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def score(self, X: Any, y: Any) -> float:
        return ClassifierMixin.score(self, X, y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class, tags.classifier_tags.multi_label = True, False
        return tags


class NumberRegressor(NumbersAsTexts, SequenceRegressor):
    def predict(self, X: Any) -> np.ndarray:
        return super().predict(self._tokens(X, reset=False))


class NumberTagger(NumbersAsTexts, SequenceTagger):
    """A token's tag is the parity of its number; the first token has its own tag."""

    def fit(self, X: Any, y: Any = None) -> Any:
        tokens = self._tokens(X, reset=True)
        tags = [[2, *(int(token.partition(":")[2]) % 2 for token in row[1:])] for row in tokens]
        return super().fit(tokens, None if y is None else tags)

    def predict(self, X: Any) -> np.ndarray:
        return np.array(super().predict(self._tokens(X, reset=False)))

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.array(super().predict_proba(self._tokens(X, reset=False)))

    def score(self, X: Any, y: Any) -> float:
        tokens = self._tokens(X, reset=False)
        return super().score(tokens, SequenceTagger.predict(self, tokens))


NETWORK = {"hidden_size": 8, "vector_size": 8, "learning_rate": 0.02, "validation_fraction": 0, "n_jobs": 1}
ADAPTED = [
    NumberWord2Vec(vector_size=4, epochs=1, min_count=1, n_jobs=1),
    NumberCounts(n_jobs=1),
    NumberTfidf(n_jobs=1),
    NumberClassifier(**NETWORK, epochs=12),
    NumberMultiLabel(**NETWORK, epochs=20),
    NumberRegressor(**NETWORK, epochs=12),
    NumberTagger(**NETWORK, feature_size=4, epochs=1),
]

EXPECTED_FAILURES: dict[type, dict[str, str]] = {
    NumberMultiLabel: {
        "check_classifiers_train": "multi-label probabilities do not sum to 1",
    },
}
"""Adapter -> scikit-learn check -> the reason it cannot pass."""
