"""Sequences of vectors (T, E), or of numbers (T,), standardized by the training data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.data.series import as_steps, check_scaled, is_numeric, mean_and_deviation


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation (E,) of the vectors in the training sequences."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def learn(cls, sequences: Sequence[Any]) -> "Scaling":
        """Fit to sequences, all of whose vectors have as many values as the first."""
        columns = as_steps(sequences[0]).shape[1]
        return cls(*mean_and_deviation(np.concatenate([as_steps(each, columns) for each in sequences])))

    def rows(self, sequences: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Return all vectors (N, E) float32, standardized, and the offsets (S + 1,) int64 of the sequences.

        Raises:
            InputError: a sequence is not numeric, empty, not finite, or has vectors of another size.
        """
        steps = [as_steps(sequence, self.mean.size) for sequence in sequences]
        offsets = np.zeros(len(steps) + 1, np.int64)
        np.cumsum([len(each) for each in steps], out=offsets[1:])
        rows = (np.concatenate([np.empty((0, self.mean.size)), *steps]) - self.mean) / self.deviation
        check_scaled("a sequence", rows)
        return rows.astype(np.float32), offsets


def are_vectors(sequences: Any) -> bool:
    """Return whether a list holds sequences of numbers (T,) or of vectors (T, E), or an array (S, T, E) is one of them.

    An array (S, F) of numbers is not: it may hold features of S texts.

    Example:
        >>> are_vectors([np.ones((4, 2)), np.ones((9, 2))]), are_vectors(np.ones((9, 2))), are_vectors(["fire"])
        (True, False, False)
    """
    if isinstance(sequences, np.ndarray) and sequences.dtype != object:
        return sequences.ndim == 3 and sequences.dtype.kind in "fiub"
    if not isinstance(sequences, Sequence | np.ndarray) or not len(sequences):
        return False
    first = sequences[0]
    return isinstance(first, list | tuple | np.ndarray) and is_numeric(first)
