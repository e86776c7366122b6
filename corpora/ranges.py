"""Ranges of bytes of a corpus' files, which can be read apart, such as on other machines, and give the same tokens."""

import io
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.files import MAX_TOKEN_BYTES, BinaryFile, Source, compression
from corpora.readers import TextCorpus
from corpora.remote import is_remote
from corpora.sources import OneShot, resolve_one

_LOOK = 1 << 16
"""Bytes in which the end of a line is looked for, before a text is cut between two words."""

_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"[ \t]")


class Range(NamedTuple):
    """A part of a file, cut at the first line end or blank after its bounds.

    Attributes:
        name: of the file, as ``TextCorpus`` takes it.
        size: of the file in bytes.
        first, last: the bounds in bytes.
    """

    name: str
    size: int
    first: int
    last: int


class Reading(NamedTuple):
    """How a ``TextCorpus`` is read; the fields are its arguments."""

    encoding: str
    encoding_errors: str
    tokenizer: str
    lowercase: bool
    normalize: str
    unit: str


def reading_of(corpus: TextCorpus) -> Reading:
    """Return how a corpus is read."""
    return Reading(*(getattr(corpus, name) for name in Reading._fields))


def ranges_of(corpus: TextCorpus, size: int) -> list[Range]:
    """Cut the files of a corpus into ranges of about ``size`` bytes, in reading order.

    Files that are compressed, in another encoding than UTF-8, or read by paragraphs or as a whole are not cut.

    Raises:
        InputError: a source can be read only once, such as standard input.

    Example:
        >>> [(part.first, part.last) for part in ranges_of(TextCorpus("sample:english"), 4 << 20)]
        [(0, 3169856), (3169856, 6339713)]
    """
    found = []
    for source in corpus._sources:
        if isinstance(source, OneShot):
            raise InputError(f"{source.name} can be read only once, and only here; copy it to a file that all can read")
        with source.open() as file:
            is_stored = bool(compression(source.name, file.read(10) or b""))
        whole = is_stored or corpus.encoding != UTF8 or corpus.unit != "line"
        length = source.size()
        parts = 1 if whole else max(-(-length // size), 1)
        bounds = [length * number // parts for number in range(parts + 1)]
        name = _absolute(source.name)
        found += [Range(name, length, *pair) for pair in itertools.pairwise(bounds)]
    return found


def range_blocks(part: Range, how: Reading, size: int) -> Iterator[bytes]:
    """Yield a range of a corpus as ``TextCorpus.blocks`` does; all ranges in order give the text of the corpus.

    Raises:
        InputError: the file cannot be read, or not in parts, or has another size than before; and as of
            ``TextCorpus.blocks``.
    """
    try:
        yield from _range_blocks(part, how, size)
    except InputError:
        raise
    except ValueError as error:
        if not is_remote(part.name):
            raise
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise InputError(
            f"{part.name} cannot be read in parts ({reason:.120}); copy it to a file system that all machines see"
        ) from None


def _range_blocks(part: Range, how: Reading, size: int) -> Iterator[bytes]:
    source = resolve_one(part.name)
    if source.size() != part.size:
        raise InputError(
            f"{part.name} has {source.size():,} bytes here, not {part.size:,}; all machines must see the same file, "
            "and nothing may write to it"
        )
    with source.open() as file:
        first, _ = _cut(file, part.first, part.size)
        last, ends_line = _cut(file, part.last, part.size)
    corpus = TextCorpus(part.name, **how._asdict())
    corpus._sources = [Source(part.name, lambda: _opened(source, first, last))]
    if first == last:
        return
    before = b""
    for block in corpus.blocks(size):
        if before:
            yield before
        before = block
    yield before if ends_line else before.removesuffix(b"\n") + b" "


def _absolute(name: str) -> str:
    return name if is_remote(name) or name.startswith("sample:") else os.path.abspath(name)


def _cut(file: BinaryFile, place: int, size: int) -> tuple[int, bool]:
    """Return the first place from ``place`` on at which the text may be cut, and whether a line ends there.

    It follows a newline, or a blank where there is no newline up to the next multiple of ``_LOOK``.
    """
    if place in (0, size):
        return place, True
    start = place
    while start < min(size, place + MAX_TOKEN_BYTES):
        # Up to a multiple, so that a later place is never cut before an earlier one.
        room = _LOOK - start % _LOOK
        file.seek(start)
        piece = file.read(room + len(_BOM)) or b""
        found = piece.find(b"\n", 0, room)
        if found >= 0:
            return start + found + 1, True
        for found in (blank.start() for blank in _BLANK.finditer(piece, 0, room)):
            if not piece.startswith(_BOM, found + 1):  # it would seem to start a file, and be dropped
                return start + found + 1, start + found + 1 == size
        start += room
    return size, True


class _Window(io.RawIOBase):
    """A range of a file, read as if it were a file."""

    def __init__(self, file: Any, first: int, last: int) -> None:
        self._file, self._first, self._size = file, first, last - first
        self._place = 0
        file.seek(first)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        room = memoryview(view)[: self._size - self._place]
        count = self._file.readinto(room) or 0 if len(room) else 0
        self._place += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._file.seek(self._first + self._place)
        return self._place

    def tell(self) -> int:
        return self._place

    def close(self) -> None:
        self._file.close()
        super().close()


def _opened(source: Source, first: int, last: int) -> Any:
    return _Window(source.open(), first, last)
