"""How much memory this process may still take: that of the machine, and of the control groups it runs in."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def available_memory(root: str | os.PathLike[str] = "/") -> int | None:
    """Bytes that can be allocated without swapping or being killed; None where nobody says.

    On Linux the smallest of the kernel's own estimate (``MemAvailable``) and of what each control group around this
    process leaves (limit less use, of both versions); pages of files count as free, because they can be dropped.
    Elsewhere the memory of the machine, as ``sysconf`` tells it.

    Args:
        root: where ``/proc`` and ``/sys`` are.
    """
    found = [*_of_the_machine(Path(root)), *_of_control_groups(Path(root))]
    return max(min(found), 0) if found else None


def _of_the_machine(root: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, LookupError):
        yield 1024 * int(_numbers(root / "proc/meminfo")["MemAvailable:"])
        return
    with contextlib.suppress(AttributeError, OSError, ValueError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_control_groups(root: Path) -> Iterator[int]:
    """For each line ``number:controllers:path`` of a group of version 1 that has memory, or of version 2."""
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                yield from _left(root / "sys/fs/cgroup", path, "memory.max", "memory.current", "")
            elif "memory" in controllers.split(","):
                home = root / "sys/fs/cgroup/memory"
                yield from _left(home, path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _left(home: Path, path: str, limit: str, used: str, prefix: str) -> Iterator[int]:
    """What the group at ``path`` and each one around it leave. In a container the path may not be there."""
    inner = PurePosixPath(path.lstrip("/"))
    for group in (inner, *inner.parents):
        with contextlib.suppress(OSError, ValueError):  # "max" is no number: no limit
            bound = int((home / group / limit).read_text())
            files = _numbers(home / group / "memory.stat")
            droppable = sum(int(files.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
            yield bound - int((home / group / used).read_text()) + droppable


def _numbers(path: Path) -> dict[str, str]:
    """Lines of a name and a number."""
    return {words[0]: words[1] for line in path.read_text().splitlines() if len(words := line.split()) > 1}
