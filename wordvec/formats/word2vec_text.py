"""word2vec's text: a line with the numbers of vectors and of their dimensions, then a token and its numbers a line."""

import os
import re
from collections.abc import Iterator

from wordvec.errors import FormatError, InputError
from wordvec.formats import text_lines
from wordvec.formats.rows import check_complete
from wordvec.formats.sources import MAX_TOKEN_BYTES, MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.atomic_files import replacing

_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*(?:\n|\Z)")
_SPACES = re.compile(r"[ \t\n\r\v\f]")
_ROWS_AT_ONCE = 1024


def header(sample: bytes) -> tuple[int, int] | None:
    """The numbers V and D of a first line that is just these, else None."""
    match = _HEADER.match(sample)
    return (int(match[1]), int(match[2])) if match else None


def looks_like(sample: bytes) -> bool:
    """Whether after the first line comes a line that starts with a token and a number."""
    match = _HEADER.match(sample)
    fields = sample[match.end() :].split(b"\n", 1)[0].split(None, 2) if match else []
    return len(fields) > 1 and text_lines.is_number(fields[1])


def declared(source: VectorSource) -> tuple[int, int]:
    """V and D as the first line has them."""
    found = header(source.sample())
    if found is None:
        raise FormatError(
            f"{source.name}:1: expected the number of vectors and of their dimensions, such as '7000 100'"
        )
    return found


def read(source: VectorSource, limit: int | None) -> VectorTable:
    """The vectors of a file that stands at its start.

    Raises:
        FormatError: it is not what its first line says.
    """
    size, vector_size = declared(source)
    wanted = size if limit is None else min(size, limit)
    # A row is at least a letter and a line end, and a space and a digit for each number.
    source.check_room(wanted, vector_size, 2 * vector_size + 1)
    rows = text_lines.TextRows(source.name, vector_size, 0 if source.compressed else wanted)
    for number, lines in text_lines.line_blocks(source):
        body = lines[1:] if number == 1 else lines
        rows.add_lines(max(number, 2), body if limit is None else body[: wanted - rows.read])
        if rows.read > size:
            raise FormatError(
                f"{source.name}:{size + 2}: a line after the {size:,} vectors that its first line declares"
            )
        if limit is not None and rows.read == wanted:
            break
    check_complete(source.name, rows.read, wanted)
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str], *, first_line: bool = True) -> None:
    """Write the vectors, each float32 with the nine digits that bring it back exactly.

    Raises:
        InputError: a token has white space or is too long.
    """
    check_tokens(table)
    with replacing(path) as file:
        if first_line:
            file.write(f"{len(table)} {table.vector_size}\n".encode())
        for block in _lines(table):
            file.write(block)


def check_tokens(table: VectorTable) -> None:
    """Raise where word2vec's formats could not hold a token or its vector."""
    for row, token in enumerate(table.tokens):
        if _SPACES.search(token):
            raise InputError(
                f"word2vec files cannot hold tokens with white space, got {token!r} in row {row}; "
                f"save as .safetensors instead"
            )
        if len(token) * 4 > MAX_TOKEN_BYTES and len(token.encode()) > MAX_TOKEN_BYTES:
            raise InputError(
                f"word2vec files can hold tokens of at most {MAX_TOKEN_BYTES:,} bytes, got {len(token.encode()):,} in "
                f"row {row}; save as .safetensors instead"
            )
    if table.vector_size > MAX_VECTOR_SIZE:
        raise InputError(
            f"word2vec files can hold vectors of at most {MAX_VECTOR_SIZE:,} numbers, got {table.vector_size:,}; "
            f"save as .safetensors instead"
        )


def _lines(table: VectorTable) -> Iterator[bytes]:
    line = "%s" + " %.9g" * table.vector_size + "\n"
    for start in range(0, len(table), _ROWS_AT_ONCE):
        stop = start + _ROWS_AT_ONCE
        named = zip(table.tokens[start:stop], table.vectors[start:stop].tolist(), strict=True)
        yield "".join([line % (token, *row) for token, row in named]).encode()
