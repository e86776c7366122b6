"""Benchmarks against other libraries, run from a checkout: ``python -m benchmarks``, or single ones by name.

A benchmark is a module whose docstring starts with its question and whose ``rows(run)`` yields the rows of a table,
measured on inputs of the run's size. Modules with more options have their own command:
``python -m benchmarks.word_vectors.word2vec --help``.
"""
