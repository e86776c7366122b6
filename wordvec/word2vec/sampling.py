"""Which words are kept and which are noise: pure functions of the counts."""

import numpy as np

from wordvec.errors import InputError


def distance_weights(window: int, sampled: bool) -> np.ndarray:
    """What a context counts, by its place in the window around the centre; (2 window + 1,) float32, the centre's 0.

    word2vec.c draws each window's radius from 1 .. window, so that a context at distance d counts with probability
    1 - (d - 1) / window. Without ``sampled`` it counts that much every time: the same expected gradient, with less
    noise in it.

    Example:
        >>> distance_weights(4, sampled=False).tolist()
        [0.25, 0.5, 0.75, 1.0, 0.0, 1.0, 0.75, 0.5, 0.25]
    """
    distances = np.abs(np.arange(-window, window + 1))
    weights = np.ones(len(distances)) if sampled else 1 - (distances - 1) / window
    return np.where(distances > 0, weights, 0).astype(np.float32)


def tile_weights(window: int, centers: int) -> np.ndarray:
    """The distance weights of ``centers`` centres in a row, for every place that their windows reach.

    Returns:
        ((2 window + centers) rounded up to a multiple of 4, centers) float32, row by row as one array.
    """
    places = 2 * window + centers
    weights = np.zeros((-(-places // 4) * 4, centers), np.float32)
    for t in range(centers):
        weights[t : t + 2 * window + 1, t] = distance_weights(window, sampled=False)
    return weights.ravel()


def noise_probabilities(counts: np.ndarray, noise_exponent: float) -> np.ndarray:
    """The noise distribution: count to the power of ``noise_exponent``, normalised; (V,) float64.

    Raises:
        InputError: the powers are too large or too small to be numbers.

    Example:
        >>> noise_probabilities(np.array([16, 1]), 0.5).tolist()
        [0.8, 0.2]
    """
    with np.errstate(over="ignore"):
        weights = np.asarray(counts, np.float64) ** noise_exponent
        total = weights.sum()
    if not 0 < total < np.inf:
        raise InputError(f"noise_exponent = {noise_exponent} takes these counts out of float64; choose one nearer to 0")
    return weights / total


def alias_table(probabilities: np.ndarray) -> np.ndarray:
    """A table from which one random number draws a type in constant time (Walker 1977; Vose 1991).

    Column k stands for 1/V of all draws: the lower part of it for type k itself, the rest for its alias.

    Args:
        probabilities: (V,) float64, sum 1, V below 2^32.

    Returns:
        (V,) uint64: in the upper 32 bits the part of 2^32 that is type k's, in the lower 32 its alias.
    """
    size = len(probabilities)
    if size >= 1 << 32:
        raise InputError(f"a noise table holds fewer than 2^32 types, got {size:,}")
    share = np.asarray(probabilities, np.float64) * size
    alias = np.arange(size)
    small, large = np.flatnonzero(share < 1), np.flatnonzero(share >= 1)
    while len(small) and len(large):
        # Every large column fills one small column at a time; all of them at once.
        pairs = min(len(small), len(large))
        filled, giving = small[:pairs], large[:pairs]
        alias[filled] = giving
        share[giving] -= 1 - share[filled]
        still_large = share[giving] >= 1
        small = np.concatenate([small[pairs:], giving[~still_large]])
        large = np.concatenate([giving[still_large], large[pairs:]])
    # What is left on either side is 1 but for rounding.
    share[small] = share[large] = 1
    own = np.minimum(np.rint(share * 2.0**32), 2.0**32 - 1).astype(np.uint64)
    return (own << np.uint64(32)) | alias.astype(np.uint64)
