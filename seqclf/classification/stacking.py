"""Stacking (Wolpert 1992): a log-linear blend of models, and the choice among models, on validation texts.

A blend's probability is proportional to ``prod_m p_m^w_m``, with one weight for each model. The weight of a single
model is the inverse of its temperature (Guo et al. 2017).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqclf.metrics import macro_f1

CANDIDATES = {"network": (True, False), "linear": (False, True), "blend": (True, True)}
"""Whether each candidate has a network, and a linear part."""
SMALLEST = 1.2e-38
"""The smallest normal float32; the logarithm of an underflow stays finite."""
_PRIOR = 2.0
"""Texts that the prior of the weights counts for: a blend of equal parts, at temperature 1."""
_FOLDS = 5
_ERRORS = 2.0
"""Standard errors by which a part must be better than the blend to be kept alone."""


class Choice(NamedTuple):
    """A candidate's name, its weights (2,) of network and linear part, and the measures of all candidates by name."""

    name: str
    weights: np.ndarray
    measures: dict[str, dict[str, float]]


def fit_weights(logs: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weights (M,) of models that minimize the cross-entropy of their blend.

    A weight below 0 is set to 0, and the others are fitted again; not all are 0.

    Args:
        logs: the log-probabilities (N, C) of M models.
        targets: (N,) classes. weights: (N,) of the texts in the loss.

    Example:
        >>> confident = np.log([[0.99, 0.01]] * 4)  # right in three of four cases
        >>> fit_weights([confident], np.array([0, 0, 0, 1]), np.ones(4)).round(2)
        array([0.33])
    """
    models = list(range(len(logs)))
    found = np.zeros(len(logs))
    while True:
        fitted = _newton([logs[model] for model in models], targets, weights)
        if (fitted > 0).all() or len(models) == 1:
            found[models] = np.maximum(fitted, 1e-3)
            return found
        models = [model for model, weight in zip(models, fitted, strict=True) if weight > 0] or [
            models[int(fitted.argmax())]
        ]
        found[:] = 0


def _newton(logs: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    features = np.maximum(np.stack(logs), -100.0)  # (M, N, C)
    prior = np.full(len(logs), 1.0 / len(logs))
    found = prior.copy()
    own = features[:, np.arange(targets.size), targets]

    def loss(x: np.ndarray) -> float:
        scores = np.tensordot(x, features, 1)
        return float(weights @ (log_sum(scores) - x @ own)) + 0.5 * _PRIOR * float(((x - prior) ** 2).sum())

    for _ in range(50):
        scores = np.tensordot(found, features, 1)
        probabilities = np.exp(scores - log_sum(scores)[:, None])
        means = (features * probabilities).sum(axis=2)
        gradient = (means - own) @ weights + _PRIOR * (found - prior)
        centered = features - means[:, :, None]
        hessian = np.einsum("inc,jnc,nc,n->ij", centered, centered, probabilities, weights)
        step = np.linalg.solve(hessian + _PRIOR * np.eye(len(logs)), gradient)
        length, before = 1.0, loss(found)
        while loss(found - length * step) > before and length > 1e-6:
            length /= 2
        found = found - length * step
        if np.abs(step).max() < 1e-9:
            break
    return found


def log_sum(scores: np.ndarray) -> np.ndarray:
    """Return the logarithm of the sum of the exponentials of each row (N,) of scores (N, C)."""
    top = scores.max(axis=1)
    return np.asarray(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)))


def logs_of(probabilities: np.ndarray) -> np.ndarray:
    """Return the logarithms of probabilities float32, as float64."""
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST), dtype=np.float64))


def blended(logs: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return the log-probabilities (N, C) of a blend of M models, given theirs."""
    scores = np.tensordot(weights, np.stack(logs), 1)
    return np.asarray(scores - log_sum(scores)[:, None])


def stack(network: np.ndarray, linear: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the probabilities (N, C) float32 of a blend.

    Args:
        network: its probabilities (N, C) float32. linear: log-probabilities (N, C) float64.
        weights: (2,) of the two; the array of a part of weight 0 may have no columns.
    """
    from seqclf.kernels.sparse_linear import stacked

    classes = max(network.shape[1], linear.shape[1])
    found = np.empty((len(network), classes), np.float32)
    stacked(network, linear, weights, np.empty(classes), found)
    return found


def validation_folds(texts: int, seed: int) -> np.ndarray:
    """Return the fold of each validation text (N,), of five: what is fitted on four predicts the fifth."""
    return np.random.default_rng([seed, 0x57AC]).permutation(texts) % _FOLDS


def cross_fitted(logs: Sequence[np.ndarray], targets: np.ndarray, weights: np.ndarray, seed: int) -> np.ndarray:
    """Return the log-probabilities (N, C) of a blend whose weights are fitted on the other four fifths of the texts."""
    folds = validation_folds(targets.size, seed)
    found = np.empty_like(logs[0])
    for fold in range(_FOLDS):
        own = folds == fold
        fitted = fit_weights([each[~own] for each in logs], targets[~own], weights[~own])
        found[own] = blended([each[own] for each in logs], fitted)
    return found


def choose(
    models: Mapping[str, np.ndarray],
    candidates: Sequence[str],
    targets: np.ndarray,
    weights: np.ndarray,
    *,
    skewed: bool,
    seed: int,
) -> Choice:
    """Return the blend, unless one of its parts is better on validation texts by more than two standard errors.

    They are compared by predictions whose weights are fitted on other texts (``cross_fitted``): by accuracy, or by
    macro-F1 if labels are skewed. The standard error is that of the difference of two accuracies on the same texts.

    Args:
        models: log-probabilities (N, C) of ``network``, ``linear`` or both.
        candidates: among ``CANDIDATES``.
        targets: (N,) classes. weights: (N,) of the texts in the loss.
        skewed: whether macro-F1 counts.
        seed: of the folds.

    Example:
        >>> models = {"network": np.log([[0.9, 0.1], [0.6, 0.4]] * 5), "linear": np.log([[0.4, 0.6], [0.2, 0.8]] * 5)}
        >>> found = choose(models, list(CANDIDATES), np.array([0, 1] * 5), np.ones(10), skewed=False, seed=1)
        >>> found.name, [each["dev_accuracy"] for each in found.measures.values()]
        ('blend', [0.5, 0.5, 1.0])
    """
    measures: dict[str, dict[str, float]] = {}
    right: dict[str, np.ndarray] = {}
    for name in candidates:
        found = cross_fitted([models[part] for part in _parts_of(name)], targets, weights, seed)
        predicted = found.argmax(axis=1)
        right[name] = predicted == targets
        loss = -float((weights * found[np.arange(targets.size), targets]).mean())
        measures[name] = {"dev_accuracy": float(right[name].mean()), "dev_loss": loss}
        if skewed:
            measures[name]["dev_macro_f1"] = macro_f1(targets.tolist(), predicted.tolist())
    measure = "dev_macro_f1" if skewed else "dev_accuracy"
    best = max(candidates, key=lambda name: (measures[name][measure], -measures[name]["dev_loss"]))
    if "blend" in candidates:
        error = np.sqrt(np.count_nonzero(right[best] != right["blend"])) / targets.size
        if measures[best][measure] - measures["blend"][measure] <= _ERRORS * error:
            best = "blend"
    fitted = np.zeros(2)
    fitted[list(CANDIDATES[best])] = fit_weights([models[part] for part in _parts_of(best)], targets, weights)
    return Choice(best, fitted, measures)


def _parts_of(candidate: str) -> list[str]:
    return [part for part, used in zip(("network", "linear"), CANDIDATES[candidate], strict=True) if used]
