"""Subsampling of frequent tokens (Mikolov et al. 2013, section 2.3)."""

import numpy as np


def keep_probabilities(counts: np.ndarray, subsample: float, total: int | None = None) -> np.ndarray:
    """Return the probability of keeping a token of each type: min(1, sqrt(t / f) + t / f) at relative frequency f.

    Source: word2vec.c, which differs from the formula in its paper (Mikolov et al. 2013, arXiv 1310.4546, section 2.3).

    Args:
        counts: (V,) int64.
        subsample: the threshold t; 0 keeps all.
        total: the number of tokens, if there are others than these.

    Returns:
        (V,) float64.

    Example:
        >>> keep_probabilities(np.array([900, 90, 10]), 0.1).round(3).tolist()
        [0.444, 1.0, 1.0]
    """
    if subsample == 0:
        return np.ones(len(counts))
    ratio = subsample * (counts.sum() if total is None else total) / np.maximum(counts, 1)
    return np.asarray(np.minimum(np.sqrt(ratio) + ratio, 1.0))
