"""A thread pool for the kernels, which release the interpreter lock.

Half of a training step may take only a millisecond, so starting it must take microseconds: that of
``concurrent.futures`` takes three times as long.
"""

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

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
        self._jobs: SimpleQueue[_Calls[Any] | None] = SimpleQueue()
        self._others = [
            threading.Thread(target=_serve, args=(self._jobs,), name=f"seqclf-{number}", daemon=True)
            for number in range(1, self.threads)
        ]
        for thread in self._others:
            thread.start()

    def map(self, function: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
        """Return ``[function(*a) for a in zip(*arguments)]``.

        The first call runs on this thread, and so does each that no other thread has begun by then. If some fail, the
        first error is raised once all have ended.
        """
        calls = list(zip(*arguments, strict=True))
        if not self._others or len(calls) < 2:
            return [function(*call) for call in calls]
        shared = _Calls(function, calls)
        for _ in self._others[: len(calls) - 1]:
            self._jobs.put(shared)
        return shared.results()

    def close(self) -> None:
        """Join the threads."""
        for _ in self._others:
            self._jobs.put(None)
        for thread in self._others:
            thread.join()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Calls(Generic[T]):
    """Calls of a function that several threads share; each takes the next one."""

    def __init__(self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> None:
        self._function, self._calls = function, calls
        self._results: list[T | None] = [None] * len(calls)
        self._errors: dict[int, BaseException] = {}
        # The interpreter lock makes each step of these iterators atomic.
        self._numbers, self._ended = itertools.count(1), itertools.count(1)
        self._done = threading.Lock()
        self._done.acquire()

    def results(self) -> list[T]:
        """Run the first call and those that are left, wait for the others, and return the results of all."""
        self._run(0)
        self.help_out()
        self._done.acquire()
        for number in sorted(self._errors):
            raise self._errors[number]
        return cast(list[T], self._results)

    def help_out(self) -> None:
        """Run calls until all have been taken."""
        for number in self._numbers:
            if number >= len(self._calls):
                return
            self._run(number)

    def _run(self, number: int) -> None:
        try:
            self._results[number] = self._function(*self._calls[number])
        except BaseException as error:  # an interrupt, too, waits for the others
            self._errors[number] = error
        if next(self._ended) == len(self._calls):
            self._done.release()


def _serve(jobs: "SimpleQueue[_Calls[Any] | None]") -> None:
    while (job := jobs.get()) is not None:
        job.help_out()
        del job  # a waiting thread keeps no results alive
