"""Vocabulary and encoding by map-reduce over byte ranges of the text: pure functions of their arguments.

Counts are sums of whole numbers, so that they do not depend on the ranges or on who counts them.
"""

import functools
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from corpora.ranges import Range, Reading, range_blocks
from wordvec.distributed.rounds import Tokens
from wordvec.encoding.scanning import Counter, Table, encode

_BLOCK = 1 << 18
"""Bytes of text per block."""

_ALL = 2**31 - 1
"""Types that a range may have: all are counted."""


class Counted(NamedTuple):
    """Types and their counts: the words, one per line, and counts (n,) int64; and the tokens they were counted in."""

    words: bytes
    counts: np.ndarray
    tokens: int


class Encoded(NamedTuple):
    """An encoded range of a text.

    Attributes:
        ids: (n,) int32, the tokens in the vocabulary.
        ends: (s,) int64, for each line end, the number of ids before it.
        tokens: of the text.
    """

    ids: np.ndarray
    ends: np.ndarray
    tokens: int


def count_range(part: Range, how: Reading, buckets: int) -> list[Counted]:
    """Count the types of a range, divided among buckets by a hash of the word."""
    counter = Counter(1, _ALL, [])
    counter.count(range_blocks(part, how, _BLOCK))
    table = counter.table
    bucket = _bucket_of(table, buckets)
    found = []
    for number in range(buckets):
        chosen = np.flatnonzero(bucket == number)
        counts = table.counts[chosen].copy()
        found.append(Counted(table.spell(chosen), counts, int(counts.sum())))
    return found


def _bucket_of(table: Table, buckets: int) -> np.ndarray:
    keys = table.types.keys[: len(table)]
    mixed = (keys[:, 0] ^ keys[:, 1] * np.uint64(3)) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed >> np.uint64(33)) % np.uint64(buckets))


def merge_counts(parts: Sequence[Counted]) -> Counted:
    """Return the sum of several counts of the same bucket."""
    table = table_of(parts)
    return Counted(table.spell(np.arange(len(table))), table.counts.copy(), sum(part.tokens for part in parts))


def table_of(parts: Sequence[Counted]) -> Table:
    """Return a table of all types with the sums of their counts."""
    whole = Table()
    whole.clear()
    for part in parts:
        if part.words:
            table = Table.of(part.words)
            table.counts[:] = part.counts
            table.errors[:] = 0
            whole.merge(table, 0)
    return whole


class Selected(NamedTuple):
    """The types of a bucket that may be in the vocabulary, and the number of all its types."""

    types: Counted
    raw_types: int


def select(part: Counted, min_count: int, keep: Sequence[str]) -> Selected:
    """Return the types of a bucket that are frequent enough or kept in any case, and its most frequent type."""
    table = table_of([part])
    chosen = table.counts >= min_count
    chosen[table.find(list(keep))] = True
    if len(table):
        chosen[int(table.counts.argmax())] = True
    numbers = np.flatnonzero(chosen)
    return Selected(Counted(table.spell(numbers), table.counts[numbers].copy(), part.tokens), len(table))


@functools.lru_cache(maxsize=1)
def _vocabulary_table(words: bytes) -> Table:
    return Table.of(words)


def encode_range(part: Range, how: Reading, words: bytes) -> Encoded:
    """Encode a range.

    Args:
        part, how: the text.
        words: the tokens of the vocabulary, as ``join_tokens`` joins them.
    """
    ids, offsets = io.BytesIO(), io.BytesIO()
    tokens = encode(range_blocks(part, how, _BLOCK), _vocabulary_table(words), 1, ids, offsets)
    ends = np.frombuffer(offsets.getvalue(), np.int64)[1:]
    return Encoded(np.frombuffer(ids.getvalue(), np.int32), ends, tokens)


class Shape(NamedTuple):
    """The lengths of an encoded range: its ids and tokens, the longest sentence between two line ends, and the ids
    before the first and after the last line end; the former is -1 without one."""

    ids: int
    tokens: int
    longest: int
    before: int
    after: int


def shape_of(part: Encoded) -> Shape:
    """Return the lengths of an encoded range."""
    if not len(part.ends):
        return Shape(len(part.ids), part.tokens, 0, -1, len(part.ids))
    longest = int(np.diff(part.ends).max(initial=0))
    return Shape(len(part.ids), part.tokens, longest, int(part.ends[0]), len(part.ids) - int(part.ends[-1]))


def longest_sentence(shapes: Sequence[Shape]) -> int:
    """Return the tokens of the longest sentence of a text whose ranges have these lengths, in order.

    Example:
        >>> longest_sentence([Shape(3, 3, 0, -1, 3), Shape(9, 9, 2, 4, 3)])
        7
    """
    longest = open_ids = 0
    for shape in shapes:
        if shape.before < 0:
            open_ids += shape.ids
        else:
            longest = max(longest, shape.longest, open_ids + shape.before)
            open_ids = shape.after
    return max(longest, open_ids)


def tokens_of(parts: Sequence[Encoded], start: int, first: int, last: int) -> Tokens:
    """Return a range of tokens out of encoded ranges of a text, as ``rounds.cut`` does.

    Args:
        parts: in order, without gaps.
        start: the place in the whole corpus of the first id of ``parts``.
        first, last: places in the whole corpus.
    """
    ids, ends, place = [], [], start
    for part in parts:
        ids.append(part.ids[max(first - place, 0) : max(last - place, 0)])
        inside = part.ends + place
        ends.append(inside[(inside > first) & (inside < last)])
        place += len(part.ids)
    bounds = np.unique(np.concatenate([[first], *ends, [last]]))
    return Tokens(np.concatenate(ids), (bounds - first).astype(np.int64))
