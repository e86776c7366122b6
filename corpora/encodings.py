"""Text in other encodings than UTF-8, transcoded while it is read."""

import codecs

from corpora.errors import InputError
from corpora.files import Decompressed, Source

UTF8 = "utf-8"
_PIECE = 1 << 16


def check_encoding(encoding: str) -> str:
    """Return Python's name of a text encoding.

    Raises:
        InputError: it is unknown.

    Example:
        >>> check_encoding("UTF8"), check_encoding("latin-1")
        ('utf-8', 'iso8859-1')
    """
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # fails for codecs of bytes, such as base64
    except (LookupError, TypeError, ValueError):
        raise InputError(
            f"encoding must be a text encoding of Python such as utf-8, latin-1, cp1252 or utf-16, got {encoding!r}"
        ) from None
    return name


def open_text(source: Source, encoding: str, encoding_errors: str) -> "Decompressed | Transcoded":
    """Open a source as UTF-8 text, which is not validated if it is stored as such."""
    encoding = check_encoding(encoding)
    file = Decompressed(source)
    return file if encoding == UTF8 else Transcoded(file, encoding, encoding_errors)


class Transcoded:
    """UTF-8 reader of a file in another encoding; ``position`` counts stored bytes."""

    def __init__(self, file: Decompressed, encoding: str, encoding_errors: str) -> None:
        self.name = file.name
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(encoding_errors)
        self._ready = memoryview(b"")
        self._read = 0
        self._ended = False

    def readinto(self, view: memoryview) -> int:
        """Fill ``view`` and return the byte count, which is short only at the end of the file."""
        filled = 0
        while filled < len(view) and (self._ready or not self._ended):
            if not self._ready:
                self._ready = memoryview(self._next())
            part, self._ready = self._ready[: len(view) - filled], self._ready[len(view) - filled :]
            view[filled : filled + len(part)] = part
            filled += len(part)
        return filled

    def _next(self) -> bytes:
        stored = self._file.read(_PIECE)
        self._read += len(stored)
        self._ended = len(stored) < _PIECE
        try:
            return self._decoder.decode(stored, self._ended).encode(errors="replace")
        except UnicodeError as error:
            place = ""
            if isinstance(error, UnicodeDecodeError):  # of the bytes before, the decoder keeps unfinished characters
                offset = self._read - len(error.object) + error.start
                place = f"byte 0x{error.object[error.start]:02x} at offset {offset} "
            raise InputError(
                f"{self.name}: {place}is not {self._encoding}; name another encoding, or pass --encoding-errors replace"
            ) from None

    @property
    def position(self) -> int:
        """Stored bytes consumed so far."""
        return self._file.position

    @property
    def checksum(self) -> bytes:
        """Checksum of the stored bytes consumed so far."""
        return self._file.checksum

    def __enter__(self) -> "Transcoded":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__()
