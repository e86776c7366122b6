"""Initial embeddings from words and pretrained vectors."""

import numpy as np
import pytest

from seqclf.data.embeddings import build_embedding
from wordvec import InputError, WordVectors

COUNTED = [("fire", 3), ("Flood", 2), ("zzz", 1)]
VECTORS = WordVectors(["the", "fire", "flood", "of"], [[2, 0], [4, -4], [0, 2], [6, 6]])


def build(vectors, *, scale=0.35, keep=10, tuned=True, counted=COUNTED):
    random = np.random.default_rng(0)
    return build_embedding(
        counted, vectors, vector_size=3, scale=scale, min_count=1, keep=keep, keep_ngrams=9, tuned=tuned, random=random
    )


def test_order_of_rows_is_text_words_kept_vectors_unknown_word():
    vocabulary, table, _, _ = build(VECTORS)
    assert vocabulary.tokens == ["fire", "Flood", "zzz", "the", "flood", "of"]
    assert table.dtype == np.float32
    factor = 0.35 / np.std([[4, -4], [0, 2]])
    np.testing.assert_allclose(table[:2], factor * np.array([[4, -4], [0, 2]]), rtol=1e-5)
    np.testing.assert_allclose(table[3:6], factor * VECTORS[["the", "flood", "of"]], rtol=1e-5)
    assert not table[[2, 6]].any()


def test_keep_limits_kept_vectors_and_scale_0_does_not_rescale():
    vocabulary, table, _, _ = build(VECTORS, keep=1, scale=0)
    assert vocabulary.tokens == ["fire", "Flood", "zzz", "the"]
    np.testing.assert_array_equal(table[[0, 3]], [[4, -4], [2, 0]])
    assert build(VECTORS, keep=0).vocabulary.tokens == ["fire", "Flood", "zzz"]


def test_random_rows_are_small_if_tuned_and_large_if_frozen():
    many = [(f"w{i}", 1) for i in range(2000)]
    for vectors, tuned, expected in (
        (None, True, 0.1),
        (None, False, 0.35),
        (VECTORS, True, 0),
        (VECTORS, False, 0.35),
    ):
        vocabulary, table, _, _ = build(vectors, tuned=tuned, counted=many, keep=0)
        assert len(vocabulary) + 1 == len(table)
        assert table[:-1].std() == pytest.approx(expected, rel=0.05)
        assert not table[-1].any()


def test_vectors_without_words_are_rejected():
    with pytest.raises(InputError, match="embeddings need vectors with words"):
        build(WordVectors([], np.zeros((0, 3))))


def test_warning_if_no_word_has_a_pretrained_vector(caplog):
    build(VECTORS, counted=[("zzz", 1)])
    assert "no word of the texts has a pretrained vector" in caplog.text
