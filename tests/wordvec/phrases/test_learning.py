"""Phrases against the slow oracle: counts, scores, several passes, connector words, bounded memory."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive_phrases
from wordvec import encode_corpus
from wordvec.errors import InputError
from wordvec.phrases import counting
from wordvec.phrases.counting import PairCounts, chain_words, count_pairs, new_chains
from wordvec.phrases.learning import learn_phrases
from wordvec.phrases.scoring import npmi_scores, word2phrase_scores
from wordvec.phrases.settings import ENGLISH_CONNECTOR_WORDS, PhraseSettings

pytestmark = wraps_around

WORDS = ["new", "york", "new_york", "times", "york_times", "of", "the", "_", "é", "bank"]
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), min_size=0, max_size=14), min_size=1, max_size=12)


def learn(sentences, threads=1, **given):
    """Learn phrases, or return an empty list where the text has none."""
    try:
        return learn_phrases(encode_corpus(sentences, min_count=1), PhraseSettings(**given), threads=threads)
    except InputError:
        return []


@settings(max_examples=80 // fewer_without_jit, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sentences=SENTENCES.filter(any),
    min_count=st.integers(1, 3),
    scoring=st.sampled_from(["default", "npmi"]),
    passes=st.integers(1, 3),
    connectors=st.sampled_from([(), ("of", "the"), ("the", "_"), ("nowhere",)]),
    delimiter=st.sampled_from(["_", "__", "é"]),
    chunk=st.integers(1, 9),
)
def test_phrases_equal_the_oracle(sentences, min_count, scoring, passes, connectors, delimiter, chunk):
    threshold = 0.6 if scoring == "default" else 0.1
    expected, _ = naive_phrases.learned(
        sentences, passes, threshold, connectors, delimiter, min_count=min_count, scoring=scoring
    )
    given = {"min_count": min_count, "scoring": scoring, "passes": passes, "threshold": threshold}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_CHUNK", chunk)
        found = learn(sentences, connector_words=connectors, delimiter=delimiter, **given)
    assert [set(phrases) for phrases in found] == [set(phrases) for phrases in expected]
    for phrases, wanted in zip(found, expected, strict=True):
        assert phrases == pytest.approx(wanted, rel=1e-12)
        assert list(phrases.values()) == sorted(phrases.values(), reverse=True)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    monkeypatch.setattr(counting, "_CHUNK", 50)
    draw = np.random.default_rng(5)
    sentences = [[f"w{k}" for k in draw.integers(0, 9, 40)] for _ in range(60)]
    given = {"min_count": 1, "threshold": 0.05, "passes": 3, "connector_words": ["w1", "w3"]}
    one = learn(sentences, **given)
    assert len(one) == 2
    assert learn(sentences, threads=3, **given) == one


def test_english_connector_words():
    sentences = [["bank", "of", "the", "america"], ["a", "bank"], ["of", "america"]] * 3
    (found,) = learn(sentences, min_count=1, threshold=0.1, connector_words="english")
    assert set(found) == {("bank", "of", "the", "america")}
    assert len(ENGLISH_CONNECTOR_WORDS) == 15


# -- counting ---------------------------------------------------------------------------------------------------------


def pair_counts(corpus, connectors=(), most=10**6, threads=1):
    tokens, bits = corpus.vocabulary.tokens, 5
    chains = new_chains(tokens, connectors, bits)
    found = count_pairs(corpus.ids, corpus.offsets, chains, bits, threads=threads, most=most)
    chain = chain_words(chains, connectors)
    words = [(tokens[key >> 5 & 31], *chain[key >> 10], tokens[key & 31]) for key in map(int, found.keys)]
    return dict(zip(words, zip(found.counts.tolist(), found.errors.tolist(), strict=True), strict=True)), found.error


def test_pruned_counts_stay_within_their_error(monkeypatch):
    monkeypatch.setattr(counting, "_CHUNK", 100)
    draw = np.random.default_rng(7)
    sentences = [[f"w{k}" for k in draw.zipf(1.3, 50) % 30] for _ in range(40)]
    corpus = encode_corpus(sentences, min_count=1)
    exact, none = pair_counts(corpus)
    pruned, error = pair_counts(corpus, most=40)
    assert none == 0 < error <= len(corpus.ids) / 21
    assert 0 < len(pruned) <= 40 + 100
    for words, (count, _) in exact.items():
        seen, missed = pruned.get(words, (0, error))
        assert seen <= count <= seen + missed
        assert missed <= error


def test_pruning_is_reported(monkeypatch, caplog):
    monkeypatch.setattr(counting, "_CHUNK", 6)
    assert learn(["a b a b a b a b a b c d e f g h i j"], min_count=1, threshold=0.1, max_pairs_in_memory=4)
    assert "max_pairs_in_memory = 4 distinct pairs" in caplog.text


def test_merging_nothing():
    empty = PairCounts.empty()
    assert len(empty.merged(empty.keys, empty.counts).keys) == 0


def test_chains_beyond_the_trie_are_left_out(monkeypatch):
    monkeypatch.setattr(counting, "_TRIE", 4)  # two chains of two connector words
    corpus = encode_corpus([["a", "of", "b", "the", "c", "d"]], min_count=1)
    found, _ = pair_counts(corpus, ("of", "the"))
    assert set(found) == {("a", "of", "b"), ("c", "d")}


# -- scores -----------------------------------------------------------------------------------------------------------


def test_scores_by_hand():
    first, second, both = np.array([10, 4]), np.array([5, 4]), np.array([5, 2])
    assert word2phrase_scores(first, second, both, types=100, min_count=2) == pytest.approx([6.0, 0.0])
    expected = np.log([0.05 / (0.1 * 0.05), 0.02 / 0.04**2]) / -np.log([0.05, 0.02])
    assert npmi_scores(first, second, both, tokens=100) == pytest.approx(expected)


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "given", "message"),
    [
        (
            ["a b", "b a"],
            {},
            "no pair of words occurs at least min_count = 5 times (the most frequent, 'a b', occurs 1 ",
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
