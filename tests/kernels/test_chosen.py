"""Products of chosen rows and columns, against NumPy."""

import numpy as np
import pytest

from seqclf.kernels.chosen import chosen_product, multiply_chosen
from wordvec.kernels.simd import kernel


@kernel
def multiply(product, a, first, rows, columns, b, out, out_rows, b_apart, out_apart):
    multiply_chosen(
        product, a, first, rows, columns, b, 32, 32, out, 32, out_rows, columns.size, rows.size, b_apart, out_apart,
        b, 0, 7, b_apart,
    )  # fmt: skip


@pytest.mark.parametrize("rows", [0, 1, 5, 8, 13, 23])
@pytest.mark.parametrize("depth", [0, 1, 9])
def test_chosen_rows_and_columns_match_numpy(rows, depth):
    random = np.random.default_rng(rows)
    a = random.standard_normal((30, 20)).astype(np.float32)
    b, out = random.standard_normal((2, 40, 32)).astype(np.float32)
    own, columns, places = random.permutation(29)[:rows], random.permutation(20)[:depth], random.permutation(39)[:rows]
    expected = out.copy()
    expected[places + 1] += a[own + 1][:, columns] @ b[1 : depth + 1]
    flat = out.reshape(-1)
    multiply(chosen_product(), a.reshape(-1), 20, own * 20, columns, b.reshape(-1), flat, places * 32, 0, 0)
    np.testing.assert_allclose(out, expected, atol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 5, 6, 13])
@pytest.mark.parametrize("depth", [0, 1, 9])
def test_two_places_together_give_the_bits_of_each_alone(rows, depth):
    random = np.random.default_rng(rows)
    a = random.standard_normal(600).astype(np.float32)
    b, out = random.standard_normal((2, 1280)).astype(np.float32)
    own, columns, places = random.permutation(29)[:rows] * 20, random.permutation(20)[:depth], np.arange(rows) * 32
    alone = out.copy()
    for place in (0, 1):
        multiply(chosen_product(), a, 0, own, columns, b[place * 300 :], alone[place * 500 :], places, 0, 0)
    multiply(chosen_product(), a, 0, own, columns, b, out, places, 300, 500)
    np.testing.assert_array_equal(out, alone)
