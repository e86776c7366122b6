"""Benchmarks of single kernels, compared with what the machine can do."""
