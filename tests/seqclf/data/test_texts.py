"""From texts to arrays: first embeddings, the stratified split, class weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.texts import build_embedding, class_weights, count_tokens, encode, stratified_split
from wordvec import Vocabulary, WordVectors

COUNTED = [("fire", 3), ("Flood", 2), ("zzz", 1)]
VECTORS = WordVectors(["the", "fire", "flood", "of"], [[2, 0], [4, -4], [0, 2], [6, 6]])


def build(vectors, *, scale=0.35, keep=10, tuned=True, counted=COUNTED):
    random = np.random.default_rng(0)
    return build_embedding(counted, vectors, vector_size=3, scale=scale, keep=keep, tuned=tuned, random=random)


def test_words_of_the_texts_come_first_then_kept_vectors_then_the_unknown_word():
    vocabulary, table = build(VECTORS)
    assert vocabulary.tokens == ["fire", "Flood", "zzz", "the", "flood", "of"]
    assert table.dtype == np.float32
    factor = 0.35 / np.std([[4, -4], [0, 2]])
    np.testing.assert_allclose(table[:2], factor * np.array([[4, -4], [0, 2]]), rtol=1e-5)
    np.testing.assert_allclose(table[3:6], factor * VECTORS[["the", "flood", "of"]], rtol=1e-5)
    assert not table[[2, 6]].any()


def test_kept_vectors_are_capped_and_scale_zero_leaves_them_alone():
    vocabulary, table = build(VECTORS, keep=1, scale=0)
    assert vocabulary.tokens == ["fire", "Flood", "zzz", "the"]
    np.testing.assert_array_equal(table[[0, 3]], [[4, -4], [2, 0]])
    assert build(VECTORS, keep=0)[0].tokens == ["fire", "Flood", "zzz"]


def test_random_rows_are_small_when_tuned_and_tell_words_apart_when_frozen():
    many = [(f"w{i}", 1) for i in range(2000)]
    for vectors, tuned, expected in (
        (None, True, 0.1),
        (None, False, 0.35),
        (VECTORS, True, 0),
        (VECTORS, False, 0.35),
    ):
        vocabulary, table = build(vectors, tuned=tuned, counted=many, keep=0)
        assert len(vocabulary) + 1 == len(table)
        assert table[:-1].std() == pytest.approx(expected, rel=0.05)
        assert not table[-1].any()


def test_vectors_that_know_no_word_are_worth_a_warning(caplog):
    build(VECTORS, counted=[("zzz", 1)])
    assert "no word of the texts has a pretrained vector" in caplog.text


def test_rare_words_are_left_out_and_equals_are_in_order():
    assert count_tokens([["b", "a", "b"], ["a", "c"]], min_count=2) == [("a", 2), ("b", 2)]


def test_words_are_looked_up_as_written_then_lower_cased_then_unknown():
    ids, offsets = encode([["Fire", "FIRE", "ice"], [], ["fire"]], Vocabulary(["fire", "Fire"]))
    assert ids.tolist() == [1, 0, 2, 0]
    assert offsets.tolist() == [0, 3, 3, 4]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 5))
def test_a_split_takes_every_row_once_and_every_class_its_share(labels, fraction, seed):
    _, targets = np.unique(labels, return_inverse=True)
    train, held = stratified_split(targets, fraction, seed)
    assert sorted([*train, *held]) == list(range(len(labels)))
    for count, taken in zip(np.bincount(targets), np.bincount(targets[held], minlength=targets.max() + 1), strict=True):
        assert taken < count
        assert abs(taken - fraction * count) < 1 or taken == count - 1
    np.testing.assert_array_equal(held, stratified_split(targets, fraction, seed)[1])


def test_another_seed_splits_otherwise():
    targets = np.arange(200) % 2
    assert not np.array_equal(stratified_split(targets, 0.2, 1)[1], stratified_split(targets, 0.2, 2)[1])


def test_weights_by_label_default_to_one():
    targets = np.array([0, 0, 1])
    assert class_weights(targets, ["a", "b"], None).tolist() == [1, 1]
    assert class_weights(targets, ["a", "b"], {"b": 3}).tolist() == [1, 3]
    balanced = class_weights(targets, ["a", "b"], "balanced")
    assert balanced[targets].mean() == pytest.approx(1)
    assert balanced[1] == 2 * balanced[0]
