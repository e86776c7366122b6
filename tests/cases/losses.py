"""Checks of training with every loss other than shared negatives, against ``naive_losses`` and for reproducibility.

``test_naive_losses.py`` verifies that the oracles follow the gradients of their losses.
"""

import numpy as np
import pytest

from tests.cases.word2vec import SENTENCES, corpus_of, drawn_from, epoch_key, start_epoch, train_epoch
from tests.oracles import naive, naive_losses
from wordvec import Word2VecSettings, save_vectors
from wordvec.kernels.simd import JIT_OFF
from wordvec.system.huffman import huffman_tree
from wordvec.word2vec.training import train_word2vec

LENGTHS = [0, 9, 1, 2, 31, 0, 5] if JIT_OFF else SENTENCES

MODELS = [("skipgram", "sum"), ("cbow", "sum"), ("cbow", "mean")]

needs_threads = pytest.mark.skipif(JIT_OFF, reason="without JIT the barrier counts in Python: for one thread only")


def train_oracle(settings, corpus, tables, *, saturation):
    """Train one epoch at a rate of 0.1 in ``tables``; returns its loss and number of pairs."""
    drawn, key = drawn_from(corpus, settings), epoch_key(settings)
    kept = naive.kept_tokens(*drawn[:3], key, 0, len(corpus.ids))
    windows = [dict(found) for found in naive.contexts_of(kept, key, settings.window, settings.window_weights)]
    return naive_losses.train_lane(
        "fresh" if settings.fresh_negatives else settings.loss, settings.model, *tables, kept, windows, key=key,
        window=settings.window, negatives=settings.negatives, alias_table=drawn[3], rate=0.1,
        divide=settings.cbow_gradient == "mean", from_context=settings.context_predicts_center, saturation=saturation,
        paths=naive_losses.paths_of_words(*huffman_tree(corpus.vocabulary.counts)),
    )  # fmt: skip


def check_epoch(corpus, *, scale=1.0, tolerance=2e-4, saturates=False, **options):
    """Train with the engine and with the oracle, and compare vectors and loss."""
    settings = Word2VecSettings(
        **options, subsample=0.1, learning_rate=0.1, min_learning_rate=0.1, epochs=1, lanes=1, lane_tokens=64
    ).resolved()
    trainer, *_ = start_epoch(corpus, settings)
    trainer.table[:] *= scale
    rows = trainer.rows()
    before = [side.astype(np.float64) for side in rows]
    tables, exact = [side.copy() for side in before], [side.copy() for side in before]
    loss, pairs = train_oracle(settings, corpus, tables, saturation=settings.saturation)
    found = train_epoch(trainer)
    assert found.loss == pytest.approx(loss / pairs, rel=tolerance)
    for side, wanted, first in zip(rows, tables, before, strict=True):
        np.testing.assert_allclose(side, wanted, atol=tolerance * scale)
        assert np.abs(wanted - first).max() > 0.02
    padded = trainer.memory.reshape(-1, trainer.stride)
    assert not padded[: 2 * trainer.types, settings.vector_size :].any(), "padding moved"
    assert not padded[2 * trainer.types :: trainer.private_rows].any(), "a padding row moved"
    if saturates:  # check that the treatment of saturated scores makes a difference
        train_oracle(settings, corpus, exact, saturation="exact")
        difference = max(np.abs(a - b).max() for a, b in zip(tables, exact, strict=True))
        assert difference > 10 * tolerance * scale


def check_same_bytes(tmp_path, **options):
    """Check that the file is identical at 1, 2, 3 and 8 threads, and differs with another seed."""
    ids = np.random.default_rng(6).integers(0, 600, 6_000)
    corpus = corpus_of(ids, [*range(0, 6_000, 23), 6_000], 600)
    options = {"vector_size": 20, "epochs": 2, "lane_tokens": 64, **options}
    options["learning_rate"] = 0.1 if options["model"] == "cbow" else 0.04  # skip-gram would use fewer than 8 lanes
    saved, summaries = [], []
    for threads, seed in ((1, 1), (2, 1), (3, 1), (8, 1), (8, 2)):
        result = train_word2vec(corpus, Word2VecSettings(**options, seed=seed), threads=threads)
        assert result.threads == threads
        save_vectors(result.vectors, tmp_path / "vectors.safetensors")
        saved.append((tmp_path / "vectors.safetensors").read_bytes())
        summaries.append((result.losses, result.loss_errors, result.effective_tokens))
    assert saved[:4] == [saved[0]] * 4
    assert summaries[:4] == [summaries[0]] * 4
    assert saved[4] != saved[0]
    assert summaries[0][0][1] < summaries[0][0][0]
