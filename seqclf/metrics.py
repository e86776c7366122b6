"""Classification metrics in NumPy: accuracy, precision, recall, F1, Matthews correlation and confusion matrix.

:func:`score` takes one label per text, :func:`score_label_sets` any number of labels, :func:`score_entities` the tags
of sentences.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.data.columns import one_column
from seqclf.data.label_sets import LabelSets, label_matrix
from seqclf.data.labels import is_missing, some_labels, sorted_labels
from seqclf.data.spans import is_span_tag, spans_of
from wordvec import InputError


def confusion_matrix(truth: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None = None) -> np.ndarray:
    """Return the confusion matrix (C, C) int64: rows are true labels, columns predicted ones.

    Args:
        truth, predicted: one label per text.
        labels: the order of rows and columns; default: sorted.

    Raises:
        InputError: the two differ in length, are empty, or have a label that is missing or not in ``labels``.

    Example:
        >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"])
        array([[1, 1],
               [0, 1]])
    """
    truth, predicted = one_column(truth, "labels"), one_column(predicted, "predictions")
    if len(truth) != len(predicted):
        raise InputError(f"{len(predicted):,} predictions for {len(truth):,} labels")
    if len(truth) == 0:
        raise InputError("nothing to score: 0 labels")
    for what, given in (("labels", truth), ("predictions", predicted)):
        for row, label in enumerate(given):
            if is_missing(label):
                raise InputError(f"{what} must not be missing, got {label!r} at position {row}; leave those texts out")
    names = sorted_labels({*truth, *predicted}) if labels is None else list(labels)
    place = {label: row for row, label in enumerate(names)}
    try:
        rows = np.array([place[label] for label in truth])
        columns = np.array([place[label] for label in predicted])
    except KeyError as error:
        raise InputError(f"label {error.args[0]!r:.60} is not among the known labels: {some_labels(names)}") from None
    size = len(names)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def accuracy(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the fraction of correct predictions.

    Example:
        >>> accuracy([1, 0, 1, 1], [1, 0, 0, 1])
        0.75
    """
    return score(truth, predicted).accuracy


def macro_f1(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the unweighted mean F1 of all labels that occur or are predicted.

    Example:
        >>> round(macro_f1([1, 0, 1, 1], [1, 0, 0, 1]), 4)
        0.7333
    """
    return score(truth, predicted).macro_f1


def matthews(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Return the multiclass Matthews correlation (Gorodkin 2004, R_K): 1 is perfect, 0 is chance level.

    Example:
        >>> round(matthews([1, 0, 1, 1], [1, 0, 0, 1]), 4)
        0.5774
    """
    return score(truth, predicted).matthews


@dataclass(frozen=True)
class ClassScore:
    """Scores of one label; ``support`` is the number of texts whose true labels include it."""

    label: Any
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Score:
    """Scores of single-label predictions."""

    accuracy: float
    macro_f1: float
    matthews: float
    classes: list[ClassScore]
    labels: list[Any]
    confusion: np.ndarray

    def intervals(self, samples: int = 1000, seed: int = 1) -> dict[str, tuple[float, float]]:
        """Return 95 % bootstrap intervals of ``accuracy`` and ``macro_f1``: the range of the middle 95 % of resamples.

        Drawing N texts with replacement is drawing their cells of the confusion matrix.

        Args:
            samples: the number of resamples of the texts.
            seed: of the resamples.

        Example:
            >>> low, high = score(["a", "b"] * 50, ["a", "a", "b", "b"] * 25).intervals()["accuracy"]
            >>> low < 0.5 < high
            True
        """
        total = int(self.confusion.sum())
        cells = np.flatnonzero(self.confusion.ravel())
        shares = self.confusion.ravel()[cells] / total
        drawn = np.random.default_rng([seed, 0xB007]).multinomial(total, shares, samples).astype(np.float64)
        rows, columns = np.divmod(cells, len(self.labels))
        support, predictions, correct = (np.zeros((samples, len(self.labels))) for _ in range(3))
        for cell, (row, column) in enumerate(zip(rows, columns, strict=True)):
            support[:, row] += drawn[:, cell]
            predictions[:, column] += drawn[:, cell]
            if row == column:
                correct[:, row] += drawn[:, cell]
        seen = support + predictions > 0
        macro = _ratio(2 * correct, support + predictions).sum(axis=1) / seen.sum(axis=1)
        measures = {"accuracy": correct.sum(axis=1) / total, "macro_f1": macro}
        bounds = {name: np.quantile(values, [0.025, 0.975]) for name, values in measures.items()}
        return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        plain = [label.item() if hasattr(label, "item") else label for label in self.labels]
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "matthews": self.matthews,
            "classes": [
                {"label": label, "precision": c.precision, "recall": c.recall, "f1": c.f1, "support": c.support}
                for label, c in zip(plain, self.classes, strict=True)
            ],
            "labels": plain,
            "confusion": self.confusion.tolist(),
        }


