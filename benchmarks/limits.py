"""How near the limit is each kernel? Its share of what this core can multiply, or of what memory can bring.

    python -m benchmarks limits

Everything runs on one thread. Just before each turn the same core is measured: multiply-adds in registers, and memory,
at the best of reading it, copying it and changing it in place. A kernel's work is counted by formula, as what the
algorithm cannot do without: the multiplications and additions (FLOP, a multiply-add being two) and the bytes that pass
between memory and caches at least once. The limit is the longer of the two times that this takes; the share is that
limit by the time that was measured, and the note says which of the two binds. Exponentials, square roots, random
numbers, hashing and sorting are not counted, and rows that are fetched again because no cache holds them are not
either: they are what is missing from 100 %. The formulas stand with the kernels, in ``limits_of_vectors`` and
``limits_of_nets``. With ``--quick`` some kernels are left out, which take long to compile.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.machine import bandwidth, peak_gflops, read_bandwidth, update_bandwidth
from benchmarks.measuring import Row, Run, number

LEAST_SECONDS, MOST_CALLS = 0.1, 50
"""A kernel is called so often that a turn takes that long, within reason."""


@dataclass(frozen=True)
class Work:
    """What a kernel cannot do without: so many FLOP, and so many bytes from memory and to it."""

    flop: float
    bytes: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """A kernel that is ready to be timed: ``seconds()`` runs it once."""

    case: str
    work: Work
    seconds: Callable[[], float]
    why: str = ""
    """What else it does, where that is more."""


@dataclass(frozen=True)
class Limits:
    """Of one thread, in FLOP and bytes a second."""

    flop: float
    bytes: float

    def seconds(self, work: Work) -> float:
        """The least that the work can take."""
        return max(work.flop / self.flop, work.bytes / self.bytes)


def measure_limits() -> Limits:
    ways = (bandwidth, read_bandwidth, update_bandwidth)
    return Limits(1e9 * peak_gflops(1, 2_000_000), 1e9 * max(way(128) for way in ways))


def share(kernel: Kernel, repeats: int) -> Row:
    """Per cent of the limit, turn by turn, once it is compiled."""
    kernel.seconds()
    calls = max(1, min(MOST_CALLS, math.ceil(LEAST_SECONDS / kernel.seconds())))
    turns = [(measure_limits(), mean(kernel.seconds() for _ in range(calls))) for _ in range(repeats)]
    shares = [100 * limits.seconds(kernel.work) / seconds for limits, seconds in turns]
    flop, memory = (median(getattr(limits, name) for limits, _ in turns) for name in ("flop", "bytes"))
    seconds = median(each for _, each in turns)
    if kernel.work.flop / flop >= kernel.work.bytes / memory:
        note = f"{number(kernel.work.flop / seconds / 1e9)} of {number(flop / 1e9)} GFLOP/s"
    else:
        note = f"{number(kernel.work.bytes / seconds / 1e9)} of {number(memory / 1e9)} GB/s"
    return Row(kernel.case, "% of limit", shares, note="; ".join(filter(None, [note, kernel.why])))


def rows(run: Run) -> Iterator[Row]:
    from threadpoolctl import threadpool_limits

    from benchmarks.limits_of_nets import net_kernels
    from benchmarks.limits_of_vectors import vector_kernels

    with threadpool_limits(1):
        for kernels in (vector_kernels, net_kernels):
            for kernel in kernels(run):
                yield share(kernel, run.repeats)
