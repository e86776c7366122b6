"""Regression: numeric targets from texts or numeric sequences."""
