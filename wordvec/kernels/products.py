"""Sixteen inner products at once: the scores of a tile of word vectors, and of a large output layer.

A sum that has to leave its register in every turn of the loop makes the loop wait for memory: 4 x 4 products by sums on
the stack take two to four times as long. So they are summed together where the registers have room for sixteen sums
(see ``has_long_registers``), and elsewhere four after four, which reads every number twice. Either way a product is the
same sum of the same terms in the same order.
"""

import numpy as np

from wordvec.kernels.simd import has_long_registers, kernel, load, multiply_add, splat, sums


@kernel(inline=True)
def _together(a, a0, a1, a2, a3, b, b0, b1, b2, b3, width):
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
def _sums_2x2(a, a0, a1, b, b0, b1, width):
    s00 = s01 = s10 = s11 = splat(np.float32(0))
    for d in range(0, width, 16):
        x0, x1 = load(b, b0 + d), load(b, b1 + d)
        n0, n1 = load(a, a0 + d), load(a, a1 + d)
        s00, s01 = multiply_add(n0, x0, s00), multiply_add(n0, x1, s01)
        s10, s11 = multiply_add(n1, x0, s10), multiply_add(n1, x1, s11)
    return s00, s01, s10, s11


@kernel(inline=True)
def _by_fours(a, a0, a1, a2, a3, b, b0, b1, b2, b3, width):
    s00, s01, s10, s11 = _sums_2x2(a, a0, a1, b, b0, b1, width)
    s02, s03, s12, s13 = _sums_2x2(a, a0, a1, b, b2, b3, width)
    s20, s21, s30, s31 = _sums_2x2(a, a2, a3, b, b0, b1, width)
    s22, s23, s32, s33 = _sums_2x2(a, a2, a3, b, b2, b3, width)
    return sums(s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33)


products_4x4 = _together if has_long_registers() else _by_fours
"""``products_4x4(a, a0, a1, a2, a3, b, b0, b1, b2, b3, width)``: lane 4 k + t of the result is the product of the
``width`` floats (a multiple of 16) that begin at ``a_k`` in ``a`` and those that begin at ``b_t`` in ``b``."""
