"""Packed batches in both directions; batches for prediction and training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.layers.batches import halves, pack, prediction_batches, training_batches

TEXTS = st.lists(st.lists(st.integers(100, 120), max_size=6), min_size=1, max_size=8)


def encode(texts):
    ids = np.array([token_id for text in texts for token_id in text], dtype=np.int32)
    return ids, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.randoms())
def test_packed_rows_read_the_right_tokens(texts, random):
    members = np.array(random.sample(range(len(texts)), random.randint(1, len(texts))))
    batch = pack(*encode(texts), members)
    chosen = [texts[members[place]] for place in batch.order]
    assert batch.lengths.tolist() == [len(text) for text in chosen] == sorted(map(len, chosen), reverse=True)
    assert batch.token_ids.tolist() == sorted({token_id for text in chosen for token_id in text})
    row = 0
    for t in range(max(map(len, chosen))):
        assert batch.starts[t] == row
        for text in chosen:
            if len(text) > t:
                assert batch.token_ids[batch.forward_rows[row]] == text[t]
                assert batch.token_ids[batch.reverse_rows[row]] == text[len(text) - 1 - t]
                row += 1
    assert batch.starts[-1] == row == len(batch.forward_rows) == len(batch.reverse_rows)
    assert sorted(batch.order.tolist()) == list(range(len(members)))
    np.testing.assert_array_equal(batch.forward_rows[batch.mirror], batch.reverse_rows)
    np.testing.assert_array_equal(batch.mirror[batch.mirror], np.arange(row))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_halves_have_every_other_sequence(texts):
    batch = pack(*encode(texts), np.arange(len(texts)))
    found = halves(batch)
    assert sorted(row for half in found for row in half.rows) == list(range(batch.starts[-1]))
    for half in found:
        np.testing.assert_array_equal(half.batch.lengths, batch.lengths[half.batch.order])
        assert half.batch.lengths[0] == half.batch.starts.size - 1 > 0
        np.testing.assert_array_equal(half.batch.token_ids[half.batch.forward_rows], batch.forward_rows[half.rows])
        for t in range(half.batch.starts.size - 1):
            rows = half.rows[half.batch.starts[t] : half.batch.starts[t + 1]]
            np.testing.assert_array_equal(rows - batch.starts[t], half.batch.order[: rows.size])


def test_arrays_have_the_dtypes_of_the_compiled_kernels():
    for texts in ([[1, 2], [], [3]], [[]], [[], []], [[4, 5, 4]]):
        batch = pack(*encode(texts), np.arange(len(texts)))
        assert batch.forward_rows.dtype == batch.reverse_rows.dtype == batch.token_ids.dtype == np.int32
        assert batch.starts.dtype == batch.lengths.dtype == np.int64
        assert all(array.flags.c_contiguous for array in batch)


def test_sorting_by_length_is_stable():
    assert pack(*encode([[1], [2], [3]]), np.array([2, 0, 1])).order.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("texts", "tokens"), [(3, 10**6), (100, 20), (1, 5)])
def test_prediction_batches_partition_the_sequences_within_the_limits(texts, tokens):
    lengths = np.array([4, 0, 50, 7, 7, 1, 0, 3])
    batches = list(prediction_batches(lengths, texts=texts, tokens=tokens))
    assert sorted(np.concatenate(batches).tolist()) == list(range(8))
    for batch in batches:
        assert len(batch) == 1 or (len(batch) <= texts and len(batch) * lengths[batch].max() <= tokens)


@pytest.mark.parametrize("window", [1, 3])
def test_training_batches_partition_the_sequences_and_depend_on_the_seed(window):
    lengths = np.random.default_rng(0).integers(0, 30, 103)
    draw = [training_batches(lengths, 10, np.random.default_rng(seed), window=window) for seed in (7, 7, 8)]
    assert [len(batch) for batch in draw[0]].count(10) == 10
    assert sorted(np.concatenate(draw[0]).tolist()) == list(range(103))
    assert [batch.tolist() for batch in draw[0]] == [batch.tolist() for batch in draw[1]]
    assert [batch.tolist() for batch in draw[0]] != [batch.tolist() for batch in draw[2]]


def test_wider_window_reduces_the_spread_of_lengths():
    lengths = np.random.default_rng(0).integers(0, 60, 1600)

    def spread(window):
        batches = training_batches(lengths, 16, np.random.default_rng(1), window=window)
        return np.mean([np.ptp(lengths[batch]) for batch in batches])

    assert spread(8) < 0.3 * spread(1)
