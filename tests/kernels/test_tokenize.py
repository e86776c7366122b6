"""Bytes to numbers to ids, one kernel at a time: collisions, borders of pieces, growth."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.word2vec_cases import fewer_without_jit, wraps_around
from wordvec.kernels.tokenize import LETTERS, SENTENCES, TOKENS, TYPES, Types, rehash, renumber, scan

pytestmark = wraps_around


def fnv_1a(token):
    hashed = 0xCBF29CE484222325
    for byte in token:
        hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    return hashed


def place_of(token, slots):
    hashed = fnv_1a(token)
    return (hashed ^ hashed >> 32) % slots


def read_only(values, dtype):
    """As bytes of a file and memory-mapped numbers come: the same type, so that nothing is compiled twice."""
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def empty_types(rows, letters, slots):
    return Types(
        used=np.zeros(4, np.int64),
        slots=np.full(slots, -1, np.int32),
        hashes=np.zeros(rows, np.uint64),
        starts=np.zeros(rows + 1, np.int64),
        counts=np.full(rows, 99, np.int64),  # a new type must not count on zeros
        letters=np.zeros(letters, np.uint8),
    )


def scan_bytes(text, types):
    ids, ends = np.full(len(text) // 2 + 1, -7, np.int32), np.full(len(text), -7, np.int64)
    tokens, sentences = scan(np.frombuffer(text, np.uint8), types, ids, ends)
    assert (ids[tokens:] == -7).all()
    assert (ends[sentences:] == -7).all()
    return ids[:tokens].tolist(), ends[:sentences].tolist()


def spelled(types):
    """The types so far as bytes, and their counts."""
    starts = types.starts[: types.used[TYPES] + 1].tolist()
    words = [types.letters[a:b].tobytes() for a, b in pairwise(starts)]
    return words, types.counts[: len(words)].tolist()


@settings(max_examples=150 // fewer_without_jit, deadline=None)
@given(st.lists(st.sampled_from([*b" \n\t\r\v\fab\x00\x1c\x1f\x85\xa0\xff"]).map(lambda b: bytes([b])), max_size=60))
def test_a_text_is_split_as_bytes_split_does(pieces):
    text = b"".join(pieces)
    types = empty_types(40, 64, 64)
    ids, ends = scan_bytes(text, types)
    words, counts = spelled(types)
    tokens = text.split()
    assert [words[k] for k in ids] == tokens
    assert words == list(dict.fromkeys(tokens)), "numbers in the order of first sight"
    assert counts == [tokens.count(word) for word in words]
    lines = text.split(b"\n")
    assert ends == np.cumsum([len(line.split()) for line in lines]).tolist()[:-1]
    assert types.used.tolist() == [len(words), sum(map(len, words)), len(tokens), len(lines) - 1]


def test_a_second_piece_goes_on_counting():
    types = empty_types(10, 40, 16)
    assert scan_bytes(b"b a\n b", types) == ([0, 1, 0], [2])
    assert scan_bytes(b" c\na b\n", types) == ([2, 1, 0], [4, 6])
    assert spelled(types) == ([b"b", b"a", b"c"], [3, 2, 1])
    assert types.used[[TOKENS, SENTENCES, LETTERS]].tolist() == [6, 3, 3]


@pytest.mark.parametrize("other", [b"abd", b"ab", b"abcd", b"xbc"])
def test_types_whose_hashes_are_equal_are_told_apart_by_their_letters(other):
    # No two short words with one hash are at hand: a type is put there that claims the hash of another word.
    types = empty_types(4, 40, 8)
    types.used[:] = [1, len(other), 1, 0]
    types.letters[: len(other)] = list(other)
    types.starts[1], types.counts[0], types.hashes[0] = len(other), 1, fnv_1a(b"abc")
    types.slots[place_of(b"abc", 8)] = 0
    assert scan_bytes(b"abc abc", types)[0] == [1, 1]
    assert spelled(types) == ([other, b"abc"], [1, 2])


def test_types_that_share_a_slot_go_to_the_next_ones_and_around_the_end():
    words = [word for k in range(1000) if place_of(word := b"%d" % k, 8) == 7][:5]
    types = empty_types(5, 40, 8)
    ids, _ = scan_bytes(b" ".join(words * 2), types)
    assert ids == [0, 1, 2, 3, 4] * 2
    assert types.slots.tolist() == [1, 2, 3, 4, -1, -1, -1, 0]


def test_rehashed_types_are_found_again():
    words = [b"%x" % (k * k) for k in range(200)]
    types = empty_types(200, 2000, 256)
    scan_bytes(b" ".join(words), types)
    larger = types._replace(slots=np.full(1024, -1, np.int32))
    rehash(larger.slots, larger.hashes, 200)
    assert np.sort(larger.slots)[-200:].tolist() == list(range(200))
    assert scan_bytes(b" ".join(reversed(words)), larger)[0] == list(range(200))[::-1]
    assert larger.used[TYPES] == 200


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), max_size=12),
    piece=st.integers(1, 9),
    id_of_number=st.permutations([0, 1, 2, -1, -1]),
    seed=st.integers(0, 100),
)
def test_renumbering_in_pieces_of_any_size(lengths, piece, id_of_number, seed):
    numbers = np.random.default_rng(seed).integers(0, 5, sum(lengths))
    ends = read_only(np.cumsum(lengths), np.int64)
    offsets, written, sentence = np.zeros(len(lengths) + 1, np.int64), [], 0
    for first in range(0, max(len(numbers), 1), piece):
        part = read_only(numbers[first : first + piece], np.int32)
        ids = np.full(piece, -7, np.int32)
        kept, sentence = renumber(
            part, np.array(id_of_number, np.int32), ids, ends, sentence, first, len(written), offsets
        )
        written += ids[:kept].tolist()
    sentences = np.split(numbers, ends[:-1]) if lengths else []
    expected = [[id_of_number[k] for k in sentence if id_of_number[k] >= 0] for sentence in sentences]
    assert written == [k for found in expected for k in found]
    assert offsets.tolist() == [0, *np.cumsum([len(found) for found in expected]).tolist()]
    assert sentence == len(lengths)
