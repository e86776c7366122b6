"""Linear model on sparse rows against dense NumPy and numerical gradients."""

import numpy as np
import pytest

from seqclf.kernels.sparse_linear import (
    add_scaled,
    cross_entropy,
    inner_product,
    log_softmax,
    sparse_products,
    stacked,
)
from tests.oracles.gradients import numerical_gradient


@pytest.mark.parametrize("columns", [1, 3, 6, 8, 9])
def test_products_are_those_of_the_dense_matrix(columns):
    random = np.random.default_rng(1)
    matrix = random.standard_normal((5, 7)) * (random.random((5, 7)) < 0.4)
    matrix[2] = 0
    indptr = np.concatenate([[0], np.cumsum((matrix != 0).sum(axis=1))]).astype(np.int64)
    indices = np.nonzero(matrix)[1].astype(np.int32)
    dense = random.standard_normal((7, columns))
    found = np.full((5, columns), np.nan)
    for first, last in ((2, 5), (0, 2)):
        sparse_products(indptr, indices, matrix[matrix != 0], dense, first, last, found)
    np.testing.assert_allclose(found, matrix @ dense, atol=1e-14)


def naive_losses(scores, targets, weights):
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -weights * logs[np.arange(len(targets)), targets], logs


@pytest.mark.parametrize("classes", [2, 4])
def test_cross_entropy_and_its_gradient(classes):
    random = np.random.default_rng(2)
    scores = 3 * random.standard_normal((6, classes if classes > 2 else 1))
    targets, weights = random.integers(0, classes, 6).astype(np.int32), random.random(6)
    losses, gradient = np.empty(6), scores.copy()
    for first, last in ((0, 4), (4, 6)):
        cross_entropy(gradient, targets, weights, first, last, losses)
    expected, logs = naive_losses(scores, targets, weights)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    numerical = numerical_gradient(lambda: float(naive_losses(scores, targets, weights)[0].sum()), scores)
    np.testing.assert_allclose(gradient, numerical, atol=1e-8)
    found = np.empty((6, classes))
    log_softmax(scores, found)
    np.testing.assert_allclose(found, logs, rtol=1e-12)


def test_large_scores_stay_finite():
    for scores in (np.array([[1e4], [-1e4]]), np.array([[1e4, 0.0, 0.0], [0.0, 0.0, 1e4]])):
        losses, logs = np.empty(2), np.empty((2, max(2, scores.shape[1])))
        log_softmax(scores, logs)
        cross_entropy(scores, np.array([0, 1], np.int32), np.ones(2), 0, 2, losses)
        assert np.isfinite(scores).all()
        assert np.isfinite(losses).all()
        assert np.isfinite(logs).all()


@pytest.mark.parametrize("weights", [[0.7, 0.0], [0.0, 1.3], [0.4, 0.9]])
def test_stacked_probabilities(weights):
    random = np.random.default_rng(3)
    network = random.dirichlet(np.ones(3), 4).astype(np.float32)
    linear = np.log(random.dirichlet(np.ones(3), 4))
    expected = np.exp(weights[0] * np.log(network.astype(float)) + weights[1] * linear)
    found = np.empty((4, 3), np.float32)
    given = network if weights[0] else np.empty((4, 0), np.float32), linear if weights[1] else np.empty((4, 0))
    stacked(*given, np.array(weights), np.empty(3), found)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-6)


def test_vector_operations():
    a, b = np.arange(37.0), np.linspace(-1, 1, 37)
    assert inner_product(a, b) == pytest.approx(float(a @ b), rel=1e-14)
    expected = a - 2.5 * b
    add_scaled(a, -2.5, b)
    np.testing.assert_allclose(a, expected, rtol=1e-14)
