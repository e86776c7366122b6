"""Streaming text readers; :class:`TextCorpus` yields lines, or blocks of tokenized bytes for fast training."""

import contextlib
import hashlib
import itertools
import logging
import os
import re
from collections.abc import Generator, Iterator
from typing import IO, Any

from corpora.encodings import UTF8, check_encoding, open_text
from corpora.errors import InputError
from corpora.files import MAX_TOKEN_BYTES, Source, compression, reason
from corpora.normalization import check_form, normalized_block
from corpora.sources import OneShot, resolve, resolve_one
from corpora.tokenizers import get_tokenizer
from corpora.units import check_unit, lines_of_units, wrapped_width
from corpora.utf8 import BOM, SEPARATORS, checked_block, valid_blocks

_log = logging.getLogger(__name__)

MAX_LINE_BYTES = 64 << 20
"""Maximum line length in bytes of files that are read as lines; :class:`TextCorpus` has no such limit."""

_LONE_RETURN = re.compile(rb"\r(?!\n)")
_SPACE = re.compile(rb"\s")
_LINE_BLOCK = 1 << 20
_TOKENIZED_BLOCK = 1 << 18
_WRAPPED, _MARKUP = "wrapped lines", "markup"
_TAG = re.compile(rb"\s*<(\?xml|!doctype|html|tei)\b", re.IGNORECASE)
"""The start of an XML or HTML file."""
_SAMPLE = 1 << 16
"""Bytes of a block in which wrapped lines are looked for."""


