"""Bytes to tokens to ids: counting and encoding in one pass over the text.

The text is UTF-8 whose tokens are separated by ASCII white space (what ``bytes.split()`` splits at) and whose sentences
end with a newline. Each type gets a number when it is first seen; once the whole text is known, ``renumber`` turns
those provisional numbers into ids by falling frequency.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import kernel

TYPES, LETTERS, TOKENS, SENTENCES = range(4)
"""Places in ``Types.used``."""


class Types(NamedTuple):
    """A growing table of the types seen: open addressing, then one row a type."""

    used: np.ndarray  # (4,) int64: types, letters, tokens so far, sentences so far
    slots: np.ndarray  # (a power of two,) int32, the type there or -1
    hashes: np.ndarray  # (types,) uint64
    starts: np.ndarray  # (types + 1,) int64, where the type's bytes start in ``letters``
    counts: np.ndarray  # (types,) int64
    letters: np.ndarray  # (letters,) uint8


@kernel(inline=True)
def find_or_add(types, text, start, stop, hashed):
    """The number of the type that ``text[start:stop]`` spells; there is room for a new one."""
    mask = np.uint64(types.slots.size - 1)
    place = (hashed ^ (hashed >> np.uint64(32))) & mask
    while True:
        number = types.slots[place]
        if number < 0:
            number = types.used[TYPES]
            letters = types.used[LETTERS]
            for k in range(stop - start):
                types.letters[letters + k] = text[start + k]
            types.slots[place] = number
            types.hashes[number] = hashed
            types.starts[number] = letters
            types.starts[number + 1] = letters + stop - start
            types.counts[number] = 0
            types.used[TYPES] = number + 1
            types.used[LETTERS] = letters + stop - start
            return np.int64(number)
        if types.hashes[number] == hashed:
            first = types.starts[number]
            if types.starts[number + 1] - first == stop - start:
                k = 0
                while k < stop - start and types.letters[first + k] == text[start + k]:
                    k += 1
                if k == stop - start:
                    return np.int64(number)
        place = (place + np.uint64(1)) & mask


@kernel
def scan(text, types, ids, sentence_ends):
    """Count and number the tokens of ``text``; it neither starts nor ends inside a token.

    Args:
        text: (bytes,) uint8.
        types: updated in place; it has room for every token to be a new type.
        ids: (at least half the bytes + 1,) int32, receives the types' numbers.
        sentence_ends: (at least the bytes,) int64, receives for each newline the tokens of the corpus before it.

    Returns:
        Tokens and sentence ends written.
    """
    tokens = ends = 0
    before = types.used[TOKENS]
    start = -1
    hashed = np.uint64(0xCBF29CE484222325)
    for i in range(text.size + 1):
        byte = text[i] if i < text.size else np.uint8(32)
        if byte == 32 or 9 <= byte <= 13:
            if start >= 0:
                number = find_or_add(types, text, start, i, hashed)
                types.counts[number] += 1
                ids[tokens] = number
                tokens += 1
                start = -1
                hashed = np.uint64(0xCBF29CE484222325)
            if byte == 10 and i < text.size:
                sentence_ends[ends] = before + tokens
                ends += 1
        else:
            if start < 0:
                start = i
            # FNV-1a (Fowler, Noll, Vo)
            hashed = (hashed ^ np.uint64(byte)) * np.uint64(0x100000001B3)
    types.used[TOKENS] += tokens
    types.used[SENTENCES] += ends
    return tokens, ends


@kernel
def rehash(slots, hashes, types):
    """Fill an empty, larger ``slots`` with the first ``types`` types."""
    mask = np.uint64(slots.size - 1)
    for number in range(types):
        place = (hashes[number] ^ (hashes[number] >> np.uint64(32))) & mask
        while slots[place] >= 0:
            place = (place + np.uint64(1)) & mask
        slots[place] = number


@kernel
def renumber(numbers, id_of_number, ids, sentence_ends, sentence, first, kept_before, offsets):
    """Turn provisional numbers into ids, leaving out the types that have none (-1).

    Args:
        numbers: (n,) int32, a piece of the corpus that starts at token ``first``.
        ids: (n,) int32, receives the ids.
        sentence_ends: (S,) int64 in tokens of the whole corpus; those from ``sentence`` on are still to come.
        kept_before: ids written before this piece.
        offsets: (S + 1,) int64, receives the ends in ids.

    Returns:
        Ids written, and the next sentence.
    """
    kept = 0
    for i in range(numbers.size + 1):
        while sentence < sentence_ends.size and sentence_ends[sentence] == first + i:
            offsets[sentence + 1] = kept_before + kept
            sentence += 1
        if i < numbers.size:
            token_id = id_of_number[numbers[i]]
            ids[kept] = max(token_id, 0)
            kept += token_id >= 0
    return kept, sentence
