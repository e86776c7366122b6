"""Full softmax against float64 loops, and bit-identical results at any number of threads."""

import numpy as np
import pytest

from tests.cases.losses import LENGTHS, MODELS, check_epoch, check_same_bytes, needs_threads
from tests.cases.word2vec import LaneCase, random_corpus, wraps_around
from tests.oracles.naive_losses import softmax
from wordvec.kernels.full_softmax import exponential, set_probabilities
from wordvec.kernels.simd import kernel, load, store

pytestmark = wraps_around


@kernel
def exponentials(x, found):
    for k in range(0, x.size, 16):
        store(found, k, exponential(load(x, k)))


def test_exponential_is_accurate():
    x = np.concatenate([[-1e30, -np.inf, -100, -80, -0.0, 0], -np.geomspace(1e-8, 80, 1594)]).astype(np.float32)
    found = np.empty_like(x)
    exponentials(x, found)
    np.testing.assert_allclose(found[3:], np.exp(x[3:].astype(np.float64)), rtol=2e-5)
    np.testing.assert_array_equal(found[:3], found[3], "clamped")
    nothing = np.full(16, np.nan, np.float32)
    exponentials(nothing, found[:16])
    assert np.isnan(found[:16]).all()


@pytest.mark.parametrize("weights", ["sampled", "expected", "flat"])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_an_epoch_matches_the_oracle(model, gradient, weights):
    # Seven words: the padding row up to a multiple of four must not count.
    check_epoch(
        random_corpus(LENGTHS, types=7), loss="softmax", model=model, cbow_gradient=gradient, window_weights=weights,
        vector_size=18, window=3,  # the oracle takes each step as a whole
    )  # fmt: skip


def test_a_hogwild_epoch_of_one_thread_matches_the_oracle():
    check_epoch(random_corpus(LENGTHS, types=7), loss="softmax", mode="hogwild", vector_size=18, window=4)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_vocabulary_of_two(model):
    # Windows cover more places than the vocabulary has words.
    check_epoch(random_corpus(LENGTHS, types=2), loss="softmax", model=model, vector_size=3, window=5)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_more_words_than_one_update_chunk(model):
    check_epoch(random_corpus(LENGTHS, types=75), loss="softmax", model=model, vector_size=16)


def test_probabilities_of_scores_far_from_zero():
    # Padding rows score 0, which would dominate scores of -300 if they were counted as words.
    tile = LaneCase(random_corpus(LENGTHS, types=7), loss="softmax", vector_size=4).tile
    scores = np.random.default_rng(1).normal([-300, 300, 0, -300], [1, 20, 1, 20], (7, 4))
    tile.scores[:28], tile.scores[28:32] = scores.ravel(), 0
    highest, totals = np.zeros(16, np.float32), np.zeros(16, np.float32)
    set_probabilities(tile, 7, highest, totals)
    found = tile.gradients[:28].reshape(7, 4) / totals[:4]
    for t in range(4):
        np.testing.assert_allclose(found[:, t], softmax(scores[:, t]), rtol=2e-4, atol=1e-30)
    np.testing.assert_allclose(highest, np.tile(scores.max(axis=0), 4), rtol=1e-6)


@needs_threads
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_saved_files_are_identical_at_any_number_of_threads(model, monkeypatch, tmp_path):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    check_same_bytes(tmp_path, loss="softmax", model=model)
