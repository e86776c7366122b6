"""Training of a text classifier, from texts and labels to a model."""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.classification.calibration import check_enough, fit_calibration
from seqclf.classification.model import ClassifierModel
from seqclf.classification.network import Network, NetworkShape, initial_parameters
from seqclf.classification.ngrams import surface_forms
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.stacking import CANDIDATES, Choice, choose, logs_of, stack
from seqclf.classification.train_linear import LinearTexts, train_linear
from seqclf.classification.words import encode_words
from seqclf.data.characters import Characters
from seqclf.data.embeddings import Embedding, build_embedding
from seqclf.data.labels import (
    SKEWED,
    as_labels,
    check_labels,
    check_weighted,
    class_weights,
    distinct_labels,
    encode_labels,
    majority_share,
    sample_weights,
    warn_if_labels_differ,
)
from seqclf.data.splits import stratified_split, warn_if_few
from seqclf.data.texts import Text, as_texts, count_tokens, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows
from seqclf.layers.batches import Sequences
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.workers import Workers
from seqclf.metrics import macro_f1
from seqclf.training.loop import Outcome
from seqclf.training.pooled import train_pooled
from seqclf.training.resolved import resolved
from seqclf.training.resuming import Resumption
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults
from wordvec.system.validation import check_kind

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)


