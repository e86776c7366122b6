"""A thread that computes one direction of a single sequence while the calling thread computes the other."""

import contextlib
import ctypes
import itertools
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from seqclf.layers.cells import Cell
from wordvec.system.threads import available_cores

if TYPE_CHECKING:
    from seqclf.layers.tape import Run

_FIRST_CALLS = 16
"""Calls before the thread is started, whose kernels take longer to load than a few short predictions."""
_PAUSE = 256
"""Calls in which a thread that came too late twice is not asked: waking it can take longer than a text."""
_WORTH_SHARING = 200_000
"""Recurrent multiplications of a direction, about 10 us, above which the second thread pays off."""


class SecondThread:
    """Runs jobs of ``kernels.pairing``; it sleeps between them, after a moment in which the next one may come.

    The thread is a daemon: it does not keep the process alive.
    """

    def __init__(self) -> None:
        from seqclf.kernels.pairing import SIZE, help_out

        self._bell = np.zeros(SIZE, np.int64)
        help_out(self._bell, 0)  # so that the kernel is loaded when the thread wakes
        self._in_use = threading.Lock()
        self._wake = threading.Lock()
        self._wake.acquire()
        self._failures = self._pause = 0
        self._addresses: dict[Callable[..., None], int] = {}
        thread = threading.Thread(target=self._serve, name="seqclf-second", daemon=True)
        thread.start()
        self._thread = thread.native_id or 0

    def _serve(self) -> None:
        from seqclf.kernels.pairing import POLLS, help_out

        while True:
            self._wake.acquire()
            help_out(self._bell, POLLS)

    def run(self, cell: Cell, starts: np.ndarray, first: "Run", second: "Run") -> bool:
        """Run the forward kernels of two directions, without an initial state and without keeping gates.

        Args:
            cell: of both. starts: of the batch.
            first, second: write to different arrays.

        Returns:
            False if another thread is being helped, or if there seems to be no core for this one: after two calls in
            which it came too late, it is not asked in the next ones. Nothing has been computed then.
        """
        from seqclf.kernels.pairing import AWAKE, forward_address, run_both

        if not self._in_use.acquire(blocking=False):
            return False
        try:
            if self._pause > 0:
                self._pause -= 1
                return False
            forward, _ = cell.kernels()
            address = self._addresses.get(forward)
            if address is None:
                address = self._addresses[forward] = forward_address(forward)
            if not self._bell[AWAKE]:
                self._bell[AWAKE] = 1
                avoid_this_core(self._thread)
                self._wake.release()
            helped = run_both(
                self._bell, address, first.inputs, starts, first.rows, first.weights, first.state,
                second.rows, second.weights, second.state, False, False,
            )  # fmt: skip
            self._failures = 0 if helped else self._failures + 1
            if self._failures and self._failures % 2 == 0:  # the call before this one only woke it
                self._pause = _PAUSE
        finally:
            self._in_use.release()
        return True


def avoid_this_core(thread: int) -> None:
    """Tie a sleeping thread to the calling thread's other cores, so that Linux does not wake it on the caller's.

    Nothing happens where the system does not allow it, or if the caller may use only one core.
    """
    if _core is not None:
        others = os.sched_getaffinity(0) - {_core()}
        if others:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(thread, others)


_core = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None


def second_thread(cell: Cell, hidden: int, steps: int) -> SecondThread | None:
    """Return the second thread of this process if it pays off for a sequence of that many steps.

    There is none before some calls have been worth it, or on one core.
    """
    if cell.gates * hidden * hidden * steps < _WORTH_SHARING or next(_calls) < _FIRST_CALLS:
        return None
    return _started()


_calls = itertools.count()


@cache
def _started() -> SecondThread | None:
    from seqclf.kernels.pairing import COMPILED

    return SecondThread() if COMPILED and available_cores() > 1 else None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_started.cache_clear)  # threads do not survive a fork
