"""From texts and their label sets to a model that gives a text any number of labels."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.classification.model import MultiLabelModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import fresh_network, model_metrics, settled
from seqclf.data.label_sets import LabelSets, best_thresholds, label_matrix
from seqclf.data.labels import check_labels
from seqclf.data.splits import random_split
from seqclf.data.texts import Text, encode, tokenize_texts
from seqclf.layers.batch_prediction import predict_probabilities
from seqclf.layers.workers import Workers
from seqclf.metrics import score_label_sets
from seqclf.training.loop import Progress
from seqclf.training.pooled import Sequences, train_pooled
from wordvec import InputError

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)


def train_multi_label(
    texts: Iterable[Text],
    labels: LabelSets,
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], LabelSets] | None = None,
    tune_thresholds: bool = False,
    separator: str = ",",
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> MultiLabelModel:
    """Train a recurrent text classifier that gives a text any number of labels: a sigmoid each, binary cross-entropy.

    Args:
        texts: strings, or lists of tokens; a generator is read once.
        labels: a list of labels for each text, which may be empty; or an array (N, C) of 0 and 1.
        settings, vectors, threads, on_progress: see :func:`seqclf.train_classifier`; ``class_weight`` has no meaning.
        dev: texts and labels to choose the epoch with the best micro-F1 by; None splits off
            ``settings.validation_fraction`` at random.
        tune_thresholds: choose for each label the threshold with the best F1 on the development texts; False takes
            0.5 for all.
        separator: kept in the model, see :class:`seqclf.MultiLabelModel`.

    Raises:
        InputError: not a list of labels for each text, fewer than two labels, or none that tells texts apart; a label
            of the development texts that the training texts lack; settings outside their range.
        TrainingError: the loss is no longer a number.

    Example:
        >>> settings = ClassifierSettings(hidden_size=8, learning_rate=0.02, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods", "fire and floods"] * 4
        >>> labels = [["fire"], [], ["flood"], ["fire", "flood"]] * 4
        >>> model = train_multi_label(texts, labels, settings=settings, threads=1)
        >>> model.predict_labels(["fire on the river floods", "a lovely evening"])
        [['fire', 'flood'], []]
    """
    settings = settled((settings or ClassifierSettings()).validate(), vectors)
    if settings.class_weight is not None:
        raise InputError(f"class_weight has no meaning where labels stand side by side, got {settings.class_weight!r}")
    tokens = _tokens(texts, settings)
    classes, targets = label_matrix(labels)
    check_labels(tokens, targets)
    _check_labels_differ(classes, targets)
    held_tokens: list[list[str]] = []
    held = targets[:0]
    if dev is not None:
        held_tokens, (_, held) = _tokens(dev[0], settings), label_matrix(dev[1], classes, "development texts")
        check_labels(held_tokens, held, "development texts")
    elif settings.validation_fraction > 0:
        rows, rest = random_split(len(tokens), settings.validation_fraction, settings.seed)
        logger.info(
            "no development texts given: %d of %d texts are split off at random to choose the epoch by",
            rest.size, len(tokens),
        )  # fmt: skip
        held_tokens, held = [tokens[row] for row in rest], targets[rest]
        tokens, targets = [tokens[row] for row in rows], targets[rows]
    if tune_thresholds and not held_tokens:
        raise InputError(
            "thresholds are chosen on development texts, but there are none: give some, or a larger "
            f"validation_fraction, got {settings.validation_fraction:g}"
        )
    network, vocabulary, trained_words = fresh_network(tokens, len(classes), settings, vectors, multi_label=True)
    encoded = encode(held_tokens, vocabulary)
    with Workers(threads) as workers:

        def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
            probabilities = predict_probabilities(network, *encoded, workers)
            score, loss = score_label_sets(held, probabilities >= 0.5), _cross_entropy(probabilities, held)
            return {"dev_micro_f1": score.micro_f1, "dev_loss": loss}, (score.micro_f1, -loss)

        outcome = train_pooled(
            network, Sequences(*encode(tokens, vocabulary)), targets.astype(np.float32), settings,
            tuned_rows=trained_words if settings.tune_vectors else 0, workers=workers,
            evaluate=on_dev if held_tokens else None, on_progress=on_progress,
        )  # fmt: skip
        thresholds = None
        if tune_thresholds:
            thresholds = best_thresholds(predict_probabilities(network, *encoded, workers), held)
    return MultiLabelModel(
        network,
        vocabulary,
        labels=classes,
        settings=settings.as_dict(),
        metrics=model_metrics(outcome, tokens, held_tokens, trained_words),
        history=outcome.history,
        thresholds=thresholds,
        separator=separator,
    )


def _tokens(texts: Iterable[Text], settings: ClassifierSettings) -> list[list[str]]:
    assert settings.tokenizer is not None
    return tokenize_texts(texts, settings.tokenizer, bool(settings.lowercase))


def _check_labels_differ(classes: list[Any], targets: np.ndarray) -> None:
    """See that there is something to learn.

    Raises:
        InputError: there are fewer than two labels, or each is borne by all texts or by none.
    """
    if len(classes) < 2:
        raise InputError(
            f"a multi-label classifier needs at least two labels, got {classes}; for a single one train a classifier "
            "of two classes, with it and without it"
        )
    constant = targets.all(axis=0) | ~targets.any(axis=0)
    if constant.all():
        raise InputError(
            f"there is nothing to learn: all texts bear the same of the {len(classes)} labels; give texts that do not"
        )
    if constant.any():
        names = ", ".join(str(classes[label]) for label in np.flatnonzero(constant)[:20])
        logger.warning("labels borne by all texts or by none cannot be learnt: %s", names)


def _cross_entropy(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The mean over texts and labels, in nats."""
    right = np.where(truth, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.log(np.maximum(right, 1.2e-38)).mean())
