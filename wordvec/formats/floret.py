"""floret's text format: the rows of the buckets that words and n-grams are hashed to, without a vocabulary.

The header holds ``buckets D min_n max_n hashes seed begin end``, the seed of the hash and the characters put before and
after a word; a line for each bucket holds its number and D numbers. spaCy reads it (``init vectors --mode floret``).
"""

import os
import re
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats import text_lines
from wordvec.formats.rows import check_complete
from wordvec.formats.sources import VectorSource
from wordvec.formats.table import SubwordTable, VectorTable
from wordvec.formats.targets import writing
from wordvec.system.structures import check_ngrams
from wordvec.vocabulary import Vocabulary

_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18}) (\d{1,9}) (\d{1,9}) ([1-9]\d{0,8}) (\d{1,18}) (\S+) (\S+)[ \r]*\n")
_BORDERS = "2166136261 < >"
"""The seed and the border characters, which floret does not let one choose."""

_ROWS_AT_ONCE = 1024


def looks_like(sample: bytes) -> bool:
    """Whether the first line is a header."""
    return _HEADER.match(sample) is not None


def declared(source: VectorSource) -> dict[str, Any]:
    """Return the declared sizes: D, and the n-grams and their buckets; the format does not store tokens."""
    about, vector_size = _read_header(source)
    del about["pruned"]
    return {"tokens": None, "vector_size": vector_size, "subwords": about}


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read the rows of all buckets; the table has no tokens, since the file has none.

    Raises:
        FormatError: the header is invalid, or the lines are not those of buckets 0, 1, ... with D finite numbers.
        InputError: ``limit`` or ``skip_bad`` is given: every word needs any of the rows.
    """
    if limit is not None or skip_bad:
        raise InputError(f"{source.name}: a floret file is read as a whole; leave out limit and skip_bad_rows")
    about, vector_size = _read_header(source)
    buckets = about["buckets"]
    source.check_room(buckets, vector_size, 2 * vector_size + 1)
    rows = text_lines.TextRows(source.name, vector_size, 0 if source.compressed else buckets)
    for _ in rows.add_blocks(text_lines.line_blocks(source, first=2), text_lines.parser_of(source)):
        if rows.read > buckets:
            raise FormatError(f"{source.name}:{buckets + 2}: extra line after the {buckets:,} declared buckets")
    check_complete(source.name, rows.read, buckets)
    found = rows.finish()
    for bucket, token in enumerate(found.tokens):
        if token != str(bucket):
            raise FormatError(f"{source.name}:{bucket + 2}: expected the row of bucket {bucket}, found {token!r:.40}")
    none = np.zeros((0, vector_size), np.float32)
    subwords = SubwordTable(**about, word_vectors=none, ngram_vectors=found.vectors)
    return VectorTable(Vocabulary([]), none, subwords=subwords)


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write the rows of all buckets, those without one as zeros; numbers have nine significant digits.

    Raises:
        InputError: the vectors are not composed of hashed words and n-grams.
    """
    subwords = table.subwords
    if subwords is None or subwords.hashes is None or subwords.pruned:
        kind = "no n-grams" if subwords is None else "pruned n-grams" if subwords.pruned else "a row for each word"
        raise InputError(
            f"floret files need vectors trained with subword_hashes (train-embeddings --subword-hashes), got {kind}"
        )
    line = " ".join(["%d", *["%.9g"] * table.vector_size]) + "\n"
    with writing(path) as file:
        numbers = (subwords.buckets, table.vector_size, subwords.min_n, subwords.max_n, subwords.hashes)
        file.write(f"{' '.join(map(str, numbers))} {_BORDERS}\n".encode())
        for start in range(0, subwords.buckets, _ROWS_AT_ONCE):
            rows = subwords.rows_of_buckets(start, min(start + _ROWS_AT_ONCE, subwords.buckets))
            file.write("".join([line % (k, *row) for k, row in enumerate(rows.tolist(), start)]).encode())


def _read_header(source: VectorSource) -> tuple[dict[str, Any], int]:
    """Return the description of the n-grams, and D."""
    match = _HEADER.match(source.sample())
    if match is None:
        raise FormatError(
            f"{source.name}:1: expected buckets, dimension, two lengths of n-grams, hashes, seed and two borders, such "
            f"as '50000 300 4 5 2 {_BORDERS}'"
        )
    buckets, vector_size, min_n, max_n, hashes = (int(match[k]) for k in range(1, 6))
    borders = b" ".join(match.group(6, 7, 8)).decode("utf-8", "replace")
    if borders != _BORDERS:
        raise FormatError(f"{source.name}:1: seed and borders must be {_BORDERS!r}, got {borders!r:.60}")
    about = {"min_n": min_n, "max_n": max_n, "buckets": buckets, "pruned": False, "hashes": hashes}
    try:
        check_ngrams(about)
    except InputError as error:
        raise FormatError(f"{source.name}:1: {error}") from None
    return about, vector_size
