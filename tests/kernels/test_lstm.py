"""LSTM kernels: single steps by hand, packed batches, padding, and the rational tanh."""

import numpy as np
import pytest

from seqclf.kernels.activations import squash
from seqclf.kernels.lstm import lstm_backward, lstm_forward
from seqclf.kernels.panels import State, Weights, product
from seqclf.layers.batches import pack
from seqclf.layers.cells import from_panels, padded, spread, to_panels, unspread
from tests.oracles import naive_recurrent
from tests.oracles.gradients import numerical_gradient

GATES = 4


def run_forward(x, rows, starts, weights, *, keep=True, dtype=np.float64):
    """Run the kernel on x (U, E) and canonical weights; return its arrays by name."""
    w_input, w_hidden, bias = (np.asarray(weight, dtype) for weight in weights)
    hidden, columns = padded(w_hidden.shape[1]), padded(x.shape[1])
    inputs = spread(np.asarray(x, dtype), 1)
    packed, batch = int(starts[-1]), int(starts[1])
    nothing = np.zeros((0, hidden), dtype)
    arrays = {
        "inputs": inputs,
        "rows": np.asarray(rows, np.int32),
        "starts": np.asarray(starts, np.int64),
        "weights": Weights(
            to_panels(w_input, GATES, columns), to_panels(w_hidden, GATES, hidden), spread(bias, GATES), nothing[:, 0]
        ),
        "state": State(
            projected=np.full((len(inputs), GATES * hidden), np.nan, dtype),
            gates=np.full((packed if keep else batch, GATES * hidden), np.nan, dtype),
            c=np.full((packed if keep else 2 * batch, hidden), np.nan, dtype),
            h=np.full((packed, hidden), np.nan, dtype),
            h_first=np.zeros((batch, hidden), dtype),
            c_first=np.zeros((batch, hidden), dtype),
            hold_h=nothing,
            hold_c=nothing,
            product=product(np.dtype(dtype).name),
            width=x.shape[1],
        ),
    }
    lstm_forward(*arrays.values(), False, keep)
    return arrays


def run_backward(arrays, d_h, inputs_too=True):
    """Run the backward kernel on d_h (R, padded H); return the gradients as ``Weights`` in panels, and d_inputs."""
    kind = arrays["state"].h.dtype
    gradients = Weights(*(np.zeros_like(weight) for weight in arrays["weights"]))
    d_inputs = np.zeros_like(arrays["inputs"])[: None if inputs_too else 0]
    d_h_first, d_c_first = (np.zeros_like(arrays["state"].h_first) for _ in range(2))
    lstm_backward(*arrays.values(), d_h.astype(kind), gradients, d_inputs, d_h_first, d_c_first, False)
    return gradients, d_inputs


def make_weights(inputs, hidden, seed=0):
    random = np.random.default_rng(seed)
    shapes = [(GATES * hidden, inputs), (GATES * hidden, hidden), (GATES * hidden,)]
    return [random.standard_normal(shape) * 0.6 for shape in shapes]


def test_one_step_gate_by_gate():
    # One unit with pre-activations 1, -1, 0.5, 2 for i, f, g, o.
    weights = [np.array([[1.0], [-1.0], [0.5], [2.0]]), np.zeros((4, 1)), np.zeros(4)]
    arrays = run_forward(np.array([[1.0]]), [0], [0, 1], weights)
    i, f, g, o = arrays["state"].gates[0, [0, 16, 32, 48]]
    assert i == pytest.approx(1 / (1 + np.exp(-1)))
    assert f == pytest.approx(1 / (1 + np.exp(1)))
    assert g == pytest.approx(np.tanh(0.5))
    assert o == pytest.approx(1 / (1 + np.exp(-2)))
    assert arrays["state"].c[0, 0] == pytest.approx(i * g)
    assert arrays["state"].h[0, 0] == pytest.approx(o * np.tanh(i * g))


@pytest.mark.parametrize(("forget", "expected"), [(0.0, [2.0, 2.5, 3.0]), (-1e4, [0.0, 0.0, 0.0])])
def test_the_forget_gate_scales_the_cell(forget, expected):
    # Step 1 loads the cell: input gate 1, g = tanh of x. Step 2 has g = 0 and the forget gate under test.
    hidden = 3
    w_input = np.zeros((GATES * hidden, 2))
    w_input[:hidden, 0] = 1e4  # the input gate is open in step 1
    w_input[hidden : 2 * hidden, 1] = forget
    w_input[2 * hidden : 3 * hidden, 0] = np.arctanh([0.4, 0.5, 0.6])
    weights = [w_input, np.zeros((GATES * hidden, hidden)), np.zeros(GATES * hidden)]
    arrays = run_forward(np.eye(2), [0, 1], [0, 1, 2], weights)
    np.testing.assert_allclose(10 * arrays["state"].c[0, :3], [4, 5, 6])
    np.testing.assert_allclose(10 * arrays["state"].c[1, :3], expected, atol=1e-12)


