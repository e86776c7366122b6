"""Skip-gram and CBOW, tile by tile, against float64 loops and the numerical gradient of the textbook loss."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import (
    SENTENCES,
    LaneCase,
    corpus_of,
    fewer_without_jit,
    from_python,
    random_corpus,
    wraps_around,
)
from tests.oracles import naive
from tests.oracles.gradients import numerical_gradient
from wordvec.kernels.negative_sampling import reach, train_cbow_slice, train_skipgram_slice, weigh_windows
from wordvec.kernels.slices import CENTER, FILLED, LAST_CENTER
from wordvec.kernels.tile import LOSS_PAIRS, LOSS_SUM, LOSS_TILES

pytestmark = wraps_around

MODELS = [("skipgram", False), ("cbow", False), ("cbow", True)]
"""Model, and whether CBOW divides the gradient among the contexts."""

WINDOW_WEIGHTS = ["expected", "sampled", "flat"]


def train_slice(case, model, divide, rate):
    arguments = (case.memory, case.lane, case.tile, case.text, case.lane.loss, case.step, rate)
    if model == "skipgram":
        from_python(train_skipgram_slice)(*arguments)
    else:
        from_python(train_cbow_slice)(*arguments, divide)


def train_lane(case, model, divide, rate, *, rows):
    """Train every slice of the lane, comparing with the oracle after each; return the oracle's record of losses."""
    expected = case.randomize()
    record, done = [], 0
    while not case.finished:
        places = case.prepare()
        case.place(rows)
        before = case.rows.copy()
        train_slice(case, model, divide, rate)
        if rows == "shared":
            table = 2 * case.types
            np.testing.assert_array_equal(case.rows[:table], before[:table], "the lane updates only its copies")
            case.add()
        for first in range(done, done + len(places), 4):
            centers = range(first, min(first + 4, done + len(places)))
            loss, pairs = naive.train_tile(
                model, *expected, case.kept, case.contexts, centers, case.negatives[first // 4],
                rate=rate, scale=case.settings.negatives / case.settings.shared_negatives,
                radius=case.step.window if case.step.radii == 0 else None, divide=divide,
                parts=case.step.parts,
            )  # fmt: skip
            record.append((case.kept[first][0], loss, pairs))
        done += len(places)
        for found, wanted in zip(case.tables(), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=3e-5)
    assert done == len(case.kept)
    return record


# -- windows ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60 // fewer_without_jit, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lengths=st.lists(st.integers(0, 9) | st.sampled_from([20, 40]), min_size=1, max_size=25),
    window=st.integers(1, 6) | st.sampled_from([15, 70]),
    window_weights=st.sampled_from(WINDOW_WEIGHTS),
    scale=st.sampled_from([1, 0.025]),
    seed=st.integers(0, 3),
)
@example(lengths=[6, 9, 10, 7], window=1, window_weights="expected", scale=1, seed=0)
def test_window_weights_of_a_tile(lengths, window, window_weights, scale, seed):
    case = LaneCase(
        random_corpus(lengths, seed=seed), vector_size=1, window=window, window_weights=window_weights, seed=seed,
        subsample=0, lane_tokens=64,
    )  # fmt: skip
    lane, tile, done = case.lane, case.tile, 0
    while not case.finished:
        centers = case.prepare()
        for b in centers[::4]:
            size, first = min(4, centers.stop - b), 16
            contexts = case.contexts[done : done + size]
            low, places = reach(lane, b, size)
            tile.weights[:] = tile.pair_weights[:] = -1
            weigh_windows(
                lane, tile, case.text, case.step, tile.weights, first, b, size, low, places, np.float32(scale)
            )
            expected = np.zeros((-(-places // 4) * 4, 4))
            for t, found in enumerate(contexts):
                for place, weight in found:
                    expected[place - done + b - low, t] = scale * weight
            found = tile.weights[first : first + expected.size].reshape(-1, 4)
            np.testing.assert_allclose(found, expected, rtol=1e-6)
            np.testing.assert_allclose(tile.pair_weights[:4], expected.sum(axis=0) / scale, rtol=1e-5)
            assert (tile.weights[:first] == -1).all()
            assert (tile.weights[first + expected.size :] == -1).all()
            assert (tile.pair_weights[16:] == -1).all()
            done += size
    assert done == len(case.kept)


# -- slices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window_weights", WINDOW_WEIGHTS)
@pytest.mark.parametrize("rows", ["free", "shared"])
@pytest.mark.parametrize(("model", "divide"), MODELS)
def test_slices_match_the_oracle(model, divide, rows, window_weights):
    # Six types, so that negatives hit positives and tokens repeat within windows and among the centers.
    case = LaneCase(
        random_corpus(SENTENCES, types=6), model=model, vector_size=20, window=3, window_weights=window_weights,
        subsample=0.1, lane_tokens=64,
    )  # fmt: skip
    assert len(case.kept) > 300
    assert len(case.kept) % 4, "the last tile is incomplete"
    assert any(not contexts for contexts in case.contexts)
    moved = case.tables()
    train_lane(case, model, divide, 0.05, rows=rows)
    assert all(np.abs(after - before).max() > 0.1 for after, before in zip(case.tables(), moved, strict=True))


@pytest.mark.parametrize("window_weights", WINDOW_WEIGHTS)
@pytest.mark.parametrize(("model", "divide"), MODELS)
def test_wide_windows_few_negatives_and_a_vocabulary_of_two(model, divide, window_weights):
    lengths = [30, 3, 1, 40 // fewer_without_jit]
    case = LaneCase(
        random_corpus(lengths, types=2), model=model, vector_size=7, window=12, window_weights=window_weights,
        subsample=0, lane_tokens=64, shared_negatives=4, block_size=16, negatives=9,
    )  # fmt: skip
    train_lane(case, model, divide, 0.02, rows="shared")


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("tokens", [1, 2, 3, 5, 6, 7])
def test_a_lane_ending_within_a_tile(model, tokens):
    corpus = random_corpus([40], types=9)
    case = LaneCase(corpus, start=11, end=11 + tokens, model=model, vector_size=16, subsample=0)
    train_lane(case, model, False, 0.05, rows="free")
    assert len(case.kept) == tokens


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_sentences_ending_within_a_tile(model, window):
    # Also between the second and third center, with complete windows of the first and last.
    case = LaneCase(random_corpus([6, 9, 10, 7], types=9), model=model, vector_size=16, subsample=0, window=window)
    train_lane(case, model, False, 0.05, rows="free")


@pytest.mark.parametrize("window_weights", WINDOW_WEIGHTS)
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_loss_of_sampled_tiles(model, window_weights):
    # Every tile has a single-token sentence, which yields no pairs.
    case = LaneCase(
        random_corpus([1, 3] * 100, types=12), model=model, vector_size=16, subsample=0, window=3,
        window_weights=window_weights,
    )  # fmt: skip
    case.step = case.step._replace(loss_sample=8)
    positions = [p for p in range(0, 400, 4) if naive.is_sampled_for_loss(case.key, p, 8)]
    record = train_lane(case, model, False, 0.05, rows="free")
    sampled = [(loss, pairs) for position, loss, pairs in record if position in positions]
    assert case.lane.loss[LOSS_TILES] == len(sampled) >= 3
    np.testing.assert_allclose(case.lane.loss[[LOSS_SUM, LOSS_PAIRS]], np.sum(sampled, axis=0), rtol=1e-5)


# -- gradients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 3, 1])
@pytest.mark.parametrize("window_weights", WINDOW_WEIGHTS)
@pytest.mark.parametrize(("model", "divide"), MODELS)
def test_a_tile_update_follows_the_gradient_of_the_textbook_loss(model, divide, window_weights, size):
    # A rate small enough for second-order terms, and large enough for rounding errors, to be negligible.
    rate, types = 3e-4, 5
    case = LaneCase(
        random_corpus([9, 14, 1, 6], types=types, seed=2), model=model, vector_size=6, window=3, subsample=0,
        negatives=3, shared_negatives=8, block_size=8, window_weights=window_weights,
    )  # fmt: skip
    vectors, context_vectors = case.randomize(scale=1.5)
    case.prepare()
    assert case.lane.state[FILLED] == len(case.kept) == 30
    first = 7  # its windows cross a sentence boundary
    centers, negatives = range(first, first + size), case.lane.negative_ids[:8].tolist()
    case.lane.state[CENTER], case.lane.state[LAST_CENTER] = first, first + size
    case.place("free")
    train_slice(case, model, divide, rate)

    def loss_of(chosen):
        return naive.negative_sampling_loss(
            model, vectors, context_vectors, case.kept, case.contexts, chosen, negatives, 3 / 8
        )

    d_context_vectors = numerical_gradient(lambda: loss_of(centers), context_vectors)
    d_vectors = np.zeros_like(vectors)
    for center in centers:
        # word2vec.c's CBOW gives each context the full gradient of the mean: the true gradient times the total weight.
        total = sum(weight for _, weight in case.contexts[center])
        times = total if model == "cbow" and not divide else 1
        d_vectors += times * numerical_gradient(lambda center=center: loss_of([center]), vectors)
    found, context_found = case.tables()
    np.testing.assert_allclose((found - vectors) / rate, -d_vectors, atol=2e-3)
    np.testing.assert_allclose((context_found - context_vectors) / rate, -d_context_vectors, atol=2e-3)
    assert np.abs(d_vectors).max() > 0.1
    assert np.abs(d_context_vectors).max() > 0.1


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_negative_is_ignored_only_in_pairs_whose_positive_it_is(model):
    # All but the first token are type 1, and so are nearly all negatives.
    case = LaneCase(
        corpus_of([0] + [1] * 400, [0, 2, 401]), end=2, model=model, vector_size=16, window=1, subsample=0,
        noise_exponent=3, shared_negatives=4, block_size=4,
    )  # fmt: skip
    vectors, context_vectors = case.randomize()
    case.prepare()
    assert case.negatives == [[1, 1, 1, 1]], "this test needs another seed"
    case.place("free")
    train_slice(case, model, False, 0.1)
    found = case.tables()[1]
    # Skip-gram: pair (0, context 1) without noise, pair (1, context 0) with noise. CBOW: the same with center and
    # context swapped. In both, output vector 1 is the positive of input 0 and a negative of input 1.
    repelled = 0.1 * 5 * naive.logistic(context_vectors[1] @ vectors[1]) * vectors[1]
    attracted = 0.1 * naive.logistic(-context_vectors[1] @ vectors[0]) * vectors[0]
    np.testing.assert_allclose(found[1], context_vectors[1] + attracted - repelled, atol=1e-6)
    attracted = 0.1 * naive.logistic(-context_vectors[0] @ vectors[1]) * vectors[1]
    np.testing.assert_allclose(found[0], context_vectors[0] + attracted, atol=1e-6)
