"""Benchmarks of recurrent networks, compared with PyTorch."""
