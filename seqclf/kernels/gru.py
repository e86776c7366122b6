"""GRU: forward and backward pass of one direction of one layer over a packed batch.

Source: Cho et al. 2014, equations 5 to 8, where the reset gate scales the state *before* the product::

    r, z = sigmoid(z_r), sigmoid(z_z)
    n    = tanh(x · w_nᵀ + (r * h_previous) · u_nᵀ + b_n)
    h    = (1 - z) * n + z * h_previous

With ``after`` it scales the product, which then has its own bias, as in cuDNN and PyTorch::

    n    = tanh(x · w_nᵀ + b_n + r * (h_previous · u_nᵀ + bias_hidden))

z is the retained share of the old state, as in Cho et al. and PyTorch. Zoneout and packed rows as in ``lstm.py``.

A row of ``gates`` holds r, z and two more blocks of H units: with ``after``, n's hidden share and n; otherwise n and
r * h_previous. ``state.c`` is unused.
"""

import numpy as np

from seqclf.kernels.activations import held, hold_back, logistic, place_of, tanh
from seqclf.kernels.panels import (
    UNITS,
    State,
    Weights,
    add_hidden_gradient,
    add_part,
    add_turned,
    gather,
    project_back,
    project_inputs,
)
from seqclf.kernels.turning import transpose, turn
from wordvec.kernels.simd import kernel, load, multiply, multiply_add, splat_as, store, subtract


@kernel
def _hidden_share(
    product: int, h_old: np.ndarray, h_before: int, count: int, weights: Weights, gates: np.ndarray, at: int,
    after: bool,
) -> None:  # fmt: skip
    """Add the previous state's share to the gates' sums; without ``after``, only to r and z."""
    hidden = h_old.shape[1]
    panels = weights.w_hidden.shape[0] if after else 2 * hidden // UNITS
    add_part(product, h_old, h_before, 0, count, weights.w_hidden, 0, panels, gates, at, 0)


@kernel
def _start_sums(
    projected: np.ndarray, rows: np.ndarray, first: int, count: int, bias_hidden: np.ndarray, gates: np.ndarray,
    at: int, after: bool,
) -> None:  # fmt: skip
    """Initialize sums with the projected input; with ``after``, n is stored apart and its hidden share gets a bias."""
    gather(projected, rows, first, count, gates, at)
    if after:
        hidden, z = bias_hidden.size, gates.reshape(gates.size)
        for s in range(count):
            row = (at + s) * 4 * hidden
            for k in range(0, hidden, UNITS):
                store(z, row + 3 * hidden + k, load(z, row + 2 * hidden + k))
                store(z, row + 2 * hidden + k, load(bias_hidden, k))


@kernel
def _step(
    product: int, weights: Weights, gates: np.ndarray, at: int, count: int, h: np.ndarray, h_at: int, h_old: np.ndarray,
    h_before: int, hold_h: np.ndarray, started: bool, after: bool,
) -> None:  # fmt: skip
    """Compute gates and state of one step, whose rows start at ``at`` and ``h_at``."""
    hidden = h.shape[1]
    z_all, h_here = gates.reshape(gates.size), h.reshape(h.size)
    h_past, hold_all = h_old.reshape(h_old.size), hold_h.reshape(hold_h.size)
    for s in range(count):
        row, h_old_row = (at + s) * 4 * hidden, (h_before + s) * hidden
        for k in range(0, hidden, UNITS):
            r, fourth = logistic(load(z_all, row + k)), row + 3 * hidden + k
            store(z_all, row + k, r)
            store(z_all, row + hidden + k, logistic(load(z_all, row + hidden + k)))
            if after:
                store(z_all, fourth, multiply_add(r, load(z_all, row + 2 * hidden + k), load(z_all, fourth)))
            else:
                store(z_all, fourth, multiply(r, load(h_past, h_old_row + k)))
    if not after and started:
        part = hidden // UNITS
        add_part(product, gates, at, 3 * hidden, count, weights.w_hidden, 2 * part, part, gates, at, 2 * hidden)
    n_first = (3 if after else 2) * hidden
    for s in range(count):
        row, h_row, h_old_row = (at + s) * 4 * hidden, (h_at + s) * hidden, (h_before + s) * hidden
        held_h = place_of(hold_h, h_at + s, hidden)
        for k in range(0, hidden, UNITS):
            n, old = tanh(load(z_all, row + n_first + k)), load(h_past, h_old_row + k)
            store(z_all, row + n_first + k, n)
            state = multiply_add(load(z_all, row + hidden + k), subtract(old, n), n)
            store(h_here, h_row + k, held(hold_all, held_h + k, old, state))


