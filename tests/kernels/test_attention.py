"""Attention pooling against a per-text reference; backward pass against numerical gradients."""

import numpy as np

from seqclf.kernels.attention import attention_backward, attention_forward
from seqclf.kernels.panels import product
from tests.oracles import naive_heads
from tests.oracles.gradients import numerical_gradient

STARTS = np.array([0, 4, 7, 8, 9])  # texts of 4, 2, 2, 1 and 0 tokens
TEXTS = 5


def make(scale=1.0, seed=0):
    """Return h, weight, bias, query."""
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape) * scale for shape in ((9, 16), (2, 16), (2,), (2,))]


def run(h, weight, bias, query, starts=STARTS, texts=TEXTS):
    """Return keys, attention, pooled."""
    arrays = [np.full(shape, np.nan, h.dtype) for shape in ((len(h), 16), (len(h),), (texts, h.shape[1]))]
    attention_forward(product(h.dtype.name), h, starts, weight, bias, query, *arrays)
    return arrays


def test_attention_and_pooled_states_match_the_reference():
    arrays = make()
    _, attention, pooled = run(*arrays)
    expected = naive_heads.attention(arrays[0], STARTS, *arrays[1:], TEXTS)
    np.testing.assert_allclose(attention, expected[0], rtol=1e-12)
    np.testing.assert_allclose(pooled, expected[1], atol=1e-12)
    np.testing.assert_array_equal(pooled[4], 0)
    for rows in naive_heads.sequence_rows(STARTS):
        np.testing.assert_allclose(attention[rows].sum(), 1)


def test_gradients_match_numerical_gradients():
    h, weight, _, query = arrays = make()
    d_pooled = np.random.default_rng(1).standard_normal((TEXTS, 16))
    keys, attention, _ = run(*arrays)
    d_h, others = np.full_like(h, np.nan), [np.ones_like(a) for a in arrays[1:]]
    attention_backward(product("float64"), h, STARTS, weight, query, keys, attention, d_pooled, d_h, *others)
    for array, gradient in zip(arrays, [d_h, *(other - 1 for other in others)], strict=True):
        expected = numerical_gradient(lambda: float((run(*arrays)[2] * d_pooled).sum()), array)
        np.testing.assert_allclose(gradient, expected, atol=1e-9)


def test_results_do_not_depend_on_the_batch():
    arrays = [a.astype(np.float32) for a in make(seed=2)]
    _, attention, pooled = run(*arrays)
    for s, rows in enumerate(naive_heads.sequence_rows(STARTS)):
        _, alone, own = run(arrays[0][rows], *arrays[1:], starts=np.arange(len(rows) + 1), texts=1)
        np.testing.assert_array_equal(alone, attention[rows])
        np.testing.assert_array_equal(own[0], pooled[s])


def test_huge_scores_do_not_overflow():
    arrays = make(scale=1e8)
    _, attention, pooled = run(*arrays)
    assert np.isfinite(attention).all()
    assert np.isfinite(pooled).all()
    for rows in naive_heads.sequence_rows(STARTS):
        np.testing.assert_allclose(attention[rows].sum(), 1)


def test_batches_of_empty_texts():
    _, weight, bias, query = make()
    nothing = np.zeros(1, np.int64)
    keys, attention, pooled = run(np.empty((0, 16)), weight, bias, query, starts=nothing, texts=2)
    assert not pooled.any()
    d_weight = np.zeros_like(weight)
    attention_backward(
        product("float64"),
        np.empty((0, 16)),
        nothing,
        weight,
        query,
        keys,
        attention,
        pooled,
        np.empty((0, 16)),
        d_weight,
        bias,
        query,
    )
    assert not d_weight.any()
