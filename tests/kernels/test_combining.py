"""Adaptive summation of the shards' changes against AdaSum row by row."""

import numpy as np
import pytest

from tests.oracles import naive_combining
from wordvec.kernels.combining import add_adaptively


def changes_of(shards, rows=5, size=7, seed=0):
    """Random changes; row 1 is untouched, row 2 changed by the last shard only, row 3 equally by all."""
    changes = np.random.default_rng(seed).standard_normal((shards, rows, size)).astype(np.float32)
    changes[:, 1] = 0
    changes[:-1, 2] = 0
    changes[:, 3] = changes[0, 3]
    return changes


@pytest.mark.parametrize("shards", [1, 2, 3, 4, 5, 7, 8, 13])
def test_rows_equal_a_pairwise_tree(shards):
    changes = changes_of(shards)
    before = np.random.default_rng(1).standard_normal((5, 7)).astype(np.float32)
    after = np.empty_like(before)
    expected = naive_combining.combine(before, changes)
    assert add_adaptively(changes, before, after, 1000.0) == 0
    np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(after[1], before[1])


def test_equal_changes_count_once_and_orthogonal_ones_add_up():
    after = np.empty((2, 2), np.float32)
    changes = np.array([[[2, 4], [3, 0]], [[2, 4], [0, 5]]], np.float32)
    add_adaptively(changes, np.ones((2, 2), np.float32), after, 1000.0)
    assert after.tolist() == [[3, 5], [4, 6]]


def test_tiny_changes_are_added():
    after = np.empty((1, 2), np.float32)
    changes = np.array([[[1e-20, 0]], [[-1, 1]]], np.float32)
    assert add_adaptively(changes, np.zeros((1, 2), np.float32), after, 1000.0) == 0
    assert after.tolist() == [[-1, 1]]


def test_numbers_that_are_too_large_or_not_finite_are_counted():
    changes = np.array([[[1001, -1001, np.nan, np.inf, 999]]], np.float32)
    assert add_adaptively(changes, np.zeros((1, 5), np.float32), np.empty((1, 5), np.float32), 1000.0) == 4
