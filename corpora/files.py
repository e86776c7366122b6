"""Stored bytes: opened, and decompressed whatever the compression."""

import bz2
import functools
import gzip
import hashlib
import io
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Any

from corpora.errors import InputError

BinaryFile = io.FileIO | io.BufferedReader | io.BytesIO


_MAGIC = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\x00"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}


_PIECE = 1 << 16
"""Stored bytes read at a time."""

_SUMMED = 1 << 16
"""Stored bytes that a checksum adds up at a time."""

_LANES = 127
"""Number of sums in a checksum: prime, so that the lengths of lines hardly ever divide a row."""

MAX_TOKEN_BYTES = 64 << 20
"""Maximum token length in bytes; anything longer is unlikely to be text."""

COMPRESSED = tuple(_MAGIC)
"""Extensions of compressed files."""


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

    def digest(self) -> tuple[bytes, bytes]:
        """Return the hash of the stored bytes, read in chunks, and their checksum, as in ``Decompressed``."""
        digest, checksum, buffer = hashlib.blake2b(digest_size=32), _Checksum(), memoryview(bytearray(1 << 18))
        with self.open() as file:
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
                checksum.add(buffer[:count])
        return digest.digest(), checksum.digest()


def open_file(path: str) -> io.FileIO:
    try:
        return open(path, "rb", buffering=0)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None


def reason(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


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
        file = source.open()
        try:
            head = file.read(10) or b""
            file.seek(0)
            self._raw = _Summed(file)
            self._stream = self._decompressor(head)
        except BaseException:
            file.close()
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
                return _Streams(self._raw, bz2.BZ2Decompressor)
            case ".xz":
                return _Streams(self._raw, functools.partial(lzma.LZMADecompressor, lzma.FORMAT_XZ), padding=4)
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
                raise InputError(f"{self.name} cannot be read: {reason(error)}") from None
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

    @property
    def checksum(self) -> bytes:
        """Checksum of the stored bytes consumed so far."""
        return self._raw.checksum.digest()

    def __enter__(self) -> "Decompressed":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()


class _Checksum:
    """Checksum of bytes that come in pieces of any size: interleaved sums of 64-bit words, and the bytes after them.

    A changed word always changes it; so do lines that trade places, unless they are a multiple of 1,016 bytes apart. It
    takes a quarter of the time of CRC-32.
    """

    def __init__(self) -> None:
        import numpy as np  # not before a file is read, because importing it is slow

        self._numpy = np
        self._sums = np.zeros(_LANES, np.uint64)
        self._waiting = bytearray()

    def add(self, piece: memoryview) -> None:
        if len(self._waiting) + len(piece) >= _SUMMED:
            missing = -len(self._waiting) % self._sums.nbytes  # to whole rows
            self._waiting += piece[:missing]
            del self._waiting[: self._sum_up(self._waiting)]
            piece = piece[missing:]
            piece = piece[self._sum_up(piece) :]
        self._waiting += piece

    def _sum_up(self, stored: memoryview | bytearray) -> int:
        """Add the whole rows of bytes; return their size."""
        rows = len(stored) // self._sums.nbytes
        words = self._numpy.frombuffer(stored, self._numpy.uint64, rows * _LANES)
        self._sums += words.reshape(rows, _LANES).sum(axis=0)
        return rows * self._sums.nbytes

    def digest(self) -> bytes:
        del self._waiting[: self._sum_up(self._waiting)]
        return hashlib.blake2b(self._sums.tobytes() + self._waiting, digest_size=16).digest()


class _Summed(io.RawIOBase):
    """A file that is read from start to end, with the checksum of what has been read."""

    def __init__(self, file: BinaryFile) -> None:
        self._file = file
        self.checksum = _Checksum()

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        count = self._file.readinto(view) or 0
        self.checksum.add(memoryview(view)[:count])
        return count

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


class _DamagedError(Exception):
    """Stand-in for ``zstandard.ZstdError``, which exists only if the package is installed."""


class _Streams(io.RawIOBase):
    """Reader for concatenated bzip2 or xz streams; the standard library's readers take a damaged later stream for the
    end of the file.

    Args:
        raw: the stored bytes.
        new_stream: makes the decompressor of one stream.
        padding: multiple of zero bytes allowed after a stream (xz format, section 2.2); 0 allows none.
    """

    def __init__(self, raw: io.RawIOBase, new_stream: Callable[[], Any], padding: int = 0) -> None:
        self._raw = raw
        self._new_stream = new_stream
        self._padding = padding
        self._stream: Any = new_stream()
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        while self._stream is not None or self._next_stream():
            piece = b""
            if self._stream.needs_input:
                piece, self._pending = self._pending or self._raw.read(_PIECE) or b"", b""
                if not piece:
                    raise EOFError
            # At most ``len(view)`` bytes, however far the piece would expand.
            content = self._stream.decompress(piece, len(view))
            if self._stream.eof:
                self._pending, self._stream = self._stream.unused_data, None
            if content:
                view[: len(content)] = content
                return len(content)
        return 0

    def _next_stream(self) -> bool:
        """Start the next stream after any padding; return False at the end of the file."""
        zeros = 0
        while True:
            self._pending = self._pending or self._raw.read(_PIECE) or b""
            content = self._pending.lstrip(b"\0") if self._padding else self._pending
            zeros += len(self._pending) - len(content)
            if content or not self._pending:
                break
            self._pending = b""
        if zeros and zeros % self._padding:
            raise _DamagedError(f"{zeros} zero bytes after a stream, not a multiple of {self._padding}")
        self._pending = content
        if content:
            self._stream = self._new_stream()
        return bool(content)


class _ZstandardFile(io.RawIOBase):
    """Reader for concatenated frames; zstandard's own reader mistakes a truncated frame for the end of the file."""

    def __init__(self, raw: io.RawIOBase, name: str) -> None:
        try:
            import zstandard
        except ImportError:
            raise InputError(
                f"{name}: reading .zst needs zstandard, which is not installed: pip install 'wordvec-seqclf[zstd]'"
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
