"""How many threads, and how they are run so that Ctrl-C ends them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from wordvec.system.validation import check_whole


def available_cores() -> int:
    """The processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not say
        return os.cpu_count() or 1


def worker_count(threads: int | None) -> int:
    """Threads to work with: as asked, at most one a core; all cores when ``threads`` is None.

    With WORDVEC_OVERSUBSCRIBE=1 in the environment there may be more than cores, for tests.
    """
    if threads is None:
        return available_cores()
    threads = check_whole("threads", threads, 1)
    if os.environ.get("WORDVEC_OVERSUBSCRIBE") == "1":
        return threads
    return min(threads, available_cores())


def run_in_threads(
    work: Callable[[int], None], threads: int, stop: Callable[[], None], watch: Callable[[], None], every: float = 0.2
) -> None:
    """Call ``work(0) .. work(threads - 1)`` side by side and ``watch()`` now and then until all have returned.

    What ``watch`` raises calls ``stop()``, waits for the threads and goes on its way. Ctrl-C does the same, and is
    raised when all threads have returned, however often it is pressed: they leave nothing half done.
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