class TextCorpus:
    """Text files as one corpus that can be iterated repeatedly; each line, paragraph or file is a sentence.

    Lines end in LF, CRLF, CR alone, U+2028 or U+2029. A byte order mark is removed at the start of each line, where
    concatenated files leave one.

    Args:
        sources: each a file, a directory (all files, recursively, sorted, without hidden ones), a glob, ``-`` for
            standard input (copied to a temporary file once), ``sample:english``, or ``data:NAME`` for a catalogue data
            set. Files may be compressed with gzip, bzip2, xz or zstandard.
        encoding: of the files, a text encoding of Python; they are transcoded while they are read.
        encoding_errors: ``strict`` rejects invalid bytes, ``replace`` substitutes U+FFFD.
        tokenizer: name of the tokenizer that :meth:`blocks` applies.
        lowercase: whether :meth:`blocks` lower-cases.
        normalize: the Unicode normalization form of :meth:`blocks`: ``NFC``, ``NFKC`` or ``none``.
        unit: what becomes a line: a ``line``, a ``paragraph`` (lines up to an empty one), or a ``file``. A warning says
            when lines are wrapped at one width, as in a book.

    Raises:
        InputError: a source does not exist or cannot be read, or a setting is unknown.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "poem.txt"
        >>> _ = path.write_text("To be,\\nor not to be")
        >>> list(TextCorpus(path))
        ['To be,', 'or not to be']
        >>> list(TextCorpus(path, tokenizer="words", lowercase=True).blocks())
        [b'to be\\nor not to be\\n']
    """

    def __init__(
        self,
        *sources: str | os.PathLike[str],
        encoding: str = UTF8,
        encoding_errors: str = "strict",
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        unit: str = "line",
    ) -> None:
        check_encoding_errors(encoding_errors)
        self.sources = tuple(os.fspath(source) for source in sources)
        self.encoding = check_encoding(encoding)
        self.encoding_errors = encoding_errors
        self.tokenizer = get_tokenizer(tokenizer).name
        self.lowercase = bool(lowercase)
        self.normalize = check_form(normalize)
        self.unit = check_unit(unit)
        if not sources:
            raise InputError("a corpus needs at least one source: a file, a directory, a glob, '-' or 'sample:english'")
        if self.sources.count("-") > 1:
            raise InputError("'-' is given more than once; standard input can be read only once")
        self._sources = [found for source in self.sources for found in resolve(source)]
        self._bytes_read = 0
        self._checksums: list[bytes] = []
        self._digests: list[bytes] = []
        self._warned: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        """Yield lines without their newlines, neither tokenized nor lower-cased nor normalized."""
        return _lines(self._raw_blocks(_LINE_BLOCK))

    def blocks(self, size: int = 1 << 22) -> Iterator[bytes]:
        """Yield the corpus as tokenized UTF-8, with ASCII white space between tokens and ``\\n`` after each line.

        Blocks end between tokens, not necessarily at line ends, so memory is bounded by ``size`` (and the longest
        token) even if the whole corpus is a single line. A missing ``\\n`` at the end of a file is added.

        Raises:
            InputError: invalid UTF-8, a truncated or damaged compressed file, a token longer than 64 MiB, or ``size``
                not in 1..64 MiB.
        """
        if not 1 <= size <= MAX_TOKEN_BYTES:
            raise InputError(f"size must be in 1..{MAX_TOKEN_BYTES}, got {size}")
        if self.tokenizer != "whitespace":
            size = min(size, _TOKENIZED_BLOCK)  # a list of tokens takes many times the memory of its text
        return self._converted_blocks(size)

    def _converted_blocks(self, size: int) -> Iterator[bytes]:
        tokenized = get_tokenizer(self.tokenizer).normalize
        for block in self._raw_blocks(size, look_for_faults=True):
            block = normalized_block(block, self.normalize)
            if self.tokenizer != "whitespace":
                text = tokenized(block.decode(), self.lowercase)
                # Tokenizing dropped the trailing space of a block that ends within a line; restore it.
                yield (text if block.endswith(b"\n") else text + " ").encode()
            elif self.lowercase:
                yield block.lower() if block.isascii() else block.decode().lower().encode()
            else:
                yield block

    def _raw_blocks(self, size: int, look_for_faults: bool = False) -> Iterator[bytes]:
        self._bytes_read = before = 0
        checksums = []
        for source in self._sources:
            with open_text(source, self.encoding, self.encoding_errors) as file:
                blocks = _separated(valid_blocks(file, size, self.encoding_errors), source.name, self._warned)
                if self.unit != "line":
                    blocks = lines_of_units(blocks, self.unit)
                for number, block in enumerate(blocks):
                    if look_for_faults and number == 0:
                        self._warn_of_markup(source.name, block)
                    if look_for_faults and self.unit == "line" and not number & (number - 1):  # 0, 1, 2, 4, 8 ...
                        self._warn_of_wrapping(source.name, block)
                    self._bytes_read = before + file.position
                    yield block
                before += file.position
                checksums.append(file.checksum)
        if checksums != self._checksums:
            self._digests = []
        self._bytes_read, self._checksums = before, checksums

    def _warn_of_markup(self, name: str, block: bytes) -> None:
        """Log once if a file is XML or HTML."""
        if _MARKUP not in self._warned and _TAG.match(block):
            self._warned.add(_MARKUP)
            _log.warning("%s: its tags are read as words, too; extract the text of XML and HTML files first", name)

    def _warn_of_wrapping(self, name: str, block: bytes) -> None:
        """Log once if the lines of a file are wrapped."""
        width = None if _WRAPPED in self._warned else wrapped_width(block[:_SAMPLE].decode(errors="ignore"))
        if width is not None:
            self._warned.add(_WRAPPED)
            _log.warning(
                "%s: most lines break within a sentence at about %d characters, and contexts end there; "
                "unit='paragraph' (--unit paragraph) reads the lines up to an empty one as one",
                name, width,
            )  # fmt: skip

    def fingerprint(self) -> str:
        """Return the hex digest of the stored bytes of all sources, in order, of their encoding and the unit."""
        changed = [name for name, default in ((self.unit, "line"), (self.encoding, UTF8)) if name != default]
        how = " ".join(["corpora 2", self.encoding_errors, *changed])
        whole = hashlib.blake2b(f"{how}\n".encode(), digest_size=32)
        digests, self._checksums = [], []
        for source in self._sources:
            digest, checksum = source.digest()
            whole.update(digest)
            digests.append(digest)
            self._checksums.append(checksum)
        self._digests = digests
        return whole.hexdigest()

    def provenance(self) -> list[dict[str, Any]]:
        """Return name, stored bytes and BLAKE2b digest (``b2sum -l 256``) of each source, in order.

        The digests are those of the last :meth:`fingerprint`, which is taken now if there is none.

        Raises:
            InputError: a file has changed since the corpus was read.
        """
        if not self._digests:
            checksums = self.checksums()
            self.fingerprint()
            self.check_unchanged(checksums or self._checksums)
        return [
            {"name": source.name, "bytes": source.size(), "blake2b": digest.hex()}
            for source, digest in zip(self._sources, self._digests, strict=True)
        ]

    def checksums(self) -> list[bytes]:
        """Return the checksum of each source's stored bytes, as last read to the end or by :meth:`fingerprint`."""
        return list(self._checksums)

    def check_unchanged(self, checksums: list[bytes]) -> None:
        """Check that the last reading found the same bytes as an earlier one, which had ``checksums``.

        Raises:
            InputError: a file has changed in between.
        """
        for source, before, now in zip(self._sources, checksums, self._checksums, strict=True):
            if before != now:
                raise InputError(f"{source.name} changed while it was read; run again when nothing writes to it")

    def size(self) -> int:
        """Return the total stored bytes of all sources (100% of a progress bar)."""
        return sum(source.size() for source in self._sources)

    def reads_fast(self) -> bool:
        """Whether :meth:`blocks` needs neither decompress, transcode, tokenize nor lower-case the files."""
        if self.tokenizer != "whitespace" or self.lowercase or self.encoding != UTF8:
            return False
        for source in self._sources:
            with source.open() as file:
                if compression(source.name, file.read(10) or b""):
                    return False
        return True

    def bytes_read(self) -> int:
        """Return how many of the :meth:`size` bytes the current iteration has consumed."""
        return self._bytes_read

    def __repr__(self) -> str:
        listed = ", ".join(map(repr, self.sources))
        how = f"tokenizer={self.tokenizer!r}, lowercase={self.lowercase}, normalize={self.normalize!r}"
        return f"TextCorpus({listed}, {how}, unit={self.unit!r})"


