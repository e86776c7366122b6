"""Calibration of a classifier's probabilities by vector scaling (Guo et al. 2017) or isotonic regression.

Isotonic regression calibrates each label against all others, and the results are normalized (Zadrozny & Elkan 2002), as
in scikit-learn's ``CalibratedClassifierCV``. Temperatures are the weights of ``stacking.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from seqclf.classification.evaluation import calibration_error, reliability
from seqclf.classification.stacking import log_sum, logs_of, stack, validation_folds
from seqclf.training.lbfgs import minimize
from wordvec import FormatError, InputError

_ISOTONIC_TEXTS = 1000
"""With fewer validation texts, isotonic regression overfits (Niculescu-Mizil & Caruana 2005)."""
_TEXTS_PER_LABEL = 20
"""Validation texts that vector scaling needs for each label."""
_PRIOR = 2.0
"""Texts that the prior of vector scaling counts for: no change."""
_BINS = 15


class VectorScaling(NamedTuple):
    """The softmax of ``scale * log(probabilities) + bias``, both (C,) float64."""

    scale: np.ndarray
    bias: np.ndarray

    @property
    def kind(self) -> str:
        """The name of the method."""
        return "vector"

    @classmethod
    def fit(cls, probabilities: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> "VectorScaling":
        """Return the scaling with the least cross-entropy.

        Args:
            probabilities: (N, C) float32. targets: (N,) classes. weights: (N,) of the texts in the loss.
        """
        logs, rows, classes = logs_of(probabilities), np.arange(targets.size), probabilities.shape[1]
        unchanged = np.repeat([1.0, 0.0], classes)
        total = weights.sum()

        def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
            scores = x[:classes] * logs + x[classes:]
            normalizers = log_sum(scores)
            errors = np.exp(scores - normalizers[:, None])
            errors[rows, targets] -= 1
            errors *= weights[:, None]
            gradient = np.concatenate([(errors * logs).sum(axis=0), errors.sum(axis=0)]) + _PRIOR * (x - unchanged)
            value = (weights * (normalizers - scores[rows, targets])).sum()
            return float(value + 0.5 * _PRIOR * ((x - unchanged) ** 2).sum()) / total, gradient / total

        return cls(*np.split(minimize(loss, unchanged).x, 2))

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities (N, C) float32."""
        scores = self.scale * logs_of(probabilities) + self.bias
        return stack(np.empty((len(scores), 0), np.float32), scores, np.array([0.0, 1.0]))

    def problem(self, classes: int) -> str | None:
        """Return what is wrong with arrays of a model file, if anything is."""
        good = all(_is_finite(each, np.float64) and each.shape == (classes,) for each in self)
        return None if good else f"scale and bias must be {classes} finite numbers each"


