"""The LSTM: one direction of one layer, forward and backward, over a ragged batch.

Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000::

    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)      g = tanh(z_g)
    z       = x · w_inputᵀ + h_previous · w_hiddenᵀ + bias
    c       = f * c_previous + i * g                        h = o * tanh(c)

Layout. Everything 4H wide is stored in *panels* of 16 units: the 64 columns of a panel are ``i f g o``, 16 of each, so
that a panel's gates are complete as soon as its product is. ``w_input`` is (P, E, 64), ``w_hidden`` (P, H, 64) and
``bias`` (P, 64), with P = H / 16 panels; E and H are multiples of 16 (the caller pads with zeros, which stay zeros).

A ragged batch is time-major and *packed*: sequences are sorted by falling length, step t holds one row for each
sequence longer than t, and ``starts[t]`` is the first row of step t. There is no padding. The reverse direction is the
same kernel over the same ``starts``: only ``rows``, the input row each packed row reads, differs.

A row is computed by the same instructions in the same order whatever stands beside it, so batch mates never change it.
"""

import math

import numpy as np

from wordvec.kernels.simd import kernel

UNITS = 16  # hidden units in a panel
PANEL = 64  # columns in a panel: i, f, g, o of 16 units

# tanh(x) = x P(x²) / Q(x²) to 3e-7 on |x| <= 7.9; beyond, float32 tanh is 1. Source: Eigen, MathFunctionsImpl.h.
_LIMIT = np.float32(7.90531110763549805)
_P0, _P1 = np.float32(4.89352455891786e-03), np.float32(6.37261928875436e-04)
_P2, _P3 = np.float32(1.48572235717979e-05), np.float32(5.12229709037114e-08)
_P4, _P5 = np.float32(-8.60467152213735e-11), np.float32(2.00018790482477e-13)
_P6 = np.float32(-2.76076847742355e-16)
_Q0, _Q1 = np.float32(4.89352518554385e-03), np.float32(2.26843463243900e-03)
_Q2, _Q3 = np.float32(1.18534705686654e-04), np.float32(1.19825839466702e-06)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)

# The kernels have no "reassoc": the order of every sum is part of the promise above.


@kernel
def _multiply_tile(tile, a, a0, a1, a2, a3, stride, b, start, depth):
    """tile (4, 64) += A (4, depth) · B (depth, 64); updated in place.

    Row r of A begins at ``a[a_r]`` and steps by ``stride``, so the same code multiplies by A or by its transpose. B's
    rows are 64 apart from ``b[start]``. ``depth`` is a multiple of 4. Four rows of A times four of B keep the
    processor busy with multiplications: 16 of them for 12 loads and stores.
    """
    for _ in range(0, depth, 4):
        a00, a01, a02, a03 = a[a0], a[a0 + stride], a[a0 + 2 * stride], a[a0 + 3 * stride]
        a10, a11, a12, a13 = a[a1], a[a1 + stride], a[a1 + 2 * stride], a[a1 + 3 * stride]
        a20, a21, a22, a23 = a[a2], a[a2 + stride], a[a2 + 2 * stride], a[a2 + 3 * stride]
        a30, a31, a32, a33 = a[a3], a[a3 + stride], a[a3 + 2 * stride], a[a3 + 3 * stride]
        # A slice, because LLVM vectorises offsets from it but not a sum that might be negative.
        block = b[start : start + 256]
        for j in range(64):
            b0, b1, b2, b3 = block[j], block[64 + j], block[128 + j], block[192 + j]
            tile[j] = tile[j] + a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
            tile[64 + j] = tile[64 + j] + a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
            tile[128 + j] = tile[128 + j] + a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
            tile[192 + j] = tile[192 + j] + a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
        a0 += 4 * stride
        a1 += 4 * stride
        a2 += 4 * stride
        a3 += 4 * stride
        start += 256


@kernel
def _multiply_row(tile, a, start_a, b, start, depth):
    """The first row of ``_multiply_tile`` alone: the same sums in the same order, for a step with one row left."""
    for _ in range(0, depth, 4):
        a0, a1, a2, a3 = a[start_a], a[start_a + 1], a[start_a + 2], a[start_a + 3]
        block = b[start : start + 256]
        for j in range(64):
            tile[j] = tile[j] + a0 * block[j] + a1 * block[64 + j] + a2 * block[128 + j] + a3 * block[192 + j]
        start_a += 4
        start += 256


