"""Training of a text classifier, from texts and labels to a model."""

import logging
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.classification.model import ClassifierModel
from seqclf.classification.network import Network, NetworkShape, initial_parameters
from seqclf.classification.settings import ClassifierSettings
from seqclf.data.embeddings import Embedding, build_embedding
from seqclf.data.labels import (
    as_labels,
    check_labels,
    class_weights,
    distinct_labels,
    encode_labels,
    warn_if_labels_differ,
)
from seqclf.data.splits import stratified_split, warn_if_few
from seqclf.data.texts import Text, as_texts, count_tokens, encode, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows
from seqclf.layers.batches import Sequences
from seqclf.layers.workers import Workers
from seqclf.metrics import macro_f1
from seqclf.training.loop import Outcome
from seqclf.training.pooled import train_pooled
from seqclf.training.resolved import resolved
from seqclf.training.resuming import Resumption
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

SKEWED = 0.9
"""Share of the most frequent label from which on macro-F1 chooses the epoch."""


def train_classifier(
    texts: Iterable[Text],
    labels: Iterable[Any],
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any]] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> ClassifierModel:
    """Train a recurrent text classifier.

    Args:
        texts: strings, or lists of tokens; a generator is read once.
        labels: one per text, strings or integers.
        settings: default: ``ClassifierSettings()``.
        vectors: pretrained word vectors to start from; they also set tokenizer and casing.
        dev: texts and labels that choose the best epoch by accuracy, or by macro-F1 if nine in ten training texts have
            the same label; None splits off ``settings.validation_fraction``.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its ``history`` has one row per epoch.

    Raises:
        InputError: not one label per text, a label is missing, fewer than two classes, or a setting out of range.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> settings = ClassifierSettings(hidden_size=8, learning_rate=0.02, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
        >>> model = train_classifier(texts, ["alarm", "calm", "alarm"] * 4, settings=settings, threads=1)
        >>> model.predict(["fire near the river", "a lovely evening"]).tolist()
        ['alarm', 'calm']
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    texts = as_texts(texts)
    settings = resolved(or_defaults(settings, ClassifierSettings), vectors, texts)
    assert settings.tokenizer is not None
    tokens = tokenize_texts(texts, settings.tokenizer, bool(settings.lowercase), settings.normalize)
    labels = as_labels(labels)
    check_labels(tokens, labels)
    classes = distinct_labels(labels)
    warn_if_labels_differ(labels, classes)
    targets = encode_labels(labels, classes, "texts")
    dev_tokens: list[list[str]] = []
    dev_targets = targets[:0]
    if dev is not None:
        dev_tokens = tokenize_texts(dev[0], settings.tokenizer, bool(settings.lowercase), settings.normalize)
        dev_labels = as_labels(dev[1], "validation labels")
        check_labels(dev_tokens, dev_labels, "validation texts")
        dev_targets = encode_labels(dev_labels, classes, "validation texts")
    elif settings.validation_fraction > 0:
        rows, dev_rows = stratified_split(targets, settings.validation_fraction, settings.seed)
        logger.info(
            "no validation texts given: %d of %d texts, stratified by label, are split off to choose the epoch",
            dev_rows.size, targets.size,
        )  # fmt: skip
        dev_tokens, dev_targets = [tokens[row] for row in dev_rows], targets[dev_rows]
        tokens, targets = [tokens[row] for row in rows], targets[rows]
    warn_if_few(len(dev_tokens), "texts")
    network, embedding = fresh_network(tokens, len(classes), settings, vectors)
    vocabulary, trained_words, subwords = embedding.vocabulary, embedding.trained, embedding.subwords
    examples, dev_examples = (Sequences(*encode(each, vocabulary, subwords)) for each in (tokens, dev_tokens))
    resumption.begin(
        "classifier", settings, {"texts": len(tokens), "validation texts": len(dev_tokens)},
        [*examples, targets, *dev_examples, dev_targets], vectors,
    )  # fmt: skip
    with Workers(threads) as workers:
        outcome = train_network(
            network,
            examples,
            targets,
            settings=settings,
            weights=class_weights(targets, classes, settings.class_weight),
            trained_words=trained_words,
            workers=workers,
            dev=(dev_examples, dev_targets) if dev_targets.size else None,
            on_progress=on_progress,
            resumption=resumption,
        )
    metrics = model_metrics(outcome, tokens, dev_tokens, trained_words)
    if majority_share(targets) >= SKEWED:
        metrics["majority_share"] = majority_share(targets)
    return ClassifierModel(
        network,
        vocabulary,
        labels=classes,
        settings=settings.record(),
        metrics=metrics,
        history=outcome.history,
        subwords=subwords,
    )


def fresh_network(
    tokens: list[list[str]],
    classes: int,
    settings: ClassifierSettings,
    vectors: "WordVectors | None",
    *,
    multi_label: bool = False,
) -> tuple[Network, Embedding]:
    """Return an untrained network, and its words.

    Args:
        tokens: of the training texts.
        classes: C.
        settings, vectors: see :func:`train_classifier`.
        multi_label: see ``NetworkShape``.
    """
    random = np.random.default_rng([settings.seed, 0x1217])
    embedding = build_embedding(count_tokens(tokens), vectors, random=random, **settings.embedding_options())
    table = embedding.table
    shape = NetworkShape(
        vocabulary=len(table),
        vector_size=table.shape[1],
        classes=classes,
        pooling=settings.pooling,
        multi_label=multi_label,
        **settings.encoder_options(),
    )
    return Network(shape, initial_parameters(shape, table, random)), embedding


def train_network(
    network: Network,
    examples: Sequences,
    targets: np.ndarray,
    *,
    settings: ClassifierSettings,
    weights: np.ndarray,
    trained_words: int,
    workers: Workers,
    dev: tuple[Sequences, np.ndarray] | None = None,
    on_progress: OnProgress | None = None,
    resumption: Resumption | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: with initial parameters.
        examples: S training texts.
        targets: (S,) int32 classes.
        settings: see ``ClassifierSettings``.
        weights: (C,) class weights.
        trained_words: the first rows of the embedding, trained if ``settings.tune_vectors``.
        workers: threads; they do not change the result.
        dev: texts and classes that choose the epoch by accuracy, or by macro-F1 if ``SKEWED``, then by loss; None keeps
            the last epoch.
        on_progress: called a few times a second.
        resumption: see ``train_in_batches``.

    Raises:
        TrainingError: the loss or a gradient is NaN or infinite.
    """
    majority = majority_share(targets)

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        assert dev is not None
        predicted, loss = evaluate(network, *dev, weights, workers)
        accuracy = float((predicted == dev[1]).mean())
        found = {"dev_accuracy": accuracy, "dev_loss": loss}
        if majority < SKEWED:
            return found, (accuracy, -loss)
        found["dev_macro_f1"] = macro_f1(dev[1].tolist(), predicted.tolist())
        return found, (found["dev_macro_f1"], accuracy, -loss)

    outcome = train_pooled(
        network, examples, targets, settings, weights=weights, trained_words=trained_words, workers=workers,
        unit="texts", evaluate=None if dev is None else on_dev, on_progress=on_progress, resumption=resumption,
    )  # fmt: skip
    if dev is not None and np.unique(evaluate(network, *dev, weights, workers)[0]).size == 1 < np.unique(dev[1]).size:
        logger.warning(
            "the model predicts one label for all %s validation texts; %.1f %% of the training texts have the most "
            "frequent one: try a balanced class weight, more epochs or more data",
            f"{len(dev[1]):,}", 100 * majority,
        )  # fmt: skip
    return outcome


def majority_share(targets: np.ndarray) -> float:
    """Return the share of the most frequent class."""
    return float(np.bincount(targets).max() / targets.size)


def evaluate(
    network: Network, examples: Sequences, targets: np.ndarray, weights: np.ndarray, workers: Workers
) -> tuple[np.ndarray, float]:
    """Return the most probable classes (S,), and the mean weighted loss in nats."""
    probabilities = predict_rows(network, examples, workers)
    own = probabilities[np.arange(targets.size), targets].astype(np.float64)
    loss = float(-(weights[targets] * np.log(np.maximum(own, 1.2e-38))).mean())
    return probabilities.argmax(axis=1), loss


def model_metrics(
    outcome: Outcome, tokens: list[list[str]], dev_tokens: list[list[str]], trained_words: int
) -> dict[str, Any]:
    """Return a model's metrics: the sizes of its training data and the row of its best epoch."""
    return outcome.metrics(
        texts=len(tokens), dev_texts=len(dev_tokens), tokens=sum(map(len, tokens)), trained_words=trained_words
    )
