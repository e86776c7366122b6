"""Memory available to this process, within the limits of the machine and of its control groups."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from wordvec.errors import TrainingError
from wordvec.system.control_groups import control_groups

_NAMES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    2: ("memory.max", "memory.current", ""),
}
"""By version of control groups: the files of limit and usage, and the prefix of the statistics that add up a tree."""


def available_memory(root: str | os.PathLike[str] = "/") -> int | None:
    """Return the bytes that can be allocated without swapping or being killed; None if unknown.

    On Linux, the minimum of the kernel's own estimate (``MemAvailable``) and of limit minus usage of each enclosing
    control group (v1 and v2); file pages count as free, because they can be dropped. Elsewhere, the machine's memory
    as reported by ``sysconf``.

    Args:
        root: where ``/proc`` and ``/sys`` are.
    """
    found = [*_machine_memory(Path(root)), *_control_group_memory(Path(root))]
    return max(min(found), 0) if found else None


def require_memory(needed: int, what: str, remedy: str) -> None:
    """Check that at least so many bytes are available, before they are allocated.

    Raises:
        TrainingError: they are not.

    Example:
        >>> require_memory(10**18, "a table of 5 words", "lower vector_size")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        corpora.errors.TrainingError: a table of 5 words needs at least 1,000,000,000.0 GB of memory, but only ...
    """
    free = available_memory()
    if free is not None and needed > free:
        raise TrainingError(
            f"{what} needs at least {shown_bytes(needed)} of memory, but only {shown_bytes(free)} are free; {remedy}"
        )


def shown_bytes(count: int) -> str:
    """Return a number of bytes for a message."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _machine_memory(root: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, LookupError):
        yield 1024 * int(_numbers(root / "proc/meminfo")["MemAvailable:"])
        return
    with contextlib.suppress(AttributeError, OSError, ValueError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_group_memory(root: Path) -> Iterator[int]:
    """Yield the memory left in each enclosing control group."""
    for version, group in control_groups("memory", root):
        limit, used, prefix = _NAMES[version]
        with contextlib.suppress(OSError, ValueError):  # "max" means no limit
            bound = int((group / limit).read_text())
            files = _numbers(group / "memory.stat")
            droppable = sum(int(files.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
            yield bound - int((group / used).read_text()) + droppable


def _numbers(path: Path) -> dict[str, str]:
    """Parse lines of a name and a number."""
    return {words[0]: words[1] for line in path.read_text().splitlines() if len(words := line.split()) > 1}
