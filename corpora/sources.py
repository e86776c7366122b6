"""Input sources: argument resolution, spooling of standard input, and transparent decompression.

``resolve`` turns one argument into :class:`Source` objects; :class:`Decompressed` reads a source's bytes.
"""

import contextlib
import difflib
import functools
import glob
import io
import logging
import os
import re
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from corpora.errors import InputError
from corpora.files import COMPRESSED, MAX_TOKEN_BYTES, BinaryFile, Source, open_file, reason
from corpora.leftovers import Claim, sweep
from corpora.remote import is_remote, resolve_url

_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", *(f".tar{ending}" for ending in COMPRESSED))
_GLOB = "*?["
_PREFIX, _SUFFIX = "corpora-", ".tmp"
_WHITE = re.compile(rb"[\t-\r ]")
_log = logging.getLogger(__name__)

_PIECE = 1 << 20
"""Bytes copied at a time."""

_ANNOUNCED = 1 << 30
"""Bytes of a stream after which its length is logged, and at each doubling."""


def resolve(argument: str | os.PathLike[str]) -> list[Source]:
    """Resolve one argument to its sources, in reading order.

    Args:
        argument: a file; a URL of a file system that fsspec knows; a directory (all regular files, recursively, sorted,
            without names that start with a dot); a
            glob; ``-`` for standard input; ``sample:english``; ``data:NAME`` or ``data:NAME/PART`` of the catalogue.

    Raises:
        InputError: nothing was found, or it cannot be read.
    """
    text = os.fspath(argument)
    if not isinstance(text, str):
        raise InputError(f"source must be a path or a name, got {argument!r}")
    if not text:
        raise InputError("source must not be empty, got ''; name a file, a directory or a glob")
    if text == "-":
        return [OneShot("standard input", _standard_input)]
    if text.startswith("sample:"):
        from corpora import samples

        return [Source(text, samples.opener(text))]
    if text.startswith("data:"):
        from corpora import catalogue

        return [_file(os.fspath(path)) for path in catalogue.find(text)]
    if is_remote(text):
        return resolve_url(text)
    if os.path.isdir(text):
        return _directory(text)
    if not os.path.lexists(text) and any(letter in text for letter in _GLOB):
        return _matches(text)
    return [_file(text)]


def resolve_one(argument: str | os.PathLike[str]) -> Source:
    """Resolve ``argument`` to exactly one source.

    Raises:
        InputError: it is a directory, it matches several files, or nothing was found.
    """
    text = os.fspath(argument)
    if isinstance(text, str) and os.path.isdir(text):
        raise InputError(f"{text} is a directory; name a file in it")
    found = resolve(argument)
    if len(found) > 1:
        raise InputError(f"{text} matches {len(found):,} files; name one of them: {found[0].name}, ...")
    return found[0]


def _file(path: str) -> Source:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if os.path.islink(path):
            raise InputError(f"{path} is a link to {os.readlink(path)}, which does not exist") from None
        folder = os.path.dirname(path)
        hint = _meant(path)
        if not hint and folder and not os.path.isdir(folder):
            hint = f"; the directory {folder} does not exist either"
        raise InputError(f"{path}: no such file{hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r} cannot be read: {reason(error)}") from None
    if path.lower().endswith(_ARCHIVES):
        raise InputError(f"{path} is an archive; unpack it first and name the files in it")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied")
    if not stat.S_ISREG(mode):  # a pipe such as bash's <(...) can be read only once
        return OneShot(path, lambda: open(path, "rb"))
    return Source(path, functools.partial(open_file, path))


def _meant(path: str) -> str:
    """Return a hint for a missing file: a sample or data set of that name, or a similarly named file."""
    from corpora import catalogue, samples

    if path in samples.NAMES:
        return f"; did you mean {samples.PREFIX}{path}?"
    if path.partition("/")[0] in catalogue.DATASETS:
        return f"; did you mean {catalogue.PREFIX}{path}?"
    folder, name = os.path.split(path)
    try:
        siblings = os.listdir(folder or ".")
    except OSError:
        return ""
    near = difflib.get_close_matches(name, siblings, n=1, cutoff=0.75)
    return f"; did you mean {os.path.join(folder, near[0])}?" if near else ""


