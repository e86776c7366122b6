"""Arrays that outgrow memory: kept there as long as they fit, in temporary files from then on."""

import contextlib
import errno
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from wordvec.errors import InputError

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Scratch:
    """A folder among the temporary files, made when first asked for; it goes with ``close`` or with its owner."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._remove: weakref.finalize | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return Scratch, ()  # a copy of what lies in the files has none of its own

    def path(self, name: str) -> Path:
        """Where the file ``name`` is, or is to be."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="wordvec-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / name

    def remove(self, start: str) -> None:
        """Remove the files whose names start so. Where an array still maps one, it goes now or with the folder, as the
        system has it."""
        if self._folder is not None:
            for path in self._folder.glob(f"{start}*"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        """Remove the folder and all in it."""
        if self._remove is not None:
            self._remove()


class Growing:
    """An array that grows at its end.

    Args:
        dtype: of its items.
        reserve: so many are kept in memory, of which the system gives what is filled. When there are more, all of them
            are in a file.
        scratch: where the file is made.
        name: of the file.

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
        except MemoryError:  # a system that promises no more than it has
            self._items = np.empty(0, self.dtype)
        self._scratch, self._name = scratch, name
        self._file: IO[bytes] | None = None

    def append(self, values: np.ndarray) -> None:
        """Add ``values`` (n,) at the end.

        Raises:
            InputError: the disk of the temporary files is full.
        """
        size = self.size + len(values)
        if self._file is None and size <= len(self._items):
            self._items[self.size : size] = values
        else:
            with _told_when_full():
                if self._file is None:
                    self._file = open(self._scratch.path(self._name), "wb")  # noqa: SIM115 - it stays open
                    self._file.write(self._items[: self.size].data)
                    self._items = np.empty(0, self.dtype)
                self._file.write(np.ascontiguousarray(values, self.dtype).data)
        self.size = size

    def finish(self) -> np.ndarray:
        """The whole array, read only; memory-mapped where it is in a file. Nothing can be added any more.

        Raises:
            InputError: as ``append`` does.
        """
        if self._file is None:
            self._items.resize(self.size, refcheck=False)  # in place: what was never filled is given back
            self._items.flags.writeable = False
            return self._items
        with _told_when_full():
            self._file.close()
        return np.asarray(np.memmap(self._file.name, self.dtype, mode="r"))


@contextlib.contextmanager
def _told_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(
            f"the temporary files need more room than {tempfile.gettempdir()} has; make room, set TMPDIR to a folder "
            "on another disk, or allow more memory"
        ) from None
