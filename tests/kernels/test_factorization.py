"""SVD building blocks against NumPy."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from wordvec.kernels.factorization import (
    add_gram,
    count_columns,
    diagonalize,
    multiply_small,
    multiply_sparse,
    orthonormalizer,
    transpose,
)

RANDOM = np.random.default_rng(8)


def sparse_matrix(rows, columns):
    matrix = csr_array((RANDOM.random((rows, columns)) * (RANDOM.random((rows, columns)) < 0.3)).astype(np.float32))
    return matrix, (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)


def dense_matrix(rows, stride):
    return RANDOM.standard_normal((rows, stride)).astype(np.float32)


def test_transpose_sorts_rows_within_columns():
    matrix, (indptr, columns, values) = sparse_matrix(23, 17)
    starts = np.zeros(18, np.int64)
    count_columns(columns, starts[1:])
    starts = np.cumsum(starts)
    ends, rows_of, turned = starts[:-1].copy(), np.empty_like(columns), np.empty_like(values)
    transpose(indptr, columns, values, ends, rows_of, turned)
    expected = csr_array(matrix.T)
    expected.sort_indices()
    for found, wanted in ((starts, expected.indptr), (rows_of, expected.indices), (turned, expected.data)):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(ends, starts[1:])


@pytest.mark.parametrize("stride", [16, 48, 64, 80])
def test_sparse_times_dense_writes_only_its_rows(stride):
    matrix, parts = sparse_matrix(11, 7)
    dense, out = dense_matrix(7, stride), np.full((11, stride), 9, np.float32)
    multiply_sparse(*parts, dense.reshape(-1), stride, out.reshape(-1), 2, 9)
    np.testing.assert_allclose(out[2:9], (matrix @ dense)[2:9], rtol=1e-5, atol=1e-6)
    assert (out[[0, 1, 9, 10]] == 9).all()


@pytest.mark.parametrize("stride", [16, 48, 64])
@pytest.mark.parametrize("rows", [1, 6, 7])
def test_dense_times_small(stride, rows):
    dense, small, out = dense_matrix(9, stride), dense_matrix(stride, stride), np.full((9, stride), 9, np.float32)
    multiply_small(dense.reshape(-1), small.reshape(-1), stride, out.reshape(-1), 1, 1 + rows)
    np.testing.assert_allclose(out[1 : 1 + rows], (dense @ small)[1 : 1 + rows], rtol=1e-4, atol=1e-4)
    assert (np.delete(out, np.s_[1 : 1 + rows], axis=0) == 9).all()


@pytest.mark.parametrize("stride", [16, 32, 48])
def test_upper_triangle_of_a_gram_matrix(stride):
    dense, gram = dense_matrix(12, stride), np.zeros((stride, stride), np.float32)
    add_gram(dense.reshape(-1), stride, gram.reshape(-1), 3, 11)
    np.testing.assert_allclose(np.triu(gram), np.triu(dense[3:11].T @ dense[3:11]), rtol=1e-4, atol=1e-4)


def test_columns_become_orthonormal_and_dependent_ones_zero():
    columns = RANDOM.standard_normal((30, 6))
    columns[:, 2] = columns[:, 0] - 2 * columns[:, 1]
    columns[:, 4] = 0
    inverse = np.empty((6, 6))
    orthonormalizer(columns.T @ columns, 1e-9, inverse)
    found = columns @ inverse
    np.testing.assert_allclose(found.T @ found, np.diag([1, 1, 0, 1, 0, 1]), atol=1e-9)
    kept = [0, 1, 3, 5]
    np.testing.assert_allclose(found[:, kept] @ found[:, kept].T @ columns, columns, atol=1e-9)
    np.testing.assert_allclose(inverse, np.triu(inverse))


@pytest.mark.parametrize("size", [1, 2, 9])
def test_eigenvectors_are_rows(size):
    square = RANDOM.standard_normal((size, size))
    symmetric = square + square.T
    values, vectors = symmetric.copy(), np.eye(size)
    diagonalize(values, vectors, 60)
    np.testing.assert_allclose(np.sort(np.diagonal(values)), np.linalg.eigvalsh(symmetric), atol=1e-10)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(size), atol=1e-10)
    np.testing.assert_allclose(vectors.T @ np.diag(np.diagonal(values)) @ vectors, symmetric, atol=1e-10)
