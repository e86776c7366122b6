"""Stratified cross-validation of a text classifier."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.classification.evaluation import Evaluation
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_classifier
from seqclf.data.labels import as_labels, check_labels, distinct_labels, encode_labels
from seqclf.data.splits import stratified_folds
from seqclf.data.texts import Text, as_texts
from wordvec.system.settings import or_defaults
from wordvec.system.validation import check_whole

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)


def cross_validate(
    texts: Iterable[Text],
    labels: Iterable[Any],
    folds: int = 5,
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any]] | None = None,
    threads: int | None = None,
) -> list[Evaluation]:
    """Train a classifier for each fold on the other folds, and evaluate it on the fold.

    Each label is spread evenly over the folds. Seeds differ between folds.

    Args:
        texts, labels, settings, vectors, dev, threads: see :func:`seqclf.train_classifier`.
        folds: at least 2, and at most the number of texts.

    Raises:
        InputError: as ``train_classifier``, or ``folds`` out of range.

    Example:
        >>> texts, labels = ["fire in the hills", "warm evening", "the fire spreads", "tea time"] * 4, [1, 0, 1, 0] * 4
        >>> settings = ClassifierSettings(model="linear", validation_fraction=0)
        >>> [each.score.accuracy for each in cross_validate(texts, labels, 2, settings=settings)]
        [1.0, 1.0]
    """
    texts, labels = as_texts(texts), as_labels(labels)
    settings = or_defaults(settings, ClassifierSettings)
    check_labels(texts, labels)
    folds = check_whole("folds", folds, 2, len(texts))
    found = []
    targets = encode_labels(labels, distinct_labels(labels), "texts")
    for fold, rows in enumerate(stratified_folds(targets, folds, settings.seed)):
        others = np.setdiff1d(np.arange(len(texts)), rows)
        model = train_classifier(
            [texts[row] for row in others], [labels[row] for row in others], vectors=vectors, dev=dev, threads=threads,
            settings=replace(settings, seed=settings.seed + fold),
        )  # fmt: skip
        found.append(model.evaluate([texts[row] for row in rows], [labels[row] for row in rows], threads=threads))
        logger.info("fold %d of %d: accuracy %.3f", fold + 1, folds, found[-1].score.accuracy)
    return found
