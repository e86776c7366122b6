"""Window weights, the noise distribution and its alias table."""

import numpy as np

from wordvec.errors import InputError


def distance_weights(window: int, falling: bool, reach: int | None = None) -> np.ndarray:
    """Return the weight of a context up to ``reach`` away, (2 reach + 1,) float32, 0 for the center.

    word2vec.c draws the radius of each window from 1 .. window, so that a context at distance d is used with
    probability 1 - (d - 1) / window. ``falling`` weights are that probability: the same expected gradient with less
    variance. Otherwise all are 1, be the radius drawn or fixed. None reaches as far as the window.

    Example:
        >>> distance_weights(4, falling=True).tolist()
        [0.25, 0.5, 0.75, 1.0, 0.0, 1.0, 0.75, 0.5, 0.25]
    """
    reach = window if reach is None else reach
    distances = np.abs(np.arange(-reach, reach + 1))
    weights = 1 - (distances - 1) / window if falling else np.ones(len(distances))
    return np.where(distances > 0, weights, 0).astype(np.float32)


def tile_weights(weights: np.ndarray, centers: int) -> np.ndarray:
    """Return the ``weights`` (2 window + 1,) of the contexts of ``centers`` consecutive centers, for every position
    within their windows.

    Returns:
        ((2 window + centers) rounded up to a multiple of 4, and 4 more for loads from any position on, centers)
        float32, flattened in row-major order.
    """
    places = len(weights) - 1 + centers
    found = np.zeros((-(-places // 4) * 4 + 4, centers), np.float32)
    for t in range(centers):
        found[t : t + len(weights), t] = weights
    return found.ravel()


def split_weights(weights: np.ndarray) -> np.ndarray:
    """Return the ``weights`` (2 window + 1,) of the contexts of four consecutive centers, with the first three and the
    last three positions within their windows in the same rows: no center has both.

    Returns:
        (rows, 4) float32, flattened in row-major order: those of all centers, padded to a multiple of four, and four
        more, the last of which is zero.
    """
    found = tile_weights(weights, 4).reshape(-1, 4)
    window = len(weights) // 2
    full, around = 2 * window - 2, 2 * window + 1
    split = np.zeros((-(-full // 4) * 4 + 4, 4), np.float32)
    split[:full] = found[3:around]
    split[-4:-1] = found[:3] + found[around : around + 3]
    return split.ravel()


def noise_probabilities(counts: np.ndarray, noise_exponent: float) -> np.ndarray:
    """Return the noise distribution (V,) float64: counts to the power of ``noise_exponent``, normalized.

    Raises:
        InputError: the powers overflow or underflow float64.

    Example:
        >>> noise_probabilities(np.array([16, 1]), 0.5).tolist()
        [0.8, 0.2]
    """
    with np.errstate(over="ignore"):
        weights = np.asarray(counts, np.float64) ** noise_exponent
        total = weights.sum()
    if not 0 < total < np.inf:
        raise InputError(f"noise_exponent = {noise_exponent} takes these counts out of float64; use one nearer to 0")
    return np.asarray(weights / total)


def alias_table(probabilities: np.ndarray) -> np.ndarray:
    """Return an alias table, from which one random number draws a type in constant time (Walker 1977; Vose 1991).

    Column k has probability 1/V; within it, type k is drawn with the stored probability, else its alias.

    Args:
        probabilities: (V,) float64, sum 1, V below 2^32.

    Returns:
        (V,) uint64: the probability of type k within its column, times 2^32, in the upper 32 bits; its alias in the
        lower 32 bits.
    """
    size = len(probabilities)
    if size >= 1 << 32:
        raise InputError(f"a noise table must have fewer than 2^32 types, got {size:,}")
    share = np.asarray(probabilities, np.float64) * size
    alias = np.arange(size)
    small, large = np.flatnonzero(share < 1), np.flatnonzero(share >= 1)
    while len(small) and len(large):
        # Each large column fills one small column per iteration, vectorized over all pairs.
        pairs = min(len(small), len(large))
        filled, giving = small[:pairs], large[:pairs]
        alias[filled] = giving
        share[giving] -= 1 - share[filled]
        still_large = share[giving] >= 1
        small = np.concatenate([small[pairs:], giving[~still_large]])
        large = np.concatenate([giving[still_large], large[pairs:]])
    # The remaining shares are 1 up to rounding.
    share[small] = share[large] = 1
    own = np.minimum(np.rint(share * 2.0**32), 2.0**32 - 1).astype(np.uint64)
    return (own << np.uint64(32)) | alias.astype(np.uint64)
