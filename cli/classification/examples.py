"""Labeled texts and classifiers as the commands read them, and evaluations with labels as strings."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cli.shared.reporting import log
from cli.shared.supervised import as_known, warn_if_unknown

if TYPE_CHECKING:
    from seqclf import ClassifierModel, MultiLabelModel
    from seqclf.classification.evaluation import Evaluation
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.classification.set_evaluation import SetEvaluation

_SHOWN = 5
"""Texts or labels that a warning names."""
_LONG = 100_000
"""Characters of a text from which on training warns of it."""


def read_examples(data: str, separator: str | None, **reading: Any) -> tuple[list[str], list[str], list[Any]]:
    """Read places (``file:line``), texts and labels: one label per text or, with a separator, a list per text."""
    from corpora import iter_label_sets, iter_labelled

    examples: Iterator[tuple[str, str, Any]] = (
        iter_labelled(data, **reading) if separator is None else iter_label_sets(data, separator, **reading)
    )
    places, texts, labels = zip(*examples, strict=True)
    return list(places), list(texts), list(labels)


def read_groups(data: str, column: str, **reading: Any) -> list[str]:
    """Read the group of each text, such as its author, from a column of a table."""
    return [str(value) for _, value in _values(data, column, "group_column", **reading)]


def read_weights(data: str, column: str, **reading: Any) -> list[float]:
    """Read the weight of each text in the loss from a column of a table."""
    from corpora import InputError

    found = []
    for where, value in _values(data, column, "weight_column", **reading):
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            found.append(math.nan)
        if not 0 <= found[-1] < math.inf:
            raise InputError(f"{where}: a weight must be a finite number of at least 0, got {value!r:.40}")
    return found


def _values(data: str, column: str, option: str, **reading: Any) -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of a column of each record."""
    from corpora import InputError
    from corpora.records import open_records
    from corpora.tables import listed

    records = open_records(data, **reading)
    if column not in records.columns:
        raise InputError(f"{data}: no column {column!r:.40}; set {option} to one of {listed(records.columns)}")
    for where, _, values in records.rows:
        if column not in values:
            raise InputError(f"{where}: no key {column!r:.40}; set {option} to one that every object has")
        yield where, values[column]


def read_training(data: str, separator: str | None, quiet: bool, **reading: Any) -> tuple[list[str], list[Any]]:
    """Read texts and labels, and warn of empty and very long texts, contradictory labels and labels with one text."""
    places, texts, labels = read_examples(data, separator, **reading)
    warnings = [_empty_texts(places, texts), _long_texts(places, texts)]
    if separator is None:
        warnings += [_contradictions(places, texts, labels), _single_texts(places, labels)]
    for warning in filter(None, warnings):
        log(f"Warning: {warning}", quiet)
    return texts, labels


def _empty_texts(places: Sequence[str], texts: Sequence[str]) -> str:
    from wordvec.system.wording import some

    empty = [place for place, text in zip(places, texts, strict=True) if not text.strip()]
    return f"texts without a word: {some(empty, _SHOWN)}; fill them in, or leave them out" if empty else ""


def _long_texts(places: Sequence[str], texts: Sequence[str]) -> str:
    from wordvec.system.wording import some

    long = [f"{place} ({len(text):,})" for place, text in zip(places, texts, strict=True) if len(text) >= _LONG]
    return (
        f"texts of {_LONG:,} characters or more: {some(long, _SHOWN)}; the network reads every word: split them into "
        "passages"
        if long
        else ""
    )


def _contradictions(places: Sequence[str], texts: Sequence[str], labels: Sequence[str]) -> str:
    first: dict[str, int] = {}
    wrong = [row for row, text in enumerate(texts) if labels[first.setdefault(text, row)] != labels[row]]
    if not wrong:
        return ""
    one, other = first[texts[wrong[0]]], wrong[0]
    return (
        f"texts that repeat an earlier one with another label: {len(wrong):,}, such as {places[other]} "
        f"({labels[other]:.40}) after {places[one]} ({labels[one]:.40}); classify-text check lists them"
    )


def _single_texts(places: Sequence[str], labels: Sequence[str]) -> str:
    from wordvec.system.wording import some

    counts = Counter(labels)
    rare = [f"{label:.40} ({place})" for place, label in zip(places, labels, strict=True) if counts[label] == 1]
    if not rare or len(rare) == len(labels):
        return ""
    return f"labels with a single text can hardly be learned: {some(rare, _SHOWN)}; add texts or merge labels"


def load_classifier(path: str) -> "ClassifierModel | FastTextClassifier":
    """Load a classifier of any kind."""
    from seqclf import load_model

    loaded: ClassifierModel | FastTextClassifier = load_model(path, "model", "multi-label model", "fastText classifier")
    return loaded


def known_labels(model: Any, labels: Sequence[Any]) -> list[Any]:
    """Return labels, or lists of labels, as strings, those that a model knows as it writes them (1.0 as 1)."""
    known = [str(label) for label in model.labels]
    return [as_known(each, known) for each in labels] if hasattr(model, "thresholds") else as_known(labels, known)


def evaluated(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    labels: Sequence[Any],
    *,
    threads: int | None,
    places: Sequence[str] = (),
    quiet: bool = False,
) -> "Evaluation":
    """Evaluate a model of one label per text; labels unknown to the model count as errors.

    Args:
        places: of the texts, for the warning of such labels.
    """
    known = [str(label) for label in model.labels]
    labels = known_labels(model, labels)
    warn_if_unknown(labels, known, "labels", quiet, places)
    result: Evaluation = model.evaluate(texts, labels, threads=threads)
    return result


def evaluated_sets(
    model: "MultiLabelModel",
    texts: Sequence[str],
    labels: Sequence[Any],
    *,
    threads: int | None,
    places: Sequence[str] = (),
    quiet: bool = False,
) -> "SetEvaluation":
    """Evaluate a multi-label model as :func:`evaluated` does one of one label per text."""
    known = [str(label) for label in model.labels]
    sets = known_labels(model, labels)
    repeated = [place for place, each in zip(places, sets, strict=False) for _ in each]
    warn_if_unknown([label for each in sets for label in each], known, "labels", quiet, repeated)
    result: SetEvaluation = model.evaluate(texts, sets, threads=threads)
    return result
