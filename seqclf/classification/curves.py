"""Precision-recall curves of labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from wordvec import InputError


class PrecisionRecall(NamedTuple):
    """Precision and recall of a label, if it is predicted from each threshold of its probability on."""

    thresholds: np.ndarray
    """(K,) the distinct probabilities, descending."""
    precision: np.ndarray
    """(K,) float64."""
    recall: np.ndarray
    """(K,) float64, ascending."""

    @property
    def average_precision(self) -> float:
        """The precisions, weighted by the increase of the recall, as scikit-learn defines it."""
        return float((np.diff(self.recall, prepend=0.0) * self.precision).sum())


def precision_recall(has_label: ArrayLike, probabilities: ArrayLike) -> PrecisionRecall:
    """Return the precision-recall curve of a label.

    Args:
        has_label: (N,) bool, which texts have it. probabilities: (N,) of the label.

    Raises:
        InputError: not one probability for each text, NaN among them, or no text has the label.

    Example:
        >>> curve = precision_recall([True, False, True, False], [0.9, 0.8, 0.8, 0.1])
        >>> curve.thresholds.tolist(), curve.precision.round(2).tolist(), curve.recall.tolist()
        ([0.9, 0.8, 0.1], [1.0, 0.67, 0.5], [0.5, 1.0, 1.0])
        >>> round(curve.average_precision, 3)
        0.833
    """
    truth, scores = np.asarray(has_label, bool), np.asarray(probabilities)
    if truth.ndim != 1 or truth.shape != scores.shape:
        raise InputError(f"{scores.shape} probabilities for {truth.shape} texts; pass one for each text")
    if np.isnan(scores).any():
        raise InputError("probabilities must be numbers, got NaN")
    if not truth.any():
        raise InputError("no text has the label; its recall is undefined")
    order = np.argsort(-scores, kind="stable")
    scores, found = scores[order], np.cumsum(truth[order])
    last = np.flatnonzero(np.append(scores[1:] < scores[:-1], True))
    return PrecisionRecall(scores[last], found[last] / (last + 1), found[last] / found[-1])
