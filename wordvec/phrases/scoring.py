"""Scores of pairs of words: word2phrase's, normalized pointwise mutual information, or a function's."""

from collections.abc import Callable

import numpy as np

from wordvec.system.structures import finite_array


def word2phrase_scores(
    first: np.ndarray, second: np.ndarray, pairs: np.ndarray, *, types: int, min_count: int, **_: int
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


def npmi_scores(first: np.ndarray, second: np.ndarray, pairs: np.ndarray, *, tokens: int, **_: int) -> np.ndarray:
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


_SCORES: dict[str, Callable[..., np.ndarray]] = {"default": word2phrase_scores, "npmi": npmi_scores}


def pair_scores(
    scoring: str | Callable[..., np.ndarray], first: np.ndarray, second: np.ndarray, pairs: np.ndarray, **totals: int
) -> np.ndarray:
    """Return the scores (n,) float64 of pairs.

    Args:
        scoring: "default", "npmi", or a function ``scoring(first, second, pairs, *, types, tokens, min_count)`` that
            returns n numbers.
        first, second, pairs: (n,) int64, counts of the first word, of the second one and of the pair.
        totals: ``types``, the number of distinct words and pairs; ``tokens``, that of words in the text; ``min_count``.

    Raises:
        InputError: a function does not return n finite numbers.

    Example:
        >>> def dice(first, second, pairs, **_):
        ...     return 2 * pairs / (first + second)
        >>> pair_scores(dice, np.array([30]), np.array([20]), np.array([15]), types=1000, tokens=9000, min_count=5)
        array([0.6])
    """
    if isinstance(scoring, str):
        return _SCORES[scoring](first, second, pairs, **totals)
    return finite_array("scores", scoring(first, second, pairs, **totals), (len(pairs),))
