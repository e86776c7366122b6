"""Building blocks of a truncated SVD with a fixed summation order.

Sparse-dense and dense-small products, Gram matrices, and small float64 matrices. Rows are split into parts independent
of the threads that process them; BLAS is avoided because its sums depend on the number of threads.

Dense matrices are flat float32 with a row stride of ``stride`` floats, a multiple of 16.
"""

import numpy as np

from wordvec.kernels.simd import has_long_registers, kernel, load, multiply_add, splat, store


@kernel
def transpose(
    indptr: np.ndarray, columns: np.ndarray, values: np.ndarray, starts: np.ndarray, rows_out: np.ndarray,
    values_out: np.ndarray,
) -> None:  # fmt: skip
    """Convert a sparse matrix from CSR to CSC.

    Args:
        starts: (C,) int64, start of each column in the result; overwritten with its end.
    """
    for r in range(indptr.size - 1):
        for k in range(indptr[r], indptr[r + 1]):
            place = starts[columns[k]]
            starts[columns[k]] = place + 1
            rows_out[place] = r
            values_out[place] = values[k]


@kernel
def count_columns(columns: np.ndarray, counts: np.ndarray) -> None:
    """Add the number of nonzeros of each column to ``counts``."""
    for k in range(columns.size):
        counts[columns[k]] += 1


@kernel
def multiply_sparse(
    indptr: np.ndarray, columns: np.ndarray, values: np.ndarray, dense: np.ndarray, stride: int, out: np.ndarray,
    first: int, last: int,
) -> None:  # fmt: skip
    """Compute rows ``first .. last - 1`` of sparse times dense, summing over the nonzeros of a row in order."""
    for r in range(first, last):
        for d in range(0, stride, 64):
            # Four vectors at a time; beyond the end, the last one is recomputed.
            d1, d2, d3 = min(d + 16, stride - 16), min(d + 32, stride - 16), min(d + 48, stride - 16)
            a = b = c = e = splat(np.float32(0))
            for k in range(indptr[r], indptr[r + 1]):
                value, row = splat(values[k]), np.int64(columns[k]) * stride
                a = multiply_add(value, load(dense, row + d), a)
                b = multiply_add(value, load(dense, row + d1), b)
                c = multiply_add(value, load(dense, row + d2), c)
                e = multiply_add(value, load(dense, row + d3), e)
            store(out, r * stride + d, a)
            store(out, r * stride + d1, b)
            store(out, r * stride + d2, c)
            store(out, r * stride + d3, e)


@kernel
def multiply_small(dense: np.ndarray, small: np.ndarray, stride: int, out: np.ndarray, first: int, last: int) -> None:
    """Compute rows ``first .. last - 1`` of dense times a small (stride, stride) matrix."""
    for r in range(first * stride, last * stride, 2 * stride):
        s = min(r + stride, (last - 1) * stride)
        for d in range(0, stride, 32):
            d1 = min(d + 16, stride - 16)
            a = b = c = e = splat(np.float32(0))
            for k in range(stride):
                x, y = splat(dense[r + k]), splat(dense[s + k])
                low, high = load(small, k * stride + d), load(small, k * stride + d1)
                a, b = multiply_add(x, low, a), multiply_add(x, high, b)
                c, e = multiply_add(y, low, c), multiply_add(y, high, e)
            store(out, r + d, a)
            store(out, r + d1, b)
            store(out, s + d, c)
            store(out, s + d1, e)


@kernel(inline=True)
def _gram_4x2(dense: np.ndarray, stride: int, gram: np.ndarray, i: int, d: int, first: int, last: int) -> None:
    """Gram block of columns i .. i + 3 with the two vectors of columns starting at ``d``."""
    d1 = min(d + 16, stride - 16)
    a0 = a1 = b0 = b1 = c0 = c1 = e0 = e1 = splat(np.float32(0))
    for r in range(first * stride, last * stride, stride):
        low, high = load(dense, r + d), load(dense, r + d1)
        a, b = splat(dense[r + i]), splat(dense[r + i + 1])
        c, e = splat(dense[r + i + 2]), splat(dense[r + i + 3])
        a0, a1 = multiply_add(a, low, a0), multiply_add(a, high, a1)
        b0, b1 = multiply_add(b, low, b0), multiply_add(b, high, b1)
        c0, c1 = multiply_add(c, low, c0), multiply_add(c, high, c1)
        e0, e1 = multiply_add(e, low, e0), multiply_add(e, high, e1)
    row = i * stride
    store(gram, row + d, a0)
    store(gram, row + d1, a1)
    store(gram, row + stride + d, b0)
    store(gram, row + stride + d1, b1)
    store(gram, row + 2 * stride + d, c0)
    store(gram, row + 2 * stride + d1, c1)
    store(gram, row + 3 * stride + d, e0)
    store(gram, row + 3 * stride + d1, e1)


