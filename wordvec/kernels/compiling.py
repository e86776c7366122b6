"""Context managers around kernel compilation: deferred Ctrl-C and garbage collection, and a message when it is slow."""

import contextlib
import gc
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from numba.core import event

_log = logging.getLogger(__name__)

SLOW = 1.0
"""Total seconds of compilation after which a message is logged."""

VERY_SLOW = 10.0
"""Total seconds after which another follows, of level ``NOTICE``."""

TYPICAL = "10 to 30 s"
"""How long the kernels of a command take to compile."""

NOTICE = logging.INFO + 5
"""Level of the message that commands print even if they are quiet."""

Lifetime: TypeAlias = Callable[[], tuple[str, bool]]


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


@contextlib.contextmanager
def collection_waits() -> Iterator[None]:
    """Defer garbage collection to the end of the block: to look through the millions of objects that a compilation
    makes takes a twelfth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Clock(event.Listener):
    """Measures compilation time, excluding cache loads, and logs a message at ``SLOW`` and another at ``VERY_SLOW``."""

    def __init__(self) -> None:
        self.busy = False
        self.messages = 0
        self.lifetime: Lifetime = lambda: ("", False)
        self.spent = 0.0
        self._started: float | None = None
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        if self._started is None:
            self._started = time.perf_counter()
            self._wait()

    def on_end(self, event: Any) -> None:
        """Ignored: compilations nest, so ``told_when_slow`` stops the clock when the outermost one is done."""

    def stop(self) -> None:
        if self._started is not None and self._timer is not None:
            self._timer.cancel()
            self.spent += time.perf_counter() - self._started
            self._started = None

    def _wait(self) -> None:
        if self.messages < 2 and self._started is not None:
            due = (SLOW, VERY_SLOW)[self.messages] - self.spent - (time.perf_counter() - self._started)
            self._timer = threading.Timer(max(due, 0.0), self._say)
            self._timer.daemon = True
            self._timer.start()

    def _say(self) -> None:
        self.messages += 1
        lifetime, avoidable = self.lifetime()
        if self.messages == 1:
            _log.log(logging.WARNING if avoidable else logging.INFO, "compiling kernels (%s, %s)", TYPICAL, lifetime)
        else:
            _log.log(NOTICE, "compiling kernels for %.0f s now (usually %s, %s)", VERY_SLOW, TYPICAL, lifetime)
        self._wait()


_clock = _Clock()


@contextlib.contextmanager
def told_when_slow(lifetime: Lifetime) -> Iterator[None]:
    """Log if this process compiles kernels for more than ``SLOW`` seconds, and again after ``VERY_SLOW`` seconds.

    Args:
        lifetime: returns how often this kernel is compiled, and whether a user can and should change that.
    """
    if _clock.busy or _clock.messages == 2:
        yield
        return
    _clock.busy, _clock.lifetime = True, lifetime
    try:
        with event.install_listener("numba:compile", _clock):
            yield
    finally:
        _clock.stop()
        _clock.busy = False
