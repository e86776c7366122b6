"""How near the limit is each kernel? Its share of what this core can multiply, or of what memory can bring.

    python -m benchmarks limits

Everything runs on one thread. Just before each turn the same core is measured: multiply-adds in registers, reading
memory, and memory at the best of reading, copying and changing it in place. A kernel's work is counted by formula, as
what the algorithm cannot do without: the multiplications and additions (FLOP, a multiply-add being two) and the bytes
that are read from memory and written to it at least once. The limit is the longest of the times that each of these
takes; the share is that limit by the time that was measured, and the note says whether arithmetic or memory binds.
Exponentials, square roots, random numbers, hashing and sorting are not counted, and rows that are fetched again because
no cache holds them are not either: they are what is missing from 100 %. The formulas stand with the kernels, in
``limits_of_vectors`` and ``limits_of_nets``. With ``--quick`` some kernels are left out, which take long to compile.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.harness.machine import bandwidth, peak_gflops, read_bandwidth, update_bandwidth
from benchmarks.harness.measuring import Row, Run, number
from benchmarks.kernels.roofline import Kernel, Work

LEAST_SECONDS, MOST_CALLS = 0.1, 50
"""A kernel is called so often that a turn takes that long, within reason."""


@dataclass(frozen=True)
class Limits:
    """Of one thread, in FLOP and bytes a second."""

    flop: float
    read: float
    both: float
    """Bytes read and written, where both are asked for."""

    def seconds(self, work: Work) -> tuple[float, float]:
        """The least that the arithmetic can take, and the memory."""
        return work.flop / self.flop, max(work.read / self.read, (work.read + work.written) / self.both)


def measure_limits() -> Limits:
    read = read_bandwidth(128)
    return Limits(1e9 * peak_gflops(1, 2_000_000), 1e9 * read, 1e9 * max(read, bandwidth(128), update_bandwidth(128)))


def share(kernel: Kernel, repeats: int) -> Row:
    """Per cent of the limit, turn by turn, once it is compiled."""
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
