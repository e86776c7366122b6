"""Linux control groups, version 1 and 2: the limits of containers and batch jobs."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def control_groups(controller: str, root: str | os.PathLike[str] = "/") -> Iterator[tuple[int, Path]]:
    """Yield version and folder of this process's group for a controller, such as cpu, and of each enclosing group.

    In a container the folder may not exist.

    Args:
        controller: as version 1 names it.
        root: where ``/proc`` and ``/sys`` are.
    """
    with contextlib.suppress(OSError, ValueError):
        # Lines number:controllers:path, of version 2 without controllers.
        for line in Path(root, "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            inner = PurePosixPath(path.lstrip("/"))
            groups = (inner, *inner.parents)
            if controllers == "":
                yield from ((2, Path(root, "sys/fs/cgroup", group)) for group in groups)
            elif controller in controllers.split(","):
                yield from ((1, Path(root, "sys/fs/cgroup", controller, group)) for group in groups)


def cpu_quota(root: str | os.PathLike[str] = "/") -> float | None:
    """Return the processors' worth of time that this process may use, as set by ``docker run --cpus``; None: no limit.

    Args:
        root: where ``/proc`` and ``/sys`` are.
    """
    found = []
    for version, folder in control_groups("cpu", root):
        with contextlib.suppress(OSError, ValueError):  # "max" means no limit, and so does -1
            if version == 2:
                quota, period = map(int, (folder / "cpu.max").read_text().split())
            else:
                quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
            if quota > 0 and period > 0:
                found.append(quota / period)
    return min(found, default=None)
