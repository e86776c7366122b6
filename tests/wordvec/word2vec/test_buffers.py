"""Training arrays: initial vectors, lane bounds, alignment."""

import numpy as np
import pytest

from tests.cases.word2vec import corpus_of
from wordvec import Word2VecSettings
from wordvec.kernels.subwords import Subwords
from wordvec.word2vec.buffers import allocate, first_memory, lane_bounds, safe_round, sizes_of, user_counts


def test_initial_vectors_are_uniform_and_seeded():
    memory = first_memory(500, 20, 32, 7, seed=3).reshape(-1, 32)
    assert memory.shape == (1007, 32)
    vectors = memory[:500, :20]
    assert np.abs(vectors).max() <= 1 / 40
    assert np.histogram(vectors, 10, (-1 / 40, 1 / 40))[0] == pytest.approx(1000, abs=150)
    assert not memory[:500, 20:].any()
    assert not memory[500:].any()
    assert first_memory(500, 20, 32, 7, seed=3).tobytes() == memory.tobytes()
    assert first_memory(500, 20, 32, 1, seed=3).tobytes() == memory[:1001].tobytes(), "independent of the lanes"
    assert np.abs(first_memory(500, 20, 32, 7, seed=4).reshape(-1, 32)[:500, :20] - vectors).mean() > 0.01


@pytest.mark.parametrize(("tokens", "lanes"), [(100, 8), (3, 8), (1, 1), (1000, 7)])
def test_lanes_split_the_corpus_about_equally(tokens, lanes):
    bounds = lane_bounds(corpus_of([0, 1] * tokens, [0, 2 * tokens]), lanes)
    assert bounds.dtype == np.int64
    assert (bounds[0], bounds[-1], len(bounds)) == (0, 2 * tokens, lanes + 1)
    assert np.ptp(np.diff(bounds)) <= 1


def test_lanes_are_limited_by_the_effective_number_of_types():
    settings = Word2VecSettings(lanes=8, lane_tokens=100).resolved()
    assert safe_round(np.ones(2), settings, 5) == (1, 100)
    assert safe_round(np.ones(150), settings, 5) == (4, 100)
    assert safe_round(np.ones(10_000), settings, 5) == (8, 100)
    # Rare types do not count: half of the text is one type, so the effective number of types is below four.
    assert safe_round(np.array([1000, *[1] * 1000]), settings, 5) == (1, 100)
    # Scale does not matter, and shorter rounds support more lanes.
    assert safe_round(np.full(150, 1e-9), settings, 5) == (4, 100)
    assert safe_round(np.ones(150), Word2VecSettings(lanes=8, lane_tokens=64).resolved(), 5) == (7, 64)
    flat = Word2VecSettings(loss="hierarchical", window_weights="flat").resolved()
    assert safe_round(np.ones(10_000), flat, 5)[0] == 4
    wide = Word2VecSettings("cbow", loss="hierarchical", learning_rate=0.1).resolved()
    assert [safe_round(np.ones(10_000), wide, window)[0] for window in (5, 40, 100, 1000)] == [8, 8, 4, 2]


def test_rounds_with_subwords_are_cut_into_a_power_of_two_of_slices():
    settings = Word2VecSettings(lanes=8, lane_tokens=100, learning_rate=0.025).resolved()
    ones = np.ones(600, np.float32)
    alone = Subwords(np.arange(301), np.arange(300, dtype=np.int32), ones[:300], ones[:300], ones[:300], contexts=False)
    few = Subwords(np.arange(101), alone.rows[:100], ones[:100], ones[:100], ones[:100], contexts=False)
    pairs = np.stack([np.arange(300), np.full(300, 300)], axis=1)
    alike = Subwords(np.arange(0, 601, 2), pairs.ravel(), ones, 2 * ones[:300], ones, contexts=False)
    assert safe_round(np.ones(300), settings, 5, alone) == (8, 97)  # 778 tokens by the length of the steps
    assert safe_round(np.ones(100), settings, 5, few) == (2, 100)
    assert safe_round(np.ones(300), settings, 5, alike) == (1, 100)
    assert safe_round(np.ones(300), Word2VecSettings(lanes=3, learning_rate=0.025).resolved(), 5, alone)[0] == 3


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_rows_are_cache_line_aligned(mode):
    settings = Word2VecSettings(mode=mode, window=3, lane_tokens=64, vector_size=20).resolved()
    lanes, tiles = allocate(settings, sizes_of(settings, 30), 3, 2, 32, 30)
    for count, arrays in ((3, lanes), (2, tiles)):
        for name, array in arrays._asdict().items():
            assert array.shape[0] == count, name
            assert array.ctypes.data % 64 == 0, name
            assert array.strides[0] % 64 == 0, name
            assert array.flags.c_contiguous, name
    assert (tiles.slot_of_row == -1).all()
    assert first_memory(30, 20, 32, 3, seed=1).ctypes.data % 64 == 0


def test_user_counts_are_cache_line_aligned():
    users = user_counts(45, 3)
    assert (users.shape[:2], users.dtype) == ((2, 3), np.uint8)
    assert users.shape[2] >= 90
    assert users.ctypes.data % 64 == users.strides[0] % 64 == users.strides[1] % 64 == 0
    assert not users.any()
