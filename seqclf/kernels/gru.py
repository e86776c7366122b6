"""The GRU: one direction of one layer, forward and backward, over a ragged batch.

Source: Cho et al. 2014, equations 5 to 8, where the reset gate scales the state *before* the product::

    r, z = sigmoid(z_r), sigmoid(z_z)
    n    = tanh(x · w_nᵀ + (r * h_previous) · u_nᵀ + b_n)
    h    = (1 - z) * n + z * h_previous

With ``after`` it scales the product, which has a bias of its own then, as cuDNN and PyTorch do::

    n    = tanh(x · w_nᵀ + b_n + r * (h_previous · u_nᵀ + bias_hidden))

z is the share of the old state that stays, as in Cho et al. and PyTorch. Zoneout and packed rows as in ``lstm.py``.

A row of ``gates`` holds r, z and two more of H units each: with ``after`` the hidden share of n and n; without, n and
r * h_previous. There is no cell: ``state.c`` is not read.
"""

import numpy as np

from seqclf.kernels.activations import GATE, TANH, hold, hold_back, squash
from seqclf.kernels.panels import (
    UNITS,
    add_part,
    add_product,
    add_weight_gradient,
    gather,
    project,
    shift_states,
    sum_by_input,
    transpose,
)
from wordvec.kernels.simd import kernel

_ONE = np.float32(1.0)


@kernel
def _hidden_share(product, h_old, h_before, count, weights, gates, at, after):
    """Add the previous state's share to the gates' sums; without ``after``, to r and z alone."""
    hidden = h_old.shape[1]
    panels = weights.w_hidden.shape[0] if after else 2 * hidden // UNITS
    add_part(product, h_old, h_before, 0, count, weights.w_hidden, 0, panels, gates, at, 0)


@kernel
def _start_sums(projected, rows, first, count, bias_hidden, gates, at, after):
    """Sums start from the projected input; with ``after``, n's stands apart and its hidden share starts from a bias."""
    gather(projected, rows, first, count, gates, at)
    if after:
        hidden = bias_hidden.size
        for s in range(count):
            row = gates[at + s]
            for k in range(hidden):
                row[3 * hidden + k] = row[2 * hidden + k]
                row[2 * hidden + k] = bias_hidden[k]


@kernel
def _step(product, weights, gates, at, count, h, h_at, h_old, h_before, hold_h, started, after, exact):
    """Gates and state of one step, whose rows start at ``at`` and ``h_at``."""
    hidden = h.shape[1]
    for s in range(count):
        row = gates[at + s]
        squash(row[: 2 * hidden], row[: 2 * hidden], GATE, exact)
        r, third, fourth = row[:hidden], row[2 * hidden : 3 * hidden], row[3 * hidden :]
        if after:
            for k in range(hidden):
                fourth[k] += r[k] * third[k]
        else:
            past = h_old[h_before + s]
            for k in range(hidden):
                fourth[k] = r[k] * past[k]
    if not after and started:
        part = hidden // UNITS
        add_part(product, gates, at, 3 * hidden, count, weights.w_hidden, 2 * part, part, gates, at, 2 * hidden)
    for s in range(count):
        row, h_here, past = gates[at + s], h[h_at + s], h_old[h_before + s]
        z, n = row[hidden : 2 * hidden], row[3 * hidden :] if after else row[2 * hidden : 3 * hidden]
        squash(n, n, TANH, exact)
        for k in range(hidden):
            h_here[k] = n[k] + z[k] * (past[k] - n[k])
        hold(hold_h, h_at + s, past, h_here)


@kernel
def _forward(inputs, rows, starts, weights, state, carried, keep, after, exact):
    gates, h = state.gates, state.h
    # 1. The projection, once for each distinct input.
    project(state.product, inputs, weights.w_input, weights.bias, state.projected)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        at = first if keep else 0
        # 2. Sums start from the projected input.
        _start_sums(state.projected, rows, first, count, weights.bias_hidden, gates, at, after)
        before = starts[t - 1] if t > 0 else 0
        h_old = h if t > 0 else state.h_first
        started = carried or t > 0
        # 3. The previous state's share.
        if started:
            _hidden_share(state.product, h_old, before, count, weights, gates, at, after)
        # 4. Gates, state.
        _step(state.product, weights, gates, at, count, h, first, h_old, before, state.hold_h, started, after, exact)


@kernel
def gru_forward(inputs, rows, starts, weights, state, carried, keep, exact):
    """Run one direction over a packed batch, reset before the product; arguments as ``lstm_forward``, gates r, z, n."""
    _forward(inputs, rows, starts, weights, state, carried, keep, False, exact)


@kernel
def gru_after_forward(inputs, rows, starts, weights, state, carried, keep, exact):
    """Run one direction over a packed batch, reset after the product; arguments as ``lstm_forward``, gates r, z, n."""
    _forward(inputs, rows, starts, weights, state, carried, keep, True, exact)


