"""How good predictions are: accuracy, precision, recall, F1, Matthews correlation, confusion. NumPy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    precision, recall = _ratio(right, said), _ratio(right, there)
    f1 = _ratio(2 * right, there + said)
    seen = there + said > 0
    total = float(counts.sum())
    covariance = right.sum() * total - (there * said).sum()
    spread = np.sqrt((total**2 - (said**2).sum()) * (total**2 - (there**2).sum()))
    rows = zip(names, precision, recall, f1, there, strict=True)
    return Score(
        accuracy=float(right.sum() / total),
        macro_f1=float(f1[seen].mean()),
        matthews=float(covariance / spread) if spread else 0.0,
        classes=[ClassScore(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in rows],
        labels=names,
        confusion=counts,
    )


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
