"""Roofline: what fraction of peak compute or memory bandwidth does each kernel reach on one core?

    python -m benchmarks limits

Everything runs on one thread. The peaks of the same core are measured just before each run: multiply-adds in registers,
memory reads, and the best of reading, copying and in-place updates. The minimal work of a kernel is given by formula:
the multiplications and additions (FLOP; a multiply-add is two) and the bytes read from and written to memory at least
once. The time limit is the maximum of the times that each of these takes at peak; the reported fraction is the limit
divided by the measured time, and the note states whether the kernel is compute- or memory-bound. Exponentials, square
roots, random numbers, hashing, sorting and repeated fetches of rows that no cache holds are not counted: they account
for what is missing from 100 %. The formulas are documented with the kernels, in ``limits_of_vectors`` and
``limits_of_nets``. ``--quick`` omits some kernels that are slow to compile.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.harness.machine import bandwidth, peak_gflops, read_bandwidth, update_bandwidth
from benchmarks.harness.measuring import Row, Run, number
from benchmarks.kernels.roofline import Kernel, Work

LEAST_SECONDS, MOST_CALLS = 0.1, 50
"""A kernel is called repeatedly until a run takes this long, within the maximum number of calls."""


@dataclass(frozen=True)
class Limits:
    """Peaks of one thread, in FLOP/s and bytes/s."""

    flop: float
    read: float
    both: float
    """Bytes per second for mixed reads and writes."""

    def seconds(self, work: Work) -> tuple[float, float]:
        """Return the minimum times for the arithmetic and for the memory traffic."""
        return work.flop / self.flop, max(work.read / self.read, (work.read + work.written) / self.both)


def measure_limits() -> Limits:
    read = read_bandwidth(128)
    return Limits(1e9 * peak_gflops(1, 2_000_000), 1e9 * read, 1e9 * max(read, bandwidth(128), update_bandwidth(128)))


def share(kernel: Kernel, repeats: int) -> Row:
    """Return the percentage of the limit in each run, after compilation."""
    kernel.seconds()
    calls = max(1, min(MOST_CALLS, math.ceil(LEAST_SECONDS / kernel.seconds())))
    turns = [(measure_limits(), mean(kernel.seconds() for _ in range(calls))) for _ in range(repeats)]
    shares = [100 * max(limits.seconds(kernel.work)) / seconds for limits, seconds in turns]
    arithmetic, memory = (
        median(least) for least in zip(*(limits.seconds(kernel.work) for limits, _ in turns), strict=True)
    )
    seconds = median(each for _, each in turns)
    amount, least, unit = kernel.work.flop, arithmetic, "GFLOP/s"
    if memory > arithmetic:
        amount, least, unit = kernel.work.read + kernel.work.written, memory, "GB/s"
    note = f"{number(amount / seconds / 1e9)} of {number(amount / least / 1e9)} {unit}"
    return Row(kernel.case, "% of limit", shares, note="; ".join(filter(None, [note, kernel.why])))


def rows(run: Run) -> Iterator[Row]:
    from threadpoolctl import threadpool_limits

    from benchmarks.kernels.limits_of_nets import net_kernels
    from benchmarks.kernels.limits_of_vectors import vector_kernels

    with threadpool_limits(1):
        for kernels in (vector_kernels, net_kernels):
            for kernel in kernels(run):
                yield share(kernel, run.repeats)
