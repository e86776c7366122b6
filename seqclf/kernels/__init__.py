"""Compiled loops: the only modules of ``seqclf`` that import numba. They know arrays and scalars alone."""
