"""Document-term counting: token ids, n-gram ids, then the sorted counts of each document.

The type table is that of ``tokenize``. The n-gram table identifies an n-gram by the id of its first n-1 words and the
id of its last word; n-gram ids of any length continue the word ids in one id space.
"""

from typing import Any, NamedTuple

import numpy as np

from wordvec.kernels.simd import Int, kernel
from wordvec.kernels.tokenize import ONE, PADDING, TYPES, WIDTH, Types, add, blanks, find, key_of, trailing_zeros

BITS = 11
"""Bits per digit of the radix sort of columns."""


class Pairs(NamedTuple):
    """Table of n-grams of two or more words: open addressing (slots), then one row per n-gram."""

    used: np.ndarray  # (2,) int64: number of n-grams, and 64 - log2(slots)
    slots: np.ndarray  # (power of two, at least twice the rows) int32, the n-gram, or -1 if empty
    prefixes: np.ndarray  # (rows,) int32, id of the n-gram without its last word
    lasts: np.ndarray  # (rows,) int32, id of its last word
    sizes: np.ndarray  # (rows,) uint8, number of words
    counts: np.ndarray  # (rows,) int64


# -- words ------------------------------------------------------------------------------------------------------------


@kernel
def number(
    text: np.ndarray, start: int, types: Types, learns: bool, ids: np.ndarray, tokens: int, ends: np.ndarray,
    documents: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Convert the tokens of ``text`` from byte ``start`` on to ids; the text neither starts nor ends inside a token.

    Args:
        text: (bytes + PADDING,) uint8.
        types: the table; with ``learns``, unknown tokens are added and all are counted, else unknown tokens get -1.
        ids: (at least half the bytes + 1,) int32, receives the ids from index ``tokens`` on.
        ends: (at least the newlines,) int32, receives from index ``documents`` on, for each newline, the number of
            tokens of this text before it.

    Returns:
        Bytes, tokens and documents processed; fewer bytes than given if the table is full.
    """
    end = np.uint64(text.size - PADDING)
    base = first = np.uint64(start)
    while base <= end:
        marks = blanks(text, base)
        while marks:
            stop = base + trailing_zeros(marks)
            marks &= marks - ONE
            if stop > first:
                low, high = key_of(text, first, stop)
                slot = find(types, text, first, stop, low, high)
                row = np.int64(types.slots[slot])
                if learns:
                    if row < 0:
                        row = add(types, slot, text, first, stop, low, high)
                        if row < 0:
                            read: Any = np.int64(first)  # an int to the caller
                            return read, tokens, documents
                    types.counts[row] += 1
                ids[tokens] = row
                tokens += 1
            if text[stop] == 10:
                ends[documents] = tokens
                documents += 1
            first = stop + ONE
        base += WIDTH
    return text.size - PADDING, tokens, documents


@kernel
def absorb(types: Types, other: Types, first: int, places: np.ndarray) -> int:
    """Merge the types of another table, from row ``first`` on, with their counts.

    Args:
        types: updated in place.
        other: table of another part of the same text.
        places: (types of ``other``,) int32, receives the row of each type in ``types``.

    Returns:
        The first row of ``other`` that did not fit.
    """
    for k in range(first, other.used[TYPES]):
        start, stop = np.uint64(other.starts[k]), np.uint64(other.starts[k + 1])
        low, high = other.keys[k, 0], other.keys[k, 1]
        slot = find(types, other.letters, start, stop, low, high)
        row = np.int64(types.slots[slot])
        if row < 0:
            row = add(types, slot, other.letters, start, stop, low, high)
            if row < 0:
                return k
        types.counts[row] += other.counts[k]
        places[k] = row
    end: int = other.used[TYPES]
    return end


# -- n-grams ----------------------------------------------------------------------------------------------------------


@kernel(inline=True)
def pair_slot(pairs: Pairs, prefix: Int, last: Int) -> np.uint64:
    """Return the slot of an n-gram, or the empty slot for inserting it (Fibonacci hashing, as for types)."""
    key = np.uint64(prefix) << np.uint64(32) | np.uint64(last)
    mixed = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    mask = np.uint64(pairs.slots.size - 1)
    slot = mixed >> np.uint64(pairs.used[1])
    while True:
        row = pairs.slots[slot]
        if row < 0 or (pairs.prefixes[row] == prefix and pairs.lasts[row] == last):
            return slot
        slot = (slot + ONE) & mask


@kernel
def expand(
    ids: np.ndarray, offsets: np.ndarray, document: int, position: int, low: int, high: int, words: int, pairs: Pairs,
    learns: bool, found: np.ndarray, written: int, ends: np.ndarray,
) -> tuple[int, int, int]:  # fmt: skip
    """Write the ids of the n-grams of ``low`` to ``high`` words that start at each token, shortest first.

    Args:
        ids: (tokens,) int32, word ids; -1 for an unknown word, which no n-gram contains.
        offsets: (documents + 1,) int64.
        document, position: where to start.
        words: first id of n-grams of two or more words.
        pairs: the table; with ``learns``, unknown n-grams are added and all are counted.
        found: (at least tokens * (high - low + 1),) int32, receives the ids from index ``written`` on.
        ends: (documents,) int64, receives the number of ids written up to the end of each document.

    Returns:
        Document, position and number of ids written; fewer documents than given if the table is full.
    """
    while document < offsets.size - 1:
        stop = offsets[document + 1]
        position = max(position, offsets[document])
        while position < stop:
            if learns and pairs.used[0] + high > pairs.counts.size:
                return document, position, written
            known = np.int64(ids[position])
            size = 1
            while known >= 0:
                if size >= low:
                    found[written] = known
                    written += 1
                if size == high or position + size == stop or ids[position + size] < 0:
                    break
                known = next_pair(pairs, known, np.int64(ids[position + size]), size + 1, words, learns)
                size += 1
            position += 1
        ends[document] = written
        document += 1
    return document, position, written


@kernel(inline=True)
def next_pair(pairs: Pairs, prefix: Int, last: Int, size: int, words: int, learns: bool) -> np.int64:
    """Return the id of an n-gram of ``size`` words, or -1 if it is unknown."""
    slot = pair_slot(pairs, prefix, last)
    row = np.int64(pairs.slots[slot])
    if learns:
        if row < 0:
            row = pairs.used[0]
            pairs.used[0] = row + 1
            pairs.slots[slot] = row
            pairs.prefixes[row], pairs.lasts[row], pairs.sizes[row] = prefix, last, size
            pairs.counts[row] = 0
        pairs.counts[row] += 1
    return row + words if row >= 0 else np.int64(-1)


@kernel
def rehash_pairs(pairs: Pairs) -> None:
    """Rebuild the slots, which must all be empty."""
    for row in range(pairs.used[0]):
        pairs.slots[pair_slot(pairs, np.int64(pairs.prefixes[row]), np.int64(pairs.lasts[row]))] = row


# -- rows -------------------------------------------------------------------------------------------------------------


@kernel
def count_rows(
    ids: np.ndarray, offsets: np.ndarray, columns: np.ndarray, digits: int, keys: np.ndarray, spare: np.ndarray,
    buckets: np.ndarray, places: np.ndarray, counts: np.ndarray, sizes: np.ndarray,
) -> int:  # fmt: skip
    """Convert each document's ids to sorted unique columns and their counts.

    All documents are sorted together by an LSD radix sort on the column, then distributed by document.

    Args:
        ids: (N,) int32, negative ids are skipped; receives the columns of all documents, concatenated.
        offsets: (documents + 1,) int64.
        columns: (ids, at least 1,) int32, the column of each id, or -1 to skip it.
        digits: number of digits of BITS bits per column.
        keys, spare: (N,) uint64, overwritten.
        buckets: (2 ** BITS,) int64, overwritten.
        places: (documents,) int64, overwritten.
        counts: (N,) int32, receives the count of each column.
        sizes: (documents,) int64, receives the number of columns of each document.

    Returns:
        The total number of columns over all documents.
    """
    filled = 0
    document: Int
    for document in range(sizes.size):
        places[document] = filled
        for k in range(offsets[document], offsets[document + 1]):
            # Branch-free (always write, advance if kept), since unknown words are unpredictable for the CPU.
            column = np.int64(columns[ids[k]])
            keys[filled] = np.uint64(document) << np.uint64(32) | np.uint64(column)
            filled += (ids[k] >= 0) & (column >= 0)
        sizes[document] = filled - places[document]
    for digit in range(digits):
        sort_by_digit(keys, spare, filled, np.uint64(digit * BITS), buckets)
        keys, spare = spare, keys
    for k in range(filled):
        document = np.int64(keys[k] >> np.uint64(32))
        ids[places[document]] = np.int64(keys[k] & np.uint64(0xFFFFFFFF))
        places[document] += 1
    read = written = 0
    for document in range(sizes.size):
        first, last = written, np.int32(-1)
        for k in range(read, read + sizes[document]):
            column = ids[k]
            new = column != last
            written += new
            ids[written - 1] = last = column
            counts[written - 1] = 1 if new else counts[written - 1] + 1
        read += sizes[document]
        sizes[document] = written - first
    return written


@kernel(inline=True)
def sort_by_digit(keys: np.ndarray, spare: np.ndarray, filled: int, shift: np.uint64, buckets: np.ndarray) -> None:
    """Stably sort the first ``filled`` keys by one digit into ``spare``."""
    mask = np.uint64((1 << BITS) - 1)
    buckets[:] = 0
    for k in range(filled):
        buckets[(keys[k] >> shift) & mask] += 1
    total = 0
    for bucket in range(buckets.size):
        size = buckets[bucket]
        buckets[bucket] = total
        total += size
    for k in range(filled):
        bucket = (keys[k] >> shift) & mask
        spare[buckets[bucket]] = keys[k]
        buckets[bucket] += 1


@kernel
def tally(columns: np.ndarray, frequencies: np.ndarray) -> None:
    """Add the number of occurrences of each column to ``frequencies`` (V,) int64."""
    for column in columns:
        frequencies[column] += 1


@kernel
def select(columns: np.ndarray, counts: np.ndarray, sizes: np.ndarray, places: np.ndarray) -> int:
    """Renumber columns in place by ``places`` (V,) int32, dropping those that map to -1.

    Returns:
        The number of remaining entries.
    """
    read = written = 0
    for document in range(sizes.size):
        first = written
        for k in range(read, read + sizes[document]):
            column = places[columns[k]]
            if column >= 0:
                columns[written], counts[written] = column, counts[k]
                written += 1
        read += sizes[document]
        sizes[document] = written - first
    return written


@kernel
def weigh(
    starts: np.ndarray, columns: np.ndarray, counts: np.ndarray, idf: np.ndarray, sublinear: bool, norm: int,
    weights: np.ndarray,
) -> None:  # fmt: skip
    """Compute TF-IDF weights of some rows and normalize each row.

    Args:
        starts: (rows + 1,) integers, row boundaries in the three arrays below.
        columns, counts: (entries,) integers; counts of any dtype.
        idf: (V,) float64.
        sublinear: use 1 + ln(count) instead of the count.
        norm: 0 for none, 1 for L1, 2 for L2.
        weights: (entries,) float32 or float64, receives the weights; norms are accumulated in float64.
    """
    for row in range(starts.size - 1):
        total = 0.0
        for k in range(starts[row], starts[row + 1]):
            weight = np.float64(counts[k])
            if sublinear:
                weight = 1.0 + np.log(weight)
            weight *= idf[columns[k]]
            weights[k] = weight
            total += weight * weight if norm == 2 else abs(weight)
        if norm == 2:
            total = np.sqrt(total)
        if norm and total > 0.0:
            for k in range(starts[row], starts[row + 1]):
                weights[k] /= total
