"""Blocks of valid UTF-8."""

from collections.abc import Iterator

from corpora.encodings import Transcoded
from corpora.errors import InputError
from corpora.files import MAX_TOKEN_BYTES, Decompressed

BOM = b"\xef\xbb\xbf"
SEPARATORS = b"\xe2\x80"
"""The first bytes of U+2028 and U+2029 in UTF-8."""
_CR = 13
_DOCUMENTS = {
    b"%PDF-": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"PK\x03\x04": "a zip archive, such as a .docx, .odt, .xlsx or .epub document",
    b"\xd0\xcf\x11\xe0": "a document of Microsoft Office",
}
"""What files begin with whose bytes are not the text that they show."""


def valid_blocks(file: Decompressed | Transcoded, size: int, encoding_errors: str) -> Iterator[bytes]:
    """Yield the file as valid UTF-8 blocks of about ``size`` bytes, ending at ASCII white space (the last in ``\\n``).

    White space never occurs inside a UTF-8 sequence, so no character is split. Each byte is copied once after reading.

    Raises:
        InputError: invalid UTF-8 (at an offset into the decompressed file), a token that is too long, or a document
            of a word processor, a PDF or UTF-16.
    """
    size = max(size, len(BOM) + 1)
    buffer = bytearray(size)
    kept = offset = 0  # bytes carried over from the previous block; file offset of the buffer start
    limit = size
    within_line = False
    while True:
        if limit > len(buffer):
            buffer.extend(bytes(limit - len(buffer)))
        with memoryview(buffer)[:limit] as view:
            filled = kept + file.readinto(view[kept:])
            ended = filled < limit
            cut = filled if ended else _end_of_last_space(view)
            while not ended and cut and view[cut - 1] == _CR:  # keep CR and LF together
                cut = _end_of_last_space(view[: cut - 1]) if cut > 1 else 0
            if cut == 0 and not ended:
                if limit > MAX_TOKEN_BYTES:
                    raise InputError(
                        f"{file.name}: the token at offset {offset} is longer than {MAX_TOKEN_BYTES >> 20} MiB; "
                        "is this a text file?"
                    )
                kept, limit = filled, min(2 * limit, MAX_TOKEN_BYTES + 1)
                continue
            start = len(BOM) if offset == 0 and view[: len(BOM)] == BOM else 0
            block = bytes(view[start:cut])
            kept = filled - cut
            view[:kept] = bytes(view[cut:filled])
        if block:
            within_line = not block.endswith(b"\n")
        if ended and within_line:
            if block.endswith((SEPARATORS + b"\xa8", SEPARATORS + b"\xa9")):
                block = block[:-3]
            block += b"\n"
        if offset == 0:
            _refuse_other_files(block, file.name)
        if block:
            yield _validated(block, file.name, offset + start, encoding_errors)
        if ended:
            return
        offset += cut
        limit = min(max(size, 2 * kept), MAX_TOKEN_BYTES + 1)


def checked_block(block: bytes, name: str, offset: int, encoding_errors: str) -> bytes:
    """Return the block at an offset of a file as valid UTF-8.

    Raises:
        InputError: it is not, or the file is a document of a word processor, a PDF or looks like UTF-16.
    """
    if not offset:
        _refuse_other_files(block, name)
    return _validated(block, name, offset, encoding_errors)


def _refuse_other_files(block: bytes, name: str) -> None:
    """Raise InputError if a file is a document or archive, or if nearly every other byte is NUL, as in UTF-16."""
    for start, kind in _DOCUMENTS.items():
        if block.startswith((start, start.decode("latin-1").encode())):  # as it is, or transcoded
            raise InputError(f"{name} is {kind}, not text; save or export it as plain text first")
    if b"\0" in block and len(block) >= 16 and not block.startswith((b"\xff\xfe", b"\xfe\xff")):
        shares = [block[parity::2].count(0) / len(block[parity::2]) for parity in (0, 1)]
        if max(shares) > 0.6 and min(shares) < 0.1:
            raise InputError(
                f"{name}: every other byte is NUL; it looks like UTF-16: re-encode the file, or pass --encoding "
                "utf-16-le or utf-16-be"
            )


def _end_of_last_space(view: memoryview) -> int:
    """Return the offset just after the last ASCII white space in ``view``, or 0."""
    width = 256
    while True:
        tail = bytes(view[-width:])
        if tail[-1:].isspace():
            return len(view)
        last = tail.rsplit(None, 1)[-1]
        if len(last) < len(tail):
            return len(view) - len(last)
        if width >= len(view):
            return 0
        width *= 16


def _validated(block: bytes, name: str, offset: int, encoding_errors: str) -> bytes:
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError as error:
        at = offset + error.start
        hint = "re-encode the file, or pass --encoding NAME or --encoding-errors replace"
        if at == 0 and block.startswith((b"\xff\xfe", b"\xfe\xff")):
            hint = "it looks like UTF-16: re-encode the file, or pass --encoding utf-16"
        elif encoding_errors == "replace":
            return block.decode(errors="replace").encode()
        raise InputError(f"{name}: byte 0x{block[error.start]:02x} at offset {at} is not UTF-8; {hint}") from None
    return block
