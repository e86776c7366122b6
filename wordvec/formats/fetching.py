"""Vector files that are not a plain file here: standard input, URLs of fsspec, and bzip2, xz and zstandard files.

They are copied, decompressed, to a temporary file without a name, since the formats are read at several places.
"""

import io
import os
import shutil
import sys
import tempfile
from typing import IO, cast

from corpora.files import BinaryFile, Decompressed, Source, open_file
from corpora.remote import is_remote, resolve_url
from wordvec.errors import InputError

_COMPRESSED = (".bz2", ".xz", ".zst")
_PIECE = 1 << 20


def is_fetched(name: str) -> bool:
    """Whether a file is copied before it is read.

    Example:
        >>> [is_fetched(name) for name in ("-", "s3://bucket/v.txt", "v.txt.xz", "v.txt.gz", "v.bin")]
        [True, True, True, False, False]
    """
    return name == "-" or is_remote(name) or name.lower().endswith(_COMPRESSED)


def inner_name(name: str) -> str:
    """Return the name of a file without that of its compression.

    Example:
        >>> inner_name("v.txt.xz"), inner_name("v.bin")
        ('v.txt', 'v.bin')
    """
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in (".gz", *_COMPRESSED) else name


def fetched(name: str) -> io.BufferedReader:
    """Return a temporary file with the decompressed content of a file for which ``is_fetched`` holds.

    Raises:
        InputError: it does not exist or cannot be read, its compressed data are damaged, a package is not installed, a
            URL names several files, or the temporary file cannot be written.
    """
    try:
        copy = _temporary_file()
        with Decompressed(_source(name)) as file:
            while piece := file.read(_PIECE):
                copy.write(piece)
        copy.seek(0)
    except OSError as error:
        raise InputError(
            f"{name} cannot be copied to {tempfile.gettempdir()}: {(error.strerror or str(error)).lower()}; set TMPDIR"
        ) from None
    return copy


def _source(name: str) -> Source:
    if name == "-":
        return Source("standard input", _standard_input)
    if not is_remote(name):
        if not os.path.exists(name):
            raise InputError(f"{name}: no such file")
        return Source(name, lambda: open_file(name))
    found = resolve_url(name)
    if len(found) > 1:
        raise InputError(f"{name} names {len(found):,} files; name one")
    return found[0]


def _standard_input() -> BinaryFile:
    stream: IO[bytes] | None = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InputError("there is no standard input to read vectors from; name a file")
    copy = _temporary_file()
    shutil.copyfileobj(stream, copy, _PIECE)
    copy.seek(0)
    return copy


def _temporary_file() -> io.BufferedReader:
    return cast(io.BufferedReader, tempfile.TemporaryFile(prefix="wordvec-"))
