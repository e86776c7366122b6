"""Rows rounded to eight bits, for many single questions: the exact answers in a fraction of the time."""

import numpy as np

from wordvec.vectors.search import cosine_error

AFTER = 20
"""Single questions before the rows are rounded: as many take as long as the first compilation of a kernel."""
FEWEST_ROWS = 10_000
"""Rows from which on it pays."""
_PLACES = 4096
_MOST = 2**15 - 1
"""The largest number of a rounded direction."""
_LARGEST_SUM = 2**30


class RoundedRows:
    """Unit vectors at eight bits a number, which narrow down the rows nearest to a direction.

    Args:
        units: (R, D) float32, of norm 1.

    Example:
        >>> units = np.eye(4, dtype=np.float32)
        >>> RoundedRows(units).candidates(np.array([0.8, 0.6, 0, 0], np.float32), 1, [0]).tolist()
        [1]
    """

    def __init__(self, units: np.ndarray) -> None:
        from wordvec.kernels.nearest import ROWS, round_rows

        n_rows, width = units.shape
        self._blocks = np.zeros((-(-n_rows // ROWS), -(-width // 2), ROWS, 2), np.int8)
        self._scales = np.zeros(len(self._blocks) * ROWS, np.float32)
        self._errors = np.full(len(self._scales), -np.inf, np.float32)
        round_rows(units, self._blocks, self._scales, self._errors)
        self._longest = 1 + float(self._errors.max())

    def candidates(self, direction: np.ndarray, top: int, excluded: list[int]) -> np.ndarray | None:
        """Return rows, ascending, with the ``top`` nearest to a ``direction`` (D,) of norm 1 among them, without those
        ``excluded``; None if they are too many."""
        from wordvec.kernels.nearest import ROWS, candidates

        size, found = direction.size, np.empty(_PLACES, np.int64)
        # No sum of products exceeds |q| |p|.
        stretch = min(_MOST / np.abs(direction).max(), _LARGEST_SUM / (127 * size**0.5))
        rounded = np.zeros(2 * self._blocks.shape[1], np.int16)
        rounded[:size] = np.rint(direction * stretch)
        error = direction - rounded[:size] / stretch
        slack = 2 * float(cosine_error(size)) + self._longest * float(error @ error) ** 0.5
        count = candidates(
            self._blocks, self._scales, self._errors, rounded.reshape(-1, 2), np.float32(1 / stretch),
            np.float32(slack), np.array(excluded, np.int64), np.empty(min(top, _PLACES), np.float32),
            np.empty(_PLACES, np.float32), found, np.empty(ROWS, np.int32),
        )  # fmt: skip
        return None if count < 0 else found[:count]
