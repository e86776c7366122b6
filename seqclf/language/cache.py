"""Continuous cache: words that followed similar states of the text so far become more probable (Grave et al. 2017)."""

from dataclasses import dataclass

import numpy as np

from seqclf.language.network import WINDOW, LanguageNetwork, windows
from seqclf.layers.workers import Workers
from wordvec.system.validation import check_number, check_whole


@dataclass(frozen=True)
class ContinuousCache:
    """What a continuous cache remembers, and how much it counts; it needs no training.

    ``p(w) = (1 - weight) p_model(w) + weight p_cache(w)``, with ``p_cache(w)`` in proportion to the sum of
    ``exp(theta h_t · h_i)`` over the last ``size`` places i of the text that w follows; h are the states before the
    softmax. ``weight`` and ``theta`` are best chosen on a validation text; the defaults are those of the Penn Treebank.

    Attributes:
        size: places remembered. theta: how much similarity counts. weight: of the cache.

    Raises:
        InputError: a value is out of range.

    Example:
        >>> ContinuousCache(weight=2)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: weight must be at least 0 and below 1, got 2
    """

    size: int = 2_000
    theta: float = 0.2
    weight: float = 0.15

    def __post_init__(self) -> None:
        check_whole("size", self.size, 1)
        check_number("theta", self.theta, least=0)
        check_number("weight", self.weight, least=0, below=1)


def cached_log_probabilities(
    network: LanguageNetwork, ids: np.ndarray, cache: ContinuousCache, workers: Workers | None = None
) -> np.ndarray:
    """Return log p of each token but the first, with a cache: (N,) float64; see ``LanguageNetwork.log_probabilities``.

    The first token has no cache, and is predicted by the model.

    Args:
        ids: (N + 1,) int32; the first token is given.
        cache: see ``ContinuousCache``. workers: threads; the model's probabilities do not depend on them.
    """
    found, states = [np.empty(0)], None
    keys, words = np.empty((0, network.encoder.features), network.dtype), np.empty(0, np.int32)
    for window in windows(ids, np.array([0, ids.size - 1]), WINDOW):
        rows, states = network.read(window.batch, states, workers)
        p = np.exp(network.head.log_probabilities(rows, window.targets, workers))
        past = len(keys)
        keys, words = np.concatenate([keys, rows]), np.concatenate([words, window.targets])
        share = _shares(rows, window.targets, keys, words, past, cache)
        weight = np.where(np.arange(past, len(keys)) > 0, cache.weight, 0.0)
        found.append(np.log((1 - weight) * p + weight * share))
        keys, words = keys[-cache.size :].copy(), words[-cache.size :]
    return np.concatenate(found)


def _shares(
    rows: np.ndarray, targets: np.ndarray, keys: np.ndarray, words: np.ndarray, past: int, cache: ContinuousCache
) -> np.ndarray:
    """Return p_cache of each row's target: (T,) float64; row t sees at most ``size`` keys before ``past + t``."""
    scores = (rows @ keys.T) * rows.dtype.type(cache.theta)
    distance = past + np.arange(len(rows))[:, None] - np.arange(len(keys))
    scores[(distance <= 0) | (distance > cache.size)] = -np.inf
    highest = np.maximum(scores.max(axis=1, keepdims=True), np.finfo(scores.dtype).min)
    similar = np.exp(scores - highest)
    right = (similar * (words == targets[:, None])).sum(axis=1, dtype=np.float64)
    return np.asarray(right / np.maximum(similar.sum(axis=1, dtype=np.float64), 1e-300))
