"""The bytes of somebody's vector file: opened, decompressed, never trusted."""

import gzip
import io
import os
import struct
import zlib
from pathlib import Path

from wordvec.errors import FormatError, InputError
from wordvec.formats import fasttext

SAMPLE_BYTES = 1 << 16
MAX_LINE_BYTES = 16 << 20
"""The longest line of text that is read; a vector of 65,536 numbers stays well below."""
MAX_TOKEN_BYTES = 10_000
MAX_VECTOR_SIZE = 65_536

_MOST_DEFLATED = 1032
"""A compressed byte stands for no more than 1,032 (zlib's technical details)."""

_OTHER_KINDS = {
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"PK\x03\x04": "a zip archive (.npz, .pt?)",
    b"\x93NUMPY": "a NumPy array without words",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "compressed with bzip2; decompress it first, or use gzip",
    b"\xfd7zXZ\x00": "compressed with xz; decompress it first, or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstandard; decompress it first, or use gzip",
}
_GENSIM = "; gensim's own files can run code when loaded and are not read: write them with save_word2vec_format() there"


class VectorSource:
    """A file to read from its start, decompressed where it is gzip; damage is a ``FormatError``.

    Raises:
        InputError: ``path`` is not there, no ordinary file, or cannot be opened.
    """

    unknown = "not a vector file of a known format (safetensors, word2vec text or binary, GloVe text)"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.name = str(path)
        self._raw = _opened(self.path)
        self.size = os.fstat(self._raw.fileno()).st_size
        self.compressed = self._raw.read(2) == b"\x1f\x8b"
        self._raw.seek(0)
        self._stream: gzip.GzipFile | io.BufferedReader = (
            gzip.GzipFile(fileobj=self._raw) if self.compressed else self._raw
        )
        inner = self.path.with_suffix("") if self.path.suffix.lower() == ".gz" else self.path
        self.suffix = inner.suffix.lower()

    def __enter__(self) -> "VectorSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    @property
    def most_bytes(self) -> int:
        """What the file can hold at most once decompressed."""
        return self.size * _MOST_DEFLATED if self.compressed else self.size

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer at the end."""
        try:
            return self._stream.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error, struct.error) as error:
            raise FormatError(f"{self.name}: its compressed data are damaged or cut short ({error})") from None
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {(error.strerror or str(error)).lower()}") from None

    def sample(self) -> bytes:
        """The first bytes; the file stands at its start afterwards."""
        self._stream.seek(0)
        first = self.read(SAMPLE_BYTES)
        self._stream.seek(0)
        return first

    def refuse_other_kinds(self, sample: bytes) -> None:
        """Raise where ``sample`` is the start of a kind of file that is known, but not read."""
        if fasttext.looks_like(sample):
            raise FormatError(
                f"{self.name}: a fastText model with subwords, which is not read; give the .vec file that fastText "
                f"wrote beside it"
            )
        for magic, kind in _OTHER_KINDS.items():
            if sample.startswith(magic):
                raise FormatError(f"{self.name}: {kind}, not a vector file{_GENSIM if 'pickle' in kind else ''}")

    def check_room(self, tokens: int, vector_size: int, row_bytes: int) -> None:
        """Refuse a declared size that the bytes there cannot hold, before anything is made of that size."""
        if not tokens:
            raise FormatError(f"{self.name}: its first line declares no vectors at all")
        if not 1 <= vector_size <= MAX_VECTOR_SIZE:
            raise FormatError(
                f"{self.name}: its first line declares vectors of {vector_size:,} numbers; "
                f"1 to {MAX_VECTOR_SIZE:,} are read"
            )
        if tokens * row_bytes > self.most_bytes:
            raise FormatError(
                f"{self.name}: its first line declares {tokens:,} vectors of {vector_size:,} numbers, at least "
                f"{tokens * row_bytes:,} bytes, but {self.size:,} are there; it was cut short, or is no vector file"
            )


def _opened(path: Path) -> io.BufferedReader:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; name a file in it")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no ordinary file; copy it to one first")
        return open(path, "rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{str(path)!r} cannot be read: {error}") from None
