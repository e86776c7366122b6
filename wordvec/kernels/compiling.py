"""Context managers around kernel compilation: deferred Ctrl-C, and a log message when compilation is slow."""

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
"""Total seconds of compilation after which a message is logged."""


@contextlib.contextmanager
def interrupts_wait() -> Iterator[list[Any]]:
    """Defer Ctrl-C to the end of the block; the yielded list is empty until it is pressed.

    A KeyboardInterrupt raised inside an LLVM callback is swallowed there and leaves a half-compiled kernel; one raised
    while threads start leaves some waiting forever for the others.
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
    """Measures compilation time, excluding cache loads, and logs a message once it exceeds ``SLOW``."""

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
        """Ignored: compilations nest, so ``told_when_slow`` stops the clock when the outermost one is done."""

    def stop(self) -> None:
        if self._started is not None and self._timer is not None:
            self._timer.cancel()
            self.spent += time.perf_counter() - self._started
            self._started = None

    def _say(self) -> None:
        self.said = True
        _log.info("compiling kernels; this takes several seconds, once per machine")


_clock = _Clock()


@contextlib.contextmanager
def told_when_slow() -> Iterator[None]:
    """Log once per process if compiling kernels takes more than ``SLOW`` seconds."""
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
