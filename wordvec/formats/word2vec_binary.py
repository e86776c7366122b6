"""word2vec binary format: a header line ``V D``, then V records of a token, a space and D little-endian float32.

word2vec.c writes a newline after each vector, gensim does not; both are read, and written without.
"""

import os

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats import word2vec_text
from wordvec.formats.rows import Rows, check_complete, check_number_of_rows
from wordvec.formats.sources import MAX_TOKEN_BYTES, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.atomic_files import replacing

_BLOCK_BYTES = 4 << 20
_ROWS_AT_ONCE = 4096
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r"))

declared = word2vec_text.declared


def looks_like(sample: bytes) -> bool:
    """Whether ``sample`` contains control bytes that do not occur in text."""
    return len(sample.translate(None, _CONTROL)) < len(sample)


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read vectors from a source positioned at its start.

    Raises:
        FormatError: the content does not match the header.
    """
    size, vector_size = declared(source)
    wanted = size if limit is None else min(size, limit)
    width = 4 * vector_size
    source.check_room(1 if skip_bad else wanted, vector_size, width + 2)
    rows = Rows(source.name, vector_size, 0 if source.compressed or skip_bad else wanted, skip_bad)
    data = source.read(_BLOCK_BYTES)
    position = data.find(b"\n") + 1
    while rows.read < wanted:
        tokens, vectors, position = _records(source.name, data, position, width, wanted - rows.read, rows.read)
        table = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(-1, vector_size)
        rows.add(*_named(*_finite(tokens, table, rows), rows))
        if rows.read < wanted:
            more = source.read(_BLOCK_BYTES)
            if not more:
                break
            data, position = data[position:] + more, 0
    if not skip_bad:
        check_complete(source.name, rows.read, wanted)
    elif limit is None:
        check_number_of_rows(rows, size)
    if limit is None and (data[position:] + source.read(1)).strip():
        raise FormatError(f"{source.name}: extra bytes after the {size:,} vectors that its first line declares")
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write the vectors.

    Raises:
        InputError: a token contains white space or is too long.
    """
    word2vec_text.check_tokens(table)
    with replacing(path) as file:
        file.write(f"{len(table)} {table.vector_size}\n".encode())
        for start in range(0, len(table), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            stored = table.vectors[rows].astype("<f4")
            named = zip(table.tokens[rows], stored, strict=True)
            file.write(b"".join([b"%s %s" % (token.encode(), row.tobytes()) for token, row in named]))


def _records(
    name: str, data: bytes, position: int, width: int, most: int, before: int
) -> tuple[list[bytes], list[bytes], int]:
    """Return the tokens and vectors of up to ``most`` complete records in ``data`` from ``position``, and their end."""
    tokens: list[bytes] = []
    vectors: list[bytes] = []
    while len(tokens) < most:
        space = data.find(b" ", position, position + MAX_TOKEN_BYTES + 2)
        if space < 0 and len(data) - position > MAX_TOKEN_BYTES + 1:
            raise FormatError(
                f"{name}: the token of vector {before + len(tokens) + 1:,} is longer than {MAX_TOKEN_BYTES:,} bytes; "
                f"the file is damaged or not a vector file"
            )
        end = space + 1 + width
        if space < 0 or end > len(data):
            break
        # The newline that word2vec.c writes after each vector precedes the next token here.
        token = data[position:space].lstrip(b"\n")
        if b"\n" in token:
            raise FormatError(
                f"{name}: the token of vector {before + len(tokens) + 1:,} has a newline; "
                f"the file is damaged or its vectors do not have {width // 4} numbers"
            )
        tokens.append(token)
        vectors.append(data[space + 1 : end])
        position = end
    return tokens, vectors, position


def _finite(tokens: list[bytes], table: np.ndarray, rows: Rows) -> tuple[list[bytes], np.ndarray]:
    """Return the records whose vectors are finite; the others are invalid rows."""
    good = np.isfinite(table).all(axis=1)
    if good.all():
        return tokens, table
    before = rows.read
    for row in np.flatnonzero(~good).tolist():
        token = tokens[row][:40].decode("utf-8", "replace")
        rows.bad(f"{rows.name}: vector {before + row + 1:,} ({token!r}) contains NaN or infinity")
    return [token for token, kept in zip(tokens, good, strict=True) if kept], table[good]


def _named(tokens: list[bytes], table: np.ndarray, rows: Rows) -> tuple[list[bytes], np.ndarray]:
    """Return the records whose tokens are not empty or white space; the others are left out."""
    named = [row for row, token in enumerate(tokens) if token and not token.isspace()]
    if len(named) == len(tokens):
        return tokens, table
    for _ in range(len(tokens) - len(named)):
        rows.unnamed()
    return [tokens[row] for row in named], table[named]
