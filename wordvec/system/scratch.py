"""Large arrays, and arrays that grow, in temporary files."""

import contextlib
import errno
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from wordvec.errors import InputError

_IN_MEMORY = 1 << 28
"""Bytes of an array that stays in memory."""

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Scratch:
    """A temporary directory, created on first use and removed by ``close`` or with this object."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._remove: weakref.finalize[..., Any] | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Scratch, ()  # a copy does not own the files

    def path(self, name: str) -> Path:
        """Return the path of the file ``name``, which need not exist."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="wordvec-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / name

    def array(self, name: str, dtype: type, size: int) -> np.ndarray:
        """Return an array (size,) of any content, memory-mapped from the file ``name`` if it is large.

        Raises:
            InputError: the disk of the temporary files is full.
        """
        size_in_bytes = size * np.dtype(dtype).itemsize
        if size_in_bytes <= _IN_MEMORY:
            return np.empty(size, dtype)
        with _reporting_full_disk(), open(self.path(name), "wb") as file:
            file.truncate(size_in_bytes)
            if hasattr(os, "posix_fallocate"):  # writing to a mapped file on a full disk ends the process
                os.posix_fallocate(file.fileno(), 0, size_in_bytes)
        return np.memmap(self.path(name), dtype, "r+", shape=size)

    def remove(self, start: str) -> None:
        """Remove the files whose names begin with ``start``; one that is still mapped may stay until ``close``,
        depending on the operating system."""
        if self._folder is not None:
            for path in self._folder.glob(f"{start}*"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        """Remove the directory and its contents."""
        if self._remove is not None:
            self._remove()


class Growing:
    """An array that grows at its end.

    Args:
        dtype: of the items.
        reserve: number of items allocated in memory, of which the system commits what is filled. Beyond it, the whole
            array moves to a file.
        scratch: the directory of the file.
        name: the name of the file.

    Example:
        >>> letters = Growing(np.int32, 2, Scratch(), "letters")
        >>> letters.append(np.array([3, 1]))
        >>> letters.append(np.array([4]))
        >>> letters.finish()
        array([3, 1, 4], dtype=int32)
    """

    def __init__(self, dtype: type, reserve: int, scratch: Scratch, name: str) -> None:
        self.dtype = np.dtype(dtype)
        self.size = 0
        try:
            self._items: np.ndarray = np.empty(max(reserve, 0), self.dtype)
        except MemoryError:  # a system that does not overcommit
            self._items = np.empty(0, self.dtype)
        self._scratch, self._name = scratch, name
        self._file: IO[bytes] | None = None

    def append(self, values: np.ndarray) -> None:
        """Append ``values`` (n,).

        Raises:
            InputError: the disk of the temporary files is full.
        """
        size = self.size + len(values)
        if self._file is None and size <= len(self._items):
            self._items[self.size : size] = values
        else:
            with _reporting_full_disk():
                if self._file is None:
                    self._file = open(self._scratch.path(self._name), "wb")  # noqa: SIM115 - it stays open
                    self._file.write(self._items[: self.size].data)
                    self._items = np.empty(0, self.dtype)
                self._file.write(np.ascontiguousarray(values, self.dtype).data)
        self.size = size

    def finish(self) -> np.ndarray:
        """Return the array, read-only, memory-mapped if it is in a file; no more items can be appended.

        Raises:
            InputError: see ``append``.
        """
        if self._file is None:
            self._items.resize(self.size, refcheck=False)  # in place: frees the unused part
            self._items.flags.writeable = False
            return self._items
        with _reporting_full_disk():
            self._file.close()
        return np.asarray(np.memmap(self._file.name, self.dtype, mode="r"))


@contextlib.contextmanager
def _reporting_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"temporary files in {tempfile.gettempdir()} cannot be written: {reason}; set TMPDIR to a directory on "
                "another disk"
            ) from None
        raise InputError(
            f"no space left for temporary files in {tempfile.gettempdir()}; free space, set TMPDIR to a directory on "
            "another disk, or allow more memory"
        ) from None
