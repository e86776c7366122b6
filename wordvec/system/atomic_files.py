"""Atomic file replacement: write a temporary file next to the target, flush it to disk, then rename it."""

import contextlib
import errno
import fnmatch
import glob
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from corpora.leftovers import Claim, sweep
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
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise InputError(f"{os.fspath(path)!r} is not a valid file name: it contains an unpaired surrogate") from None
    target = Path(path)
    descriptor = _descriptor(target)
    if descriptor is not None:
        try:
            _check_writable(descriptor)
        except OSError as error:
            raise InputError(f"{target} cannot be written: {_reason(error)}; give a file name") from None
        return target
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


def check_regular(path: str | os.PathLike[str]) -> None:
    """Check that ``path``, if it exists, is not a pipe, which is opened when its writer is, nor an endless device.

    Raises:
        InputError: it is; folders are left to the caller.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise InputError(f"{path} is not a regular file; copy it to one first")


def refuse_overwriting(
    outputs: Mapping[str, str | os.PathLike[str]], inputs: Iterable[tuple[str, str | os.PathLike[str]]]
) -> None:
    """Check, before any work, that no output replaces an input or another output, or would be read with the inputs.

    Files are compared by identity, so links and other spellings of a path are recognized; outputs may not exist yet.
    Special files, such as ``/dev/null`` or a pipe, may be named more than once.

    Args:
        outputs: by description, such as the name of an option, the file to be written.
        inputs: pairs of a description and a file, a folder that is read recursively, a glob, or ``-`` for standard
            input. Names of samples and data sets, and files that do not exist, are ignored.

    Raises:
        InputError: an output is an input or another output, or lies in an input folder or matches an input glob.

    Example:
        >>> refuse_overwriting({"--output": "v.bin", "--summary": "./v.bin"}, [])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: --output and --summary name the same file, ./v.bin; give each its own
    """
    found: dict[object, str] = {}
    for name, path in outputs.items():
        identity = _identity(path)
        if identity is None:
            continue
        if identity in found:
            raise InputError(f"{found[identity]} and {name} name the same file, {path}; give each its own")
        found[identity] = name
    for label, path in inputs:
        text = os.fspath(path)
        files = [text]
        if text != "-" and not os.path.lexists(text) and any(letter in text for letter in "*?["):
            files = glob.glob(text, recursive=True)
        identities = {_stdin_identity() if file == "-" else _identity(file) for file in files}
        folders = {_inode(os.stat(file)) for file in files if os.path.isdir(file)}
        for name, output in outputs.items():
            identity = _identity(output)
            if identity is not None and identity in identities:
                raise InputError(f"{name} would overwrite {output}, an input ({label}); give another file")
            if identity is not None and folders and (folder := _folder_above(output, folders)) is not None:
                raise InputError(
                    f"{name} {output} is in {folder}, whose files are all read ({label}); write to another folder"
                )
            if identity is not None and files != [text] and _matches(output, text):
                raise InputError(f"{name} {output} matches {text}, whose files are read ({label}); give another file")


def _descriptor(target: Path) -> int | None:
    """Return N for a path to the process's open file N: ``/dev/stdout``, ``/dev/fd/N``, or a link to one."""
    path = os.fspath(target)
    for _ in range(40):  # links
        try:
            folder, name = os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path)
            if name.isdecimal() and folder in ("/dev/fd", os.path.realpath("/proc/self/fd")):
                return int(name)
            if not os.path.islink(path):
                return None
            path = os.path.join(folder, os.readlink(path))
        except OSError:
            return None
    return None


def _check_writable(descriptor: int) -> None:
    """Raise OSError unless a descriptor is open for writing."""
    import fcntl  # POSIX alone has paths to descriptors

    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _identity(path: str | os.PathLike[str]) -> object:
    """Return what identifies a regular file, existing or not; None for a special file, a folder or an invalid path."""
    try:
        real = os.path.realpath(path)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            # Names of files that do not exist yet differ only in case on some file systems; normcase knows Windows'.
            return *_inode(os.stat(os.path.dirname(real))), os.path.normcase(os.path.basename(real))
    except (OSError, ValueError):
        return None
    return _inode(status) if stat.S_ISREG(status.st_mode) else None


def _stdin_identity() -> object:
    try:
        status = os.fstat(0)
    except OSError:
        return None
    return _inode(status) if stat.S_ISREG(status.st_mode) else None


def _folder_above(path: str | os.PathLike[str], folders: set[tuple[int, int]]) -> str | None:
    """Return the folder of ``folders`` that contains a file, unless the file or a folder in between is hidden."""
    real = Path(os.path.realpath(path))
    inner = real
    for folder in real.parents:
        if inner.name.startswith("."):
            return None
        try:
            if _inode(os.stat(folder)) in folders:
                return str(folder)
        except OSError:
            return None
        inner = folder
    return None


def _matches(path: str | os.PathLike[str], pattern: str) -> bool:
    """Return whether a file matches a glob; ``*`` stops at a separator unless the glob contains ``**``."""
    parts, wanted = Path(os.path.abspath(path)).parts, Path(os.path.abspath(pattern)).parts
    if Path(path).name.startswith(".") and not Path(pattern).name.startswith("."):
        return False
    if "**" in wanted:
        return fnmatch.fnmatch(os.path.join(*parts), os.path.join(*wanted).replace(os.sep + "**", "*"))
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatch, parts, wanted))


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that replaces ``path`` atomically when the block ends without an error.

    The bytes go to a hidden temporary file in the same directory, which is flushed to disk and renamed at the end.
    After an error, including Ctrl-C, the temporary file is removed and ``path`` is unchanged. Special files, such as
    ``/dev/null`` or a pipe, are written to directly; ``/dev/stdout`` continues wherever standard output leads.

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
    descriptor = _descriptor(target)
    # Replace the file that a symbolic link points to, not the link.
    if descriptor is None and target.is_symlink():
        target = Path(os.path.realpath(target))
    try:
        if descriptor is not None:
            with contextlib.suppress(AttributeError):  # without a standard output, sys.stdout is None
                sys.stdout.flush()
            # A duplicate shares offset and append mode with the shell's redirection, which opening again would not.
            with os.fdopen(os.dup(descriptor), "wb") as file:
                yield file
        elif target.exists() and not target.is_file():
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
    """Remove temporary files left by processes killed while writing ``path``."""
    target = Path(path)
    sweep(target.parent, f".{glob.escape(target.name[:_NAME_KEPT])}.????????.part")


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[IO[bytes]]:
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        remove_leftovers(target)
        # Truncated so that a long name still fits with the prefix and suffix.
        prefix = f".{target.name[:_NAME_KEPT]}."
        claim = Claim(lambda: _new_file(prefix, target.parent))
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        with open(claim.path, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(claim.path, mode)
        try:
            os.replace(claim.path, target)
        except OSError as error:
            raise _unwritable(target, error) from None
    except BaseException:
        claim.remove()
        raise
    claim.release()


def _new_file(prefix: str, folder: Path) -> str:
    descriptor, path = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=folder)
    os.close(descriptor)
    return path


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(f"{target} cannot be written: {_reason(error)}; choose another path")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
