"""A thread pool for the kernels, which release the interpreter lock."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, TypeVar

from wordvec.system.threads import available_cores
from wordvec.system.validation import check_whole

T = TypeVar("T")


class Workers:
    """Runs tasks in parallel; as a context manager it joins its threads on exit, even after an error.

    Args:
        threads: the largest number of threads, including the calling one; at most one per core is used, as with
            None.
        paired: a single sequence may use a second thread, even if ``threads`` is 1; by default if it is not.

    Raises:
        InputError: ``threads`` is below 1.

    Example:
        >>> with Workers(2) as workers:
        ...     workers.map(len, ["one", "three"])
        [3, 5]
    """

    def __init__(self, threads: int | None = None, *, paired: bool | None = None) -> None:
        if threads is not None:
            threads = check_whole("threads", threads, 1)
        # Finding the number of cores takes as long as a short prediction.
        cores = 1 if threads == 1 else available_cores()
        self.threads = cores if threads is None else min(threads, cores)
        self.paired = self.threads > 1 if paired is None else paired
        self._pool = ThreadPoolExecutor(self.threads - 1, "seqclf") if self.threads > 1 else None

    def map(self, function: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
        """Return ``[function(*a) for a in zip(*arguments)]``; the first call runs on this thread."""
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
        """Join the threads; tasks that have not started are canceled."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
