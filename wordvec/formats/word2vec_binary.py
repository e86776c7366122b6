"""word2vec binary format: a header line ``V D``, then V records of a token, a space and D little-endian float32.

word2vec.c writes a newline after each vector, gensim does not; both are read, and written without. gensim also writes
tokens that contain spaces, without marking where they end: of the possible ends, the one is chosen that gives a vector
of usual size followed by a token of text.
"""

import os
import re

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats import word2vec_text
from wordvec.formats.rows import Rows, check_complete, check_number_of_rows
from wordvec.formats.sources import MAX_TOKEN_BYTES, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.formats.targets import writing

_BLOCK_BYTES = 1 << 20
_ROWS_AT_ONCE = 4096
_NOT_IN_TOKENS = bytes(range(32))
_LETTER = rb"(?:[\x21-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})"
_LONGEST_PART = 64
"""Bytes between two spaces of a token."""
_MOST_SPACES = 16
_TOKEN_AFTER = MAX_TOKEN_BYTES + 2
_SMALLEST, _LARGEST = 1e-15, 1e9
"""Bounds of the usual size of a number; text or shifted bytes read as numbers are outside."""
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
    expected = 0 if source.compressed or skip_bad else wanted
    rows = Rows(source.name, vector_size, expected, skip_bad, source.encoding, source.words)
    data = source.read(_BLOCK_BYTES)
    position, ended = data.find(b"\n") + 1, False
    while rows.read < wanted:
        where = (source.name, data, position, width, wanted - rows.read, rows.read)
        plain = _plain_records(*where)
        if plain is not None:
            joined, table, position = plain
            rows.add_joined(joined, table)
        else:
            tokens, table, position = _records(*where, ended)
            rows.add(*_named(*_finite(tokens, table.reshape(-1, vector_size), rows), rows))
        if rows.read < wanted:
            if ended:
                break
            more = source.read(_BLOCK_BYTES)
            ended = not more
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
    with writing(path) as file:
        file.write(f"{len(table)} {table.vector_size}\n".encode())
        for start in range(0, len(table), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            stored = table.vectors[rows].astype("<f4")
            named = zip(table.tokens[rows], stored, strict=True)
            file.write(b"".join([b"%s %s" % (token.encode(), row.tobytes()) for token, row in named]))


def _plain_records(
    name: str, data: bytes, position: int, width: int, most: int, before: int
) -> tuple[bytes, np.ndarray, int] | None:
    """Return what ``_records`` returns of the first records before the last space, many at once, up to one whose token
    is unusual: it has a space or newline, starts with white space, or is too long.

    Returns:
        The tokens, with newlines between, their (n, D) float32 vectors, all finite, and the records' end; None if there
        are no such records.
    """
    # The group is a token, with the newline that word2vec.c writes after each vector. It includes the space after it if
    # that may belong to the token: another one follows soon, and what is between looks like UTF-8.
    token = rb"\n?[^\s][^ \n]{0,%d}(?: (?=%s{1,%d} ))?" % (MAX_TOKEN_BYTES - 1, _LETTER, _LONGEST_PART - 1)
    # Without a record, all the rest matches at once: no record is searched for further on.
    pattern = re.compile(rb"(%s)(?:(?<= )| )(?s:.{%d})|(?s:.+)" % (token, width))
    tokens = pattern.findall(data, position)[:most]
    while tokens and not tokens[-1]:
        tokens.pop()
    joined = b"\n".join(tokens)
    sizes = np.fromiter(map(len, tokens), np.int64, len(tokens))
    spaces = np.flatnonzero(np.frombuffer(joined, np.uint8) == ord(" "))
    doubtful = np.searchsorted(np.cumsum(sizes + 1), spaces)
    sizes[doubtful] -= 1
    starts = position + np.cumsum(sizes + 1) + width * np.arange(len(tokens))
    count = int(np.searchsorted(starts + width, data.rfind(b" "), "right"))
    for row in doubtful[doubtful < count].tolist():
        end = int(starts[row]) - 1
        if _end_of_token(name, data, end - int(sizes[row]), end, width, before + row + 1) != end:
            count = row
            break
    if not count:
        return None
    records = np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
    vectors = records[starts[:count]].view("<f4").reshape(count, -1)
    if not np.isfinite(vectors).all():
        return None
    joined = b"\n".join(tokens[:count]) if count < len(tokens) else joined
    joined = joined.replace(b" ", b"").replace(b"\n\n", b"\n").removeprefix(b"\n")
    return joined, vectors, int(starts[count - 1]) + width


def _records(
    name: str, data: bytes, position: int, width: int, most: int, before: int, ended: bool
) -> tuple[list[bytes], np.ndarray, int]:
    """Return the tokens and vectors of up to ``most`` complete records in ``data`` from ``position``, and their end.

    Unless the file has ``ended``, a record is complete only with the token after it.
    """
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
        if not ended and data.find(b" ", end) < 0 and len(data) - end < _TOKEN_AFTER:
            break
        if data.find(b" ", space + 1, space + 1 + _LONGEST_PART) >= 0:
            space = _end_of_token(name, data, position, space, width, before + len(tokens) + 1)
            end = space + 1 + width
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
    return tokens, np.frombuffer(b"".join(vectors), "<f4"), position


def _end_of_token(name: str, data: bytes, position: int, first: int, width: int, number: int) -> int:
    """Return the position of the space that ends the token of a record; ``first`` is its first space.

    Raises:
        FormatError: the token contains spaces, and none of them is followed by a vector and a token.
    """
    best, least, part = first, (-1, -1), first + 1
    for _ in range(_MOST_SPACES):
        space = data.find(b" ", part, part + _LONGEST_PART)
        if space <= part or space + 1 + width > len(data) or not _is_text(data[part:space]):
            break
        if best == first and least[0] < 0:
            least = _doubts(data, part, width)
        if least == (0, 0):
            break
        part = space + 1
        doubts = _doubts(data, part, width)
        if doubts < least:
            best, least = space, doubts
    if all(doubt > 0 for doubt in least):
        raise FormatError(
            f"{name}: vector {number:,}: the file is damaged, or its token contains spaces; export the vectors as text"
        )
    return best


def _doubts(data: bytes, start: int, width: int) -> tuple[int, int]:
    """Return the number of unusually large or small numbers of a vector, and whether no token of text follows it."""
    sizes = np.abs(np.frombuffer(data, "<f4", width // 4, start))
    with np.errstate(invalid="ignore"):
        unusual = int(np.count_nonzero((sizes != 0) & ~((sizes > _SMALLEST) & (sizes < _LARGEST))))
    end = start + width
    space = data.find(b" ", end, end + MAX_TOKEN_BYTES + 2)
    after = data[end:space].lstrip(b"\n") if space >= 0 else data[end : end + MAX_TOKEN_BYTES].strip()
    return unusual, int(not _is_text(after) if space >= 0 else len(after) > 0)


def _is_text(part: bytes) -> bool:
    """Whether some bytes are a part of a token: UTF-8 without control characters."""
    if part.isalnum():
        return True
    if len(part) != len(part.translate(None, _NOT_IN_TOKENS)):
        return False
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True


def _finite(tokens: list[bytes], table: np.ndarray, rows: Rows) -> tuple[list[bytes], np.ndarray]:
    """Return the records whose vectors are finite; the others are invalid rows."""
    good = np.isfinite(table).all(axis=1)
    if good.all():
        return tokens, table
    before = rows.read
    for row in np.flatnonzero(~good).tolist():
        token = tokens[row][:40].decode("utf-8", "replace")
        rows.bad(f"{rows.name}: vector {before + row + 1:,} ({token!r:.60}) contains NaN or infinity")
    return [token for token, kept in zip(tokens, good, strict=True) if kept], table[good]


def _named(tokens: list[bytes], table: np.ndarray, rows: Rows) -> tuple[list[bytes], np.ndarray]:
    """Return the records whose tokens are not empty or white space; the others are left out."""
    named = [row for row, token in enumerate(tokens) if token and not token.isspace()]
    if len(named) == len(tokens):
        return tokens, table
    for _ in range(len(tokens) - len(named)):
        rows.unnamed()
    return [tokens[row] for row in named], table[named]
