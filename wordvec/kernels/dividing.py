"""Division of compilation between a process and its helper.

The helper calls the same functions on small data, with kernels that do nothing (``recorded``): this takes a moment and
lists the kernels with the types of their arguments, in order of use. It compiles them in reverse order
(``compile_last_first``), while the process compiles them as they are needed, until the two meet. A kernel is compiled
by the process that creates its subfolder in a folder of the two; the other waits, and loads the code from the cache.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

PATIENCE = 60.0
"""Seconds after which a process compiles a kernel that the other has not finished, such as a stopped one."""


class Helper(NamedTuple):
    """The folder of the two processes, and whether the other one is running."""

    folder: str
    is_running: Callable[[], bool]


_calls: dict[tuple[Any, Any], None] | None = None
_start: Callable[[], Helper | None] | None = None
_other: Helper | None = None
_is_helper = False
_held: list[str] = []


class TakenError(Exception):
    """The other process compiles this kernel."""


def ask_for_help(start: Callable[[], Helper | None] | None) -> None:
    """Call ``start`` once this process has to compile a kernel; None: compile everything in this process.

    Args:
        start: starts a helper; returns None if it cannot.
    """
    global _start, _other
    _start, _other = start, None


def recorded(dispatcher: Any, signature: Any) -> bool:
    """Whether kernels are recorded, not executed; if so, record this one."""
    if _calls is None:
        return False
    _calls[dispatcher, signature] = None
    return True


def compile_last_first(run: Callable[[], Any], folder: str) -> None:
    """Compile the kernels that ``run`` calls, the last one first, as the helper of the process that made ``folder``."""
    global _calls, _other, _is_helper
    calls: dict[tuple[Any, Any], None] = {}
    _calls = calls
    with contextlib.suppress(Exception):  # ends early where the results of a kernel are needed
        run()
    _calls = None
    _other, _is_helper = Helper(folder, lambda: True), True
    for dispatcher, signature in reversed(calls):
        with contextlib.suppress(Exception):
            dispatcher.compile(signature)


def claim(name: str) -> bool:
    """Claim the kernel that is stored as ``name`` and has to be compiled, until the end of ``claims_released``.

    Returns:
        Whether there is another process, which may have compiled the kernel meanwhile.

    Raises:
        TakenError: in the helper, which rather compiles another one.
    """
    global _start, _other
    if _start is not None:
        start, _start = _start, None
        _other = start()
    if _other is None:
        return False
    path = os.path.join(_other.folder, name)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and _other.is_running():
        try:
            os.mkdir(path)
        except FileExistsError:
            if _is_helper and not _held:
                raise TakenError from None
            time.sleep(0.005)
        except OSError:  # no space left, or the folder is gone with the other process
            return False
        else:
            _held.append(path)
            return True
    return True


@contextlib.contextmanager
def claims_released() -> Iterator[None]:
    """Release the claims of the block at its end."""
    before = len(_held)
    try:
        yield
    finally:
        while len(_held) > before:
            with contextlib.suppress(OSError):
                os.rmdir(_held.pop())
