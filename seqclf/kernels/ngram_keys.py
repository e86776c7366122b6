"""Keys of word and character n-grams: 64-bit hashes of their UTF-8 bytes (FNV-1a, finished as in MurmurHash3).

The lowest bit of a key is 0 for n-grams of words and 1 for n-grams of characters. Among a million n-grams, two share a
key with a probability of one in ten million.
"""

import numpy as np

from wordvec.kernels.simd import kernel

START, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
SPACE = np.uint64(0x20)
WORDS, CHARACTERS = np.uint64(0), np.uint64(1)
_SHIFT, _MIX = np.uint64(33), np.uint64(0xFF51AFD7ED558CCD)
_CLEAR = np.uint64(0xFFFFFFFFFFFFFFFE)


@kernel(inline=True)
def finished(state: np.uint64, kind: np.uint64) -> np.uint64:
    """Mix the bits of a hash, and mark the kind of n-gram."""
    state ^= state >> _SHIFT
    state *= _MIX
    state ^= state >> _SHIFT
    return (state & _CLEAR) | kind


@kernel
def word_keys(
    content: np.ndarray, bounds: np.ndarray, offsets: np.ndarray, low: int, high: int, keys: np.ndarray,
    words: np.ndarray, ends: np.ndarray,
) -> None:  # fmt: skip
    """Write the keys of the n-grams of ``low`` to ``high`` words of each text.

    Args:
        content: uint8, the words' bytes. bounds: (W + 1,) int64, where each word starts.
        offsets: (S + 1,) int64; text s has the words ``offsets[s]:offsets[s + 1]``.
        keys: uint64, and words: int64, the first word of each n-gram; outputs of at least W (high - low + 1) rows.
        ends: (S,) int64, output: the number of keys up to the end of each text.
    """
    written = 0
    for s in range(offsets.size - 1):
        for first in range(offsets[s], offsets[s + 1]):
            state = START
            for size in range(1, min(high, offsets[s + 1] - first) + 1):
                word = first + size - 1
                for place in range(bounds[word], bounds[word + 1]):
                    state = (state ^ np.uint64(content[place])) * PRIME
                if size >= low:
                    keys[written] = finished(state, WORDS)
                    words[written] = first
                    written += 1
                state = (state ^ SPACE) * PRIME
        ends[s] = written


@kernel
def character_keys(
    content: np.ndarray, bounds: np.ndarray, offsets: np.ndarray, low: int, high: int, keys: np.ndarray,
    words: np.ndarray, ends: np.ndarray,
) -> None:  # fmt: skip
    """Write the keys of the n-grams of ``low`` (2 or more) to ``high`` characters of each word with its spaces.

    Arguments as for ``word_keys``; the outputs have room for (bytes + 2 W) (high - low + 1) rows.
    """
    written = 0
    for s in range(offsets.size - 1):
        for word in range(offsets[s], offsets[s + 1]):
            first, last = bounds[word], bounds[word + 1]
            for start in range(first - 1, last):
                if start >= first and content[start] & 0xC0 == 0x80:
                    continue
                state, size, place = START, 0, start
                while size < high and place <= last:
                    if place < first or place == last:
                        state = (state ^ SPACE) * PRIME
                        place += 1
                    else:
                        state = (state ^ np.uint64(content[place])) * PRIME
                        place += 1
                        while place < last and content[place] & 0xC0 == 0x80:
                            state = (state ^ np.uint64(content[place])) * PRIME
                            place += 1
                    size += 1
                    if size >= low:
                        keys[written] = finished(state, CHARACTERS)
                        words[written] = word
                        written += 1
        ends[s] = written
