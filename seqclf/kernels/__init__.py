"""Numba kernels on arrays and scalars: the only modules of ``seqclf`` that import numba."""

from wordvec.kernels import simd  # noqa: F401  # its package imports numba