def read_lines(
    source: str | os.PathLike[str],
    *,
    encoding: str | list[str] | tuple[str, ...] = UTF8,
    encoding_errors: str = "strict",
) -> list[str]:
    """Return the lines of one file or of standard input (``-``), without newlines; blank lines are kept.

    Args:
        source: the file.
        encoding: its encoding, or several, of which the first that fits is used.
        encoding_errors: see :class:`TextCorpus`.

    Raises:
        InputError: the file does not exist or is not in that encoding.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "texts.txt"
        >>> _ = path.write_text("first\\n\\nthird\\n")
        >>> read_lines(path)
        ['first', '', 'third']
    """
    found = resolve_one(source)
    several: Any = encoding if isinstance(encoding, list | tuple) and encoding else [encoding]
    *first, last = several
    for each in first:
        with contextlib.suppress(InputError):
            return list(source_lines(found, each, encoding_errors))
    return list(source_lines(found, last, encoding_errors))


def source_lines(source: Source, encoding: str, encoding_errors: str) -> Generator[str, None, None]:
    """Yield the lines of ``source`` without their newlines.

    Raises:
        InputError: the source cannot be read, or a line is longer than ``MAX_LINE_BYTES``.
    """
    check_encoding_errors(encoding_errors)
    with open_text(source, encoding, encoding_errors) as file:
        blocks = _without_lone_returns(valid_blocks(file, _LINE_BLOCK, encoding_errors))
        yield from _lines(_short_lines(blocks, source.name))


def arriving_lines(source: Source, encoding: str, encoding_errors: str) -> Generator[str, None, None]:
    """Yield the lines of ``source`` as :func:`source_lines` does; those of a pipe or terminal as soon as they arrive.

    Standard input that is compressed, or not UTF-8, is copied to a temporary file first.
    """
    check_encoding_errors(encoding_errors)
    if not isinstance(source, OneShot) or check_encoding(encoding) != UTF8:
        yield from source_lines(source, encoding, encoding_errors)
        return
    with source.stream() as stream:
        head = _arrived(source.name, stream)
        if not compression("", head):
            yield from _lines(_arriving_blocks(source.name, head, stream, encoding_errors))
            return
        source.spool(stream, head)
    yield from source_lines(source, encoding, encoding_errors)


