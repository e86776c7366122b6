"""Slices against a plain Python reference of subsampling, windows and random draws."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import (
    SENTENCES,
    LaneCase,
    corpus_of,
    fewer_without_jit,
    random_corpus,
    wraps_around,
)
from tests.oracles import naive
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.kernels.simd import kernel
from wordvec.kernels.slices import (
    DRAWN,
    FILLED,
    KEPT,
    below,
    draw,
    draw_noise,
    is_sampled_for_loss,
)
from wordvec.word2vec.buffers import sizes_of
from wordvec.word2vec.sampling import noise_probabilities

pytestmark = wraps_around


@kernel
def random_numbers(key, counters, limit, noise_table, bits, limited, noise, sampled):
    for k in range(counters.size):
        bits[k] = draw(key, counters[k])
        limited[k] = below(bits[k], limit)
        noise[k] = draw_noise(bits[k], noise_table)
        sampled[k] = is_sampled_for_loss(key, counters[k], 16)


def read_lane(case):
    """Read all slices of a lane: positions and ids of centers, positions of contexts, negatives of each tile."""
    centers, contexts, negatives = [], [], []
    lane, shared, fresh = case.lane, case.settings.shared_negatives, case.settings.negatives_per_tile
    while not case.finished:
        places = case.prepare()
        for b in places:
            centers.append((int(lane.positions[b]), int(lane.sentences[b]), int(lane.token_ids[b])))
            near = [q for q in range(lane.left[b], lane.right[b]) if q != b]
            contexts.append([int(lane.positions[q]) for q in near])
        tiles = -(-len(places) // 4)
        for tile in range(tiles):
            negatives.append(lane.negative_ids[tile * fresh : tile * fresh + shared].tolist())
        assert case.finished or len(places) % 4 == 0, "only the last tile of a lane may be incomplete"
        assert lane.state[DRAWN] == shared - fresh + tiles * fresh
        assert lane.state[FILLED] <= sizes_of(case.settings, case.types).buffer
        assert lane.state[DRAWN] <= sizes_of(case.settings, case.types).outputs
    return centers, contexts, negatives


def check_against_the_reference(case):
    centers, contexts, negatives = read_lane(case)
    assert centers == case.kept
    assert contexts == [[case.kept[place][0] for place, _ in found] for found in case.contexts]
    assert negatives == case.negatives
    assert case.lane.state[KEPT] == len(case.kept)


# -- random numbers ---------------------------------------------------------------------------------------------------


def test_draws_match_python_integers():
    random = np.random.default_rng(0)
    counters = np.concatenate([[0, 1, -1, 2**62, -(2**63)], random.integers(-(2**63), 2**63 - 1, 200)])
    table = np.array([1 << 63 | 2, (2**32 - 1) << 32 | 1, 1 << 62], np.uint64)
    for key in (0, 1, 2**63 + 12345, 2**64 - 1):
        n = len(counters)
        bits, limited, noise, sampled = np.zeros(n, np.uint64), np.zeros(n, int), np.zeros(n, int), np.zeros(n, bool)
        random_numbers(np.uint64(key), counters, 1000, table, bits, limited, noise, sampled)
        expected = [naive.random_bits(key, counter) for counter in counters]
        assert bits.tolist() == expected
        assert limited.tolist() == [naive.random_below(b, 1000) for b in expected]
        assert noise.tolist() == [naive.noise_id(b, table) for b in expected]
        assert sampled.tolist() == [naive.is_sampled_for_loss(key, counter, 16) for counter in counters]
        assert {*noise} == {0, 1, 2}


def test_one_tile_in_256_is_sampled_for_the_loss():
    found = sum(naive.is_sampled_for_loss(99, position, 256) for position in range(100_000))
    assert abs(found - 100_000 / 256) < 4 * np.sqrt(100_000 / 256)


# -- slices -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60 // fewer_without_jit, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lengths=st.lists(st.integers(0, 9) | st.sampled_from([0, 1, 40, 70, 150]), min_size=1, max_size=25),
    slice_size=st.integers(64, 1000),
    window=st.integers(1, 9) | st.sampled_from([64, 150]),
    window_weights=st.sampled_from(["expected", "sampled", "flat"]),
    shared_block=st.sampled_from([(24, 12), (4, 4), (8, 16), (8, 4)]),
    subsample=st.sampled_from([0, 1e-2, 1e-4]),
    borders=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 3),
)
def test_lanes_in_slices_of_any_size_match_the_reference(
    lengths, slice_size, window, window_weights, shared_block, subsample, borders, seed
):
    start, end = sorted(round(border * sum(lengths)) for border in borders)
    check_against_the_reference(
        LaneCase(
            random_corpus(lengths, seed=seed),
            start=start,
            end=end,
            epoch=seed,
            seed=seed,
            lane_tokens=slice_size,
            window=window,
            window_weights=window_weights,
            shared_negatives=shared_block[0],
            block_size=shared_block[1],
            subsample=subsample,
        )
    )


@pytest.mark.parametrize("slice_size", [64, 67, 128, 255, 1000])
def test_results_do_not_depend_on_the_slice_size(slice_size):
    case = LaneCase(random_corpus(SENTENCES * 3), lane_tokens=slice_size, subsample=1e-2, window=7)
    check_against_the_reference(case)
    assert len(case.kept) > 500, "several slices"
    assert len(case.kept) < 0.9 * len(case.drawn[0]), "subsampling drops tokens"


def test_a_window_wider_than_a_slice():
    case = LaneCase(random_corpus([700, 90]), lane_tokens=64, subsample=0, window=150)
    check_against_the_reference(case)
    assert max(map(len, case.contexts)) == 300


def test_an_empty_lane_and_a_lane_with_all_tokens_dropped():
    empty = LaneCase(random_corpus(), start=70, end=70)
    assert empty.finished
    assert empty.kept == []
    # A threshold so low that no token is kept: all slices are without centers.
    dropped = LaneCase(random_corpus(), lane_tokens=64, subsample=1e-20)
    centers, _, negatives = read_lane(dropped)
    assert centers == dropped.kept == []
    assert negatives == []


def test_windows_span_dropped_tokens_but_not_sentences():
    # Two sentences of one frequent and many rare types: half of the frequent tokens are dropped.
    ids = [0, 1, 0, 2, 0, 3, 0, 4] * 4 + [5, 0] * 8
    case = LaneCase(corpus_of(ids, [0, 32, 32, 48]), window=3, subsample=0.05)
    check_against_the_reference(case)
    reach = [abs(case.kept[q][0] - case.kept[c][0]) for c, near in enumerate(case.contexts) for q, _ in near]
    assert max(reach) > 3, "a window of 3 kept tokens spans more than 3 positions"
    assert {case.kept[q][1] for c, near in enumerate(case.contexts) for q, _ in near if case.kept[c][1] == 2} == {2}


def test_epochs_and_seeds_give_different_draws():
    corpus = random_corpus()
    lanes = [
        read_lane(LaneCase(corpus, seed=seed, epoch=epoch, subsample=1e-2)) for seed, epoch in [(1, 0), (1, 1), (2, 0)]
    ]
    for part in range(3):
        assert len({str(lane[part]) for lane in lanes}) == 3


# -- distributions ----------------------------------------------------------------------------------------------------


def chi_square_limit(classes):
    """Return the chi-square value exceeded about once in 30,000 times (4 standard deviations)."""
    freedom = classes - 1
    return freedom + 4 * np.sqrt(2 * freedom) + 8


def test_radius_keep_rate_and_noise_follow_their_distributions():
    length = 3_000 if fewer_without_jit > 1 else 30_000
    corpus = random_corpus([length], types=20, seed=4)
    case = LaneCase(
        corpus, window=6, window_weights="sampled", subsample=1e-2, lane_tokens=1000, shared_negatives=8, block_size=4
    )
    radii, new = np.zeros(7), np.zeros(20)
    lane = case.lane
    while not case.finished:
        places = case.prepare()
        for b in places[::4]:  # one per tile
            # The wider side; near sentence boundaries both may be truncated.
            if 6 < lane.positions[b] < length - 40:
                radii[max(b - lane.left[b], lane.right[b] - b - 1)] += 1
        new += np.bincount(lane.negative_ids[: 8 * -(-len(places) // 4)], minlength=20)
    expected = radii.sum() / 6
    assert radii[0] == 0
    assert ((radii[1:] - expected) ** 2 / expected).sum() < chi_square_limit(6)

    counts = np.asarray(corpus.vocabulary.counts)
    expected = new.sum() * noise_probabilities(counts, 0.75)
    assert ((new - expected) ** 2 / expected).sum() < chi_square_limit(20)

    seen = np.bincount(corpus.ids, minlength=20)
    kept = np.bincount([token_id for _, _, token_id in case.kept], minlength=20)
    chance = keep_probabilities(counts, 1e-2)
    spread = np.sqrt(seen * chance * (1 - chance))
    assert (np.abs(kept - seen * chance) <= 4.5 * spread).all()
    assert chance.min() < 0.5
    assert chance.max() == 1
