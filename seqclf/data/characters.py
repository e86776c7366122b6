"""Words as the characters that a network reads."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from wordvec import FormatError

_KEY = "characters"
_TENSOR = "character_points"
_MOST = 40
"""Characters read of a word; of longer ones, the first and the last half."""


class Characters:
    """The characters that a network knows.

    Args:
        points: (K,) int32, their Unicode code points, ascending. Other characters are unknown, which is number K.
        hidden_size: H, of the LSTM that reads them, for each direction.

    Example:
        >>> Characters.learn(["sun", "sea"], 8).spell(["sum", ""])
        (array([0, 1, 1], dtype=int32), array([0, 3, 3]))
    """

    def __init__(self, points: np.ndarray, hidden_size: int) -> None:
        self.points, self.hidden_size = points, hidden_size

    def __len__(self) -> int:
        return len(self.points)

    @classmethod
    def learn(cls, words: Iterable[str], hidden_size: int) -> Self:
        """Return the characters of at least two distinct words, so that training also meets unknown ones."""
        counts = Counter(character for word in set(words) for character in set(word))
        points = sorted(ord(character) for character, count in counts.items() if count > 1)
        return cls(np.array(points, np.int32), hidden_size)

    def spell(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers (N,) int32 of the words' characters, and where each word's begin (T + 1,) int64."""
        half = _MOST // 2
        cut = [word if len(word) <= _MOST else word[:half] + word[-half:] for word in words]
        given = np.frombuffer("".join(cut).encode("utf-32-le", "surrogatepass"), np.int32)
        found = np.searchsorted(self.points, given)
        known = np.append(self.points, -1)[found] == given
        offsets = np.zeros(len(words) + 1, np.int64)
        np.cumsum([len(word) for word in cut], out=offsets[1:])
        return np.where(known, found, len(self)).astype(np.int32), offsets

    def sizes(self) -> dict[str, int]:
        """Return the sizes of a network's encoder of characters, by name."""
        return {"characters": len(self) + 1, "hidden_size": self.hidden_size}

    def header(self) -> dict[str, Any]:
        """Return the entry of a model file's header."""
        return {_KEY: {"hidden_size": self.hidden_size}}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays of a model file."""
        return {_TENSOR: self.points}


def take_characters(
    name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]
) -> tuple[Characters | None, dict[str, np.ndarray]]:
    """Return the characters of a model file, None if it has none, and its other tensors.

    Raises:
        FormatError: they are inconsistent.
    """
    about = header.get(_KEY)
    if about is None:
        return None, dict(tensors)
    size = about.get("hidden_size") if isinstance(about, dict) else None
    if type(size) is not int or size < 1:
        raise FormatError(f"{name} is damaged or from a newer release: {_KEY} must have a hidden_size of at least 1")
    points = tensors.get(_TENSOR)
    if points is None or points.dtype != np.int32 or points.ndim != 1 or not (np.diff(points) > 0).all():
        raise FormatError(f"{name} is damaged: {_TENSOR} must be ascending int32 code points")
    return Characters(points, size), {key: each for key, each in tensors.items() if key != _TENSOR}
