"""Decoder with attention: forward and backward pass over a packed batch of targets, all steps in one call.

A decoder of L recurrent layers starts from the encoder's final state and reads the unit before, one step at a time
(Luong et al. 2015, section 3; input feeding, section 3.3)::

    first  = tanh(W_bridge final + b)                       h, and c of an LSTM, of each layer
    h_1    = cell(embedding(unit before), state before, h_1 before)      in layers above: cell(h below, h before)
    state  = tanh(W_state h_L + attention(h_L) + b)         see ``decoder_attention.py``

Packed rows as in ``lstm.py``: step t holds one row for each target longer than t, the longest first. Products with the
rows of many steps are computed before or after the loop over steps.
"""

from typing import Any, NamedTuple

import numpy as np

from seqclf.kernels.activations import squash
from seqclf.kernels.decoder_attention import ADDITIVE, DOT, Attention, Memory, attend, attend_back, memory_back
from seqclf.kernels.decoder_cells import Layers, layer_backward, layer_forward
from seqclf.kernels.panels import (
    UNITS,
    add_product,
    add_turned,
    add_weight_gradient,
    project,
    sum_by_input,
)
from seqclf.kernels.turning import transpose, turn
from wordvec.kernels.simd import kernel


class Output(NamedTuple):
    """Weights of the attention and of the attentional state, or their gradients; F is the encoder's width."""

    w_keys: np.ndarray  # (H / 16, F, 16), without rows for dot attention
    b_keys: np.ndarray  # (H,) of additive attention; else zeros
    w_query: np.ndarray  # (H / 16, H, 16) of additive attention, else without panels
    scorer: np.ndarray  # (H,)
    w_values: np.ndarray  # (H / 16, F, 16)
    w_state: np.ndarray  # (H / 16, H, 16)
    bias: np.ndarray  # (H,)
    w_bridge: np.ndarray  # (K, H / 16, F, 16), K states: h, then c, of each layer
    b_bridge: np.ndarray  # (K, H)


class Pass(NamedTuple):
    """Inputs and outputs of one pass; R packed rows, B targets."""

    starts: np.ndarray  # (T + 1,) int64
    rows: np.ndarray  # (R,) int32, the row of ``projected`` that each packed row reads
    projected: np.ndarray  # (U, G H), embeddings times w_input, plus bias; overwritten with its gradient
    x: np.ndarray  # (L, R, H), what layers above the first read
    between: np.ndarray  # (L - 1, R, H) dropout of it, or (0, 0, H)
    combined: np.ndarray  # (R, H) attentional states
    fed_first: np.ndarray  # (B, H), the attentional state before the first step
    feeding: bool  # input feeding
    kind: int  # of attention
    product: int


@kernel
def remember(
    product: int, kind: int, states: np.ndarray, final: np.ndarray, output: Output, memory: Memory, first: np.ndarray
) -> None:
    """Compute keys and values of the encoder's states (N, F), and the decoder's first states from ``final`` (B, F).

    ``memory`` keys and values, and ``first`` (K, B, H), are output; the keys of dot attention are the states.
    """
    if kind != DOT:
        project(product, states, output.w_keys, output.b_keys, memory.keys)
    for n in range(memory.values.shape[0]):
        for k in range(memory.values.shape[1]):
            memory.values[n, k] = 0
    add_product(product, states, 0, states.shape[0], output.w_values, memory.values, 0)
    for k in range(first.shape[0]):
        project(product, final, output.w_bridge[k], output.b_bridge[k], first[k])
        squash(first[k].reshape(first[k].size))