@kernel
def _forward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, carried: bool, keep: bool,
    after: bool,
) -> None:  # fmt: skip
    gates, h = state.gates, state.h
    # 1. Input projection, once per distinct input.
    project_inputs(inputs, weights, state)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        at = first if keep else 0
        # 2. Initialize sums with the projected input.
        _start_sums(state.projected, rows, first, count, weights.bias_hidden, gates, at, after)
        before = starts[t - 1] if t > 0 else 0
        h_old = h if t > 0 else state.h_first
        started = carried or t > 0
        # 3. Add the previous state's share.
        if started:
            _hidden_share(state.product, h_old, before, count, weights, gates, at, after)
        # 4. Gates and state.
        _step(state.product, weights, gates, at, count, h, first, h_old, before, state.hold_h, started, after)


@kernel
def gru_forward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, carried: bool, keep: bool
) -> None:
    """Run one direction over a packed batch, reset before the product, gates r, z, n; see ``lstm_forward``."""
    _forward(inputs, rows, starts, weights, state, carried, keep, False)


@kernel
def gru_after_forward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, carried: bool, keep: bool
) -> None:
    """Run one direction over a packed batch, reset after the product, gates r, z, n; see ``lstm_forward``."""
    _forward(inputs, rows, starts, weights, state, carried, keep, True)


@kernel
def _step_back(
    gates: np.ndarray, at: int, count: int, d_h: np.ndarray, h_old: np.ndarray, d_h_old: np.ndarray, h_before: int,
    hold_h: np.ndarray, after: bool,
) -> None:  # fmt: skip
    """Replace a step's gates by d_z (with ``after`` all of them, otherwise z and n). Backward of ``_step``."""
    hidden = d_h.shape[1]
    z_all, d_h_here, h_past = gates.reshape(gates.size), d_h.reshape(d_h.size), h_old.reshape(h_old.size)
    d_h_past, hold_all = d_h_old.reshape(d_h_old.size), hold_h.reshape(hold_h.size)
    n_first = (3 if after else 2) * hidden
    for s in range(count):
        row, h_row, h_old_row = (at + s) * 4 * hidden, (at + s) * hidden, (h_before + s) * hidden
        held_h = place_of(hold_h, at + s, hidden)
        for k in range(0, hidden, UNITS):
            r, z, n = load(z_all, row + k), load(z_all, row + hidden + k), load(z_all, row + n_first + k)
            one, old = splat_as(z, 1.0), load(h_past, h_old_row + k)
            d_state = hold_back(hold_all, held_h + k, load(d_h_here, h_row + k), d_h_past, h_old_row + k)
            d_n = multiply(multiply(d_state, subtract(one, z)), subtract(one, multiply(n, n)))
            d_z = multiply(multiply(d_state, subtract(old, n)), multiply(z, subtract(one, z)))
            store(d_h_past, h_old_row + k, multiply_add(d_state, z, load(d_h_past, h_old_row + k)))
            store(z_all, row + hidden + k, d_z)
            store(z_all, row + n_first + k, d_n)
            if after:
                n_hidden = load(z_all, row + 2 * hidden + k)
                store(z_all, row + k, multiply(multiply(d_n, n_hidden), multiply(r, subtract(one, r))))
                store(z_all, row + 2 * hidden + k, multiply(d_n, r))


