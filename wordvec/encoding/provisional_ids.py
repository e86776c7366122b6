"""Ids of a text before its vocabulary is chosen, so that the text is read once."""

from typing import IO

import numpy as np

_PIECE, _ENDS = 1 << 18, 1 << 15
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

        first = kept = 0
        piece, ends = np.empty(_PIECE, np.int32), np.empty(_ENDS, np.int64)
        place = 8
        while first < self._count or place < self._size:
            ends = _read(self._offsets, place, ends)
            last = int(ends[-1]) if len(ends) else self._count
            done = 0
            while first < last or done < len(ends):
                ids = _read(self._ids, 4 * first, piece[: last - first])
                stop = int(np.searchsorted(ends, first + len(ids), side="right"))
                written = renumber(ids, numbers, ends[done:stop], first, kept)
                self._ids.seek(4 * kept)
                self._ids.write(ids[:written].data)
                first, kept, done = first + len(ids), kept + written, stop
            self._offsets.seek(place)
            self._offsets.write(ends.data)
            place += ends.nbytes
        self._ids.truncate(4 * kept)
        self._ids.seek(0, 2)


def _read(file: IO[bytes], place: int, numbers: np.ndarray) -> np.ndarray:
    """Read numbers from a place in a file into an array, and return those that there were."""
    file.seek(place)
    content = file.read(numbers.nbytes)
    found = numbers[: len(content) // numbers.itemsize]
    found[:] = np.frombuffer(content, numbers.dtype)
    return found
