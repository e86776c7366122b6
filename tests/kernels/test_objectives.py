"""Every loss beside shared negatives, for both models, against plain loops in float64: whole epochs of one lane.

The loops are proved to be gradients of their losses by ``test_naive_losses.py``.
"""

import numpy as np
import pytest

from tests import naive, naive_losses
from tests.word2vec_cases import (
    SENTENCES,
    corpus_of,
    drawn_from,
    epoch_key,
    random_corpus,
    start_epoch,
    train_epoch,
    wraps_around,
)
from wordvec import Word2VecSettings
from wordvec.huffman import huffman_tree
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around

LENGTHS = [0, 9, 1, 2, 31, 0, 5] if JIT_OFF else SENTENCES

LOSSES = {
    "fresh": {"fresh_negatives": True},
    "hierarchical": {"loss": "hierarchical"},
    "softmax": {"loss": "softmax"},
}


def windows_of(kept, key, settings):
    """Place and weight of the contexts of every kept token."""
    return [dict(found) for found in naive.contexts_of(kept, key, settings.window, settings.window_weights)]


def check_epoch(corpus, *, scale=1.0, tolerance=2e-4, **options):
    """Train with the engine and with the oracle; compare vectors and the loss."""
    settings = Word2VecSettings(
        **options, subsample=0.1, learning_rate=0.1, min_learning_rate=0.1, epochs=1, lanes=1, lane_tokens=64
    )
    trainer, *_ = start_epoch(corpus, settings)
    trainer.table[:] *= scale
    rows, types, size = trainer.rows(), len(corpus.vocabulary), settings.vector_size
    tables = [side.astype(np.float64) for side in rows]
    resolved, drawn, key = trainer.settings, drawn_from(corpus, settings), epoch_key(settings)
    kept = naive.kept_tokens(*drawn[:3], key, 0, len(corpus.ids))
    loss, pairs = naive_losses.train_lane(
        "fresh" if resolved.fresh_negatives else resolved.loss, resolved.model, *tables, kept,
        windows_of(kept, key, resolved), key=key, window=resolved.window, negatives=resolved.negatives,
        alias_table=drawn[3], rate=0.1, divide=resolved.cbow_gradient == "mean",
        paths=naive_losses.paths_of_words(*huffman_tree(corpus.vocabulary.counts)),
        from_context=resolved.context_predicts_center, saturation=resolved.saturation,
    )  # fmt: skip
    before = [side.copy() for side in rows]
    found = train_epoch(trainer)
    assert found.loss == pytest.approx(loss / pairs, rel=tolerance)
    for side, wanted, first in zip(rows, tables, before, strict=True):
        np.testing.assert_allclose(side, wanted, atol=tolerance * scale)
        assert np.abs(wanted - first).max() > 0.1
    padded = trainer.memory.reshape(-1, trainer.stride)
    assert not padded[: 2 * types, size:].any(), "padding moved"
    assert not padded[2 * types :: trainer.private_rows].any(), "a padding row moved"
    return found


@pytest.mark.parametrize("weights", ["sampled", "expected"])
@pytest.mark.parametrize(("model", "gradient"), [("skipgram", "sum"), ("cbow", "sum"), ("cbow", "mean")])
@pytest.mark.parametrize("loss", LOSSES)
def test_an_epoch_equals_the_oracle(loss, model, gradient, weights):
    # Few types: negatives hit positives, words stand twice in a window. Vector size and types are no multiples of four.
    check_epoch(
        random_corpus(LENGTHS, types=7), **LOSSES[loss], model=model, cbow_gradient=gradient, window_weights=weights,
        vector_size=18, window=4,
    )  # fmt: skip


@pytest.mark.parametrize(("model", "loss"), [("skipgram", "hierarchical"), ("cbow", "fresh"), ("skipgram", "softmax")])
def test_free_running_threads_learn_the_same(model, loss):
    check_epoch(random_corpus(LENGTHS, types=7), **LOSSES[loss], model=model, mode="hogwild", vector_size=18, window=4)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_vocabulary_of_two(loss, model):
    check_epoch(random_corpus(LENGTHS, types=2), **LOSSES[loss], model=model, vector_size=3, window=2)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_more_negatives_than_a_vector_holds(model):
    check_epoch(random_corpus(LENGTHS, types=40), **LOSSES["fresh"], model=model, vector_size=16, negatives=21)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_long_paths_and_windows_of_many_fours(model):
    # Each word twice as frequent as the next: paths from one node to nine.
    counts = [2 ** (6 - k // 2) for k in range(10)] if JIT_OFF else [2 ** (9 - k) for k in range(10)]
    ids = np.random.default_rng(1).permutation(np.repeat(np.arange(10), counts))
    corpus = corpus_of(ids, [0, 5, len(ids) // 2, len(ids)], 10)
    paths = np.diff(huffman_tree(corpus.vocabulary.counts).offsets)
    assert JIT_OFF or (paths.min(), paths.max()) == (1, 9)
    check_epoch(corpus, **LOSSES["hierarchical"], model=model, vector_size=16, window=11, tolerance=1e-3)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_softmax_over_more_words_than_are_updated_at_once(model):
    check_epoch(random_corpus(LENGTHS, types=75), **LOSSES["softmax"], model=model, vector_size=16)


@pytest.mark.parametrize("loss", ["negative", "hierarchical"])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("preset", ["gensim", "word2vec.c"])
def test_presets_treat_scores_beyond_six_as_their_programs_do(preset, model, loss):
    # Vectors so long that many scores are beyond 6: only the right treatment of each gives these vectors.
    found = check_epoch(
        random_corpus(LENGTHS, types=7), preset=preset, loss=loss, model=model, vector_size=18, window=4,
        scale=4.5, tolerance=1e-3,
    )  # fmt: skip
    assert found.loss > 2
