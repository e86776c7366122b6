"""Trained classifiers in formats of other programs."""
