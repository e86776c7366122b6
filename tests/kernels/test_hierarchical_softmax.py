"""Hierarchical softmax against float64 loops, and bit-identical results at any number of threads."""

import numpy as np
import pytest

from tests.cases.losses import LENGTHS, MODELS, check_epoch, check_same_bytes, needs_threads
from tests.cases.word2vec import corpus_of, random_corpus, wraps_around
from wordvec.kernels.simd import JIT_OFF
from wordvec.system.huffman import huffman_tree

pytestmark = wraps_around


@pytest.mark.parametrize("weights", ["sampled", "expected", "flat"])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_an_epoch_matches_the_oracle(model, gradient, weights):
    check_epoch(
        random_corpus(LENGTHS, types=7), loss="hierarchical", model=model, cbow_gradient=gradient,
        window_weights=weights, vector_size=18, window=4,
    )  # fmt: skip


def test_a_hogwild_epoch_of_one_thread_matches_the_oracle():
    check_epoch(random_corpus(LENGTHS, types=7), loss="hierarchical", mode="hogwild", vector_size=18, window=4)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_vocabulary_of_two(model):
    check_epoch(random_corpus(LENGTHS, types=2), loss="hierarchical", model=model, vector_size=3, window=2)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_long_paths_and_wide_windows(model):
    # Each word is twice as frequent as the next: paths of one to nine nodes.
    counts = [2 ** (6 - k // 2) for k in range(10)] if JIT_OFF else [2 ** (9 - k) for k in range(10)]
    ids = np.random.default_rng(1).permutation(np.repeat(np.arange(10), counts))
    corpus = corpus_of(ids, [0, 5, len(ids) // 2, len(ids)], 10)
    paths = np.diff(huffman_tree(corpus.vocabulary.counts).offsets)
    assert JIT_OFF or (paths.min(), paths.max()) == (1, 9)
    check_epoch(corpus, loss="hierarchical", model=model, vector_size=16, window=11, tolerance=1e-3)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("preset", ["gensim", "word2vec.c"])
def test_presets_skip_scores_beyond_six(preset, model):
    check_epoch(
        random_corpus(LENGTHS, types=7), preset=preset, loss="hierarchical", model=model, vector_size=18, window=4,
        scale=4.5, tolerance=2e-5, saturates=True,
    )  # fmt: skip


@needs_threads
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_saved_files_are_identical_at_any_number_of_threads(model, monkeypatch, tmp_path):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    check_same_bytes(tmp_path, loss="hierarchical", model=model)
