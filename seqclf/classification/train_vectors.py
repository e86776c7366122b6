"""Training of a classifier of sequences of vectors."""

import logging
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.classification.network import Network, initial_parameters
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_network
from seqclf.classification.vector_model import VectorClassifierModel, network_shape
from seqclf.data.columns import as_sequences
from seqclf.data.labels import (
    as_labels,
    check_labels,
    check_weighted,
    class_weights,
    distinct_labels,
    encode_labels,
    sample_weights,
)
from seqclf.data.splits import stratified_split, warn_if_few
from seqclf.data.steps import Scaling
from seqclf.layers.workers import Workers
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults

_log = logging.getLogger(__name__)


def train_vector_classifier(
    sequences: Iterable[Any],
    labels: Iterable[Any],
    *,
    settings: ClassifierSettings | None = None,
    dev: tuple[Iterable[Any], Iterable[Any]] | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> VectorClassifierModel:
    """Train a recurrent network that classifies sequences of vectors (T, E), or of numbers (T,), of any lengths.

    Vectors are standardized by the training sequences. Lengths may differ: sequences are packed, not padded.

    Args:
        sequences: arrays (T, E) or (T,), all with the same E; a generator is read once.
        labels: one per sequence, strings or integers.
        settings: default: ``ClassifierSettings()``; those of words have no effect.
        dev: sequences and labels that choose the best epoch; None splits off ``settings.validation_fraction``.
        sample_weight: (N,) weights of the sequences in the loss; None weighs all equally.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.

    Raises:
        InputError: not one label per sequence, fewer than two classes, a sequence that is empty, not finite or of
            vectors of another size, or a setting for texts only.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> random = np.random.default_rng(1)
        >>> walks = [random.normal(0, 1, (length, 2)).cumsum(axis=0) for length in random.integers(4, 12, 60)]
        >>> ends = ["up" if walk[-1, 0] > 0 else "down" for walk in walks]
        >>> settings = ClassifierSettings(hidden_size=8, epochs=20, pooling="last", learning_rate=0.02, dropout=0)
        >>> model = train_vector_classifier(walks, ends, settings=settings, threads=1)
        >>> model.evaluate(walks, ends).score.accuracy > 0.9
        True
    """
    settings = or_defaults(settings, ClassifierSettings)
    if settings.model not in ("network", "auto") or settings.calibration not in (None, "none"):
        what = f"model {settings.model}" if settings.calibration is None else f"calibration {settings.calibration}"
        raise InputError(f"{what} is for texts, but the sequences hold numbers; use model network without calibration")
    if settings.character_size:
        raise InputError(f"character_size is for texts, but the sequences hold numbers; got {settings.character_size}")
    given, wanted = as_sequences(sequences), as_labels(labels)
    check_labels(given, wanted, "sequences")
    classes = distinct_labels(wanted)
    targets = encode_labels(wanted, classes, "sequences")
    own = sample_weights(sample_weight, targets.size)
    dev_given, dev_targets = [], targets[:0]
    if dev is not None:
        dev_given, dev_labels = as_sequences(dev[0]), as_labels(dev[1], "validation labels")
        check_labels(dev_given, dev_labels, "validation sequences")
        dev_targets = encode_labels(dev_labels, classes, "validation sequences")
    elif settings.validation_fraction > 0:
        rows, dev_rows = stratified_split(targets, settings.validation_fraction, settings.seed)
        dev_given, dev_targets = [given[row] for row in dev_rows], targets[dev_rows]
        given, targets, own = [given[row] for row in rows], targets[rows], own[rows]
        check_weighted(own)
        if dev_rows.size:
            _log.info("%d sequences, stratified by label, are split off to choose the epoch", dev_rows.size)
    warn_if_few(len(dev_given), "sequences")
    settings = settings.with_epochs(sum(map(len, given)))
    scaling = Scaling.learn(given)
    shape = network_shape(settings, scaling.mean.size, len(classes))
    random = np.random.default_rng([settings.seed, 0x1217])
    network = Network(shape, initial_parameters(shape, None, random))
    model = VectorClassifierModel(network, scaling, labels=classes, settings=settings, metrics={}, history=[])
    examples, dev_examples = model.encode(given), model.encode(dev_given)
    weights = class_weights(targets, classes, settings.class_weight)
    with Workers(threads) as workers:
        outcome = train_network(
            network,
            examples,
            targets,
            settings=settings,
            weights=weights,
            shares=weights[targets] * own,
            trained_words=0,
            workers=workers,
            dev=(dev_examples, dev_targets) if dev_targets.size else None,
            on_progress=on_progress,
        )
    model.history = outcome.history
    model.metrics = outcome.metrics(sequences=len(given), dev_sequences=len(dev_given))
    return model
