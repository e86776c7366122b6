"""Phrase kernels against the slow oracle: counts, scores, passes, connector words, joined text, bounded memory."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import TextCorpus
from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive_phrases
from wordvec import encode_corpus
from wordvec.errors import InputError
from wordvec.phrases import counting
from wordvec.phrases.corpus import PhraseCorpus
from wordvec.phrases.counting import PairCounts, chain_words, count_pairs, new_chains
from wordvec.phrases.learning import learn_phrases
from wordvec.phrases.settings import PhraseSettings

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


def test_long_chains_are_left_out():
    corpus = encode_corpus([["a", *["the"] * 64, "b"], ["c", *["the"] * 65, "d"], ["b", "c"]], min_count=1)
    found, _ = pair_counts(corpus, ("the",))
    assert set(found) == {("a", *["the"] * 64, "b"), ("b", "c")}


# -- text -------------------------------------------------------------------------------------------------------------

TEXT_WORDS = ["new", "york", "times", "of", "the", "x", "new_york", "é\u00a0a"]


@settings(
    max_examples=60 // fewer_without_jit, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sentences=st.lists(st.lists(st.sampled_from(TEXT_WORDS), max_size=9), min_size=1, max_size=9),
    size=st.integers(1, 60),
)
def test_a_corpus_is_joined_like_its_sentences(sentences, size, tmp_path):
    phrases = [
        {("new", "york"): 1.0, ("new", "of", "the", "york"): 1.0, ("é\u00a0a", "x"): 1.0},
        {("new_york", "times"): 1.0, ("new_york", "of", "é\u00a0a_x"): 1.0},
    ]
    expected = sentences
    for found in phrases:
        expected = [naive_phrases.joined(tokens, found.__contains__, ("of", "the"), "_") for tokens in expected]
    (tmp_path / "text").write_text("".join("  ".join(tokens) + " \n" for tokens in sentences))
    corpus = PhraseCorpus(TextCorpus(tmp_path / "text"), phrases, ("of", "the"), "_")
    assert b"".join(corpus.blocks(size)).decode().split("\n")[:-1] == list(corpus)
    assert [line.split() for line in "\n".join(corpus).replace("\u00a0", "~").split("\n")] == [
        [token.replace("\u00a0", "~") for token in tokens] for tokens in expected
    ]
