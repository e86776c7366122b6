"""Input sources: argument resolution, spooling of standard input, and transparent decompression.

``resolve`` turns one argument into :class:`Source` objects; :class:`Decompressed` reads a source's bytes.
"""

import bz2
import contextlib
import difflib
import functools
import glob
import gzip
import hashlib
import io
import lzma
import os
import re
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from corpora.errors import InputError

BinaryFile = io.FileIO | io.BufferedReader | io.BytesIO

_MAGIC = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\x00"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}
COMPRESSED = tuple(_MAGIC)
"""Extensions of compressed files."""

_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz2", ".txz", *(f".tar{ending}" for ending in COMPRESSED))
_GLOB = "*?["


class Source:
    """Stored bytes with a name for messages; each ``open`` returns an independent binary file."""

    def __init__(self, name: str, opener: Callable[[], BinaryFile]) -> None:
        self.name = name
        self._opener = opener

    def open(self) -> BinaryFile:
        """Open the stored bytes at the start."""
        return self._opener()

    def size(self) -> int:
        """Return the stored size in bytes."""
        with self.open() as file:
            return file.seek(0, io.SEEK_END)

    def digest(self) -> bytes:
        """Return the hash of the stored bytes, read in chunks."""
        with self.open() as file:
            return hashlib.file_digest(file, functools.partial(hashlib.blake2b, digest_size=32)).digest()


def resolve(argument: str | os.PathLike[str]) -> list[Source]:
    """Resolve one argument to its sources, in reading order.

    Args:
        argument: a file; a directory (all files, recursively, sorted, without names that start with a dot); a glob;
            ``-`` for standard input; ``sample:english``; ``data:NAME`` or ``data:NAME/PART`` of the catalogue.

    Raises:
        InputError: nothing was found, or it cannot be read.
    """
    text = os.fspath(argument)
    if not isinstance(text, str):
        raise InputError(f"source must be a path or a name, got {argument!r}")
    if not text:
        raise InputError("source must not be empty, got ''; name a file, a directory or a glob")
    if text == "-":
        return [_Spooled("standard input", _standard_input)]
    if text.startswith("sample:"):
        from corpora import samples

        return [Source(text, samples.opener(text))]
    if text.startswith("data:"):
        from corpora import catalogue

        return [_file(os.fspath(path)) for path in catalogue.find(text)]
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
        folder = os.path.dirname(path)
        hint = _meant(path)
        if not hint and folder and not os.path.isdir(folder):
            hint = f"; the directory {folder} does not exist either"
        raise InputError(f"{path}: no such file{hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r} cannot be read: {_reason(error)}") from None
    if path.lower().endswith(_ARCHIVES):
        raise InputError(f"{path} is an archive; unpack it first and name the files in it")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied")
    if not stat.S_ISREG(mode):  # a pipe such as bash's <(...) can be read only once
        return _Spooled(path, lambda: open(path, "rb"))
    return Source(path, functools.partial(_open_file, path))


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
        found += [os.path.join(folder, name) for name in files if not name.startswith(".")]
    if not found:
        raise InputError(f"the directory {path} contains no files")
    return [_file(name) for name in sorted(found, key=lambda name: Path(name).parts)]