@kernel
def _step_back_after(gates, at, count, d_h, h_old, d_h_old, h_before, hold_h):
    """Turn a step's gates into d_z in place, d_n last, and pass d_h on. Mirrors ``_step`` with ``after``."""
    hidden = d_h.shape[1]
    for s in range(count):
        row, d_h_here = gates[at + s], d_h[at + s]
        past, d_past = h_old[h_before + s], d_h_old[h_before + s]
        r, z, n_hidden, n = row[:hidden], row[hidden : 2 * hidden], row[2 * hidden : 3 * hidden], row[3 * hidden :]
        hold_back(hold_h, at + s, d_h_here, d_past)
        for k in range(hidden):
            d_n = d_h_here[k] * (_ONE - z[k]) * (_ONE - n[k] * n[k])
            d_r = d_n * n_hidden[k] * r[k] * (_ONE - r[k])
            d_past[k] += d_h_here[k] * z[k]
            z[k] = d_h_here[k] * (past[k] - n[k]) * z[k] * (_ONE - z[k])
            n_hidden[k] = d_n * r[k]
            n[k] = d_n
            r[k] = d_r


@kernel
def _step_back_before(
    product, gates, at, count, d_h, h_old, d_h_old, h_before, hold_h, transposed_n, d_reset, started
):  # fmt: skip
    """Turn a step's gates into d_z in place, and pass d_h on. Mirrors ``_step`` without ``after``.

    d_reset (B, H) is scratch for the gradient of r * h_previous.
    """
    hidden = d_h.shape[1]
    for s in range(count):
        row, d_h_here, d_past = gates[at + s], d_h[at + s], d_h_old[h_before + s]
        past, d_reset_here = h_old[h_before + s], d_reset[s]
        z, n = row[hidden : 2 * hidden], row[2 * hidden : 3 * hidden]
        hold_back(hold_h, at + s, d_h_here, d_past)
        for k in range(hidden):
            d_n = d_h_here[k] * (_ONE - z[k]) * (_ONE - n[k] * n[k])
            d_past[k] += d_h_here[k] * z[k]
            z[k] = d_h_here[k] * (past[k] - n[k]) * z[k] * (_ONE - z[k])
            n[k] = d_n
            d_reset_here[k] = 0
    if started:
        add_part(product, gates, at, 2 * hidden, count, transposed_n, 0, hidden // UNITS, d_reset, 0, 0)
    for s in range(count):
        r, past, d_past, d_reset_here = gates[at + s][:hidden], h_old[h_before + s], d_h_old[h_before + s], d_reset[s]
        for k in range(hidden):
            d_past[k] += d_reset_here[k] * r[k]
            r[k] = d_reset_here[k] * past[k] * r[k] * (_ONE - r[k])


@kernel(allocates=True)
def _backward(inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, carried, after, exact):
    gates, h = state.gates, state.h
    hidden, width = h.shape[1], inputs.shape[1]
    part, panels = hidden // UNITS, weights.w_hidden.shape[0]
    d_reset = np.empty((0 if after else d_h_first.shape[0], hidden), dtype=d_h.dtype)
    # Products that run together are transposed together: all three gates, or r and z, and n apart.
    together = panels if after else 2 * part
    transposed = np.empty((part, together * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden[:together], transposed)
    transposed_n = np.empty((part, (panels - together) * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden[together:], transposed_n)
    # 4. Gates, state; 3. the previous state's share; step by step from the last.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        h_old, d_h_old = (h, d_h) if t > 0 else (state.h_first, d_h_first)
        started = carried or t > 0
        if after:
            _step_back_after(gates, first, count, d_h, h_old, d_h_old, before, state.hold_h)
        else:
            _step_back_before(
                state.product,
                gates,
                first,
                count,
                d_h,
                h_old,
                d_h_old,
                before,
                state.hold_h,
                transposed_n,
                d_reset,
                started,
            )
        if started:
            add_part(state.product, gates, first, 0, count, transposed, 0, part, d_h_old, before, 0)
    # The weights' share of all steps at once: previous statesᵀ · d_z, for n without ``after`` (r * h_previous)ᵀ · d_n.
    previous = np.empty((rows.size, hidden), dtype=d_h.dtype)
    shift_states(h, state.h_first, starts, previous)
    add_weight_gradient(state.product, previous, gates, 0, gradients.w_hidden[:together])
    if after:
        for row in range(rows.size):
            for k in range(hidden):
                gradients.bias_hidden[k] += gates[row, 2 * hidden + k]
                gates[row, 2 * hidden + k] = gates[row, 3 * hidden + k]
    else:
        for row in range(rows.size):
            for k in range(hidden):
                previous[row, k] = gates[row, 3 * hidden + k]
        add_weight_gradient(state.product, previous, gates, 2 * hidden, gradients.w_hidden[together:])
    # 2., 1. The projection: rows that read the same input are summed first.
    sum_by_input(gates, rows, state.projected, gradients.bias)
    add_weight_gradient(state.product, inputs, state.projected, 0, gradients.w_input)
    if d_inputs.shape[0] > 0:
        transposed = np.empty((width // UNITS, panels * UNITS, UNITS), dtype=d_h.dtype)
        transpose(weights.w_input, transposed)
        add_product(state.product, state.projected, 0, inputs.shape[0], transposed, d_inputs, 0)


@kernel
def gru_backward(
    inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, d_c_first, carried, exact
):  # fmt: skip
    """Backpropagation through time; mirrors ``gru_forward`` with ``keep``; arguments as ``lstm_backward``."""
    _backward(inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, carried, False, exact)


@kernel
def gru_after_backward(
    inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, d_c_first, carried, exact
):  # fmt: skip
    """Backpropagation through time; mirrors ``gru_after_forward``; arguments as ``lstm_backward``."""
    _backward(inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, carried, True, exact)
