"""From lines to ids: units, vocabulary, what is held out."""

import numpy as np
import pytest

from seqclf.language.text import encode_text, read_training_text, tokens_of
from wordvec import InputError

LINES = ["a b b", "", "c a Q", "d a b", "a"]


def read(lines, unit="word", **options):
    tokens = tokens_of(lines, unit, "whitespace", options.pop("lowercase", False))
    return read_training_text(tokens, unit, **{"min_count": 1, "max_vocabulary": None, "held_out": 0.0} | options)


def decoded(vocabulary, ids):
    return [vocabulary.tokens[token] for token in ids]


def test_words_by_falling_count_equals_by_spelling():
    vocabulary, ids, held = read(LINES)
    assert vocabulary.tokens == ["<eos>", "a", "b", "Q", "c", "d", "<unk>"]
    assert vocabulary.counts.tolist() == [5, 4, 3, 1, 1, 1, 0]
    assert " ".join(decoded(vocabulary, ids)) == "<eos> a b b <eos> <eos> c a Q <eos> d a b <eos> a <eos>"
    assert decoded(vocabulary, held) == ["<eos>"]


def test_rare_words_are_unknown_and_counted_there():
    vocabulary, ids, _ = read(LINES, min_count=2)
    assert dict(zip(vocabulary.tokens, vocabulary.counts.tolist(), strict=True)) == {
        "<eos>": 5, "a": 4, "b": 3, "<unk>": 3,
    }  # fmt: skip
    assert decoded(vocabulary, ids)[6:10] == ["<unk>", "a", "<unk>", "<eos>"]
    assert read(LINES, max_vocabulary=4)[0] == vocabulary


def test_unk_in_the_text_is_the_unknown_word():
    vocabulary, ids, _ = read(["a <unk> a", "b"], min_count=2)
    assert vocabulary.tokens == ["<eos>", "<unk>", "a"]
    assert decoded(vocabulary, ids) == ["<eos>", "a", "<unk>", "a", "<eos>", "<unk>", "<eos>"]


def test_the_last_lines_are_held_out_and_not_counted():
    vocabulary, ids, held = read(LINES, held_out=0.4)
    assert " ".join(decoded(vocabulary, ids)) == "<eos> a b b <eos> <eos> c a Q <eos>"
    assert " ".join(decoded(vocabulary, held)) == "<eos> <unk> a b <eos> a <eos>"
    assert "d" not in vocabulary


def test_characters_and_their_line_ends():
    vocabulary, ids, _ = read(["Ab", "é"], "character", lowercase=True)
    assert "".join(decoded(vocabulary, ids)) == "\nab\né\n"
    assert encode_text("azé", vocabulary, "character").size == 4
    assert decoded(vocabulary, encode_text("az", vocabulary, "character")) == ["\n", "a", "<unk>"]


@pytest.mark.parametrize("lines", [[], ["", " "]])
def test_a_text_of_no_words_is_refused(lines):
    with pytest.raises(InputError, match="no text to train on"):
        read(lines)


def test_one_string_and_what_is_no_string_are_refused():
    with pytest.raises(InputError, match="pass text"):
        list(tokens_of("a text", "word", "whitespace", False))
    with pytest.raises(InputError, match="lines must be strings, got 3"):
        list(tokens_of([3], "word", "whitespace", False))


def test_ids_are_int32():
    assert {array.dtype for array in read(LINES)[1:]} == {np.dtype(np.int32)}
