"""Training of a multi-label text classifier, from texts and label sets to a model."""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.classification.model import MultiLabelModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import fresh_network, model_metrics
from seqclf.classification.words import encode_words
from seqclf.data.label_sets import LabelSets, best_thresholds, label_matrix
from seqclf.data.labels import check_labels, check_weighted, class_weights, sample_weights
from seqclf.data.splits import random_split, warn_if_few
from seqclf.data.texts import Text, as_texts, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows
from seqclf.layers.heads import MultiLabelHead
from seqclf.layers.workers import Workers
from seqclf.metrics import score_label_sets
from seqclf.training.pooled import train_pooled
from seqclf.training.resolved import resolved
from seqclf.training.resuming import Resumption
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

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
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> MultiLabelModel:
    """Train a recurrent multi-label text classifier: a sigmoid per label, trained on binary cross-entropy.

    Args:
        texts: strings, or lists of tokens; a generator is read once.
        labels: a list of labels for each text, which may be empty; or an array (N, C) of 0 and 1.
        settings, vectors, threads, on_progress, checkpoint, checkpoint_every, resume: see
            :func:`seqclf.train_classifier`. ``class_weight`` weighs the texts that have a label in that label's loss;
            ``balanced`` weighs those with and those without it inversely to their numbers.
        sample_weight: (N,) weights of the texts in the loss; None weighs all equally.
        dev: texts and labels that choose the epoch with the best micro-F1; None splits off
            ``settings.validation_fraction`` at random.
        tune_thresholds: choose for each label the threshold with the best F1 on the validation texts; False uses
            0.5 for all labels.
        separator: kept in the model, see :class:`seqclf.MultiLabelModel`.

    Raises:
        InputError: not one list of labels per text, fewer than two labels, only labels that all or no texts have, a
            validation label that the training texts lack, or a setting out of range.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> settings = ClassifierSettings(hidden_size=8, learning_rate=0.02, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods", "fire and floods"] * 4
        >>> labels = [["fire"], [], ["flood"], ["fire", "flood"]] * 4
        >>> model = train_multi_label(texts, labels, settings=settings, threads=1)
        >>> model.predict_labels(["fire on the river floods", "a lovely evening"])
        [['fire', 'flood'], []]
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    texts = as_texts(texts)
    settings = resolved(or_defaults(settings, ClassifierSettings), vectors, texts)
    if settings.model != "network" or settings.calibrated_by != "none":
        raise InputError(
            f"multi-label targets need model network without calibration, got {settings.model} and "
            f"{settings.calibrated_by}"
        )
    tokens = _tokens(texts, settings)
    classes, targets = label_matrix(labels)
    check_labels(tokens, targets)
    shares = sample_weights(sample_weight, len(tokens))
    _check_labels_differ(classes, targets)
    dev_tokens: list[list[str]] = []
    truth = targets[:0]
    if dev is not None:
        dev_tokens, (_, truth) = _tokens(dev[0], settings), label_matrix(dev[1], classes, "validation texts")
        check_labels(dev_tokens, truth, "validation texts")
    elif settings.validation_fraction > 0:
        rows, dev_rows = random_split(len(tokens), settings.validation_fraction, settings.seed)
        if dev_rows.size:
            logger.info(
                "no validation texts given: %d of %d texts are split off at random to choose the epoch",
                dev_rows.size, len(tokens),
            )  # fmt: skip
        dev_tokens, truth = [tokens[row] for row in dev_rows], targets[dev_rows]
        tokens, targets, shares = [tokens[row] for row in rows], targets[rows], shares[rows]
        check_weighted(shares)
    if tune_thresholds and not dev_tokens:
        raise InputError(
            "tune_thresholds needs validation texts, got none; pass some, or raise validation_fraction, which is "
            f"{settings.validation_fraction:g}"
        )
    warn_if_few(len(dev_tokens), "texts")
    settings = settings.with_epochs(sum(map(len, tokens)))
    network, embedding, characters = fresh_network(tokens, len(classes), settings, vectors, multi_label=True)
    vocabulary, trained_words, subwords = embedding.vocabulary, embedding.trained, embedding.subwords
    assert isinstance(network.head, MultiLabelHead)
    network.head.label_weights = _label_weights(targets, classes, settings.class_weight)
    examples, dev_texts = (encode_words(each, vocabulary, subwords, characters) for each in (tokens, dev_tokens))
    resumption.begin(
        "multi-label classifier", settings, {"texts": len(tokens), "validation texts": len(dev_tokens)},
        [*examples.arrays(), targets, *dev_texts.arrays(), truth, *([] if sample_weight is None else [shares])],
        vectors,
    )  # fmt: skip
    with Workers(threads) as workers:

        def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
            probabilities = predict_rows(network, dev_texts, workers)
            score, loss = score_label_sets(truth, probabilities >= 0.5), _cross_entropy(probabilities, truth)
            return {"dev_micro_f1": score.micro_f1, "dev_loss": loss}, (score.micro_f1, -loss)

        outcome = train_pooled(
            network, examples, targets.astype(np.float32), settings,
            weights=None if sample_weight is None else shares, trained_words=trained_words, workers=workers,
            unit="texts", evaluate=on_dev if dev_tokens else None, on_progress=on_progress,
            resumption=resumption,
        )  # fmt: skip
        thresholds = None
        if tune_thresholds:
            thresholds = best_thresholds(predict_rows(network, dev_texts, workers), truth)
    return MultiLabelModel(
        network,
        vocabulary,
        labels=classes,
        settings=settings.record(),
        metrics=model_metrics(outcome, tokens, dev_tokens, trained_words),
        history=outcome.history,
        subwords=subwords,
        characters=characters,
        thresholds=thresholds,
        separator=separator,
    )


def _label_weights(
    targets: np.ndarray, classes: list[Any], choice: str | Mapping[Any, float] | None
) -> np.ndarray | None:
    """Return the weights (2, C) of texts without and with a label; None if all are 1."""
    if choice is None:
        return None
    if isinstance(choice, str):
        have = targets.sum(axis=0, dtype=np.float64)
        return np.asarray(len(targets) / (2 * np.maximum(np.stack([len(targets) - have, have]), 1)))
    return np.stack([np.ones(len(classes)), class_weights(targets, classes, choice)])


def _tokens(texts: Iterable[Text], settings: ClassifierSettings) -> list[list[str]]:
    assert settings.tokenizer is not None
    return tokenize_texts(texts, settings.tokenizer, bool(settings.lowercase), settings.normalize)


def _check_labels_differ(classes: list[Any], targets: np.ndarray) -> None:
    """Raise InputError unless there are at least two labels, one of which only some texts have."""
    if len(classes) < 2:
        raise InputError(
            f"a multi-label classifier needs at least two labels, got {classes}; for a single label, train a "
            "classifier with two classes"
        )
    constant = targets.all(axis=0) | ~targets.any(axis=0)
    if constant.all():
        raise InputError("nothing to learn: every text has the same labels; add texts with others")
    if constant.any():
        names = ", ".join(str(classes[label]) for label in np.flatnonzero(constant)[:20])
        logger.warning("labels that all texts have, or none, cannot be learned: %s", names)


def _cross_entropy(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean cross-entropy over texts and labels, in nats."""
    own = np.where(truth, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.log(np.maximum(own, 1.2e-38)).mean())
