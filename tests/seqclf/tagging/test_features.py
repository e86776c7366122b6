"""Prefixes, suffixes and shapes of tokens; encoding of distinct tokens."""

import numpy as np
import pytest

from seqclf.tagging.features import SLOTS, count_features, encode_forms, features_of, shape_of
from wordvec import Vocabulary


@pytest.mark.parametrize(
    "token", ["a", "of", "the", "tree", "trees", "Übermut", "日本", "ſ", "İ", "👍🏽", "\u0301", "  "]
)
def test_every_token_has_every_feature(token):
    found = features_of(token)
    assert len(found) == SLOTS
    assert all(found)


def test_short_word_is_not_confused_with_an_affix():
    assert not set(features_of("un")) & set(features_of("unreal")) - {"=x", "^u"}
    assert set(features_of("trees")) & set(features_of("Bees")) == {"s$", "es$", "ees$"}


@pytest.mark.parametrize(
    ("token", "shape"),
    [
        ("USA", "X"),
        ("McDonald", "XxXx"),
        ("1st", "9x"),
        ("-", "-"),
        ("--", "-"),
        ("日本", "x"),
        ("½", "9"),
        ("a_b", "x_x"),
    ],
)
def test_shapes(token, shape):
    assert shape_of(token) == shape


def test_features_are_counted_by_distinct_tokens():
    assert count_features([["cat"] * 9], min_count=2).tokens == []
    assert count_features([["cat", "bat"], ["cat"]], min_count=2).tokens == ["=x", "at$", "t$"]
    # A short word has the same feature several times, but counts once.
    assert "^a$" not in count_features([["a"]], min_count=2)


def test_encode_forms():
    vocabulary, features = Vocabulary(["the", "Cat"]), Vocabulary(["=Xx", "=x"])
    sentences = [["The", "Cat"], [], ["the", "CAT", "The"]]
    forms = encode_forms(sentences, vocabulary, features, lowercase=False)
    assert forms.ids.tolist() == [0, 1, 2, 3, 0]
    assert forms.offsets.tolist() == [0, 2, 2, 5]
    assert forms.words.tolist() == [0, 1, 0, 2]
    assert forms.features[:, -1].tolist() == [0, 0, 1, 2]
    assert encode_forms(sentences, vocabulary, features, lowercase=True).words.tolist() == [0, 2, 0, 2]
    nothing = encode_forms([[]], vocabulary, features, lowercase=True)
    assert (nothing.ids.size, nothing.features.shape, nothing.ids.dtype) == (0, (0, SLOTS), np.int32)
