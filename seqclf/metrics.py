"""How good predictions are: accuracy, precision, recall, F1, Matthews correlation, confusion. NumPy alone.

Of one label for each text, and of any number of them (:func:`score_label_sets`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.data.label_sets import LabelSets, label_matrix
from seqclf.data.labels import sorted_labels
from wordvec import InputError


def confusion_matrix(truth: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None = None) -> np.ndarray:
    """Count (C, C) int64: row, the true label; column, the predicted one; in the order of ``labels`` (default: sorted).

    Raises:
        InputError: the two differ in length, are empty, or hold a label that ``labels`` does not.

    Example:
        >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"])
        array([[1, 1],
               [0, 1]])
    """
    if len(truth) != len(predicted):
        raise InputError(f"{len(predicted):,} predictions for {len(truth):,} labels")
    if len(truth) == 0:
        raise InputError("there is nothing to score: 0 labels")
    names = sorted({*truth, *predicted}) if labels is None else list(labels)
    place = {label: row for row, label in enumerate(names)}
    try:
        rows = np.array([place[label] for label in truth])
        columns = np.array([place[label] for label in predicted])
    except KeyError as error:
        known = ", ".join(str(name) for name in names[:20])
        raise InputError(f"label {error.args[0]!r} is not one of the labels known: {known}") from None
    size = len(names)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def accuracy(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share of right predictions.

    Example:
        >>> accuracy([1, 0, 1, 1], [1, 0, 0, 1])
        0.75
    """
    return score(truth, predicted).accuracy


def macro_f1(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The mean of all labels' F1, each counting the same; labels neither there nor predicted are left out.

    Example:
        >>> round(macro_f1([1, 0, 1, 1], [1, 0, 0, 1]), 4)
        0.7333
    """
    return score(truth, predicted).macro_f1


def matthews(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The Matthews correlation of all labels (Gorodkin 2004, R_K): 1 is perfect, 0 as good as chance.

    Example:
        >>> round(matthews([1, 0, 1, 1], [1, 0, 0, 1]), 4)
        0.5774
    """
    return score(truth, predicted).matthews


@dataclass(frozen=True)
class ClassScore:
    """One label's row of the table. ``support`` counts the texts that truly bear it."""

    label: Any
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Score:
    """All scores of one set of predictions."""

    accuracy: float
    macro_f1: float
    matthews: float
    classes: list[ClassScore]
    labels: list[Any]
    confusion: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write."""
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
    """Score predictions against the truth; 0 stands where a ratio has nothing to divide by.

    Args:
        truth, predicted: labels, one a text.
        labels: their order in the table; default: sorted.

    Raises:
        InputError: as ``confusion_matrix``.

    Example:
        >>> result = score(["ham", "ham", "spam", "spam"], ["ham", "ham", "spam", "ham"])
        >>> result.accuracy, [(row.label, row.recall) for row in result.classes]
        (0.75, [('ham', 1.0), ('spam', 0.5)])
    """
    counts = confusion_matrix(truth, predicted, labels)
    names = sorted({*truth, *predicted}) if labels is None else list(labels)
    right = np.diag(counts).astype(np.float64)
    there, said = counts.sum(axis=1).astype(np.float64), counts.sum(axis=0).astype(np.float64)
    total = float(counts.sum())
    covariance = right.sum() * total - (there * said).sum()
    spread = np.sqrt((total**2 - (said**2).sum()) * (total**2 - (there**2).sum()))
    classes, mean_f1 = _class_scores(names, right, said, there)
    return Score(
        accuracy=float(right.sum() / total),
        macro_f1=mean_f1,
        matthews=float(covariance / spread) if spread else 0.0,
        classes=classes,
        labels=names,
        confusion=counts,
    )


@dataclass(frozen=True)
class MultiLabelScore:
    """All scores of predictions of any number of labels for each text.

    Attributes:
        micro_f1: F1 over all pairs of a text and a label.
        macro_f1: the mean of all labels' F1; labels neither there nor predicted are left out.
        subset_accuracy: the share of texts whose labels are all right. hamming_loss: of wrong pairs.
        classes: a row a label, in the order of ``labels``.
    """

    micro_f1: float
    macro_f1: float
    subset_accuracy: float
    hamming_loss: float
    classes: list[ClassScore]

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write."""
        return asdict(self)


def score_label_sets(truth: LabelSets, predicted: LabelSets, labels: Sequence[Any] | None = None) -> MultiLabelScore:
    """Score label sets against the true ones; 0 stands where a ratio has nothing to divide by.

    Args:
        truth, predicted: the labels of each text, or arrays (N, C) of 0 and 1.
        labels: the names of an array's columns (default: their numbers) and the order of the table, where others follow
            sorted: one that a classifier does not know counts as missed.

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
    there, said = (_in_columns(names, *each) for each in given)
    if len(there) != len(said):
        raise InputError(f"{len(said):,} predictions for {len(there):,} label sets")
    if there.size == 0:
        raise InputError(f"there is nothing to score: {len(there)} texts, {len(names)} labels")
    counts = [matrix.sum(axis=0).astype(np.float64) for matrix in (there & said, said, there)]
    right, predictions, support = (float(each.sum()) for each in counts)
    classes, mean_f1 = _class_scores(names, *counts)
    return MultiLabelScore(
        micro_f1=2 * right / (predictions + support) if predictions + support else 0.0,
        macro_f1=mean_f1,
        subset_accuracy=float((there == said).all(axis=1).mean()),
        hamming_loss=float((there != said).mean()),
        classes=classes,
    )


def _in_columns(names: list[Any], own: list[Any], matrix: np.ndarray) -> np.ndarray:
    """A matrix with a column for each of ``names``, where there was one for each of ``own``."""
    found = np.zeros((len(matrix), len(names)), bool)
    found[:, [names.index(label) for label in own]] = matrix
    return found


def _class_scores(
    names: Sequence[Any], right: np.ndarray, said: np.ndarray, there: np.ndarray
) -> tuple[list[ClassScore], float]:
    """A row a label, and the mean F1 of those that are there or predicted."""
    precision, recall = _ratio(right, said), _ratio(right, there)
    f1 = _ratio(2 * right, there + said)
    seen = there + said > 0
    rows = zip(names, precision, recall, f1, there, strict=True)
    classes = [ClassScore(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in rows]
    return classes, float(f1[seen].mean()) if seen.any() else 0.0


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
