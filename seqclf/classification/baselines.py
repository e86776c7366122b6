"""Baseline classifiers, from scikit-learn: the most frequent label, TF-IDF with logistic regression, NB-SVM.

For multi-label texts: the most frequent set of labels, and a logistic regression for each label.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqclf.data.label_sets import LabelSets, best_thresholds, label_matrix
from seqclf.data.labels import (
    SKEWED,
    as_classes,
    as_labels,
    check_labels,
    distinct_labels,
    encode_labels,
    majority_share,
)
from seqclf.data.splits import random_split, stratified_split
from seqclf.data.texts import Text, tokenize_texts
from seqclf.metrics import MultiLabelScore, Score, macro_f1, mcnemar, score, score_label_sets
from seqclf.training.settings import DEFAULT_TOKENIZER
from wordvec import InputError

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Candidate values of C (inverse regularization strength)."""
_FRACTION = 0.1
"""Share of the training texts that chooses C without validation texts."""
_DEFAULT = 1.0
"""C of too few texts for that."""

S = TypeVar("S")


@dataclass(frozen=True)
class Baseline(Generic[S]):
    """A baseline's name, its hyperparameter chosen on the validation texts, and its score on the test texts.

    ``correct`` (N,) bool holds which of its predictions of single labels are correct.
    """

    name: str
    chosen: str
    score: S
    correct: np.ndarray | None = None

    def p_value(self, correct: np.ndarray) -> float | None:
        """Return the p-value of the exact McNemar test against another classifier; None for label sets.

        Args:
            correct: (N,) bool, which of the other's predictions of the same texts are correct.
        """
        return None if self.correct is None else mcnemar(correct, self.correct)


def compare_baselines(
    texts: Iterable[Text],
    labels: Sequence[Any],
    test_texts: Iterable[Text],
    test_labels: Sequence[Any],
    *,
    dev: tuple[Iterable[Text], Sequence[Any]] | None = None,
    tokenizer: str = DEFAULT_TOKENIZER,
    lowercase: bool = True,
    normalize: str = "NFC",
    validation_fraction: float = 0.1,
    seed: int = 1,
) -> list[Baseline[Score]]:
    """Train the three baselines and score them on test texts.

    Majority class: the most frequent label. TF-IDF: uni- and bigrams, sublinear term frequency, L2 normalization,
    logistic regression. NB-SVM (Wang & Manning 2012, with logistic regression instead of the SVM): binary uni- and
    bigrams scaled by their log-count ratio, one class against the rest. C is chosen on ``dev``, which no model is
    trained on, by accuracy, or by macro-F1 if nine in ten training texts have the same label, as with
    ``train_classifier``. Without validation texts, a tenth of the texts chooses it, and the models are trained again on
    all.

    Args:
        texts, labels: training data.
        test_texts, test_labels: test data.
        dev: validation texts and labels that choose C; None splits off the same texts as ``train_classifier`` does with
            this seed and fraction.
        tokenizer, lowercase, normalize: tokenization.
        validation_fraction, seed: of that split; give those of the settings of the model that is compared.

    Raises:
        InputError: as ``train_classifier``.

    Example:
        >>> texts, labels = ["bad storm", "good cake", "bad flood", "good tea"] * 5, [1, 0, 1, 0] * 5
        >>> for baseline in compare_baselines(texts, labels, ["bad rain", "good bread", "tea"], [1, 0, 0]):
        ...     print(baseline.name, round(baseline.score.accuracy, 2))
        majority class 0.67
        TF-IDF + logistic regression 1.0
        NB-SVM 1.0
    """
    tokens = _ngrams(texts, tokenizer, lowercase, normalize)
    labels, test_labels = as_labels(labels), as_labels(test_labels, "test labels")
    check_labels(tokens, labels)
    classes = distinct_labels(labels)
    targets = encode_labels(labels, classes, "texts")
    test_labels = as_classes(test_labels, classes)
    test_tokens = _ngrams(test_texts, tokenizer, lowercase, normalize)
    check_labels(test_tokens, test_labels, "test texts")
    if dev is not None:
        dev_tokens = _ngrams(dev[0], tokenizer, lowercase, normalize)
        check_labels(dev_tokens, dev[1], "validation texts")
        dev_targets = encode_labels(dev[1], classes, "validation texts")
        data = _Data(tokens, targets, dev_tokens, dev_targets, test_tokens)
    else:
        data = _Data(tokens, targets, [], targets[:0], test_tokens)
        data = data.split(*stratified_split(targets, validation_fraction, seed))
    part = data.split(*stratified_split(data.targets, _FRACTION, seed))
    results = []
    for name, method in (
        ("majority class", _majority),
        ("TF-IDF + logistic regression", _tfidf),
        ("NB-SVM", _nbsvm),
    ):
        predicted, chosen = _chosen(method, data, part)
        named = [classes[row] for row in predicted]
        known = classes + sorted({label for label in test_labels if label not in set(classes)}, key=str)
        right = np.array([one == other for one, other in zip(named, test_labels, strict=True)])
        results.append(Baseline(name, chosen, score(list(test_labels), named, known), right))
    return results


