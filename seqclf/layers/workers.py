"""Threads that share a batch's work: the kernels release the interpreter, so two directions run on two cores."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, TypeVar

from wordvec import available_cores, check_whole

T = TypeVar("T")


class Workers:
    """Runs a few tasks at once; use it as a context manager, which joins its threads at the end, whatever happened.

    Args:
        threads: how many tasks may run at once, the caller's own thread included; None takes the cores there are,
            and more than these is never used.

    Raises:
        InputError: ``threads`` is below 1.

    Example:
        >>> with Workers(2) as workers:
        ...     workers.map(len, ["one", "three"])
        [3, 5]
    """

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None:
            threads = check_whole("threads", threads, 1)
        cores = available_cores()
        self.threads = cores if threads is None else min(threads, cores)
        self._pool = ThreadPoolExecutor(self.threads - 1, "seqclf") if self.threads > 1 else None

    def map(self, function: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
        """``[function(*a) for a in zip(*arguments)]``, the first on this thread; returns when all are done."""
        calls = list(zip(*arguments, strict=True))
        if self._pool is None or len(calls) < 2:
            return [function(*call) for call in calls]
        futures = [self._pool.submit(function, *call) for call in calls[1:]]
        try:
            first = function(*calls[0])
        finally:
            wait(futures)
        return [first, *(future.result() for future in futures)]

    def close(self) -> None:
        """Join the threads; what has not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