def test_states_and_gradients_of_a_packed_batch_match_the_oracle():
    texts, hidden, width = [[2, 0], [1], [4, 3, 2, 2, 1]], 18, 3
    ids = np.array([i for text in texts for i in text], np.int32)
    batch = pack(ids, np.array([0, 2, 3, 8]), np.arange(3))
    random = np.random.default_rng(4)
    x, weights = random.standard_normal((5, width)), make_weights(width, hidden)
    d_h = np.zeros((8, padded(hidden)))
    d_h[:, :hidden] = random.standard_normal((8, hidden))
    for rows, turn in ((batch.forward_rows, 1), (batch.reverse_rows, -1)):
        arrays = run_forward(x, rows, batch.starts, weights)
        states, d_states = arrays["state"].h.copy(), d_h.copy()
        gradients, d_inputs = run_backward(arrays, d_states)
        expected = dict.fromkeys(("w_input", "w_hidden", "bias"), 0)
        d_x = np.zeros_like(x)
        for s, member in enumerate(batch.order):
            text = np.array(texts[member])[::turn]
            packed = [batch.starts[t] + s for t in range(len(text))]
            steps = naive_recurrent.lstm_forward(x[text], *weights)
            np.testing.assert_allclose(states[packed, :hidden], [step["h"] for step in steps], atol=1e-13)
            d_text, *d_weights = naive_recurrent.lstm_backward(steps, d_h[packed, :hidden], *weights[:2])
            np.add.at(d_x, text, d_text)
            for name, d_weight in zip(expected, d_weights, strict=True):
                expected[name] = expected[name] + d_weight
        np.testing.assert_allclose(d_inputs[:, :width], d_x, atol=1e-12)
        got = {
            "w_input": from_panels(gradients.w_input, GATES, hidden, width),
            "w_hidden": from_panels(gradients.w_hidden, GATES, hidden, hidden),
            "bias": unspread(gradients.bias, GATES, hidden),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(got[name], value, atol=1e-12, err_msg=name)


def test_padding_stays_zero():
    arrays = run_forward(np.ones((5, 3)), [0, 1, 2, 3, 4], [0, 3, 5], make_weights(3, 2))
    assert not arrays["state"].h[:, 2:].any()
    d_h = np.ones((5, 16))
    d_h[:, 2:] = 0
    gradients, d_inputs = run_backward(arrays, d_h)
    assert gradients.w_hidden[0, :2].any()
    assert not gradients.w_hidden[:, 2:].any()
    assert not gradients.w_input[:, 3:].any()
    assert not gradients.w_input[:, :, 2:].any()
    assert not d_inputs[:, 3:].any()


def test_the_input_gradient_is_optional():
    weights, x, d_h = make_weights(3, 2), np.ones((2, 3)), np.zeros((2, 16))
    d_h[:, :2] = 1
    with_them, d_inputs = run_backward(run_forward(x, [0, 1], [0, 1, 2], weights), d_h.copy())
    without, nothing = run_backward(run_forward(x, [0, 1], [0, 1, 2], weights), d_h.copy(), inputs_too=False)
    assert d_inputs.any()
    assert nothing.size == 0
    for left, right in zip(with_them, without, strict=True):
        np.testing.assert_array_equal(left, right)


def test_states_are_the_same_without_keep():
    weights, rows, starts = make_weights(3, 5), [3, 1, 0, 2, 1, 0, 3], [0, 3, 5, 6, 7]
    x = np.random.default_rng(1).standard_normal((4, 3))
    for dtype in (np.float32, np.float64):
        kept = run_forward(x, rows, starts, weights, dtype=dtype)
        alone = run_forward(x, rows, starts, weights, keep=False, dtype=dtype)
        np.testing.assert_array_equal(kept["state"].h, alone["state"].h)


def test_recurrent_weight_gradient_matches_the_numerical_gradient_over_many_steps():
    weights, x = make_weights(1, 2), np.random.default_rng(3).standard_normal((9, 1))
    weights[1] *= 0.5

    def last_state():
        return float(run_forward(x, range(9), range(10), weights)["state"].h[-1, :2].sum())

    d_h = np.zeros((9, 16))
    d_h[-1, :2] = 1
    gradients, _ = run_backward(run_forward(x, range(9), range(10), weights), d_h)
    got = from_panels(gradients.w_hidden, GATES, 2, 2)
    np.testing.assert_allclose(got, numerical_gradient(last_state, weights[1]), atol=1e-9)


def test_rational_tanh_is_accurate_to_float32():
    x = np.concatenate([np.linspace(-12, 12, 4001), [0.0, 1e-30, -1e-6, 1e30, -np.inf, np.inf]]).astype(np.float32)
    got = x.copy()
    got = np.resize(got, padded(x.size))
    squash(got)
    got = got[: x.size]
    np.testing.assert_allclose(got, np.tanh(x.astype(np.float64)), atol=4e-7)
    assert np.abs(got).max() <= 1 + 1e-6
    small = (x != 0) & (np.abs(x) < 0.01)
    np.testing.assert_allclose(got[small], np.tanh(x[small].astype(np.float64)), rtol=1e-6)
    nans = np.full(16, np.nan, np.float32)
    squash(nans)
    assert np.isnan(nans).all()
