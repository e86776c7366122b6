"""Simple RNN kernels: gradient growth and decay through the recurrent weight."""

import numpy as np
import pytest

from seqclf.kernels.panels import State, Weights, product
from seqclf.kernels.rnn import rnn_backward, rnn_forward


def gradient_of_the_first_state(weight, steps):
    """Return d h_T / d h_0 of one unit with zero inputs and state, where tanh has slope 1."""
    hidden, kind = 16, np.float32
    w_hidden = np.zeros((1, hidden, 16), kind)
    w_hidden[0, 0, 0] = weight
    weights = Weights(np.zeros((1, 16, 16), kind), w_hidden, np.zeros(16, kind), np.zeros(0, kind))
    nothing = np.zeros((0, hidden), kind)
    inputs, rows, starts = np.zeros((1, 16), kind), np.zeros(steps, np.int32), np.arange(steps + 1)
    first, no_cell = np.zeros((1, hidden), kind), np.zeros((1, hidden), kind)
    state = State(
        np.zeros((1, hidden), kind), np.zeros((steps, hidden), kind), nothing, np.zeros((steps, hidden), kind),
        first, no_cell, nothing, nothing, product("float32"), 16,
    )  # fmt: skip
    rnn_forward(inputs, rows, starts, weights, state, True, True)
    d_h, d_first = np.zeros((steps, hidden), kind), np.zeros((1, hidden), kind)
    d_h[-1, 0] = 1
    gradients = Weights(*(np.zeros_like(each) for each in weights))
    rnn_backward(inputs, rows, starts, weights, state, d_h, gradients, nothing[:, :16], d_first, no_cell, True)
    return d_first[0, 0]


@pytest.mark.parametrize(("weight", "expected"), [(2.0, 2.0**50), (0.5, 0.5**50), (1.0, 1.0)])
def test_the_gradient_over_fifty_steps_is_the_fiftieth_power_of_the_weight(weight, expected):
    assert gradient_of_the_first_state(weight, 50) == np.float32(expected)
