"""Separate negatives per pair against float64 loops, and bit-identical results at any number of threads."""

import pytest

from tests.cases.losses import LENGTHS, MODELS, check_epoch, check_same_bytes, needs_threads
from tests.cases.word2vec import random_corpus, wraps_around

pytestmark = wraps_around


@pytest.mark.parametrize("weights", ["sampled", "expected", "flat"])
@pytest.mark.parametrize(("model", "gradient"), MODELS)
def test_an_epoch_matches_the_oracle(model, gradient, weights):
    # Few types, so that negatives hit positives and words repeat within a window; no multiples of four.
    check_epoch(
        random_corpus(LENGTHS, types=7), fresh_negatives=True, model=model, cbow_gradient=gradient,
        window_weights=weights, vector_size=18, window=4,
    )  # fmt: skip


def test_a_hogwild_epoch_of_one_thread_matches_the_oracle():
    check_epoch(
        random_corpus(LENGTHS, types=7), fresh_negatives=True, model="cbow", mode="hogwild", vector_size=18, window=4
    )


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_vocabulary_of_two(model):
    check_epoch(random_corpus(LENGTHS, types=2), fresh_negatives=True, model=model, vector_size=3, window=2)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_more_negatives_than_vector_lanes(model):
    check_epoch(random_corpus(LENGTHS, types=40), fresh_negatives=True, model=model, vector_size=16, negatives=21)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("preset", ["gensim", "word2vec.c"])
def test_presets_handle_scores_beyond_six_like_their_programs(preset, model):
    check_epoch(
        random_corpus(LENGTHS, types=7), preset=preset, model=model, vector_size=18, window=4, scale=4.5,
        tolerance=2e-5, saturates=True,
    )  # fmt: skip


@needs_threads
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_saved_files_are_identical_at_any_number_of_threads(model, monkeypatch, tmp_path):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    check_same_bytes(tmp_path, fresh_negatives=True, model=model)
