"""Ctrl-C and termination: one path for all signals, and networks that keep their best epoch."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wordvec import Progress as ProgressState


@contextlib.contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C during the work of a console script, and ignore Ctrl-C once it is done."""
    if getattr(signal.getsignal(signal.SIGINT), "__module__", "") != "wordvec_seqclf":
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _ignore)


_SAME = 1.0
"""Seconds within which signals are one interruption: a terminal that closes, or a service that stops, sends several."""


def _ignore(number: int, frame: FrameType | None) -> None:
    """Let the process end as it is about to, after removing its temporary files."""


def treat_termination_as_interrupt() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, unless they are ignored (``nohup``) or handled already."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        with contextlib.suppress(ValueError):  # not the main thread
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Through the handler of Ctrl-C, which may be deferred while kernels compile.
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


class BestEpochOnInterrupt:
    """While a network trains: Ctrl-C after the first epoch ends the training with its best epoch; before, everything.

    A second Ctrl-C interrupts at once. After saving the model, call ``finish``.

    Args:
        show: shows the progress.
        resumable: the training has a checkpoint, which it saves when it is stopped; so it is, even in its first epoch.
        logs: called with the progress, too.

    Example:
        >>> with BestEpochOnInterrupt(lambda state: None) as on_progress:
        ...     pass  # train(..., on_progress=on_progress), and save
        >>> on_progress.finish()
    """

    def __init__(
        self,
        show: Callable[["ProgressState"], None],
        resumable: bool = False,
        logs: Callable[["ProgressState"], None] = lambda state: None,
    ) -> None:
        self._show, self._resumable, self._logs = show, resumable, logs
        self._interrupted = self._has_epoch = False
        self._since = 0.0
        self._previous: Any = None

    def __enter__(self) -> "BestEpochOnInterrupt":
        previous = signal.getsignal(signal.SIGINT)
        if callable(previous) and threading.current_thread() is threading.main_thread():
            self._previous = previous
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
        if self._interrupted and kind is not None and kind.__name__ == "StopTraining":
            raise KeyboardInterrupt from None  # before the end of the first epoch

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._interrupted and now - self._since < _SAME:
            return
        if self._interrupted or not (self._has_epoch or self._resumable):
            self._previous(number, frame)
        self._interrupted, self._since = True, now

    def __call__(self, state: "ProgressState") -> None:
        """Show the progress, and stop the training if it was interrupted."""
        from seqclf import StopTraining

        self._show(state)
        self._logs(state)
        self._has_epoch = self._has_epoch or state.epoch_done
        if self._interrupted:
            raise StopTraining

    def finish(self) -> None:
        """Raise KeyboardInterrupt if the training was interrupted."""
        if self._interrupted:
            raise KeyboardInterrupt
