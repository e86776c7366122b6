"""Training of a sequence-to-sequence model, from pairs of texts to a model."""

import logging
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqclf.data.embeddings import build_embedding
from seqclf.data.splits import random_split, warn_if_few
from seqclf.data.texts import count_tokens, encode
from seqclf.layers.batches import Sequences
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.workers import Workers
from seqclf.training.loop import train_in_batches
from seqclf.training.resuming import Resumption
from seqclf.translation.baselines import Baselines, train_baselines
from seqclf.translation.data import (
    as_lines,
    encode_targets,
    feature_units,
    source_units,
    target_units,
    target_vocabulary,
)
from seqclf.translation.defaults import ChosenTransducerSettings, chosen
from seqclf.translation.model import TransducerModel, transducer_shape
from seqclf.translation.network import Targets, TransducerNetwork, initial_transducer
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.trainer import Trainer, evaluate
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults
from wordvec.system.wording import counted

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

Pairs = tuple[list[list[str]], list[list[str]]]
"""The units of sources and of targets."""


def train_transducer(
    sources: Iterable[str],
    targets: Iterable[str],
    *,
    features: Iterable[str] | None = None,
    settings: TransducerSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: Sequence[Iterable[str]] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> TransducerModel:
    """Train an encoder-decoder network with attention.

    Args:
        sources, targets: pairs of texts.
        features: for each source a string of features, separated by semicolons or spaces, which the encoder reads as
            units of their own; None without features.
        settings: default: ``TransducerSettings()``.
        vectors: pretrained vectors of the sources' units to start from.
        dev: sources, targets and, with ``features``, features that choose the best epoch; None splits off
            ``settings.validation_fraction`` of the pairs.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its ``history`` has one row per epoch.

    Raises:
        InputError: not one target per source, a source or target without units or with more than 10,000, or a setting
            out of range.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> settings = TransducerSettings(hidden_size=32, epochs=40, learning_rate=0.01, validation_fraction=0)
        >>> model = train_transducer(["ab", "ba", "aab"], ["b a", "a b", "b a a"], settings=settings, threads=1)
        >>> model.predict(["aab"])[0].text
        'b a a'
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    settings = or_defaults(settings, TransducerSettings)
    features = None if features is None else as_lines(features, "features")
    training = read_pairs(sources, targets, features, settings)
    if not training[0]:
        raise InputError("a sequence-to-sequence model needs at least one pair, got none")
    lead = [0] * len(training[0]) if features is None else [len(feature_units(each)) for each in features]
    validation: Pairs = ([], [])
    if dev is not None:
        if len(dev) != (2 if features is None else 3):
            raise InputError(
                f"dev must be (sources, targets{'' if features is None else ', features'}), got {len(dev)} parts"
            )
        validation = read_pairs(dev[0], dev[1], dev[2] if features is not None else None, settings, "validation ")
    elif settings.validation_fraction > 0:
        rows, dev_rows = random_split(len(training[0]), settings.validation_fraction, settings.seed)
        validation = tuple([side[row] for row in dev_rows] for side in training)  # type: ignore[assignment]
        training = tuple([side[row] for row in rows] for side in training)  # type: ignore[assignment]
        lead = [lead[row] for row in rows]
        if len(dev_rows):
            logger.info(
                "no validation pairs given: %d of %d are split off to choose the epoch",
                len(dev_rows), len(dev_rows) + len(rows),
            )  # fmt: skip
    warn_if_few(len(validation[0]), "pairs")
    baselines = train_baselines([units[n:] for n, units in zip(lead, training[0], strict=True)], training[1])
    whole = ChosenTransducerSettings(**chosen(settings, len(training[0])))
    return _train(
        training, validation, features is not None, whole, vectors, threads, on_progress, resumption, baselines
    )


def read_pairs(
    sources: Iterable[str],
    targets: Iterable[str],
    features: Iterable[str] | None,
    settings: TransducerSettings,
    what: str = "",
) -> Pairs:
    """Return the units of sources, with those of their features, and of targets.

    Raises:
        InputError: see ``train_transducer``.

    Example:
        >>> read_pairs(["a"], ["b", "c"], None, TransducerSettings())
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: 2 targets for 1 source
    """
    read = source_units(
        sources, features, settings.source_units, lowercase=settings.lowercase, normalize=settings.normalize,
        what=f"{what}sources",
    )  # fmt: skip
    wanted = target_units(targets, settings.target_units, f"{what}targets")
    if len(read) != len(wanted):
        raise InputError(f"{counted(len(wanted), f'{what}target')} for {counted(len(read), f'{what}source')}")
    return read, wanted


def _train(
    training: Pairs,
    validation: Pairs,
    features: bool,
    settings: ChosenTransducerSettings,
    vectors: "WordVectors | None",
    threads: int | None,
    on_progress: OnProgress | None,
    resumption: Resumption,
    baselines: Baselines,
) -> TransducerModel:
    random = np.random.default_rng([settings.seed, 0x5E25])
    vocabulary, table, trained, subwords = build_embedding(
        count_tokens(training[0]), vectors, random=random, **settings.embedding_options()
    )
    units = target_vocabulary(training[1], settings.target_min_count)
    encoder = EncoderShape(len(table), table.shape[1], **settings.encoder_options())
    shape = transducer_shape(encoder, len(units) + 1, settings.target_vector_size, settings)
    assert units.counts is not None
    parameters = initial_transducer(shape, table, units.counts, random)
    network = TransducerNetwork(shape, parameters, smoothing=settings.label_smoothing)

    def encoded(pairs: Pairs) -> tuple[Sequences, Targets]:
        return Sequences(*encode(pairs[0], vocabulary, subwords)), encode_targets(pairs[1], units)

    examples, dev = encoded(training), encoded(validation) if validation[0] else None
    sizes = {"pairs": len(training[0]), "validation pairs": len(validation[0])}
    data = [array for source, target in (examples, *([dev] if dev else [])) for array in (*source.arrays(), *target)]
    resumption.begin("transducer", settings, sizes, data, vectors)
    with Workers(threads) as workers:
        trainer = Trainer(network, settings, *examples, tuned=trained if settings.tune_vectors else 0, workers=workers)
        outcome = train_in_batches(
            trainer.learn,
            examples[1].lengths,
            trainer.optimizer,
            settings,
            arrays=trainer.trained,
            unit="pairs",
            evaluate=None if dev is None else lambda: evaluate(network, *dev, settings, workers),
            sizes=examples[1].lengths,
            on_progress=on_progress,
            resumption=resumption,
        )
    metrics = outcome.metrics(
        pairs=len(training[0]), dev_pairs=len(validation[0]), source_units=len(vocabulary), target_units=len(units)
    )
    return TransducerModel(
        network, vocabulary, units, settings=TransducerSettings(**vars(settings)), features=features, metrics=metrics,
        history=outcome.history, subwords=subwords, baselines=baselines.known(vocabulary, units),
    )  # fmt: skip