def train_classifier(
    texts: Iterable[Text],
    labels: Iterable[Any],
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any]] | None = None,
    sample_weight: ArrayLike | None = None,
    classes: Sequence[Any] | None = None,
    initial: ClassifierModel | None = None,
    linear: ClassifierModel | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> ClassifierModel:
    """Train a text classifier: a recurrent network, a linear model on n-grams, their blend, or the best of these.

    Args:
        texts: strings, or lists of tokens; a generator is read once.
        labels: one per text, strings or integers.
        settings: default: ``ClassifierSettings()``.
        vectors: pretrained word vectors to start from; they also set tokenizer and casing.
        dev: texts and labels that choose the best epoch by accuracy, or by macro-F1 if nine in ten training texts have
            the same label; None splits off ``settings.validation_fraction``.
        sample_weight: (N,) weights of the texts in the loss; None weighs all equally.
        classes: all labels, if the texts may lack some; None takes those of the texts.
        initial: continue the training of this model's network, with its words, labels, sizes and tokenizer.
        linear: a linear model of the same texts and seed, which is taken as the linear part instead of training one.
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
        InputError: no validation texts for a blend, or too few for a calibration.
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
    if initial is not None:
        settings = _continuing(initial, settings, vectors)
    labels = as_labels(labels)
    training = _texts(texts, settings)
    check_labels(training.tokens, labels)
    if initial is not None:
        classes = initial.labels
    elif classes is None:
        classes = distinct_labels(labels)
        warn_if_labels_differ(labels, classes)
    else:
        classes = distinct_labels(as_labels(classes, "classes"))
    if linear is not None:
        _check_linear(linear, classes)
    targets = encode_labels(labels, classes, "texts")
    own = sample_weights(sample_weight, targets.size)
    dev_texts, dev_targets = LinearTexts([], []), targets[:0]
    if dev is not None:
        dev_texts = _texts(as_texts(dev[0]), settings)
        dev_labels = as_labels(dev[1], "validation labels")
        check_labels(dev_texts.tokens, dev_labels, "validation texts")
        dev_targets = encode_labels(dev_labels, classes, "validation texts")
    elif settings.validation_fraction > 0:
        rows, dev_rows = stratified_split(targets, settings.validation_fraction, settings.seed)
        if dev_rows.size:
            logger.info(
                "no validation texts given: %d of %d texts, stratified by label, are split off to choose the %s",
                dev_rows.size, targets.size, "regularization" if settings.model == "linear" else "epoch",
            )  # fmt: skip
        dev_texts, dev_targets = training.take(dev_rows), targets[dev_rows]
        training, targets, own = training.take(rows), targets[rows], own[rows]
        check_weighted(own)
    warn_if_few(len(dev_texts.tokens), "texts")
    if settings.model == "auto" and not dev_targets.size:
        logger.warning("no validation texts to choose a model by: the network is trained, without a linear model")
        settings = replace(settings, model="network")
    if not dev_targets.size and settings.model == "blend":
        raise InputError(
            "model blend needs validation texts, got none; pass some, or raise validation_fraction, which is "
            f"{settings.validation_fraction:g}"
        )
    if settings.calibration not in (None, "none"):
        check_enough(settings.calibrated_by, dev_targets, classes)
    weights = class_weights(targets, classes, settings.class_weight)
    shares = weights[targets] * own
    dev_part = (dev_texts, dev_targets) if dev_targets.size else None
    parts: dict[str, Any] = {"network": None, "vocabulary": None}
    metrics: dict[str, Any] = {"texts": len(training.tokens), "dev_texts": len(dev_texts.tokens)}
    metrics["tokens"] = sum(map(len, training.tokens))
    with Workers(threads) as workers:
        if settings.model != "network":
            if linear is not None:
                parts["linear"], metrics["linear_strength"] = linear.linear, linear.metrics["linear_strength"]
            else:
                parts["linear"], metrics["linear_strength"] = train_linear(
                    training, targets, len(classes), weights, shares=shares, dev=dev_part, seed=settings.seed,
                    workers=workers,
                )  # fmt: skip
        if settings.model != "linear":
            settings = settings.with_epochs(metrics["tokens"])
            tokens, dev_tokens = training.tokens, dev_texts.tokens
            if initial is None:
                network, embedding, characters = fresh_network(tokens, len(classes), settings, vectors)
            else:
                network, embedding, characters = _continued(initial)
            words = embedding.vocabulary, embedding.subwords, characters
            examples, dev_examples = (encode_words(each, *words) for each in (tokens, dev_tokens))
            resumption.begin(
                "classifier", settings, {"texts": len(tokens), "validation texts": len(dev_tokens)},
                [*examples.arrays(), targets, *dev_examples.arrays(), dev_targets,
                 *([] if sample_weight is None else [own])], vectors,
                None if initial is None else initial.network.parameters(),
            )  # fmt: skip
            outcome = train_network(
                network,
                examples,
                targets,
                settings=settings,
                weights=weights,
                shares=shares,
                trained_words=embedding.trained,
                workers=workers,
                dev=(dev_examples, dev_targets) if dev_targets.size else None,
                on_progress=on_progress,
                resumption=resumption,
            )
            parts |= dict(zip(("vocabulary", "subwords", "characters"), words, strict=True))
            parts |= {"network": network, "history": outcome.history}
            metrics = model_metrics(outcome, tokens, dev_tokens, embedding.trained) | metrics
        if dev_part is not None and settings.calibrated_by != "none":
            found = _predictions(parts, dev_part[0], dev_examples if "history" in parts else None, workers)
            logs = {"network": logs_of(found["network"]), "linear": found["linear"]}
            logs = {name: each for name, each in logs.items() if each.size}
            majority = majority_share(targets)
            candidates = list(CANDIDATES) if settings.model == "auto" else [settings.model]
            choice = choose(
                logs, candidates, dev_targets, weights[dev_targets], skewed=majority >= SKEWED, seed=settings.seed
            )
            metrics |= _chosen(parts, choice)
            if settings.calibrated_by != "temperature":
                parts["calibration"], before, after = fit_calibration(
                    settings.calibrated_by, stack(**found, weights=choice.weights), dev_targets, weights[dev_targets],
                    settings.seed,
                )  # fmt: skip
                metrics |= {"dev_calibration_error": after}
                logger.info(
                    "calibration error on the validation texts: %.3f before %s calibration, %.3f after (cross-fitted)",
                    before, settings.calibrated_by, after,
                )  # fmt: skip
    if majority_share(targets) >= SKEWED:
        metrics["majority_share"] = majority_share(targets)
    return ClassifierModel(
        **parts, labels=classes, settings=settings.record(linear=parts["network"] is None), metrics=metrics
    )


def _texts(texts: Sequence[Text], settings: ClassifierSettings) -> LinearTexts:
    assert settings.tokenizer is not None
    tokens = tokenize_texts(texts, settings.tokenizer, bool(settings.lowercase), settings.normalize)
    forms = [] if settings.model == "network" else surface_forms(texts, bool(settings.lowercase), settings.normalize)
    return LinearTexts(tokens, forms)


def _predictions(
    parts: dict[str, Any], texts: LinearTexts, examples: Sequences | None, workers: Workers
) -> dict[str, np.ndarray]:
    """Return what ``stack`` takes of network and linear part, (N, 0) for one that is missing."""
    network, linear = np.empty((len(texts.tokens), 0), np.float32), np.empty((len(texts.tokens), 0))
    if examples is not None:
        network = predict_rows(parts["network"], examples, workers)
    if parts.get("linear") is not None:
        linear = parts["linear"].log_probabilities(*texts, workers)
    return {"network": network, "linear": linear}


def _chosen(parts: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """Keep the chosen parts of a model, in place, and return the metrics of the choice."""
    parts["weights"] = choice.weights
    if not choice.weights[0]:
        parts |= {"network": None, "vocabulary": None, "subwords": None, "characters": None}
    if not choice.weights[1]:
        parts["linear"] = None
    metrics: dict[str, Any] = {"model": choice.name, **choice.measures[choice.name]}
    if len(choice.measures) > 1:
        metrics["candidates"] = choice.measures
        measure, label = ("dev_macro_f1", "macro-F1") if "dev_macro_f1" in metrics else ("dev_accuracy", "accuracy")
        compared = ", ".join(f"{name} {each[measure]:.3f}" for name, each in choice.measures.items())
        best = max(each[measure] for each in choice.measures.values())
        reason = "the best" if metrics[measure] == best else "within two standard errors of the best"
        logger.info("%s on the validation texts: %s; kept: %s, %s", label, compared, choice.name, reason)
    return metrics


def fresh_network(
    tokens: list[list[str]],
    classes: int,
    settings: ClassifierSettings,
    vectors: "WordVectors | None",
    *,
    multi_label: bool = False,
) -> tuple[Network, Embedding, Characters | None]:
    """Return an untrained network, its words, and its characters if any.

    Args:
        tokens: of the training texts.
        classes: C.
        settings, vectors: see :func:`train_classifier`.
        multi_label: see ``NetworkShape``.
    """
    random = np.random.default_rng([settings.seed, 0x1217])
    embedding = build_embedding(count_tokens(tokens), vectors, random=random, **settings.embedding_options())
    table, size, characters = embedding.table, settings.character_size, None
    if size:
        characters = Characters.learn((token for text in tokens for token in text), size)
    shape = NetworkShape(
        vocabulary=len(table),
        vector_size=table.shape[1],
        classes=classes,
        pooling=settings.pooling,
        multi_label=multi_label,
        spelling=None if characters is None else CharacterShape(**characters.sizes()),
        **settings.encoder_options(),
    )
    return Network(shape, initial_parameters(shape, table, random)), embedding, characters


def _check_linear(linear: ClassifierModel, classes: list[Any]) -> None:
    check_kind("linear", linear, ClassifierModel)
    if linear.parts != "linear" or linear.labels != classes:
        raise InputError(
            f"linear must be a linear model of the same labels, got a {linear.parts}: {linear.labels!r:.80}"
        )


def _continuing(
    initial: ClassifierModel, settings: ClassifierSettings, vectors: "WordVectors | None"
) -> ClassifierSettings:
    """Return the settings with those that a model determines whose training continues."""
    check_kind("initial", initial, ClassifierModel)
    if initial.parts != "network" or settings.model != "network":
        raise InputError(f"only a network can be trained further, got a {initial.parts} and model {settings.model}")
    if vectors is not None:
        raise InputError("initial has word vectors already; leave out vectors")
    stored = {name: initial.settings[name] for name in settings.KEPT if name in initial.settings}
    before = ClassifierSettings.from_record(stored)  # files leave out some defaults, and lack later settings
    return replace(settings, **{name: getattr(before, name) for name in settings.KEPT})


def _continued(initial: ClassifierModel) -> tuple[Network, Embedding, Characters | None]:
    """Return a copy of a model's network, its words, and its characters if any."""
    network = Network(initial.network.shape, initial.network.parameters())
    trained = int(initial.metrics.get("trained_words", len(initial.vocabulary)))
    return network, Embedding(initial.vocabulary, network.embedding, trained, initial.subwords), initial.characters


def train_network(
    network: Network,
    examples: Sequences,
    targets: np.ndarray,
    *,
    settings: ClassifierSettings,
    weights: np.ndarray,
    shares: np.ndarray,
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
        weights: (C,) class weights, of the validation texts. shares: (S,) weights of the training texts.
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
        network, examples, targets, settings, weights=shares, trained_words=trained_words, workers=workers,
        unit="texts", evaluate=None if dev is None else on_dev, on_progress=on_progress, resumption=resumption,
    )  # fmt: skip
    if dev is not None and np.unique(evaluate(network, *dev, weights, workers)[0]).size == 1 < np.unique(dev[1]).size:
        logger.warning(
            "the model predicts one label for all %s validation texts; %.1f %% of the training texts have the most "
            "frequent one: try a balanced class weight, more epochs or more data",
            f"{len(dev[1]):,}", 100 * majority,
        )  # fmt: skip
    return outcome


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
