"""Training of the linear part of a text classifier."""

import logging
import time
from typing import NamedTuple

import numpy as np

from seqclf.classification.linear import STRENGTHS, LinearPart, LogisticLoss, log_probabilities
from seqclf.classification.ngrams import MOST_CHARACTERS, NgramFeatures, SparseRows
from seqclf.classification.stacking import blended, fit_weights
from seqclf.data.splits import stratified_split
from seqclf.layers.workers import Workers

logger = logging.getLogger(__name__)

_FRACTION = 0.1
_WORSE = 2
"""Values of C in a row after which larger ones are not tried, if none of them is better."""
_ENOUGH = 10_000
"""Training texts that choose C."""
_LINE_SECONDS = 10.0
"""Seconds between lines about the progress."""


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
    chooses it, and the model is trained again on all. Of more than 10,000 training texts, so many, stratified by label,
    are trained on to choose it.

    Args:
        texts: S training texts.
        targets: (S,) int32 classes. classes: C of them.
        weights: (C,) class weights, of the validation texts. shares: (S,) weights of the training texts.
        dev: validation texts and their classes; None has a part split off.
        seed: of these splits.
        workers: threads; they do not change the result.

    Raises:
        InputError: no text has a word.
    """
    characters = sum(map(len, texts.forms)) < MOST_CHARACTERS
    if not characters:
        logger.info(
            "the linear model has no n-grams of characters: the texts have more than %s", f"{MOST_CHARACTERS:,}"
        )
    steps = _Steps()
    if dev is not None:
        features, loss, strength, start = _search(
            texts, targets, shares, classes, weights, dev, characters, seed, workers, steps
        )
    else:
        rows, chosen = stratified_split(targets, _FRACTION, seed)
        strength, start = 1.0, None
        if chosen.size and shares[rows].any():
            part = texts.take(rows), targets[rows], shares[rows], classes, weights
            dev = texts.take(chosen), targets[chosen]
            strength = _search(*part, dev, characters, seed, workers, steps)[2]
        features, found = _features(texts, targets, classes, characters)
        loss = LogisticLoss(found, len(features), targets, classes, shares, workers)
    weight, bias = (each.astype(np.float32) for each in loss.coefficients(loss.fit(strength, start, on_step=steps)))
    return LinearPart(features, weight, bias, classes), strength


def _search(
    texts: LinearTexts, targets: np.ndarray, shares: np.ndarray, classes: int, weights: np.ndarray,
    dev: tuple[LinearTexts, np.ndarray], characters: bool, seed: int, workers: Workers, steps: "_Steps",
) -> tuple[NgramFeatures, LogisticLoss, float, np.ndarray | None]:  # fmt: skip
    """Try C from the smallest on.

    Returns:
        features and loss of the texts, the C of the least loss on ``dev``, and where to start, if all texts chose it.
    """
    features, rows = _features(texts, targets, classes, characters)
    loss = part = LogisticLoss(rows, len(features), targets, classes, shares, workers)
    if targets.size > _ENOUGH:
        _, some = stratified_split(targets, _ENOUGH / targets.size, seed)
        if shares[some].any():
            part = LogisticLoss(rows.take(some), len(features), targets[some], classes, shares[some], workers)
    dev_rows, dev_targets, dev_shares = features.rows(*dev[0]), dev[1], weights[dev[1]]
    best, x, worse = (np.inf, part.start(), STRENGTHS[0]), part.start(), 0
    for strength in STRENGTHS:
        if worse == _WORSE:
            break
        x = part.fit(strength, x, coarse=True, on_step=steps)
        logs = log_probabilities(dev_rows, *part.coefficients(x), classes, workers)
        calibrated = blended([logs], fit_weights([logs], dev_targets, dev_shares))
        found = -float((dev_shares * calibrated[np.arange(dev_targets.size), dev_targets]).mean())
        worse = 0 if found < best[0] else worse + 1
        if not worse:
            best = found, x, strength
    return features, loss, best[2], best[1] if part is loss else None


def _features(
    texts: LinearTexts, targets: np.ndarray, classes: int, characters: bool
) -> tuple[NgramFeatures, SparseRows]:
    return NgramFeatures.learn(*texts, second=targets == 1 if classes == 2 else None, characters=characters)


class _Steps:
    """Logs the steps of the training, a line every ten seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_SECONDS

    def __call__(self, strength: float, step: int) -> None:
        """Log a step with a value of C, if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            logger.info("linear model, C = %g: step %d", strength, step)
