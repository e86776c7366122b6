"""tanh and the logistic function for whole rows: rational in float32, the C library's in float64 proofs."""

import math

import numpy as np

from wordvec.kernels.simd import kernel

# tanh(x) = x P(x²) / Q(x²) to 3e-7 on |x| <= 7.9; beyond, float32 tanh is 1. Source: Eigen, MathFunctionsImpl.h.
_LIMIT = np.float32(7.90531110763549805)
_P0, _P1 = np.float32(4.89352455891786e-03), np.float32(6.37261928875436e-04)
_P2, _P3 = np.float32(1.48572235717979e-05), np.float32(5.12229709037114e-08)
_P4, _P5 = np.float32(-8.60467152213735e-11), np.float32(2.00018790482477e-13)
_P6 = np.float32(-2.76076847742355e-16)
_Q0, _Q1 = np.float32(4.89352518554385e-03), np.float32(2.26843463243900e-03)
_Q2, _Q3 = np.float32(1.18534705686654e-04), np.float32(1.19825839466702e-06)
_ONE = np.float32(1.0)
TANH, GATE = np.float32(1.0), np.float32(0.5)


@kernel
def rational_tanh(x):
    """tanh in float32 without table or exp, so that a loop over it becomes vector code on any processor."""
    x = _LIMIT if x > _LIMIT else x  # written so that NaN stays NaN
    x = -_LIMIT if x < -_LIMIT else x
    s = x * x
    p = ((((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0) * x
    q = ((_Q3 * s + _Q2) * s + _Q1) * s + _Q0
    return p / q


@kernel
def squash(x, out, scale, exact):
    """out = (1 - scale) + scale * tanh(scale * x): tanh where scale is 1, 1 / (1 + exp(-x)) where it is ½.

    Args:
        x, out: (N,), may be the same.
        scale: ``TANH`` or ``GATE``.
        exact: libm's tanh, for proofs.
    """
    if exact:
        wide = float(scale)  # float32 times a number of Python's own would be float32
        for k in range(out.size):
            out[k] = (1.0 - wide) + wide * math.tanh(wide * x[k])
    else:
        for k in range(out.size):
            out[k] = (_ONE - scale) + scale * rational_tanh(scale * x[k])


@kernel
def hold(share, row, old, values):
    """Zoneout (Krueger et al. 2017, equation 3) of one row: values += share * (old - values).

    share (R, H) has a row of its own for each, (1, H) one for all, (0, H) none: values stay.
    """
    if share.shape[0] > 0:
        share_here = share[row if share.shape[0] > 1 else 0]
        for k in range(values.size):
            values[k] += share_here[k] * (old[k] - values[k])


@kernel
def hold_back(share, row, d_values, d_old):
    """d_old += share * d_values, d_values *= 1 - share. Mirrors ``hold``."""
    if share.shape[0] > 0:
        share_here = share[row if share.shape[0] > 1 else 0]
        for k in range(d_values.size):
            held = share_here[k] * d_values[k]
            d_old[k] += held
            d_values[k] -= held
