"""Stratified cross-validation, and the learning curve, of a text classifier."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqclf.classification.evaluation import Evaluation
from seqclf.classification.model import ClassifierModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_classifier
from seqclf.data.labels import as_labels, check_labels, distinct_labels, encode_labels, sample_weights
from seqclf.data.splits import grouped_folds, stratified_folds
from seqclf.data.texts import Text, as_texts
from seqclf.metrics import Score
from wordvec.system.settings import or_defaults
from wordvec.system.validation import check_number, check_whole
from wordvec.system.wording import counted

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the training texts in a learning curve."""


def cross_validate(
    texts: Iterable[Text],
    labels: Iterable[Any],
    folds: int = 5,
    *,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any]] | None = None,
    groups: Sequence[Any] | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
) -> list[Evaluation]:
    """Train a classifier for each fold on the other folds, and evaluate it on the fold.

    Each label is spread evenly over the folds. Seeds differ between folds.

    Args:
        texts, labels, settings, vectors, dev, sample_weight, threads: see :func:`seqclf.train_classifier`.
        folds: at least 2, and at most the number of texts.
        groups: N names, such as authors or threads, whose texts are never divided between folds; None: each text alone.

    Raises:
        InputError: as ``train_classifier``, ``folds`` out of range, or fewer groups than folds.

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
    weights = sample_weights(sample_weight, len(texts))
    dealt = (
        stratified_folds(targets, folds, settings.seed)
        if groups is None
        else grouped_folds(targets, groups, folds, settings.seed)
    )
    for fold, rows in enumerate(dealt):
        others = np.setdiff1d(np.arange(len(texts)), rows)
        model = train_classifier(
            [texts[row] for row in others], [labels[row] for row in others], vectors=vectors, dev=dev, threads=threads,
            settings=replace(settings, seed=settings.seed + fold), sample_weight=weights[others],
        )  # fmt: skip
        found.append(model.evaluate([texts[row] for row in rows], [labels[row] for row in rows], threads=threads))
        logger.info("fold %d of %d: accuracy %.3f", fold + 1, folds, found[-1].score.accuracy)
    return found


class CurvePoint(NamedTuple):
    """A point of a learning curve: the number of training texts, and the scores by classifier on the test texts."""

    texts: int
    scores: dict[str, Score]


def learning_curve(
    texts: Iterable[Text],
    labels: Iterable[Any],
    test_texts: Iterable[Text],
    test_labels: Iterable[Any],
    *,
    shares: Sequence[float] = SHARES,
    whole: ClassifierModel | None = None,
    settings: ClassifierSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Text], Iterable[Any]] | None = None,
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
) -> list[CurvePoint]:
    """Train classifiers and the baselines of ``compare_baselines`` on growing shares of the training texts.

    A share has the same part of the texts of each label, at least one, and contains all smaller shares. It is split
    into training and validation texts as usual, unless there is ``dev``. Baselines weigh all texts alike.

    Args:
        texts, labels, settings, vectors, dev, sample_weight, threads: see :func:`seqclf.train_classifier`.
        test_texts, test_labels: to evaluate on.
        shares: above 0 and at most 1.
        whole: the model of all texts, if it is trained already.

    Returns:
        a point for each share, in ascending order; the scores of ``this model`` come first.

    Raises:
        InputError: as ``train_classifier``, or a share out of range.

    Example:
        >>> texts, labels = ["fire in the hills", "warm evening", "the fire spreads", "tea time"] * 8, [1, 0, 1, 0] * 8
        >>> settings = ClassifierSettings(model="linear")
        >>> for point in learning_curve(texts, labels, texts, labels, settings=settings):
        ...     print(point.texts, point.scores["this model"].accuracy, point.scores["majority class"].accuracy)
        4 1.0 0.5
        8 1.0 0.5
        16 1.0 0.5
        32 1.0 0.5
    """
    from seqclf.classification.baselines import compare_baselines

    texts, labels = as_texts(texts), as_labels(labels)
    test = as_texts(test_texts), as_labels(test_labels, "test labels")
    settings = or_defaults(settings, ClassifierSettings)
    check_labels(texts, labels)
    targets = encode_labels(labels, distinct_labels(labels), "texts")
    weights = sample_weights(sample_weight, len(texts))
    if dev is not None:
        dev = as_texts(dev[0]), as_labels(dev[1], "validation labels")
    points = []
    for share in sorted(check_number("a share of the texts", each, above=0, most=1) for each in shares):
        rows = _nested_rows(targets, share, settings.seed)
        part = [texts[row] for row in rows], [labels[row] for row in rows]
        model = whole if share == 1 else None
        model = model or train_classifier(
            *part, settings=settings, vectors=vectors, dev=dev, sample_weight=weights[rows], threads=threads
        )
        scores = {"this model": model.evaluate(*test, threads=threads).score}
        for baseline in compare_baselines(
            *part, *test, dev=dev, tokenizer=model.tokenizer, lowercase=model.lowercase, normalize=model.normalize,
            validation_fraction=settings.validation_fraction, seed=settings.seed,
        ):  # fmt: skip
            scores[baseline.name] = baseline.score
        points.append(CurvePoint(len(rows), scores))
        logger.info("%s: accuracy %.3f", counted(len(rows), "text"), scores["this model"].accuracy)
    return points


def _nested_rows(targets: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return the rows of a share, ascending: of each class the first ones in an order that depends on the seed only."""
    random = np.random.default_rng([seed, 0x1EA2])
    orders = [random.permutation(np.flatnonzero(targets == each)) for each in np.unique(targets)]
    return np.sort(np.concatenate([order[: max(1, round(share * order.size))] for order in orders]))
