"""Single questions over rows rounded to eight bits: the answers of all scores, ties and excluded words included."""

import pickle

import numpy as np
import pytest

from wordvec import Vocabulary, WordVectors
from wordvec.vectors import queries, rounded_rows
from wordvec.vectors.rounded_rows import RoundedRows

ROWS, WIDTH = 600, 20


@pytest.fixture
def vectors(monkeypatch):
    monkeypatch.setattr(queries, "FEWEST_ROWS", 1)
    monkeypatch.setattr(queries, "AFTER", 2)
    table = np.random.default_rng(3).standard_normal((ROWS, WIDTH)).astype(np.float32)
    table[50:60] = table[40:50]  # ties
    table[70] = 0
    return WordVectors(Vocabulary([f"w{k}" for k in range(ROWS)]), table)


def test_answers_do_not_change_once_rows_are_rounded(vectors, monkeypatch):
    asked = [f"w{k}" for k in (40, 55, 3, 599)]
    exact = [vectors.most_similar(each, top=7) for each in asked[:2]]
    assert vectors._rounded is None
    narrow = [vectors.most_similar(each, top=7) for each in asked]
    assert vectors._rounded is not None
    assert narrow[:2] == exact
    analogy = vectors.analogy("w1", "w2", "w3", top=5)
    monkeypatch.setattr(queries, "AFTER", 10**9)
    assert narrow == [vectors.most_similar(each, top=7) for each in asked]
    assert analogy == vectors.analogy("w1", "w2", "w3", top=5)
    assert pickle.loads(pickle.dumps(vectors))._rounded is None


@pytest.mark.parametrize("width", [WIDTH, 33, 500])
def test_few_rows_stay_candidates_and_the_nearest_are_among_them(width):
    random = np.random.default_rng(4)
    units = random.standard_normal((ROWS, width)).astype(np.float32)
    units[7] = np.sign(units[7])  # with its own direction, the largest sum of products
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    rows = RoundedRows(units)
    for number in range(20):
        direction = random.standard_normal(width) if number else units[7].astype(np.float64)
        direction /= np.linalg.norm(direction)
        best = np.argsort(-(units.astype(np.float64) @ direction))[:6]
        found = rows.candidates(direction, 5, [int(best[0])])
        assert set(best[1:]) <= set(found.tolist()) <= set(range(ROWS)) - {int(best[0])}
        assert found.size < ROWS / 10
        assert (np.diff(found) > 0).all()


def test_too_many_candidates_are_given_up(monkeypatch):
    monkeypatch.setattr(rounded_rows, "_PLACES", 8)
    units = np.tile(np.eye(2, dtype=np.float32)[0], (100, 1))
    assert RoundedRows(units).candidates(np.array([1.0, 0.0]), 3, []) is None
