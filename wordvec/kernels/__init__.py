"""Numba kernels on arrays and scalars: the only modules of ``wordvec`` that import numba."""
