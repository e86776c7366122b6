"""Simple RNN (Elman 1990): forward and backward pass of one direction of one layer over a packed batch.

    h = tanh(x · w_inputᵀ + h_previous · w_hiddenᵀ + bias)

With zoneout ``h = hold_h * h_previous + (1 - hold_h) * tanh(...)``. Packed rows as in ``lstm.py``. A row of ``gates``
holds the H values of tanh. ``state.c`` is unused.
"""

import numpy as np

from seqclf.kernels.activations import held, hold_back, place_of, tanh
from seqclf.kernels.panels import (
    UNITS,
    State,
    Weights,
    add_hidden_gradient,
    add_product,
    gather,
    project_back,
    project_inputs,
)
from seqclf.kernels.turning import transpose
from wordvec.kernels.simd import kernel, load, multiply, splat_as, store, subtract


@kernel
def _step(
    gates: np.ndarray, at: int, count: int, h: np.ndarray, h_at: int, h_old: np.ndarray, h_before: int,
    hold_h: np.ndarray,
) -> None:  # fmt: skip
    """Compute activation and state of one step, whose rows start at ``at`` and ``h_at``."""
    hidden = h.shape[1]
    z, h_here = gates.reshape(gates.size), h.reshape(h.size)
    h_past, hold_all = h_old.reshape(h_old.size), hold_h.reshape(hold_h.size)
    for s in range(count):
        row, h_row, h_old_row = (at + s) * hidden, (h_at + s) * hidden, (h_before + s) * hidden
        held_h = place_of(hold_h, h_at + s, hidden)
        for k in range(0, hidden, UNITS):
            value = tanh(load(z, row + k))
            store(z, row + k, value)
            store(h_here, h_row + k, held(hold_all, held_h + k, load(h_past, h_old_row + k), value))


@kernel
def rnn_forward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, carried: bool, keep: bool
) -> None:
    """Run one direction over a packed batch; arguments as in ``lstm_forward``, with one gate."""
    gates, h = state.gates, state.h
    # 1. Input projection, once per distinct input.
    project_inputs(inputs, weights, state)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        at = first if keep else 0
        # 2. Initialize sums with the projected input.
        gather(state.projected, rows, first, count, gates, at)
        before = starts[t - 1] if t > 0 else 0
        h_old = h if t > 0 else state.h_first
        # 3. Add the previous state's share.
        if carried or t > 0:
            add_product(state.product, h_old, before, count, weights.w_hidden, gates, at)
        # 4. Activation and state.
        _step(gates, at, count, h, first, h_old, before, state.hold_h)


@kernel
def _step_back(
    gates: np.ndarray, at: int, count: int, d_h: np.ndarray, d_h_old: np.ndarray, h_before: int, hold_h: np.ndarray
) -> None:
    """Replace a step's activations by d_z. Backward of ``_step``."""
    hidden = d_h.shape[1]
    z, d_h_here = gates.reshape(gates.size), d_h.reshape(d_h.size)
    d_h_past, hold_all = d_h_old.reshape(d_h_old.size), hold_h.reshape(hold_h.size)
    for s in range(count):
        row, h_old_row = (at + s) * hidden, (h_before + s) * hidden
        held_h = place_of(hold_h, at + s, hidden)
        for k in range(0, hidden, UNITS):
            value = load(z, row + k)
            d_state = hold_back(hold_all, held_h + k, load(d_h_here, row + k), d_h_past, h_old_row + k)
            slope = subtract(splat_as(value, 1.0), multiply(value, value))
            store(z, row + k, multiply(d_state, slope))


@kernel(allocates=True)
def rnn_backward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, d_h: np.ndarray,
    gradients: Weights, d_inputs: np.ndarray, d_h_first: np.ndarray, d_c_first: np.ndarray, carried: bool,
) -> None:  # fmt: skip
    """Backpropagation through time for ``rnn_forward`` with ``keep``; arguments as in ``lstm_backward``."""
    gates = state.gates
    hidden = state.h.shape[1]
    transposed = np.empty((hidden // UNITS, hidden, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden, transposed)
    # 4. Activation and state; 3. the previous state's share; from the last step to the first.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        d_h_old = d_h if t > 0 else d_h_first
        _step_back(gates, first, count, d_h, d_h_old, before, state.hold_h)
        if carried or t > 0:
            add_product(state.product, gates, first, count, transposed, d_h_old, before)
    # Weight gradient of all steps at once: previous statesᵀ · d_z.
    add_hidden_gradient(state.product, state, starts, carried, gradients.w_hidden)
    # 2., 1. Input projection.
    project_back(inputs, rows, weights, state, gradients, d_inputs)
