"""The columns of each thread in memory of their own, for the rows that words are composed of.

A processor that reads some columns of a row fetches the next ones, too, which another is about to change: with two
threads on columns of the same rows, composing words took 1.5 and adding their changes 2.2 times the processor time of
one thread.
"""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.system.aligned_arrays import aligned

if TYPE_CHECKING:
    from wordvec.kernels.subwords import Subwords


class Planes:
    """Where the threads find the rows of subwords: one plane of columns per thread, or, for one thread, the memory.

    Planes have a place for every row of the memory, but those of rows that are never written take no memory.

    Args:
        memory: (R, stride) float32.
        blocks: the rows that words are composed of.
        threads: more of them than a row has vectors share out the vectors of the first ones.
    """

    def __init__(self, memory: np.ndarray, blocks: tuple[slice, ...], threads: int) -> None:
        self._memory, self._blocks = memory, blocks
        vectors = memory.shape[1] // 16
        parts = min(threads, vectors)
        self.columns = 16 * (vectors * np.minimum(np.arange(threads + 1), parts) // parts)
        self._are_copies = threads > 1
        self.table = aligned(memory.size, np.float32) if self._are_copies else memory.reshape(-1)

    def load(self, thread: int) -> None:
        """Copy the columns of ``thread`` to its plane."""
        if self._are_copies:
            plane, columns = self._plane(thread)
            for block in self._blocks:
                plane[block] = self._memory[block, columns]

    def save(self, thread: int) -> None:
        """Copy the plane of ``thread`` back."""
        if self._are_copies:
            plane, columns = self._plane(thread)
            for block in self._blocks:
                self._memory[block, columns] = plane[block]

    def given_to(self, subwords: "Subwords") -> "Subwords":
        """Return the subwords with these planes."""
        return subwords._replace(table=self.table, columns=self.columns)

    def _plane(self, thread: int) -> tuple[np.ndarray, slice]:
        first, last = self.columns[thread : thread + 2].tolist()
        rows = len(self._memory)
        return self.table[rows * first : rows * last].reshape(rows, last - first), slice(first, last)
