"""Weights of a blend, and the choice among models."""

import numpy as np
import pytest

from seqclf.classification.stacking import CANDIDATES, blended, choose, cross_fitted, fit_weights


def simulated(sharpness, noise, seed, count=400, classes=3):
    """Log-probabilities that are right more often the less noise there is, and too sure the larger the sharpness."""
    random = np.random.default_rng(seed)
    targets = np.random.default_rng(9).integers(0, classes, count)
    scores = np.eye(classes)[targets] + noise * random.standard_normal((count, classes))
    scores *= sharpness
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), targets


def test_weights_minimize_the_loss_of_the_blend():
    (a, targets), (b, _) = simulated(3, 0.6, 1), simulated(1, 0.9, 2)
    found = fit_weights([a, b], targets, np.ones(len(targets)))

    def loss(weights):
        own = blended([a, b], weights)[np.arange(len(targets)), targets]
        return -own.sum() + ((weights - 0.5) ** 2).sum()

    for change in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert loss(found) < loss(found + change)


def test_a_model_that_misleads_gets_no_weight():
    good, targets = simulated(1, 0.5, 1)
    bad, _ = simulated(-2, 0.3, 2)
    found = fit_weights([bad, good], targets, np.ones(len(targets)))
    assert found[0] == 0
    assert found[1] > 0


def test_temperature_calibrates_without_changing_predictions():
    sure, targets = simulated(20, 0.7, 1)
    (weight,) = fit_weights([sure], targets, np.ones(len(targets)))
    assert 0 < weight < 0.5
    calibrated = blended([sure], np.array([weight]))
    assert (calibrated.argmax(axis=1) == sure.argmax(axis=1)).all()
    right = (sure.argmax(axis=1) == targets).mean()
    assert np.exp(calibrated.max(axis=1)).mean() == pytest.approx(right, abs=0.05)
    assert np.exp(sure.max(axis=1)).mean() > right + 0.1


def test_no_text_is_predicted_with_weights_fitted_on_it():
    logs, targets = simulated(1, 0.8, 1, count=30)
    plain = cross_fitted([logs], targets, np.ones(30), seed=1)
    changed = targets.copy()
    changed[4] = (changed[4] + 1) % 3
    other = cross_fitted([logs], changed, np.ones(30), seed=1)
    np.testing.assert_array_equal(plain[4], other[4])
    assert (plain != other).any()


def test_the_blend_of_two_equal_models_is_kept():
    (a, targets), (b, _) = simulated(2, 0.8, 1), simulated(2, 0.8, 2)
    both = choose({"network": a, "linear": b}, list(CANDIDATES), targets, np.ones(400), skewed=False, seed=1)
    assert both.name == "blend"
    assert (both.weights > 0).all()
    assert both.measures["blend"]["dev_accuracy"] > both.measures["network"]["dev_accuracy"]
    only = choose({"network": a}, ["network"], targets, np.ones(400), skewed=True, seed=1)
    assert (only.name, only.weights[1]) == ("network", 0.0)
    assert 0 < only.measures["network"]["dev_macro_f1"] < 1


@pytest.mark.parametrize(("mistakes", "kept"), [(30, "blend"), (40, "network")])
def test_a_part_is_kept_if_it_is_better_by_two_standard_errors(mistakes, kept):
    # The network is right by a hair, and surely wrong in 20 of 400 texts; the loss prefers the linear model.
    network, linear = np.full(400, 0.05), np.full(400, 2.0)
    network[:20], linear[20 : 20 + mistakes] = -4.0, -1.5
    models = {
        name: np.log(np.stack([1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))], axis=1))
        for name, odds in (("network", network), ("linear", linear))
    }
    targets = np.zeros(400, np.int32)
    found = choose(models, list(CANDIDATES), targets, np.ones(400), skewed=False, seed=1)
    lead = found.measures["network"]["dev_accuracy"] - found.measures["blend"]["dev_accuracy"]
    error = np.sqrt(20 + mistakes) / 400
    assert lead > error
    assert (lead > 2 * error, found.name) == (kept == "network", kept)
