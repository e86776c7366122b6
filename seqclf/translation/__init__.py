"""Encoder-decoder networks: from a sequence to a sequence of another length."""
