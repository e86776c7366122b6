"""Kernels with variants for many and for few registers: both give bit-identical results on any processor."""

import numpy as np
import pytest

from wordvec.kernels import factorization, products
from wordvec.kernels.simd import JIT_OFF, kernel, store


@kernel
def both_products(a, b, places, width, together, in_halves):
    store(together, 0, products._together(
        a, places[0], places[1], places[2], places[3], b, places[4], places[5], places[6], places[7], width
    ))  # fmt: skip
    store(in_halves, 0, products._in_halves(
        a, places[0], places[1], places[2], places[3], b, places[4], places[5], places[6], places[7], width
    ))  # fmt: skip


@pytest.mark.parametrize("width", [16, 48])
def test_4x4_products(width):
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 300)).astype(np.float32)
    places = random.integers(0, 300 - width, 8)
    together, in_halves = np.empty((2, 16), np.float32)
    both_products(a, b, places, width, together, in_halves)
    expected = [[a[i : i + width] @ b[j : j + width] for j in places[4:]] for i in places[:4]]
    np.testing.assert_allclose(together.reshape(4, 4), expected, rtol=1e-4, atol=1e-5)
    if JIT_OFF:  # NumPy sums sixteen numbers in a different order
        np.testing.assert_allclose(in_halves, together, rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_array_equal(in_halves, together)


@kernel
def both_grams(dense, stride, last, by_two, by_one):
    for d in range(0, stride, 32):
        factorization._gram_4x2(dense, stride, by_two, 4, d, 1, last)
    for d in range(0, stride, 16):
        factorization._gram_4x1(dense, stride, by_one, 4, d, 1, last)


def test_gram_matrices():
    dense = np.random.default_rng(3).standard_normal((9, 48)).astype(np.float32)
    by_two, by_one = np.zeros((2, 48 * 48), np.float32)
    both_grams(dense.ravel(), 48, 9, by_two, by_one)
    expected = dense[1:, 4:8].T @ dense[1:]
    np.testing.assert_allclose(by_two.reshape(48, 48)[4:8], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(by_one, by_two)
