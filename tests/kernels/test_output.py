"""The large softmax against its formula: every remainder, any split of the work, scores no naive sum survives."""

from itertools import pairwise

import numpy as np
import pytest

from seqclf.kernels.output import output_d_states, output_d_weight, output_scores, output_softmax
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient


def make(rows, words, width, seed=0):
    """states, weight, bias, targets, shares."""
    random = np.random.default_rng(seed)
    states, weight = random.standard_normal((rows, width)), random.standard_normal((words, width)) * 0.3
    targets = random.integers(0, words, rows)
    return states, weight, random.standard_normal(words), targets, random.random(rows) + 0.5


def padded(size):
    return -(-size // 16) * 16


def run(states, weight, bias, targets, shares, *, differentiate=True, row_parts=1, word_parts=1):
    """-log p (R,), probabilities or d_scores (R, V), d_states, d_weight and d_bias, the last two added to ones."""
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
        output_softmax(scores, first // 4, last // 4, columns, target, share, losses, scratch, differentiate)
        if differentiate:
            output_d_states(scores, w, d_states, first, last, words, columns, width)
    for first, last in parts(columns, word_parts) if differentiate else ():
        output_d_weight(scores, x, d_weight, d_bias, first, min(last, words), words, columns, width, scratch)
    p = scores.reshape(high // 4, columns, 4).transpose(0, 2, 1).reshape(high, columns)[:rows, :words]
    return losses[:rows], p, d_states.reshape(high, width)[:rows], d_weight.reshape(words, width), d_bias


def parts(size, count):
    """``count`` stretches of 0 .. size, in multiples of 16."""
    bounds = [size // 16 * k // count * 16 for k in range(count + 1)]
    return list(pairwise(bounds))


# Rows and words of every remainder by 4 and 16, one width with a second vector, more words than a near block.
SIZES = [(1, 2, 16), (5, 19, 32), (16, 35, 16), (33, 270, 16)]


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_loss_and_gradients_are_the_formulas(rows, words, width):
    arrays = make(rows, words, width)
    losses, _, d_states, d_weight, d_bias = run(*arrays)
    expected = naive_heads.output(*arrays)
    np.testing.assert_allclose(losses, expected[0], atol=5e-6)
    for got, wanted in ((d_states, expected[2]), (d_weight - 1, expected[3]), (d_bias - 1, expected[4])):
        np.testing.assert_allclose(got, wanted, atol=5e-6)


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_probabilities_are_the_softmax(rows, words, width):
    arrays = make(rows, words, width)
    _, probabilities, *_ = run(*arrays, differentiate=False)
    np.testing.assert_allclose(probabilities, naive_heads.output(*arrays)[1], rtol=1e-5)


def test_the_oracle_has_the_gradients_it_claims():
    states, weight, bias, targets, shares = make(3, 5, 2)

    def loss():
        return float((naive_heads.output(states, weight, bias, targets, shares)[0] * shares).sum())

    _, _, *gradients = naive_heads.output(states, weight, bias, targets, shares)
    for array, gradient in zip((states, weight, bias), gradients, strict=True):
        np.testing.assert_allclose(gradient, numerical_gradient(loss, array), atol=1e-9)


def test_the_split_of_the_work_does_not_change_a_bit():
    arrays = make(40, 100, 16)
    for one, many in zip(run(*arrays), run(*arrays, row_parts=3, word_parts=4), strict=True):
        np.testing.assert_array_equal(one, many)


def test_batch_mates_never_change_a_row():
    states, weight, bias, targets, shares = make(20, 40, 16)
    whole = run(states, weight, bias, targets, shares)
    for rows in ([7], [19, 2, 3], [0, 11, 5, 4, 3]):
        alone = run(states[rows], weight, bias, targets[rows], shares[rows])
        for k in range(3):
            np.testing.assert_array_equal(alone[k], whole[k][rows])


def test_huge_scores_neither_overflow_nor_lose_their_gradient():
    states, weight = np.zeros((2, 16)), np.zeros((5, 16))
    states[:, 0], weight[:, 0] = [1e15, -1e15], [1e15, -1e15, 0, 0, 0]
    losses, d_scores, *gradients = run(states, weight, np.zeros(5), np.array([1, 1]), np.ones(2))
    np.testing.assert_allclose(losses, [2e30, 0], rtol=1e-6)
    np.testing.assert_allclose(d_scores, [[1, -1, 0, 0, 0], [0, 0, 0, 0, 0]], atol=1e-30)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # NumPy's own, where the kernels run as Python
def test_not_a_number_is_not_hidden():
    states, weight, bias, targets, shares = make(2, 5, 16)
    states[0, 3] = np.nan
    losses, *_ = run(states, weight, bias, targets, shares)
    assert np.isnan(losses[0])
    assert np.isfinite(losses[1])
