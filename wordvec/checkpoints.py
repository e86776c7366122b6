"""Files that are either complete or not there: written beside their target, flushed to disk, then renamed."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from wordvec.errors import InputError


def check_target(path: str | os.PathLike[str]) -> Path:
    """Say before any work whether ``path`` can be written: its folder is there and it is no folder itself.

    Raises:
        InputError: the parent directory is missing or cannot be written to, or ``path`` is a directory.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a directory; name a file in it")
    if not target.parent.is_dir():
        raise InputError(f"the directory {target.parent} does not exist; create it first")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"the directory {target.parent} cannot be written to; choose another place")
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that takes the place of ``path`` only when the block ends without an error.

    The bytes go to a hidden neighbour in the same folder, which is flushed to disk and renamed at the end. After an
    error, Ctrl-C included, the neighbour is removed and whatever stood at ``path`` is untouched.

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
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    descriptor, neighbour = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(neighbour, mode)
        os.replace(neighbour, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(neighbour)
        raise


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
