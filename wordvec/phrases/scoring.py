"""Scores of pairs of words: word2phrase's, and normalized pointwise mutual information."""

import numpy as np


def word2phrase_scores(
    first: np.ndarray, second: np.ndarray, pairs: np.ndarray, *, types: int, min_count: int
) -> np.ndarray:
    """Return (n_ab - min_count) / (n_a n_b) V, float64: how often a and b occur together, compared with chance.

    Mikolov et al. 2013 (arXiv 1310.4546, eq. 6), scaled by the vocabulary as in word2phrase.c and gensim.

    Args:
        first, second, pairs: (n,) int64, counts of a, of b and of the pair.
        types: V, the number of distinct words and pairs.
        min_count: the discount.

    Example:
        >>> word2phrase_scores(np.array([30]), np.array([20]), np.array([15]), types=1000, min_count=5)
        array([16.66666667])
    """
    scores: np.ndarray = (pairs - min_count) / (first.astype(np.float64) * second) * types
    return scores


def npmi_scores(first: np.ndarray, second: np.ndarray, pairs: np.ndarray, *, tokens: int) -> np.ndarray:
    """Return ln(p_ab / (p_a p_b)) / -ln p_ab, float64, -1 to 1 (Bouma 2009).

    Args:
        first, second, pairs: (n,) int64, counts of a, of b and of the pair.
        tokens: the number of tokens of the text, of which the probabilities are shares.

    Example:
        >>> npmi_scores(np.array([10]), np.array([10]), np.array([10]), tokens=1000)
        array([1.])
    """
    p_first, p_second, p_pair = first / tokens, second / tokens, pairs / tokens
    scores: np.ndarray = np.log(p_pair / (p_first * p_second)) / -np.log(p_pair)
    return scores
