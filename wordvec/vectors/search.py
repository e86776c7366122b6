"""The arithmetic of questions to word vectors: pure functions on arrays, no words.

A quick pass in float32 through BLAS finds the rows that can be among the best; those few are scored again in float64,
so that neither the number of BLAS threads nor the number of questions asked at once changes an answer, and rows that
tie stand in row order.
"""

import numpy as np

QUERY_BLOCK = 256
"""Questions in one matrix product; larger products measured slower."""

MUL_EPSILON = 0.001
"""Keeps the quotient of 3CosMul finite (Levy & Goldberg 2014, equation 4)."""

_SCORES_AT_ONCE = 1 << 25
_ROWS_AT_ONCE = 8192
_STRETCH = 64


def query_block(n_rows: int) -> int:
    """How many questions to ask ``n_rows`` rows at once, so that their scores stay below 128 MiB."""
    return max(1, min(QUERY_BLOCK, _SCORES_AT_ONCE // max(1, n_rows)))


def row_norms(vectors: np.ndarray) -> np.ndarray:
    """The Euclidean length of each row of ``vectors`` (R, D), as (R,) float64."""
    norms = np.empty(len(vectors))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        block = vectors[start : start + _ROWS_AT_ONCE].astype(np.float64)
        norms[start : start + _ROWS_AT_ONCE] = np.sqrt((block * block).sum(axis=1))
    return norms


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """``vectors`` (R, D) with each row divided by its length, as (R, D) float32; a row of zeros stays one."""
    norms = row_norms(vectors)
    norms[norms == 0] = 1
    units = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        units[rows] = vectors[rows] / norms[rows, None]
    return units


def cosines(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Cosines in float64 between rows and directions, each pair computed alike wherever its row stands.

    Args:
        vectors: (R, D), of any length; the cosine with a row of zeros is 0.
        directions: (Q, D) float64, of length 1.

    Returns:
        (Q, R) float64.
    """
    norms = row_norms(vectors)
    norms[norms == 0] = 1
    result = np.empty((len(directions), len(vectors)))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        block = vectors[rows].astype(np.float64)
        for direction, scores in zip(directions, result, strict=True):
            # Not a BLAS product: that rounds a row differently by where it stands in the block.
            scores[rows] = (block * direction).sum(axis=1) / norms[rows]
    return np.clip(result, -1, 1)


def mul_scores(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """3CosMul: the product of the cosines to be near to, divided by that of those to be far from.

    ``prod_p (1 + cos(x, p)) / 2  /  prod_n ((1 + cos(x, n)) / 2 + 0.001)`` (Levy & Goldberg 2014, equation 4, the
    cosines shifted to 0..1 as there in section 3).

    Args:
        near, far: (P, R) and (N, R) cosines.

    Returns:
        (R,) of their dtype.
    """
    return np.prod((1 + near) / 2, axis=0) / np.prod((1 + far) / 2 + MUL_EPSILON, axis=0)


def cosine_error(vector_size: int) -> np.float32:
    """A bound on how far a float32 dot product of two rounded unit vectors lies from their cosine."""
    return np.float32((vector_size + 4) * 2.0**-23)


def contenders(lowest: np.ndarray, highest: np.ndarray, top: int) -> np.ndarray:
    """The rows, ascending, that can be among the ``top`` best, given what each scores at least and at most.

    Args:
        lowest, highest: (R,), both -inf for a row that must not be an answer.
    """
    allowed = highest > -np.inf
    if top >= np.count_nonzero(allowed):
        return np.flatnonzero(allowed)
    return np.flatnonzero(allowed & (highest >= nth_largest(lowest, top)))


def nth_largest(values: np.ndarray, n: int) -> np.floating:
    """The n-th largest of ``values`` (R,), counted with repetition.

    The largest of each stretch are looked at first. As many stretches as are asked for have one at least as large as
    the n-th largest of these; so nothing smaller counts, which leaves few of many values to be put into order.

    Example:
        >>> float(nth_largest(np.array([3.0, 9.0, 9.0, 1.0]), 2))
        9.0
    """
    stretches = values[: len(values) - len(values) % _STRETCH].reshape(-1, _STRETCH)
    if len(stretches) > 2 * n:
        values = values[values >= nth_largest(stretches.max(axis=1), n)]
    return np.partition(values, len(values) - n)[len(values) - n]


def ranked(rows: np.ndarray, scores: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``top`` best of ascending ``rows`` (n,) by falling ``scores`` (n,), equal ones in row order."""
    order = np.argsort(-scores, kind="stable")[:top]
    return rows[order], scores[order]
