"""Exact top-k search by cosine (3CosAdd, 3CosMul): pure functions on arrays.

A fast float32 BLAS product selects candidate rows, which are scored again in float64. Neither the number of BLAS
threads nor the batch size changes a result, and ties are in row order.
"""

from typing import Any

import numpy as np

from wordvec.errors import InputError

QUERY_BLOCK = 256
"""Queries per matrix product; larger products measured slower."""

MUL_EPSILON = 0.001
"""The epsilon of 3CosMul, which prevents division by zero (Levy & Goldberg 2014, equation 4)."""

_SCORES_AT_ONCE = 1 << 25
_ROWS_AT_ONCE = 8192
_ROWS_IN_CACHE = 1024
_LEAST_SQUARE, _MOST_SQUARE = 1e-30, 1e30
"""Squared norms of vectors whose products in float32 are as exact as those of unit vectors."""
_BLOCK = 64


def query_block(n_rows: int) -> int:
    """Return the number of queries per batch over ``n_rows`` rows that keeps the scores below 128 MiB."""
    return max(1, min(QUERY_BLOCK, _SCORES_AT_ONCE // max(1, n_rows)))


def row_norms(vectors: np.ndarray) -> np.ndarray:
    """Return the Euclidean norms (R,) float64 of the rows of ``vectors`` (R, D)."""
    norms = np.empty(len(vectors))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        block = vectors[start : start + _ROWS_AT_ONCE].astype(np.float64)
        norms[start : start + _ROWS_AT_ONCE] = np.sqrt((block * block).sum(axis=1))
    return norms


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Return ``vectors`` (R, D) with L2-normalized rows, float32; zero rows stay zero."""
    norms = row_norms(vectors)
    norms[norms == 0] = 1
    units = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        units[rows] = vectors[rows] / norms[rows, None]
    return units


def mapped_scores(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the products of unit vectors and directions, in one pass over the vectors, which are not copied.

    Args:
        vectors: (R, D) float32, of any norm, such as a map of a file.
        directions: (Q, D) float32.

    Returns:
        (Q, R) float32.

    Raises:
        InputError: a vector is not finite.
    """
    scores = np.empty((len(directions), len(vectors)), np.float32)
    for start in range(0, len(vectors), _ROWS_IN_CACHE):
        rows = slice(start, start + _ROWS_IN_CACHE)
        block = np.asarray(vectors[rows])
        with np.errstate(over="ignore"):
            squares = np.einsum("ij,ij->i", block, block)
        if not ((squares > _LEAST_SQUARE) & (squares < _MOST_SQUARE)).all():
            if not (good := np.isfinite(block).all(axis=1)).all():
                raise InputError(f"vectors must be finite, got NaN or infinity in row {start + int(good.argmin())}")
            block, squares = unit_rows(block), np.ones(1, np.float32)
        scores[:, rows] = directions @ block.T / np.sqrt(squares)
    return scores


def cosines(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the cosines of rows and directions in float64; a row's position does not affect its result.

    Args:
        vectors: (R, D), of any norm; the cosine with a zero row is 0.
        directions: (Q, D) float64, of norm 1.

    Returns:
        (Q, R) float64.
    """
    result = np.empty((len(directions), len(vectors)))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        block = vectors[rows].astype(np.float64)
        norms = row_norms(block)
        norms[norms == 0] = 1
        for direction, scores in zip(directions, result, strict=True):
            # Not a BLAS product, whose rounding of a row depends on its position in the block.
            scores[rows] = (block * direction).sum(axis=1) / norms
    return np.clip(result, -1, 1)


def mul_scores(near: np.ndarray, far: np.ndarray, epsilon: float = MUL_EPSILON) -> np.ndarray:
    """Return the 3CosMul scores: the product of the positive cosines divided by that of the negative cosines.

    ``prod_p (1 + cos(x, p)) / 2  /  prod_n ((1 + cos(x, n)) / 2 + epsilon)`` (Levy & Goldberg 2014, equation 4, cosines
    shifted to 0..1 as in section 3).

    Args:
        near, far: (P, R) and (N, R) cosines with the positive and the negative terms.

    Returns:
        (R,) of their dtype.
    """
    return np.asarray(np.prod((1 + near) / 2, axis=0) / np.prod((1 + far) / 2 + far.dtype.type(epsilon), axis=0))


def cosine_error(vector_size: int) -> np.float32:
    """Return a bound on the error of a float32 dot product of two rounded unit vectors as their cosine.

    It is twice that of the product, and so it is one of a product divided by a norm computed in float32, too.
    """
    return np.float32((vector_size + 4) * 2.0**-23)


def contenders(lowest: np.ndarray, highest: np.ndarray, top: int) -> np.ndarray:
    """Return the rows, ascending, that can be among the ``top`` best, given bounds on their scores.

    Args:
        lowest, highest: (R,) lower and upper bounds, both -inf for an excluded row.
    """
    allowed = highest > -np.inf
    if top >= np.count_nonzero(allowed):
        return np.flatnonzero(allowed)
    return np.flatnonzero(allowed & (highest >= nth_largest(lowest, top)))


def nth_largest(values: np.ndarray, n: int) -> np.floating:
    """Return the n-th largest of ``values`` (R,), counting repetitions.

    Values below the n-th largest of the block maxima are ruled out first, since n blocks have a value at least that
    large; few values remain to be partitioned.

    Example:
        >>> float(nth_largest(np.array([3.0, 9.0, 9.0, 1.0]), 2))
        9.0
    """
    blocks = values[: len(values) - len(values) % _BLOCK].reshape(-1, _BLOCK)
    if len(blocks) > 2 * n:
        values = values[values >= nth_largest(blocks.max(axis=1), n)]
    largest: np.floating[Any] = np.partition(values, len(values) - n)[len(values) - n]
    return largest


def ranked(rows: np.ndarray, scores: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ``top`` best of ascending ``rows`` (n,) by descending ``scores`` (n,), ties in row order."""
    order = np.argsort(-scores, kind="stable")[:top]
    return rows[order], scores[order]
