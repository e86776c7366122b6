"""Pooling kernels against one text at a time; backward against numerical gradients."""

import numpy as np
import pytest

from seqclf.kernels.pooling import MAX, MEAN, max_backward, pool_forward
from tests.oracles.gradients import numerical_gradient

LENGTHS = [4, 2, 2, 1, 0]
STARTS = np.array([0, 4, 7, 8, 9])
EXPECTED = {MAX: lambda h: h.max(axis=0), MEAN: lambda h: h.mean(axis=0)}


def pool(h, mode):
    pooled, where = np.full((5, h.shape[1]), np.nan, h.dtype), np.full((5, h.shape[1]), -7, np.int32)
    pool_forward(h, STARTS, mode, pooled, where)
    return pooled, where


@pytest.mark.parametrize("mode", [MAX, MEAN])
def test_each_text_pools_its_own_states(mode):
    h = (
        np.random.default_rng(0).standard_normal((9, 3)) - 2
    )  # below zero, so that an untouched zero would win a maximum
    pooled, where = pool(h, mode)
    for s, length in enumerate(LENGTHS):
        own = h[[STARTS[t] + s for t in range(length)]]
        np.testing.assert_allclose(pooled[s], EXPECTED[mode](own) if length else 0)
        if mode == MAX and length:
            np.testing.assert_array_equal(where[s], own.argmax(axis=0))


def test_the_gradient_of_the_largest_is_numerically_right():
    random = np.random.default_rng(1)
    h, d_pooled = random.standard_normal((9, 3)), random.standard_normal((5, 3))
    _, where = pool(h, MAX)
    d_h = np.full_like(h, np.nan)
    max_backward(d_pooled, STARTS, where, d_h)
    expected = numerical_gradient(lambda: float((pool(h, MAX)[0] * d_pooled).sum()), h)
    np.testing.assert_allclose(d_h, expected, atol=1e-9)


def test_of_equal_states_the_earliest_gets_the_gradient():
    _, where = pool(np.ones((9, 1)), MAX)
    d_h = np.empty((9, 1))
    max_backward(np.ones((5, 1)), STARTS, where, d_h)
    assert d_h[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("mode", [MAX, MEAN])
def test_no_texts_with_tokens_is_no_error(mode):
    pooled, where, d_h = np.ones((2, 3)), np.empty((2, 3), np.int32), np.empty((0, 3))
    pool_forward(np.empty((0, 3)), np.zeros(1, np.int64), mode, pooled, where)
    assert not pooled.any()
    max_backward(pooled, np.zeros(1, np.int64), where, d_h)
