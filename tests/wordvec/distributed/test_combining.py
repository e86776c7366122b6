"""Combination of ranges of rows: blocks, groups of shards, divergence."""

import numpy as np
import pytest

from tests.kernels.test_combining import changes_of
from tests.oracles import naive_combining
from wordvec import TrainingError
from wordvec.distributed.combining import GROUP, combine


def test_long_ranges_are_combined_in_blocks():
    changes, before = changes_of(3, rows=700), np.random.default_rng(1).standard_normal((700, 7)).astype(np.float32)
    for array in (changes, before):
        array.flags.writeable = False  # as Dask passes them
    np.testing.assert_allclose(combine(before, changes), naive_combining.combine(before, changes), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shards", [9, 16, 21])
def test_groups_of_groups_are_the_same_tree(shards):
    changes = changes_of(shards)
    before = np.ones((5, 7), np.float32)
    groups = [combine(None, changes[first : first + GROUP]) for first in range(0, shards, GROUP)]
    assert combine(before, groups).tobytes() == combine(before, changes).tobytes()


def test_a_range_of_rows_has_the_bits_of_the_whole():
    changes, before = changes_of(4, rows=600), np.ones((600, 7), np.float32)
    parts = [combine(before[part], changes[:, part]) for part in (slice(0, 301), slice(301, 600))]
    assert np.concatenate(parts).tobytes() == combine(before, changes).tobytes()


def test_divergence_is_an_error():
    with pytest.raises(TrainingError, match="training diverged: 1 numbers of the combined vectors are above 1000"):
        combine(np.zeros((1, 2), np.float32), [np.array([[2e3, 1]], np.float32)])
