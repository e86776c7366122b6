"""Vocabulary files: written and read again, those of word2vec.c, and what is none."""

import logging

import numpy as np
import pytest

from wordvec import Vocabulary, encode_corpus, load_vocabulary, save_vocabulary
from wordvec.errors import FormatError, InputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "words.txt"


def test_what_was_saved_is_read_again(path):
    vocabulary = encode_corpus(["b a c a é \x00 \xa0 </s> a </s>", "b 😀"], min_count=1).vocabulary
    save_vocabulary(vocabulary, path)
    assert path.read_text() == "a 3\n</s> 2\nb 2\n\x00 1\nc 1\n\xa0 1\né 1\n😀 1\n"
    assert load_vocabulary(path) == vocabulary


def test_rows_go_by_count_and_bytes_whatever_the_order_of_the_lines(path):
    path.write_text("z 5\nqueen 7\r\n\nking\t7 \nthe 0090")
    found = load_vocabulary(path)
    assert found.tokens == ["the", "king", "queen", "z"]
    assert (found.counts.tolist(), found.counts.dtype) == ([90, 7, 7, 5], np.int64)


def test_the_line_end_of_word2vec_is_left_out(path, caplog):
    path.write_text("</s> 0\nthe 90\n")
    with caplog.at_level(logging.INFO):
        assert load_vocabulary(path).tokens == ["the"]
    assert "</s>, which stands for ends of lines, is left out" in caplog.text


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", InputError, "holds no word"),
        ("</s> 3\n", InputError, "holds no word"),
        ("the 9\nking\n", FormatError, "words.txt:2: expected a word and its count, such as 'king 812', got 'king'"),
        ("the 9\n\nking 1.5\n", FormatError, "words.txt:3: expected a word and its count"),
        ("the -9\n", FormatError, "words.txt:1: expected a word and its count"),
        ("the old king 7\n", FormatError, "got 'the old king 7'"),
        (" 7\n", FormatError, "words.txt:1"),
        ("the 9999999999999999999\n", FormatError, "words.txt:1"),
        ("the ٣\n", FormatError, "words.txt:1"),
        ("a 2\nb 1\na 1\n", FormatError, "words.txt:3: 'a' is there for the second time"),
        (b"\xff 2\n", InputError, "not UTF-8"),
    ],
)
def test_what_is_no_vocabulary_is_refused(path, content, error, message):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=message):
        load_vocabulary(path)


def test_what_cannot_be_saved_is_refused(path):
    with pytest.raises(InputError, match="has no counts"):
        save_vocabulary(Vocabulary(["a"]), path)
    with pytest.raises(InputError, match="cannot hold tokens with white space, got 'b c' in row 1"):
        save_vocabulary(Vocabulary(["a", "b c"], [2, 1]), path)
    assert not path.exists()
    with pytest.raises(InputError, match="no such file"):
        load_vocabulary(path)
