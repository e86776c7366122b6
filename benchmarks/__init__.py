"""Measurements against named peers, run from a checkout: ``python -m benchmarks``, or one question of them by its name.

A benchmark is a module whose docstring begins with its question and that has ``rows(run)``: it yields the rows of a
table, measured on the slices that the run's size picks. Where more can be chosen, the module has a command of its own:
``python -m benchmarks.word_vectors.word2vec --help``.
"""