@kernel
def _tanh(x):
    """Rational tanh in float32: no table, no exp, so that a loop over it becomes vector code on any processor."""
    x = _LIMIT if x > _LIMIT else x  # written so that NaN stays NaN
    x = -_LIMIT if x < -_LIMIT else x
    s = x * x
    p = ((((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0) * x
    q = ((_Q3 * s + _Q2) * s + _Q1) * s + _Q0
    return p / q


@kernel
def _activate(z, exact):
    """Turn the 64 sums of one row of a panel into gates, in place. ``exact`` takes libm's tanh (float64 proofs)."""
    if exact:
        for u in range(16):
            z[u] = 0.5 + 0.5 * math.tanh(0.5 * z[u])
            z[16 + u] = 0.5 + 0.5 * math.tanh(0.5 * z[16 + u])
            z[32 + u] = math.tanh(z[32 + u])
            z[48 + u] = 0.5 + 0.5 * math.tanh(0.5 * z[48 + u])
    else:
        for u in range(16):
            z[u] = _HALF + _HALF * _tanh(_HALF * z[u])
            z[16 + u] = _HALF + _HALF * _tanh(_HALF * z[16 + u])
            z[32 + u] = _tanh(z[32 + u])
            z[48 + u] = _HALF + _HALF * _tanh(_HALF * z[48 + u])


@kernel
def _squash(x, out, exact):
    """out = tanh(x), 16 units."""
    if exact:
        for u in range(16):
            out[u] = math.tanh(x[u])
    else:
        for u in range(16):
            out[u] = _tanh(x[u])


@kernel(allocates=True)
def _multiply(a, a_first, a_row, a_step, a_chunk, rows, depth, chunks, b, out, out_first, out_row, out_panel, columns):
    """out += A · B with 64 columns of B to a panel; every array is flat, so that strides say how it is laid out.

    Args:
        a: A's row r, column ``k + depth * chunk`` stands at ``a_first + r * a_row + k * a_step + chunk * a_chunk``.
        rows: rows of A and of out.
        depth, chunks: columns of A, and rows of B: ``depth * chunks``; depth is a multiple of 4.
        b: (panels, depth * chunks, 64).
        out: row r, column ``64 * panel + j`` stands at ``out_first + r * out_row + panel * out_panel + j``.
        columns: columns of out.
    """
    tile = np.empty(4 * PANEL, dtype=out.dtype)
    for panel in range((columns + PANEL - 1) // PANEL):
        width = min(PANEL, columns - panel * PANEL)
        for r in range(0, rows, 4):
            live = min(4, rows - r)
            for j in range(256):
                tile[j] = 0
            # A tile's spare rows repeat its last one and are not stored.
            a0 = a_first + r * a_row
            a1 = a0 + min(1, live - 1) * a_row
            a2 = a0 + min(2, live - 1) * a_row
            a3 = a0 + min(3, live - 1) * a_row
            for chunk in range(chunks):
                at = chunk * a_chunk
                start = (panel * chunks + chunk) * depth * PANEL
                _multiply_tile(tile, a, a0 + at, a1 + at, a2 + at, a3 + at, a_step, b, start, depth)
            for i in range(live):
                start = out_first + (r + i) * out_row + panel * out_panel
                target = out[start : start + width]
                for j in range(width):
                    target[j] += tile[i * PANEL + j]


@kernel(allocates=True)
def lstm_forward(inputs, rows, starts, w_input, w_hidden, bias, projected, gates, c, h, keep, exact):
    """Run one direction over a packed batch.

    Args:
        inputs: (U, E) distinct input rows.
        rows: (R,) int32, the input row each packed row reads.
        starts: (T + 1,) int64, the first packed row of each step.
        w_input, w_hidden, bias: weights in panels, see above.
        projected: (P, at least U, 64), written: ``inputs · w_inputᵀ + bias``.
        gates: (P, at least R, 64), written when ``keep``.
        c: (R, H) when ``keep``, else (2 B, H), scratch for two steps; written.
        h: (R, H), written.
        keep: keep what ``lstm_backward`` needs. Prediction does not: its gates and cells then need next to no memory.
        exact: libm's tanh instead of the rational one.
    """
    panels, capacity, _ = projected.shape
    distinct, width = inputs.shape
    hidden = h.shape[1]
    flat_c, flat_h, weights = c.reshape(c.size), h.reshape(h.size), w_hidden.reshape(w_hidden.size)
    flat_projected, flat_gates = projected.reshape(projected.size), gates.reshape(gates.size)
    # 1. The projection, once for each distinct input.
    for p in range(panels):
        for u in range(distinct):
            for j in range(64):
                projected[p, u, j] = bias[p, j]
    flat_inputs, flat_w_input = inputs.reshape(inputs.size), w_input.reshape(w_input.size)
    _multiply(
        flat_inputs, 0, width, 1, 0, distinct, width, 1, flat_w_input,
        flat_projected, 0, PANEL, capacity * PANEL, panels * PANEL,
    )  # fmt: skip
    tile = np.empty(4 * PANEL, dtype=h.dtype)
    squashed = np.empty(UNITS, dtype=h.dtype)
    nothing = np.zeros(UNITS, dtype=h.dtype)
    batch = starts[1] - starts[0] if starts.size > 1 else 0
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        c_first = first if keep else (t % 2) * batch
        c_before = before if keep else ((t + 1) % 2) * batch
        for p in range(panels):
            for s in range(0, count, 4):
                live = min(4, count - s)
                # 2. Sums start from the projected input. A tile's spare rows repeat its last one and are not stored.
                for i in range(4):
                    start = (p * capacity + rows[first + s + min(i, live - 1)]) * PANEL
                    source = flat_projected[start : start + PANEL]
                    for j in range(64):
                        tile[i * PANEL + j] = source[j]
                # 3. The previous state's share.
                if t > 0 and live == 1:
                    _multiply_row(tile, flat_h, (before + s) * hidden, weights, p * hidden * PANEL, hidden)
                elif t > 0:
                    a0 = (before + s) * hidden
                    a1 = a0 + min(1, live - 1) * hidden
                    a2 = a0 + min(2, live - 1) * hidden
                    a3 = a0 + min(3, live - 1) * hidden
                    _multiply_tile(tile, flat_h, a0, a1, a2, a3, 1, weights, p * hidden * PANEL, hidden)
                # 4. Gates, cell, state.
                for i in range(live):
                    z = tile[i * PANEL : (i + 1) * PANEL]
                    _activate(z, exact)
                    start = (c_first + s + i) * hidden + p * UNITS
                    c_here = flat_c[start : start + UNITS]
                    start = (c_before + s + i) * hidden + p * UNITS
                    c_old = flat_c[start : start + UNITS] if t > 0 else nothing
                    for u in range(16):
                        c_here[u] = z[16 + u] * c_old[u] + z[u] * z[32 + u]
                    _squash(c_here, squashed, exact)
                    start = (first + s + i) * hidden + p * UNITS
                    h_here = flat_h[start : start + UNITS]
                    for u in range(16):
                        h_here[u] = z[48 + u] * squashed[u]
                    if keep:
                        start = (p * gates.shape[1] + first + s + i) * PANEL
                        kept = flat_gates[start : start + PANEL]
                        for j in range(64):
                            kept[j] = z[j]


@kernel
def _transpose(weights, transposed):
    """weights (P, N, 64) -> transposed (Q, 64 P, 64), zeros before: column n of panel q is N's row 64 q + n."""
    panels, count, _ = weights.shape
    for p in range(panels):
        for n in range(count):
            q, k = n // PANEL, n % PANEL
            for j in range(64):
                transposed[q, p * PANEL + j, k] = weights[p, n, j]


@kernel
def _backward_step(gates, c, d_h, d_c, first, before, count, started, squashed, nothing, exact):
    """Turn a step's gates into d_z in place, and carry d_c to the step before. Mirrors part 4 of ``lstm_forward``."""
    panels, capacity, _ = gates.shape
    hidden = d_h.shape[1]
    flat_gates, flat_c = gates.reshape(gates.size), c.reshape(c.size)
    flat_d_h, flat_d_c = d_h.reshape(d_h.size), d_c.reshape(d_c.size)
    for p in range(panels):
        for s in range(count):
            start = (p * capacity + first + s) * PANEL
            z = flat_gates[start : start + PANEL]
            start = (first + s) * hidden + p * UNITS
            c_here, d_h_here = flat_c[start : start + UNITS], flat_d_h[start : start + UNITS]
            start = (before + s) * hidden + p * UNITS
            c_old = flat_c[start : start + UNITS] if started else nothing
            start = s * hidden + p * UNITS
            d_c_here = flat_d_c[start : start + UNITS]
            _squash(c_here, squashed, exact)
            for u in range(16):
                i, f, g, o = z[u], z[16 + u], z[32 + u], z[48 + u]
                d_cell = d_c_here[u] + d_h_here[u] * o * (_ONE - squashed[u] * squashed[u])
                d_c_here[u] = d_cell * f
                z[u] = d_cell * g * i * (_ONE - i)
                z[16 + u] = d_cell * c_old[u] * f * (_ONE - f)
                z[32 + u] = d_cell * i * (_ONE - g * g)
                z[48 + u] = d_h_here[u] * squashed[u] * o * (_ONE - o)


@kernel
def _sum_by_input(d_z, rows, d_projected, d_bias):
    """d_projected[:, u] = the sum of d_z (P, ., 64) over the packed rows that read input u; d_bias += their sum."""
    panels, distinct, _ = d_projected.shape
    for p in range(panels):
        for u in range(distinct):
            for j in range(64):
                d_projected[p, u, j] = 0
        for row in range(rows.size):
            u = rows[row]
            for j in range(64):
                d_projected[p, u, j] += d_z[p, row, j]
        for u in range(distinct):
            for j in range(64):
                d_bias[p, j] += d_projected[p, u, j]


@kernel(allocates=True)
def lstm_backward(
    inputs, rows, starts, w_input, w_hidden, projected, gates, c, h, d_h, d_w_input, d_w_hidden, d_bias, d_inputs, exact
):
    """Backpropagation through time; mirrors ``lstm_forward`` with ``keep``.

    Args:
        inputs: (U4, E), U4 = U rounded up to a multiple of 4; the rows beyond U are zeros.
        rows, starts, w_input, w_hidden, c, h: as ``lstm_forward`` had and left them.
        projected: (P, U4, 64), overwritten with d_projected.
        gates: (P, R4, 64), R4 = R rounded up to a multiple of 4; overwritten with d_z.
        d_h: (R, H), the gradient of each state as the layer above sees it; what the recurrence adds is added in place.
        d_w_input, d_w_hidden, d_bias: added to, in panels like the weights.
        d_inputs: (U4, E), added to; or (0, E) where the inputs need no gradient.
        exact: as in ``lstm_forward``.
    """
    panels, capacity, _ = gates.shape
    distinct, width = inputs.shape
    packed = starts[-1]
    hidden = h.shape[1]
    batch = starts[1] - starts[0] if starts.size > 1 else 0
    d_z, d_projected = gates.reshape(gates.size), projected.reshape(projected.size)
    flat_d_h, flat_d_inputs = d_h.reshape(d_h.size), d_inputs.reshape(d_inputs.size)
    squashed, nothing = np.empty(UNITS, dtype=h.dtype), np.zeros(UNITS, dtype=h.dtype)
    d_c = np.zeros((batch, hidden), dtype=h.dtype)
    transposed = np.zeros(((hidden + PANEL - 1) // PANEL, panels * PANEL, PANEL), dtype=h.dtype)
    _transpose(w_hidden, transposed)
    flat_transposed = transposed.reshape(transposed.size)
    # 4. Gates, cell, state; 3. the previous state's share; step by step from the last.
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        _backward_step(gates, c, d_h, d_c, first, before, count, t > 0, squashed, nothing, exact)
        if t > 0:
            _multiply(
                d_z, first * PANEL, PANEL, 1, capacity * PANEL, count, PANEL, panels, flat_transposed,
                flat_d_h, before * hidden, hidden, PANEL, hidden,
            )  # fmt: skip
    # The weights' share of all steps at once: previous statesᵀ · d_z.
    previous = np.zeros((capacity, hidden), dtype=h.dtype)
    for t in range(1, starts.size - 1):
        for s in range(starts[t + 1] - starts[t]):
            for k in range(hidden):
                previous[starts[t] + s, k] = h[starts[t - 1] + s, k]
    for p in range(panels):
        for row in range(packed, capacity):
            for j in range(64):
                gates[p, row, j] = 0
    flat_previous, flat_d_w_hidden = previous.reshape(previous.size), d_w_hidden.reshape(d_w_hidden.size)
    _multiply(
        flat_previous, 0, 1, hidden, 0, hidden, capacity, 1, d_z,
        flat_d_w_hidden, 0, PANEL, hidden * PANEL, panels * PANEL,
    )  # fmt: skip
    # 2., 1. The projection: rows that read the same input are summed first.
    _sum_by_input(gates, rows, projected, d_bias)
    flat_inputs, flat_d_w_input = inputs.reshape(inputs.size), d_w_input.reshape(d_w_input.size)
    _multiply(
        flat_inputs, 0, 1, width, 0, width, distinct, 1, d_projected,
        flat_d_w_input, 0, PANEL, width * PANEL, panels * PANEL,
    )  # fmt: skip
    if d_inputs.shape[0] > 0:
        transposed = np.zeros(((width + PANEL - 1) // PANEL, panels * PANEL, PANEL), dtype=h.dtype)
        _transpose(w_input, transposed)
        flat_transposed = transposed.reshape(transposed.size)
        _multiply(
            d_projected, 0, PANEL, 1, distinct * PANEL, distinct, PANEL, panels, flat_transposed,
            flat_d_inputs, 0, width, PANEL, width,
        )  # fmt: skip
