"""Distances of texts: results recorded from gensim 4.4 with POT 0.9, brute force, and bounds."""

import itertools

import numpy as np
import pytest

from wordvec import InputError, WordVectors
from wordvec.vectors import distances
from wordvec.vectors.distances import nearest_texts, relaxed_word_movers_distance, soft_cosine, word_movers_distance

TEXTS = ["w1 w2 w3 w3", "w4 w5 w1 nope", "w9 w10 w11 w12 w9", "w7"]


@pytest.fixture(scope="module")
def wv():
    """Forty words; gensim read the same numbers from a text file."""
    k = np.arange(40 * 6).reshape(40, 6)
    rows = np.round(np.sin(k * k * 0.37 + k) * 2, 3).astype(np.float32)
    return WordVectors([f"w{i}" for i in range(40)], rows)


@pytest.fixture(params=["POT", "SciPy"])
def solver(request, monkeypatch):
    if request.param == "POT":
        pytest.importorskip("ot", reason="POT is not installed: pip install 'wordvec-seqclf[distances]'")
    else:
        monkeypatch.setitem(__import__("sys").modules, "ot.lp", None)


@pytest.mark.usefixtures("solver")
def test_word_movers_distance_as_in_gensim(wv):
    expected = [
        [0, 1.0074273, 1.4791763, 1.3663546], [1.0074273, 0, 1.202331, 0.9543868],
        [1.4791763, 1.202331, 0, 1.402755], [1.3663546, 0.9543868, 1.402755, 0],
    ]  # fmt: skip
    found = [[word_movers_distance(wv, a, b) for b in TEXTS] for a in TEXTS]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert word_movers_distance(wv, TEXTS[0].split(), TEXTS[1], unit=False) == pytest.approx(3.7886745, abs=1e-5)


@pytest.mark.usefixtures("solver")
def test_equal_masses_are_an_assignment(wv):
    a, b = ["w1", "w2", "w3", "w4"], ["w5", "w6", "w7", "w8"]
    costs = np.linalg.norm(wv.unit_vectors[1:5, None] - wv.unit_vectors[5:9], axis=2)
    best = min(costs[range(4), order].mean() for order in itertools.permutations(range(4)))
    assert word_movers_distance(wv, a, b) == pytest.approx(best, abs=1e-6)


def test_soft_cosine_as_in_gensim(wv):
    expected = [
        [1, 0.3661847, 0.0182881, 0.0415971], [0.3661847, 1, 0.1354988, 0.4856957],
        [0.0182881, 0.1354988, 1, 0.0190406], [0.0415971, 0.4856957, 0.0190406, 1],
    ]  # fmt: skip
    np.testing.assert_allclose([[soft_cosine(wv, a, b) for b in TEXTS] for a in TEXTS], expected, atol=1e-5)
    assert soft_cosine(wv, "w1 w2", "w3 w4", threshold=0.99) == 0


def test_the_relaxation_is_a_lower_bound(wv):
    rng = np.random.default_rng(1)
    for _ in range(30):
        a, b = ([f"w{k}" for k in rng.integers(0, 40, rng.integers(1, 7))] for _ in range(2))
        bound = relaxed_word_movers_distance(wv, a, b)
        assert bound <= word_movers_distance(wv, a, b) + 1e-12
        units = {word: wv.unit_vectors[wv.token_id(word)] for word in a + b}
        forth = np.mean([min(np.linalg.norm(units[x] - units[y]) for y in b) for x in a])
        back = np.mean([min(np.linalg.norm(units[x] - units[y]) for x in a) for y in b])
        assert bound == pytest.approx(max(forth, back), abs=1e-6)


def test_nearest_texts_are_exact_with_few_transports(wv, monkeypatch):
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{k}" for k in rng.integers(0, 40, 4)) for _ in range(60)] + ["unknown"]
    exact = sorted((word_movers_distance(wv, "w1 w2 w3", text), place) for place, text in enumerate(texts))[:5]
    solved = []
    monkeypatch.setattr(distances, "_distance", lambda a, b, real=distances._distance: solved.append(b) or real(a, b))
    assert nearest_texts(wv, "w1 w2 w3", texts, 5) == [(place, distance) for distance, place in exact]
    assert len(solved) < 40


def test_texts_without_known_words(wv):
    assert word_movers_distance(wv, "nope", "w1") == relaxed_word_movers_distance(wv, "w1", "") == np.inf
    assert soft_cosine(wv, "nope", "w1") == 0
    with pytest.raises(InputError, match="a text must be a string or a list of words"):
        word_movers_distance(wv, ["w1", 3], "w2")
    with pytest.raises(InputError, match="others must be a list of texts, got the string 'w1 w2'"):
        nearest_texts(wv, "w1", "w1 w2")
    with pytest.raises(InputError, match="threshold must be at least 0, got -1"):
        soft_cosine(wv, "w1", "w2", threshold=-1)
