"""Numba kernels on arrays and scalars: the only modules of ``seqclf`` that import numba."""
