"""word2vec's binary: a line ``V D``, then V times a token, a space and D little-endian float32.

word2vec.c writes a line end after each vector, gensim does not; both are read. Ours are written without.
"""

import os

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats import word2vec_text
from wordvec.formats.rows import Rows, check_complete
from wordvec.formats.sources import MAX_TOKEN_BYTES, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.atomic_files import replacing

_BLOCK_BYTES = 4 << 20
_ROWS_AT_ONCE = 4096
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r"))

declared = word2vec_text.declared


def looks_like(sample: bytes) -> bool:
    """Whether bytes follow the first line that no text holds."""
    return len(sample.translate(None, _CONTROL)) < len(sample)


def read(source: VectorSource, limit: int | None) -> VectorTable:
    """The vectors of a file that stands at its start.

    Raises:
        FormatError: it is not what its first line says.
    """
    size, vector_size = declared(source)
    wanted = size if limit is None else min(size, limit)
    width = 4 * vector_size
    source.check_room(wanted, vector_size, width + 2)
    rows = Rows(source.name, vector_size, 0 if source.compressed else wanted)
    data = source.read(_BLOCK_BYTES)
    position = data.find(b"\n") + 1
    while rows.read < wanted:
        tokens, vectors, position = _records(source.name, data, position, width, wanted - rows.read, rows.read)
        table = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(-1, vector_size)
        _check_finite(source.name, tokens, table, rows.read)
        rows.add(tokens, table)
        if rows.read < wanted:
            more = source.read(_BLOCK_BYTES)
            if not more:
                break
            data, position = data[position:] + more, 0
    check_complete(source.name, rows.read, wanted)
    if limit is None and (data[position:] + source.read(1)).strip():
        raise FormatError(f"{source.name}: more bytes after the {size:,} vectors that its first line declares")
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write the vectors.

    Raises:
        InputError: a token has white space or is too long.
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
    """Tokens and vectors that stand complete in ``data`` from ``position``, at most so many, and where they end."""
    tokens: list[bytes] = []
    vectors: list[bytes] = []
    while len(tokens) < most:
        space = data.find(b" ", position, position + MAX_TOKEN_BYTES + 2)
        if space < 0 and len(data) - position > MAX_TOKEN_BYTES + 1:
            raise FormatError(
                f"{name}: the token of vector {before + len(tokens) + 1:,} has more than {MAX_TOKEN_BYTES:,} bytes; "
                f"the file is damaged, or no vector file"
            )
        end = space + 1 + width
        if space < 0 or end > len(data):
            break
        # word2vec.c ends each vector with a line end, which stands before the next token here.
        token = data[position:space].lstrip(b"\n")
        if not token or b"\n" in token:
            raise FormatError(
                f"{name}: the token of vector {before + len(tokens) + 1:,} is {'broken' if token else 'empty'}; "
                f"the file is damaged, or its vectors do not have {width // 4} numbers"
            )
        tokens.append(token)
        vectors.append(data[space + 1 : end])
        position = end
    return tokens, vectors, position


def _check_finite(name: str, tokens: list[bytes], table: np.ndarray, before: int) -> None:
    good = np.isfinite(table).all(axis=1)
    if not good.all():
        row = int(good.argmin())
        token = tokens[row][:40].decode("utf-8", "replace")
        raise FormatError(f"{name}: vector {before + row + 1:,} ({token!r}) holds NaN or infinity")