def _raise_input_error(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read: {_reason(error)}")


def _matches(pattern: str) -> list[Source]:
    found: dict[str, Source] = {}
    for name in sorted(glob.glob(pattern, recursive=True), key=lambda name: Path(name).parts):
        for source in _directory(name) if os.path.isdir(name) else [_file(name)]:
            found.setdefault(os.path.normpath(source.name), source)
    if not found:
        raise InputError(f"{pattern}: no file matches")
    return list(found.values())


def _open_file(path: str) -> io.FileIO:
    try:
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


# -- spooling: one-shot streams are copied to a temporary file ---------------------------------------------------------


def _standard_input() -> AbstractContextManager[IO[bytes]]:
    if sys.stdin is None:
        raise InputError("there is no standard input to read; name a file")
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        binary = io.BytesIO(sys.stdin.read().encode("utf-8", "surrogateescape"))
    return contextlib.nullcontext(binary)


class _Spooled(Source):
    """One-shot stream, copied to a temporary file on first open for rereading; the file lives as long as the source."""

    def __init__(self, name: str, opener: Callable[[], AbstractContextManager[IO[bytes]]]) -> None:
        self.name = name
        self._once = opener
        self._path: str | None = None

    def open(self) -> BinaryFile:
        if self._path is None:
            with self._once() as stream:
                self._path = _spool(self.name, stream)
            weakref.finalize(self, _remove, self._path)
        return _open_file(self._path)


def _spool(name: str, stream: IO[bytes]) -> str:
    descriptor, path = tempfile.mkstemp(prefix="corpora-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
    except BaseException as error:
        _remove(path)
        if isinstance(error, OSError):
            folder = os.path.dirname(path)
            raise InputError(
                f"{name} could not be copied to {folder}: {_reason(error)}; set TMPDIR to a folder with more space"
            ) from None
        raise
    return path


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


# -- decompression -----------------------------------------------------------------------------------------------------


def compression(name: str, head: bytes) -> str:
    """Return ``.gz``, ``.bz2``, ``.xz``, ``.zst`` or "", by the file extension, else by the first bytes."""
    for ending in _MAGIC:
        if name.lower().endswith(ending):
            return ending
    return next((ending for ending, start in _MAGIC.items() if start.match(head)), "")


class Decompressed:
    """Decompressing reader of a source; ``position`` counts the stored bytes consumed.

    Example:
        >>> import gzip, io
        >>> with Decompressed(Source("a.gz", lambda: io.BytesIO(gzip.compress(b"to be")))) as file:
        ...     file.read(100)
        b'to be'
    """

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._raw = source.open()
        try:
            head = self._raw.read(10) or b""
            self._raw.seek(0)
            self._stream = self._decompressor(head)
        except BaseException:
            self._raw.close()
            raise

    def _decompressor(self, head: bytes) -> Any:
        ending = compression(self.name, head)
        if ending and not _MAGIC[ending].match(head):
            found = f"it starts with {head[:4]!r}" if head else "it is empty"
            raise InputError(
                f"{self.name} is not {ending} data ({found}); rename it if it is plain text, or download it again"
            )
        match ending:
            case ".gz":
                return gzip.GzipFile(fileobj=self._raw)
            case ".bz2":
                return bz2.BZ2File(self._raw)
            case ".xz":
                return lzma.LZMAFile(self._raw)
            case ".zst":
                return _ZstandardFile(self._raw, self.name)
            case _:
                return self._raw

    def readinto(self, view: memoryview) -> int:
        """Fill ``view`` and return the byte count, which is short only at the end of the file."""
        filled = 0
        try:
            while filled < len(view) and (count := self._stream.readinto(view[filled:])):
                filled += count
        except EOFError:
            raise InputError(
                f"{self.name} is truncated: the compressed data end too early; download it again"
            ) from None
        except (OSError, lzma.LZMAError, zlib.error, _DamagedError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise InputError(f"{self.name} cannot be read: {_reason(error)}") from None
            raise InputError(f"{self.name} is damaged: {error}; download it again") from None
        return filled

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end of the file."""
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(memoryview(buffer))])

    @property
    def position(self) -> int:
        """Stored bytes consumed so far."""
        return self._raw.tell()

    def __enter__(self) -> "Decompressed":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()


class _DamagedError(Exception):
    """Stand-in for ``zstandard.ZstdError``, which exists only if the package is installed."""


class _ZstandardFile(io.RawIOBase):
    """Reader for concatenated frames; zstandard's own reader mistakes a truncated frame for the end of the file."""

    def __init__(self, raw: BinaryFile, name: str) -> None:
        try:
            import zstandard
        except ImportError:
            raise InputError(
                f"{name}: reading .zst needs the zstandard package; pip install 'wordvec-seqclf[zstd]'"
            ) from None
        self._raw = raw
        self._error = zstandard.ZstdError
        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._frame: Any = None
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        while not self._pending:
            # A small chunk, because nothing else bounds its decompressed size.
            piece = self._raw.read(2048)
            if not piece:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._pending = memoryview(self._decompress(piece))
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _decompress(self, piece: bytes) -> bytes:
        out = []
        while piece:
            if self._frame is None:
                self._frame = self._new_frame()
            try:
                out.append(self._frame.decompress(piece))
            except self._error as error:
                raise _DamagedError(error) from None
            piece = b""
            if self._frame.eof:
                piece = self._frame.unused_data
                self._frame = None
        return b"".join(out)