def score(truth: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None = None) -> Score:
    """Score predictions against the true labels; a ratio with denominator 0 is 0.

    Args:
        truth, predicted: one label per text.
        labels: their order in the result; default: sorted.

    Raises:
        InputError: as ``confusion_matrix``.

    Example:
        >>> result = score(["ham", "ham", "spam", "spam"], ["ham", "ham", "spam", "ham"])
        >>> result.accuracy, [(row.label, row.recall) for row in result.classes]
        (0.75, [('ham', 1.0), ('spam', 0.5)])
    """
    truth, predicted = one_column(truth, "labels"), one_column(predicted, "predictions")
    counts = confusion_matrix(truth, predicted, labels)
    names = sorted_labels({*truth, *predicted}) if labels is None else list(labels)
    correct = np.diag(counts).astype(np.float64)
    support, predictions = counts.sum(axis=1).astype(np.float64), counts.sum(axis=0).astype(np.float64)
    total = float(counts.sum())
    covariance = correct.sum() * total - (support * predictions).sum()
    spread = np.sqrt((total**2 - (predictions**2).sum()) * (total**2 - (support**2).sum()))
    classes, mean_f1 = _class_scores(names, correct, predictions, support)
    return Score(
        accuracy=float(correct.sum() / total),
        macro_f1=mean_f1,
        matthews=float(covariance / spread) if spread else 0.0,
        classes=classes,
        labels=names,
        confusion=counts,
    )


def mcnemar(correct: np.ndarray, other: np.ndarray) -> float:
    """Return the p-value of the exact McNemar test (1947): two classifiers are equally accurate on the same texts.

    Args:
        correct, other: (N,) bool, which predictions of either classifier are correct.

    Example:
        >>> mcnemar(np.array([True] * 9 + [False]), np.array([False] * 6 + [True] * 4))
        0.125
    """
    from scipy.stats import binomtest

    only, others = int((correct & ~other).sum()), int((other & ~correct).sum())
    return float(binomtest(only, only + others).pvalue) if only + others else 1.0


@dataclass(frozen=True)
class MultiLabelScore:
    """Scores of multi-label predictions.

    Attributes:
        micro_f1: F1 over all pairs of a text and a label.
        macro_f1: the unweighted mean F1 of all labels that occur or are predicted.
        subset_accuracy: the fraction of texts whose labels are all correct. hamming_loss: of wrong pairs.
        classes: the scores of each label, in the order of ``labels``.
    """

    micro_f1: float
    macro_f1: float
    subset_accuracy: float
    hamming_loss: float
    classes: list[ClassScore]

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        return asdict(self)


