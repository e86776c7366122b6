"""Shared by all benchmarks: alternating measurements, result rows, peers, machine peaks, reports."""
