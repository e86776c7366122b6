"""GloVe text format: word2vec text without the header; the first line determines the vector size."""

import os
from itertools import chain

from wordvec.errors import FormatError
from wordvec.formats import text_lines, word2vec_text
from wordvec.formats.sources import MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable

_FIRST_LINES = 10


def looks_like(sample: bytes) -> bool:
    """Whether the first line is a token followed by numbers."""
    return b"\0" not in sample and _vector_size(sample.split(b"\n", 1)[0]) > 0


def looks_like_pairs(sample: bytes) -> bool:
    """Whether each of the first lines is two words and a number, as of a file of rated word pairs."""
    lines = [line.split() for line in sample.split(b"\n", _FIRST_LINES)[:_FIRST_LINES] if line.strip()]
    number = text_lines.is_number
    return bool(lines) and all(len(each) == 3 and number(each[2]) and not number(each[1]) for each in lines)


def declared(source: VectorSource) -> tuple[None, int]:
    """Return None (the format does not store V) and D."""
    return None, _checked_vector_size(source, source.sample().split(b"\n", 1)[0])


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read vectors from a source positioned at its start.

    Raises:
        FormatError: the first line is not a token followed by numbers, or another line has a different length.
    """
    blocks = text_lines.line_blocks(source)
    first = next(blocks, None)
    if first is None:
        raise FormatError(f"{source.name}: an empty file; train or convert the vectors again")
    vector_size = _checked_vector_size(source, first[1].split(b"\n", 1)[0])
    rows = text_lines.TextRows(source.name, vector_size, 0, skip_bad, source.encoding, source.words)
    for _ in rows.add_blocks(chain([first], blocks), text_lines.parser_of(source), limit):
        pass
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write word2vec text without the header; see :func:`wordvec.formats.word2vec_text.write`."""
    word2vec_text.write(table, path, first_line=False)


def _vector_size(line: bytes) -> int:
    """Count the numbers at the end of the line, excluding its first field."""
    size = 0
    for field in reversed(line.split()[1:]):
        if not text_lines.is_number(field):
            break
        size += 1
    return size


def _checked_vector_size(source: VectorSource, line: bytes) -> int:
    size = _vector_size(line)
    if not 1 <= size <= MAX_VECTOR_SIZE:
        raise FormatError(
            f"{source.name}:1: expected a token and 1 to {MAX_VECTOR_SIZE:,} numbers, found {size:,} numbers"
        )
    return size
