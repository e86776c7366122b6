"""The LSTM: one direction of one layer, forward and backward, over a ragged batch.

Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000::

    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)      g = tanh(z_g)
    z       = x · w_inputᵀ + h_previous · w_hiddenᵀ + bias
    c       = f * c_previous + i * g                        h = o * tanh(c)

With zoneout (Krueger et al. 2017, equation 3) a unit keeps its old value where its share is 1::

    c = hold_c * c_previous + (1 - hold_c) * c_new          h = hold_h * h_previous + (1 - hold_h) * o * tanh(c_new)

A ragged batch is time-major and *packed*: sequences are sorted by falling length, step t holds one row for each
sequence longer than t, and ``starts[t]`` is the first row of step t. There is no padding. The reverse direction is the
same kernel over the same ``starts``: only ``rows``, the input row each packed row reads, differs.

A row of ``gates`` holds i of all units, then f, g and o.
"""

import numpy as np

from seqclf.kernels.activations import GATE, TANH, hold, hold_back, squash
from seqclf.kernels.panels import (
    add_product,
    add_weight_gradient,
    gather,
    project,
    shift_states,
    sum_by_input,
    transpose,
)
from wordvec.kernels.simd import kernel

UNITS = 16
_ONE = np.float32(1.0)


@kernel
def _step(gates, at, count, c, c_at, c_old, c_before, h, h_at, h_old, h_before, hold_h, hold_c, squashed, exact):
    """Gates, cell, state of one step, whose rows start at ``at``, ``c_at`` and ``h_at``."""
    hidden = h.shape[1]
    for s in range(count):
        z, c_here, c_past, h_here = gates[at + s], c[c_at + s], c_old[c_before + s], h[h_at + s]
        for part in range(4):
            z_part = z[part * hidden : (part + 1) * hidden]
            squash(z_part, z_part, TANH if part == 2 else GATE, exact)
        i, f, g, o = z[:hidden], z[hidden : 2 * hidden], z[2 * hidden : 3 * hidden], z[3 * hidden :]
        for k in range(hidden):
            c_here[k] = f[k] * c_past[k] + i[k] * g[k]
        squash(c_here, squashed, TANH, exact)
        for k in range(hidden):
            h_here[k] = o[k] * squashed[k]
        hold(hold_c, h_at + s, c_past, c_here)
        hold(hold_h, h_at + s, h_old[h_before + s], h_here)


@kernel(allocates=True)
def lstm_forward(inputs, rows, starts, weights, state, carried, keep, exact):
    """Run one direction over a packed batch.

    Args:
        inputs: (U, E) distinct input rows.
        rows: (R,) int32, the input row each packed row reads.
        starts: (T + 1,) int64, the first packed row of each step.
        weights: ``Weights`` with four gates, i, f, g, o.
        state: ``State``; all but the first state and zoneout's shares is written.
        carried: whether a first state is given.
        keep: keep what ``lstm_backward`` needs. Prediction does not: its gates and cells then need next to no memory.
        exact: libm's tanh instead of the rational one.
    """
    gates, c, h = state.gates, state.c, state.h
    squashed = np.empty(h.shape[1], dtype=h.dtype)
    batch = state.h_first.shape[0]
    # 1. The projection, once for each distinct input.
    project(state.product, inputs, weights.w_input, weights.bias, state.projected)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        at, c_at = (first, first) if keep else (0, (t % 2) * batch)
        # 2. Sums start from the projected input.
        gather(state.projected, rows, first, count, gates, at)
        before = starts[t - 1] if t > 0 else 0
        h_old, c_old = (h, c) if t > 0 else (state.h_first, state.c_first)
        # 3. The previous state's share.
        if carried or t > 0:
            add_product(state.product, h_old, before, count, weights.w_hidden, gates, at)
        # 4. Gates, cell, state.
        c_before = before if keep or t == 0 else batch - c_at
        _step(
            gates, at, count, c, c_at, c_old, c_before, h, first, h_old, before,
            state.hold_h, state.hold_c, squashed, exact,
        )  # fmt: skip


