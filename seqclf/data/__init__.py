"""Texts, labels, splits, series and embedding matrices, ready for a network."""