def compare_multi_label_baselines(
    texts: Iterable[Text],
    labels: LabelSets,
    test_texts: Iterable[Text],
    test_labels: LabelSets,
    *,
    dev: tuple[Iterable[Text], LabelSets] | None = None,
    tune_thresholds: bool = False,
    tokenizer: str = DEFAULT_TOKENIZER,
    lowercase: bool = True,
    normalize: str = "NFC",
    validation_fraction: float = 0.1,
    seed: int = 1,
) -> list[Baseline[MultiLabelScore]]:
    """Train two multi-label baselines and score them on test texts.

    The first always predicts the most frequent set of labels; the second is a logistic regression for each label on
    TF-IDF features as in :func:`compare_baselines`, with one C for all labels, that of the best micro-F1.

    Args:
        texts, labels: training data.
        test_texts, test_labels: test data; a label that the training texts lack counts as missed.
        dev: validation texts and labels that choose C and the thresholds; None splits off the same texts as
            ``train_multi_label`` does with this seed and fraction, see :func:`compare_baselines`.
        tune_thresholds: see ``train_multi_label``.
        tokenizer, lowercase, normalize, validation_fraction, seed: see :func:`compare_baselines`.

    Raises:
        InputError: as ``train_multi_label``.

    Example:
        >>> texts, labels = ["storm", "sun", "storm flood", "sun tea"] * 5, [["wet"], [], ["wet", "high"], []] * 5
        >>> test = ["storm flood", "sun tea"], [["high", "wet"], []]
        >>> for baseline in compare_multi_label_baselines(texts, labels, *test, validation_fraction=0.5):
        ...     print(baseline.name, baseline.score.subset_accuracy)
        most frequent labels 0.5
        TF-IDF + logistic regressions 1.0
    """
    tokens = _ngrams(texts, tokenizer, lowercase, normalize)
    test_tokens = _ngrams(test_texts, tokenizer, lowercase, normalize)
    classes, targets = label_matrix(labels)
    check_labels(tokens, targets)
    if dev is not None:
        dev_tokens = _ngrams(dev[0], tokenizer, lowercase, normalize)
        _, dev_targets = label_matrix(dev[1], classes, "validation texts")
        data = _Data(tokens, targets, dev_tokens, dev_targets, test_tokens)
    else:
        data = _Data(tokens, targets, [], targets[:0], test_tokens)
        data = data.split(*random_split(len(tokens), validation_fraction, seed))
    if tune_thresholds and not data.dev:
        raise InputError("tune_thresholds needs validation texts, got none; pass some, or raise validation_fraction")
    part = data.split(*random_split(len(data.train), _FRACTION, seed))
    sets, counts = np.unique(data.targets, axis=0, return_counts=True)
    frequent = np.tile(sets[counts.argmax()], (len(data.test), 1))
    regressed, chosen = _chosen(partial(_regressions, tune_thresholds=tune_thresholds), data, part)
    return [
        Baseline("most frequent labels", "no hyperparameter", score_label_sets(test_labels, frequent, classes)),
        Baseline("TF-IDF + logistic regressions", chosen, score_label_sets(test_labels, regressed, classes)),
    ]


@dataclass(frozen=True)
class _Data:
    train: list[list[str]]
    targets: np.ndarray
    dev: list[list[str]]
    dev_targets: np.ndarray
    test: list[list[str]]

    def split(self, rows: np.ndarray, dev_rows: np.ndarray) -> "_Data":
        """Return the data with these rows of the training texts as training and validation texts."""
        train, dev = ([self.train[row] for row in part] for part in (rows, dev_rows))
        return _Data(train, self.targets[rows], dev, self.targets[dev_rows], self.test)


_Method = Callable[[_Data, Sequence[float]], tuple[np.ndarray, float | None]]
"""Returns the predictions for the test texts with the best of some values of C on the validation texts, and that C."""


def _chosen(method: _Method, data: _Data, part: _Data) -> tuple[np.ndarray, str]:
    """Return the predictions for the test texts, and what was chosen, on ``part`` if there are no validation texts."""
    if data.dev:
        predicted, strength = method(data, STRENGTHS)
    else:
        strength = method(part, STRENGTHS)[1] if part.dev else _DEFAULT
        whole = replace(data, dev=data.train, dev_targets=data.targets)
        predicted, strength = method(whole, (strength or _DEFAULT,))
    return predicted, "no hyperparameter" if strength is None else f"C = {strength:g}"


def _ngrams(texts: Iterable[Text], tokenizer: str, lowercase: bool, normalize: str) -> list[list[str]]:
    """Return each text's unigrams and bigrams."""
    tokens = tokenize_texts(texts, tokenizer, lowercase, normalize)
    return [[*text, *(f"{a} {b}" for a, b in itertools.pairwise(text))] for text in tokens]


