"""From texts and labels to a model: the same road for Python, scikit-learn and the command line."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.classification.model import ClassifierModel
from seqclf.classification.network import Network, NetworkShape
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.trainer import Examples, train_network
from seqclf.data.embeddings import build_embedding
from seqclf.data.labels import check_labels, class_weights, distinct_labels, encode_labels
from seqclf.data.splits import stratified_split
from seqclf.data.texts import DEFAULT_TOKENIZER, Text, count_tokens, encode, tokenize_texts
from seqclf.layers.parameters import initial_encoder
from seqclf.layers.pooling import Pooling
from seqclf.layers.workers import Workers
from seqclf.training.loop import Outcome, Progress
from wordvec import Vocabulary

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
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> ClassifierModel:
    """Train a recurrent text classifier.

    Args:
        texts: strings, or lists of tokens; a generator is read once.
        labels: one for each text: strings, or whole numbers.
        settings: default: the recipe, ``ClassifierSettings()``.
        vectors: pretrained word vectors to start from; their tokeniser and casing are taken over.
        dev: texts and labels to choose the best epoch by; None splits off ``settings.validation_fraction``.
        threads: at most so many; None takes the cores there are. The result is the same at any number.
        on_progress: called a few times a second with a :class:`seqclf.Progress`.

    Returns:
        The model; its ``history`` has a row an epoch.

    Raises:
        InputError: as many labels as texts are needed, of two classes at least; settings outside their range.
        TrainingError: the loss is no longer a number.

    Example:
        >>> settings = ClassifierSettings(hidden_size=8, learning_rate=0.02, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
        >>> model = train_classifier(texts, ["alarm", "calm", "alarm"] * 4, settings=settings, threads=1)
        >>> model.predict(["fire near the river", "a lovely evening"]).tolist()
        ['alarm', 'calm']
    """
    settings = (settings or ClassifierSettings()).validate()
    settings = settled(settings, vectors)
    assert settings.tokenizer is not None
    tokens = tokenize_texts(texts, settings.tokenizer, bool(settings.lowercase))
    labels = _as_list(labels)
    check_labels(tokens, labels)
    classes = distinct_labels(labels)
    targets = encode_labels(labels, classes, "texts")
    held_tokens: list[list[str]] = []
    held_targets = targets[:0]
    if dev is not None:
        held_tokens = tokenize_texts(dev[0], settings.tokenizer, bool(settings.lowercase))
        held_labels = _as_list(dev[1])
        check_labels(held_tokens, held_labels, "development texts")
        held_targets = encode_labels(held_labels, classes, "development texts")
    elif settings.validation_fraction > 0:
        rows, held = stratified_split(targets, settings.validation_fraction, settings.seed)
        logger.info(
            "no development texts given: %d of %d texts, stratified by label, are split off to choose the epoch by",
            held.size, targets.size,
        )  # fmt: skip
        held_tokens, held_targets = [tokens[row] for row in held], targets[held]
        tokens, targets = [tokens[row] for row in rows], targets[rows]
    return _train(tokens, targets, held_tokens, held_targets, classes, settings, vectors, threads, on_progress)


def settled(settings: ClassifierSettings, vectors: "WordVectors | None") -> ClassifierSettings:
    """The settings with tokeniser, casing and width as the vectors say where the user did not."""
    tokenizer, lowercase = DEFAULT_TOKENIZER, True
    if vectors is not None:
        tokenizer, lowercase = vectors.tokenizer, vectors.lowercase
        settings = replace(settings, vector_size=int(vectors.vectors.shape[1]))
    return replace(
        settings,
        tokenizer=settings.tokenizer if settings.tokenizer is not None else tokenizer,
        lowercase=bool(settings.lowercase if settings.lowercase is not None else lowercase),
    )


def _as_list(labels: Any) -> list[Any]:
    """Labels as Python's own values, so that 1 and np.int64(1) are one class and JSON can write them."""
    return labels.tolist() if hasattr(labels, "tolist") else [getattr(x, "item", lambda x=x: x)() for x in labels]


def _train(
    tokens: list[list[str]],
    targets: np.ndarray,
    held_tokens: list[list[str]],
    held_targets: np.ndarray,
    classes: list[Any],
    settings: ClassifierSettings,
    vectors: "WordVectors | None",
    threads: int | None,
    on_progress: Callable[[Progress], None] | None,
) -> ClassifierModel:
    network, vocabulary, trained_words = fresh_network(tokens, len(classes), settings, vectors)
    examples = Examples(*encode(tokens, vocabulary), targets)
    dev = Examples(*encode(held_tokens, vocabulary), held_targets) if held_targets.size else None
    weights = class_weights(targets, classes, settings.class_weight)
    with Workers(threads) as workers:
        outcome = train_network(
            network,
            examples,
            settings=settings,
            weights=weights,
            tuned_rows=trained_words,
            workers=workers,
            dev=dev,
            on_progress=on_progress,
        )
    metrics = model_metrics(outcome, tokens, held_tokens, trained_words)
    return ClassifierModel(
        network,
        vocabulary,
        labels=classes,
        settings=settings.as_dict(),
        metrics=metrics,
        history=outcome.history,
    )


def fresh_network(
    tokens: list[list[str]],
    classes: int,
    settings: ClassifierSettings,
    vectors: "WordVectors | None",
    *,
    multi_label: bool = False,
) -> tuple[Network, Vocabulary, int]:
    """An untrained classifier's net, the words of its table, and how many of these the texts have.

    Args:
        tokens: of the texts to learn from.
        classes: C.
        settings, vectors: see :func:`train_classifier`.
        multi_label: see ``NetworkShape``.
    """
    random = np.random.default_rng([settings.seed, 0x1217])
    counted = count_tokens(tokens, settings.min_count)
    vocabulary, table = build_embedding(
        counted,
        vectors,
        vector_size=settings.vector_size,
        scale=settings.vector_scale,
        keep=settings.keep_vectors,
        tuned=settings.tune_vectors,
        random=random,
    )
    shape = NetworkShape(
        vocabulary=len(table),
        vector_size=table.shape[1],
        classes=classes,
        pooling=settings.pooling,
        multi_label=multi_label,
        **settings.encoder_options(),
    )
    return Network(shape, initial_parameters(shape, table, random)), vocabulary, len(counted)


def model_metrics(
    outcome: Outcome, tokens: list[list[str]], held_tokens: list[list[str]], trained_words: int
) -> dict[str, Any]:
    """What a model says of its training: on how much, and the row of its best epoch."""
    best = outcome.history[outcome.best_epoch - 1]
    return {
        "best_epoch": outcome.best_epoch,
        "texts": len(tokens),
        "dev_texts": len(held_tokens),
        "tokens": sum(map(len, tokens)),
        "trained_words": trained_words,
        **{name: value for name, value in best.items() if name != "epoch"},
    }


def initial_parameters(shape: NetworkShape, table: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Fresh parameters around an embedding table: the encoder's own, the pooling's, and a Glorot-uniform head."""
    parameters = initial_encoder(shape.encoder, table, random)
    parameters |= Pooling(shape.pooling, shape.encoder, random=random).parameters()
    features = shape.encoder.features
    limit = np.sqrt(6.0 / (features + shape.classes))
    parameters["head.weight"] = random.uniform(-limit, limit, (shape.classes, features)).astype(np.float32)
    parameters["head.bias"] = np.zeros(shape.classes, dtype=np.float32)
    return parameters


__all__: Sequence[str] = ["train_classifier"]