def _arrived(name: str, stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_LINE_BLOCK) or b""
    except OSError as error:
        raise InputError(f"{name} cannot be read: {reason(error)}") from None


def _arriving_blocks(name: str, head: bytes, stream: IO[bytes], encoding_errors: str) -> Iterator[bytes]:
    """Yield a stream as valid UTF-8 blocks that end at line ends, each as soon as a line has arrived.

    Args:
        name: for messages. stream: read without a buffer.
        head: what has been read of it.
        encoding_errors: see :class:`TextCorpus`.
    """
    pieces: list[bytes] = []
    offset = spaceless = 0
    piece = head
    while piece:
        spaceless = 0 if _SPACE.search(piece) else spaceless + len(piece)
        if spaceless > MAX_TOKEN_BYTES:
            raise InputError(
                f"{name}: the token at offset {offset} is longer than {MAX_TOKEN_BYTES >> 20} MiB; is this text?"
            )
        end = piece.rfind(b"\n") + 1
        if end:
            block = b"".join([*pieces, piece[:end]])
            yield checked_block(block, name, offset, encoding_errors)
            offset += len(block)
            pieces = []
        pieces.append(piece[end:])
        piece = _arrived(name, stream)
    rest = b"".join(pieces)
    if rest:
        if not offset:  # no LF anywhere: the lines may end in CR alone
            rest = next(_without_lone_returns(iter([rest])))
        yield checked_block(rest.removesuffix(b"\n") + b"\n", name, offset, encoding_errors)


def check_encoding_errors(encoding_errors: str) -> None:
    """Raise InputError unless ``encoding_errors`` is ``strict`` or ``replace``."""
    if encoding_errors not in ("strict", "replace"):
        raise InputError(f"encoding_errors must be 'strict' or 'replace', got {encoding_errors!r}")


def _without_lone_returns(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks with CR as ``\\n`` if the lines of the file end in CR alone."""
    first = next(blocks, b"")
    if b"\r" in first and b"\n" not in first.rstrip(b"\r\n"):
        yield from (block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for block in itertools.chain([first], blocks))
    else:
        yield first
        yield from blocks


def _short_lines(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the blocks, and raise InputError if a line is too long; a block holds whole lines or a part of one."""
    unfinished = 0
    for block in blocks:
        unfinished = len(block) - end if (end := block.rfind(b"\n") + 1) else unfinished + len(block)
        if unfinished > MAX_LINE_BYTES:
            raise InputError(f"{name} has a line longer than {MAX_LINE_BYTES >> 20} MiB; is this a file of texts?")
        yield block


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    started: list[str] = []
    for block in blocks:
        first, *others = block.decode().split("\n")
        started.append(first)
        for line in others:
            yield "".join(started).removesuffix("\r").removeprefix("\ufeff")
            started = [line]


def _separated(blocks: Iterator[bytes], name: str, warned: set[str]) -> Iterator[bytes]:
    """Yield blocks with lone CR, U+2028 and U+2029 as ``\\n``, and without byte order marks at line starts."""
    starts_line = True
    for block in blocks:
        if b"\0" in block and name not in warned:
            warned.add(name)
            _log.warning("%s contains NUL characters, which stay in its words; it may be damaged or not text", name)
        if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
            block = _LONE_RETURN.sub(b"\n", block)
        if not block.isascii():
            if SEPARATORS in block:
                block = block.replace(SEPARATORS + b"\xa8", b"\n").replace(SEPARATORS + b"\xa9", b"\n")
            if BOM in block:
                block = block.replace(b"\n" + BOM, b"\n")
                if starts_line:
                    block = block.removeprefix(BOM)
        if block:
            starts_line = block.endswith(b"\n")
            yield block
