"""Scores, connector words and settings of phrase detection; texts without phrases."""

import numpy as np
import pytest

from wordvec import encode_corpus
from wordvec.errors import InputError
from wordvec.phrases.learning import learn_phrases
from wordvec.phrases.scoring import npmi_scores, word2phrase_scores
from wordvec.phrases.settings import ENGLISH_CONNECTOR_WORDS, PhraseSettings


def test_english_connector_words():
    sentences = [["bank", "of", "the", "america"], ["a", "bank"], ["of", "america"]] * 3
    settings = PhraseSettings(min_count=1, threshold=0.1, connector_words="english")
    (found,) = learn_phrases(encode_corpus(sentences, min_count=1), settings)
    assert set(found) == {("bank", "of", "the", "america")}
    assert len(ENGLISH_CONNECTOR_WORDS) == 15


# -- scores -----------------------------------------------------------------------------------------------------------


def test_scores_by_hand():
    first, second, both = np.array([10, 4]), np.array([5, 4]), np.array([5, 2])
    assert word2phrase_scores(first, second, both, types=100, min_count=2) == pytest.approx([6.0, 0.0])
    expected = np.log([0.05 / (0.1 * 0.05), 0.02 / 0.04**2]) / -np.log([0.05, 0.02])
    assert npmi_scores(first, second, both, tokens=100) == pytest.approx(expected)


def test_a_function_scores_all_pairs_of_a_pass_at_once():
    calls = []

    def share_of_first(first, second, pairs, **totals):
        calls.append((first, second, pairs, totals))
        return pairs / first

    corpus = encode_corpus(["a b c", "a b", "a c c"], min_count=1)
    (found,) = learn_phrases(corpus, PhraseSettings(min_count=1, threshold=0.4, scoring=share_of_first))
    assert found == {("a", "b"): 2 / 3, ("b", "c"): 1 / 2}  # not (a, c) and (c, c)
    ((first, second, pairs, totals),) = calls
    assert sorted(zip(first, second, pairs, strict=True)) == [(2, 3, 1), (3, 2, 2), (3, 3, 1), (3, 3, 1)]
    assert totals == {"types": 3 + 4, "tokens": 8, "min_count": 1}


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (1.0, "scores must have shape (1,), got ()"),
        ([float("nan")], "scores must be finite, got nan at position 0"),
        (["a"], "scores must hold real numbers, got "),
    ],
)
def test_what_a_function_returns_is_checked(scores, message):
    settings = PhraseSettings(min_count=1, scoring=lambda *_counts, **_totals: scores)
    with pytest.raises(InputError) as error:
        learn_phrases(encode_corpus(["a b"], min_count=1), settings)
    assert str(error.value).startswith(message)


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "given", "message"),
    [
        (
            ["a b", "b a"],
            {},
            "no pair of words occurs at least min_count = 5 times (the most frequent, 'a b', occurs once); lower ",
        ),
        (["a b"] * 9, {}, "scores above threshold = 10 (the best, 'a b', scores 0.148); lower threshold"),
        (["a b"] * 9, {"scoring": "npmi", "threshold": 1}, "threshold = 1"),
        (["a the"] * 9, {"connector_words": ["the"]}, "connector words separate or are all of its words"),
        (["a", "b"], {}, "no two words are in the same sentence"),
    ],
)
def test_a_text_without_phrases_is_rejected(texts, given, message):
    with pytest.raises(InputError) as error:
        learn_phrases(encode_corpus(texts, min_count=1), PhraseSettings(**given))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"threshold": 0}, "threshold must be above 0, got 0"),
        ({"scoring": "npmi"}, "threshold must be between -1 and 1 with scoring npmi, got 10; try 0.5"),
        ({"threshold": float("nan")}, "threshold must be a finite number"),
        ({"min_count": 0}, "min_count must be at least 1, got 0"),
        ({"passes": 0}, "passes must be at least 1, got 0"),
        ({"scoring": "pmi"}, "scoring must be one of default, npmi, got 'pmi'"),
        ({"delimiter": " "}, "delimiter must be a string without white space, got ' '"),
        ({"delimiter": ""}, "delimiter must be a string without white space, got ''"),
        ({"delimiter": "\udcff"}, r"delimiter must be text that UTF-8 can encode, got '\udcff'"),
        ({"connector_words": "of the"}, "connector_words must be \"english\" or a list of words, got 'of the'"),
        ({"connector_words": ["of", ""]}, "connector_words contains ''"),
        ({"connector_words": 5}, "connector_words must be"),
        ({"max_pairs_in_memory": 1}, "max_pairs_in_memory must be at least 2"),
    ],
)
def test_settings_are_checked(given, message):
    with pytest.raises(InputError) as error:
        PhraseSettings(**given)
    assert str(error.value).startswith(message)
