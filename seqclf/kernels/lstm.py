"""LSTM: forward and backward pass of one direction of one layer over a packed batch.

Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000::

    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)      g = tanh(z_g)
    z       = x · w_inputᵀ + h_previous · w_hiddenᵀ + bias
    c       = f * c_previous + i * g                        h = o * tanh(c)

With zoneout (Krueger et al. 2017, equation 3) a unit keeps its old value if its share is 1::

    c = hold_c * c_previous + (1 - hold_c) * c_new          h = hold_h * h_previous + (1 - hold_h) * o * tanh(c_new)

A *packed* batch is time-major: sequences are sorted by descending length, step t holds one row for each sequence longer
than t, and ``starts[t]`` is the first row of step t. There is no padding. The reverse direction uses the same kernel
and ``starts``; only ``rows``, the input row of each packed row, differs.

A row of ``gates`` holds i for all units, then f, g and o.
"""

import numpy as np

from seqclf.kernels.activations import held, hold_back, logistic, place_of, tanh
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
from wordvec.kernels.simd import kernel, load, multiply, multiply_add, splat_as, store, subtract


@kernel
def _step(
    gates: np.ndarray, at: int, count: int, c: np.ndarray, c_at: int, c_old: np.ndarray, c_before: int, h: np.ndarray,
    h_at: int, h_old: np.ndarray, h_before: int, hold_h: np.ndarray, hold_c: np.ndarray,
) -> None:  # fmt: skip
    """Compute gates, cell and state of one step, whose rows start at ``at``, ``c_at`` and ``h_at``."""
    hidden = h.shape[1]
    z, c_here, c_past, h_here, h_past, hold_h_all, hold_c_all = (
        gates.reshape(gates.size), c.reshape(c.size), c_old.reshape(c_old.size), h.reshape(h.size),
        h_old.reshape(h_old.size), hold_h.reshape(hold_h.size), hold_c.reshape(hold_c.size),
    )  # fmt: skip
    for s in range(count):
        row, c_row, c_old_row = (at + s) * 4 * hidden, (c_at + s) * hidden, (c_before + s) * hidden
        h_row, h_old_row = (h_at + s) * hidden, (h_before + s) * hidden
        held_h, held_c = place_of(hold_h, h_at + s, hidden), place_of(hold_c, h_at + s, hidden)
        for k in range(0, hidden, UNITS):
            i, f = logistic(load(z, row + k)), logistic(load(z, row + hidden + k))
            g, o = tanh(load(z, row + 2 * hidden + k)), logistic(load(z, row + 3 * hidden + k))
            store(z, row + k, i)
            store(z, row + hidden + k, f)
            store(z, row + 2 * hidden + k, g)
            store(z, row + 3 * hidden + k, o)
            old = load(c_past, c_old_row + k)
            cell = multiply_add(f, old, multiply(i, g))
            store(c_here, c_row + k, held(hold_c_all, held_c + k, old, cell))
            state = multiply(o, tanh(cell))
            store(h_here, h_row + k, held(hold_h_all, held_h + k, load(h_past, h_old_row + k), state))


@kernel
def lstm_forward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, carried: bool, keep: bool
) -> None:
    """Run one direction over a packed batch.

    Args:
        inputs: (U, E) distinct input rows.
        rows: (R,) int32, the input row of each packed row.
        starts: (T + 1,) int64, the first packed row of each step.
        weights: ``Weights`` with the four gates i, f, g, o.
        state: ``State``; everything except the initial state and the zoneout shares is output.
        carried: whether an initial state is given.
        keep: keep all gates and cells for ``lstm_backward``; prediction does without and needs little memory for them.
    """
    gates, c, h = state.gates, state.c, state.h
    batch = state.h_first.shape[0]
    # 1. Input projection, once per distinct input.
    project_inputs(inputs, weights, state)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        at, c_at = (first, first) if keep else (0, (t % 2) * batch)
        # 2. Initialize sums with the projected input.
        gather(state.projected, rows, first, count, gates, at)
        before = starts[t - 1] if t > 0 else 0
        h_old, c_old = (h, c) if t > 0 else (state.h_first, state.c_first)
        # 3. Add the previous state's share.
        if carried or t > 0:
            add_product(state.product, h_old, before, count, weights.w_hidden, gates, at)
        # 4. Gates, cell and state.
        c_before = before if keep or t == 0 else batch - c_at
        _step(
            gates, at, count, c, c_at, c_old, c_before, h, first, h_old, before,
            state.hold_h, state.hold_c,
        )  # fmt: skip