def _directory(path: str) -> list[Source]:
    found = []
    for folder, folders, files in os.walk(path, onerror=_raise_input_error):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [os.path.join(folder, name) for name in files if not name.startswith(".")]
        # Reading a pipe or device might never end; a broken link is an error, which names it.
        found += [name for name in names if os.path.isfile(name) or not os.path.exists(name)]
    if not found:
        raise InputError(f"the directory {path} contains no files")
    return [_file(name) for name in sorted(found, key=lambda name: Path(name).parts)]


def _raise_input_error(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read: {reason(error)}")


def _matches(pattern: str) -> list[Source]:
    found: dict[str, Source] = {}
    for name in sorted(glob.glob(pattern, recursive=True), key=lambda name: Path(name).parts):
        for source in _directory(name) if os.path.isdir(name) else [_file(name)]:
            found.setdefault(os.path.normpath(source.name), source)
    if not found:
        raise InputError(f"{pattern}: no file matches")
    return list(found.values())


# -- spooling: one-shot streams are copied to a temporary file ---------------------------------------------------------


def _standard_input() -> AbstractContextManager[IO[bytes]]:
    if sys.stdin is None:
        raise InputError("there is no standard input to read; name a file")
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        binary = io.BytesIO(sys.stdin.read().encode("utf-8", "surrogateescape"))
    return contextlib.nullcontext(binary)


class OneShot(Source):
    """One-shot stream, copied to a temporary file on first open for rereading; the file lives as long as the source."""

    def __init__(self, name: str, opener: Callable[[], AbstractContextManager[IO[bytes]]]) -> None:
        self.name = name
        self._once = opener
        self._copy: Claim | None = None

    def open(self) -> BinaryFile:
        if self._copy is None:
            with self._once() as stream:
                self.spool(stream)
        assert self._copy is not None
        return open_file(self._copy.path)

    @contextlib.contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """Open the stream itself, without a buffer: each ``read`` returns what has arrived."""
        with self._once() as stream:
            _refuse_device(self.name, stream)
            yield getattr(stream, "raw", stream)

    def spool(self, stream: IO[bytes], head: bytes = b"") -> None:
        """Copy ``head`` and the rest of the stream to the temporary file."""
        self._copy = _spool(self.name, head, stream)
        weakref.finalize(self, self._copy.remove)


def _spool(name: str, head: bytes, stream: IO[bytes]) -> Claim:
    _refuse_device(name, stream)
    folder, claim = "a temporary file", None
    try:
        folder = tempfile.gettempdir()
        sweep(folder, f"{_PREFIX}????????{_SUFFIX}")
        claim = Claim(_new_file)
        with open(claim.path, "wb") as file:
            file.write(head)
            _copy(name, stream, file)
    except BaseException as error:
        if claim is not None:
            claim.remove()
        if isinstance(error, OSError):
            raise InputError(
                f"{name} could not be copied to {folder}: {reason(error)}; set TMPDIR to a folder with more space"
            ) from None
        raise
    return claim


def _new_file() -> str:
    descriptor, path = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX)
    os.close(descriptor)
    return path


def _refuse_device(name: str, stream: IO[bytes]) -> None:
    """Raise InputError if the stream is a device that may never end, such as ``/dev/zero``."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream in memory, or closed
        return
    ends = os.isatty(stream.fileno()) or os.path.samestat(status, os.stat(os.devnull))
    if stat.S_ISCHR(status.st_mode) and not ends:
        raise InputError(f"{name} is a device, which may never end; name a file, or pipe a part of it with head -c")


def _copy(name: str, stream: IO[bytes], file: IO[bytes]) -> None:
    """Copy a stream, and log how much of a long one has been copied.

    Raises:
        InputError: the stream has no white space for ``MAX_TOKEN_BYTES``.
    """
    copied = unbroken = 0
    announced = _ANNOUNCED
    while piece := stream.read(_PIECE):
        file.write(piece)
        copied += len(piece)
        unbroken = 0 if _WHITE.search(piece) else unbroken + len(piece)
        if unbroken > MAX_TOKEN_BYTES:
            raise InputError(f"{name} has no white space in {MAX_TOKEN_BYTES >> 20} MiB; is this text?")
        if copied >= announced:
            _log.warning("%s has not ended after %s MB, kept in a temporary file", name, f"{copied / 1e6:,.0f}")
            announced *= 2
