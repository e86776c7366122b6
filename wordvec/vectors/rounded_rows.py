"""Rows rounded to eight bits, for many single questions: the exact answers in a third of the time."""

import numpy as np

from wordvec.vectors.search import cosine_error

AFTER = 20
"""Single questions before the rows are rounded: as many take as long as the first compilation of a kernel."""
FEWEST_ROWS = 10_000
"""Rows from which on it pays."""
_PLACES = 4096
_UNROLLED = 64
"""Numbers of a row that the compiler's loop takes at once; rows are padded, as a remainder takes as long."""


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
        from wordvec.kernels.nearest import round_rows

        self._whole = np.zeros((len(units), -(-units.shape[1] // _UNROLLED) * _UNROLLED), np.int8)
        self._scales, self._errors = np.empty(len(units), np.float32), np.empty(len(units), np.float32)
        round_rows(units, self._whole, self._scales, self._errors)

    def candidates(self, direction: np.ndarray, top: int, excluded: list[int]) -> np.ndarray | None:
        """Return rows, ascending, with the ``top`` nearest to a ``direction`` (D,) of norm 1 among them, without those
        ``excluded``; None if they are too many."""
        from wordvec.kernels.nearest import candidates

        found, slack = np.empty(_PLACES, np.int64), 2 * float(cosine_error(direction.size))
        padded = np.zeros(self._whole.shape[1], np.float32)
        padded[: direction.size] = direction
        count = candidates(
            self._whole, self._scales, self._errors, padded, slack, np.array(excluded, np.int64),
            np.empty(min(top, _PLACES), np.float32), np.empty(_PLACES, np.float32), found,
        )  # fmt: skip
        return None if count < 0 else found[:count]
