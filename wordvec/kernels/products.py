"""A 4 x 4 tile of inner products, for the scores of word vectors and of a large output layer.

If registers hold sixteen accumulators (see ``has_long_registers``), all products share eight loaded vectors. Otherwise
they are computed two rows at a time, first lanes 0 to 7 of the accumulators, then the others: eight registers of sums,
which three loads per four multiply-adds feed. More would be spilled to the stack inside of the loops. Either way a
product is the same sum in the same order.
"""

import numpy as np

from wordvec.kernels.simd import (
    Eight,
    Sixteen,
    has_long_registers,
    join_halves,
    kernel,
    load,
    load_eight,
    multiply_add,
    splat,
    splat_eight,
    sums,
    sums_of_quarters,
    sums_over_quarters,
)


@kernel(inline=True)
def _together(
    a: np.ndarray, a0: int, a1: int, a2: int, a3: int, b: np.ndarray, b0: int, b1: int, b2: int, b3: int, width: int
) -> Sixteen:
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = splat(np.float32(0))
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = splat(np.float32(0))
    for d in range(0, width, 16):
        x0, x1 = load(b, b0 + d), load(b, b1 + d)
        x2, x3 = load(b, b2 + d), load(b, b3 + d)
        n = load(a, a0 + d)
        s00, s01 = multiply_add(n, x0, s00), multiply_add(n, x1, s01)
        s02, s03 = multiply_add(n, x2, s02), multiply_add(n, x3, s03)
        n = load(a, a1 + d)
        s10, s11 = multiply_add(n, x0, s10), multiply_add(n, x1, s11)
        s12, s13 = multiply_add(n, x2, s12), multiply_add(n, x3, s13)
        n = load(a, a2 + d)
        s20, s21 = multiply_add(n, x0, s20), multiply_add(n, x1, s21)
        s22, s23 = multiply_add(n, x2, s22), multiply_add(n, x3, s23)
        n = load(a, a3 + d)
        s30, s31 = multiply_add(n, x0, s30), multiply_add(n, x1, s31)
        s32, s33 = multiply_add(n, x2, s32), multiply_add(n, x3, s33)
    return sums(s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33)


@kernel(inline=True)
def _row(a: np.ndarray, a0: int, b: np.ndarray, b0: int, b1: int, b2: int, b3: int, width: int) -> Sixteen:
    s0 = s1 = s2 = s3 = splat(np.float32(0))
    for d in range(0, width, 16):
        n = load(a, a0 + d)
        s0, s1 = multiply_add(n, load(b, b0 + d), s0), multiply_add(n, load(b, b1 + d), s1)
        s2, s3 = multiply_add(n, load(b, b2 + d), s2), multiply_add(n, load(b, b3 + d), s3)
    return sums_of_quarters(s0, s1, s2, s3)


@kernel(inline=True)
def _half_of_two_rows(
    a: np.ndarray, a0: int, a1: int, b: np.ndarray, b0: int, b1: int, b2: int, b3: int, width: int
) -> tuple[Eight, Eight]:
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = splat_eight(np.float32(0))
    for d in range(0, width, 16):
        m, n = load_eight(a, a0 + d), load_eight(a, a1 + d)
        x = load_eight(b, b0 + d)
        s00, s10 = multiply_add(m, x, s00), multiply_add(n, x, s10)
        x = load_eight(b, b1 + d)
        s01, s11 = multiply_add(m, x, s01), multiply_add(n, x, s11)
        x = load_eight(b, b2 + d)
        s02, s12 = multiply_add(m, x, s02), multiply_add(n, x, s12)
        x = load_eight(b, b3 + d)
        s03, s13 = multiply_add(m, x, s03), multiply_add(n, x, s13)
    return sums_of_quarters(s00, s01, s02, s03), sums_of_quarters(s10, s11, s12, s13)


@kernel(inline=True)
def _in_halves(
    a: np.ndarray, a0: int, a1: int, a2: int, a3: int, b: np.ndarray, b0: int, b1: int, b2: int, b3: int, width: int
) -> Sixteen:
    low0, low1 = _half_of_two_rows(a, a0, a1, b, b0, b1, b2, b3, width)
    high0, high1 = _half_of_two_rows(a, a0 + 8, a1 + 8, b, b0 + 8, b1 + 8, b2 + 8, b3 + 8, width)
    low2, low3 = _half_of_two_rows(a, a2, a3, b, b0, b1, b2, b3, width)
    high2, high3 = _half_of_two_rows(a, a2 + 8, a3 + 8, b, b0 + 8, b1 + 8, b2 + 8, b3 + 8, width)
    return sums_over_quarters(
        join_halves(low0, high0), join_halves(low1, high1), join_halves(low2, high2), join_halves(low3, high3)
    )


products_4x4 = _together if has_long_registers() else _in_halves
"""``products_4x4(a, a0, a1, a2, a3, b, b0, b1, b2, b3, width)``: lane 4 k + t of the result is the inner product of the
``width`` floats (a multiple of 16) at ``a_k`` in ``a`` and those at ``b_t`` in ``b``."""


@kernel(inline=True)
def products_1x16(a: np.ndarray, a0: int, b: np.ndarray, b0: int, stride: int, width: int) -> Sixteen:
    """Lane t is the inner product of the ``width`` floats at ``a0`` in ``a`` and those at ``b0 + t stride`` in ``b``:
    the same bits as in a tile."""
    return sums_over_quarters(
        _row(a, a0, b, b0, b0 + stride, b0 + 2 * stride, b0 + 3 * stride, width),
        _row(a, a0, b, b0 + 4 * stride, b0 + 5 * stride, b0 + 6 * stride, b0 + 7 * stride, width),
        _row(a, a0, b, b0 + 8 * stride, b0 + 9 * stride, b0 + 10 * stride, b0 + 11 * stride, width),
        _row(a, a0, b, b0 + 12 * stride, b0 + 13 * stride, b0 + 14 * stride, b0 + 15 * stride, width),
    )
