"""Adaptive softmax: probabilities against a slow oracle, gradients, threads."""

import numpy as np
import pytest

from seqclf.layers.adaptive_head import AdaptiveHead, adaptive_shapes
from seqclf.layers.workers import Workers
from tests.oracles.gradients import directional_derivative
from tests.oracles.naive_heads import softmax
from wordvec import InputError

WORDS, WIDTH, CUTOFFS = 50, 20, [6, 21]
TARGETS = np.array([0, 49, 5, 6, 20, 21, 3, 33, 21], np.int32)
WEIGHTS = np.linspace(0.5, 2, TARGETS.size)


def make(dtype=np.float64, words=WORDS, width=WIDTH, cutoffs=CUTOFFS):
    random = np.random.default_rng(3)
    head = AdaptiveHead(words, width, cutoffs=cutoffs, dtype=dtype)
    head.load(
        {name: 0.4 * random.standard_normal(size) for name, size in adaptive_shapes(words, width, cutoffs).items()}
    )
    states = np.zeros((TARGETS.size, -(-width // 16) * 16), dtype)
    states[:, :width] = random.standard_normal((TARGETS.size, width))
    return head, states


def oracle(head, states):
    """Return the probabilities (R, V), cluster by cluster."""
    own = {name.removeprefix("head."): array for name, array in head.parameters().items()}
    x = states[:, : own["weight"].shape[1]]
    short = softmax(x @ own["weight"].T + own["bias"])
    parts = [short[:, : CUTOFFS[0]]]
    for place in range(len(CUTOFFS)):
        name = f"cluster.{place}"
        z = x @ own[f"{name}.project.weight"].T
        parts.append(short[:, [CUTOFFS[0] + place]] * softmax(z @ own[f"{name}.weight"].T + own[f"{name}.bias"]))
    return np.concatenate(parts, axis=1)


def test_probabilities_are_those_of_the_oracle():
    head, states = make()
    expected = oracle(head, states)
    np.testing.assert_allclose(head.forward(states), expected, rtol=1e-12)
    chosen = expected[np.arange(TARGETS.size), TARGETS]
    np.testing.assert_allclose(head.log_probabilities(states, TARGETS), np.log(chosen), rtol=1e-12)
    np.testing.assert_array_equal(head.predict(states), expected.argmax(axis=1))
    single, rows = make(np.float32)
    np.testing.assert_allclose(single.log_probabilities(rows, TARGETS), np.log(chosen), atol=1e-5)


def test_loss_and_gradients_are_numerically_correct():
    head, states = make()

    def loss():
        return head.loss_and_backward(states, None, TARGETS, WEIGHTS)[0]

    found, d_states = head.loss_and_backward(states, None, TARGETS, WEIGHTS)
    chosen = oracle(head, states)[np.arange(TARGETS.size), TARGETS]
    np.testing.assert_allclose(found, -(WEIGHTS * np.log(chosen)).mean(), rtol=1e-12)
    parts = {name: (part.views[name], part.d_views[name].copy()) for part in head._parts for name in part.views}
    assert head.gradients().keys() == parts.keys()
    random = np.random.default_rng(2)
    for name, (array, gradient) in (parts | {"states": (states, d_states)}).items():
        direction = random.standard_normal(array.shape)
        slope = directional_derivative(loss, array, direction)
        assert abs(gradient).max() > 0, name
        np.testing.assert_allclose((gradient * direction).sum(), slope, atol=1e-8, err_msg=name)


def test_threads_and_single_precision_change_little_or_nothing(monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    (double, many), results = make(), []
    for threads in (1, 3):
        head, states = make(np.float32)
        with Workers(threads) as workers:
            loss, d_states = head.loss_and_backward(states, None, TARGETS, WEIGHTS, workers)
            results.append((loss, d_states, *head.gradients().values()))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    loss, d_states = double.loss_and_backward(many, None, TARGETS, WEIGHTS)
    np.testing.assert_allclose(results[0][0], loss, rtol=1e-5)
    np.testing.assert_allclose(results[0][1], d_states, atol=1e-5)


def test_a_batch_may_lack_clusters_or_rows():
    head, states = make()
    loss, d_states = head.loss_and_backward(states[:2], None, np.array([0, 5]))
    assert loss > 0
    assert d_states.shape == (2, 32)
    assert head.log_probabilities(states[:0], TARGETS[:0]).shape == (0,)


@pytest.mark.parametrize("cutoffs", [[], [0, 6], [6, 6], [6, 49]])
def test_cutoffs_must_ascend_within_the_vocabulary(cutoffs):
    with pytest.raises(InputError, match=r"cutoffs must ascend within 1 \.\. 48, got \["):
        AdaptiveHead(WORDS, WIDTH, cutoffs=cutoffs)
