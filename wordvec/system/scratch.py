"""Large arrays, and arrays that grow, in temporary files; these return to memory if no file can be written."""

import contextlib
import io
import logging
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from corpora.leftovers import Claim, sweep
from wordvec.errors import InputError
from wordvec.system.available_memory import available_memory

_log = logging.getLogger(__name__)

_IN_MEMORY = 1 << 28
"""Bytes of an array that stays in memory."""


def temporary_folder() -> Claim:
    """Create a folder among the temporary files, and remove those of killed processes."""
    sweep(tempfile.gettempdir(), "wordvec-????????.tmp")
    return Claim(lambda: tempfile.mkdtemp(prefix="wordvec-", suffix=".tmp"))


class Scratch:
    """A temporary directory, created on first use and removed by ``close`` or with this object.

    Attributes:
        failure: why no more files can be written; empty if they can.
    """

    def __init__(self) -> None:
        self.failure = ""
        self._folder: Path | None = None
        self._remove: weakref.finalize[..., Any] | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Scratch, ()  # a copy does not own the files

    def path(self, name: str) -> Path:
        """Return the path of the file ``name``, which need not exist."""
        if self._folder is None:
            claim = temporary_folder()
            self._folder = Path(claim.path)
            self._remove = weakref.finalize(self, claim.remove)
        return self._folder / name

    def array(self, name: str, dtype: type, size: int) -> np.ndarray:
        """Return an array (size,) of any content, memory-mapped from the file ``name`` if it is large.

        Raises:
            InputError: temporary files cannot be written.
        """
        size_in_bytes = size * np.dtype(dtype).itemsize
        if size_in_bytes <= _IN_MEMORY:
            return np.empty(size, dtype)
        try:
            with open(self.path(name), "wb") as file:
                file.truncate(size_in_bytes)
                if hasattr(os, "posix_fallocate"):  # writing to a mapped file on a full disk ends the process
                    os.posix_fallocate(file.fileno(), 0, size_in_bytes)
        except OSError as error:
            raise InputError(
                f"temporary files cannot be written: {(error.strerror or str(error)).lower()}; free space, or set "
                "TMPDIR to a directory on another disk"
            ) from None
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
        self._file: io.FileIO | None = None

    def append(self, values: np.ndarray) -> None:
        """Append ``values`` (n,).

        Raises:
            InputError: temporary files cannot be written, and the array is larger than half of the free memory.
        """
        values = np.ascontiguousarray(values, self.dtype)
        size = self.size + len(values)
        if size <= len(self._items) or not self._appended_to_file(values):
            if size > len(self._items):
                self._reserve(size)
            self._items[self.size : size] = values
        self.size = size

    def _appended_to_file(self, values: np.ndarray) -> bool:
        """Write ``values``, after the items in memory, to the file; return False if no file can be written."""
        if self._scratch.failure:
            return False
        try:
            if self._file is None:
                self._file = open(self._scratch.path(self._name), "wb", buffering=0)  # noqa: SIM115 - it stays open
                _write(self._file, self._items[: self.size])
            _write(self._file, values)
        except OSError as error:
            self._scratch.failure = (error.strerror or str(error)).lower()
            _log.warning("temporary files cannot be written (%s); memory is used instead", self._scratch.failure)
            return False
        self._items = np.empty(0, self.dtype)
        return True

    def _reserve(self, size: int) -> None:
        """Make room in memory for ``size`` items and as many more, with the items so far."""
        free = available_memory()
        if free is not None and size * self.dtype.itemsize > free // 2:
            raise InputError(
                f"temporary files cannot be written: {self._scratch.failure}; free space, set TMPDIR to a directory on "
                "another disk, or allow more memory"
            )
        items: np.ndarray = np.empty(2 * size, self.dtype)
        if self._file is None or len(self._items):
            items[: self.size] = self._items[: self.size]
        else:
            items[: self.size] = np.fromfile(self._file.name, self.dtype, self.size)
        self._items = items
        if self._file is not None:
            self._file.close()
            os.unlink(self._file.name)
            self._file = None

    def finish(self) -> np.ndarray:
        """Return the array, read-only, memory-mapped if it is in a file; no more items can be appended."""
        if self._file is None:
            self._items.resize(self.size, refcheck=False)  # in place: frees the unused part
            self._items.flags.writeable = False
            return self._items
        self._file.close()
        return np.asarray(np.memmap(self._file.name, self.dtype, mode="r"))


def _write(file: io.FileIO, values: np.ndarray) -> None:
    """Write all values; an unbuffered file may take only some at a time."""
    content = values.view(np.uint8)
    while len(content):
        content = content[file.write(content.data) :]
