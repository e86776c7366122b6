"""Words as characters: known and unknown ones, long words, damaged files."""

import numpy as np
import pytest

from seqclf.data.characters import Characters, take_characters
from wordvec import FormatError


def test_characters_of_one_word_are_unknown():
    found = Characters.learn(["ab", "bc", "ab"], 4)  # a word counts once
    assert [chr(point) for point in found.points] == ["b"]
    ids, offsets = found.spell(["abb", "", "\U0001f600b"])
    assert ids.tolist() == [1, 0, 0, 1, 0]
    assert offsets.tolist() == [0, 3, 3, 5]


def test_long_words_are_cut_in_the_middle():
    found = Characters.learn(["ab", "ba"], 4)
    ids, offsets = found.spell(["a" * 500 + "b" * 500])
    assert ids.tolist() == [0] * 20 + [1] * 20
    assert offsets.tolist() == [0, 40]


def test_no_known_character():
    assert Characters.learn([], 4).spell(["ab"])[0].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("header", "points", "message"),
    [
        ({"hidden_size": 0}, [97], "hidden_size of at least 1"),
        ({"hidden_size": True}, [97], "hidden_size of at least 1"),
        ([], [97], "hidden_size of at least 1"),
        ({"hidden_size": 4}, [98, 97], "ascending"),
        ({"hidden_size": 4}, None, "ascending"),
    ],
)
def test_damaged_files(header, points, message):
    tensors = {} if points is None else {"character_points": np.array(points, np.int32)}
    with pytest.raises(FormatError, match=message):
        take_characters("m", tensors, {"characters": header})