@kernel
def _step_back(
    gates: np.ndarray, at: int, count: int, c_old: np.ndarray, c_before: int, d_h: np.ndarray, d_h_old: np.ndarray,
    h_before: int, d_c: np.ndarray, hold_h: np.ndarray, hold_c: np.ndarray,
) -> None:  # fmt: skip
    """Replace a step's gates by d_z and propagate d_c to the previous step. Backward of ``_step``."""
    hidden = d_h.shape[1]
    z, c_past, d_h_here, d_h_past, d_c_here, hold_h_all, hold_c_all = (
        gates.reshape(gates.size), c_old.reshape(c_old.size), d_h.reshape(d_h.size), d_h_old.reshape(d_h_old.size),
        d_c.reshape(d_c.size), hold_h.reshape(hold_h.size), hold_c.reshape(hold_c.size),
    )  # fmt: skip
    for s in range(count):
        row, c_old_row, h_row = (at + s) * 4 * hidden, (c_before + s) * hidden, (at + s) * hidden
        h_old_row, d_c_row = (h_before + s) * hidden, s * hidden
        held_h, held_c = place_of(hold_h, at + s, hidden), place_of(hold_c, at + s, hidden)
        for k in range(0, hidden, UNITS):
            i, f = load(z, row + k), load(z, row + hidden + k)
            g, o = load(z, row + 2 * hidden + k), load(z, row + 3 * hidden + k)
            one, old = splat_as(i, 1.0), load(c_past, c_old_row + k)
            squashed = tanh(multiply_add(f, old, multiply(i, g)))
            d_state = hold_back(hold_h_all, held_h + k, load(d_h_here, h_row + k), d_h_past, h_old_row + k)
            d_kept = load(d_c_here, d_c_row + k)
            store(d_c_here, d_c_row + k, splat_as(i, 0.0))
            d_cell = hold_back(hold_c_all, held_c + k, d_kept, d_c_here, d_c_row + k)
            slope = subtract(one, multiply(squashed, squashed))
            d_cell = multiply_add(multiply(d_state, o), slope, d_cell)
            d_i = multiply(multiply(d_cell, g), multiply(i, subtract(one, i)))
            d_f = multiply(multiply(d_cell, old), multiply(f, subtract(one, f)))
            d_g = multiply(multiply(d_cell, i), subtract(one, multiply(g, g)))
            d_o = multiply(multiply(d_state, squashed), multiply(o, subtract(one, o)))
            store(d_c_here, d_c_row + k, multiply_add(d_cell, f, load(d_c_here, d_c_row + k)))
            store(z, row + k, d_i)
            store(z, row + hidden + k, d_f)
            store(z, row + 2 * hidden + k, d_g)
            store(z, row + 3 * hidden + k, d_o)


@kernel(allocates=True)
def lstm_backward(
    inputs: np.ndarray, rows: np.ndarray, starts: np.ndarray, weights: Weights, state: State, d_h: np.ndarray,
    gradients: Weights, d_inputs: np.ndarray, d_h_first: np.ndarray, d_c_first: np.ndarray, carried: bool,
) -> None:  # fmt: skip
    """Backpropagation through time for ``lstm_forward`` with ``keep``.

    Args:
        inputs, rows, starts, weights, state: as passed to and left by ``lstm_forward``; ``state.projected`` and
            ``state.gates`` are overwritten with their gradients.
        d_h: (R, H), gradient of each state from the layer above; the recurrent gradient is added in place.
        gradients: ``Weights``, accumulated.
        d_inputs: (U, E), accumulated; or (0, E) if the inputs need no gradient.
        d_h_first: (B, H), the gradient of the initial state is added to it, if one was given.
        d_c_first: (B, H), on entry the gradient of each sequence's last cell, on return that of its initial cell.
        carried: as in ``lstm_forward``.
    """
    gates, c = state.gates, state.c
    hidden = state.h.shape[1]
    panels = weights.w_hidden.shape[0]
    transposed = np.empty((hidden // UNITS, panels * UNITS, UNITS), dtype=d_h.dtype)
    transpose(weights.w_hidden, transposed)
    # 4. Gates, cell and state; 3. the previous state's share; from the last step to the first.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        c_old, d_h_old = (c, d_h) if t > 0 else (state.c_first, d_h_first)
        _step_back(
            gates, first, count, c_old, before, d_h, d_h_old, before, d_c_first,
            state.hold_h, state.hold_c,
        )  # fmt: skip
        if carried or t > 0:
            add_product(state.product, gates, first, count, transposed, d_h_old, before)
    # Weight gradient of all steps at once: previous statesᵀ · d_z.
    add_hidden_gradient(state.product, state, starts, carried, gradients.w_hidden)
    # 2., 1. Input projection.
    project_back(inputs, rows, weights, state, gradients, d_inputs)
