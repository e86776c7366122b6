"""The softmax head against its formula and numerical gradients."""

import numpy as np

from seqclf.kernels.softmax import softmax_backward, softmax_forward
from tests.oracles.gradients import numerical_gradient


def make(classes=3, seed=0):
    random = np.random.default_rng(seed)
    features, weight = random.standard_normal((4, 5)), random.standard_normal((classes, 5))
    return features, weight, random.standard_normal(classes)


def forward(features, weight, bias):
    probabilities = np.empty((len(features), len(weight)), features.dtype)
    softmax_forward(features, weight, bias, probabilities)
    return probabilities


def test_probabilities_are_the_softmax():
    features, weight, bias = make()
    exponentials = np.exp(features @ weight.T + bias)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(forward(features, weight, bias), expected, rtol=1e-12)
    single = forward(*(array.astype(np.float32) for array in (features, weight, bias)))
    np.testing.assert_allclose(single, expected, rtol=1e-5)


def test_huge_scores_neither_overflow_nor_lose_their_gradient():
    features, weight = np.array([[1e4, 0.0]]), np.array([[1.0, 0.0], [-1.0, 0.0]])
    probabilities = forward(features, weight, np.zeros(2))
    assert probabilities.tolist() == [[1.0, 0.0]]
    d_features, d_weight, d_bias = np.empty((1, 2)), np.zeros((2, 2)), np.zeros(2)
    loss = softmax_backward(
        features, weight, probabilities, np.array([1], np.int32), np.ones(1), d_features, d_weight, d_bias
    )
    assert np.isfinite(loss)
    assert d_bias.tolist() == [1.0, -1.0]


def test_every_gradient_is_numerically_right_and_added_where_said():
    features, weight, bias = make()
    targets, weights = np.array([2, 0, 1, 2], np.int32), np.array([0.5, 2.0, 1.0, 3.0])

    def loss():
        own = forward(features, weight, bias)[np.arange(4), targets]
        return float(-(weights * np.log(own)).sum() / 4)

    d_features, d_weight, d_bias = np.full((4, 5), np.nan), np.ones((3, 5)), np.ones(3)
    got = softmax_backward(
        features, weight, forward(features, weight, bias), targets, weights, d_features, d_weight, d_bias
    )
    np.testing.assert_allclose(got, loss(), rtol=1e-12)
    np.testing.assert_allclose(d_features, numerical_gradient(loss, features), atol=1e-9)
    np.testing.assert_allclose(d_weight - 1, numerical_gradient(loss, weight), atol=1e-9)
    np.testing.assert_allclose(d_bias - 1, numerical_gradient(loss, bias), atol=1e-9)
