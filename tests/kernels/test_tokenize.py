"""Tokenizing and counting kernels: block boundaries, hash collisions and full tables."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive
from wordvec.kernels.tokenize import (
    ABSENT,
    ADD,
    ADD_TO_NEW,
    LETTERS,
    LONG,
    MARK,
    PADDING,
    SENTENCES,
    SHIFT,
    TOKENS,
    TYPES,
    WAITING,
    Scan,
    Types,
    count,
    drop_unknown,
    first_slot,
    keep,
    key_of,
    merge,
    rehash,
    renumber,
    spell,
)

pytestmark = wraps_around

# Lengths around 8, 15 and 16 that differ in one byte, with bytes that are white space only in Unicode, and with bytes
# below the space that belong to a token.
SIZES = [1, 2, 7, 8, 9, 14, 15, 16, 17, 23, 24, 25, 70]
WORDS = [b"x" * (size - 1) + last for size in SIZES for last in (b"a", b"b", b"\x00", b"\xff")]
WORDS += [b"b" + b"x" * (size - 1) for size in SIZES] + [b"\x1c", b"\x1f\x85\xa0", b"a\x00", b"a\x00\x00", b"a"]


def table(rows=128, letters=4096):
    bits = (2 * rows - 1).bit_length()
    return Types(
        used=np.array([0, 0, 64 - bits], np.int64),
        slots=np.full(1 << bits, -1, np.int32),
        keys=np.full((rows, 2), 99, np.uint64),
        starts=np.zeros(rows + 1, np.int64),
        letters=np.zeros(letters, np.uint8),
        counts=np.full(rows, 99, np.int64),  # new types must not rely on zeros
        errors=np.full(rows, 99, np.int64),
    )


def scan(frequent=4):
    waiting = np.full((4, WAITING + 32), 99, np.uint64)
    keys = np.full((frequent, 2), ABSENT)
    return Scan(np.zeros(6, np.int64), *waiting, np.full(WAITING + 32, 99, np.int64), keys)


def padded(text):
    """Pad a text as required by the kernels."""
    return np.frombuffer(text + b" " * PADDING, np.uint8).copy()


def count_words(text, types, known=None, often=0):
    """Count a text in ``types``, or its words not in ``known``; return whether all fit, the tokens, and ``often``."""
    often = np.zeros(often, np.int64)
    how, state = ADD if known is None else ADD_TO_NEW, scan()
    done = count(padded(text), known or types, often, types, how, *outputs(text), state)
    return done, state.state[TOKENS], often.tolist()


def encoded(text, types):
    """Return the number of tokens, the known ids and the sentence ends."""
    (ids, ends), state = outputs(text), scan()
    assert count(padded(text), types, np.zeros(2, np.int64), types, MARK, ids, ends, state)
    tokens, sentences = state.state[[TOKENS, SENTENCES]]
    assert (ids[tokens + 1 :] == -7).all()
    assert (ends[sentences:] == -7).all()
    kept = drop_unknown(ids[:tokens], ends[:sentences])
    return tokens, ids[:kept].tolist(), ends[:sentences].tolist()


def outputs(text):
    """Return arrays for the ids and the sentence ends of a text."""
    return np.full(len(text) // 2 + 1, -7, np.int32), np.full(len(text), -7, np.int32)


def spelled(types):
    """Return the types so far as bytes, and their counts."""
    starts = types.starts[: types.used[TYPES] + 1].tolist()
    words = [types.letters[a:b].tobytes() for a, b in pairwise(starts)]
    return words, types.counts[: len(words)].tolist()


# -- texts ------------------------------------------------------------------------------------------------------------


@settings(max_examples=200 // fewer_without_jit, deadline=None)
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=40),
    between=st.lists(st.sampled_from([b" ", b"\n", b"\t", b"\r\n", b"  ", b"\v\f", b" " * 61]), min_size=1, max_size=7),
)
def test_texts_are_split_like_bytes_split(words, between):
    text = b"".join(word + between[place % len(between)] for place, word in enumerate(words))
    types = table()
    tokens = text.split()
    assert tokens == words
    assert count_words(text, types) == (True, len(words), [])
    assert spelled(types) == naive.count_types(tokens)
    seen, ids, ends = encoded(text, types)
    assert seen == len(words)
    assert [spelled(types)[0][k] for k in ids] == words
    lines = text.split(b"\n")
    assert ends == np.cumsum([len(line.split()) for line in lines]).tolist()[:-1]


@pytest.mark.parametrize("frequent", [2, 64])
def test_frequent_types_are_found_in_their_own_table(frequent):
    random, choices = np.random.default_rng(3), np.array(sorted(set(WORDS)), object)
    chances = random.random(len(choices)) ** 4
    words = random.choice(choices, 1500, p=chances / chances.sum())
    half = len(words) // 2
    types, often, state, ids = table(), np.zeros(40, np.int64), scan(frequent), []
    for part in (words[:half], words[half:]):  # the second text begins with the table of the first
        text = b" ".join(part)
        found, ends = outputs(text)
        state.state[:] = 0
        assert count(padded(text), types, often, types, ADD, found, ends, state)
        ids += found[: state.state[TOKENS]].tolist()
    spellings, counts = spelled(types)
    assert [spellings[k] for k in ids] == words.tolist()
    expected = naive.count_types(words.tolist())
    assert spellings == expected[0]
    assert (np.array(counts) + np.append(often, np.zeros(len(counts) - 40, np.int64))).tolist() == expected[1]
    entries = state.frequent[state.frequent[:, 1] != ABSENT]
    assert len(entries) == 2 if frequent == 2 else len(entries) > 8


def test_out_of_vocabulary_tokens_are_dropped():
    types = table()
    count_words(b"b a", types)
    assert encoded(b"a x b\n\nx\nx b a x", types) == (8, [1, 0, 0, 1], [2, 2, 2])
    assert spelled(types)[1] == [1, 1], "encoding does not count"


def test_known_types_are_counted_in_the_shared_table():
    known, new = table(), table()
    count_words(b"b a c", known)
    done, tokens, often = count_words(b"c b b x b c a x", new, known, often=2)
    assert (done, tokens, often) == (True, 8, [3, 1])
    assert spelled(known) == ([b"b", b"a", b"c"], [1, 1, 3]), "the third is counted atomically, the others in ``often``"
    assert spelled(new) == ([b"x"], [2])


def test_counting_also_encodes():
    known, new = table(), table()
    count_words(b"a b c", known)
    (ids, ends), state = outputs(text := b"\nc x\n\nb yy x b\n"), scan()
    assert count(padded(text), known, np.zeros(2, np.int64), new, ADD_TO_NEW, ids, ends, state)
    assert ids[: state.state[TOKENS]].tolist() == [2, -1, 1, -2, -1, 1]
    assert ends[: state.state[SENTENCES]].tolist() == [0, 2, 2, 6]


def test_ids_are_renumbered_or_dropped():
    ids, ends = np.array([2, 0, 1, 2, 2, 0], np.int32), np.array([10, 12, 12, 16])
    kept = renumber(ids, np.array([5, -1, 0], np.int32), ends, 10, 7)
    assert ids[:kept].tolist() == [0, 5, 0, 0, 5]
    assert ends.tolist() == [7, 9, 9, 12]


@pytest.mark.parametrize(("rows", "letters"), [(2, 100), (100, 5)])
def test_a_text_is_continued_in_a_larger_table(rows, letters):
    types, text = table(rows, letters), b"ab cde ab\nfg ab hij"
    (ids, ends), state, often = outputs(text), scan(), np.zeros(1, np.int64)
    assert not count(padded(text), types, often, types, ADD, ids, ends, state)
    assert (spelled(types)[0], often.tolist()) == ([b"ab", b"cde"], [1]), "it stopped before the type that does not fit"
    larger = table()
    merge(larger, types, 0, 0, np.empty(2, np.int32))
    assert count(padded(text), larger, often, larger, ADD, ids, ends, state)
    assert ids[: state.state[TOKENS]].tolist() == [0, 1, 0, 2, 0, 3]
    assert ends[: state.state[SENTENCES]].tolist() == [3]
    assert spelled(larger) == ([b"ab", b"cde", b"fg", b"hij"], [1, 1, 1, 1])
    assert often.tolist() == [2]


# -- keys and slots ---------------------------------------------------------------------------------------------------


def test_keys_of_different_words_differ():
    keys = {}
    for word in WORDS:
        text = padded(b"no" + word + b" behind")
        low, high = key_of(text, np.uint64(2), np.uint64(2 + len(word)))
        assert (high >= LONG) == (len(word) > 15)
        keys.setdefault((int(low), int(high)), set()).add(word)
    assert all(len(words) == 1 for words in keys.values())


def test_long_types_with_equal_keys_are_compared_by_their_bytes():
    # Simulates a collision by giving a type the key of another word.
    word = b"a word of more than sixteen bytes".replace(b" ", b"_")
    for other in (word[:-1] + b"x", word[:-1], word + b"x", b"x" + word[1:]):
        types = table()
        count_words(other, types)
        low, high = key_of(padded(word), np.uint64(0), np.uint64(len(word)))
        types.keys[0] = low, high
        types.slots[:] = -1
        rehash(types)
        assert count_words(word + b" " + word, types)[:2] == (True, 2)
        assert spelled(types) == ([other, word], [1, 2])


def test_colliding_types_use_the_next_slots_and_wrap_around():
    def slot(word):
        low, high = map(np.uint64, key_of(padded(word), np.uint64(0), np.uint64(len(word))))
        return int(first_slot(low, high, np.uint64(64 - 4)))

    words = [word for k in range(1000) if slot(word := b"%d" % k) == 15][:5]
    types = table(8)
    count_words(b" ".join(words * 2), types)
    assert spelled(types) == (words, [2] * 5)
    assert types.slots.tolist() == [1, 2, 3, 4, *[-1] * 11, 0]


# -- tables -----------------------------------------------------------------------------------------------------------


def test_tables_are_merged_with_their_counts():
    types, new = table(3), table()
    count_words(b"b a", types)
    types.errors[:2] = 0, 4
    count_words(b"a c a d c a", new)
    rows = np.full(3, -7, np.int32)
    assert merge(types, new, 0, 7, rows) == 2, "d does not fit"
    assert rows.tolist() == [1, 2, -7]
    assert spelled(types) == ([b"b", b"a", b"c"], [1, 4, 2])
    assert types.errors.tolist() == [0, 4, 7]
    larger = table()
    assert merge(larger, new, 2, 1, rows) == 3
    assert spelled(larger) == ([b"d"], [1])


@settings(max_examples=60 // fewer_without_jit, deadline=None)
@given(st.lists(st.booleans(), min_size=len(set(WORDS)), max_size=len(set(WORDS))))
def test_only_kept_types_are_found(kept):
    types = table()
    text = b" ".join(WORDS)
    count_words(text, types)
    words, counts = spelled(types)
    types.errors[: len(words)] = np.arange(len(words))
    keep(types, np.array(kept))
    types.slots[:] = -1
    rehash(types)
    rows = np.flatnonzero(kept).tolist()
    assert spelled(types) == ([words[k] for k in rows], [counts[k] for k in rows])
    assert types.errors[: len(rows)].tolist() == rows
    assert types.used[LETTERS] == sum(len(words[k]) for k in rows)
    assert encoded(b" ".join(words), types)[1] == list(range(len(rows)))


def test_types_are_written_one_per_line():
    types = table()
    count_words(b"one two \xc3\xa9", types)
    text = np.zeros(20, np.uint8)
    assert text[: spell(types, np.array([2, 0]), text)].tobytes() == b"\xc3\xa9\none\n"
    assert types.used[SHIFT] == 64 - 8
