"""Training of a decoder that generates sequences from vectors."""

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.data.series import mean_and_deviation
from seqclf.data.splits import random_split, warn_if_few
from seqclf.layers.workers import Workers
from seqclf.training.loop import train_in_batches
from seqclf.training.resuming import Resumption
from seqclf.translation.data import encode_targets, target_units, target_vocabulary
from seqclf.translation.defaults import ChosenSettings, chosen
from seqclf.translation.network import TransducerNetwork, Vectors, initial_transducer
from seqclf.translation.settings import VectorTransducerSettings
from seqclf.translation.trainer import Trainer, evaluate
from seqclf.translation.vector_model import VectorTransducerModel, as_matrix, standardized, vector_shape
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults
from wordvec.system.wording import counted

logger = logging.getLogger(__name__)


def train_vector_transducer(
    vectors: ArrayLike,
    targets: Iterable[str],
    *,
    settings: VectorTransducerSettings | None = None,
    dev: Sequence[Any] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> VectorTransducerModel:
    """Train a decoder that generates a sequence from a vector (one to many).

    The decoder's first state is a function of the vector, which every step reads as well. Dimensions are standardized.

    Args:
        vectors: (n, D) numbers. targets: n texts.
        settings: default: ``VectorTransducerSettings()``.
        dev: vectors and targets that choose the best epoch; None splits off ``settings.validation_fraction``.
        threads, on_progress, checkpoint, checkpoint_every, resume: see ``train_transducer``.

    Raises:
        InputError: not one target per vector, vectors that are not (n, D) finite numbers, a target without units or
            with more than 10,000, or a setting out of range.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> settings = VectorTransducerSettings(hidden_size=32, epochs=60, learning_rate=0.01, validation_fraction=0)
        >>> model = train_vector_transducer([[0, 1], [1, 0], [1, 1]], ["ab", "b", "aab"], settings=settings, threads=1)
        >>> [prediction.text for prediction in model.predict([[1, 0], [0, 1]])]
        ['b', 'ab']
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    settings = or_defaults(settings, VectorTransducerSettings)
    values, units = _read(vectors, targets, settings)
    width = values.shape[1]
    dev_values, dev_units = np.empty((0, width)), list[list[str]]()
    if dev is not None:
        if len(dev) != 2:
            raise InputError(f"dev must be (vectors, targets), got {len(dev)} parts")
        dev_values, dev_units = _read(dev[0], dev[1], settings, "validation ", width)
    elif settings.validation_fraction > 0:
        rows, dev_rows = random_split(len(units), settings.validation_fraction, settings.seed)
        dev_values, dev_units = values[dev_rows], [units[row] for row in dev_rows]
        values, units = values[rows], [units[row] for row in rows]
        if len(dev_rows):
            logger.info(
                "no validation pairs given: %d of %d are split off to choose the epoch",
                len(dev_rows), len(dev_rows) + len(rows),
            )  # fmt: skip
    warn_if_few(len(dev_units), "pairs")
    scaling = np.stack(mean_and_deviation(values))
    vocabulary = target_vocabulary(units, settings.target_min_count)
    assert vocabulary.counts is not None
    shape = vector_shape(width, len(vocabulary) + 1, settings.target_vector_size, settings)
    random = np.random.default_rng([settings.seed, 0x5E26])
    parameters = initial_transducer(shape, None, vocabulary.counts, random)
    network = TransducerNetwork(shape, parameters, smoothing=settings.label_smoothing)
    examples = Vectors(standardized(values, scaling)), encode_targets(units, vocabulary)
    held_out = Vectors(standardized(dev_values, scaling)), encode_targets(dev_units, vocabulary)
    data = [array for pairs in (examples, held_out) for side in pairs for array in side]
    whole = ChosenSettings(**chosen(settings, len(units)))
    resumption.begin("vector transducer", whole, {"pairs": len(units), "validation pairs": len(dev_units)}, data)
    with Workers(threads) as workers:
        trainer = Trainer(network, whole, *examples, tuned=0, workers=workers)
        outcome = train_in_batches(
            trainer.learn,
            examples[1].lengths,
            trainer.optimizer,
            whole,
            arrays=trainer.trained,
            unit="pairs",
            evaluate=(lambda: evaluate(network, *held_out, whole, workers)) if dev_units else None,
            sizes=examples[1].lengths,
            on_progress=on_progress,
            resumption=resumption,
        )
    metrics = outcome.metrics(pairs=len(units), dev_pairs=len(dev_units), target_units=len(vocabulary))
    return VectorTransducerModel(
        network, vocabulary, scaling, settings=VectorTransducerSettings(**vars(whole)), metrics=metrics,
        history=outcome.history,
    )  # fmt: skip


def _read(
    vectors: ArrayLike,
    targets: Iterable[str],
    settings: VectorTransducerSettings,
    what: str = "",
    width: int | None = None,
) -> tuple[np.ndarray, list[list[str]]]:
    values, units = as_matrix(vectors, width), target_units(targets, settings.target_units, f"{what}targets")
    if len(values) != len(units):
        raise InputError(f"{counted(len(units), f'{what}target')} for {counted(len(values), f'{what}vector')}")
    if not units:
        raise InputError(f"at least one {what}pair of a vector and a target is required, got none")
    return values, units
