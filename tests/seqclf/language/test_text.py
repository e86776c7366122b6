"""From lines to ids: units, vocabulary, validation split."""

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


def test_words_by_descending_count_with_ties_in_alphabetical_order():
    vocabulary, ids, dev = read(LINES)
    assert vocabulary.tokens == ["<eos>", "a", "b", "Q", "c", "d", "<unk>"]
    assert vocabulary.counts.tolist() == [5, 4, 3, 1, 1, 1, 0]
    assert " ".join(decoded(vocabulary, ids)) == "<eos> a b b <eos> <eos> c a Q <eos> d a b <eos> a <eos>"
    assert decoded(vocabulary, dev) == ["<eos>"]


def test_rare_words_count_as_unknown():
    vocabulary, ids, _ = read(LINES, min_count=2)
    assert dict(zip(vocabulary.tokens, vocabulary.counts.tolist(), strict=True)) == {
        "<eos>": 5, "a": 4, "b": 3, "<unk>": 3,
    }  # fmt: skip
    assert decoded(vocabulary, ids)[6:10] == ["<unk>", "a", "<unk>", "<eos>"]
    assert read(LINES, max_vocabulary=4)[0] == vocabulary


def test_literal_unk_is_the_unknown_word():
    vocabulary, ids, _ = read(["a <unk> a", "b"], min_count=2)
    assert vocabulary.tokens == ["<eos>", "<unk>", "a"]
    assert decoded(vocabulary, ids) == ["<eos>", "a", "<unk>", "a", "<eos>", "<unk>", "<eos>"]


def test_validation_lines_are_not_counted():
    vocabulary, ids, dev = read(LINES, held_out=0.4)
    assert " ".join(decoded(vocabulary, ids)) == "<eos> a b b <eos> <eos> c a Q <eos>"
    assert " ".join(decoded(vocabulary, dev)) == "<eos> <unk> a b <eos> a <eos>"
    assert "d" not in vocabulary


def test_characters_and_line_ends():
    vocabulary, ids, _ = read(["Ab", "é"], "character", lowercase=True)
    assert "".join(decoded(vocabulary, ids)) == "\nab\né\n"
    assert encode_text("azé", vocabulary, "character").size == 4
    assert decoded(vocabulary, encode_text("az", vocabulary, "character")) == ["\n", "a", "<unk>"]


@pytest.mark.parametrize("lines", [[], ["", " "]])
def test_text_without_words_is_rejected(lines):
    with pytest.raises(InputError, match="no text to train on"):
        read(lines)


def test_single_string_and_other_types_are_rejected():
    with pytest.raises(InputError, match="pass text"):
        list(tokens_of("a text", "word", "whitespace", False))
    with pytest.raises(InputError, match="lines must be strings, got 3"):
        list(tokens_of([3], "word", "whitespace", False))


def test_ids_are_int32():
    assert {array.dtype for array in read(LINES)[1:]} == {np.dtype(np.int32)}