class Isotonic(NamedTuple):
    """An increasing function of each label's probability, linear between points; the results are normalized.

    Attributes:
        offsets: (C + 1,) int64, where the points of each label begin.
        points, values: (M,) float64: ascending probabilities, and those that they become.
    """

    offsets: np.ndarray
    points: np.ndarray
    values: np.ndarray

    @property
    def kind(self) -> str:
        """The name of the method."""
        return "isotonic"

    @classmethod
    def fit(cls, probabilities: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> "Isotonic":
        """Return the functions with the least squared errors; arguments as for ``VectorScaling.fit``."""
        curves = [increasing(each, targets == label, weights) for label, each in enumerate(probabilities.T)]
        offsets = np.cumsum([0, *(points.size for points, _ in curves)], dtype=np.int64)
        points, values = (np.concatenate(each) for each in zip(*curves, strict=True))
        return cls(offsets, points, values)

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities (N, C) float32; equal ones if all are 0."""
        found, total = np.empty(probabilities.shape), np.zeros(len(probabilities))
        for label, (start, end) in enumerate(zip(self.offsets, self.offsets[1:], strict=False)):
            found[:, label] = np.interp(probabilities[:, label], self.points[start:end], self.values[start:end])
            total += found[:, label]
        found[total == 0] = 1
        total[total == 0] = self.offsets.size - 1
        return (found / total[:, None]).astype(np.float32)

    def problem(self, classes: int) -> str | None:
        """Return what is wrong with arrays of a model file, if anything is."""
        offsets, points, values = self
        if not (_is_finite(offsets, np.int64) and _is_finite(points, np.float64) and _is_finite(values, np.float64)):
            return "points and values must be finite"
        if offsets.shape != (classes + 1,) or offsets[0] != 0 or (offsets[1:] <= offsets[:-1]).any():
            return f"offsets must ascend from 0 for {classes} labels"
        if not points.shape == values.shape == (offsets[-1],):
            return f"there must be {offsets[-1]:,} points and values"
        within = np.ones(points.size, bool)
        within[offsets[:-1]] = False
        ascending = (points[1:] > points[:-1]) & (values[1:] >= values[:-1])
        good = ascending[within[1:]].all() and values.min() >= 0 and values.max() <= 1
        return None if good else "points and values of a label must ascend, values between 0 and 1"


Calibration: TypeAlias = VectorScaling | Isotonic
_KINDS: dict[str, type[Calibration]] = {"vector": VectorScaling, "isotonic": Isotonic}


def increasing(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the increasing function of the least squared error: points (M,), ascending, and values (M,) float64.

    Adjacent violators are pooled (Ayer et al. 1955). Points within a constant stretch are left out.

    Args:
        x, y: (N,) arguments, and values at them. weights: (N,) above 0.

    Example:
        >>> increasing(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]), np.ones(4))
        (array([0.1, 0.2, 0.3, 0.4]), array([0. , 0.5, 0.5, 1. ]))
    """
    order = np.argsort(x, kind="stable")
    points, starts = np.unique(x[order].astype(np.float64), return_index=True)
    masses = np.add.reduceat(weights[order], starts)
    means = np.add.reduceat(weights[order] * y[order], starts) / masses
    blocks: list[tuple[float, float, int]] = []  # mean, mass and number of points
    for block in zip(means.tolist(), masses.tolist(), [1] * points.size, strict=True):
        mean, mass, count = block
        while blocks and blocks[-1][0] >= mean:
            before, weight, more = blocks.pop()
            mean, mass, count = (before * weight + mean * mass) / (weight + mass), mass + weight, count + more
        blocks.append((mean, mass, count))
    values = np.repeat([mean for mean, _, _ in blocks], [count for _, _, count in blocks])
    kept = np.ones(points.size, bool)
    kept[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    return points[kept], values[kept]


def check_enough(method: str, targets: np.ndarray, classes: Sequence[Any]) -> None:
    """Check that there are enough validation texts for a method of ``ClassifierSettings.calibration``.

    Args:
        method: its name. targets: (N,) of the validation texts. classes: C labels.

    Raises:
        InputError: there are fewer, or none of a label.
    """
    least = {"vector": _TEXTS_PER_LABEL * len(classes), "isotonic": _ISOTONIC_TEXTS}.get(method, 1)
    remedy = "pass more, raise validation_fraction, or leave calibration at temperature"
    if targets.size < least:
        rule = "validation texts" if least == 1 else f"at least {least:,} validation texts"
        raise InputError(f"calibration {method} needs {rule}, got {targets.size:,}; {remedy}")
    counts = np.bincount(targets, minlength=len(classes))
    if method == "isotonic" and not counts.all():
        missing = classes[int(counts.argmin())]
        raise InputError(f"calibration isotonic needs texts of all labels, got none of {missing!r:.60}; {remedy}")


def fit_calibration(
    method: str, probabilities: np.ndarray, targets: np.ndarray, weights: np.ndarray, seed: int
) -> tuple[Calibration, float, float]:
    """Return a calibration, and the expected calibration errors without it and with it.

    The latter is that of calibrations that are fitted on other validation texts.

    Args:
        method: ``vector`` or ``isotonic``.
        probabilities, targets, weights: see ``VectorScaling.fit``. seed: of the folds.
    """
    kind, folds = _KINDS[method], validation_folds(targets.size, seed)
    fitted = np.empty_like(probabilities)
    for fold in np.unique(folds):
        own = folds == fold
        fitted[own] = kind.fit(probabilities[~own], targets[~own], weights[~own]).apply(probabilities[own])
    before, after = (_error(each, targets) for each in (probabilities, fitted))
    return kind.fit(probabilities, targets, weights), before, after


def calibration_tensors(calibration: Calibration) -> dict[str, np.ndarray]:
    """Return the arrays of a model file."""
    return {f"calibration_{name}": each for name, each in calibration._asdict().items()}


def take_calibration(
    name: str, tensors: dict[str, np.ndarray], header: Mapping[str, Any], classes: int
) -> Calibration | None:
    """Take the calibration, if any, out of the tensors of a model file.

    Raises:
        FormatError: it is missing or inconsistent.
    """
    method = header.get("calibration")
    if method is None:
        return None
    kind = _KINDS.get(method) if isinstance(method, str) else None
    if kind is None:
        raise FormatError(f"{name} is damaged or from a newer release: calibration must be vector or isotonic")
    arrays = [tensors.pop(f"calibration_{field}", None) for field in kind._fields]
    found = kind(*(np.empty(0, np.int8) if each is None else each for each in arrays))
    if problem := found.problem(classes):
        raise FormatError(f"{name} is damaged: of the calibration, {problem}")
    return found


def _is_finite(array: np.ndarray, dtype: type) -> bool:
    return array.dtype == dtype and array.ndim == 1 and bool(np.isfinite(array).all())


def _error(probabilities: np.ndarray, targets: np.ndarray) -> float:
    correct = probabilities.argmax(axis=1) == targets
    return calibration_error(reliability(probabilities.max(axis=1), correct, _BINS))
