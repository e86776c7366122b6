"""Elementwise losses and the linear layer against formulas and numerical gradients."""

import numpy as np
import pytest

from seqclf.kernels.linear import linear_backward, linear_forward
from seqclf.kernels.losses import binary_cross_entropy, huber, pinball, sigmoid, squared_error
from tests.oracles.gradients import numerical_gradient

WEIGHTS = np.array([0.5, 2.0, 1.0, 3.0])


def make(seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((4, 3)) * 2, random.random((4, 3))


def cross_entropy(x, y):
    return -(y * np.log(1 / (1 + np.exp(-x))) + (1 - y) * np.log(1 / (1 + np.exp(x))))


def hubers(x, y):
    d = abs(x - y)
    return np.where(d <= 1.5, d * d / 2, 1.5 * (d - 0.75))


LOSSES = {
    "cross-entropy": (binary_cross_entropy, cross_entropy),
    "squares": (squared_error, lambda x, y: (x - y) ** 2),
    "huber": (lambda x, y, w, d: huber(x, y, w, 1.5, d), hubers),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_match_the_formula(name):
    kernel, formula = LOSSES[name]
    scores, targets = make()

    def loss():
        return float((WEIGHTS[:, None] * formula(scores, targets)).mean())

    d_scores = np.full((4, 3), np.nan)
    np.testing.assert_allclose(kernel(scores, targets, WEIGHTS, d_scores), loss(), rtol=1e-12)
    np.testing.assert_allclose(d_scores, numerical_gradient(loss, scores), atol=1e-9)


def test_pinball_loss_and_gradient_match_the_formula():
    """Of three quantiles of two targets; at a target itself the gradient is 0."""
    quantiles = np.array([0.1, 0.5, 0.9])
    random = np.random.default_rng(5)
    scores, targets = random.standard_normal((4, 6)), random.standard_normal((4, 2))

    def loss():
        d = targets[:, None] - scores.reshape(4, 3, 2)
        slope = quantiles[:, None]
        return float((WEIGHTS[:, None, None] * np.maximum(slope * d, (slope - 1) * d)).mean())

    d_scores = np.full((4, 6), np.nan)
    np.testing.assert_allclose(pinball(scores, targets, WEIGHTS, quantiles, d_scores), loss(), rtol=1e-12)
    np.testing.assert_allclose(d_scores, numerical_gradient(loss, scores), atol=1e-9)
    scores[0, 2] = targets[0, 0]
    pinball(scores, targets, WEIGHTS, quantiles, d_scores)
    assert np.argwhere(d_scores == 0).tolist() == [[0, 2]]


def test_huge_scores_do_not_overflow_and_keep_their_gradient():
    scores, targets = np.array([[1e4, -1e4, 1e4, -1e4]]), np.array([[1.0, 0.0, 0.0, 1.0]])
    probabilities, d_scores = np.empty((1, 4)), np.empty((1, 4))
    sigmoid(scores, probabilities)
    assert probabilities.tolist() == [[1, 0, 1, 0]]
    assert binary_cross_entropy(scores, targets, np.ones(1), d_scores) == 5e3
    assert (4 * d_scores).tolist() == [[0, 0, 1, -1]]


def test_probabilities_match_the_sigmoid():
    scores, _ = make()
    probabilities = np.empty((4, 3))
    sigmoid(scores, probabilities)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-scores)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "classes"), [(4, 4), (7, 3), (1, 17)])
def test_linear_layer_and_its_gradients(dtype, rows, classes):
    random, size = np.random.default_rng(1), {"float32": 1e-5, "float64": 1e-12}[dtype]
    features, weight, bias, d_scores = (
        random.standard_normal(shape).astype(dtype) for shape in ((rows, 32), (classes, 32), classes, (rows, classes))
    )
    scores = np.empty_like(d_scores)
    linear_forward(features, weight, bias, scores)
    np.testing.assert_allclose(scores, features @ weight.T + bias, atol=20 * size)
    d_features, d_weight, d_bias = np.full_like(features, np.nan), np.ones_like(weight), np.ones_like(bias)
    linear_backward(features, weight, d_scores, d_features, d_weight, d_bias)
    np.testing.assert_allclose(d_features, d_scores @ weight, atol=20 * size)
    np.testing.assert_allclose(d_weight - 1, d_scores.T @ features, atol=20 * size)
    np.testing.assert_allclose(d_bias - 1, d_scores.sum(axis=0), atol=20 * size)
    alone = np.empty_like(scores[:1])
    linear_forward(features[-1:], weight, bias, alone)
    np.testing.assert_array_equal(alone, scores[-1:])


def test_linear_layer_without_rows():
    nothing, weight, d_weight = (
        np.empty((0, 16), np.float32),
        np.ones((3, 16), np.float32),
        np.ones((3, 16), np.float32),
    )
    linear_forward(nothing, weight, weight[:, 0].copy(), np.empty((0, 3), np.float32))
    linear_backward(nothing, weight, np.empty((0, 3), np.float32), nothing, d_weight, d_weight[:, 0].copy())
    assert (d_weight == 1).all()
