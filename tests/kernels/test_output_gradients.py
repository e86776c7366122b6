"""Gradients of the vocabulary softmax against its formula: remainders of rows and words, dropped columns, threads."""

import numpy as np
import pytest

from seqclf.layers.vocabulary_gradients import LiveColumns, Objective, Slopes, SoftmaxGradients, group_rows
from seqclf.layers.workers import Workers
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient


def make(rows, words, width, seed=0):
    """Return states, weight, bias, targets, shares."""
    random = np.random.default_rng(seed)
    states, weight = random.standard_normal((rows, width)), random.standard_normal((words, width)) * 0.3
    targets = random.integers(0, words, rows)
    return states, weight, random.standard_normal(words), targets, random.random(rows) + 0.5


def run(states, weight, bias, targets, shares, *, smoothing=0.0, live=None, workers=None):
    """Return -log p (R,), d_states, and d_weight and d_bias added to ones."""
    slopes = Slopes(
        np.full(states.shape, np.nan, np.float32), np.ones(weight.shape, np.float32), np.ones(len(bias), np.float32)
    )
    goal = Objective(targets.astype(np.int32), shares.astype(np.float32), np.float32(smoothing))
    x, w, b = (each.astype(np.float32) for each in (states, weight, bias))
    return (SoftmaxGradients().run(x, w, b, goal, slopes, live, workers), *slopes)


def losses_of(states, weight, bias, targets, *, workers=None):
    """Return -log p (R,), computed without gradients."""
    x, w, b = (each.astype(np.float32) for each in (states, weight, bias))
    return SoftmaxGradients().losses(x, w, b, targets.astype(np.int32), workers)


def drop(states, sequences, seed=1):
    """Set columns to zero, others in each sequence; return states and the live columns."""
    live = np.random.default_rng(seed).random((sequences, states.shape[1])) > 0.4
    own = np.arange(len(states)) % sequences
    return states * live[own], LiveColumns(own, live)


# Remainders of rows and words, a width of two vectors, more words than a cache block, more groups than a run.
SIZES = [(1, 2, 16), (5, 19, 32), (32, 35, 16), (47, 270, 16), (165, 35, 16)]


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
@pytest.mark.parametrize("smoothing", [0, 0.3])
def test_loss_and_gradients_match_the_formulas(rows, words, width, smoothing):
    arrays = make(rows, words, width)
    losses, d_states, d_weight, d_bias = run(*arrays, smoothing=smoothing)
    expected = naive_heads.output(*arrays, smoothing=smoothing)
    np.testing.assert_allclose(losses, expected[0], atol=5e-6)
    for got, wanted in ((d_states, expected[2]), (d_weight - 1, expected[3]), (d_bias - 1, expected[4])):
        np.testing.assert_allclose(got, wanted, atol=5e-6)


@pytest.mark.parametrize(("rows", "words", "width"), SIZES)
def test_losses_without_gradients_match_the_softmax(rows, words, width):
    arrays = make(rows, words, width)
    losses = losses_of(*arrays[:4])
    np.testing.assert_allclose(losses, naive_heads.output(*arrays)[0], atol=5e-6)
    with Workers(3) as workers:
        np.testing.assert_array_equal(losses_of(*arrays[:4], workers=workers), losses)


def test_losses_without_gradients_do_not_depend_on_the_batch():
    states, weight, bias, targets, _ = make(40, 250, 16)
    whole = losses_of(states, weight, bias, targets)
    for rows in ([7], [19, 2, 33], [0, 11, 5, 4, 3]):
        np.testing.assert_array_equal(losses_of(states[rows], weight, bias, targets[rows]), whole[rows])


def test_dropped_columns_change_only_their_own_gradient():
    states, *others = make(75, 40, 48)
    states, live = drop(states, 2)
    assert [len(rows) for rows, _ in group_rows(75, 48, live)] == [32, 32, 11]
    whole, skipped = run(states, *others), run(states, *others, live=live)
    kept = live.live[live.sequences]
    np.testing.assert_allclose(skipped[1][kept], whole[1][kept], atol=1e-6)
    for got, wanted in zip(skipped, whole, strict=True):
        if got.shape != states.shape:
            np.testing.assert_allclose(got, wanted, atol=2e-6)


@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_the_oracle_matches_numerical_gradients(smoothing):
    states, weight, bias, targets, shares = make(3, 5, 2)

    def loss():
        return float((naive_heads.output(states, weight, bias, targets, shares, smoothing)[0] * shares).sum())

    _, _, *gradients = naive_heads.output(states, weight, bias, targets, shares, smoothing)
    for array, gradient in zip((states, weight, bias), gradients, strict=True):
        np.testing.assert_allclose(gradient, numerical_gradient(loss, array), atol=1e-9)


def test_threads_and_chunks_of_rows_do_not_change_results(monkeypatch):
    states, *others = make(140, 100, 16)
    states, live = drop(states, 3)
    one = run(states, *others, live=live)
    with Workers(2) as workers:
        for got, wanted in zip(run(states, *others, live=live, workers=workers), one, strict=True):
            np.testing.assert_array_equal(got, wanted)
    monkeypatch.setattr("seqclf.layers.vocabulary_gradients.NEAR_FLOATS", 32 * 100 * 2)
    for got, wanted in zip(run(states, *others, live=live), one, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_results_do_not_depend_on_the_batch():
    states, weight, bias, targets, shares = make(40, 40, 16)
    whole = run(states, weight, bias, targets, shares)
    for rows in ([7], [19, 2, 33], [0, 11, 5, 4, 3]):
        alone = run(states[rows], weight, bias, targets[rows], shares[rows])
        for k in range(2):
            np.testing.assert_allclose(alone[k], whole[k][rows], rtol=0, atol=0)


def test_huge_scores_do_not_overflow_and_keep_their_gradient():
    states, weight = np.zeros((2, 16)), np.zeros((5, 16))
    states[:, 0], weight[:, 0] = [1e15, -1e15], [1e15, -1e15, 0, 0, 0]
    losses, *gradients = run(states, weight, np.zeros(5), np.array([1, 1]), np.ones(2))
    np.testing.assert_allclose(losses, [2e30, 0], rtol=1e-6)
    np.testing.assert_allclose(losses_of(states, weight, np.zeros(5), np.array([1, 1])), losses, rtol=1e-6)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # raised by NumPy without JIT
def test_nan_propagates_to_the_loss_of_its_row():
    states, *others = make(2, 5, 16)
    states[0, 3] = np.nan
    for losses in (run(states, *others)[0], losses_of(states, *others[:3])):
        assert np.isnan(losses[0])
        assert np.isfinite(losses[1])
