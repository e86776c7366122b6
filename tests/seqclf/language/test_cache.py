"""The continuous cache against its definition, place by place."""

import numpy as np
import pytest

from seqclf.language.cache import ContinuousCache, cached_log_probabilities
from seqclf.language.network import LanguageNetwork, LanguageShape, initial_parameters, windows


@pytest.fixture(scope="module")
def network():
    shape = LanguageShape(7, 5, 6, tied=False)
    return LanguageNetwork(shape, initial_parameters(shape, np.arange(1, 8), np.random.default_rng(1)), np.float64)


@pytest.mark.parametrize("size", [3, 40, 2_000])
def test_it_is_the_mixture_of_the_model_and_of_what_followed_similar_states(network, size):
    ids = np.random.default_rng(2).integers(0, 7, 30).astype(np.int32)
    cache = ContinuousCache(size=size, theta=2.5, weight=0.3)
    [window] = windows(ids, np.array([0, 29]), 512)
    states = network.read(window.batch, None)[0].copy()
    expected = []
    for t, log_p in enumerate(network.log_probabilities(ids)):
        seen = range(max(0, t - size), t)
        similar = {i: np.exp(2.5 * states[t] @ states[i]) for i in seen}
        share = sum(value for i, value in similar.items() if ids[i + 1] == ids[t + 1])
        p = np.exp(log_p)
        expected.append(0.7 * p + 0.3 * share / sum(similar.values()) if similar else p)
    found = cached_log_probabilities(network, ids, cache)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9)


def test_windows_do_not_matter(network, monkeypatch):
    ids = np.random.default_rng(3).integers(0, 7, 50).astype(np.int32)
    whole = cached_log_probabilities(network, ids, ContinuousCache(size=9))
    monkeypatch.setattr("seqclf.language.cache.WINDOW", 4)
    np.testing.assert_allclose(cached_log_probabilities(network, ids, ContinuousCache(size=9)), whole, rtol=1e-9)


def test_without_a_weight_it_is_the_model(network):
    ids = np.array([0, 1, 2, 1], np.int32)
    found = cached_log_probabilities(network, ids, ContinuousCache(weight=0))
    np.testing.assert_allclose(found, network.log_probabilities(ids), rtol=1e-12)
