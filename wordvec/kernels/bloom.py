"""Rows of words and their character n-grams in one small table, several for each, as in floret.

Every entry, a word between ``<`` and ``>`` or one of its n-grams, is the sum of a few rows: Bloom embeddings (Serra and
Karatzoglou 2017, arXiv 1706.03993), which two entries rarely share altogether. The rows are parts of one 128-bit
MurmurHash3 (Appleby, variant x64) of its UTF-8 bytes, modulo the number of rows.
"""

import numpy as np

from wordvec.kernels.simd import Int, kernel

SEED = np.uint64(2166136261)
"""floret's only seed."""

_C1, _C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_ADD1, _ADD2 = np.uint64(0x52DCE729), np.uint64(0x38495AB5)
_FIVE = np.uint64(5)


@kernel(inline=True)
def rotated(x: np.uint64, bits: int) -> np.uint64:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@kernel(inline=True)
def finished(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


@kernel(inline=True)
def word_at(text: np.ndarray, start: Int, end: Int) -> np.uint64:
    """Return up to eight bytes as a little-endian number; beyond ``end`` they are zeros."""
    value = np.uint64(0)
    for k in range(min(end - start, 8)):
        value |= np.uint64(text[start + k]) << np.uint64(8 * k)
    return value


@kernel
def hash_bytes(text: np.ndarray, start: Int, end: Int, found: np.ndarray) -> None:
    """Set ``found`` (4,) uint32 to the 128-bit hash of the bytes ``start`` .. ``end`` of ``text``, uint8."""
    h1 = h2 = SEED
    whole = start + (end - start) // 16 * 16
    for p in range(start, whole, 16):
        h1 ^= rotated(word_at(text, p, p + 8) * _C1, 31) * _C2
        h1 = (rotated(h1, 27) + h2) * _FIVE + _ADD1
        h2 ^= rotated(word_at(text, p + 8, p + 16) * _C2, 33) * _C1
        h2 = (rotated(h2, 31) + h1) * _FIVE + _ADD2
    h2 ^= rotated(word_at(text, whole + 8, end) * _C2, 33) * _C1  # a word of zeros changes nothing
    h1 ^= rotated(word_at(text, whole, end) * _C1, 31) * _C2
    h1 ^= np.uint64(end - start)
    h2 ^= np.uint64(end - start)
    h1 += h2
    h2 += h1
    h1, h2 = finished(h1), finished(h2)
    h1 += h2
    h2 += h1
    found[0], found[1] = np.uint32(h1 & np.uint64(0xFFFFFFFF)), np.uint32(h1 >> np.uint64(32))
    found[2], found[3] = np.uint32(h2 & np.uint64(0xFFFFFFFF)), np.uint32(h2 >> np.uint64(32))


@kernel(inline=True)
def add_hashes(
    text: np.ndarray, start: Int, end: Int, buckets: int, hashes: int, found: np.ndarray, rows: np.ndarray, count: Int
) -> Int:
    """Append the rows of one entry, unless ``rows`` is empty, and return their new number."""
    if rows.size:
        hash_bytes(text, start, end, found)
        for k in range(hashes):
            rows[count + k] = np.int32(found[k] % np.uint32(buckets))
    return count + hashes


@kernel
def hash_entries(
    text: np.ndarray, starts: np.ndarray, min_n: int, max_n: int, buckets: int, hashes: int, found: np.ndarray,
    offsets: np.ndarray, rows: np.ndarray,
) -> None:  # fmt: skip
    """Hash words and their n-grams, the word first, then by start and length, as floret's ``Dictionary``.

    n counts characters; neither boundary alone is an n-gram, and an empty word has no entry. An n-gram that is the
    whole word counts again.

    Args:
        text: (bytes,) uint8, the words one after another, each between ``<`` and ``>``.
        starts: (V + 1,) int64, their bounds.
        hashes: rows of an entry, 1 .. 4.
        found: (4,) uint32, scratch.
        offsets: (V + 1,) int64, set to the bounds of each word's rows.
        rows: int32, set to the rows; if empty, only ``offsets`` are set.
    """
    count: Int = 0
    for word in range(starts.size - 1):
        offsets[word] = count
        first, end = starts[word], starts[word + 1]
        if end - first <= 2:
            continue
        count = add_hashes(text, first, end, buckets, hashes, found, rows, count)
        for i in range(first, end):
            if (text[i] & np.uint8(0xC0)) == np.uint8(0x80):  # within a character
                continue
            j: Int = i
            for n in range(1, max_n + 1):
                if j >= end:
                    break
                j += 1
                while j < end and (text[j] & np.uint8(0xC0)) == np.uint8(0x80):
                    j += 1
                if n >= min_n and not (n == 1 and (i == first or j == end)):
                    count = add_hashes(text, i, j, buckets, hashes, found, rows, count)
    offsets[starts.size - 1] = count