@kernel(inline=True)
def _gram_4x1(dense: np.ndarray, stride: int, gram: np.ndarray, i: int, d: int, first: int, last: int) -> None:
    """Gram block of columns i .. i + 3 with the vector of columns starting at ``d``."""
    a = b = c = e = splat(np.float32(0))
    for r in range(first * stride, last * stride, stride):
        x = load(dense, r + d)
        a, b = multiply_add(splat(dense[r + i]), x, a), multiply_add(splat(dense[r + i + 1]), x, b)
        c, e = multiply_add(splat(dense[r + i + 2]), x, c), multiply_add(splat(dense[r + i + 3]), x, e)
    row = i * stride + d
    store(gram, row, a)
    store(gram, row + stride, b)
    store(gram, row + 2 * stride, c)
    store(gram, row + 3 * stride, e)


_gram, _GRAM_COLUMNS = (_gram_4x2, 32) if has_long_registers() else (_gram_4x1, 16)  # eight accumulators, or four


@kernel
def add_gram(dense: np.ndarray, stride: int, gram: np.ndarray, first: int, last: int) -> None:
    """Set ``gram`` (stride * stride,) float32 to the sums over rows ``first .. last - 1`` of x_i x_j, for j from the
    start of i's 16-column vector on; the rest is left untouched."""
    for i in range(0, stride, 4):
        for d in range(i - i % 16, stride, _GRAM_COLUMNS):
            _gram(dense, stride, gram, i, d, first, last)


@kernel
def orthonormalizer(gram: np.ndarray, least: float, out: np.ndarray) -> None:
    """Compute R^-1, which makes X R^-1 orthonormal, where R is the Cholesky factor of the Gram matrix of X.

    A column that is linearly dependent on the previous ones (its squared residual is at most ``least`` of its squared
    norm) becomes zero.

    Args:
        gram: (K, K) float64, upper triangle; overwritten by R.
        out: (K, K) float64, output.
    """
    size = len(gram)
    for j in range(size):
        whole = gram[j, j]
        for i in range(j + 1):
            total = gram[i, j]
            for k in range(i):
                total -= gram[k, i] * gram[k, j]
            if i < j:
                gram[i, j] = total / gram[i, i]
            else:
                # Dividing by infinity zeroes the row of R and the column of its inverse.
                gram[j, j] = np.sqrt(total) if total > least * whole else np.inf
    for j in range(size):
        for i in range(size):
            out[i, j] = 0.0
        if gram[j, j] != np.inf:
            out[j, j] = 1.0 / gram[j, j]
            for i in range(j - 1, -1, -1):
                total = 0.0
                for k in range(i + 1, j + 1):
                    total += gram[i, k] * out[k, j]
                out[i, j] = -total / gram[i, i]


@kernel
def diagonalize(symmetric: np.ndarray, vectors: np.ndarray, sweeps: int) -> None:
    """Compute eigenvalues and eigenvectors by cyclic Jacobi rotations (Golub & Van Loan, section 8.5).

    Args:
        symmetric: (K, K) float64; its diagonal becomes the eigenvalues.
        vectors: (K, K) float64, the identity matrix; its rows become the eigenvectors.
        sweeps: maximum number of sweeps over all pairs; stops when the off-diagonal elements vanish.
    """
    size = len(symmetric)
    scale = 0.0
    for i in range(size):
        scale = max(scale, abs(symmetric[i, i]))
    for _ in range(sweeps):
        rotated = False
        for p in range(size - 1):
            for q in range(p + 1, size):
                off = symmetric[p, q]
                if abs(off) <= 1e-15 * scale:
                    continue
                rotated = True
                theta = (symmetric[q, q] - symmetric[p, p]) / (2.0 * off)
                tangent = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
                if theta < 0:
                    tangent = -tangent
                cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
                sine = tangent * cosine
                for k in range(size):
                    x, y = symmetric[p, k], symmetric[q, k]
                    symmetric[p, k], symmetric[q, k] = cosine * x - sine * y, sine * x + cosine * y
                    x, y = vectors[p, k], vectors[q, k]
                    vectors[p, k], vectors[q, k] = cosine * x - sine * y, sine * x + cosine * y
                for k in range(size):
                    x, y = symmetric[k, p], symmetric[k, q]
                    symmetric[k, p], symmetric[k, q] = cosine * x - sine * y, sine * x + cosine * y
        if not rotated:
            return
