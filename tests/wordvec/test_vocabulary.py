"""Vocabulary: rows, counts, lookup, suggestions and errors."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordvec import InputError, Vocabulary
from wordvec.vocabulary import edit_distance


@pytest.fixture
def vocabulary():
    return Vocabulary(["the", "King", "king", "Paris", "straße"], [50, 7, 40, 3, 1])


def test_rows_and_counts(vocabulary):
    assert len(vocabulary) == 5
    assert list(vocabulary) == vocabulary.tokens
    assert vocabulary.token_to_id["Paris"] == 3
    assert vocabulary.counts.dtype == np.int64
    assert vocabulary.counts.tolist() == [50, 7, 40, 3, 1]
    assert "Paris" in vocabulary
    assert "paris" not in vocabulary
    assert 3 not in vocabulary


def test_lookup_prefers_the_word_as_written(vocabulary):
    assert vocabulary.lookup("King") == 1
    assert vocabulary.lookup("king") == 2
    assert vocabulary.lookup("KING") == 2
    assert vocabulary.lookup("paris") == -1
    assert vocabulary.lookup("STRASSE") == -1
    assert vocabulary.lookup("Straße") == 4


def test_encode_drops_unknown_tokens_and_keeps_order_and_case(vocabulary):
    ids = vocabulary.encode(["king", "of", "Paris", "KING", "the", "king"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [2, 3, 0, 2]
    assert vocabulary.encode([]).dtype == np.int32
    assert vocabulary.encode(token for token in ["the"]).tolist() == [0]


def test_counts_are_a_copy():
    counts = np.array([2, 1])
    vocabulary = Vocabulary(["a", "b"], counts)
    counts[0] = 99
    assert vocabulary.counts.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("tokens", "counts", "message"),
    [
        (["a", "b", "a"], None, r"'a' in rows 0 and 2"),
        (["a", ""], None, r"'' in row 1"),
        (["a", b"b"], None, r"got bytes in row 1"),
        (["a", None], None, r"got NoneType in row 1"),
        ("abc", None, r"one string"),
        (["a", "\ud800"], None, r"UTF-8"),
        (["a", "b"], [1], r"2 tokens, counts of shape \(1,\)"),
        (["a", "b"], [[1, 2]], r"shape \(1, 2\)"),
        (["a", "b"], [1, -2], r"-2 in row 1"),
        (["a", "b"], [1.5, 2.0], r"whole numbers"),
    ],
)
def test_errors_state_the_rule_and_the_value(tokens, counts, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(tokens, counts)


def test_equality_compares_tokens_and_counts():
    assert Vocabulary(["a", "b"], [2, 1]) == Vocabulary(("a", "b"), np.array([2, 1], np.int32))
    assert Vocabulary(["a", "b"], [2, 1]) != Vocabulary(["b", "a"], [2, 1])
    assert Vocabulary(["a", "b"], [2, 1]) != Vocabulary(["a", "b"], [3, 1])
    assert Vocabulary(["a", "b"], [2, 1]) != Vocabulary(["a", "b"])
    assert Vocabulary(["a"]) == Vocabulary(["a"])
    assert Vocabulary(["a"]) != ["a"]


def test_empty_vocabulary_is_allowed():
    vocabulary = Vocabulary([], [])
    assert len(vocabulary) == 0
    assert vocabulary.lookup("a") == -1
    assert vocabulary.closest("a") == []


def test_repr_is_short():
    assert repr(Vocabulary(["a", "b"], [4, 3])) == "<Vocabulary of 2 tokens ['a', 'b'], 7 counted>"
    assert repr(Vocabulary(list("abcd"))) == "<Vocabulary of 4 tokens ['a', 'b', 'c', ...]>"


def test_pickling_round_trip(vocabulary):
    twin = pickle.loads(pickle.dumps(vocabulary))
    assert twin == vocabulary
    assert twin.token_to_id == vocabulary.token_to_id


def test_closest_puts_the_nearest_first_then_row_order():
    vocabulary = Vocabulary(["kings", "ring", "Knig", "king", "kingdom", "queen"])
    assert vocabulary.closest("king") == ["king", "kings", "ring"]
    assert vocabulary.closest("KING", n=1) == ["king"]
    assert vocabulary.closest("kimg") == ["king"]
    assert vocabulary.closest("zebra") == []


def test_closest_finds_words_typed_without_their_accents():
    vocabulary = Vocabulary(["etc", "été", "grasse", "größe", "cafe"])
    assert vocabulary.closest("ete") == ["été", "etc"]
    assert vocabulary.closest("grosse", n=1) == ["größe"]
    assert vocabulary.closest("Café", n=1) == ["cafe"]


def test_long_words_have_no_suggestions():
    """Edit distance takes quadratic time."""
    word = "king" * 25_000
    assert Vocabulary([word, word + "s"]).closest(word + "d") == []


def naive_distance(left, right):
    """Compute the optimal string alignment distance by its recursive definition."""
    if not left or not right:
        return len(left) + len(right)
    choices = [
        naive_distance(left[:-1], right) + 1,
        naive_distance(left, right[:-1]) + 1,
        naive_distance(left[:-1], right[:-1]) + (left[-1] != right[-1]),
    ]
    if len(left) > 1 and len(right) > 1 and left[-1] == right[-2] and left[-2] == right[-1]:
        choices.append(naive_distance(left[:-2], right[:-2]) + 1)
    return min(choices)


@settings(max_examples=100, deadline=None)
@given(st.text("abc", max_size=5), st.text("abc", max_size=5), st.integers(0, 4))
def test_edit_distance_matches_its_definition(left, right, limit):
    assert edit_distance(left, right, limit) == min(naive_distance(left, right), limit + 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abcD", min_size=1, max_size=6), unique=True, max_size=12), st.text("abcD", max_size=6))
def test_closest_matches_a_search_of_every_token(tokens, word):
    limit = min(3, max(1, len(word) // 3))
    ranked = sorted((naive_distance(word.lower(), token.lower()), row) for row, token in enumerate(tokens))
    expected = [tokens[row] for edits, row in ranked if edits <= limit]
    assert Vocabulary(tokens).closest(word, n=len(tokens) + 1) == expected


def test_lookup_tries_both_normal_forms():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    for stored, asked in ((composed, decomposed), (decomposed, composed)):
        vocabulary = Vocabulary(["a", stored])
        assert [vocabulary.lookup(word) for word in (stored, asked, asked.upper())] == [1, 1, 1]
    both = Vocabulary([composed, decomposed])
    assert [both.lookup(word) for word in (composed, decomposed)] == [0, 1]
    assert both.lookup("th\u00e9") == -1
