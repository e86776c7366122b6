"""Ids of a text before its vocabulary is chosen, so that the text is read once."""

from collections.abc import Iterator
from typing import IO

import numpy as np

_PIECE, _ENDS = 1 << 15, 1 << 13
"""Ids and sentence ends read per step."""


class ProvisionalIds:
    """The ids and sentence offsets of a text in two files, where the ids of its vocabulary replace them.

    Args:
        ids, offsets: open for reading and writing, empty.
    """

    def __init__(self, ids: IO[bytes], offsets: IO[bytes]) -> None:
        self._ids, self._offsets = ids, offsets
        self._count, self._size = 0, 8
        offsets.write(np.int64(0).tobytes())

    def write(self, ids: np.ndarray, ends: np.ndarray) -> None:
        """Append the ids (n,) int32 of a block, and the number of them before each of its sentence ends (m,) int32."""
        self._ids.write(ids.data)
        self._offsets.write((ends.astype(np.int64) + self._count).data)
        self._count += len(ids)
        self._size += 8 * len(ends)

    def discard(self) -> None:
        """Empty both files."""
        for file in (self._ids, self._offsets):
            file.seek(0)
            file.truncate()

    def renumber(self, numbers: np.ndarray) -> None:
        """Replace each id by its number, and drop the ids whose number is -1.

        Args:
            numbers: (types,) int32.
        """
        from wordvec.kernels.tokenize import renumber

        kept, place = 0, 8
        for first, ids, ends in self._parts():
            found = ids[: renumber(ids, numbers, ends, first, kept)]
            self._offsets.seek(place)
            self._offsets.write(ends.data)
            self._ids.seek(4 * kept)
            self._ids.write(found.data)
            kept, place = kept + len(found), place + ends.nbytes
        self._ids.truncate(4 * kept)
        self._ids.seek(0, 2)

    def _parts(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield pieces of the corpus: the place of the first id, the ids (n,) int32, and the sentence ends (m,) int64.

        Earlier pieces may be overwritten meanwhile.
        """
        first, place = 0, 8
        while first < self._count or place < self._size:
            ends = _read(self._offsets, place, np.empty(_ENDS, np.int64))
            last = int(ends[-1]) if len(ends) else self._count
            done = 0
            while first < last or done < len(ends):
                ids = _read(self._ids, 4 * first, np.empty(min(_PIECE, last - first), np.int32))
                stop = int(np.searchsorted(ends, first + len(ids), side="right"))
                yield first, ids, ends[done:stop]
                first, done = first + len(ids), stop
            place += ends.nbytes


def _read(file: IO[bytes], place: int, numbers: np.ndarray) -> np.ndarray:
    """Read numbers from a place in a file into an array, and return those that there were."""
    file.seek(place)
    count = file.readinto(numbers.view(np.uint8).data)  # type: ignore[attr-defined]
    return numbers[: count // numbers.itemsize]
