"""The CRF against all label paths one by one, numerical gradients, and scores no naive sum survives."""

import numpy as np
import pytest

from seqclf.kernels.crf import crf_forward_backward, crf_marginals, crf_viterbi
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient
from wordvec.kernels.simd import JIT_OFF

# Sequences of 4, 2, 2, 1 and no tokens.
STARTS = np.array([0, 4, 7, 8, 9])
TARGETS = np.array([2, 0, 1, 2, 1, 1, 0, 2, 0], np.int32)
WEIGHTS = np.array([0.5, 2.0, 1.0, 1.5, 3.0])


def make(classes=3, seed=0, scale=1.0, starts=STARTS):
    """emissions, transitions, start, end."""
    random = np.random.default_rng(seed)
    shapes = [(starts[-1], classes), (classes, classes), (classes,), (classes,)]
    return [random.standard_normal(shape) * scale for shape in shapes]


def run(arrays, targets=TARGETS, weights=WEIGHTS, starts=STARTS, parts=((0, 5),)):
    """Losses (B,), and the gradients of emissions, transitions, start and end."""
    emissions, transitions, start, end = arrays
    losses = np.full(weights.size, np.nan)
    gradients = [np.full_like(emissions, np.nan), *(np.zeros(a.shape) for a in arrays[1:])]
    for first, last in parts:
        crf_forward_backward(
            emissions, starts, transitions, start, end, targets, weights, first, last, losses, *gradients
        )
    return losses, gradients


def marginals_of(arrays, starts=STARTS, sequences=5):
    emissions, transitions, start, end = arrays
    marginals = np.full_like(emissions, np.nan)
    crf_marginals(emissions, starts, transitions, start, end, sequences, marginals)
    return marginals


def decode(arrays, starts=STARTS, sequences=5):
    emissions, transitions, start, end = arrays
    labels, scores = np.full(len(emissions), -1, np.int32), np.full(sequences, np.nan)
    crf_viterbi(emissions, starts, transitions, start, end, sequences, labels, scores)
    return labels, scores


def one_sequence(length):
    return np.arange(length + 1)


@pytest.mark.parametrize("classes", [2, 3])
def test_loss_marginals_and_gradients_are_those_of_all_paths(classes):
    arrays, targets = make(classes), np.minimum(TARGETS, classes - 1)
    losses, gradients = run(arrays, targets)
    expected = naive_heads.crf(arrays[0], STARTS, *arrays[1:], targets, WEIGHTS)
    np.testing.assert_allclose(losses, [*expected[0], 0.0], rtol=1e-12)
    np.testing.assert_allclose(marginals_of(arrays), expected[1], rtol=1e-10)
    for gradient, wanted in zip(gradients, expected[2], strict=True):
        np.testing.assert_allclose(gradient, wanted, atol=1e-12)


def test_every_gradient_is_numerically_right():
    arrays = make()
    _, gradients = run(arrays)
    for array, gradient in zip(arrays, gradients, strict=True):
        expected = numerical_gradient(lambda: float((run(arrays)[0] * WEIGHTS).sum()), array)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_the_likelihoods_of_all_paths_sum_to_one():
    starts, arrays = one_sequence(3), make(starts=one_sequence(3), scale=3)
    paths, _ = naive_heads.all_paths(arrays[0], *arrays[1:])
    total = sum(np.exp(-run(arrays, np.array(p, np.int32), np.ones(1), starts, ((0, 1),))[0][0]) for p in paths)
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_marginals_sum_to_one_and_gradients_to_zero():
    arrays = make(scale=5, seed=3)
    np.testing.assert_allclose(marginals_of(arrays).sum(axis=1), 1, rtol=1e-12)
    _, (d_emissions, d_transitions, d_start, d_end) = run(arrays)
    np.testing.assert_allclose(d_emissions.sum(axis=1), 0, atol=1e-12)
    for gradient in (d_transitions, d_start, d_end):
        np.testing.assert_allclose(gradient.sum(), 0, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_path_is_the_best_of_all(seed):
    # Small whole numbers: many paths are equally good, and every sum is exact.
    arrays = [np.round(a) for a in make(seed=seed)]
    labels, scores = decode(arrays)
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)):
        best = naive_heads.best_path(arrays[0][rows], *arrays[1:])
        assert tuple(labels[rows]) == best
        assert scores[s] == naive_heads.path_score(best, arrays[0][rows], *arrays[1:])
    assert scores[4] == 0


