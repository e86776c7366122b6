"""Adam, dense and sparse, against the paper's algorithm; clipping; the learning-rate schedule."""

import itertools

import numpy as np
import pytest

from seqclf.layers.workers import Workers
from seqclf.training.optimizers import Adam, Optimizer, clipping, global_norm, scheduled_rate


def naive_adam(values, gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Algorithm 1 of Kingma & Ba 2015, verbatim."""
    m, v = np.zeros_like(values), np.zeros_like(values)
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        values = values - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return values


def test_ten_dense_steps_match_the_paper():
    random = np.random.default_rng(0)
    values, gradients = random.standard_normal((5, 3)), random.standard_normal((10, 5, 3))
    adam = Adam(values.copy())
    for gradient in gradients:
        adam.step(gradient, learning_rate=0.02)
    np.testing.assert_allclose(adam.values, naive_adam(values, gradients, 0.02), rtol=1e-12)


def test_float32_stays_float32_and_close_to_float64():
    random = np.random.default_rng(1)
    values, gradients = random.standard_normal(40), random.standard_normal((10, 40))
    adam = Adam(values.astype(np.float32))
    for gradient in gradients:
        adam.step(gradient.astype(np.float32), learning_rate=0.02)
    assert adam.values.dtype == adam.first.dtype == np.float32
    np.testing.assert_allclose(adam.values, naive_adam(values, gradients, 0.02), atol=2e-6)


def test_scale_is_applied_to_the_gradient():
    random = np.random.default_rng(2)
    values, gradients = random.standard_normal(7), random.standard_normal((4, 7))
    adam = Adam(values.copy(), beta1=0.8, beta2=0.9, epsilon=1e-3)
    for gradient in gradients:
        adam.step(gradient, learning_rate=0.1, scale=0.25)
    expected = naive_adam(values, 0.25 * gradients, 0.1, 0.8, 0.9, 1e-3)
    np.testing.assert_allclose(adam.values, expected, rtol=1e-12)


def test_other_rows_keep_values_and_moments():
    random = np.random.default_rng(3)
    table = random.standard_normal((6, 4))
    adam = Adam(table.copy(), rows=5)
    adam.step(random.standard_normal((2, 4)), rows=np.array([1, 4], np.int32), learning_rate=0.1)
    first = adam.first.copy()
    adam.step(random.standard_normal((1, 4)), rows=np.array([4], np.int32), learning_rate=0.1)
    np.testing.assert_array_equal(adam.values[[0, 2, 3, 5]], table[[0, 2, 3, 5]])
    np.testing.assert_array_equal(adam.first[1], first[1])
    assert (adam.first[4] != first[4]).all()
    assert (adam.values[[1, 4]] != table[[1, 4]]).all()
    assert adam.first.shape == (5, 4)


def test_sparse_update_of_all_rows_equals_the_dense_update():
    random = np.random.default_rng(4)
    table, gradients = random.standard_normal((3, 4)), random.standard_normal((5, 3, 4))
    sparse, dense = Adam(table.copy()), Adam(table.copy())
    for gradient in gradients:
        sparse.step(gradient, rows=np.arange(3, dtype=np.int32), learning_rate=0.1)
        dense.step(gradient, learning_rate=0.1)
    np.testing.assert_array_equal(sparse.values, dense.values)


def test_global_norm_of_several_arrays():
    random = np.random.default_rng(5)
    for dtype, tolerance in ((np.float32, 1e-6), (np.float64, 1e-12)):
        a, b = random.standard_normal((30, 41)).astype(dtype), random.standard_normal(3).astype(dtype)
        expected = np.sqrt((a.astype(float) ** 2).sum() + (b.astype(float) ** 2).sum())
        assert global_norm(a, b) == pytest.approx(expected, rel=tolerance)
    assert global_norm(np.zeros((0, 4), np.float32)) == 0
    assert np.isnan(global_norm(np.array([1.0, np.nan])))


def test_threads_change_neither_the_norm_nor_the_update():
    random = np.random.default_rng(6)
    gradient, d_rows = random.standard_normal((2, 2**17)).astype(np.float32)
    d_rows, rows = d_rows[:2000].reshape(5, 400), np.array([0, 2, 3, 5, 6])

    def run(name, workers):
        weights, table = np.ones(2**17, np.float32), np.ones((7, 400), np.float32)
        optimizer = Optimizer(
            weights, learning_rate=0.1, warmup_steps=0, clip_norm=1.0, steps=9, tables=[(table, 6)], optimizer=name,
            workers=workers,
        )  # fmt: skip
        optimizer.step(0.0, gradient, (rows, d_rows))
        return global_norm(gradient, workers=workers), weights, table

    for name in ("adam", "sgd"):
        with Workers(2) as workers:
            norm, *updated = run(name, workers)
        alone, *expected = run(name, None)
        assert norm == alone == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
        for mine, theirs in zip(updated, expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
            assert (mine != 1).any()
        assert (updated[1][[1, 4, 6]] == 1).all()


def test_clipping_scales_the_norm_to_the_limit():
    gradient = np.array([30.0, 40.0])
    assert global_norm(gradient * clipping(global_norm(gradient), 5.0)) == pytest.approx(5.0)
    assert clipping(4.9, 5.0) == 1.0


def test_linear_warm_up_and_decay():
    rates = [scheduled_rate(step, 1000, peak=2e-3, warmup=50) for step in range(1000)]
    assert rates[0] == pytest.approx(2e-3 / 50)
    assert rates[49] == pytest.approx(2e-3)
    assert max(rates) <= 2e-3
    assert all(a > b for a, b in itertools.pairwise(rates[50:]))
    assert 0 < rates[-1] < 3e-6
    assert scheduled_rate(0, 1, peak=1.0, warmup=50) == 1.0
    assert scheduled_rate(0, 3, peak=1.0, warmup=0) == 1.0


def test_optimizer_and_schedule_by_name():
    def run(**options):
        weights = np.array([1.0, -2.0])
        optimizer = Optimizer(weights, learning_rate=0.5, warmup_steps=0, clip_norm=9.0, steps=4, **options)
        rates = []
        for score in ((0.1,), (0.3,), (0.3,), (0.2,)):
            optimizer.step(0.0, np.array([1.0, 0.0]))
            rates.append(optimizer.learning_rate)
            optimizer.end_epoch(score)
        return rates, weights

    rates, weights = run(optimizer="sgd", schedule="plateau")
    assert rates == [0.5, 0.5, 0.5, 0.125]  # the third epoch is no better
    np.testing.assert_allclose(weights, [1 - sum(rates), -2])
    assert run(schedule="constant")[0] == [0.5] * 4
    np.testing.assert_allclose(run(schedule="cosine")[0], 0.25 * (1 + np.cos(np.pi * np.arange(4) / 4)))
    assert run()[0] == [0.5, 0.375, 0.25, 0.125]
