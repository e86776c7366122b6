"""Vocabulary head: full and sampled softmax, with its own or tied weights."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from seqclf.layers.vocabulary_head import VocabularyHead
from seqclf.layers.workers import Workers
from tests.oracles import naive_heads
from tests.oracles.gradients import directional_derivative
from wordvec import InputError

WORDS, WIDTH, ROWS = 37, 12, 21
COUNTS = np.arange(WORDS, 0, -1)


def make(dtype=np.float32, **options):
    random = np.random.default_rng(4)
    head = VocabularyHead(WORDS, WIDTH, random=random, dtype=dtype, **options)
    head.views["head.bias"][:] = random.standard_normal(WORDS)
    return head


def make_rows(dtype=np.float32, rows=ROWS):
    """Return states (R, 16), whose last four columns are padding, targets and weights."""
    random = np.random.default_rng(5)
    states = np.zeros((rows, 16), dtype)
    states[:, :WIDTH] = random.standard_normal((rows, WIDTH))
    return states, random.integers(0, WORDS, rows), random.random(rows) + 0.5


def oracle(head, states, targets, weights):
    return naive_heads.output(states, head.weight, head.views["head.bias"], targets, weights / len(states))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loss_probabilities_and_gradients_match_the_formulas(dtype, monkeypatch):
    monkeypatch.setattr("seqclf.layers.vocabulary_head.NEAR_FLOATS", 16 * 48)
    monkeypatch.setattr("seqclf.layers.vocabulary_head.FEWEST_ROWS", 16)  # so that there are two chunks of rows
    head, (states, targets, weights) = make(dtype), make_rows(dtype)
    losses, probabilities, *gradients = oracle(head, states, targets, weights)
    loss, d_states = head.loss_and_backward(states, None, targets, weights)
    atol = 2e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(loss, (losses * weights).mean(), atol=atol)
    for got, wanted in zip((d_states, head.d_weight, head.d_views["head.bias"]), gradients, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, wanted, atol=atol)
    np.testing.assert_allclose(head.forward(states), probabilities, atol=atol)
    np.testing.assert_allclose(head.log_probabilities(states, targets), -losses, atol=10 * atol)
    np.testing.assert_array_equal(head.predict(states), probabilities.argmax(axis=1))
    assert head.candidates is None
    assert head.gradients()["head.weight"].shape == (WORDS, WIDTH)


def test_number_of_threads_does_not_change_a_bit():
    states, targets, weights = make_rows(rows=70)

    def run(threads):
        head = make()
        with Workers(threads) as workers:
            loss, d_states = head.loss_and_backward(states, None, targets, weights, workers)
        return loss, d_states, head.d_weight, head.d_views["head.bias"]

    for one, two in zip(run(1), run(2), strict=True):
        np.testing.assert_array_equal(one, two)


def test_threads_may_share_a_head():
    head, start = VocabularyHead(3000, WIDTH, random=np.random.default_rng(4)), threading.Barrier(2)
    states = [make_rows(rows=400)[0] * factor for factor in (1, -1)]
    alone = [head.forward(each) for each in states]

    def forward(each):
        start.wait()
        return [head.forward(each) for _ in range(8)]

    with ThreadPoolExecutor(2) as pool:
        for found, expected in zip(pool.map(forward, states), alone, strict=True):
            assert all((each == expected).all() for each in found)


def test_tied_weights_are_read_in_place_and_are_not_parameters():
    own, (states, targets, _) = make(), make_rows()
    table = own.weight.copy()
    tied = VocabularyHead(WORDS, WIDTH, tied=table)
    tied.load({"head.bias": own.views["head.bias"]})
    assert tied.parameters().keys() == tied.gradients().keys() == {"head.bias"}
    assert tied.weight is table
    for head in (own, tied):
        head.loss_and_backward(states, None, targets)
    np.testing.assert_array_equal(own.d_weight, tied.d_weight)
    tied.clear_gradients()
    assert not tied.d_weight.any()


def test_sampling_every_word_equals_the_full_softmax():
    states, targets, weights = make_rows(np.float64)
    full, sampled = make(np.float64), make(np.float64, samples=20_000, counts=COUNTS)
    expected = full.loss_and_backward(states, None, targets, weights)
    got = sampled.loss_and_backward(states, None, targets, weights, random=np.random.default_rng(1))
    assert sampled.candidates.tolist() == list(range(WORDS))
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-9)
    np.testing.assert_allclose(got[1], expected[1], atol=1e-9)
    np.testing.assert_allclose(sampled.d_weight, full.d_weight, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sampled_softmax_has_correct_gradients_only_for_its_candidates(dtype):
    head, (states, targets, weights) = make(dtype, samples=5, counts=COUNTS), make_rows(dtype, rows=4)

    def loss():
        return head.loss_and_backward(states, None, targets, weights, random=np.random.default_rng(2))[0]

    _, d_states = head.loss_and_backward(states, None, targets, weights, random=np.random.default_rng(2))
    d_weight = head.d_weight.copy()
    assert set(targets) <= set(head.candidates.tolist()) < set(range(WORDS))
    assert set(d_weight.any(axis=1).nonzero()[0]) == set(head.candidates.tolist())
    if dtype == np.float64:
        for array, gradient in ((head.weight, d_weight), (states, d_states)):
            direction = np.random.default_rng(3).standard_normal(array.shape)
            slope = directional_derivative(loss, array, direction)
            np.testing.assert_allclose((gradient * direction).sum(), slope, atol=1e-8)


def test_sampled_softmax_is_unbiased_at_the_true_frequencies():
    # With states of zero only the biases learn; at the log frequencies the mean gradient should be 0.
    frequencies = COUNTS**2 / (COUNTS**2).sum()

    def mean_gradient(bias):
        head, random = make(np.float64, samples=8, counts=COUNTS**2), np.random.default_rng(9)
        head.views["head.bias"][:] = bias
        for _ in range(500):
            head.loss_and_backward(np.zeros((12, 16)), None, random.choice(WORDS, 12, p=frequencies), random=random)
        return abs(head.d_views["head.bias"] / 500).sum()

    assert mean_gradient(np.log(frequencies)) < 0.1 * mean_gradient(np.zeros(WORDS))


def test_no_rows_have_zero_loss():
    for options in ({}, {"samples": 3, "counts": COUNTS}):
        head = make(**options)
        random = np.random.default_rng(1)
        loss, d_states = head.loss_and_backward(np.zeros((0, 16), np.float32), None, np.zeros(0), random=random)
        assert loss == 0
        assert d_states.shape == (0, 16)
        assert not head.d_weight.any()
        assert head.predict(np.zeros((0, 16), np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: VocabularyHead(1, 4), "at least 2 words, got 1"),
        (lambda: make(tied=np.zeros((WORDS, 12), np.float32)), r"\(37, 16\) of float32, got \(37, 12\)"),
        (lambda: make(samples=0, counts=COUNTS), "samples must be at least 1, got 0"),
        (lambda: make(samples=5), "counts of at least 1 for each of 37 words"),
        (lambda: make(samples=5, counts=COUNTS - 1), "at least 1 for each"),
        (
            lambda: make(samples=5, counts=COUNTS).loss_and_backward(*make_rows()[:1], None, make_rows()[1]),
            "needs random, got None; pass random",
        ),
        (lambda: make().loss_and_backward(make_rows()[0], None, np.full(ROWS, 37)), r"0 \.\. 36, got 37"),
    ],
)
def test_invalid_arguments_are_rejected(call, message):
    with pytest.raises(InputError, match=message):
        call()