def test_of_equal_paths_the_lowest_labels_win():
    labels, _ = decode([np.zeros_like(a) for a in make()])
    assert not labels.any()


def test_sequences_may_be_shared_out():
    arrays = make()
    whole, parted = run(arrays), run(arrays, parts=((3, 5), (0, 1), (1, 3)))
    np.testing.assert_array_equal(whole[0], parted[0])
    np.testing.assert_array_equal(whole[1][0], parted[1][0])
    np.testing.assert_allclose(whole[1][1], parted[1][1], rtol=1e-12)


def test_batch_mates_never_change_a_sequence():
    arrays = make()
    losses, gradients = run(arrays)
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)):
        alone = [arrays[0][rows], *arrays[1:]]
        starts = one_sequence(len(rows))
        own, own_gradients = run(alone, TARGETS[rows], WEIGHTS[s : s + 1], starts, ((0, 1),))
        assert own[0] == losses[s]
        np.testing.assert_array_equal(own_gradients[0], gradients[0][rows])
        np.testing.assert_array_equal(marginals_of(alone, starts, 1), marginals_of(arrays)[rows])


def test_huge_scores_do_not_overflow():
    # 1 follows 0 and 0 follows 1 at a price of a million, and the emissions ask for nothing else.
    start = np.array([1e6, -1e6])
    emissions = np.array([[3e6, -3e6], [-3e6, 3e6], [3e6, -3e6], [0, 0]])
    transitions = np.array([[0, -1e6], [-1e6, 0]])
    arrays = [emissions, transitions, start, -start]
    losses, gradients = run(arrays, np.array([0, 1, 0, 0], np.int32), np.ones(1), one_sequence(4), ((0, 1),))
    # The end costs what the change to the other label costs, and then gives the same again.
    np.testing.assert_allclose(losses, 1e6)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(4), 1)[:, 0], [1, 0, 1, 0])
    assert decode(arrays, one_sequence(4), 1)[0].tolist() == [0, 1, 0, 1]


def test_a_path_that_is_all_but_forbidden_and_the_only_one_keeps_its_gradient():
    # From 0, where everything starts, only 0 -> 1 at -2000 is nearly open; exp(-2000) is zero in any dtype.
    transitions = np.array([[-9000.0, -2000.0, -9000.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    arrays = [np.zeros((2, 3)), transitions, np.array([5000.0, -5000.0, -5000.0]), np.zeros(3)]
    losses, gradients = run(arrays, np.array([0, 1], np.int32), np.ones(1), one_sequence(2), ((0, 1),))
    np.testing.assert_allclose(losses, 0, atol=1e-9)
    for gradient in gradients:
        np.testing.assert_allclose(gradient, 0, atol=1e-9)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(2), 1), [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_no_tokens_at_all_is_no_error():
    starts, arrays = np.zeros(1, np.int64), make(starts=np.zeros(1, np.int64))
    losses, gradients = run(arrays, np.zeros(0, np.int32), np.ones(2), starts, ((0, 2),))
    assert losses.tolist() == [0, 0]
    assert not any(gradient.any() for gradient in gradients)
    assert decode(arrays, starts, 2)[1].tolist() == [0, 0]
    assert marginals_of(arrays, starts, 2).shape == (0, 3)


def test_a_hundred_thousand_tokens():
    length = 2_000 if JIT_OFF else 100_000
    arrays = make(starts=one_sequence(length))
    targets = (np.arange(length) % 3).astype(np.int32)
    losses, gradients = run(arrays, targets, np.ones(1), one_sequence(length), ((0, 1),))
    assert length < losses[0] < 10 * length
    np.testing.assert_allclose(gradients[0].sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(length), 1).sum(axis=1), 1, rtol=1e-9)
    _, scores = decode(arrays, one_sequence(length), 1)
    assert scores[0] > sum(arrays[0][t, label] for t, label in enumerate(targets))
