"""Compiled loops: the only modules of ``wordvec`` that import numba. They know arrays and scalars alone."""
