"""Sequence tagging: one tag per token."""
