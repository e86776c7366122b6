"""Baseline n-gram models: smoothed unigrams, and bigrams interpolated with them."""

import numpy as np


def unigram_log_probabilities(counts: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return log p of each token, ``p(w) = (count(w) + 1) / (N + V)``: (N,) float64.

    Args:
        counts: (V,) of the training text.
        ids: (N + 1,) int32; the first token is given.

    Example:
        >>> np.exp(unigram_log_probabilities(np.array([5, 2, 0]), np.array([1, 0, 2])))
        array([0.6, 0.1])
    """
    return np.asarray(np.log((counts + 1.0) / (counts.sum() + counts.size))[ids[1:]])


def bigram_log_probabilities(counts: np.ndarray, trained: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return log p of each token given the previous one, with Witten-Bell (1991) interpolation: (N,) float64.

    ``p(w | v) = (count(v w) + T(v) p(w)) / (count(v) + T(v))``, where T(v) is the number of distinct tokens
    after v. There are no hyperparameters.

    Args:
        counts: (V,) of the training text, for p(w).
        trained: (M + 1,) int32, the training text. ids: (N + 1,) int32.

    Example:
        >>> trained, counts = np.array([0, 1, 0, 1, 0]), np.array([2, 2])
        >>> np.exp(bigram_log_probabilities(counts, trained, np.array([0, 1, 1]))).round(4)
        array([0.8333, 0.1667])
    """
    size = np.int64(counts.size)
    pairs, times = np.unique(trained[:-1] * size + trained[1:], return_counts=True)
    before = np.bincount(trained[:-1], minlength=counts.size)
    followers = np.bincount(pairs // size, minlength=counts.size)
    queried = ids[:-1] * size + ids[1:]
    place = np.minimum(np.searchsorted(pairs, queried), pairs.size - 1)
    together = np.where(pairs[place] == queried, times[place], 0)
    known = followers[ids[:-1]]
    p = np.exp(unigram_log_probabilities(counts, ids))
    whole = before[ids[:-1]] + known
    return np.asarray(np.log(np.where(whole > 0, (together + known * p) / np.maximum(whole, 1), p)))
