"""From texts, or sequences of numbers, to numbers: a recurrent net with a squared error, and the model it becomes."""

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import settled
from seqclf.data.embeddings import build_embedding
from seqclf.data.series import as_series
from seqclf.data.splits import random_split
from seqclf.data.texts import count_tokens, encode, tokenize_texts
from seqclf.layers.heads import RegressionHead
from seqclf.layers.parameters import EncoderShape, encoder_shapes, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.pooling import Pooling, pooling_shapes
from seqclf.layers.workers import Workers
from seqclf.model_file import HEADER, check_header, check_tensors, join_tokens, read_model, read_vocabulary, write_model
from seqclf.training.loop import Progress
from seqclf.training.pooled import Sequences, predict_rows, train_pooled
from wordvec import FormatError, InputError, Vocabulary

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

KIND = "regressor"


class RegressionScore(NamedTuple):
    """How far predictions are off, beside those of always saying the mean of the training values.

    Attributes:
        rmse, mae: of the model, over all sequences and outputs. r2: one minus its squared error over the baseline's.
        baseline_rmse, baseline_mae: of the mean.
    """

    rmse: float
    mae: float
    r2: float
    baseline_rmse: float
    baseline_mae: float


class RegressorModel:
    """A trained regressor: what a file holds.

    Args:
        network: its parameters.
        vocabulary: V words, or None where sequences of numbers are read.
        settings: how it was trained.
        mean, deviation: (C,) of the training values.
        input_mean, input_deviation: (E,) of the numbers it was trained on; empty for texts.
        metrics: numbers from training. history: a row an epoch.
    """

    def __init__(
        self,
        network: PooledNetwork,
        vocabulary: Vocabulary | None,
        settings: ClassifierSettings,
        *,
        mean: np.ndarray,
        deviation: np.ndarray,
        input_mean: np.ndarray,
        input_deviation: np.ndarray,
        metrics: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
    ) -> None:
        self.network, self.vocabulary, self.settings = network, vocabulary, settings
        self.mean, self.deviation = mean, deviation
        self.input_mean, self.input_deviation = input_mean, input_deviation
        self.metrics, self.history = metrics or {}, history or []

    def predict(self, sequences: Iterable[Any], *, threads: int | None = None) -> np.ndarray:
        """The values (S, C) float64 of texts, or of sequences of numbers (T,) or (T, E); an empty text has some, too.

        Raises:
            InputError: they are not of the kind it was trained on.
        """
        return predict_rows(self.network, self._encoded(sequences), threads) * self.deviation + self.mean

    def score(self, sequences: Iterable[Any], values: Any, *, threads: int | None = None) -> RegressionScore:
        """How far its predictions are off, beside those of always saying the mean of the training values."""
        truth = as_series(values, "the values")
        found = self.predict(sequences, threads=threads)
        if found.shape != truth.shape:
            raise InputError(f"{len(truth)} values of {truth.shape[1]} for {len(found)} sequences")
        return _score(found - truth, self.mean - truth)

    def _encoded(self, sequences: Iterable[Any]) -> Sequences:
        if self.vocabulary is None:
            return _numbers(list(sequences), self.input_mean, self.input_deviation)
        assert self.settings.tokenizer is not None
        tokens = tokenize_texts(sequences, self.settings.tokenizer, bool(self.settings.lowercase))
        return Sequences(*encode(tokens, self.vocabulary), None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file. The same model, the same bytes."""
        tensors = self.network.parameters() | {
            "mean": self.mean,
            "deviation": self.deviation,
            "input_mean": self.input_mean,
            "input_deviation": self.input_deviation,
        }
        if self.vocabulary is not None:
            tensors |= join_tokens(self.vocabulary.tokens)
        header = {"settings": self.settings.as_dict(), "metrics": self.metrics, "history": self.history}
        write_model(path, tensors, header, kind=KIND)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RegressorModel":
        """Read what :meth:`save` wrote, checking every shape and number.

        Raises:
            FormatError: the file is no regressor, is cut short, or does not add up.
            InputError: it is missing or a directory.
        """
        name = str(path)
        tensors, header = read_model(path, kind=KIND)
        settings = _settings(name, header, len(tensors))
        outputs, columns = (np.size(tensors.get(key, ())) for key in ("mean", "input_mean"))
        table = tensors.get("embedding")
        if outputs < 1 or (table is None) != bool(columns) or (table is not None and table.ndim != 2):
            raise FormatError(f"{name} is damaged: it must read either words or numbers, and say at least one")
        shape = _shape(settings, 0 if table is None else len(table), columns if table is None else table.shape[1])
        weights = encoder_shapes(shape) | pooling_shapes(shape, settings.pooling)
        weights |= {"head.weight": (outputs, shape.features), "head.bias": (outputs,)}
        numbers = {"mean": (outputs,), "deviation": (outputs,)}
        numbers |= {"input_mean": (columns,), "input_deviation": (columns,)}
        others = () if table is None else ("token_bytes", "token_offsets")
        check_tensors(name, tensors, weights, *others, numbers=numbers)
        vocabulary = None
        if table is not None:
            vocabulary = read_vocabulary(name, tensors, len(table) - 1)
        head = RegressionHead(outputs, settings.hidden_size, parts=shape.parts)
        network = PooledNetwork(shape, head, {key: tensors[key] for key in weights}, pooling=settings.pooling)
        found = {key: tensors[key] for key in numbers}
        return cls(network, vocabulary, settings, **found, metrics=header["metrics"], history=header["history"])


def train_regressor(
    sequences: Iterable[Any],
    values: Any,
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Any], Any] | None = None,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> RegressorModel:
    """Train a recurrent net that says numbers of texts, or of sequences of numbers, with a squared error.

    Args:
        sequences: texts (strings or lists of tokens), or arrays (T,) or (T, E) of numbers.
        values: (S,) or (S, C).
        settings: as a classifier's; ``class_weight`` has no meaning here.
        vectors: pretrained word vectors to start from, for texts.
        dev: sequences and values that choose the best epoch; None splits off ``settings.validation_fraction``.
        threads: at most so many; None takes the cores there are. The result is the same at any number.
        on_progress: called a few times a second.

    Returns:
        The model; its metrics hold ``dev_rmse`` beside ``dev_baseline_rmse``, that of always saying the mean.

    Raises:
        InputError: not one value, or row of values, for each sequence; sequences of several kinds.
        TrainingError: the loss is no longer a number.

    Example:
        >>> random = np.random.default_rng(1)
        >>> walks = [random.normal(0, 1, length) for length in random.integers(3, 9, 120)]
        >>> means = [walk.mean() for walk in walks]
        >>> settings = ClassifierSettings(cell="gru", hidden_size=16, pooling="mean", dropout=0, learning_rate=0.02)
        >>> model = train_regressor(walks, means, settings=settings, threads=1)
        >>> score = model.score(walks, means)
        >>> score.rmse < 0.5 * score.baseline_rmse
        True
    """
    settings = (settings or ClassifierSettings()).validate()
    if settings.class_weight is not None:
        raise InputError(f"class_weight has no meaning without classes, got {settings.class_weight!r}")
    given, truth = list(sequences), as_series(values, "the values")
    of_numbers = bool(given) and not isinstance(given[0], str) and _are_numbers(given[0])
    held, held_truth = (list(dev[0]), as_series(dev[1], "the development values")) if dev else ([], truth[:0])
    for some, numbers in ((given, truth), (held, held_truth)):
        if len(some) != len(numbers):
            raise InputError(f"{len(numbers)} values for {len(some)} sequences")
    if dev is None:
        rows, rest = random_split(len(given), settings.validation_fraction, settings.seed)
        held, held_truth = [given[row] for row in rest], truth[rest]
        given, truth = [given[row] for row in rows], truth[rows]
    model, tuned_rows = _untrained(given, truth, of_numbers, settings, vectors)
    _train(model, given, truth, held, held_truth, tuned_rows, threads, on_progress)
    if "dev_rmse" in model.metrics:
        logger.info(
            "root mean squared error on %d held-out sequences: %.4g; of always saying the mean: %.4g",
            len(held), model.metrics["dev_rmse"], model.metrics["dev_baseline_rmse"],
        )  # fmt: skip
    return model


def _untrained(
    given: list[Any],
    truth: np.ndarray,
    of_numbers: bool,
    settings: ClassifierSettings,
    vectors: "WordVectors | None",
) -> tuple[RegressorModel, int]:
    """A model with fresh parameters and what its scaling learns, and how many rows of its embedding are trained."""
    random = np.random.default_rng([settings.seed, 0x1217])
    vocabulary, table, tuned_rows = None, None, 0
    input_mean = input_deviation = np.empty(0)
    if of_numbers:
        columns = _steps(given[0]).shape[1]
        input_mean, input_deviation = _spread(np.concatenate([_steps(each, columns) for each in given]))
    else:
        settings = settled(settings, vectors)
        assert settings.tokenizer is not None
        counted = count_tokens(tokenize_texts(given, settings.tokenizer, bool(settings.lowercase)), settings.min_count)
        vocabulary, table = build_embedding(
            counted, vectors, vector_size=settings.vector_size, scale=settings.vector_scale,
            keep=settings.keep_vectors, tuned=settings.tune_vectors, random=random,
        )  # fmt: skip
        tuned_rows, columns = len(counted) if settings.tune_vectors else 0, table.shape[1]
    mean, deviation = _spread(truth)
    shape = _shape(settings, 0 if table is None else len(table), columns)
    head = RegressionHead(truth.shape[1], settings.hidden_size, parts=shape.parts, random=random)
    parameters = initial_encoder(shape, table, random) | head.parameters()
    parameters |= Pooling(settings.pooling, shape, random=random).parameters()
    network = PooledNetwork(shape, head, parameters, pooling=settings.pooling)
    model = RegressorModel(
        network, vocabulary, settings,
        mean=mean, deviation=deviation, input_mean=input_mean, input_deviation=input_deviation,
    )  # fmt: skip
    return model, tuned_rows


def _train(
    model: RegressorModel,
    given: list[Any],
    truth: np.ndarray,
    held: list[Any],
    held_truth: np.ndarray,
    tuned_rows: int,
    threads: int | None,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    network, settings = model.network, model.settings
    examples = model._encoded(given)
    targets = ((truth - model.mean) / model.deviation).astype(np.float32)

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        score = model.score(held, held_truth, threads=threads)
        return {"dev_rmse": score.rmse, "dev_baseline_rmse": score.baseline_rmse}, (-score.rmse,)

    with Workers(threads) as workers:
        outcome = train_pooled(
            network, examples, targets, settings, tuned_rows=tuned_rows, workers=workers,
            evaluate=on_dev if held else None, on_progress=on_progress,
        )  # fmt: skip
    best = outcome.history[outcome.best_epoch - 1]
    model.history = outcome.history
    model.metrics = {"best_epoch": outcome.best_epoch, "sequences": len(given), "dev_sequences": len(held)}
    model.metrics |= {name: value for name, value in best.items() if name != "epoch"}


def _score(error: np.ndarray, baseline: np.ndarray) -> RegressionScore:
    squared, worst = float(np.square(error).mean()), float(np.square(baseline).mean())
    return RegressionScore(
        rmse=float(np.sqrt(squared)),
        mae=float(np.abs(error).mean()),
        r2=1 - squared / worst if worst else float("nan"),
        baseline_rmse=float(np.sqrt(worst)),
        baseline_mae=float(np.abs(baseline).mean()),
    )


def _spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column; 1 for a constant one."""
    deviation = values.std(axis=0)
    return values.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def _are_numbers(sequence: Any) -> bool:
    """Whether a sequence is one of numbers, not of tokens."""
    try:
        return np.asarray(sequence).dtype.kind in "fiub" and np.size(sequence) > 0
    except (TypeError, ValueError):
        return False


def _steps(sequence: Any, columns: int | None = None) -> np.ndarray:
    """A sequence of numbers as (T, E) float64; E must be ``columns``, if given."""
    if isinstance(sequence, str) or not _are_numbers(sequence):
        raise InputError("sequences of numbers must be arrays (T,) or (T, E) with a step at least, like the first one")
    steps = as_series(sequence, "a sequence")
    if columns is not None and steps.shape[1] != columns:
        raise InputError(f"a step must have {columns} numbers, as the first one, got {steps.shape[1]}")
    return steps


def _numbers(sequences: list[Any], mean: np.ndarray, deviation: np.ndarray) -> Sequences:
    steps = [_steps(sequence, mean.size) for sequence in sequences]
    offsets = np.zeros(len(steps) + 1, np.int64)
    np.cumsum([len(each) for each in steps], out=offsets[1:])
    rows = (np.concatenate([np.empty((0, mean.size)), *steps]) - mean) / deviation
    return Sequences(np.arange(offsets[-1], dtype=np.int32), offsets, rows.astype(np.float32))


def _shape(settings: ClassifierSettings, vocabulary: int, vector_size: int) -> EncoderShape:
    return EncoderShape(
        vocabulary=vocabulary, vector_size=vector_size, hidden_size=settings.hidden_size, cell=settings.cell,
        reset=settings.reset, bidirectional=settings.bidirectional, merge=settings.merge, layers=settings.layers,
        zoneout=float(settings.zoneout), zoneout_cell=float(settings.zoneout_cell),
    )  # fmt: skip


def _settings(name: str, header: dict[str, Any], tensors: int) -> ClassifierSettings:
    """The settings a file's header holds, once everything in it is what it must be."""
    check_header(name, header, HEADER)
    if header["settings"].keys() != {field.name for field in fields(ClassifierSettings)}:
        raise FormatError(f"{name} is of another version: its settings are {', '.join(sorted(header['settings']))}")
    try:
        settings = ClassifierSettings(**header["settings"]).validate()
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None
    if settings.layers > tensors:
        raise FormatError(f"{name} is damaged: {settings.layers} layers, but {tensors} tensors")
    return settings