@kernel
def _step_back(
    gates, at, count, c_old, c_before, d_h, d_h_old, h_before, d_c, d_c_held, hold_h, hold_c, squashed, exact
):  # fmt: skip
    """Turn a step's gates into d_z in place, and carry d_c to the step before. Mirrors ``_step``."""
    hidden = d_h.shape[1]
    for s in range(count):
        z, c_past, d_h_here, d_c_here = gates[at + s], c_old[c_before + s], d_h[at + s], d_c[s]
        i, f, g, o = z[:hidden], z[hidden : 2 * hidden], z[2 * hidden : 3 * hidden], z[3 * hidden :]
        hold_back(hold_h, at + s, d_h_here, d_h_old[h_before + s])
        for k in range(hidden):
            squashed[k] = f[k] * c_past[k] + i[k] * g[k]  # not c, which is a mixture where cells are held
            d_c_held[k] = 0
        squash(squashed, squashed, TANH, exact)
        hold_back(hold_c, at + s, d_c_here, d_c_held)
        for k in range(hidden):
            d_cell = d_c_here[k] + d_h_here[k] * o[k] * (_ONE - squashed[k] * squashed[k])
            d_i = d_cell * g[k] * i[k] * (_ONE - i[k])
            d_f = d_cell * c_past[k] * f[k] * (_ONE - f[k])
            d_g = d_cell * i[k] * (_ONE - g[k] * g[k])
            d_o = d_h_here[k] * squashed[k] * o[k] * (_ONE - o[k])
            d_c_here[k] = d_cell * f[k] + d_c_held[k]
            i[k], f[k], g[k], o[k] = d_i, d_f, d_g, d_o


@kernel(allocates=True)
def lstm_backward(
    inputs, rows, starts, weights, state, d_h, gradients, d_inputs, d_h_first, d_c_first, carried, exact
):  # fmt: skip
    """Backpropagation through time; mirrors ``lstm_forward`` with ``keep``.

    Args:
        inputs, rows, starts, weights, state: as ``lstm_forward`` had and left them; ``state.projected`` and
            ``state.gates`` are overwritten with their gradients.
        d_h: (R, H), the gradient of each state as the layer above sees it; what the recurrence adds is added in place.
        gradients: ``Weights``, added to.
        d_inputs: (U, E), added to; or (0, E) where the inputs need no gradient.
        d_h_first: (B, H), the gradient of the first state is added to it, where one was given.
        d_c_first: (B, H), on entry the gradient of each sequence's last cell, on return of its first one.
        carried, exact: as in ``lstm_forward``.
    """
    gates, c = state.gates, state.c
    hidden, width = state.h.shape[1], inputs.shape[1]
    panels = weights.w_hidden.shape[0]
    squashed, d_c_held = np.empty(hidden, dtype=d_h.dtype), np.empty(hidden, dtype=d_h.dtype)
    transposed = np.empty((hidden // UNITS, panels * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden, transposed)
    # 4. Gates, cell, state; 3. the previous state's share; step by step from the last.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        c_old, d_h_old = (c, d_h) if t > 0 else (state.c_first, d_h_first)
        _step_back(
            gates, first, count, c_old, before, d_h, d_h_old, before, d_c_first, d_c_held,
            state.hold_h, state.hold_c, squashed, exact,
        )  # fmt: skip
        if carried or t > 0:
            add_product(state.product, gates, first, count, transposed, d_h_old, before)
    # The weights' share of all steps at once: previous statesᵀ · d_z.
    previous = np.empty((rows.size, hidden), dtype=d_h.dtype)
    shift_states(state.h, state.h_first, starts, previous)
    add_weight_gradient(state.product, previous, gates, 0, gradients.w_hidden)
    # 2., 1. The projection: rows that read the same input are summed first.
    sum_by_input(gates, rows, state.projected, gradients.bias)
    add_weight_gradient(state.product, inputs, state.projected, 0, gradients.w_input)
    if d_inputs.shape[0] > 0:
        transposed = np.empty((width // UNITS, panels * UNITS, UNITS), dtype=d_h.dtype)
        transpose(weights.w_input, transposed)
        add_product(state.product, state.projected, 0, inputs.shape[0], transposed, d_inputs, 0)
