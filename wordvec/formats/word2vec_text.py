"""word2vec text format: a header line ``V D``, then a token and D numbers per line."""

import os
import re
from collections.abc import Iterator

from wordvec.errors import FormatError, InputError
from wordvec.formats import text_lines
from wordvec.formats.rows import check_complete, check_number_of_rows
from wordvec.formats.sources import MAX_TOKEN_BYTES, MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.formats.targets import writing

_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|\Z)")
_SPACES = re.compile(r"[ \t\n\r\v\f]")
_ROWS_AT_ONCE = 1024


def header(sample: bytes) -> tuple[int, int] | None:
    """Return V and D if the first line is a word2vec header, else None."""
    match = _HEADER.match(sample)
    return (int(match[1]), int(match[2])) if match else None


def looks_like(sample: bytes) -> bool:
    """Whether the second line starts with a token and a number."""
    match = _HEADER.match(sample)
    fields = sample[match.end() :].split(b"\n", 1)[0].split(None, 2) if match else []
    return len(fields) > 1 and text_lines.is_number(fields[1])


def declared(source: VectorSource) -> tuple[int, int]:
    """Return V and D from the header."""
    found = header(source.sample())
    if found is None:
        raise FormatError(f"{source.name}:1: expected the number of vectors and their dimension, such as '7000 100'")
    return found


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read vectors from a source positioned at its start.

    Raises:
        FormatError: the content does not match the header.
    """
    size, vector_size = declared(source)
    wanted = size if limit is None else min(size, limit)
    # A row takes at least one byte for the token, one for the newline, and two per number.
    source.check_room(1 if skip_bad else wanted, vector_size, 2 * vector_size + 1)
    expected = 0 if source.compressed or skip_bad else wanted
    rows = text_lines.TextRows(source.name, vector_size, expected, skip_bad, source.encoding, source.words)
    blocks = text_lines.line_blocks(source, first=2)
    for _ in rows.add_blocks(blocks, text_lines.parser_of(source), None if limit is None else wanted):
        if rows.read > size and not skip_bad:
            raise FormatError(
                f"{source.name}:{size + 2}: extra line after the {size:,} vectors that its first line declares; "
                "skip_bad_rows reads the rows that there are"
            )
    if not skip_bad:
        check_complete(source.name, rows.read, wanted)
    elif limit is None:
        check_number_of_rows(rows, size)
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str], *, first_line: bool = True) -> None:
    """Write the vectors with nine significant digits, which round-trip every float32 exactly.

    Raises:
        InputError: a token contains white space or is too long.
    """
    check_tokens(table)
    with writing(path) as file:
        if first_line:
            file.write(f"{len(table)} {table.vector_size}\n".encode())
        for block in lines(table):
            file.write(block)


def check_tokens(table: VectorTable) -> None:
    """Raise InputError if word2vec formats cannot represent a token or its vector."""
    for row, token in enumerate(table.tokens):
        if _SPACES.search(token):
            raise InputError(
                f"tokens in word2vec files must not contain white space, got {token!r} in row {row}; "
                f"save as .safetensors instead"
            )
        if len(token) * 4 > MAX_TOKEN_BYTES and len(token.encode()) > MAX_TOKEN_BYTES:
            raise InputError(
                f"tokens in word2vec files must have at most {MAX_TOKEN_BYTES:,} bytes, got {len(token.encode()):,} in "
                f"row {row}; save as .safetensors instead"
            )
    if table.vector_size > MAX_VECTOR_SIZE:
        raise InputError(
            f"vectors in word2vec files must have at most {MAX_VECTOR_SIZE:,} numbers, got {table.vector_size:,}; "
            f"save as .safetensors instead"
        )


def lines(table: VectorTable, named: bool = True) -> Iterator[bytes]:
    """Yield the rows as lines of a token, if ``named``, and D numbers, in blocks."""
    line = " ".join(["%s"] * named + ["%.9g"] * table.vector_size) + "\n"
    for start in range(0, len(table), _ROWS_AT_ONCE):
        stop = start + _ROWS_AT_ONCE
        rows = zip(table.tokens[start:stop], table.vectors[start:stop].tolist(), strict=True)
        yield "".join([line % ((token, *row) if named else tuple(row)) for token, row in rows]).encode()
