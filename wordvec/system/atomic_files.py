"""Atomic file replacement: write a temporary file next to the target, flush it to disk, then rename it."""

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
"""Leading characters of the target's name that the temporary file's name contains."""

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def check_target(path: str | os.PathLike[str]) -> Path:
    """Check that ``path`` can be written, before any work is done.

    Raises:
        InputError: the parent directory is missing or cannot be written to, or ``path`` is a directory.
    """
    if not os.fspath(path):
        raise InputError("the output file name is empty; give a file name")
    if "\0" in str(path):
        raise InputError(f"{str(path)!r} is not a valid file name: it contains a NUL character")
    target = Path(path)
    try:
        if target.is_dir():
            raise InputError(f"{target} is a directory; give a file name")
        if not target.parent.is_dir():
            raise InputError(f"the directory {target.parent} does not exist; create it first")
        special = target.exists() and not target.is_file()
    except OSError as error:
        raise _unwritable(target, error) from None
    if not os.access(target if special else target.parent, os.W_OK):
        raise InputError(f"the directory {target.parent} cannot be written to; choose another one")
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that replaces ``path`` atomically when the block ends without an error.

    The bytes go to a hidden temporary file in the same directory, which is flushed to disk and renamed at the end.
    After an error, including Ctrl-C, the temporary file is removed and ``path`` is unchanged. Special files, such as
    ``/dev/null`` or a pipe, are written to directly.

    Raises:
        InputError: ``path`` cannot be written, see :func:`check_target`, or the disk is full or fails.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> with replacing(folder / "greeting.txt") as file:
        ...     _ = file.write(b"hello")
        >>> (folder / "greeting.txt").read_bytes()
        b'hello'
    """
    target = check_target(path)
    # Replace the file that a symbolic link points to, not the link.
    if target.is_symlink():
        target = Path(os.path.realpath(target))
    try:
        if target.exists() and not target.is_file():
            with open(target, "wb") as file:
                yield file
        else:
            with _temporary(target) as file:
                yield file
    except OSError as error:
        # A broken pipe or connection is not a failing file, and a named file is one that the block reads.
        if isinstance(error, ConnectionError) or error.errno is None or error.filename is not None:
            raise
        remedy = "free space or use another disk" if error.errno in _NO_ROOM else "check the disk or use another one"
        raise InputError(f"{target} cannot be written: {_reason(error)}; {remedy}") from None


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove temporary files left by processes killed while writing ``path``; no process may be writing it now."""
    target = Path(path)
    if len(target.name) > _NAME_KEPT:  # another file's name may have the same prefix
        return
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.????????.part"):
        with contextlib.suppress(OSError):
            leftover.unlink()


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[IO[bytes]]:
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        # Truncated so that a long name still fits with the prefix and suffix.
        descriptor, temporary = tempfile.mkstemp(
            prefix=f".{target.name[:_NAME_KEPT]}.", suffix=".part", dir=target.parent
        )
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        try:
            os.replace(temporary, target)
        except OSError as error:
            raise _unwritable(target, error) from None
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(f"{target} cannot be written: {_reason(error)}; choose another path")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
