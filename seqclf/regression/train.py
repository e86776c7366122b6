"""Training of a regressor, from texts or numeric sequences to a model."""

import logging
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.data.columns import as_sequences
from seqclf.data.embeddings import build_embedding
from seqclf.data.series import as_series, is_numeric, mean_and_deviation
from seqclf.data.splits import random_split, warn_if_few
from seqclf.data.steps import Scaling
from seqclf.data.texts import count_tokens, tokenize_texts
from seqclf.layers.workers import Workers
from seqclf.regression.model import RegressorModel
from seqclf.regression.network import build_network, encoder_shape, initial_parameters
from seqclf.regression.settings import RegressorSettings
from seqclf.training.pooled import train_pooled
from seqclf.training.resolved import resolved
from seqclf.training.resuming import Resumption
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)


def train_regressor(
    sequences: Iterable[Any],
    values: Any,
    *,
    settings: RegressorSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Any], Any] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> RegressorModel:
    """Train a recurrent regressor on texts or numeric sequences, with a squared error.

    Args:
        sequences: texts (strings or lists of tokens), or arrays (T,) or (T, E) of numbers.
        values: (S,) or (S, C).
        settings: default: ``RegressorSettings()``.
        vectors: pretrained word vectors to start from; only for texts.
        dev: sequences and values that choose the best epoch; None splits off ``settings.validation_fraction``.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its metrics hold ``dev_rmse`` and ``dev_baseline_rmse``, the error of always predicting the mean.

    Raises:
        InputError: not one value, or row of values, per sequence; sequences of several kinds; vectors for numbers.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> random = np.random.default_rng(1)
        >>> walks = [random.normal(0, 1, length) for length in random.integers(3, 9, 120)]
        >>> means = [walk.mean() for walk in walks]
        >>> settings = RegressorSettings(cell="gru", hidden_size=16, pooling="mean", dropout=0, learning_rate=0.02)
        >>> model = train_regressor(walks, means, settings=settings, threads=1)
        >>> score = model.score(walks, means)
        >>> score.rmse < 0.5 * score.baseline_rmse
        True
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    settings = or_defaults(settings, RegressorSettings)
    given, truth = as_sequences(sequences), as_series(values, "the values")
    dev_given, dev_truth = (
        (as_sequences(dev[0]), as_series(dev[1], "the validation values")) if dev else ([], truth[:0])
    )
    for some, numbers in ((given, truth), (dev_given, dev_truth)):
        if len(some) != len(numbers):
            raise InputError(f"{len(numbers)} values for {len(some)} sequences")
    of_numbers = bool(given) and not isinstance(given[0], str) and is_numeric(given[0])
    if of_numbers and vectors is not None:
        raise InputError("vectors are for texts, but the sequences hold numbers; leave vectors out")
    if dev is None:
        rows, dev_rows = random_split(len(given), settings.validation_fraction, settings.seed)
        dev_given, dev_truth = [given[row] for row in dev_rows], truth[dev_rows]
        given, truth = [given[row] for row in rows], truth[rows]
    warn_if_few(len(dev_given), "sequences")
    model, trained_words = _untrained(given, truth, of_numbers, settings, vectors)
    _train(model, (given, truth), (dev_given, dev_truth), trained_words, vectors, threads, on_progress, resumption)
    if "dev_rmse" in model.metrics:
        logger.info(
            "root mean squared error on %d validation sequences: %.4g; of always predicting the mean: %.4g",
            len(dev_given), model.metrics["dev_rmse"], model.metrics["dev_baseline_rmse"],
        )  # fmt: skip
    return model


def _untrained(
    given: list[Any],
    truth: np.ndarray,
    of_numbers: bool,
    settings: RegressorSettings,
    vectors: "WordVectors | None",
) -> tuple[RegressorModel, int]:
    """Return a model with initial parameters and fitted scaling, and the number of its embedding rows to train."""
    random = np.random.default_rng([settings.seed, 0x1217])
    words, table = None, None
    input_mean = input_deviation = np.empty(0)
    if of_numbers:
        scaling = Scaling.learn(given)
        input_mean, input_deviation, columns = scaling.mean, scaling.deviation, scaling.mean.size
    else:
        settings = resolved(settings, vectors, given)
        assert settings.tokenizer is not None
        tokens = tokenize_texts(given, settings.tokenizer, bool(settings.lowercase), settings.normalize)
        words = build_embedding(count_tokens(tokens), vectors, random=random, **settings.embedding_options())
        table = words.table
        columns = table.shape[1]
    mean, deviation = mean_and_deviation(truth)
    shape, outputs = encoder_shape(settings, 0 if table is None else len(table), columns), truth.shape[1]
    parameters = initial_parameters(shape, settings.pooling, outputs, table, random)
    model = RegressorModel(
        build_network(shape, settings.pooling, outputs, parameters), words and words.vocabulary, settings,
        mean=mean, deviation=deviation, input_mean=input_mean, input_deviation=input_deviation,
        subwords=words and words.subwords,
    )  # fmt: skip
    return model, words.trained if words else 0


def _train(
    model: RegressorModel,
    training: tuple[list[Any], np.ndarray],
    dev: tuple[list[Any], np.ndarray],
    trained_words: int,
    vectors: "WordVectors | None",
    threads: int | None,
    on_progress: OnProgress | None,
    resumption: Resumption,
) -> None:
    given, truth = training
    targets = ((truth - model.mean) / model.deviation).astype(np.float32)

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        score = model.score(*dev, threads=threads)
        return {"dev_rmse": score.rmse, "dev_baseline_rmse": score.baseline_rmse}, (-score.rmse,)

    examples = model.encode(given)
    dev_arrays = model.encode(dev[0]).arrays() if dev[0] else []
    sizes = {"sequences": len(given), "validation sequences": len(dev[0])}
    resumption.begin("regressor", model.settings, sizes, [*examples.arrays(), targets, *dev_arrays, dev[1]], vectors)
    with Workers(threads) as workers:
        outcome = train_pooled(
            model.network, examples, targets, model.settings, trained_words=trained_words, workers=workers,
            unit="sequences" if model.vocabulary is None else "texts",
            evaluate=on_dev if dev[0] else None, on_progress=on_progress, resumption=resumption,
        )  # fmt: skip
    model.history = outcome.history
    model.metrics = outcome.metrics(sequences=len(given), dev_sequences=len(dev[0]))
