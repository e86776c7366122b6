"""Keep probabilities, window weights, the noise distribution and its alias table."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import naive
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.errors import InputError
from wordvec.word2vec.sampling import alias_table, distance_weights, noise_probabilities, split_weights, tile_weights


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.sampled_from([1e-5, 1e-3, 0.1, 1, 50]))
def test_keep_probabilities_match_word2vec(counts, subsample):
    found = keep_probabilities(np.array(counts), subsample)
    for count, probability in zip(counts, found, strict=True):
        # word2vec.c: ran = (sqrt(cn / (sample * train_words)) + 1) * (sample * train_words) / cn
        threshold = subsample * sum(counts)
        assert probability == pytest.approx(min((math.sqrt(count / threshold) + 1) * threshold / count, 1), rel=1e-12)


def test_without_subsampling_all_tokens_are_kept():
    assert keep_probabilities(np.array([10**12, 1]), 0).tolist() == [1, 1]
    rare_first = keep_probabilities(np.array([5, 50, 5000]), 1e-3)
    assert rare_first[0] == 1
    assert (np.diff(rare_first) < 0).all()


@pytest.mark.parametrize("window", [1, 2, 5, 12])
def test_expected_weights_equal_the_mean_over_sampled_radii(window):
    tokens = 6_000
    kept = [(position, 0, 0) for position in range(tokens)]
    seen = np.zeros(2 * window + 1)
    for center, contexts in enumerate(naive.contexts_of(kept, 77, window, "sampled")):
        for place, weight in contexts:
            seen[place - center + window] += weight
    found = distance_weights(window, falling=True)
    assert found.dtype == np.float32
    centers = tokens - np.abs(np.arange(-window, window + 1))  # the others are too close to an end of the text
    spread = np.sqrt(found * (1 - found) / centers)
    assert (np.abs(seen / centers - found) <= 4.5 * spread).all()
    assert found.sum() == pytest.approx(window + 1, rel=1e-6)


@given(st.integers(1, 40))
def test_distance_weights_match_the_oracle(window):
    distances = [abs(place - window) for place in range(2 * window + 1)]
    expected = [naive.weight_of_distance(distance, window) if distance else 0 for distance in distances]
    np.testing.assert_allclose(distance_weights(window, falling=True), expected, rtol=1e-6)
    np.testing.assert_array_equal(distance_weights(window, falling=False), np.sign(distances))


@given(st.integers(1, 20), st.integers(1, 6))
def test_tile_weights_are_shifted_distance_weights(window, centers):
    weights = distance_weights(window, falling=True)
    found = tile_weights(weights, centers).reshape(-1, centers)
    assert found.dtype == np.float32
    assert len(found) % 4 == 0
    assert 4 <= len(found) - (2 * window + centers) < 8
    for place, row in enumerate(found):
        for t, weight in enumerate(row):
            near = 0 <= place - t <= 2 * window
            assert weight == (weights[place - t] if near else 0)


@given(st.integers(1, 20))
def test_split_weights_have_the_first_and_the_last_three_positions_in_the_same_rows(window):
    weights, around = distance_weights(window, falling=True), 2 * window + 1
    found = split_weights(weights).reshape(-1, 4)
    assert len(found) % 4 == 0
    split = len(found) - 4
    for t in range(4):
        # Where each of the center's positions is.
        rows = [split + p if p < 3 else split + p - around if p >= around else p - 3 for p in range(t, t + around)]
        np.testing.assert_array_equal(found[rows, t], weights)
        assert np.count_nonzero(found[:, t]) == 2 * window


@pytest.mark.parametrize("exponent", [0, 0.75, 1, -0.5, 3])
def test_noise_follows_counts_to_the_exponent(exponent):
    counts = [100, 40, 40, 3, 1]
    found = noise_probabilities(np.array(counts), exponent)
    total = sum(count**exponent for count in counts)
    assert found.tolist() == pytest.approx([count**exponent / total for count in counts], rel=1e-12)


@pytest.mark.parametrize("exponent", [500, -500, 1e300])
def test_exponents_out_of_range_are_rejected(exponent):
    with pytest.raises(InputError, match=re.escape(f"{exponent} takes these counts out")):
        noise_probabilities(np.array([900, 80, 8]), exponent)


@settings(max_examples=200)
@given(
    st.lists(st.integers(1, 10**9) | st.integers(1, 3), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.5, 0.75, 1.0, 2.0]),
)
def test_an_alias_table_represents_the_distribution_exactly(counts, exponent):
    wanted = noise_probabilities(np.array(counts), exponent)
    found = naive.alias_probabilities(alias_table(wanted))
    # A column's share is rounded to 2^-32, and float64 adds errors in the last place.
    np.testing.assert_allclose(found, wanted, atol=2.0**-32 + 1e-12)
    assert found.sum() == pytest.approx(1)


def test_an_alias_table_of_a_large_vocabulary():
    counts = np.maximum(10**7 // np.arange(1, 50_001), 1)
    wanted = noise_probabilities(counts, 0.75)
    table = alias_table(wanted)
    own, alias = (table >> np.uint64(32)).astype(float) / 2**32, (table & np.uint64(2**32 - 1)).astype(int)
    found = own + np.bincount(alias, weights=1 - own, minlength=len(own))
    np.testing.assert_allclose(found / len(own), wanted, rtol=1e-6)


def test_draws_from_an_alias_table_follow_it():
    counts = np.array([50, 20, 9, 1, 1, 300])
    table = alias_table(noise_probabilities(counts, 0.75)).tolist()
    draws = [naive.noise_id(naive.random_bits(7, k), table) for k in range(20_000)]
    found, expected = np.bincount(draws, minlength=6), 20_000 * noise_probabilities(counts, 0.75)
    assert ((found - expected) ** 2 / expected).sum() < 30  # 5 degrees of freedom: one chance in 60,000


def test_a_single_type_is_always_drawn():
    (entry,) = alias_table(np.array([1.0])).tolist()
    assert {naive.noise_id(bits, [entry]) for bits in (0, 2**32 - 1, 2**64 - 1, 12345 << 30)} == {0}


def test_a_vocabulary_beyond_32_bits_is_rejected():
    class Endless:
        def __len__(self):
            return 1 << 32

    with pytest.raises(InputError, match=r"fewer than 2\^32 types, got 4,294,967,296"):
        alias_table(Endless())
