"""Multi-label targets: the indicator matrix, and decision thresholds per label."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from seqclf.data.columns import is_table, one_column
from seqclf.data.labels import check_label, encode_labels, of_one_type, plain_value, some_labels, sorted_labels
from wordvec import InputError

LabelSets: TypeAlias = Iterable[Collection[Any]] | np.ndarray
"""The labels of each text, or an indicator matrix (N, C) of 0 and 1."""


def label_matrix(
    labels: LabelSets, classes: Sequence[Any] | None = None, what: str = "texts"
) -> tuple[list[Any], np.ndarray]:
    """Return the C labels, and an indicator matrix (N, C) bool.

    Args:
        labels: a list, tuple or set of labels for each text, which may be empty; or a dense or sparse indicator
            matrix of 0 and 1, with a row per text; or a DataFrame of 0 and 1, whose columns are named after the labels.
        classes: the labels in column order; None takes those that occur, sorted, or the column names or numbers of a
            matrix.
        what: what error messages call the texts.

    Raises:
        InputError: a text's labels are not a collection, a label is missing or neither a string nor a number, a matrix
            has other numbers, or a label or the name of a column is not in ``classes``.

    Example:
        >>> classes, matrix = label_matrix([["flood", "storm"], [], ["storm"]])
        >>> classes, matrix.astype(int).tolist()
        (['flood', 'storm'], [[1, 1], [0, 0], [0, 1]])
    """
    given: Any = labels.toarray() if hasattr(labels, "toarray") else labels
    if isinstance(given, Mapping):
        raise InputError(f"labels must be a list of lists, got a {type(given).__name__}; pass list(y.values())")
    if len(getattr(given, "shape", ())) == 2 and not _is_column_of_lists(given):
        matrix = np.asarray(given)
        if np.ma.is_masked(given) or matrix.dtype.kind not in "biufO":
            kind = "masked values" if np.ma.is_masked(given) else str(matrix.dtype)
            raise InputError(f"an indicator matrix must hold only 0 and 1, got {kind}; or pass lists of labels")
        if is_table(given):
            names = [plain_value(name) for name in given.columns]
            classes = names if classes is None else list(classes)
            if sorted(map(str, names)) == sorted(map(str, classes)):
                matrix = matrix[:, [list(map(str, names)).index(str(label)) for label in classes]]
            elif [str(name).removeprefix("column_") for name in names] != list(map(str, range(len(names)))):
                raise InputError(
                    f"the columns must be the labels {some_labels(classes)}, got {some_labels(names)}; rename them, or "
                    "pass df.to_numpy() in the order of the labels"
                )
        if not np.isin(matrix, (0, 1)).all():
            wrong = next(value for value in matrix.flat if value not in (0, 1))
            raise InputError(f"an indicator matrix must hold only 0 and 1, got {wrong!r}; or pass lists of labels")
        if classes is not None and len(classes) != matrix.shape[1]:
            raise InputError(f"{matrix.shape[1]} columns for {len(classes)} labels")
        return list(range(matrix.shape[1]) if classes is None else classes), matrix.astype(bool)
    if getattr(given, "ndim", 1) > 2 or (getattr(given, "ndim", 1) == 2 and given.shape[1] != 1):
        raise InputError(f"labels must be lists of labels or a matrix (N, C), got shape {given.shape}")
    sets = [_plain_labels(each, row) for row, each in enumerate(one_column(given, "labels"))]
    if _look_like_rows(sets):
        raise InputError(
            "labels must be lists of labels, got lists of 0 and 1 of equal length; pass numpy.array(y) if they are the "
            "rows of an indicator matrix"
        )
    named = of_one_type([label for each in sets for label in each])
    if classes is None:
        classes = sorted_labels(set(named))
    rows = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    matrix = np.zeros((len(sets), len(classes)), bool)
    matrix[rows, encode_labels(named, classes, what)] = True
    return list(classes), matrix


def _plain_labels(labels: Any, row: int) -> list[Any]:
    """Return labels as Python values."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise InputError(
            f"each text needs a list of labels, got {labels!r} at position {row}; pass [{labels!r}] for a single "
            "label, and [] for none"
        )
    plain = [plain_value(label) for label in labels]
    for label in plain:
        check_label(label, "labels", f"at position {row}; leave it out")
    return plain


def _look_like_rows(sets: list[list[Any]]) -> bool:
    """Return whether label sets are rows of an indicator matrix: 0 and 1 in lists of equal length, which as sets would
    repeat a label, or be out of order."""
    labels = {label for each in sets for label in each}
    equal = len({len(each) for each in sets}) == 1 and len(sets[0]) > 1
    return equal and labels <= {0, 1} and any(each != [0, 1] for each in sets)


def _is_column_of_lists(given: Any) -> bool:
    """Return whether a table or array (N, 1) holds collections of labels rather than an indicator of one label."""
    first = np.asarray(given)[:1, :1].ravel()
    return given.shape[1] == 1 and first.size == 1 and isinstance(first[0], Collection)


def best_thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the threshold per label that maximizes its F1.

    Args:
        probabilities: (N, C).
        truth: (N, C) bool.

    Returns:
        (C,) float64, each halfway between two probabilities; 0.5 for a label that no text has.

    Example:
        >>> best_thresholds(np.array([[0.1], [0.25], [0.5], [0.75]]), np.array([[0], [1], [0], [1]], bool))
        array([0.175])
    """
    found = np.full(truth.shape[1], 0.5)
    for label in np.flatnonzero(truth.any(axis=0)):
        order = np.argsort(-probabilities[:, label], kind="stable")
        ranked = np.append(probabilities[order, label].astype(np.float64), 0.0)
        hits = np.cumsum(truth[order, label])
        f1 = 2 * hits / (np.arange(1, hits.size + 1) + hits[-1])
        f1[ranked[:-1] == ranked[1:]] = 0  # a threshold cannot separate equal probabilities
        best = int(f1.argmax())
        found[label] = (ranked[best] + ranked[best + 1]) / 2
    return found
