"""Deletion index: all strings of a list within two edits of a query, by hashes of what is left after deletions.

Strings at most two edits apart have a common string that is left after at most two deletions from each (Mor & Fraenkel
1982, SymSpell). Hashes of strings left, sorted, take the place of the strings.
"""

from functools import cache
from itertools import combinations

import numpy as np

_DELETIONS = 2
_LONGEST = 32
"""Longer strings are near none."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_CELLS = 1 << 20
"""Letters that are hashed at a time."""


class DeletionIndex:
    """An index of strings; empty ones are near none.

    Example:
        >>> queries, rows = DeletionIndex(["king", "queen", "kin"]).near(["kings", "quen"])
        >>> queries.tolist(), rows.tolist()
        ([0, 0, 1], [0, 2, 1])
    """

    def __init__(self, words: list[str]) -> None:
        hashes, rows = _left(words)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._rows, self._size = hashes[order], rows[order], max(1, len(words))

    def near(self, queries: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return all pairs (n,) int64 of a query and a row at most two edits apart, and some others, in order."""
        hashes, numbers = _left(queries)
        first = np.searchsorted(self._hashes, hashes, "left")
        sizes = np.searchsorted(self._hashes, hashes, "right") - first
        ends = np.cumsum(sizes)
        places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes) + np.repeat(first, sizes)
        pairs = np.unique(np.repeat(numbers, sizes) * self._size + self._rows[places])
        return pairs // self._size, pairs % self._size


def _left(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes (n,) uint64 of what is left of each word after at most two deletions, and its row, int64."""
    lengths = np.array([len(word) for word in words], np.int64)
    hashes, rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for length in np.unique(lengths[(lengths > 0) & (lengths <= _LONGEST)]).tolist():
        same = np.flatnonzero(lengths == length)
        for kept in _kept(length):
            powers = _powers(kept.shape[1])
            step = max(1, _CELLS // max(1, kept.size))
            for start in range(0, len(same), step):
                part = same[start : start + step]
                letters = np.array([words[row] for row in part.tolist()], f"U{length}").view(np.uint32)
                codes = letters.reshape(len(part), length).astype(np.uint64)
                found = (codes[:, kept] * powers).sum(axis=2, dtype=np.uint64)
                hashes.append((found * _FACTOR ^ found >> np.uint64(29)).ravel())
                rows.append(np.repeat(part, len(kept)))
    return np.concatenate(hashes), np.concatenate(rows)


@cache
def _kept(length: int) -> list[np.ndarray]:
    """Return the places that are kept, (choices, letters) for none, one and two deletions."""
    sizes = range(length, max(length - _DELETIONS, 0) - 1, -1)
    return [np.array(list(combinations(range(length), size)), np.int64) for size in sizes]


@cache
def _powers(length: int) -> np.ndarray:
    """Return the weights (L,) uint64 of letters: powers of a factor, modulo 2^64."""
    powers = [1]
    for _ in range(length):
        powers.append(powers[-1] * int(_FACTOR) % 2**64)
    return np.array(powers[:length], np.uint64)
