"""Texts to rows of counts: token numbers, n-gram numbers, then each document's numbers sorted and counted.

A table of types is that of ``tokenize``. A table of n-grams knows an n-gram by the number of its first n-1 words and by
its last word, so that n-grams of any length are numbered on from the words in one space of numbers.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import kernel
from wordvec.kernels.tokenize import ONE, PADDING, TYPES, WIDTH, add, blanks, find, key_of, trailing_zeros

RUN = 16
"""So many numbers are sorted by insertion before runs are merged."""


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
def sort(values, start, stop, spare):
    """Sort ``values[start:stop]`` (int32) in place: runs by insertion, then merged two by two.

    Args:
        spare: (at least stop - start,) int32, overwritten.
    """
    for low in range(start, stop, RUN):
        for k in range(low + 1, min(low + RUN, stop)):
            value = values[k]
            place = k
            while place > low and values[place - 1] > value:
                values[place] = values[place - 1]
                place -= 1
            values[place] = value
    width = RUN
    while width < stop - start:
        for low in range(start, stop - width, 2 * width):
            right, high = low + width, min(low + 2 * width, stop)
            if values[right - 1] <= values[right]:
                continue
            for k in range(width):
                spare[k] = values[low + k]
            left, place = 0, low
            while left < width and right < high:
                a, b = spare[left], values[right]
                taken = b < a
                values[place] = b if taken else a
                right += taken
                left += not taken
                place += 1
            for k in range(left, width):
                values[place] = spare[k]
                place += 1
        width *= 2


@kernel
def count_rows(ids, offsets, columns, counts, sizes, spare):
    """Each document's numbers become columns, sorted, each once, with how often it was there.

    Args:
        ids: (N,) int32, numbers, negative ones left out; receives the columns of all documents, one after the other.
        offsets: (documents + 1,) int64.
        columns: (numbers,) int32, the column of each number, or -1 to leave it out.
        counts: (N,) int32, receives how often each column was there.
        sizes: (documents,) int64, receives the columns of each document.
        spare: (the longest document,) int32, overwritten.

    Returns:
        How many columns all documents have together.
    """
    written = 0
    for document in range(sizes.size):
        first = last = written
        for k in range(offsets[document], offsets[document + 1]):
            # What is read is never behind what is written.
            column = np.int32(-1)
            if ids[k] >= 0:
                column = columns[ids[k]]
            if column >= 0:
                ids[last] = column
                last += 1
        sort(ids, first, last, spare)
        for k in range(first, last):
            if written > first and ids[written - 1] == ids[k]:
                counts[written - 1] += 1
            else:
                ids[written] = ids[k]
                counts[written] = 1
                written += 1
        sizes[document] = written - first
    return written


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
        weights: (entries,) receives the weights; sums are float64.
    """
    for row in range(starts.size - 1):
        total = 0.0
        for k in range(starts[row], starts[row + 1]):
            weight = np.float64(counts[k])
            if sublinear:
                weight = 1.0 + np.log(weight)
            weight *= idf[columns[k]]
            total += weight * weight if norm == 2 else abs(weight)
        if norm == 2:
            total = np.sqrt(total)
        scale = total if norm and total > 0.0 else 1.0
        for k in range(starts[row], starts[row + 1]):
            weight = np.float64(counts[k])
            if sublinear:
                weight = 1.0 + np.log(weight)
            weights[k] = weight * idf[columns[k]] / scale
