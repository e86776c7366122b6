"""Measurements against named peers. Run from a checkout, one module a question: ``python -m benchmarks.word2vec``."""
