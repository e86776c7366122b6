"""A single layer with given weights: states and gradients against the oracle, and errors."""

import numpy as np
import pytest

from seqclf.inspection.layer import RecurrentLayer
from tests.oracles import naive_recurrent
from wordvec import InputError

RANDOM = np.random.default_rng(3)
STEPS = RANDOM.normal(0, 1, (4, 2))


def weights(gates, after=False):
    named = {"w_input": (gates * 3, 2), "w_hidden": (gates * 3, 3), "bias": (gates * 3,)}
    named |= {"bias_hidden": (3,)} if after else {}
    return {name: RANDOM.normal(0, 0.6, size) for name, size in named.items()}


def test_an_lstm_matches_the_oracle_forward_and_backward():
    w, h, c = weights(4), RANDOM.normal(0, 1, 3), RANDOM.normal(0, 1, 3)
    expected = naive_recurrent.lstm_forward(STEPS, **w, h=h, c=c)
    layer = RecurrentLayer("lstm", w)
    found = layer.forward(STEPS, h=h, c=c)
    for name in "ifgo":
        np.testing.assert_allclose(found.gates[name], [step[name] for step in expected], atol=1e-5)
    np.testing.assert_allclose(found.c, [step["c"] for step in expected], atol=1e-5)
    np.testing.assert_allclose(found.h, [step["h"] for step in expected], atol=1e-5)
    d_h = np.zeros((4, 3))
    d_h[-1] = [1, -2, 0.5]
    d_x, d_w_input, d_w_hidden, d_bias = naive_recurrent.lstm_backward(expected, d_h, w["w_input"], w["w_hidden"])
    gradients = layer.backward(d_h[-1])
    named = {"steps": d_x, "w_input": d_w_input, "w_hidden": d_w_hidden, "bias": d_bias}
    for name, value in named.items():
        np.testing.assert_allclose(gradients[name], value, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(gradients["h"][-1], d_h[-1])


@pytest.mark.parametrize("reset", ["before", "after"])
def test_the_state_of_a_gru_by_its_formula(reset):
    w = weights(3, after=reset == "after")
    found = RecurrentLayer("gru", w, reset=reset).forward(STEPS[:1], h=[0.2, -0.4, 0.6])
    h = np.array([0.2, -0.4, 0.6])
    (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(w["w_input"] @ STEPS[0] + w["bias"], 3), np.split(w["w_hidden"] @ h, 3)
    r, z = naive_recurrent.sigmoid(x_r + h_r), naive_recurrent.sigmoid(x_z + h_z)
    last = np.split(w["w_hidden"], 3)[2]
    n = np.tanh(x_n + (last @ (r * h) if reset == "before" else r * (h_n + w["bias_hidden"])))
    np.testing.assert_allclose(found.h[0], (1 - z) * n + z * h, atol=1e-5)
    assert found.c is None
    assert sorted(found.gates) == ["n", "r", "z"]


def test_errors_state_the_rule():
    w = weights(1)
    with pytest.raises(InputError, match=r"w_input and w_hidden"):
        RecurrentLayer("rnn", {"bias": [0]})
    with pytest.raises(InputError, match=r"bias must have shape \(3,\), got \(2,\)"):
        RecurrentLayer("rnn", {**w, "bias": [0, 0]})
    layer = RecurrentLayer("rnn", w)
    with pytest.raises(InputError, match="must follow"):
        layer.backward([0, 0, 0])
    with pytest.raises(InputError, match=r"steps must have shape \(T, 2\)"):
        layer.forward([[1.0]])
    with pytest.raises(InputError, match=r"h must have shape \(3,\)"):
        layer.forward(STEPS, h=[1])
