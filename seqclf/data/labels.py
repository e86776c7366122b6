"""Class labels: checks, encoding and weights."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.data.columns import one_column
from wordvec import InputError
from wordvec.system.validation import shown
from wordvec.system.wording import some

logger = logging.getLogger(__name__)

SKEWED = 0.9
"""Share of the most frequent label from which on macro-F1 on the validation texts chooses, not accuracy."""


def plain_value(value: Any) -> Any:
    """Return a NumPy scalar as a Python value, and everything else unchanged."""
    return value.item() if hasattr(value, "item") else value


def as_labels(labels: Any, name: str = "labels") -> list[Any]:
    """Return one label per text as Python values, so that 1 and np.int64(1) are one class and JSON can hold them.

    Args:
        labels: a list, an array (N,) or (N, 1), a Series, or a DataFrame of one column.
        name: what error messages call them.

    Raises:
        InputError: not a list, a label is missing or neither a string nor a number, or their types differ.

    Example:
        >>> as_labels(np.array([1, 2])), as_labels(["a", float("nan")])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: labels must not be missing, got nan at position 1; leave those texts out
    """
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise InputError(f"{name} must be a list with one label for each text, got {labels!r:.60}")
    values = one_column(labels, name)
    plain = [plain_value(label) for label in (values.tolist() if hasattr(values, "tolist") else values)]
    for row, label in enumerate(plain):
        check_label(label, name, f"at position {row}; leave those texts out")
    return of_one_type(plain, name)


def of_one_type(labels: list[Any], name: str = "labels") -> list[Any]:
    """Return labels of one type: 1 and 1.0 are one class, 1.0; True and '1' are others.

    Raises:
        InputError: they are of several types, numbers being one.

    Example:
        >>> of_one_type([1, 1.0, 2])
        [1.0, 1.0, 2.0]
    """
    kinds = {next(kind for kind in (str, bool, int, float) if isinstance(label, kind)) for label in labels}
    if kinds == {int, float}:
        return [float(label) for label in labels]
    if len(kinds) > 1:
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise InputError(f"{name} must have the same type, got {names}; convert them with str()")
    return labels


def check_label(label: Any, name: str, where: str) -> None:
    """Raise InputError if a label is missing (None, NaN, NA) or cannot be written to a model file.

    Args:
        label: a Python value.
        name: what the message calls labels.
        where: the end of the message: position, and the remedy for a missing label.
    """
    if is_missing(label):
        raise InputError(f"{name} must not be missing, got {label!r} {where}")
    if not isinstance(label, str | int | float) or (isinstance(label, float) and math.isinf(label)):
        kind = f"{type(label).__name__} {shown(label)}"
        raise InputError(f"{name} must be strings or finite numbers, got {kind} {where.partition(';')[0]}; use str()")


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or a missing value of pandas.

    Example:
        >>> [is_missing(value) for value in (None, float("nan"), np.float32("nan"), 0, "", "nan")]
        [True, True, True, False, False, False]
    """
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def check_labels(texts: Sized, labels: Sized, what: str = "texts") -> None:
    """Raise InputError unless there is at least one text and exactly one label per text."""
    if len(labels) != len(texts):
        raise InputError(f"{len(labels):,} labels for {len(texts):,} {what}")
    if len(texts) == 0:
        raise InputError(f"no {what} given; at least one is required")


def distinct_labels(
    labels: Sequence[Any], problem: str = "a classifier needs at least two classes, got only one class"
) -> list[Any]:
    """Return the distinct labels in sorted order, as Python values.

    Args:
        labels: one per text.
        problem: the message if all labels are equal.

    Raises:
        InputError: all labels are equal, or they cannot be compared.
    """
    plain = {plain_value(label) for label in labels}
    if len(plain) < 2:
        raise InputError(f"{problem}: {next(iter(plain))!r}")
    return sorted_labels(plain)