def score_label_sets(truth: LabelSets, predicted: LabelSets, labels: Sequence[Any] | None = None) -> MultiLabelScore:
    """Score label sets against the true ones; a ratio with denominator 0 is 0.

    Args:
        truth, predicted: the labels of each text, or arrays (N, C) of 0 and 1.
        labels: the names of an array's columns (default: their numbers) and the order of the result; other labels
            follow, sorted. A label that the classifier does not know counts as missed.

    Raises:
        InputError: the two differ in length, or are empty.

    Example:
        >>> result = score_label_sets([["flood", "storm"], [], ["storm"]], [["flood"], [], ["storm"]])
        >>> result.micro_f1, round(result.macro_f1, 3), round(result.subset_accuracy, 3), round(result.hamming_loss, 3)
        (0.8, 0.833, 0.667, 0.167)
    """
    given = [label_matrix(each, labels if hasattr(each, "shape") else None) for each in (truth, predicted)]
    names = list(labels or ())
    names += sorted_labels({label for own, _ in given for label in own} - set(names))
    true, found = (_in_columns(names, *each) for each in given)
    if len(true) != len(found):
        raise InputError(f"{len(found):,} predictions for {len(true):,} label sets")
    if true.size == 0:
        raise InputError(f"nothing to score: {len(true)} texts, {len(names)} labels")
    counts = [matrix.sum(axis=0).astype(np.float64) for matrix in (true & found, found, true)]
    correct, predictions, support = (float(each.sum()) for each in counts)
    classes, mean_f1 = _class_scores(names, *counts)
    return MultiLabelScore(
        micro_f1=2 * correct / (predictions + support) if predictions + support else 0.0,
        macro_f1=mean_f1,
        subset_accuracy=float((true == found).all(axis=1).mean()),
        hamming_loss=float((true != found).mean()),
        classes=classes,
    )


@dataclass(frozen=True)
class EntityScore:
    """Scores of spans of tokens, such as named entities: a span is correct if its type and both ends are.

    Attributes:
        precision, recall, f1: over the spans of all types.
        support: spans in the true tags.
        classes: the scores of each type, sorted.
    """

    precision: float
    recall: float
    f1: float
    support: int
    classes: list[ClassScore]

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        return asdict(self)


def score_entities(truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> EntityScore:
    """Score the spans that BIO, BIOES or BILOU tags mark, as conlleval and seqeval do; a ratio with denominator 0 is 0.

    Args:
        truth, predicted: a list of tags for each sentence.

    Raises:
        InputError: the two differ in length, or a tag is neither O nor starts with B-, I-, E-, S-, L- or U-.

    Example:
        >>> result = score_entities([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]])
        >>> result.precision, result.recall, [(row.label, row.f1) for row in result.classes]
        (0.5, 0.5, [('LOC', 1.0), ('PER', 0.0)])
    """
    if len(truth) != len(predicted):
        raise InputError(f"{len(predicted):,} predictions for {len(truth):,} sentences")
    counts = {name: Counter[str]() for name in ("correct", "predictions", "support")}
    for row, (own, found) in enumerate(zip(truth, predicted, strict=True)):
        if len(own) != len(found):
            raise InputError(f"{len(found)} predicted tags for {len(own)} tags in sentence {row}")
        for tag in (*own, *found):
            if not is_span_tag(tag):
                raise InputError(f"entity tags must be O or start with B-, I-, E-, S-, L- or U-, got {tag!r:.60}")
        spans, guesses = set(spans_of(own)), set(spans_of(found))
        counts["correct"].update(span.kind for span in spans & guesses)
        counts["predictions"].update(span.kind for span in guesses)
        counts["support"].update(span.kind for span in spans)
    kinds = sorted({*counts["predictions"], *counts["support"]})
    by_kind = [np.array([counts[name][kind] for kind in kinds], np.float64) for name in counts]
    correct, predictions, support = (np.array([each.sum()]) for each in by_kind)
    return EntityScore(
        precision=float(_ratio(correct, predictions)[0]),
        recall=float(_ratio(correct, support)[0]),
        f1=float(_ratio(2 * correct, predictions + support)[0]),
        support=int(support[0]),
        classes=_class_scores(kinds, *by_kind)[0],
    )


def _in_columns(names: list[Any], own: list[Any], matrix: np.ndarray) -> np.ndarray:
    """Return a matrix with a column for each of ``names``, from one with a column for each of ``own``."""
    found = np.zeros((len(matrix), len(names)), bool)
    found[:, [names.index(label) for label in own]] = matrix
    return found


def _class_scores(
    names: Sequence[Any], correct: np.ndarray, predictions: np.ndarray, support: np.ndarray
) -> tuple[list[ClassScore], float]:
    """Return the scores of each label, and the mean F1 of those that occur or are predicted."""
    precision, recall = _ratio(correct, predictions), _ratio(correct, support)
    f1 = _ratio(2 * correct, support + predictions)
    seen = support + predictions > 0
    rows = zip(names, precision, recall, f1, support, strict=True)
    classes = [ClassScore(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in rows]
    return classes, float(f1[seen].mean()) if seen.any() else 0.0


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))
