"""What a classifier must beat: the most frequent label, TF-IDF with logistic regression, NB-SVM. Loads scikit-learn."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqclf.metrics import Score, score
from seqclf.preparation import (
    DEFAULT_TOKENIZER,
    Text,
    check_labels,
    distinct_labels,
    encode_labels,
    stratified_split,
    tokenize_texts,
)

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""The values of C (inverse regularisation) that the development texts choose from."""


@dataclass(frozen=True)
class Baseline:
    """A baseline's name, what the development texts chose for it, and its score on the test texts."""

    name: str
    chosen: str
    score: Score


def compare_baselines(
    texts: Iterable[Text],
    labels: Sequence[Any],
    test_texts: Iterable[Text],
    test_labels: Sequence[Any],
    *,
    dev: tuple[Iterable[Text], Sequence[Any]] | None = None,
    tokenizer: str = DEFAULT_TOKENIZER,
    lowercase: bool = True,
    validation_fraction: float = 0.1,
    seed: int = 1,
) -> list[Baseline]:
    """Train the three baselines on texts and score them on test texts.

    Majority always says the most frequent label. TF-IDF + LR: uni- and bigrams, sublinear term frequency, L2, logistic
    regression. NB-SVM (Wang & Manning 2012, with logistic regression in the SVM's place): binary uni- and bigrams, each
    scaled by its log-count ratio, one class against the rest. All learn from ``texts`` alone, C chosen on ``dev``.

    Args:
        texts, labels: to learn from.
        test_texts, test_labels: to score on.
        dev: to choose C by; None splits off the texts that ``train_classifier`` would, seed and fraction alike.
        tokenizer, lowercase: how texts are cut.
        validation_fraction, seed: of that split.

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
    tokens = _ngrams(texts, tokenizer, lowercase)
    check_labels(tokens, labels)
    classes = distinct_labels(labels)
    targets = encode_labels(labels, classes, "texts")
    test_tokens = _ngrams(test_texts, tokenizer, lowercase)
    check_labels(test_tokens, test_labels, "test texts")
    if dev is not None:
        dev_tokens = _ngrams(dev[0], tokenizer, lowercase)
        check_labels(dev_tokens, dev[1], "development texts")
        dev_targets = encode_labels(dev[1], classes, "development texts")
    else:
        rows, held = stratified_split(targets, validation_fraction, seed)
        if not held.size:
            held = rows
        dev_tokens, dev_targets = [tokens[row] for row in held], targets[held]
        tokens, targets = [tokens[row] for row in rows], targets[rows]
    data = _Data(tokens, targets, dev_tokens, dev_targets, test_tokens)
    results = []
    for name, method in (
        ("majority class", _majority),
        ("TF-IDF + logistic regression", _tfidf),
        ("NB-SVM", _nbsvm),
    ):
        predicted, chosen = method(data)
        said = [classes[row] for row in predicted]
        known = classes + sorted({label for label in test_labels if label not in set(classes)}, key=str)
        results.append(Baseline(name, chosen, score(list(test_labels), said, known)))
    return results


@dataclass(frozen=True)
class _Data:
    train: list[list[str]]
    targets: np.ndarray
    dev: list[list[str]]
    dev_targets: np.ndarray
    test: list[list[str]]


def _ngrams(texts: Iterable[Text], tokenizer: str, lowercase: bool) -> list[list[str]]:
    """Each text's tokens, and its pairs of neighbours."""
    tokens = tokenize_texts(texts, tokenizer, lowercase)
    return [[*text, *(f"{a} {b}" for a, b in itertools.pairwise(text))] for text in tokens]


def _majority(data: _Data) -> tuple[np.ndarray, str]:
    return np.full(len(data.test), np.bincount(data.targets).argmax()), "nothing to choose"


def _tfidf(data: _Data) -> tuple[np.ndarray, str]:
    vectorizer = TfidfVectorizer(analyzer=_as_is, sublinear_tf=True)
    train = vectorizer.fit_transform(data.train)
    dev, test = vectorizer.transform(data.dev), vectorizer.transform(data.test)

    def fit(strength: float) -> Callable[[Any], np.ndarray]:
        model = LogisticRegression(C=strength, max_iter=1000).fit(train, data.targets)
        return lambda features: np.asarray(model.predict(features))

    return _choose(fit, dev, data.dev_targets, test)


def _nbsvm(data: _Data) -> tuple[np.ndarray, str]:
    vectorizer = CountVectorizer(analyzer=_as_is, binary=True, dtype=np.float64)
    train = vectorizer.fit_transform(data.train)
    dev, test = vectorizer.transform(data.dev), vectorizer.transform(data.test)
    classes = np.unique(data.targets)
    # Two classes need one column: the rest of one is the other.
    columns = classes[1:] if classes.size == 2 else classes
    ratios = [_log_count_ratio(train, data.targets == column) for column in columns]

    def fit(strength: float) -> Callable[[Any], np.ndarray]:
        models = [
            LogisticRegression(C=strength, max_iter=1000).fit(train.multiply(ratio).tocsr(), data.targets == column)
            for column, ratio in zip(columns, ratios, strict=True)
        ]

        def predict(features: Any) -> np.ndarray:
            scores = np.stack(
                [m.decision_function(features.multiply(r).tocsr()) for m, r in zip(models, ratios, strict=True)], axis=1
            )
            return classes[(scores[:, 0] > 0).astype(int) if classes.size == 2 else scores.argmax(axis=1)]

        return predict

    return _choose(fit, dev, data.dev_targets, test)


def _log_count_ratio(counts: Any, mine: np.ndarray) -> np.ndarray:
    """log(p / |p| : q / |q|) with one added to every count: Wang & Manning 2012, section 2."""
    p = 1 + np.asarray(counts[mine].sum(axis=0)).ravel()
    q = 1 + np.asarray(counts[~mine].sum(axis=0)).ravel()
    return np.log((p / p.sum()) / (q / q.sum()))[None, :]


def _choose(
    fit: Callable[[float], Callable[[Any], np.ndarray]], dev: Any, dev_targets: np.ndarray, test: Any
) -> tuple[np.ndarray, str]:
    """Predictions on ``test`` of the smallest C that does best on ``dev``."""
    models = [fit(strength) for strength in STRENGTHS]
    hits = [float((model(dev) == dev_targets).mean()) for model in models]
    best = int(np.argmax(hits))
    return models[best](test), f"C = {STRENGTHS[best]:g}"


def _as_is(features: list[str]) -> list[str]:
    return features
