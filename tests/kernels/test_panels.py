"""Panel matrix products: all tile sizes, and bit-identical rows regardless of the other rows."""

import numpy as np
import pytest

from seqclf.kernels.panels import add_part, add_product, add_turned, add_weight_gradient, product


def make(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def as_matrix(weights):
    """Unpack panels (V, K, 16) to a matrix (K, 16 V)."""
    return weights.transpose(1, 0, 2).reshape(weights.shape[1], -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "depth", "panels"), [(1, 3, 1), (6, 16, 4), (7, 2100, 5), (13, 129, 6), (4, 64, 7)])
def test_rows_times_panels(dtype, rows, depth, panels):
    a, weights, out = make(rows + 2, depth, dtype=dtype), make(panels, depth, 16, dtype=dtype), make(rows + 3, 150)
    out = out.astype(dtype)
    expected = out.copy()
    expected[3 : 3 + rows, : 16 * panels] += a[2:] @ as_matrix(weights)
    add_product(product(np.dtype(dtype).name), a, 2, rows, weights, out, 3)
    np.testing.assert_allclose(out, expected, atol=depth * (2e-6 if dtype is np.float32 else 4e-15))


def test_a_subset_of_panels_and_columns():
    a, weights, out = make(5, 48), make(6, 16, 16), np.zeros((5, 64), np.float32)
    add_part(product("float32"), a, 1, 32, 4, weights, 2, 3, out, 0, 16)
    expected = np.zeros_like(out)
    expected[:4, 16:] = a[1:, 32:] @ as_matrix(weights)[:, 32:80]
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_weight_gradient_multiplies_by_the_transpose():
    a, d_out, d_weights = make(70, 19), make(70, 64, seed=1), make(3, 19, 16, seed=2)
    expected = as_matrix(d_weights) + a.T @ d_out[:, 16:]
    add_weight_gradient(product("float32"), a, d_out, 16, d_weights)
    np.testing.assert_allclose(as_matrix(d_weights), expected, atol=1e-4)


def test_weight_gradient_of_chosen_rows_and_columns():
    turned, d_out, d_weights = make(19, 70), make(73, 112, seed=1), make(6, 20, 16, seed=2)
    found = d_weights.copy()
    add_turned(product("float32"), turned, d_out, 2, 16, found)
    expected = as_matrix(d_weights[:, :19]) + turned @ d_out[2:72, 16:]
    np.testing.assert_allclose(as_matrix(found[:, :19]), expected, atol=1e-4)
    np.testing.assert_array_equal(found[:, 19], d_weights[:, 19])


def test_rows_are_bit_identical_in_every_tile():
    a, weights = make(20, 80), make(5, 80, 16)
    together = np.zeros((20, 80), np.float32)
    add_product(product("float32"), a, 0, 20, weights, together, 0)
    for first, count in ((0, 1), (3, 2), (5, 6), (7, 11)):
        alone = np.zeros((count, 80), np.float32)
        add_product(product("float32"), a, first, count, weights, alone, 0)
        np.testing.assert_array_equal(alone, together[first : first + count])
