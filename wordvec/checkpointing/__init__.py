"""Checkpoints: interrupted training runs resume and produce bit-identical output."""
