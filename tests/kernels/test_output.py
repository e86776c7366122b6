"""Vocabulary softmax against its formula: all remainders, any split of the work, and extreme scores."""

from itertools import pairwise

import numpy as np
import pytest

from seqclf.kernels.output import output_best, output_scores, output_scores_of_one, output_softmax
from tests.oracles import naive_heads
from wordvec.kernels.simd import JIT_OFF


def make(rows, words, width, seed=0):
    """Return states, weight, bias, targets."""
    random = np.random.default_rng(seed)
    states, weight = random.standard_normal((rows, width)), random.standard_normal((words, width)) * 0.3
    return states, weight, random.standard_normal(words), random.integers(0, words, rows)


def padded(size):
    return -(-size // 16) * 16


def run(states, weight, bias, *, row_parts=1):
    """Return the probabilities (R, V)."""
    (rows, width), words = states.shape, len(weight)
    high, columns = padded(rows), padded(words)
    x = np.zeros((high, width), np.float32)
    x[:rows] = states
    lanes = np.full((columns, 4), -np.inf, np.float32)
    lanes[:words] = bias[:, None]
    x, lanes, w = x.reshape(-1), lanes.reshape(-1), weight.astype(np.float32).reshape(-1)
    scores = np.full(high * columns, np.nan, np.float32)
    scratch = np.empty(16, np.float32)
    for first, last in parts(high, row_parts):
        output_scores(x, w, lanes, scores, first // 4, last // 4, words, width)
        output_softmax(scores, first // 4, last // 4, columns, scratch)
    return scores.reshape(high // 4, columns, 4).transpose(0, 2, 1).reshape(high, columns)[:rows, :words]


def parts(size, count):
    """Split 0 .. size into ``count`` parts at multiples of 16."""
    bounds = [size // 16 * k // count * 16 for k in range(count + 1)]
    return list(pairwise(bounds))


# Remainders of rows and words modulo 4 and 16, a width of two vectors, more words than a cache block.
SIZES = [(1, 2, 16), (5, 19, 32), (16, 35, 16), (33, 270, 16)]


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_probabilities_match_the_softmax(rows, words, width):
    arrays = make(rows, words, width)
    expected = naive_heads.output(*arrays, np.ones(rows))
    np.testing.assert_allclose(run(*arrays[:3]), expected[1], rtol=1e-5)


def test_the_split_of_the_work_does_not_change_results():
    arrays = make(40, 100, 16)[:3]
    np.testing.assert_array_equal(run(*arrays), run(*arrays, row_parts=3))


def test_results_do_not_depend_on_the_batch():
    states, weight, bias, _ = make(20, 40, 16)
    whole = run(states, weight, bias)
    for rows in ([7], [19, 2, 3], [0, 11, 5, 4, 3]):
        np.testing.assert_array_equal(run(states[rows], weight, bias), whole[rows])


def test_huge_scores_do_not_overflow():
    states, weight = np.zeros((2, 16)), np.zeros((5, 16))
    states[:, 0], weight[:, 0] = [1e15, -1e15], [1e15, -1e15, 0, 0, 0]
    probabilities = run(states, weight, np.zeros(5))
    np.testing.assert_allclose(probabilities, [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]], atol=1e-30)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # raised by NumPy without JIT
def test_nan_propagates_to_the_probabilities_of_its_row():
    states, weight, bias, _ = make(2, 5, 16)
    states[0, 3] = np.nan
    probabilities = run(states, weight, bias)
    assert np.isnan(probabilities[0]).all()
    assert np.isfinite(probabilities[1]).all()


@pytest.mark.parametrize(("words", "kept"), [(3, 3), (16, 1), (37, 5), (300, 4)])
def test_the_best_words_are_those_of_the_sorted_probabilities(words, kept):
    states, weight, bias, _ = make(5, words, 32)
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
