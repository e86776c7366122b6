"""CRF against enumeration of all label paths, numerical gradients, and extreme scores."""

from itertools import pairwise

import numpy as np
import pytest

from seqclf.kernels.crf import crf_forward_backward, crf_marginals, crf_viterbi
from seqclf.kernels.crf_log_space import log_space_pass
from seqclf.kernels.crf_scaled import REACH, exponentials
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient
from wordvec.kernels.simd import JIT_OFF

# Sequences of 4, 2, 2, 1 and 0 tokens.
STARTS = np.array([0, 4, 7, 8, 9])
TARGETS = np.array([2, 0, 1, 2, 1, 1, 0, 2, 0], np.int32)
WEIGHTS = np.array([0.5, 2.0, 1.0, 1.5, 3.0])


def make(classes=3, seed=0, scale=1.0, starts=STARTS):
    """Return emissions, transitions, start, end."""
    random = np.random.default_rng(seed)
    shapes = [(starts[-1], classes), (classes, classes), (classes,), (classes,)]
    return [random.standard_normal(shape) * scale for shape in shapes]


def run(arrays, targets=TARGETS, weights=WEIGHTS, starts=STARTS, parts=((0, 5),)):
    """Return losses (B,) and the gradients of emissions, transitions, start and end."""
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
def test_loss_marginals_and_gradients_match_path_enumeration(classes):
    arrays, targets = make(classes), np.minimum(TARGETS, classes - 1)
    losses, gradients = run(arrays, targets)
    expected = naive_heads.crf(arrays[0], STARTS, *arrays[1:], targets, WEIGHTS)
    np.testing.assert_allclose(losses, [*expected[0], 0.0], rtol=1e-12)
    np.testing.assert_allclose(marginals_of(arrays), expected[1], rtol=1e-10)
    for gradient, wanted in zip(gradients, expected[2], strict=True):
        np.testing.assert_allclose(gradient, wanted, atol=1e-12)


def test_gradients_match_numerical_gradients():
    arrays = make()
    _, gradients = run(arrays)
    for array, gradient in zip(arrays, gradients, strict=True):
        expected = numerical_gradient(lambda: float((run(arrays)[0] * WEIGHTS).sum()), array)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_path_likelihoods_sum_to_one():
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
def test_viterbi_finds_the_best_path(seed):
    # Small integers: many ties, and exact sums.
    arrays = [np.round(a) for a in make(seed=seed)]
    labels, scores = decode(arrays)
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)):
        best = naive_heads.best_path(arrays[0][rows], *arrays[1:])
        assert tuple(labels[rows]) == best
        assert scores[s] == naive_heads.path_score(best, arrays[0][rows], *arrays[1:])
    assert scores[4] == 0


@pytest.mark.parametrize("classes", [16, 17, 40])
def test_viterbi_of_many_labels_equals_a_step_by_step_search(classes):
    # Small integers: many ties, and exact sums.
    arrays = [np.round(a) for a in make(classes, seed=classes)]
    labels, scores = decode(arrays)
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)[:4]):
        assert (labels[rows].tolist(), scores[s]) == naive_heads.viterbi(arrays[0][rows], *arrays[1:])


def test_viterbi_ties_are_resolved_by_the_lowest_label():
    labels, _ = decode([np.zeros_like(a) for a in make()])
    assert not labels.any()


def test_partitioned_sequences_give_the_same_result():
    arrays = make()
    whole, parted = run(arrays), run(arrays, parts=((3, 5), (0, 1), (1, 3)))
    np.testing.assert_array_equal(whole[0], parted[0])
    np.testing.assert_array_equal(whole[1][0], parted[1][0])
    np.testing.assert_allclose(whole[1][1], parted[1][1], rtol=1e-12)


def test_results_do_not_depend_on_the_batch():
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
    # Each label change costs a million, but the emissions outweigh that.
    start = np.array([1e6, -1e6])
    emissions = np.array([[3e6, -3e6], [-3e6, 3e6], [3e6, -3e6], [0, 0]])
    transitions = np.array([[0, -1e6], [-1e6, 0]])
    arrays = [emissions, transitions, start, -start]
    losses, gradients = run(arrays, np.array([0, 1, 0, 0], np.int32), np.ones(1), one_sequence(4), ((0, 1),))
    # Ending in 0 costs a million; changing to 1 costs a million, which the end score gives back.
    np.testing.assert_allclose(losses, 1e6)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(4), 1)[:, 0], [1, 0, 1, 0])
    assert decode(arrays, one_sequence(4), 1)[0].tolist() == [0, 1, 0, 1]