def _majority(data: _Data, strengths: Sequence[float]) -> tuple[np.ndarray, None]:
    return np.full(len(data.test), np.bincount(data.targets).argmax()), None


def _tfidf_features(data: _Data) -> tuple[Any, Any, Any]:
    """Return the features of the training, validation and test texts."""
    vectorizer = TfidfVectorizer(analyzer=_as_is, sublinear_tf=True)
    return vectorizer.fit_transform(data.train), vectorizer.transform(data.dev), vectorizer.transform(data.test)


def _tfidf(data: _Data, strengths: Sequence[float]) -> tuple[np.ndarray, float]:
    train, dev, test = _tfidf_features(data)

    def fit(strength: float) -> Callable[[Any], np.ndarray]:
        model = LogisticRegression(C=strength, max_iter=1000).fit(train, data.targets)
        return lambda features: np.asarray(model.predict(features))

    return _choose(fit, strengths, data, dev, test)


def _regressions(data: _Data, strengths: Sequence[float], tune_thresholds: bool) -> tuple[np.ndarray, float]:
    """Return the test texts' predicted labels (N, C) bool, and the chosen C."""
    train, *others = _tfidf_features(data)
    best: tuple[float, np.ndarray, float] = (-1.0, np.empty(0), 0.0)
    for strength in strengths:
        dev, test = np.empty(data.dev_targets.shape), np.empty((len(data.test), data.targets.shape[1]))
        for label, present in enumerate(data.targets.T):
            model = None if present.all() or not present.any() else LogisticRegression(C=strength, max_iter=1000)
            if model is not None:
                model.fit(train, present)
            for found, features in zip((dev, test), others, strict=True):
                found[:, label] = present[0] if model is None else model.predict_proba(features)[:, 1]
        thresholds = best_thresholds(dev, data.dev_targets) if tune_thresholds else 0.5
        f1 = score_label_sets(data.dev_targets, dev >= thresholds).micro_f1
        if f1 > best[0]:
            best = f1, test >= thresholds, strength
    return best[1:]


def _nbsvm(data: _Data, strengths: Sequence[float]) -> tuple[np.ndarray, float]:
    vectorizer = CountVectorizer(analyzer=_as_is, binary=True, dtype=np.float64)
    train = vectorizer.fit_transform(data.train)
    dev, test = vectorizer.transform(data.dev), vectorizer.transform(data.test)
    classes = np.unique(data.targets)
    # Two classes need only one binary classifier.
    columns = classes[1:] if classes.size == 2 else classes
    ratios = [_log_count_ratio(train, data.targets == column) for column in columns]

    def fit(strength: float) -> Callable[[Any], np.ndarray]:
        models = [
            _binary_regression(strength).fit(train.multiply(ratio).tocsr(), data.targets == column)
            for column, ratio in zip(columns, ratios, strict=True)
        ]

        def predict(features: Any) -> np.ndarray:
            scores = np.stack(
                [m.decision_function(features.multiply(r).tocsr()) for m, r in zip(models, ratios, strict=True)], axis=1
            )
            return np.asarray(classes[(scores[:, 0] > 0).astype(int) if classes.size == 2 else scores.argmax(axis=1)])

        return predict

    return _choose(fit, strengths, data, dev, test)


def _binary_regression(strength: float) -> LogisticRegression:
    """Return a logistic regression of two classes by dual coordinate descent, as in the paper's LIBLINEAR."""
    return LogisticRegression(C=strength, solver="liblinear", dual=True, max_iter=1000, random_state=0)


def _log_count_ratio(counts: Any, mine: np.ndarray) -> np.ndarray:
    """Return log((p / |p|) / (q / |q|)) of counts smoothed by 1 (Wang & Manning 2012, section 2)."""
    p = 1 + np.asarray(counts[mine].sum(axis=0)).ravel()
    q = 1 + np.asarray(counts[~mine].sum(axis=0)).ravel()
    return np.asarray(np.log((p / p.sum()) / (q / q.sum()))[None, :])


def _choose(
    fit: Callable[[float], Callable[[Any], np.ndarray]],
    strengths: Sequence[float],
    data: _Data,
    dev: Any,
    test: Any,
) -> tuple[np.ndarray, float]:
    """Return the predictions for the features ``test`` with the first C that is best on those of ``dev``, and that C.

    The best has the highest accuracy or, as with networks, the highest macro-F1 if ``SKEWED``.
    """
    skewed = majority_share(data.targets) >= SKEWED

    def rated(predicted: np.ndarray) -> tuple[float, ...]:
        accuracy = float((predicted == data.dev_targets).mean())
        return (macro_f1(data.dev_targets.tolist(), predicted.tolist()), accuracy) if skewed else (accuracy,)

    models = [fit(strength) for strength in strengths]
    ratings = [rated(model(dev)) for model in models]
    best = ratings.index(max(ratings))
    return models[best](test), strengths[best]


def _as_is(features: list[str]) -> list[str]:
    return features
