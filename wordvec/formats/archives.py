"""Arrays of ``.npz`` archives, read without pickle and without trust in declared sizes."""

import contextlib
import errno
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from wordvec.errors import FormatError, InputError

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""How to read an array's header, by the version of its format."""

_MOST_DEFLATED = 1032
"""Maximum compression factor of deflate (zlib, Technical Details)."""

_PIECE = 1 << 22
"""Bytes of an array read at a time."""

_DAMAGE = (
    *(ValueError, TypeError, KeyError, OverflowError, EOFError, SyntaxError, RecursionError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, NotImplementedError),
)
"""What reading a damaged archive raises."""


def read_arrays(file: IO[bytes], path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the arrays with some of these names in an open archive.

    Raises:
        FormatError: the archive is damaged, or an array has objects or another size than its bytes.
    """
    with _opened(file, path) as (archive, members):
        size = os.fstat(file.fileno()).st_size
        return {name: _array(archive, members[name], size) for name in names if name in members}


def shapes(file: IO[bytes], path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the headers of some arrays declare.

    Raises:
        FormatError: the archive or a header is damaged.
    """
    found = {}
    with _opened(file, path) as (archive, members):
        for name in names:
            if name in members:
                with archive.open(members[name]) as member:
                    found[name] = _HEADERS[np.lib.format.read_magic(member)](member)[0]
    return found


@contextlib.contextmanager
def _opened(
    file: IO[bytes], path: str | os.PathLike[str]
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Yield an archive and its members by the names of their arrays; what goes wrong in the block names the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    except OSError as error:
        if error.errno != errno.EINVAL:  # which means a negative offset
            raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        raise FormatError(f"{path} is damaged: an invalid offset") from None
    except _DAMAGE as error:
        raise FormatError(f"{path} is damaged: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """Return what an error states, on one line and shortened."""
    return " ".join(f"{error!s:.200}".split())


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file_size: int) -> np.ndarray:
    """Read an array after comparing the size that its header declares with the stored bytes, which np.load does not."""
    name, stored, unpacked = info.filename, info.compress_size, info.file_size
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed by method {info.compress_type}")
    if stored > file_size or unpacked > stored * _MOST_DEFLATED:
        raise ValueError(f"{name} declares {unpacked:,} bytes, but {stored:,} of a file of {file_size:,} are stored")
    with archive.open(info) as member:
        read_header = _HEADERS.get(np.lib.format.read_magic(member))
        if read_header is None:
            raise ValueError(f"{name} has an unknown version")
        shape, in_columns, dtype = read_header(member)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or dtype.names or min(shape, default=0) < 0 or member.tell() + size != unpacked:
            raise ValueError(f"{name} declares {dtype} of shape {shape}, which does not match its {unpacked:,} bytes")
        content = bytearray(size)
        for start in range(0, size, _PIECE):
            content[start : start + _PIECE] = member.read(min(_PIECE, size - start))
        if len(content) != size or member.read(1):  # up to the end, which compares the checksum
            raise ValueError(f"{name} is truncated")
    array = np.frombuffer(content, dtype) if size else np.empty(math.prod(shape), dtype)
    return array.reshape(shape, order="F" if in_columns else "C")