def test_exponentials_are_within_two_units_in_the_last_place():
    x = np.linspace(-REACH, 0, 1600)
    found, powers = x.copy(), np.empty_like(x)
    exponentials(found, powers, powers.view(np.int64))
    np.testing.assert_array_less(np.abs(found - np.exp(x)), 2 * np.spacing(np.exp(x)) + 1e-320)


@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_scaled_probabilities_match_log_space(scale):
    # The larger scale uses most of the reach, so a label's probability is as low as exp(-600).
    arrays = [np.clip(a, -REACH / 2, REACH / 2) for a in make(17, seed=5, scale=scale)]
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)):
        marginals, d_transitions = np.empty((4, 17)), np.zeros((17, 17))
        log_z = log_space_pass(arrays[0], STARTS, s, len(rows), *arrays[1:], 1.0, marginals, d_transitions)
        np.testing.assert_allclose(marginals_of(arrays)[rows], marginals[: len(rows)], rtol=1e-10, atol=1e-250)
        own, d_own = run(arrays, parts=((s, s + 1),), weights=np.ones(5))
        target = naive_heads.path_score(tuple(TARGETS[rows]), arrays[0][rows], *arrays[1:])
        np.testing.assert_allclose(own[s], log_z - target, rtol=1e-12, atol=1e-9)
        for before, after in pairwise(TARGETS[rows]):
            d_transitions[before, after] -= 1
        np.testing.assert_allclose(d_own[1], d_transitions, atol=1e-10)


def test_a_sequence_out_of_reach_leaves_the_others_as_they_are():
    arrays = make()
    wide = [arrays[0].copy(), *arrays[1:]]
    wide[0][0] += [2 * REACH, 0, 0]  # the first token of the first sequence
    losses, gradients = run(wide)
    np.testing.assert_array_equal(losses[1:], run(arrays)[0][1:])
    np.testing.assert_allclose(losses[0], 2 * REACH, atol=10)
    np.testing.assert_array_equal(gradients[0][1:4], run(arrays)[1][0][1:4])
    np.testing.assert_allclose(gradients[1].sum(), 0, atol=1e-12)


def test_the_gradient_of_an_underflowing_only_path_is_kept():
    # Every path starts in 0, whose best transition, to 1, scores -2000; exp(-2000) is zero in any dtype.
    transitions = np.array([[-9000.0, -2000.0, -9000.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    arrays = [np.zeros((2, 3)), transitions, np.array([5000.0, -5000.0, -5000.0]), np.zeros(3)]
    losses, gradients = run(arrays, np.array([0, 1], np.int32), np.ones(1), one_sequence(2), ((0, 1),))
    np.testing.assert_allclose(losses, 0, atol=1e-9)
    for gradient in gradients:
        np.testing.assert_allclose(gradient, 0, atol=1e-9)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(2), 1), [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_batches_of_empty_sequences():
    starts, arrays = np.zeros(1, np.int64), make(starts=np.zeros(1, np.int64))
    losses, gradients = run(arrays, np.zeros(0, np.int32), np.ones(2), starts, ((0, 2),))
    assert losses.tolist() == [0, 0]
    assert not any(gradient.any() for gradient in gradients)
    assert decode(arrays, starts, 2)[1].tolist() == [0, 0]
    assert marginals_of(arrays, starts, 2).shape == (0, 3)


def test_a_sequence_of_a_hundred_thousand_tokens():
    length = 2_000 if JIT_OFF else 100_000
    arrays = make(starts=one_sequence(length))
    targets = (np.arange(length) % 3).astype(np.int32)
    losses, gradients = run(arrays, targets, np.ones(1), one_sequence(length), ((0, 1),))
    assert length < losses[0] < 10 * length
    np.testing.assert_allclose(gradients[0].sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(marginals_of(arrays, one_sequence(length), 1).sum(axis=1), 1, rtol=1e-9)
    _, scores = decode(arrays, one_sequence(length), 1)
    assert scores[0] > sum(arrays[0][t, label] for t, label in enumerate(targets))
