"""Vocabulary softmax against its formula: all remainders, any split of the work, and extreme scores."""

from itertools import pairwise

import numpy as np
import pytest

from seqclf.kernels.output import (
    output_best,
    output_d_states,
    output_d_weight,
    output_scores,
    output_scores_of_one,
    output_softmax,
)
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient
from wordvec.kernels.simd import JIT_OFF


def make(rows, words, width, seed=0):
    """Return states, weight, bias, targets, shares."""
    random = np.random.default_rng(seed)
    states, weight = random.standard_normal((rows, width)), random.standard_normal((words, width)) * 0.3
    targets = random.integers(0, words, rows)
    return states, weight, random.standard_normal(words), targets, random.random(rows) + 0.5


def padded(size):
    return -(-size // 16) * 16


def run(states, weight, bias, targets, shares, *, differentiate=True, row_parts=1, word_parts=1, smoothing=0.0):
    """Return -log p (R,), probabilities or d_scores (R, V), d_states, and d_weight and d_bias added to ones."""
    (rows, width), words = states.shape, len(weight)
    high, columns = padded(rows), padded(words)
    x, share, target = np.zeros((high, width), np.float32), np.zeros(high, np.float32), np.full(high, -1, np.int32)
    x[:rows], share[:rows], target[:rows] = states, shares, targets
    lanes = np.full((columns, 4), -np.inf, np.float32)
    lanes[:words] = bias[:, None]
    x, lanes, w = x.reshape(-1), lanes.reshape(-1), weight.astype(np.float32).reshape(-1)
    scores = np.full(high * columns, np.nan, np.float32)
    losses, scratch, d_states = (
        np.full(high, np.nan),
        np.empty(16, np.float32),
        np.full(high * width, np.nan, np.float32),
    )
    d_weight, d_bias = np.ones(words * width, np.float32), np.ones(words, np.float32)
    for first, last in parts(high, row_parts):
        output_scores(x, w, lanes, scores, first // 4, last // 4, words, width)
        output_softmax(
            scores, first // 4, last // 4, words, columns, target, share, np.float32(smoothing), losses, scratch,
            differentiate,
        )  # fmt: skip
        if differentiate:
            output_d_states(scores, w, d_states, first, last, words, columns, width)
    for first, last in parts(columns, word_parts) if differentiate else ():
        output_d_weight(scores, x, d_weight, d_bias, first, min(last, words), words, columns, width, scratch)
    p = scores.reshape(high // 4, columns, 4).transpose(0, 2, 1).reshape(high, columns)[:rows, :words]
    return losses[:rows], p, d_states.reshape(high, width)[:rows], d_weight.reshape(words, width), d_bias


def parts(size, count):
    """Split 0 .. size into ``count`` parts at multiples of 16."""
    bounds = [size // 16 * k // count * 16 for k in range(count + 1)]
    return list(pairwise(bounds))


# Remainders of rows and words modulo 4 and 16, a width of two vectors, more words than a cache block.
SIZES = [(1, 2, 16), (5, 19, 32), (16, 35, 16), (33, 270, 16)]


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_loss_and_gradients_match_the_formulas(rows, words, width):
    arrays = make(rows, words, width)
    losses, _, d_states, d_weight, d_bias = run(*arrays)
    expected = naive_heads.output(*arrays)
    np.testing.assert_allclose(losses, expected[0], atol=5e-6)
    for got, wanted in ((d_states, expected[2]), (d_weight - 1, expected[3]), (d_bias - 1, expected[4])):
        np.testing.assert_allclose(got, wanted, atol=5e-6)


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_smoothed_loss_and_gradients_match_the_formulas(rows, words, width):
    arrays = make(rows, words, width)
    losses, _, d_states, d_weight, d_bias = run(*arrays, smoothing=0.3)
    expected = naive_heads.output(*arrays, smoothing=0.3)
    np.testing.assert_allclose(losses, expected[0], atol=5e-6)
    for got, wanted in ((d_states, expected[2]), (d_weight - 1, expected[3]), (d_bias - 1, expected[4])):
        np.testing.assert_allclose(got, wanted, atol=5e-6)


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_probabilities_match_the_softmax(rows, words, width):
    arrays = make(rows, words, width)
    _, probabilities, *_ = run(*arrays, differentiate=False)
    np.testing.assert_allclose(probabilities, naive_heads.output(*arrays)[1], rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_the_oracle_matches_numerical_gradients(smoothing):
    states, weight, bias, targets, shares = make(3, 5, 2)

    def loss():
        return float((naive_heads.output(states, weight, bias, targets, shares, smoothing)[0] * shares).sum())

    _, _, *gradients = naive_heads.output(states, weight, bias, targets, shares, smoothing)
    for array, gradient in zip((states, weight, bias), gradients, strict=True):
        np.testing.assert_allclose(gradient, numerical_gradient(loss, array), atol=1e-9)


def test_the_split_of_the_work_does_not_change_results():
    arrays = make(40, 100, 16)
    for one, many in zip(run(*arrays), run(*arrays, row_parts=3, word_parts=4), strict=True):
        np.testing.assert_array_equal(one, many)


def test_results_do_not_depend_on_the_batch():
    states, weight, bias, targets, shares = make(20, 40, 16)
    whole = run(states, weight, bias, targets, shares)
    for rows in ([7], [19, 2, 3], [0, 11, 5, 4, 3]):
        alone = run(states[rows], weight, bias, targets[rows], shares[rows])
        for k in range(3):
            np.testing.assert_array_equal(alone[k], whole[k][rows])


def test_huge_scores_do_not_overflow_and_keep_their_gradient():
    states, weight = np.zeros((2, 16)), np.zeros((5, 16))
    states[:, 0], weight[:, 0] = [1e15, -1e15], [1e15, -1e15, 0, 0, 0]
    losses, d_scores, *gradients = run(states, weight, np.zeros(5), np.array([1, 1]), np.ones(2))
    np.testing.assert_allclose(losses, [2e30, 0], rtol=1e-6)
    np.testing.assert_allclose(d_scores, [[1, -1, 0, 0, 0], [0, 0, 0, 0, 0]], atol=1e-30)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # raised by NumPy without JIT
def test_nan_propagates_to_the_loss():
    states, weight, bias, targets, shares = make(2, 5, 16)
    states[0, 3] = np.nan
    losses, *_ = run(states, weight, bias, targets, shares)
    assert np.isnan(losses[0])
    assert np.isfinite(losses[1])


@pytest.mark.parametrize(("words", "kept"), [(3, 3), (16, 1), (37, 5), (300, 4)])
def test_the_best_words_are_those_of_the_sorted_probabilities(words, kept):
    states, weight, bias, _, _ = make(5, words, 32)
    weight[2], bias[2] = weight[1], bias[1]  # a tie
    lanes = np.full((padded(words), 4), -np.inf, np.float32)
    lanes[:words] = bias[:, None]
    x, w, lanes = np.zeros((8, 32), np.float32), weight.astype(np.float32).reshape(-1), lanes.reshape(-1)
    x[:5] = states
    scores, scratch = np.empty(2 * lanes.size, np.float32), np.empty(16, np.float32)
    output_scores(x.reshape(-1), w, lanes, scores, 0, 2, words, 32)
    tokens, logs, asked = np.empty((5, kept), np.int32), np.empty((5, kept), np.float32), np.empty(5, np.float32)
    output_best(scores, 0, 2, words, padded(words), 1, tokens, logs, asked, scratch)
    exact = states @ weight.T + bias
    exact -= np.log(np.exp(exact).sum(1, keepdims=True))
    order = np.argsort(-exact, axis=1, kind="stable")[:, :kept]
    assert tokens.tolist() == order.tolist()
    np.testing.assert_allclose(logs, np.take_along_axis(exact, order, axis=1), atol=2e-5)
    np.testing.assert_allclose(asked, exact[:, 1], atol=2e-5)
    alone = np.empty(lanes.size, np.float32)
    output_scores_of_one(x[0], w, lanes, alone, words, 32, scratch)
    np.testing.assert_allclose(alone[: 4 * words : 4], scores[: 4 * words : 4], rtol=1e-4 if JIT_OFF else 0)
