"""Planes: which columns each thread has, and copies of the rows of subwords."""

import numpy as np
import pytest

from wordvec.word2vec.planes import Planes

VECTORS, ROWS = 3, 7
BLOCKS = (slice(0, 2), slice(4, 6))


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_every_thread_moves_columns_of_its_own(threads):
    memory = np.arange(ROWS * 16 * VECTORS, dtype=np.float32).reshape(ROWS, -1)
    before = memory.copy()
    planes = Planes(memory, BLOCKS, threads)
    assert (planes.columns[0], planes.columns[-1], len(planes.columns)) == (0, 16 * VECTORS, threads + 1)
    assert (np.diff(planes.columns) % 16 == 0).all()
    assert np.count_nonzero(np.diff(planes.columns)) == min(threads, VECTORS)
    for thread in range(threads):
        planes.load(thread)
    assert np.shares_memory(planes.table, memory) == (threads == 1)
    planes.table += 1000
    for thread in range(threads):
        first, last = planes.columns[thread : thread + 2]
        plane = planes.table[ROWS * first : ROWS * last].reshape(ROWS, -1)
        for block in BLOCKS:
            np.testing.assert_array_equal(plane[block], before[block, first:last] + 1000)
        planes.save(thread)
    for block in BLOCKS:
        np.testing.assert_array_equal(memory[block], before[block] + 1000)
    if threads > 1:
        np.testing.assert_array_equal(memory[[2, 3, 6]], before[[2, 3, 6]])
