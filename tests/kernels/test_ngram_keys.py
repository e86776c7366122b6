"""Keys of n-grams against a slow version that hashes strings."""

import numpy as np
import pytest

from seqclf.kernels.ngram_keys import character_keys, word_keys

MASK = (1 << 64) - 1


def naive_key(content, kind):
    state = 0xCBF29CE484222325
    for byte in content:
        state = (state ^ byte) * 0x100000001B3 & MASK
    state ^= state >> 33
    state = state * 0xFF51AFD7ED558CCD & MASK
    return (state ^ state >> 33) & ~1 | kind


def packed(texts):
    encoded = [word.encode() for text in texts for word in text]
    bounds = np.concatenate([[0], np.cumsum([len(word) for word in encoded])]).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds, offsets


def run(kernel, texts, low, high):
    content, bounds, offsets = packed(texts)
    room = (len(content) + 2 * len(bounds)) * (high - low + 1)
    keys, words, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(len(texts), np.int64)
    with np.errstate(over="ignore"):  # scalars, without compilation
        kernel(content, bounds, offsets, low, high, keys, words, ends)
    pieces = np.split(np.arange(ends[-1]), ends[:-1])
    return [[(int(keys[row]), int(words[row] - offsets[s])) for row in rows] for s, rows in enumerate(pieces)]


TEXTS = [["new", "york", "is"], [], ["é", "日本"], ["a"]]


@pytest.mark.parametrize(("low", "high"), [(1, 2), (2, 3), (1, 1)])
def test_ngrams_of_words(low, high):
    expected = [
        [
            (naive_key(" ".join(text[first : first + size]).encode(), 0), first)
            for first in range(len(text))
            for size in range(low, high + 1)
            if first + size <= len(text)
        ]
        for text in TEXTS
    ]
    assert run(word_keys, TEXTS, low, high) == expected


@pytest.mark.parametrize(("low", "high"), [(2, 5), (2, 2), (3, 3)])
def test_ngrams_of_characters(low, high):
    expected = [
        [
            (naive_key(f" {word} "[first : first + size].encode(), 1), place)
            for place, word in enumerate(text)
            for first in range(len(word) + 2)
            for size in range(low, high + 1)
            if first + size <= len(word) + 2
        ]
        for text in TEXTS
    ]
    assert run(character_keys, TEXTS, low, high) == expected
