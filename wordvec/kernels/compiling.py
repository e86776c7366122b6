"""What surrounds the compilation of a kernel: Ctrl-C waits until it is whole, and whoever waits is told why."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from numba.core import event

_log = logging.getLogger(__name__)

SLOW = 1.0
"""Seconds of compilation, in all, after which it is spoken of."""


@contextlib.contextmanager
def interrupts_wait() -> Iterator[list[Any]]:
    """Let Ctrl-C take effect after the block, not in it; the list that is given is empty until it is pressed.

    A KeyboardInterrupt that is raised inside one of LLVM's callbacks is lost there, and half a kernel is left behind;
    one that is raised while threads start leaves some waiting for others that never come.
    """
    previous = signal.getsignal(signal.SIGINT)
    came: list[Any] = []
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield came
        return
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, previous)
        if came:
            previous(*came[-1])


class _Clock(event.Listener):
    """Runs from the start of a compilation (reading a kernel from the cache is none) and speaks when it gets late."""

    def __init__(self) -> None:
        self.busy = self.said = False
        self.spent = 0.0
        self._started: float | None = None
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        if self._started is None:
            self._started = time.perf_counter()
            self._timer = threading.Timer(max(SLOW - self.spent, 0.0), self._say)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: Any) -> None:
        """One kernel compiles others: the clock is stopped by ``told_when_slow``, when the first of them is done."""

    def stop(self) -> None:
        if self._started is not None and self._timer is not None:
            self._timer.cancel()
            self.spent += time.perf_counter() - self._started
            self._started = None

    def _say(self) -> None:
        self.said = True
        _log.info("compiling the kernels, once per machine: this takes some seconds")


_clock = _Clock()


@contextlib.contextmanager
def told_when_slow() -> Iterator[None]:
    """Log once in a process that kernels are compiled, when they take more than ``SLOW`` seconds."""
    if _clock.busy or _clock.said:
        yield
        return
    _clock.busy = True
    try:
        with event.install_listener("numba:compile", _clock):
            yield
    finally:
        _clock.stop()
        _clock.busy = False
