"""Input side of third-party vector files: opening, decompression and size checks."""

import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from corpora.encodings import UTF8, check_encoding
from wordvec.errors import FormatError, InputError
from wordvec.formats.archives import read_arrays, shapes
from wordvec.formats.fetching import fetched, inner_name, is_fetched
from wordvec.formats.tensors import TensorFile
from wordvec.system.atomic_files import check_regular

SAMPLE_BYTES = 1 << 16
MAX_LINE_BYTES = 16 << 20
"""Maximum line length of text formats; a vector of 65,536 numbers is well below."""
MAX_TOKEN_BYTES = 10_000
MAX_VECTOR_SIZE = 65_536

_MOST_DEFLATED = 1032
"""Maximum compression factor of deflate (zlib, Technical Details)."""

_OTHER_KINDS = {
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"PK\x03\x04": "a zip archive (.pt?), not named .npz",
    b"\x93NUMPY": "a NumPy array without tokens",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "compressed with bzip2; name it .bz2",
    b"\xfd7zXZ\x00": "compressed with xz; name it .xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstandard; name it .zst",
}
_GENSIM = "; loading gensim's native files can execute code: export with save_word2vec_format() instead"


class VectorSource:
    """Binary reader that decompresses transparently; damaged data raise ``FormatError``.

    ``path`` may also be - for standard input, or a URL; see :mod:`wordvec.formats.fetching`.

    Raises:
        InputError: ``path`` does not exist, is not a regular file, or cannot be opened, or the encoding is unknown.
    """

    unknown = "not a vector file of a known format (safetensors, word2vec text or binary, GloVe text, fastText)"

    def __init__(self, path: str | os.PathLike[str], encoding: str = UTF8, words: frozenset[str] | None = None) -> None:
        self.path = Path(path)
        self.words = words
        """The only words whose rows are kept, or None for all."""
        self.encoding = check_encoding(encoding)
        if " \n0".encode(self.encoding) != b" \n0":
            raise InputError(f"encoding of vector files must contain ASCII, got {encoding!r}; re-encode the file")
        self.name = str(path)
        self._raw = fetched(self.name) if is_fetched(self.name) else _opened(self.path)
        self.size = os.fstat(self._raw.fileno()).st_size
        self.compressed = self._raw.read(2) == b"\x1f\x8b"
        self._raw.seek(0)
        self._stream: gzip.GzipFile | io.BufferedReader = (
            gzip.GzipFile(fileobj=self._raw) if self.compressed else self._raw
        )
        self.suffix = os.path.splitext(inner_name(self.name))[1].lower()

    def __enter__(self) -> "VectorSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    def tensor_file(self) -> TensorFile:
        """Return a reader of the same open file as safetensors, valid while this one is open.

        Raises:
            FormatError: not a safetensors file, or truncated.
        """
        return TensorFile(self.path, self._raw)

    def archive_arrays(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return some arrays of the same open file as an .npz archive; see :func:`archives.read_arrays`."""
        return read_arrays(self._raw, self.path, names)

    def archive_shapes(self, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Return the declared shapes of some arrays; see :func:`archives.shapes`."""
        return shapes(self._raw, self.path, names)

    def stored(self) -> io.BufferedReader:
        """Return the same open file as it is stored, for readers that read it at several places."""
        return self._raw

    def fileno(self) -> int:
        """Return the descriptor of the stored file."""
        return self._raw.fileno()

    @property
    def most_bytes(self) -> int:
        """Upper bound of the decompressed size."""
        return self.size * _MOST_DEFLATED if self.compressed else self.size

    def read(self, size: int) -> bytes:
        """Read the next ``size`` bytes, fewer at the end of the file."""
        try:
            return self._stream.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error, struct.error) as error:
            raise FormatError(f"{self.name}: its compressed data are damaged or truncated ({error})") from None
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {(error.strerror or str(error)).lower()}") from None

    def sample(self) -> bytes:
        """Return the first bytes and rewind the file."""
        self._stream.seek(0)
        first = self.read(SAMPLE_BYTES)
        self._stream.seek(0)
        return first

    def refuse_other_kinds(self, sample: bytes) -> None:
        """Raise FormatError if ``sample`` is the start of a known but unsupported file type."""
        if b"\r" in sample and b"\n" not in sample and b"\0" not in sample:
            raise FormatError(f"{self.name}: its lines end in CR alone; convert them to LF (tr '\\r' '\\n' <old >new)")
        for magic, kind in _OTHER_KINDS.items():
            if sample.startswith(magic):
                raise FormatError(f"{self.name}: {kind}, not a vector file{_GENSIM if 'pickle' in kind else ''}")

    def check_room(self, tokens: int, vector_size: int, row_bytes: int) -> None:
        """Raise FormatError if the declared size exceeds the file size, before allocating anything."""
        if not tokens:
            raise FormatError(f"{self.name}: its first line declares 0 vectors; train or convert them again")
        if not 1 <= vector_size <= MAX_VECTOR_SIZE:
            raise FormatError(
                f"{self.name}: its first line declares vectors of {vector_size:,} numbers; "
                f"expected 1 to {MAX_VECTOR_SIZE:,}"
            )
        if tokens * row_bytes > self.most_bytes:
            raise FormatError(
                f"{self.name}: its first line declares {tokens:,} vectors of {vector_size:,} numbers, at least "
                f"{tokens * row_bytes:,} bytes, but the file has {self.size:,}; it is truncated or not a vector file"
            )


def _opened(path: Path) -> io.BufferedReader:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; name a file in it")
        check_regular(path)
        return open(path, "rb")
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:  # a NUL character in the name
        raise InputError(f"{str(path)!r} cannot be read: {error}") from None
