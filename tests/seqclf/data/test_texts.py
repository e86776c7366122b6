"""Counting and encoding tokens."""

from seqclf.data.texts import count_tokens, encode
from wordvec import Vocabulary


def test_rare_words_are_left_out_and_equals_are_in_order():
    assert count_tokens([["b", "a", "b"], ["a", "c"]], min_count=2) == [("a", 2), ("b", 2)]


def test_words_are_looked_up_as_written_then_lower_cased_then_unknown():
    ids, offsets = encode([["Fire", "FIRE", "ice"], [], ["fire"]], Vocabulary(["fire", "Fire"]))
    assert ids.tolist() == [1, 0, 2, 0]
    assert offsets.tolist() == [0, 3, 3, 4]
