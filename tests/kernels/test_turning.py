"""Transposed squares, matrices and panels, against NumPy."""

import numpy as np
import pytest

from seqclf.kernels.turning import transpose, turn, turn_square
from wordvec.kernels.simd import kernel


@kernel
def turn_one(values, turned):
    turn_square(values, 1, 17, turned, 2, 19)


def test_a_square_is_transposed():
    values, turned = np.arange(300, dtype=np.float32), np.zeros(310, np.float32)
    turn_one(values, turned)
    i, j = np.indices((16, 16))
    np.testing.assert_array_equal(turned[2 + 19 * j + i], values[1 + 17 * i + j])
    assert np.count_nonzero(turned) == 256


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [0, 3, 16, 23, 48])
def test_rows_become_columns(rows, dtype):
    a, turned = np.arange(60 * 50, dtype=dtype).reshape(60, 50), np.zeros((35, 55), dtype)
    expected = turned.copy()
    expected[:, 4 : 4 + rows] = a[7 : 7 + rows, 9:44].T
    turn(a, 7, rows, 9, turned, 4)
    np.testing.assert_array_equal(turned, expected)


def test_transposed_panels_match_the_transposed_matrix():
    weights = np.arange(5 * 32 * 16, dtype=np.float32).reshape(5, 32, 16)
    transposed = np.empty((2, 80, 16), np.float32)
    transpose(weights, transposed)
    matrix = weights.transpose(1, 0, 2).reshape(32, 80)
    np.testing.assert_array_equal(transposed.transpose(1, 0, 2).reshape(80, 32), matrix.T)
