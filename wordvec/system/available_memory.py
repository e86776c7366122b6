"""Memory available to this process, within the limits of the machine and of its control groups."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


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


def _machine_memory(root: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, LookupError):
        yield 1024 * int(_numbers(root / "proc/meminfo")["MemAvailable:"])
        return
    with contextlib.suppress(AttributeError, OSError, ValueError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_group_memory(root: Path) -> Iterator[int]:
    """Yield the memory left in each v2 group and each v1 memory group, from lines ``number:controllers:path``."""
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                yield from _memory_left(root / "sys/fs/cgroup", path, "memory.max", "memory.current", "")
            elif "memory" in controllers.split(","):
                home = root / "sys/fs/cgroup/memory"
                yield from _memory_left(home, path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _memory_left(home: Path, path: str, limit: str, used: str, prefix: str) -> Iterator[int]:
    """Yield the memory left in the group at ``path`` and its ancestors; in a container the path may not exist."""
    inner = PurePosixPath(path.lstrip("/"))
    for group in (inner, *inner.parents):
        with contextlib.suppress(OSError, ValueError):  # "max" means no limit
            bound = int((home / group / limit).read_text())
            files = _numbers(home / group / "memory.stat")
            droppable = sum(int(files.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
            yield bound - int((home / group / used).read_text()) + droppable


def _numbers(path: Path) -> dict[str, str]:
    """Parse lines of a name and a number."""
    return {words[0]: words[1] for line in path.read_text().splitlines() if len(words := line.split()) > 1}
