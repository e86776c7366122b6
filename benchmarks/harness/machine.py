"""What is the peak performance of this machine right now? Arithmetic, memory bandwidth and thread latency.

Two threads of a virtual machine are not always two equal processors: the host may place them on one core, or so far
apart that they share no cache. This changes from minute to minute and limits what two threads can reach, so every
two-thread figure is reported with the current peaks.
"""

import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.harness.measuring import Row, Run, threads_of
from wordvec.kernels.simd import (
    PART,
    add,
    atomic_add,
    atomic_read,
    kernel,
    load,
    load_part,
    multiply_add,
    splat,
    splat_part,
    store,
)

_CHAINS = 10
_FLOPS = 2 * PART * _CHAINS


@kernel
def _multiply_add(numbers, rounds):
    """Ten independent chains of multiply-adds in registers."""
    x, y = load_part(numbers, 0), load_part(numbers, 16)
    a = b = c = d = e = f = g = h = i = j = splat_part(np.float32(0))
    for _ in range(rounds):
        a, b, c = multiply_add(x, a, y), multiply_add(x, b, y), multiply_add(x, c, y)
        d, e, f = multiply_add(x, d, y), multiply_add(x, e, y), multiply_add(x, f, y)
        g, h, i, j = multiply_add(x, g, y), multiply_add(x, h, y), multiply_add(x, i, y), multiply_add(x, j, y)
    total = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, add(h, add(i, j)))))
    store(numbers, 0, total)


@kernel
def _read(numbers, total):
    """Sum all numbers, eight SIMD vectors at a time."""
    a = b = c = d = e = f = g = h = splat(np.float32(0))
    for k in range(0, numbers.size - 127, 128):
        a, b = add(a, load(numbers, k)), add(b, load(numbers, k + 16))
        c, d = add(c, load(numbers, k + 32)), add(d, load(numbers, k + 48))
        e, f = add(e, load(numbers, k + 64)), add(f, load(numbers, k + 80))
        g, h = add(g, load(numbers, k + 96)), add(h, load(numbers, k + 112))
    store(total, 0, add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))))


@kernel
def _update(numbers):
    """Halve all numbers and add one half, four SIMD vectors at a time."""
    half = splat(np.float32(0.5))
    for k in range(0, numbers.size - 63, 64):
        a, b, c, d = load(numbers, k), load(numbers, k + 16), load(numbers, k + 32), load(numbers, k + 48)
        store(numbers, k, multiply_add(a, half, half))
        store(numbers, k + 16, multiply_add(b, half, half))
        store(numbers, k + 32, multiply_add(c, half, half))
        store(numbers, k + 48, multiply_add(d, half, half))


@kernel
def _take_turns(counter, turn, rounds):
    """Increment the counter whenever it is this thread's turn, which hands the turn to the other thread."""
    for k in range(rounds):
        while atomic_read(counter, 0) != 2 * k + turn:
            pass
        atomic_add(counter, 0, 1)


def _seconds(function: Callable, arguments: list[tuple]) -> float:
    """Return the wall time of concurrent calls, one thread for each of ``arguments``."""
    threads = [threading.Thread(target=function, args=each) for each in arguments]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def peak_gflops(threads: int, rounds: int = 20_000_000) -> float:
    """Measure multiply-adds in registers on ``threads`` concurrent threads, in GFLOP/s."""
    numbers = [np.full(32, 1e-3, np.float32) for _ in range(threads)]
    _multiply_add(numbers[0], 1)
    return threads * rounds * _FLOPS / _seconds(_multiply_add, [(each, rounds) for each in numbers]) / 1e9


def round_trip(rounds: int = 200_000) -> float:
    """Measure the round-trip latency between two threads, in nanoseconds."""
    counter = np.zeros(8, np.int64)
    _take_turns(counter, 0, 1)
    counter[0] = 0
    return _seconds(_take_turns, [(counter, 0, rounds), (counter, 1, rounds)]) / rounds * 1e9


@lru_cache(1)
def _arrays(megabytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two arrays whose pages are already mapped."""
    return np.ones(megabytes * 250_000, np.float32), np.ones(megabytes * 250_000, np.float32)


def bandwidth(megabytes: int = 256) -> float:
    """Measure the GB/s that one thread reads and writes while copying an array far larger than the caches."""
    source, target = _arrays(megabytes)
    return 2 * source.nbytes / _seconds(np.copyto, [(target, source)]) / 1e9


def read_bandwidth(megabytes: int = 256) -> float:
    """Measure the GB/s that one thread reads from an array far larger than the caches."""
    (source, _), total = _arrays(megabytes), np.zeros(16, np.float32)
    _read(source[:128], total)
    return source.nbytes / _seconds(_read, [(source, total)]) / 1e9


def update_bandwidth(megabytes: int = 256) -> float:
    """Measure the GB/s that one thread reads and writes in an in-place update of a large array."""
    _, numbers = _arrays(megabytes)
    _update(numbers[:128])
    return 2 * numbers.nbytes / _seconds(_update, [(numbers,)]) / 1e9


def caches() -> dict[int, int]:
    """Return the data cache sizes of the first core in bytes, by level; empty except on Linux."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction" and size.endswith("K"):
            found[int(level)] = int(size[:-1]) << 10
    return found


def rows(run: Run) -> Iterator[Row]:
    """Yield the peaks, each measured ``run.repeats`` times."""
    turns = range(run.repeats)
    for threads in (1, run.threads):
        rates = [peak_gflops(threads) for _ in turns]
        yield Row(f"multiply-adds in registers, {threads_of(threads)}", "GFLOP/s", rates)
    yield Row("copying memory, 1 thread, read and written", "GB/s", [bandwidth() for _ in turns])
    yield Row("reading memory, 1 thread", "GB/s", [read_bandwidth() for _ in turns])
    yield Row("changing memory in place, 1 thread, read and written", "GB/s", [update_bandwidth() for _ in turns])
    if run.threads > 1:
        times = [round_trip() for _ in turns]
        yield Row("from one thread to another and back", "ns", times, more_is_better=False)


def describe(threads: int) -> str:
    """Return one line on the current performance of the processors."""
    if threads == 1:
        return f"peak {peak_gflops(1):.0f} GFLOP/s"
    return (
        f"peak {peak_gflops(1):.0f} GFLOP/s, {threads} threads {peak_gflops(threads):.0f}; "
        f"{round_trip():.0f} ns round trip"
    )