@kernel
def _reset_back(
    product: int, gates: np.ndarray, at: int, count: int, h_old: np.ndarray, d_h_old: np.ndarray, h_before: int,
    transposed_n: np.ndarray, d_reset: np.ndarray,
) -> None:  # fmt: skip
    """Backpropagate n's gradient to the reset gate and the state it scales, without ``after``.

    d_reset (B, H) is scratch for the gradient of r * h_previous.
    """
    hidden = h_old.shape[1]
    for s in range(count):
        for k in range(hidden):
            d_reset[s, k] = 0
    add_part(product, gates, at, 2 * hidden, count, transposed_n, 0, hidden // UNITS, d_reset, 0, 0)
    z_all, h_past = gates.reshape(gates.size), h_old.reshape(h_old.size)
    d_h_past, d_scaled = d_h_old.reshape(d_h_old.size), d_reset.reshape(d_reset.size)
    for s in range(count):
        row, h_old_row = (at + s) * 4 * hidden, (h_before + s) * hidden
        for k in range(0, hidden, UNITS):
            r, d_here, old = load(z_all, row + k), load(d_scaled, s * hidden + k), load(h_past, h_old_row + k)
            store(d_h_past, h_old_row + k, multiply_add(d_here, r, load(d_h_past, h_old_row + k)))
            slope = multiply(r, subtract(splat_as(r, 1.0), r))
            store(z_all, row + k, multiply(multiply(d_here, old), slope))


@kernel(allocates=True)
def _backward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, d_h: np.ndarray,
    gradients: Weights, d_inputs: np.ndarray, d_h_first: np.ndarray, carried: bool, after: bool,
) -> None:  # fmt: skip
    gates, h = state.gates, state.h
    hidden = h.shape[1]
    part, panels = hidden // UNITS, weights.w_hidden.shape[0]
    d_reset = np.empty((0 if after else d_h_first.shape[0], hidden), dtype=d_h.dtype)
    # Gates multiplied together are transposed together: all three, or r and z, with n separate.
    together = panels if after else 2 * part
    transposed = np.empty((part, together * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden[:together], transposed)
    transposed_n = np.empty((part, (panels - together) * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden[together:], transposed_n)
    # 4. Gates and state; 3. the previous state's share; from the last step to the first.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        h_old, d_h_old = (h, d_h) if t > 0 else (state.h_first, d_h_first)
        started = carried or t > 0
        _step_back(gates, first, count, d_h, h_old, d_h_old, before, state.hold_h, after)
        if not after:
            _reset_back(state.product, gates, first, count, h_old, d_h_old, before, transposed_n, d_reset)
        if started:
            add_part(state.product, gates, first, 0, count, transposed, 0, part, d_h_old, before, 0)
    # Weight gradient of all steps at once: previous statesᵀ · d_z; for n without ``after``, (r * h_previous)ᵀ · d_n.
    add_hidden_gradient(state.product, state, starts, carried, gradients.w_hidden[:together])
    if after:
        for row in range(rows.size):
            for k in range(hidden):
                gradients.bias_hidden[k] += gates[row, 2 * hidden + k]
                gates[row, 2 * hidden + k] = gates[row, 3 * hidden + k]
    else:
        turned = np.empty((hidden, rows.size), dtype=d_h.dtype)
        turn(gates, 0, rows.size, 3 * hidden, turned, 0)
        add_turned(state.product, turned, gates, 0, 2 * hidden, gradients.w_hidden[together:])
    # 2., 1. Input projection.
    project_back(inputs, rows, weights, state, gradients, d_inputs)


@kernel
def gru_backward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, d_h: np.ndarray,
    gradients: Weights, d_inputs: np.ndarray, d_h_first: np.ndarray, d_c_first: np.ndarray, carried: bool,
) -> None:  # fmt: skip
    """Backpropagation through time for ``gru_forward`` with ``keep``; arguments as in ``lstm_backward``."""
    _backward(inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, carried, False)


@kernel
def gru_after_backward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, d_h: np.ndarray,
    gradients: Weights, d_inputs: np.ndarray, d_h_first: np.ndarray, d_c_first: np.ndarray, carried: bool,
) -> None:  # fmt: skip
    """Backpropagation through time for ``gru_after_forward`` with ``keep``; arguments as in ``lstm_backward``."""
    _backward(inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, carried, True)
