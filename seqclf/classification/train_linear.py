"""Training of the linear part of a text classifier."""

import logging
from typing import NamedTuple

import numpy as np

from seqclf.classification.linear import STRENGTHS, LinearPart, LogisticLoss, log_probabilities
from seqclf.classification.ngrams import MOST_CHARACTERS, NgramFeatures
from seqclf.classification.stacking import blended, fit_weights
from seqclf.data.splits import stratified_split
from seqclf.layers.workers import Workers

logger = logging.getLogger(__name__)

_FRACTION = 0.1
_WORSE = 2
"""Values of C in a row after which larger ones are not tried, if none of them is better."""


class LinearTexts(NamedTuple):
    """Texts as a linear model reads them: their tokens, and their ``surface_forms``."""

    tokens: list[list[str]]
    forms: list[str]

    def take(self, rows: np.ndarray) -> "LinearTexts":
        """Return some texts."""
        return LinearTexts([self.tokens[row] for row in rows], [self.forms[row] for row in rows if self.forms])


def train_linear(
    texts: LinearTexts,
    targets: np.ndarray,
    classes: int,
    weights: np.ndarray,
    *,
    shares: np.ndarray,
    dev: tuple[LinearTexts, np.ndarray] | None,
    seed: int,
    workers: Workers,
) -> tuple[LinearPart, float]:
    """Train a logistic regression on n-grams, and return it with its C.

    C is that of the least loss on the validation texts at the best temperature. Without any, a tenth of the texts
    chooses it, and the model is trained again on all.

    Args:
        texts: S training texts.
        targets: (S,) int32 classes. classes: C of them.
        weights: (C,) class weights, of the validation texts. shares: (S,) weights of the training texts.
        dev: validation texts and their classes; None has a part split off.
        seed: of that split.
        workers: threads; they do not change the result.

    Raises:
        InputError: no text has a word.
    """
    characters = sum(map(len, texts.forms)) < MOST_CHARACTERS
    if not characters:
        logger.info(
            "the linear model has no n-grams of characters: the texts have more than %s", f"{MOST_CHARACTERS:,}"
        )
    if dev is not None:
        return _best_strength(texts, targets, shares, classes, weights, dev, characters, workers)
    rows, chosen = stratified_split(targets, _FRACTION, seed)
    strength = 1.0
    if chosen.size:
        dev = texts.take(chosen), targets[chosen]
        train = texts.take(rows), targets[rows], shares[rows]
        strength = _best_strength(*train, classes, weights, dev, characters, workers)[1]
    features = NgramFeatures.learn(*texts, second=targets == 1 if classes == 2 else None, characters=characters)
    loss = LogisticLoss(features.rows(*texts), len(features), targets, classes, shares, workers)
    return _part(features, loss, loss.fit(strength), classes), strength


def _best_strength(
    texts: LinearTexts, targets: np.ndarray, shares: np.ndarray, classes: int, weights: np.ndarray,
    dev: tuple[LinearTexts, np.ndarray], characters: bool, workers: Workers,
) -> tuple[LinearPart, float]:  # fmt: skip
    """Train with C from the smallest on, and return the model with the least loss on ``dev``, and its C."""
    features = NgramFeatures.learn(*texts, second=targets == 1 if classes == 2 else None, characters=characters)
    loss = LogisticLoss(features.rows(*texts), len(features), targets, classes, shares, workers)
    dev_rows, dev_targets = features.rows(*dev[0]), dev[1]
    dev_shares = weights[dev_targets]
    best, x, worse = (np.inf, loss.start(), STRENGTHS[0]), loss.start(), 0
    for strength in STRENGTHS:
        if worse == _WORSE:
            break
        x = loss.fit(strength, x, coarse=True)
        logs = log_probabilities(dev_rows, *loss.coefficients(x), classes, workers)
        calibrated = blended([logs], fit_weights([logs], dev_targets, dev_shares))
        found = -float((dev_shares * calibrated[np.arange(dev_targets.size), dev_targets]).mean())
        worse = 0 if found < best[0] else worse + 1
        if not worse:
            best = found, x, strength
    return _part(features, loss, loss.fit(best[2], best[1]), classes), best[2]


def _part(features: NgramFeatures, loss: LogisticLoss, x: np.ndarray, classes: int) -> LinearPart:
    weight, bias = (each.astype(np.float32) for each in loss.coefficients(x))
    return LinearPart(features, weight, bias, classes)
