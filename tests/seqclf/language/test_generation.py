"""Temperature, top-k and nucleus sampling against brute force; frequencies of draws."""

import itertools

import numpy as np
import pytest

from seqclf.language.generation import check_sampling, choices, draw
from wordvec import InputError

P = np.array([0.05, 0.3, 0.1, 0.3, 0.0, 0.2, 0.05])


def distribution(**options):
    """Return the probabilities (V,), 0 for tokens that are not candidates."""
    tokens, shares = choices(P, **options)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 0).all()
    full = np.zeros(P.size)
    full[tokens] = shares
    return full


def test_defaults_keep_the_probabilities():
    np.testing.assert_allclose(distribution(), P)


@pytest.mark.parametrize("temperature", [0.25, 0.7, 1.5, 20.0])
def test_temperature_is_an_exponent(temperature):
    powers = np.where(P > 0, P ** (1 / temperature), 0)
    np.testing.assert_allclose(distribution(temperature=temperature), powers / powers.sum())


def test_temperature_0_is_greedy_with_ties_to_the_first_token():
    assert choices(P, temperature=0)[0].tolist() == [1]


def test_extreme_temperature_stays_finite():
    tokens, shares = choices(P, temperature=1e-6)
    assert tokens.tolist() == [1, 3]
    assert shares.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("k", range(1, 9))
def test_top_k_keeps_exactly_k_with_ties_to_the_first_tokens(k):
    kept = sorted(range(P.size), key=lambda token: (-P[token], token))[:k]
    kept = [token for token in kept if P[token] > 0]
    expected = np.where(np.isin(np.arange(P.size), kept), P, 0)
    np.testing.assert_allclose(distribution(top_k=k), expected / expected.sum())


@pytest.mark.parametrize("nucleus", [0.01, 0.3, 0.35, 0.59, 0.61, 0.79, 0.81, 0.99, 1.0])
def test_nucleus_is_the_smallest_set_that_reaches_it(nucleus):
    kept = choices(P, nucleus=nucleus)[0]
    assert P[kept].sum() >= nucleus - 1e-12
    for smaller in itertools.combinations(range(P.size), len(kept) - 1):
        assert P[list(smaller)].sum() < nucleus
    # It is the most probable of the sets of this size.
    best = max(itertools.combinations(range(P.size), len(kept)), key=lambda some: P[list(some)].sum())
    assert P[kept].sum() == pytest.approx(P[list(best)].sum())
    np.testing.assert_allclose(distribution(nucleus=nucleus)[kept], P[kept] / P[kept].sum())


def test_nucleus_applies_after_top_k():
    # 0.3, 0.3, 0.2 become 0.375, 0.375, 0.25: two reach 0.7; without top_k three are needed.
    assert choices(P, top_k=3, nucleus=0.7)[0].tolist() == [1, 3]
    assert choices(P, nucleus=0.7)[0].tolist() == [1, 3, 5]


def test_frequencies_of_draws_match_the_probabilities():
    random, tokens = np.random.default_rng(1), choices(P)
    drawn = np.bincount([draw(*tokens, random) for _ in range(4000)], minlength=P.size)
    assert drawn[4] == 0
    np.testing.assert_allclose(drawn / 4000, P, atol=4 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ((-0.1, None, None), "temperature must be at least 0, got -0.1"),
        ((float("nan"), None, None), "temperature must be a finite number, got nan"),
        ((1.0, 0, None), "top_k must be at least 1, got 0"),
        ((1.0, None, 0.0), "nucleus must be above 0 and at most 1, got 0.0"),
    ],
)
def test_values_out_of_range_are_rejected(options, rule):
    with pytest.raises(InputError, match=rule):
        check_sampling(*options)
