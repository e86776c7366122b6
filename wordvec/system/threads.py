"""Thread counts, and threads that Ctrl-C can stop."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Any

from wordvec.system.control_groups import cpu_quota
from wordvec.system.validation import check_whole


def available_cores() -> int:
    """Return the number of processors that this process may use: its affinity, and the quota of a container."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not available on macOS and Windows
        return os.cpu_count() or 1
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def worker_count(threads: int | None) -> int:
    """Return the number of worker threads: ``threads``, at most one per core; None means all cores.

    With WORDVEC_OVERSUBSCRIBE=1 in the environment, for tests, it may exceed the number of cores.
    """
    if threads is None:
        return available_cores()
    threads = check_whole("threads", threads, 1)
    if threads == 1:  # without reading the quota, which takes as long as a short prediction
        return 1
    if os.environ.get("WORDVEC_OVERSUBSCRIBE") == "1":
        return threads
    return min(threads, available_cores())


def threads_of(n_jobs: int | None) -> int | None:
    """Return the ``threads`` for scikit-learn's ``n_jobs``, whose -1 means all cores.

    Raises:
        InputError: not None, -1 or a whole number of at least 1.
    """
    return None if n_jobs is None or n_jobs == -1 else check_whole("n_jobs", n_jobs, 1)


def run_in_threads(
    work: Callable[[int], None], threads: int, stop: Callable[[], None], watch: Callable[[], None], every: float = 0.2
) -> None:
    """Call ``work(0) .. work(threads - 1)`` concurrently, and ``watch()`` every ``every`` seconds, until all return.

    If ``watch`` raises, ``stop()`` is called, and the exception propagates once all threads have returned. Ctrl-C does
    the same, even if pressed repeatedly, so that no thread is left with its work half done.
    """
    from wordvec.kernels.compiling import interrupts_wait

    with interrupts_wait() as came, ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(work, thread) for thread in range(threads)]
        try:
            while not came and wait(running, timeout=every).not_done:
                watch()
        finally:
            if came or not all(thread.done() for thread in running):
                stop()
        for finished in running:
            finished.result()


def uninterrupted() -> AbstractContextManager[list[Any]]:
    """Defer Ctrl-C to the end of a block; the list that it yields is empty until Ctrl-C is pressed."""
    from wordvec.kernels.compiling import interrupts_wait

    return interrupts_wait()
