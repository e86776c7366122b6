"""Costs of misspellings: against trying all edits, and learned from pairs."""

import math

import numpy as np
import pytest

from tests.oracles import naive_spelling as oracle
from wordvec import InputError
from wordvec.applications import error_model
from wordvec.applications.error_model import ENGLISH, KINDS, ErrorModel, parse_errors


def random_model(seed):
    draw = np.random.default_rng(seed)
    return ErrorModel(tuple(draw.uniform(1, 9, 10)), tuple(draw.uniform(1, 9, 10)), 1.3)


def random_words(draw, count, letters="abe"):
    return ["".join(draw.choice(list(letters), draw.integers(1, 7))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_costs_equal_the_cheapest_of_all_edits(seed):
    model, draw = random_model(seed), np.random.default_rng(seed)
    words, typed = random_words(draw, 400), random_words(draw, 400)
    pairs = [pair for pair in zip(words, typed, strict=True) if pair[0] != pair[1]]
    expected = [oracle.cost(*pair, model.costs, model.first_costs, model.second_cost) for pair in pairs]
    assert 50 < sum(map(math.isfinite, expected)) < len(expected) - 50
    assert np.allclose(model.costs_of(*map(list, zip(*pairs, strict=True))), expected)


def test_costs_do_not_depend_on_the_other_pairs(monkeypatch):
    pairs = [("a", "abc"), ("receive", "recieve"), ("abcdefgh", "b"), ("queue", "que"), ("straße", "strase")]
    alone = [ENGLISH.cost(*pair) for pair in pairs]
    monkeypatch.setattr(error_model, "_BLOCK", 2)
    assert ENGLISH.costs_of(*map(list, zip(*pairs, strict=True))).tolist() == alone
    assert ENGLISH.costs_of([], []).tolist() == []
    assert ENGLISH.cost("same", "same") == 0


@pytest.mark.parametrize(
    ("word", "typed", "first", "kind"),
    [
        ("adder", "ader", False, "drop doubled"),
        ("abe", "ab", False, "drop vowel"),
        ("able", "ble", True, "drop vowel"),
        ("abc", "ac", False, "drop consonant"),
        ("abc", "abbc", False, "add doubled"),
        ("abc", "abca", False, "add vowel"),
        ("abc", "cabc", True, "add consonant"),
        ("dép", "dop", False, "replace vowel by vowel"),
        ("abc", "adc", False, "replace consonant by consonant"),
        ("abc", "bbc", True, "replace vowel and consonant"),
        ("abc", "acb", False, "swap"),
        ("abc", "bac", True, "swap"),
    ],
)
def test_kinds_of_edits(word, typed, first, kind):
    costs = [[50.0] * 10, [50.0] * 10]
    costs[first][KINDS.index(kind)] = 1.5
    assert ErrorModel(tuple(costs[0]), tuple(costs[1]), 2.0).cost(word, typed) == 1.5


def test_learning_recovers_a_model():
    """From misspellings drawn with known numbers of edits of two kinds."""
    words = ["banana", "tornado", "capital", "desolate", "monitor"]
    pairs = [(word, word[:2] + word[3] + word[2] + word[4:]) for word in words] * 60
    pairs += [(word, word[:-1]) for word in words] * 20
    flat = ErrorModel((4.0,) * 10, (4.0,) * 10, 2.0)
    model = ErrorModel.learned([*pairs, ("far", "away"), ("same", "same")], flat)
    places = sum(len(word) - 2 for word in words)  # swaps after the first letter
    swap = math.exp(-model.costs[KINDS.index("swap")])
    assert swap == pytest.approx((300 + 10) / (80 * places + 10 * math.exp(4)), rel=0.05)
    assert model.cost("canada", "cnaada") < model.cost("canada", "cxnada")
    assert model.second_cost > 4, "none has two edits"


def test_lists_of_errors():
    assert parse_errors(["Receive: recieve  RECEVE", "", "their\tthier"]) == [
        ("receive", "recieve"), ("receive", "receve"), ("their", "thier"),
    ]  # fmt: skip
    for line in ("receive", "receive:", ": recieve"):
        with pytest.raises(InputError, match=r"^e\.txt:2: expected a word, a colon and its misspellings"):
            parse_errors(["a: b", line], "e.txt")


def test_invalid_models():
    with pytest.raises(InputError, match="costs must be 10 numbers, one per kind, got 1"):
        ErrorModel((1.0,), (1.0,) * 10, 2.0)
    with pytest.raises(InputError, match="no pair of a word and a misspelling is one or two edits apart"):
        ErrorModel.learned([("far", "away")])
