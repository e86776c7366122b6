"""Evaluation of a multi-label text classifier: scores, calibration, precision-recall curves and confident mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.classification.curves import PrecisionRecall, precision_recall
from seqclf.classification.evaluation import Reliability, calibration_error, reliability
from seqclf.data.label_sets import LabelSets, label_matrix
from seqclf.data.labels import as_classes
from seqclf.metrics import MultiLabelScore, score_label_sets
from wordvec import InputError


@dataclass(frozen=True)
class SetEvaluation:
    """How well a multi-label classifier predicts labeled texts, as :meth:`seqclf.MultiLabelModel.evaluate` returns it.

    Attributes:
        score: micro- and macro-F1, subset accuracy, Hamming loss and the scores of each label.
        truth: the labels of each of N texts, sorted strings, also those that the model does not know.
        names: C labels of the model as strings.
        probabilities: (N, C) float32.
        thresholds: (C,) float64, from which on a label is predicted.
    """

    score: MultiLabelScore
    truth: list[list[str]]
    names: list[str]
    probabilities: np.ndarray
    thresholds: np.ndarray

    @property
    def has(self) -> np.ndarray:
        """Which texts have which labels of the model, (N, C) bool."""
        return np.array([[name in own for name in self.names] for own in map(set, self.truth)], bool)

    @property
    def predicted(self) -> list[list[str]]:
        """The predicted labels of each text."""
        rows = self.probabilities >= self.thresholds
        return [[self.names[place] for place in np.flatnonzero(row)] for row in rows]

    def intervals(self, samples: int = 1000, seed: int = 1) -> dict[str, tuple[float, float]]:
        """Return 95 % bootstrap intervals of ``micro_f1`` and ``subset_accuracy``, over texts.

        Args:
            samples: the number of resamples of the texts.
            seed: of the resamples.
        """
        pairs = list(zip(map(set, self.truth), map(set, self.predicted), strict=True))
        counts = np.array([(len(own & found), len(own) + len(found), own == found) for own, found in pairs], float)
        random, drawn = np.random.default_rng([seed, 0xB007]), np.empty((samples, 3))
        for sample in range(samples):
            drawn[sample] = np.bincount(random.integers(0, len(counts), len(counts)), minlength=len(counts)) @ counts
        measures = {"micro_f1": 2 * drawn[:, 0] / drawn[:, 1].clip(1), "subset_accuracy": drawn[:, 2] / len(counts)}
        bounds = {name: np.quantile(values, [0.025, 0.975]) for name, values in measures.items()}
        return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}

    def reliability(self, bins: int = 15) -> list[Reliability]:
        """Return, for each of ``bins`` equal intervals of the probability, the pairs of a text and a label in it: their
        number, mean probability, and the share of texts that have the label.

        Raises:
            InputError: ``bins`` is below 1.
        """
        return reliability(self.probabilities.ravel(), self.has.ravel(), bins)

    def calibration_error(self, bins: int = 15) -> float:
        """Return the mean difference of probability and share in ``bins`` equal intervals of the probability.

        Raises:
            InputError: ``bins`` is below 1.
        """
        return calibration_error(self.reliability(bins))

    def precision_recall(self, label: str) -> PrecisionRecall:
        """Return the precision-recall curve of a label.

        Raises:
            InputError: the model does not know the label, or no text has it.
        """
        found = np.array([label in own for own in self.truth])
        if label not in self.names or not found.any():
            raise InputError(f"{label!r:.60} is not a label of the model that some text has")
        return precision_recall(found, self.probabilities[:, self.names.index(label)])

    def mistakes(self) -> list[tuple[int, float]]:
        """Return the texts with a wrong prediction: their positions, and the probability of the most confident error.

        That is the largest probability of a label that the text lacks, or of lacking one that it has; they come first.
        """
        wrong = (self.probabilities >= self.thresholds) != self.has
        confidence = np.where(self.has, 1 - self.probabilities, self.probabilities)
        largest = np.where(wrong, confidence, 0.0).max(axis=1)
        unknown = np.array([not set(own) <= set(self.names) for own in self.truth])
        rows = np.flatnonzero(wrong.any(axis=1) | unknown)
        return [(int(row), float(largest[row])) for row in rows[np.argsort(-largest[rows], kind="stable")]]

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as JSON values, with the 95 % intervals of micro-F1 and subset accuracy."""
        intervals = {name: list(bounds) for name, bounds in self.intervals().items()}
        found = {"texts": len(self.truth), **self.score.as_dict(), "intervals": intervals}
        found["thresholds"] = dict(zip(self.names, self.thresholds.tolist(), strict=True))
        return found | {"calibration_error": self.calibration_error()}


def evaluated_sets(
    names: Sequence[Any], probabilities: np.ndarray, thresholds: np.ndarray, labels: LabelSets
) -> SetEvaluation:
    """Compare predictions with the true labels.

    Args:
        names: C labels of a model.
        probabilities: (N, C). thresholds: (C,) from which on a label is predicted.
        labels: the true ones of each text, compared with ``==`` or as strings, of which those not in ``names`` count as
            missed; or an indicator matrix, see ``label_matrix``.

    Raises:
        InputError: not one collection of labels per row of ``probabilities``.

    Example:
        >>> probabilities = np.array([[0.9, 0.2], [0.1, 0.4]])
        >>> found = evaluated_sets(["fire", "flood"], probabilities, np.full(2, 0.5), [["fire"], ["flood"]])
        >>> found.predicted, found.score.subset_accuracy, found.mistakes()
        ([['fire'], []], 0.5, [(1, 0.6)])
    """
    shape: tuple[int, ...] = getattr(labels, "shape", ())
    given, matrix = label_matrix(labels, names if len(shape) == 2 and shape[1] != 1 else None)
    written = np.array([str(label) for label in as_classes(given, names)], object)
    truth = [sorted(set(written[row])) for row in matrix]
    known = [str(name) for name in names]
    return SetEvaluation(
        score_label_sets(truth, probabilities >= thresholds, known), truth, known, probabilities, thresholds
    )
