"""Subwords: fastText's hashing, and rounds of several lanes against the oracle."""

import itertools

import numpy as np
import pytest

from tests.cases.word2vec import drawn_from, epoch_key, random_corpus, wraps_around
from tests.kernels.test_lanes import needs_jit, train_round
from tests.oracles import naive
from wordvec import Word2VecSettings
from wordvec.formats.ngrams import Ngrams, composed_vectors
from wordvec.formats.table import SubwordTable
from wordvec.word2vec.epoch import Trainer

pytestmark = wraps_around

TYPES, SIZE = 60, 20


def test_buckets_are_those_of_fasttext():
    """The buckets that the fasttext package, 0.9.3, returns for n-grams of 3 to 6 characters in 2,000,000 buckets."""
    expected = {
        "where": [167652, 989715, 1526707, 1071586, 420941, 312621, 969176, 121234, 1473420, 1540811, 114991, 1529033,
                  1568469, 867498],
        "über": [1793082, 1664269, 716781, 820905, 255527, 904527, 1599331, 485366, 900056, 742840],
        "日本語": [758587, 4581, 524609, 35559, 928923, 1674355],
        "a": [1087600],
        "": [],
        "</s>": [],
    }  # fmt: skip
    bounds, buckets = Ngrams(3, 6, 2_000_000).hash(list(expected))
    found = [buckets[start:end].tolist() for start, end in itertools.pairwise(bounds)]
    assert found == list(expected.values())


@pytest.mark.parametrize(
    ("word", "low", "high", "ngrams"),
    [
        ("ab", 1, 2, ["<a", "a", "ab", "b", "b>"]),  # no boundary alone
        ("é", 1, 3, ["<é", "<é>", "é", "é>"]),  # characters, not bytes
        ("abc", 4, 9, ["<abc", "<abc>", "abc>"]),
    ],
)
def test_ngrams_of_a_word(word, low, high, ngrams):
    def fnv(text):
        value = 2166136261
        for byte in text.encode():
            value = (value ^ ((byte - 256) & 0xFFFFFFFF if byte > 127 else byte)) * 16777619 & 0xFFFFFFFF
        return value % 1000

    assert Ngrams(low, high, 1000).hash([word])[1].tolist() == [fnv(ngram) for ngram in ngrams]


@pytest.mark.parametrize("merges", [False, True])
@pytest.mark.parametrize(("threads", "hashes"), [(1, None), pytest.param(3, None, marks=needs_jit), (1, 2)])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_rounds_match_the_oracle(model, threads, hashes, merges, monkeypatch):
    monkeypatch.setattr("wordvec.word2vec.epoch.safe_round", lambda _, of, *__: (of.lanes, of.lane_tokens))
    monkeypatch.setattr(Word2VecSettings, "first_range", 1.7 * SIZE**0.5)  # standard deviation 1 / sqrt(SIZE)
    n_buckets = 900 if merges else 50
    corpus = random_corpus(types=TYPES)
    settings = Word2VecSettings(
        model, vector_size=SIZE, window=3, epochs=1, learning_rate=0.05, min_learning_rate=0.01, subsample=0.1,
        lanes=4, lane_tokens=64, subwords="2-3", buckets=n_buckets,
        subword_hashes=hashes,
    ).resolved()  # fmt: skip
    trainer = Trainer(corpus, settings, threads, merges=merges)
    assert (trainer.table_rows < 2 * TYPES + len(trainer.buckets)) == merges
    contexts = trainer.rows()[1]
    contexts[:] = np.random.default_rng(8).standard_normal(contexts.shape) / np.sqrt(SIZE)

    bounds, buckets = Ngrams(2, 3, n_buckets, hashes).hash(corpus.vocabulary.tokens)
    assert len(np.unique(buckets)) == len(trainer.buckets) < len(buckets)
    parts = np.zeros((TYPES, TYPES + len(trainer.buckets)))  # how often each row is part of each word
    for word in range(TYPES):
        parts[word, word] = hashes is None
        for bucket in buckets[bounds[word] : bounds[word + 1]]:
            parts[word, TYPES + trainer.buckets.tolist().index(bucket)] += 1
    means = parts / parts.sum(axis=1, keepdims=True)
    alone = (parts > 0).sum(axis=0) == 1  # parts that one word has learn twice as fast
    assert alone.any() or hashes
    rates = 1 + (alone & (model == "skipgram"))

    found = trainer.copied_rows()
    inputs, contexts = np.concatenate([found.words, found.ngrams]).astype(float), contexts.astype(float)
    composed = means @ inputs
    before, trained = composed.copy(), 0
    for _ in naive.train_rounds(
        model, composed, contexts, drawn_from(corpus, settings), trainer.bounds.tolist(), key=epoch_key(settings),
        rates=(0.05, 0.01), slice_size=64,
        settings=(3, settings.window_weights, 5, settings.shared_negatives, settings.negatives_per_tile),
    ):  # fmt: skip
        inputs += (rates * parts).T @ (composed - before)
        composed[:] = means @ inputs
        before = composed.copy()
        train_round(trainer, threads)
        found = trainer.copied_rows()
        np.testing.assert_allclose(np.concatenate([found.words, found.ngrams]), inputs, atol=1e-4)
        np.testing.assert_allclose(found.contexts, contexts, atol=1e-4)
        own = found.words if hashes is None else found.words[:0]
        order = np.argsort(trainer.buckets)
        table = SubwordTable(2, 3, n_buckets, own, found.ngrams[order], trainer.buckets[order], hashes=hashes)
        np.testing.assert_allclose(composed_vectors(table, corpus.vocabulary.tokens), composed, atol=1e-4)
        trained += 1
    assert trained > 1
