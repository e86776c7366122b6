"""Spelling correction: candidates against trying all words, choices, case, running text, and Norvig's test set."""

import numpy as np
import pytest

from corpora import TextCorpus
from wordvec import InputError, Vocabulary, WordVectors, encode_corpus
from wordvec.applications.deletions import DeletionIndex
from wordvec.applications.error_model import ENGLISH, ErrorModel, parse_errors
from wordvec.applications.spelling import SpellingCorrector
from wordvec.vocabulary import edit_distance

VOCABULARY = Vocabulary(
    ["the", "their", "there", "address", "don't", "london", "12th", "42"], [90, 30, 40, 2, 9, 5, 3, 3]
)


@pytest.fixture(scope="module")
def corrector():
    return SpellingCorrector(VOCABULARY)


def test_the_index_finds_all_words_within_two_edits():
    draw = np.random.default_rng(1)
    words = ["".join(draw.choice(list("abc"), draw.integers(1, 8))) for _ in range(300)]
    queries = ["".join(draw.choice(list("abcd"), draw.integers(1, 8))) for _ in range(50)]
    found = set(zip(*(each.tolist() for each in DeletionIndex([*words, "", "x" * 40]).near(queries)), strict=True))
    expected = {
        (query, row) for query, a in enumerate(queries) for row, b in enumerate(words) if edit_distance(a, b, 2) <= 2
    }
    assert expected <= found
    assert len(found) < 3 * len(expected)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("thier", "their"), ("Adress", "Address"), ("ADRESS", "ADDRESS"), ("There", "There"), ("tHE", "tHE"),
        ("dont", "don't"), ("Londno", "London"), ("xyzzy", "xyzzy"), ("", ""), ("7", "7"), ("4", "4"), ("q", "q"),
        ("!?", "!?"), ("12thh", "12th"), ("a" * 100, "a" * 100), ("adres", "address"),
    ],
)  # fmt: skip
def test_words(corrector, word, expected):
    assert corrector.correct(word) == expected


def test_the_choice_maximizes_count_times_probability(corrector):
    scores = {
        word: np.log(count) - ENGLISH.cost(word, "thre")
        for word, count in zip(VOCABULARY.tokens, VOCABULARY.counts, strict=True)
    }
    ranked = sorted((word for word in scores if np.isfinite(scores[word])), key=scores.get, reverse=True)
    found = corrector.suggestions("thre", 9)
    assert [word for word, _ in found] == ranked
    assert np.allclose([score for _, score in found], [scores[word] for word in ranked])
    assert found.table_columns()["token"][0] == found[0][0]
    assert corrector.suggestions("there") == []
    assert corrector.suggestions_of(["thre", "thre", "the"], 1) == [found[:1], found[:1], []]


def test_words_together_equal_words_alone(corrector):
    words = ["thier", "Adress", "thier", "the", "zzz"]
    assert corrector.correct_words(words) == list(map(corrector.correct, words))
    assert corrector.correct_words([]) == []


def test_text_keeps_everything_else(corrector):
    text = " Thier  adress,\t42 (dont)\n\nTHE Londn’s london's _thre_ don’t end.. "
    assert corrector.correct_text(text) == " Their  address,\t42 (don't)\n\nTHE London’s london's _there_ don’t end.. "
    assert corrector.correct_texts(["", "thier"]) == ["", "their"]


def test_context_decides_between_similar_words():
    words = Vocabulary(["bread", "beard", "eat", "shave"], [9, 9, 9, 9])
    rows = np.array([[2, 0], [0, 2], [2, 0], [0, 2]])
    wv = WordVectors(words, rows, context_vectors=rows)
    corrector = SpellingCorrector(words)
    texts = ["Eat berad", "Shave berad", "eat berad the shave shave", "berad", "shave zzzzz zzzzz zzzzz berad eat"]
    assert corrector.correct_texts(texts, wv) == [
        "Eat bread", "Shave beard", "eat beard the shave shave", corrector.correct("berad"),
        "shave zzzzz zzzzz zzzzz bread eat",
    ]  # fmt: skip
    with pytest.raises(InputError, match="these vectors have no context vectors"):
        corrector.correct_text("berad", WordVectors(words, rows))


def test_invalid_arguments(corrector):
    with pytest.raises(InputError, match="needs the counts of words"):
        SpellingCorrector(Vocabulary(["a"]))
    for call, message in [
        (lambda: SpellingCorrector(["a"]), "vocabulary must be Vocabulary, got list"),
        (lambda: corrector.correct(7), "a word must be str, got int"),
        (lambda: corrector.correct_text(None), "text must be str, got NoneType"),
        (lambda: corrector.suggestions("thier", 0), "top must be at least 1, got 0"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


@pytest.fixture(scope="module")
def english(public_data):
    texts = TextCorpus(str(public_data / "spell/big.txt.xz"), tokenizer="words", lowercase=True, unit="paragraph")
    return SpellingCorrector(encode_corpus(texts, min_count=1).vocabulary)


@pytest.fixture(scope="module")
def errors(public_data):
    return parse_errors((public_data / "spell/spell-testset1.txt").read_text(encoding="utf-8").splitlines())


def test_accuracy_on_norvigs_first_test_set(english, errors):
    """His corrector, without an error model, has 74.8 %."""
    assert len(errors) == 270
    found = english.correct_words([typed for _, typed in errors])
    right = [best == word for (word, _), best in zip(errors, found, strict=True)]
    assert np.mean(right) >= 0.82


def test_a_model_learned_on_half_of_the_test_set_expects_the_other_half(errors):
    flat = ErrorModel((5.0,) * 10, (5.0,) * 10, 2.0)
    half = {word for word, _ in errors[::2]}
    learning, test = ([pair for pair in errors if (pair[0] in half) == side] for side in (True, False))
    words, typed = map(list, zip(*test, strict=True))
    costs = [model.costs_of(words, typed) for model in (flat, ErrorModel.learned(learning, flat))]
    means = [float(each[np.isfinite(each)].mean()) for each in costs]
    assert means[1] < means[0] - 0.1, means
