"""Texts to rows of counts: token numbers, n-gram numbers, then each document's numbers sorted and counted.

A table of types is that of ``tokenize``. A table of n-grams knows an n-gram by the number of its first n-1 words and by
its last word, so that n-grams of any length are numbered on from the words in one space of numbers.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import kernel
from wordvec.kernels.tokenize import ONE, PADDING, TYPES, WIDTH, add, blanks, find, key_of, trailing_zeros

BITS = 11
"""Bits of a digit by which columns are sorted."""


class Pairs(NamedTuple):
    """A table of n-grams of two words and more: open addressing (slots), then one row an n-gram."""

    used: np.ndarray  # (2,) int64: n-grams, and 64 - log2 of the slots
    slots: np.ndarray  # (a power of two, at least twice the rows) int32, the n-gram there or -1
    prefixes: np.ndarray  # (rows,) int32, the number of the n-gram without its last word
    lasts: np.ndarray  # (rows,) int32, the number of its last word
    sizes: np.ndarray  # (rows,) uint8, its words
    counts: np.ndarray  # (rows,) int64


# -- words ------------------------------------------------------------------------------------------------------------


@kernel
def number(text, start, types, learns, ids, tokens, ends, documents):
    """Number the tokens of ``text`` from byte ``start`` on; it neither starts nor ends inside a token.

    Args:
        text: (bytes + PADDING,) uint8.
        types: the table; with ``learns`` unknown tokens are put into it and all are counted, else unknown ones are -1.
        ids: (at least half the bytes + 1,) int32, receives the numbers from place ``tokens`` on.
        ends: (at least the newlines,) int32, receives from place ``documents`` on, for each newline, the tokens of
            this text before it.

    Returns:
        Bytes, tokens and documents done: fewer bytes than there are where the table has no more room.
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
                            return np.int64(first), tokens, documents
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
def absorb(types, other, first, places):
    """Add the types of another table, from number ``first`` on, with their counts.

    Args:
        types: updated in place.
        other: a table of the same text's other parts.
        places: (types of ``other``,) int32, receives the number of each in ``types``.

    Returns:
        The first number of ``other`` that had no room.
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
    return other.used[TYPES]


# -- n-grams ----------------------------------------------------------------------------------------------------------


@kernel(inline=True)
def pair_slot(pairs, prefix, last):
    """The slot of an n-gram, or the empty one where it belongs (Fibonacci hashing, as for types)."""
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
def expand(ids, offsets, document, position, low, high, words, pairs, learns, found, written, ends):
    """Number the n-grams of ``low`` to ``high`` words that start at each token, the shortest first.

    Args:
        ids: (tokens,) int32, word numbers, -1 for an unknown word, which stands in no n-gram that is found.
        offsets: (documents + 1,) int64.
        document, position: where to start.
        words: the numbers of n-grams of two words start here.
        pairs: the table; with ``learns`` unknown n-grams are put into it and all are counted.
        found: (at least tokens times (high - low + 1),) int32, receives the numbers from place ``written`` on.
        ends: (documents,) int64, receives the numbers written before the end of each document.

    Returns:
        Document, position and numbers written; fewer documents than there are where the table has no more room.
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
def next_pair(pairs, prefix, last, size, words, learns):
    """The number of an n-gram of ``size`` words; -1 where it is unknown."""
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
def rehash_pairs(pairs):
    """Fill the slots, all of them empty."""
    for row in range(pairs.used[0]):
        pairs.slots[pair_slot(pairs, np.int64(pairs.prefixes[row]), np.int64(pairs.lasts[row]))] = row


# -- rows -------------------------------------------------------------------------------------------------------------


@kernel
def count_rows(ids, offsets, columns, digits, keys, spare, buckets, places, counts, sizes):
    """Each document's numbers become columns, sorted, each once, with how often it was there.

    All documents are sorted together: by their columns, a digit at a time, the lowest first, then by document.

    Args:
        ids: (N,) int32, numbers, negative ones left out; receives the columns of all documents, one after the other.
        offsets: (documents + 1,) int64.
        columns: (numbers, at least 1,) int32, the column of each number, or -1 to leave it out.
        digits: how many digits of BITS bits a column has.
        keys, spare: (N,) uint64, overwritten.
        buckets: (2 ** BITS,) int64, overwritten.
        places: (documents,) int64, overwritten.
        counts: (N,) int32, receives how often each column was there.
        sizes: (documents,) int64, receives the columns of each document.

    Returns:
        How many columns all documents have together.
    """
    filled = 0
    for document in range(sizes.size):
        places[document] = filled
        for k in range(offsets[document], offsets[document + 1]):
            # Written always, counted when kept: unknown words come where no processor guesses them.
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
def sort_by_digit(keys, spare, filled, shift, buckets):
    """Write the first keys into ``spare``, sorted by one digit; those of equal digit keep their order."""
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
def tally(columns, frequencies):
    """Add to ``frequencies`` (V,) int64 how often each column is there."""
    for column in columns:
        frequencies[column] += 1


@kernel
def select(columns, counts, sizes, places):
    """Drop the columns of which ``places`` (V,) int32 is -1 and move the others there, in order, in place.

    Returns:
        How many entries are left.
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
def weigh(starts, columns, counts, idf, sublinear, norm, weights):
    """Weights of some rows: tf times idf, then each row divided by its norm.

    Args:
        starts: (rows + 1,) whole numbers, the rows' places in the three arrays below.
        columns, counts: (entries,) whole numbers; counts of any kind.
        idf: (V,) float64.
        sublinear: 1 + ln(count) instead of the count.
        norm: 0 for none, 1 for the sum of the weights, 2 for the root of the sum of their squares.
        weights: (entries,) float32 or float64, receives the weights; sums are float64.
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
