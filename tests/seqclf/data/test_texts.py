"""Counting and encoding tokens."""

from seqclf.data.texts import count_tokens, encode
from wordvec import Vocabulary


def test_count_tokens_drops_rare_words_and_breaks_ties_alphabetically():
    assert count_tokens(
        [["b", "a", "b"], ["a", "c"]],
    ) == [("a", 2), ("b", 2), ("c", 1)]


def test_encode_looks_up_words_as_written_then_lower_cased():
    ids, offsets, _ = encode([["Fire", "FIRE", "ice"], [], ["fire"]], Vocabulary(["fire", "Fire"]))
    assert ids.tolist() == [1, 0, 2, 0]
    assert offsets.tolist() == [0, 3, 3, 4]
