"""Evaluation of a text classifier: scores, calibration, confident mistakes, and accuracy against coverage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqclf.classification.curves import PrecisionRecall, precision_recall
from seqclf.data.labels import as_classes, as_labels, check_labels
from seqclf.metrics import Score, score
from wordvec import InputError
from wordvec.system.validation import check_number, check_whole


@dataclass(frozen=True)
class Coverage:
    """The part of the texts whose confidence is at least ``threshold``, and the accuracy on it, None if it is empty."""

    threshold: float
    coverage: float
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """The texts in an interval of the confidence: their number, mean confidence and accuracy."""

    texts: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """How well a classifier predicts labeled texts, as :meth:`seqclf.ClassifierModel.evaluate` returns it.

    Attributes:
        score: accuracy, macro-F1, the scores of each label and the confusion matrix.
        truth, predicted: N labels as strings.
        confidence: (N,) float32, the probabilities of the predicted labels.
        own: (N,) float32, those of the true labels, 0 for labels that the model does not know.
        names: C labels of the model as strings. probabilities: (N, C) float32, theirs.
    """

    score: Score
    truth: list[str]
    predicted: list[str]
    confidence: np.ndarray
    own: np.ndarray
    names: Sequence[str] = ()
    probabilities: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))

    @property
    def correct(self) -> np.ndarray:
        """Which predictions are correct, (N,) bool."""
        return np.array([own == found for own, found in zip(self.truth, self.predicted, strict=True)])

    def calibration_error(self, bins: int = 15) -> float:
        """Return the expected calibration error (Guo et al. 2017, eq. 3).

        It is the mean difference of confidence and accuracy in ``bins`` equal intervals of the confidence.

        Raises:
            InputError: ``bins`` is below 1.
        """
        return calibration_error(self.reliability(bins))

    def reliability(self, bins: int = 15) -> list[Reliability]:
        """Return confidence and accuracy in each of ``bins`` equal intervals of the confidence that has texts.

        Raises:
            InputError: ``bins`` is below 1.
        """
        return reliability(self.confidence, self.correct, bins)

    def precision_recall(self, label: str) -> PrecisionRecall:
        """Return the precision-recall curve of a label.

        Raises:
            InputError: the model does not know the label, or no text has it.
        """
        found = np.array([own == label for own in self.truth])
        if label not in self.names or not found.any():
            raise InputError(f"{label!r:.60} is not a label of the model that some text has")
        return precision_recall(found, self.probabilities[:, list(self.names).index(label)])

    def mistakes(self) -> list[int]:
        """Return the positions of the wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.correct)
        return [int(row) for row in wrong[np.argsort(-self.confidence[wrong], kind="stable")]]

    def coverage(self, thresholds: list[float]) -> list[Coverage]:
        """Return coverage and accuracy at each threshold of the confidence."""
        found = []
        for threshold in thresholds:
            answered = self.confidence >= threshold
            accuracy = float(self.correct[answered].mean()) if answered.any() else None
            found.append(Coverage(float(threshold), float(answered.mean()), accuracy))
        return found

    def threshold_for(self, accuracy: float) -> Coverage | None:
        """Return the lowest threshold whose accuracy is at least ``accuracy``; None if there is none.

        Raises:
            InputError: ``accuracy`` is not above 0 and at most 1.
        """
        wanted = check_number("accuracy", accuracy, above=0, most=1)
        order = np.argsort(-self.confidence, kind="stable")
        confidence = self.confidence[order]
        shares = np.cumsum(self.correct[order]) / np.arange(1, len(order) + 1)
        last = np.append(confidence[1:] < confidence[:-1], True)  # texts of equal confidence are answered together
        good = np.flatnonzero((shares >= wanted) & last)
        if not good.size:
            return None
        place = int(good[-1])
        return Coverage(float(confidence[place]), (place + 1) / len(order), float(shares[place]))

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as JSON values, with the 95 % intervals of accuracy and macro-F1."""
        intervals = {name: list(bounds) for name, bounds in self.score.intervals().items()}
        found = {"texts": len(self.truth), **self.score.as_dict(), "intervals": intervals}
        return found | {"calibration_error": self.calibration_error()}


def evaluated(names: Sequence[Any], probabilities: np.ndarray, labels: Iterable[Any]) -> Evaluation:
    """Compare predictions with the true labels.

    Args:
        names: C labels of a model.
        probabilities: (N, C); a row of zeros predicts no label, "".
        labels: N true labels, compared with ``==`` or as strings; those not in ``names`` count as errors.

    Raises:
        InputError: not one label per row of ``probabilities``.
    """
    truth = [str(label) for label in as_classes(as_labels(labels), names)]
    check_labels(probabilities, truth)
    known = [str(name) for name in names]
    best = probabilities.argmax(axis=1)
    rows, place = np.arange(len(best)), {name: column for column, name in enumerate(known)}
    columns = np.array([place.get(label, -1) for label in truth])
    own = np.where(columns >= 0, probabilities[rows, columns], np.float32(0))
    answered = np.asarray(probabilities.any(axis=1))
    predicted = [known[column] if is_answered else "" for column, is_answered in zip(best, answered, strict=True)]
    scored = score(truth, predicted, known + sorted({*truth, *predicted} - set(known)))
    return Evaluation(scored, truth, predicted, probabilities[rows, best], own, known, probabilities)


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int) -> list[Reliability]:
    """Return the mean of confidences (N,) and the share of ``correct`` (N,) in equal intervals of the confidence."""
    bins, confidence = check_whole("bins", bins, 1), confidence.astype(np.float64)
    places = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    texts = np.bincount(places, minlength=bins)
    sums, right = np.bincount(places, confidence, bins), np.bincount(places, correct, bins)
    return [
        Reliability(int(texts[place]), float(sums[place] / texts[place]), float(right[place] / texts[place]))
        for place in np.flatnonzero(texts)
    ]


def calibration_error(rows: Sequence[Reliability]) -> float:
    """Return the expected calibration error, see :meth:`Evaluation.calibration_error`."""
    return sum(row.texts * abs(row.confidence - row.accuracy) for row in rows) / sum(row.texts for row in rows)