def sorted_labels(labels: Iterable[Any]) -> list[Any]:
    """Return distinct labels in sorted order.

    Raises:
        InputError: they cannot be compared.
    """
    try:
        return sorted(labels)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise InputError(f"labels must have the same type, got {' and '.join(kinds)}") from None


def encode_labels(labels: Sequence[Any], classes: Sequence[Any], what: str) -> np.ndarray:
    """Return each label's index in ``classes``, (N,) int32.

    Raises:
        InputError: a label is not in ``classes``.
    """
    place = {label: row for row, label in enumerate(classes)}
    try:
        return np.array([place[label] for label in labels], dtype=np.int32)
    except KeyError as error:
        raise InputError(
            f"label {error.args[0]!r:.60} of the {what} is not among the training labels: {some_labels(classes)}"
        ) from None


def as_classes(labels: Iterable[Any], classes: Iterable[Any]) -> list[Any]:
    """Return labels, those that equal a class, or are written like one, as that class.

    Example:
        >>> as_classes([1.0, "0", "x"], [0, 1])
        [1, 0, 'x']
    """
    classes = list(classes)
    known = {str(each): each for each in classes} | {each: each for each in classes}
    return [known.get(label, known.get(str(label), label)) for label in labels]


def some_labels(classes: Sequence[Any]) -> str:
    """Return the first labels for a message."""
    return some([f"{label!r:.60}" for label in classes], 10)


def warn_if_labels_differ(labels: Sequence[Any], classes: Sequence[Any]) -> None:
    """Log a warning if most labels occur once, because another column was probably meant."""
    if len(classes) == len(labels) > 2 or 2 * len(classes) > len(labels) >= 8:
        logger.warning(
            "%s of %s labels are different, such as %.60r: check that they are the labels, not texts or numbers",
            f"{len(classes):,}", f"{len(labels):,}", labels[0],
        )  # fmt: skip


def sample_weights(weights: ArrayLike | None, size: int) -> np.ndarray:
    """Return the weights of texts in the loss (size,) float64; None weighs all equally.

    Raises:
        InputError: not one weight per text, or weights that are negative, not finite, or all 0.

    Example:
        >>> sample_weights([1, 0.5], 2), sample_weights(None, 2)
        (array([1. , 0.5]), array([1., 1.]))
    """
    if weights is None:
        return np.ones(size)
    try:
        found = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise InputError("sample_weight must have a number for each text") from None
    if found.shape != (size,):
        raise InputError(f"sample_weight must have a number for each of {size:,} texts, got shape {found.shape}")
    if not (np.isfinite(found).all() and (found >= 0).all() and found.any()):
        raise InputError("sample_weight must have finite numbers of at least 0, not all zero")
    return found


def check_weighted(weights: np.ndarray) -> None:
    """Raise InputError if the weights of all that is trained on are 0: those with a weight are for validation."""
    if not weights.any():
        raise InputError(
            "sample_weight is 0 for all that is trained on, because what has a weight is split off for validation; "
            "set validation_fraction to 0, or pass what to validate on"
        )


def majority_share(targets: np.ndarray) -> float:
    """Return the share of the most frequent class."""
    return float(np.bincount(targets).max() / targets.size)


def class_weights(targets: np.ndarray, classes: Sequence[Any], choice: str | Mapping[Any, float] | None) -> np.ndarray:
    """Return the class weights (C,) float64: 1, inverse to the class frequency (``balanced``), or as given.

    Raises:
        InputError: a weight is given for a label that is not in ``classes``.

    Example:
        >>> class_weights(np.array([0, 0, 0, 1]), ["ham", "spam"], "balanced").round(3)
        array([0.667, 2.   ])
    """
    if choice is None:
        return np.ones(len(classes))
    if isinstance(choice, str):
        counts = np.bincount(targets, minlength=len(classes))
        return targets.size / (len(classes) * np.maximum(counts, 1))
    known = set(classes)
    for label in choice:
        if label not in known:
            raise InputError(f"class_weight has the unknown label {label!r}; the labels are {some_labels(classes)}")
    return np.array([float(choice.get(label, 1.0)) for label in classes])
