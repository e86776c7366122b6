"""Vectorized tanh, logistic function and exponential, and zoneout.

float32 uses a rational approximation of tanh; float64, for gradient checking, uses libm's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import overload

from wordvec.kernels.simd import (
    JIT_OFF,
    WIDTH,
    Lowering,
    Sixteen,
    add,
    clamp,
    divide,
    kernel,
    load,
    multiply,
    multiply_add,
    primitive,
    splat,
    splat_as,
    store,
    subtract,
)

# tanh(x) = x P(x²) / Q(x²) to 3e-7 on |x| <= 7.9; beyond, float32 tanh is 1. Source: Eigen, MathFunctionsImpl.h.
_LIMIT = 7.90531110763549805
_P0, _P1, _P2, _P3 = 4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08
_P4, _P5, _P6 = -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16
_Q0, _Q1, _Q2, _Q3 = 4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06


def rational_tanh(x: Sixteen) -> Sixteen:
    """tanh of a float32 vector by a rational approximation; NaN stays NaN."""
    x = clamp(x, splat_as(x, -_LIMIT), splat_as(x, _LIMIT))
    s = multiply(x, x)
    p = multiply_add(splat_as(x, _P6), s, splat_as(x, _P5))
    p = multiply_add(p, s, splat_as(x, _P4))
    p = multiply_add(p, s, splat_as(x, _P3))
    p = multiply_add(p, s, splat_as(x, _P2))
    p = multiply_add(p, s, splat_as(x, _P1))
    p = multiply_add(p, s, splat_as(x, _P0))
    q = multiply_add(splat_as(x, _Q3), s, splat_as(x, _Q2))
    q = multiply_add(q, s, splat_as(x, _Q1))
    q = multiply_add(q, s, splat_as(x, _Q0))
    return divide(multiply(p, x), q)


def tanh(x: Sixteen) -> Sixteen:
    """tanh of sixteen numbers."""
    return rational_tanh(x) if x.dtype == np.float32 else np.tanh(x)


if not JIT_OFF:

    @primitive
    def _libm_tanh(typingctx: Any, x: Any) -> Lowering:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            number = args[0].type.element
            function = cgutils.insert_pure_function(builder.module, ir.FunctionType(number, [number]), "tanh")
            result = args[0]
            for lane in range(WIDTH):
                value = builder.call(function, [builder.extract_element(args[0], ir.IntType(32)(lane))])
                result = builder.insert_element(result, value, ir.IntType(32)(lane))
            return result

        return x(x), codegen

    @overload(tanh)
    def _tanh_of(x: Sixteen) -> Callable[[Sixteen], Sixteen]:
        # Here ``x`` is a Numba type, but Numba compares parameters with the implementation's, annotations included.
        if x.dtype == types.float32:
            return rational_tanh

        def libm_tanh(x: Sixteen) -> Sixteen:
            result: Sixteen = _libm_tanh(x)
            return result

        return libm_tanh


@kernel
def logistic(x: Sixteen) -> Sixteen:
    """1 / (1 + exp(-x)) of sixteen numbers, as ½ + ½ tanh(x / 2)."""
    half = splat_as(x, 0.5)
    return multiply_add(half, tanh(multiply(half, x)), half)


# exp(r) = 1 + r + r² P(r) on |r| <= log(2) / 2. Source: Cephes, expf.c.
_E0, _E1, _E2 = 5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2
_E3, _E4, _E5 = 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4
_LOG2_E, _LN2_HIGH, _LN2_LOW = 1.44269504088896341, 0.693359375, -2.12194440e-4
_WHOLE = 12582912.0
"""1.5 * 2^23: a float32 of this size has no fraction, and the low bits of an integer added to it are its own."""

if JIT_OFF:

    def _power_of_two(x: Sixteen) -> Sixteen:
        bits = np.left_shift(x.view(np.uint32), np.uint32(23)) + np.uint32(0x3F800000)
        return np.asarray(bits.view(np.float32))

else:

    @primitive
    def _power_of_two(typingctx: Any, x: Any) -> Lowering:
        """2^n of x = n + ``_WHOLE``, for n in -126 .. 127."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            whole = ir.VectorType(ir.IntType(32), WIDTH)
            bits = builder.shl(builder.bitcast(args[0], whole), ir.Constant(whole, [23] * WIDTH))
            return builder.bitcast(builder.add(bits, ir.Constant(whole, [0x3F800000] * WIDTH)), args[0].type)

        return x(x), codegen


@kernel(inline=True)
def exponential(x: Sixteen) -> Sixteen:
    """exp(x) of sixteen float32 of at most 0, within 1.5 units in the last place; exp(-87) below -87. NaN stays NaN.

    x = n log 2 + r, and exp(x) = 2^n exp(r).
    """
    x = clamp(x, splat(np.float32(-87)), splat(np.float32(0)))
    shifted = multiply_add(x, splat(np.float32(_LOG2_E)), splat(np.float32(_WHOLE)))
    n = subtract(shifted, splat(np.float32(_WHOLE)))
    r = multiply_add(n, splat(np.float32(-_LN2_HIGH)), x)
    r = multiply_add(n, splat(np.float32(-_LN2_LOW)), r)
    p = multiply_add(splat(np.float32(_E5)), r, splat(np.float32(_E4)))
    p = multiply_add(p, r, splat(np.float32(_E3)))
    p = multiply_add(p, r, splat(np.float32(_E2)))
    p = multiply_add(p, r, splat(np.float32(_E1)))
    p = multiply_add(p, r, splat(np.float32(_E0)))
    p = add(multiply_add(p, multiply(r, r), r), splat(np.float32(1)))
    return multiply(p, _power_of_two(shifted))


@kernel
def squash(values: np.ndarray) -> None:
    """tanh of a row (N,) in place; N is a multiple of 16."""
    for k in range(0, values.size, WIDTH):
        store(values, k, tanh(load(values, k)))


@kernel
def held(share: np.ndarray, place: int, old: Sixteen, new: Sixteen) -> Sixteen:
    """Apply zoneout (Krueger et al. 2017, equation 3) to sixteen numbers: new + share * (old - new).

    ``share`` is flat; if it is empty, zoneout is off.
    """
    return multiply_add(load(share, place), subtract(old, new), new) if share.size > 0 else new


@kernel
def hold_back(share: np.ndarray, place: int, d_values: Sixteen, d_old: np.ndarray, at: int) -> Sixteen:
    """Add the zoned-out share of the gradient to d_old[at : at + 16]; return the rest. Backward of ``held``."""
    if share.size == 0:
        return d_values
    kept = multiply(load(share, place), d_values)
    store(d_old, at, add(load(d_old, at), kept))
    return subtract(d_values, kept)


@kernel
def place_of(share: np.ndarray, row: int, hidden: int) -> int:
    """Return the offset of a row in the flat ``share`` of a layer: (R, H) has one row each, (1, H) one for all."""
    return row * hidden if share.shape[0] > 1 else 0
