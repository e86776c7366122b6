"""Temporary files and folders that are locked while their process lives, and removal of those of killed processes.

The lock (``flock``) belongs to the process, not to its number, so it cannot be mistaken for that of another process, in
another container, or after a restart. Where there are no such locks, nothing is swept.
"""

import contextlib
import glob
import os
import shutil
import stat
from collections.abc import Callable


class Claim:
    """A new temporary file or folder, locked until ``release``, ``remove``, or the end of the process.

    Args:
        create: makes it and returns its path.

    Attributes:
        path: of the file or folder.

    Example:
        >>> import tempfile
        >>> claim = Claim(lambda: tempfile.mkdtemp(prefix="example-"))
        >>> sweep(os.path.dirname(claim.path), os.path.basename(claim.path))
        >>> os.path.exists(claim.path)
        True
        >>> claim.remove()
    """

    def __init__(self, create: Callable[[], str]) -> None:
        while True:
            self.path = create()
            self._lock = _locked(self.path, wait=True)
            if os.path.exists(self.path):
                return
            self.release()  # swept between its creation and its lock

    def release(self) -> None:
        """Give up the lock; the path stays."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def remove(self) -> None:
        """Remove the file, or the folder and its contents, if it is still there."""
        _remove(self.path)
        self.release()


def sweep(folder: str | os.PathLike[str], pattern: str) -> None:
    """Remove the user's files and folders that match a pattern and that no process has claimed.

    Args:
        folder: where to look.
        pattern: a glob of names that only claims have.
    """
    if os.name == "nt":
        return
    for path in glob.glob(os.path.join(glob.escape(os.fspath(folder)), pattern)):
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)) or status.st_uid != os.getuid():
                continue
            lock = _locked(path, wait=False)
            if lock is not None:
                try:
                    if os.path.samestat(os.fstat(lock), os.lstat(path)):
                        _remove(path)
                finally:
                    os.close(lock)


def _locked(path: str, *, wait: bool) -> int | None:
    """Return a descriptor that locks a file or folder; None if another process does, or if there are no locks."""
    if os.name == "nt":
        return None
    import fcntl

    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held, gone, or on a file system without locks
        if descriptor >= 0:
            os.close(descriptor)
        return None
    return descriptor


def _remove(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)
