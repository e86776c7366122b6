"""Prediction for input that arrives bit by bit: in batches, in order and in constant memory."""

import contextlib
import select
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 4096
"""Items in a batch; larger ones are no faster."""
_WAIT = 0.02
"""Seconds that a batch waits for more items, which makes batches of input that is written line by line."""
_LOOK = 0.5
"""Seconds between checks that somebody still reads standard output."""


class Arriving(Generic[T]):
    """Batches of the items that have arrived, at most ``_MOST``; a thread reads ahead by one batch.

    Iterating ends early, with BrokenPipeError, if the reader of standard output ends while the input pauses.

    Example:
        >>> [len(batch) for batch in Arriving(range(4100))]
        [4096, 4]
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._waiting: list[T] = []
        self._ended = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[list[T]]:
        threading.Thread(target=self._read, name="input", daemon=True).start()
        while batch := self._next():
            yield batch
        if self._error is not None:
            raise self._error

    def _next(self) -> list[T]:
        """Return the next batch; empty at the end."""
        with self._changed:
            while not self._waiting and not self._ended:
                if not self._changed.wait(_LOOK):
                    _check_reader()
            until = time.monotonic() + _WAIT
            while len(self._waiting) < _MOST and not self._ended and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            batch, self._waiting = self._waiting, []
            self._changed.notify_all()
        return batch

    def _read(self) -> None:
        try:
            for item in self._items:
                with self._changed:
                    while len(self._waiting) >= _MOST:
                        self._changed.wait()
                    self._waiting.append(item)
                    if len(self._waiting) in (1, _MOST):
                        self._changed.notify_all()
        except BaseException as error:  # raised again where the batches are read
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _check_reader() -> None:
    """Raise BrokenPipeError if standard output is a pipe that nobody reads any more."""
    found: list[tuple[int, int]] = []
    if hasattr(select, "poll"):
        with contextlib.suppress(OSError, ValueError):  # standard output is closed, or not a file
            watched = select.poll()
            watched.register(sys.stdout.fileno(), 0)
            found = watched.poll(0)
    if any(event & select.POLLERR for _, event in found):
        raise BrokenPipeError
