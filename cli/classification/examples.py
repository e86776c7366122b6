"""Labeled texts and classifiers as the commands read them, and evaluations with labels as strings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.shared.supervised import as_known, warn_if_unknown

if TYPE_CHECKING:
    from seqclf import ClassifierModel, MultiLabelModel
    from seqclf.classification.evaluation import Evaluation
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.classification.set_evaluation import SetEvaluation


def read_examples(data: str, separator: str | None, **reading: Any) -> tuple[list[str], list[Any]]:
    """Read texts and their labels: one per text or, with a separator, a list per text."""
    from corpora import read_label_sets, read_labelled

    examples: tuple[list[str], list[Any]] = (
        read_labelled(data, **reading) if separator is None else read_label_sets(data, separator, **reading)
    )
    return examples


def load_classifier(path: str) -> "ClassifierModel | FastTextClassifier":
    """Load a classifier of any kind."""
    from seqclf import load_model

    loaded: ClassifierModel | FastTextClassifier = load_model(path, "model", "multi-label model", "fastText classifier")
    return loaded


def evaluated(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    labels: Sequence[Any],
    *,
    threads: int | None,
    quiet: bool = False,
) -> "Evaluation":
    """Evaluate a model of one label per text; labels unknown to the model count as errors."""
    known = [str(label) for label in model.labels]
    labels = as_known(labels, known)
    warn_if_unknown(labels, known, "labels", quiet)
    result: Evaluation = model.evaluate(texts, labels, threads=threads)
    return result


def evaluated_sets(
    model: "MultiLabelModel", texts: Sequence[str], labels: Sequence[Any], *, threads: int | None, quiet: bool = False
) -> "SetEvaluation":
    """Evaluate a multi-label model; labels are compared as strings, and labels unknown to the model count as errors."""
    known = [str(label) for label in model.labels]
    sets = [as_known(each, known) for each in labels]
    warn_if_unknown([label for each in sets for label in each], known, "labels", quiet)
    result: SetEvaluation = model.evaluate(texts, sets, threads=threads)
    return result
