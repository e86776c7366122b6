"""The kernels that count co-occurrences against exact fractions, with and without runs to merge."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import corpus_of, fewer_without_jit, random_corpus, wraps_around
from tests.oracles import naive, naive_frequency
from wordvec.count_based.cooccurrence import count_cooccurrences
from wordvec.count_based.settings import CooccurrenceSettings
from wordvec.encoding.subsampling import keep_probabilities

pytestmark = wraps_around

LEAST = 15_000
"""A budget that holds no more than a few hundred tokens of a small vocabulary at a time."""


def sentences_of(corpus):
    ids, offsets = corpus.ids.tolist(), corpus.offsets.tolist()
    return [ids[start:end] for start, end in itertools.pairwise(offsets)]


def assert_counts(corpus, **chosen):
    """Cells, their types and their order are those of the oracle."""
    counting = CooccurrenceSettings(**chosen)
    matrix = count_cooccurrences(corpus, counting, threads=1).counts
    types = len(corpus.vocabulary)
    cells = naive_frequency.cooccurrences(
        sentences_of(corpus), types, counting.window, counting.contexts, counting.window_weights
    )
    assert (matrix.shape, len(matrix.data)) == ((types, types), len(cells))
    assert (matrix.data.dtype, matrix.indices.dtype, matrix.indptr.dtype) == (np.float32, np.int32, np.int64)
    rows = np.repeat(np.arange(types), np.diff(matrix.indptr))
    assert list(zip(rows.tolist(), matrix.indices.tolist(), strict=True)) == sorted(cells)
    assert matrix.data.tolist() == [np.float32(float(cells[cell])) for cell in sorted(cells)]
    return matrix


@settings(max_examples=60 // fewer_without_jit, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sentences=st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=8),
    window=st.integers(1, 15),
    contexts=st.sampled_from(["both", "left", "right"]),
    weighting=st.sampled_from(["harmonic", "flat", "dynamic"]),
)
def test_cells_are_exact(sentences, window, contexts, weighting):
    ids = [token for sentence in sentences for token in sentence]
    corpus = corpus_of(ids, np.cumsum([0, *map(len, sentences)]), types=6)
    assert_counts(corpus, window=window, contexts=contexts, window_weights=weighting)


def test_columns_beyond_one_word_of_bits_are_in_order():
    corpus = random_corpus([40] * 25, types=5000)
    matrix = assert_counts(corpus, window=9)
    assert matrix.indices.max() > 4096


@pytest.mark.parametrize("contexts", ["both", "left"])
def test_runs_of_parts_add_up(contexts):
    corpus = random_corpus([0, 300, 1, 2, 400], types=60)
    counting = CooccurrenceSettings(7, contexts)
    found = count_cooccurrences(corpus, counting, threads=1, memory=LEAST).counts
    expected = naive_frequency.dense(naive_frequency.cooccurrences(sentences_of(corpus), 60, 7, contexts), 60)
    assert np.array_equal(found.toarray(), expected)


@pytest.mark.parametrize("mode", ["dirty", "clean"])
@pytest.mark.parametrize("memory", [LEAST, 1 << 30])
def test_dropped_words_leave_their_places_or_do_not(mode, memory, monkeypatch):
    corpus = random_corpus([0, 30, 0, 1, 200, 2, 0, 300, 90, 5, 170, 17, 0], types=60)
    monkeypatch.setattr("wordvec.count_based.pair_counting._READ", 100)
    counting = CooccurrenceSettings(4, subsample=0.005, subsample_mode=mode, seed=5)
    key = int(np.random.SeedSequence([5, 0]).generate_state(1, np.uint64)[0])
    thresholds = np.rint(keep_probabilities(corpus.vocabulary.counts, 0.005) * 2.0**32)
    ids, offsets = corpus.ids.tolist(), corpus.offsets.tolist()
    kept = {position for position, _, _ in naive.kept_tokens(ids, offsets, thresholds, key, 0, len(ids))}
    assert 0.2 < len(kept) / len(ids) < 0.8
    sentences = naive_frequency.subsampled(ids, offsets, kept.__contains__, mode)
    expected = naive_frequency.dense(naive_frequency.cooccurrences(sentences, 60, 4), 60)
    found = count_cooccurrences(corpus, counting, threads=1, memory=memory).counts
    assert np.array_equal(found.toarray(), expected)