@kernel(allocates=True)
def decode(stack: Any, output: Output, state: Layers, memory: Memory, attention: Attention, run: Pass) -> None:
    """Run all steps; ``state`` but for its first states, ``attention``, ``run.x`` and ``run.combined`` are output."""
    starts, combined, product = run.starts, run.combined, run.product
    layers, hidden = stack.w_hidden.shape[0], combined.shape[1]
    no_rows, scratch = np.zeros(run.rows.size, np.int32), np.empty(UNITS, combined.dtype)
    for t in range(starts.size - 1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        # 1. The recurrent layers.
        for layer in range(layers):
            if layer == 0:
                fed = combined if t > 0 else run.fed_first
                layer_forward(
                    stack, layer, product, run.projected, run.rows, first, count, fed, before, run.feeding,
                    state, t == 0, before,
                )  # fmt: skip
            else:
                _pass_up(state.h[layer - 1], run.between, layer - 1, first, count, run.x[layer])
                layer_forward(
                    stack, layer, product, stack.bias[layer : layer + 1], no_rows, first, count, run.x[layer], first,
                    True, state, t == 0, before,
                )  # fmt: skip
        # 2. Attention and the attentional state.
        top = state.h[layers - 1]
        for row in range(first, first + count):
            for k in range(hidden):
                combined[row, k] = output.bias[k]
        add_product(product, top, first, count, output.w_state, combined, first)
        if run.kind == ADDITIVE:
            attention.query[first : first + count, :] = 0
            add_product(product, top, first, count, output.w_query, attention.query, first)
        attend(run.kind, top, first, count, t, memory, attention, combined, scratch)
        squash(combined[first : first + count].reshape(count * hidden))


@kernel
def _pass_up(h: np.ndarray, between: np.ndarray, below: int, first: int, count: int, x: np.ndarray) -> None:
    """Copy a step's states to the rows that the layer above reads, with dropout."""
    for row in range(first, first + count):
        for k in range(h.shape[1]):
            x[row, k] = h[row, k]
        if between.shape[0] > 0:
            for k in range(h.shape[1]):
                x[row, k] *= between[below, row, k]


@kernel
def _squash_back(combined: np.ndarray, first: int, count: int, d_combined: np.ndarray) -> None:
    """Replace the gradient of attentional states by that of their sums, before tanh."""
    for row in range(first, first + count):
        for k in range(combined.shape[1]):
            d_combined[row, k] *= combined.dtype.type(1) - combined[row, k] * combined[row, k]


@kernel(allocates=True)
def _transposed(weights: np.ndarray, hidden: int) -> np.ndarray:
    """Return (L, G, H / 16, H, 16), each gate's weights (L, G H / 16, H, 16) transposed."""
    layers, panels, depth, _ = weights.shape
    part = hidden // UNITS
    found = np.empty((layers, panels // part, part, depth, UNITS), weights.dtype)
    for layer in range(layers):
        for g in range(panels // part):
            transpose(weights[layer, g * part : (g + 1) * part], found[layer, g])
    return found


@kernel(allocates=True)
def decode_back(
    stack: Any, output: Output, state: Layers, memory: Memory, attention: Attention, run: Pass, lengths: np.ndarray,
    d_combined: np.ndarray, d_h: np.ndarray, d_first: np.ndarray, d_scores: np.ndarray, d_keys: np.ndarray,
    d_values: np.ndarray, d_query: np.ndarray, d_scorer: np.ndarray,
) -> None:  # fmt: skip
    """Backpropagation through time for ``decode``; ``memory_gradients`` and ``stack_gradients`` follow.

    Args:
        stack, output, state, memory, attention, run: as passed to ``decode`` and left by it; ``state.gates`` is
            overwritten with d_z. Each sequence has at most one owner.
        lengths: (B,) of the targets.
        d_combined: (R, H), the gradient of the attentional states; on return that of their sums, before tanh.
        d_h: (L, R, H) zeros, on return the gradients of the states. d_first: (K, B, H) zeros, of the first states.
        d_scores: flat, output: the gradient of the attention's scores.
        d_keys, d_values: (N, H), accumulated.
        d_query: (R, H), of additive attention output. d_scorer: (B, H), of each target accumulated.
    """
    starts, product = run.starts, run.product
    layers, hidden = stack.w_hidden.shape[0], d_combined.shape[1]
    part = hidden // UNITS
    to_below, to_hidden = _transposed(stack.w_below, hidden), _transposed(stack.w_hidden, hidden)
    to_state = np.empty((part, hidden, UNITS), d_h.dtype)
    transpose(output.w_state, to_state)
    to_query = np.empty((part, hidden, UNITS), d_h.dtype)
    if run.kind == ADDITIVE:
        transpose(output.w_query, to_query)
    scratch, unread = np.empty((run.fed_first.shape[0], hidden), d_h.dtype), np.empty((1, hidden), d_h.dtype)
    passed = np.empty((run.fed_first.shape[0], hidden), d_h.dtype)
    for t in range(starts.size - 2, -1, -1):
        first, count = starts[t], starts[t + 1] - starts[t]
        before = starts[t - 1] if t > 0 else 0
        # 2. Attention and the attentional state.
        _squash_back(run.combined, first, count, d_combined)
        top = d_h[layers - 1]
        attend_back(run.kind, first, count, t, memory, attention, d_combined, d_scores, top, d_keys, d_query, d_scorer)
        add_product(product, d_combined, first, count, to_state, top, first)
        if run.kind == ADDITIVE:
            add_product(product, d_query, first, count, to_query, top, first)
        # 1. The recurrent layers.
        for layer in range(layers - 1, -1, -1):
            if layer == 0:
                feeding = run.feeding and t > 0
                layer_backward(
                    stack, layer, product, to_below, to_hidden, first, count, d_combined if feeding else unread, before,
                    feeding, state, d_h, d_first, t == 0, before, scratch,
                )  # fmt: skip
            else:
                if run.between.shape[0] == 0:
                    layer_backward(
                        stack, layer, product, to_below, to_hidden, first, count, d_h[layer - 1], first, True,
                        state, d_h, d_first, t == 0, before, scratch,
                    )  # fmt: skip
                else:
                    passed[:] = 0
                    layer_backward(
                        stack, layer, product, to_below, to_hidden, first, count, passed, 0, True,
                        state, d_h, d_first, t == 0, before, scratch,
                    )  # fmt: skip
                    for s in range(count):
                        for k in range(hidden):
                            d_h[layer - 1, first + s, k] += run.between[layer - 1, first + s, k] * passed[s, k]
    # Keys and values, once all steps are known.
    steps = np.empty((starts.size, hidden), d_combined.dtype)
    if run.kind != ADDITIVE:
        memory_back(product, starts, lengths, memory, attention.first, d_scores, state.h[layers - 1], d_keys, steps)
    memory_back(product, starts, lengths, memory, attention.first, attention.weights, d_combined, d_values, steps)


@kernel(allocates=True)
def add_previous_gradient(
    product: int, given: np.ndarray, values: np.ndarray, starts: np.ndarray, d_z: np.ndarray, column: int,
    d_weights: np.ndarray,
) -> None:  # fmt: skip
    """Compute d_weights (V, H, 16) += the rows of the step beforeᵀ · columns of d_z from ``column`` on.

    ``values`` (R, H) has the rows of all steps, ``given`` (B, H) those before the first step.
    """
    steps = starts.size - 1
    if steps == 0:
        return
    turned = np.empty((values.shape[1], values.shape[0]), values.dtype)
    turn(given, 0, starts[1], 0, turned, 0)
    for t in range(1, steps):
        turn(values, starts[t - 1], starts[t + 1] - starts[t], 0, turned, starts[t])
    add_turned(product, turned, d_z, 0, column, d_weights)


@kernel(allocates=True)
def memory_gradients(
    product: int, kind: int, states: np.ndarray, final: np.ndarray, output: Output, first: np.ndarray, top: np.ndarray,
    d_combined: np.ndarray, d_first: np.ndarray, d_keys: np.ndarray, d_values: np.ndarray, d_query: np.ndarray,
    d_scorer: np.ndarray, d_output: Output, d_states: np.ndarray, d_final: np.ndarray,
) -> None:  # fmt: skip
    """Accumulate the gradients of ``output``'s weights; set those of the encoder's states and final states.

    Args:
        states, final, output, first: as passed to ``remember`` and left by it. top: (R, H) states of the last layer.
        d_combined, d_first, d_keys, d_values, d_query, d_scorer: as left by ``decode_back``; ``d_first`` (K, B, H) has
            the order of ``final`` and is overwritten.
        d_states: (N, F), d_final: (B, F), output.
    """
    hidden, width = d_combined.shape[1], states.shape[1]
    # 2. The attentional state, and the query of additive attention.
    add_weight_gradient(product, top, d_combined, 0, d_output.w_state)
    _add_rows(d_combined, d_output.bias)
    if kind == ADDITIVE:
        add_weight_gradient(product, top, d_query, 0, d_output.w_query)
        _add_rows(d_scorer, d_output.scorer)
        _add_rows(d_keys, d_output.b_keys)
    # 0. Keys, values and the first states.
    transposed = np.empty((width // UNITS, hidden, UNITS), states.dtype)
    d_states[:] = 0
    add_weight_gradient(product, states, d_values, 0, d_output.w_values)
    transpose(output.w_values, transposed)
    add_product(product, d_values, 0, states.shape[0], transposed, d_states, 0)
    if kind == DOT:
        for n in range(states.shape[0]):
            for k in range(width):
                d_states[n, k] += d_keys[n, k]
    else:
        add_weight_gradient(product, states, d_keys, 0, d_output.w_keys)
        transpose(output.w_keys, transposed)
        add_product(product, d_keys, 0, states.shape[0], transposed, d_states, 0)
    d_final[:] = 0
    for k in range(d_first.shape[0]):
        _squash_back(first[k], 0, d_final.shape[0], d_first[k])
        add_weight_gradient(product, final, d_first[k], 0, d_output.w_bridge[k])
        transpose(output.w_bridge[k], transposed)
        add_product(product, d_first[k], 0, d_final.shape[0], transposed, d_final, 0)
        _add_rows(d_first[k], d_output.b_bridge[k])


@kernel
def _add_rows(rows: np.ndarray, total: np.ndarray) -> None:
    """Add the rows (R, H) to total (H,)."""
    for row in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            total[k] += rows[row, k]


@kernel(allocates=True)
def stack_gradients(
    layer: int, inputs: np.ndarray, w_input: np.ndarray, state: Layers, run: Pass, d_stack: Any, d_w_input: np.ndarray,
    d_inputs: np.ndarray,
) -> None:  # fmt: skip
    """Accumulate the gradients of a recurrent layer from the d_z that ``decode_back`` left in ``state.gates``.

    Args:
        inputs: (U, E), the distinct embeddings. w_input: (G H / 16, E, 16).
        d_inputs: (U, E), accumulated by the first layer.
    """
    product, hidden, starts = run.product, state.h.shape[2], run.starts
    part, panels = hidden // UNITS, w_input.shape[0]
    after = d_stack.bias_hidden.shape[1] > 0
    resets = panels == 3 * part and not after  # a GRU that resets before the product
    d_z = state.gates[layer]
    together = 2 * part if resets else panels
    add_previous_gradient(
        product, state.first[layer], state.h[layer], starts, d_z, 0, d_stack.w_hidden[layer, :together]
    )
    if resets:
        turned = np.empty((hidden, d_z.shape[0]), d_z.dtype)
        turn(d_z, 0, d_z.shape[0], 3 * hidden, turned, 0)
        add_turned(product, turned, d_z, 0, 2 * hidden, d_stack.w_hidden[layer, together:])
    if after:
        for row in range(d_z.shape[0]):
            for k in range(hidden):
                d_stack.bias_hidden[layer, k] += d_z[row, 2 * hidden + k]
                d_z[row, 2 * hidden + k] = d_z[row, 3 * hidden + k]
    if layer == 0:
        if run.feeding:
            add_previous_gradient(product, run.fed_first, run.combined, starts, d_z, 0, d_stack.w_below[0])
        sum_by_input(d_z, run.rows, run.projected, d_stack.bias[0])
        add_weight_gradient(product, inputs, run.projected, 0, d_w_input)
        transposed = np.empty((w_input.shape[1] // UNITS, panels * UNITS, UNITS), d_z.dtype)
        transpose(w_input, transposed)
        add_product(product, run.projected, 0, inputs.shape[0], transposed, d_inputs, 0)
    else:
        add_weight_gradient(product, run.x[layer], d_z, 0, d_stack.w_below[layer])
        for row in range(d_z.shape[0]):
            for k in range(panels * UNITS):
                d_stack.bias[layer, k] += d_z[row, k]
