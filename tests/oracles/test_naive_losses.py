"""Numerical checks, in float64, that the oracles' steps follow the gradients of their losses."""

import numpy as np
import pytest

from tests.oracles import naive
from tests.oracles import naive_losses as slow
from tests.oracles.gradients import numerical_gradient
from wordvec.system.huffman import huffman_tree

TYPES, SIZE, RATE = 6, 5, 1e-6
KEPT = [(10 + 3 * k, 0, token_id) for k, token_id in enumerate([0, 4, 2, 2, 5, 1, 0, 3])]
CONTEXTS = [[1], [0, 2, 3], [1, 3], [0, 1, 2, 4, 5], [], [3, 4, 6], [4, 5, 7], [6]]
"""Context positions: a word twice in a window, a word that is its own neighbor, none, more than four."""

WINDOWS = [
    {place: naive.weight_of_distance(abs(place - center), 5) for place in places}
    for center, places in enumerate(CONTEXTS)
]


@pytest.fixture
def tables():
    random = np.random.default_rng(4)
    return random.standard_normal((2, TYPES, SIZE)) * 1.2


def paths():
    return slow.paths_of_words(*huffman_tree(np.array([9, 7, 3, 3, 2, 1])))


def input_of(model, vectors, center, place=None):
    if model == "cbow":
        weights = [*WINDOWS[center].values()]
        return np.average([vectors[KEPT[place][2]] for place in WINDOWS[center]], axis=0, weights=weights)
    return vectors[KEPT[center if place is None else place][2]]


def check(tables, loss_of, step):
    """Check that ``step`` adds -rate x the gradient of ``loss_of`` to both tables and returns that loss."""
    vectors, context_vectors = tables
    gradients = [numerical_gradient(loss_of, table) for table in (vectors, context_vectors)]
    expected, before = loss_of(), tables.copy()
    loss, _ = step()
    assert loss == pytest.approx(expected)
    for k in range(2):
        np.testing.assert_allclose((tables[k] - before[k]) / RATE, -gradients[k], atol=1e-5)
        assert np.abs(gradients[k]).max() > 0.1


@pytest.mark.parametrize(("model", "from_context"), [("skipgram", False), ("skipgram", True), ("cbow", False)])
def test_fresh_negatives(tables, model, from_context):
    vectors, context_vectors = tables
    center, place = 6, 4  # a single pair, because steps are taken pair by pair
    places = WINDOWS[center] if model == "cbow" else {place: WINDOWS[center][place]}
    positive = KEPT[center if model == "cbow" or from_context else place][2]
    negatives = [2, 5, 2, positive, 1]

    def loss_of():
        h = input_of(model, vectors, center, place if from_context else None)
        loss = slow.negatives_loss(context_vectors, h, positive, negatives)
        return loss if model == "cbow" else places[place] * loss

    def step():
        return slow.train_fresh(
            model, *tables, KEPT, places, center, lambda _: negatives, rate=RATE, divide=True, from_context=from_context
        )

    assert 0 < WINDOWS[center][place] < 1
    check(tables, loss_of, step)


@pytest.mark.parametrize(("model", "center"), [("skipgram", 1), ("skipgram", 2), ("cbow", 3), ("cbow", 5)])
def test_paths(tables, model, center):
    vectors, node_vectors = tables
    path = paths()[KEPT[center][2]]

    def loss_of():
        if model == "cbow":
            return slow.path_loss(node_vectors, input_of(model, vectors, center), path)
        return sum(
            weight * slow.path_loss(node_vectors, vectors[KEPT[place][2]], path)
            for place, weight in WINDOWS[center].items()
        )

    def step():
        return slow.train_paths(model, *tables, KEPT, WINDOWS[center], center, path, rate=RATE, divide=True)

    check(tables, loss_of, step)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("centers", [range(4), range(2, 6), range(5, 8), range(5, 6)])
def test_softmax(tables, model, centers):
    vectors, context_vectors = tables

    def loss_of():
        loss = 0.0
        for center in centers:
            if WINDOWS[center]:
                h = input_of(model, vectors, center)
                for place, weight in WINDOWS[center].items() if model == "skipgram" else [(center, 1)]:
                    loss += weight * slow.softmax_loss(context_vectors, h, KEPT[place][2])
        return loss

    def step():
        return slow.train_softmax(model, *tables, KEPT, WINDOWS, centers, rate=RATE, divide=True)

    check(tables, loss_of, step)


def test_path_and_softmax_probabilities_sum_to_one(tables):
    vectors, table = tables
    for h in vectors:
        assert sum(np.exp(-slow.path_loss(table, h, path)) for path in paths()) == pytest.approx(1)
        assert sum(np.exp(-slow.softmax_loss(table, h, word)) for word in range(TYPES)) == pytest.approx(1)


def test_saturated_scores():
    table = np.array([[1.0], [-1.0], [0.5], [-0.5]]) * 8
    for saturation, gradients in {
        # Scores 8, -8, 4, -4, once as positives and once as negatives.
        "clip": [0, 1, 0.01799, 0.98201, -1, 0, -0.98201, -0.01799],
        "skip": [0, 0, 0.01799, 0.98201, 0, 0, -0.98201, -0.01799],
        "exact": [0.00034, 0.99966, 0.01799, 0.98201, -0.99966, -0.00034, -0.98201, -0.01799],
    }.items():
        found = table.copy()
        for row in range(4):
            for target in (1, 0):
                found[row] = table[row]
                slow.logistic_step(found, [row], [np.ones(1)], [target], [1.0], saturation)
                assert found[row, 0] - table[row, 0] == pytest.approx(gradients[4 * (1 - target) + row], abs=1e-5)
