"""Rows of words and n-grams in one table: hashing, against the floret package and a transcription of MurmurHash3."""

import itertools

import numpy as np
import pytest

from tests.cases.word2vec import wraps_around
from wordvec.formats.ngrams import Ngrams
from wordvec.kernels.bloom import hash_bytes

pytestmark = wraps_around

WORD = 2**64 - 1


def murmur3(data, seed=2166136261):
    """Return MurmurHash3_x64_128 as four 32-bit numbers."""

    def turned(x, bits):
        return (x << bits | x >> 64 - bits) & WORD

    def mixed(x):
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            x = (x ^ x >> 33) * factor & WORD
        return x ^ x >> 33

    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = seed
    for start in range(0, len(data), 16):
        block = data[start : start + 16]
        k1, k2 = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:], "little")
        h1 ^= turned(k1 * c1 & WORD, 31) * c2 & WORD
        if len(block) == 16:
            h1 = ((turned(h1, 27) + h2) * 5 + 0x52DCE729) & WORD
        h2 ^= turned(k2 * c2 & WORD, 33) * c1 & WORD
        if len(block) == 16:
            h2 = ((turned(h2, 31) + h1) * 5 + 0x38495AB5) & WORD
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & WORD
    h2 = (h2 + h1) & WORD
    h1, h2 = mixed(h1), mixed(h2)
    h1 = (h1 + h2) & WORD
    h2 = (h2 + h1) & WORD
    return [h1 & 0xFFFFFFFF, h1 >> 32, h2 & 0xFFFFFFFF, h2 >> 32]


@pytest.mark.parametrize("length", [*range(18), 31, 32, 33, 47])
def test_hashes_of_bytes_match_the_transcription(length):
    random = np.random.default_rng(length)
    text, found = random.integers(0, 256, length + 5, np.uint8), np.zeros(4, np.uint32)
    hash_bytes(text, 3, 3 + length, found)
    assert found.tolist() == murmur3(text[3 : 3 + length].tobytes())


def test_rows_are_those_of_floret():
    """The rows that the floret package, 0.10.5, returns for n-grams of 2 to 5 characters, 3 hashes and 997 buckets."""
    expected = {
        "a": [533, 938, 419, 819, 314, 481, 533, 938, 419, 230, 897, 567],
        "": [],
        "日本語": [901, 10, 522, 714, 312, 443, 66, 30, 957, 554, 296, 80, 901, 10, 522, 989, 877, 183, 807, 262, 354,
                118, 546, 260, 485, 275, 240, 51, 228, 108, 5, 263, 873],
        "über": [672, 952, 436, 458, 111, 5, 579, 977, 933, 290, 412, 837, 686, 481, 837, 870, 169, 917, 202, 16, 203,
                 887, 488, 364, 686, 437, 664, 428, 776, 865, 239, 510, 273, 470, 294, 288, 599, 165, 58, 2, 418, 467,
                 893, 772, 16],
    }  # fmt: skip
    bounds, rows = Ngrams(2, 5, 997, hashes=3).hash(list(expected))
    assert [rows[start:end].tolist() for start, end in itertools.pairwise(bounds)] == [*expected.values()]


@pytest.mark.parametrize("hashes", [1, 2, 4])
def test_the_word_comes_first_and_no_boundary_is_alone(hashes):
    entries = ["<ab>", "<a", "a", "ab", "b", "b>"]  # of one and two characters
    wanted = [value % 50 for entry in entries for value in murmur3(entry.encode())[:hashes]]
    assert Ngrams(1, 2, 50, hashes).hash(["ab"])[1].tolist() == wanted
