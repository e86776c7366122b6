"""Files that are either complete or not there: written beside their target, flushed to disk, then renamed."""

import contextlib
import errno
import glob
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from wordvec.errors import InputError

_NAME_KEPT = 40
"""Letters of a file's name that its neighbour's begins with."""

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def check_target(path: str | os.PathLike[str]) -> Path:
    """Say before any work whether ``path`` can be written: its folder is there and it is no folder itself.

    Raises:
        InputError: the parent directory is missing or cannot be written to, or ``path`` is a directory.
    """
    if not os.fspath(path):
        raise InputError("the name of the file to write is empty; name a file")
    if "\0" in str(path):
        raise InputError(f"{str(path)!r} cannot be the name of a file: it holds a NUL")
    target = Path(path)
    try:
        if target.is_dir():
            raise InputError(f"{target} is a directory; name a file in it")
        if not target.parent.is_dir():
            raise InputError(f"the directory {target.parent} does not exist; create it first")
        special = target.exists() and not target.is_file()
    except OSError as error:
        raise _unwritable(target, error) from None
    if not os.access(target if special else target.parent, os.W_OK):
        raise InputError(f"the directory {target.parent} cannot be written to; choose another place")
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that takes the place of ``path`` only when the block ends without an error.

    The bytes go to a hidden neighbour in the same folder, which is flushed to disk and renamed at the end. After an
    error, Ctrl-C included, the neighbour is removed and whatever stood at ``path`` is untouched. What is no ordinary
    file, such as ``/dev/null`` or a pipe, cannot be replaced and is written to directly.

    Raises:
        InputError: ``path`` cannot be written, see :func:`check_target`, or the disk is full.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> with replacing(folder / "greeting.txt") as file:
        ...     _ = file.write(b"hello")
        >>> (folder / "greeting.txt").read_bytes()
        b'hello'
    """
    target = check_target(path)
    # A link is followed: the file it points to is replaced, not the link.
    if target.is_symlink():
        target = Path(os.path.realpath(target))
    try:
        if target.exists() and not target.is_file():
            with open(target, "wb") as file:
                yield file
        else:
            with _neighbour(target) as file:
                yield file
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(f"{target} cannot be written: {_reason(error)}; make room or choose another disk") from None


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed while they wrote ``path`` left beside it. Nobody may be writing it now."""
    target = Path(path)
    if len(target.name) > _NAME_KEPT:  # another file's name may begin alike
        return
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.????????.part"):
        with contextlib.suppress(OSError):
            leftover.unlink()


@contextlib.contextmanager
def _neighbour(target: Path) -> Iterator[IO[bytes]]:
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        # The name is cut so that a long one still fits with what is added to it.
        descriptor, neighbour = tempfile.mkstemp(
            prefix=f".{target.name[:_NAME_KEPT]}.", suffix=".part", dir=target.parent
        )
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(neighbour, mode)
        try:
            os.replace(neighbour, target)
        except OSError as error:
            raise _unwritable(target, error) from None
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(neighbour)
        raise


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(f"{target} cannot be written: {_reason(error)}; choose another place")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
