"""One step of one layer of a decoder, forward and backward, for each kind of cell; built on the cells' own steps.

A layer reads the layer below it: in the first layer that is the attentional state of the step before (input feeding),
and the embedding of the unit before arrives as ``projected``. The type of the stack of weights selects the cell.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba.core.extending import overload

from seqclf.kernels import gru, lstm, rnn
from seqclf.kernels.panels import UNITS, Weights, add_part, add_product, gather
from wordvec.kernels.simd import JIT_OFF, kernel


class LstmStack(NamedTuple):
    """Weights of L layers, or their gradients; G gates, H units.

    E and H are multiples of 16. ``w_below`` of the first layer is unused, and zero, without input feeding.
    """

    w_below: np.ndarray  # (L, G H / 16, H, 16)
    w_hidden: np.ndarray  # (L, G H / 16, H, 16)
    bias: np.ndarray  # (L, G H)
    bias_hidden: np.ndarray  # (L, H) for a GRU with reset after the product, else (L, 0)


class GruStack(NamedTuple):
    """The same for a GRU that resets after the product."""

    w_below: np.ndarray
    w_hidden: np.ndarray
    bias: np.ndarray
    bias_hidden: np.ndarray


class GruBeforeStack(NamedTuple):
    """The same for a GRU that resets before the product."""

    w_below: np.ndarray
    w_hidden: np.ndarray
    bias: np.ndarray
    bias_hidden: np.ndarray


class RnnStack(NamedTuple):
    """The same for a simple RNN."""

    w_below: np.ndarray
    w_hidden: np.ndarray
    bias: np.ndarray
    bias_hidden: np.ndarray


class Layers(NamedTuple):
    """States of L layers, and what their steps keep; R packed rows, B sequences."""

    gates: np.ndarray  # (L, R, kept by the cell), replaced by d_z in the backward pass
    c: np.ndarray  # (L, R, H) or (L, 0, H)
    h: np.ndarray  # (L, R, H)
    first: np.ndarray  # (K, B, H): h, then c, of each layer before the first step
    hold_h: np.ndarray  # (L, R, H), (L, 1, H) or (L, 0, H): shares of zoneout
    hold_c: np.ndarray


@kernel
def _lstm_forward(
    stack: LstmStack, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
) -> None:  # fmt: skip
    gates, layers = state.gates[layer], stack.w_hidden.shape[0]
    h_old, c_old = state.h[layer], state.c[layer]
    if at_start:
        h_old, c_old = state.first[layer], state.first[layers + layer]
    gather(projected, rows, first, count, gates, first)
    if fed:
        add_product(product, below, below_at, count, stack.w_below[layer], gates, first)
    add_product(product, h_old, before, count, stack.w_hidden[layer], gates, first)
    lstm._step(
        gates, first, count, state.c[layer], first, c_old, before, state.h[layer], first, h_old, before,
        state.hold_h[layer], state.hold_c[layer],
    )  # fmt: skip


@kernel
def _rnn_forward(
    stack: RnnStack, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
) -> None:  # fmt: skip
    gates, h_old = state.gates[layer], state.h[layer]
    if at_start:
        h_old = state.first[layer]
    gather(projected, rows, first, count, gates, first)
    if fed:
        add_product(product, below, below_at, count, stack.w_below[layer], gates, first)
    add_product(product, h_old, before, count, stack.w_hidden[layer], gates, first)
    rnn._step(gates, first, count, state.h[layer], first, h_old, before, state.hold_h[layer])


@kernel
def _any_gru_forward(
    weights: Weights, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int, after: bool,
) -> None:  # fmt: skip
    gates, h_old = state.gates[layer], state.h[layer]
    if at_start:
        h_old = state.first[layer]
    part = h_old.shape[1] // UNITS
    gru._start_sums(projected, rows, first, count, weights.bias_hidden, gates, first, after)
    if fed:
        n_first = (3 if after else 2) * h_old.shape[1]
        add_part(product, below, below_at, 0, count, weights.w_input, 0, 2 * part, gates, first, 0)
        add_part(product, below, below_at, 0, count, weights.w_input, 2 * part, part, gates, first, n_first)
    gru._hidden_share(product, h_old, before, count, weights, gates, first, after)
    gru._step(
        product, weights, gates, first, count, state.h[layer], first, h_old, before, state.hold_h[layer], True, after
    )


@kernel
def _gru_forward(
    stack: GruStack, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
) -> None:  # fmt: skip
    weights = Weights(stack.w_below[layer], stack.w_hidden[layer], stack.bias[layer], stack.bias_hidden[layer])
    _any_gru_forward(
        weights, layer, product, projected, rows, first, count, below, below_at, fed, state, at_start, before, True
    )


@kernel
def _gru_before_forward(
    stack: GruBeforeStack, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
) -> None:  # fmt: skip
    weights = Weights(stack.w_below[layer], stack.w_hidden[layer], stack.bias[layer], stack.bias_hidden[layer])
    _any_gru_forward(
        weights, layer, product, projected, rows, first, count, below, below_at, fed, state, at_start, before, False
    )


@kernel
def add_gates(
    product: int, gates: np.ndarray, first: int, count: int, column: int, transposed: np.ndarray, gate: int,
    number: int, out: np.ndarray, at: int,
) -> None:  # fmt: skip
    """Add to out[at : at + count] the gradient through ``number`` gates from ``gate`` on.

    Args:
        gates: d_z; that of ``gate`` starts at ``column``. transposed: (G, H / 16, H, 16), each gate's own.
    """
    hidden = out.shape[1]
    for g in range(number):
        add_part(
            product, gates, first, column + g * hidden, count, transposed[gate + g], 0, hidden // UNITS, out, at, 0
        )


@kernel
def _lstm_backward(
    stack: LstmStack, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
    d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    gates, layers = state.gates[layer], stack.w_hidden.shape[0]
    c_old, d_h_old = state.c[layer], d_h[layer]
    if at_start:
        c_old, d_h_old = state.first[layers + layer], d_first[layer]
    lstm._step_back(
        gates, first, count, c_old, before, d_h[layer], d_h_old, before, d_first[layers + layer],
        state.hold_h[layer], state.hold_c[layer],
    )  # fmt: skip
    add_gates(product, gates, first, count, 0, to_hidden[layer], 0, 4, d_h_old, before)
    if fed:
        add_gates(product, gates, first, count, 0, to_below[layer], 0, 4, d_below, d_below_at)


@kernel
def _rnn_backward(
    stack: RnnStack, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
    d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    gates, d_h_old = state.gates[layer], d_h[layer]
    if at_start:
        d_h_old = d_first[layer]
    rnn._step_back(gates, first, count, d_h[layer], d_h_old, before, state.hold_h[layer])
    add_gates(product, gates, first, count, 0, to_hidden[layer], 0, 1, d_h_old, before)
    if fed:
        add_gates(product, gates, first, count, 0, to_below[layer], 0, 1, d_below, d_below_at)


@kernel
def _any_gru_backward(
    layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
    d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray, after: bool,
) -> None:  # fmt: skip
    gates, h_old, d_h_old = state.gates[layer], state.h[layer], d_h[layer]
    if at_start:
        h_old, d_h_old = state.first[layer], d_first[layer]
    n_first = (3 if after else 2) * h_old.shape[1]
    gru._step_back(gates, first, count, d_h[layer], h_old, d_h_old, before, state.hold_h[layer], after)
    if not after:
        gru._reset_back(product, gates, first, count, h_old, d_h_old, before, to_hidden[layer, 2], scratch)
    add_gates(product, gates, first, count, 0, to_hidden[layer], 0, 3 if after else 2, d_h_old, before)
    if fed:
        add_gates(product, gates, first, count, 0, to_below[layer], 0, 2, d_below, d_below_at)
        add_gates(product, gates, first, count, n_first, to_below[layer], 2, 1, d_below, d_below_at)


@kernel
def _gru_backward(
    stack: GruStack, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
    d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    _any_gru_backward(
        layer, product, to_below, to_hidden, first, count, d_below, d_below_at, fed, state, d_h, d_first,
        at_start, before, scratch, True,
    )  # fmt: skip


@kernel
def _gru_before_backward(
    stack: GruBeforeStack, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int,
    count: int, d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    _any_gru_backward(
        layer, product, to_below, to_hidden, first, count, d_below, d_below_at, fed, state, d_h, d_first,
        at_start, before, scratch, False,
    )  # fmt: skip


_FORWARD: dict[Any, Callable[..., None]] = {
    LstmStack: _lstm_forward, RnnStack: _rnn_forward, GruStack: _gru_forward, GruBeforeStack: _gru_before_forward,
}  # fmt: skip
_BACKWARD: dict[Any, Callable[..., None]] = {
    LstmStack: _lstm_backward, RnnStack: _rnn_backward, GruStack: _gru_backward, GruBeforeStack: _gru_before_backward,
}  # fmt: skip


def layer_forward(
    stack: Any, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
    below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
) -> None:  # fmt: skip
    """Compute the gates and states of ``count`` packed rows from ``first`` on.

    Args:
        stack: the layers' weights; its type selects the cell.
        projected: (U, G H) sums to start from; row ``rows[first + s]`` is that of packed row ``first + s``.
        below: (., H), whose rows from ``below_at`` on the layer reads, if ``fed``.
        state: the layers' states. at_start: the step before is ``state.first``; else it begins at row ``before``.
    """
    _FORWARD[type(stack)](
        stack, layer, product, projected, rows, first, count, below, below_at, fed, state, at_start, before
    )


def layer_backward(
    stack: Any, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
    d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
    at_start: bool, before: int, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Replace the gates of a step by d_z, and add the gradients of the states before and below; see ``layer_forward``.

    Args:
        to_below, to_hidden: (L, G, H / 16, H, 16), the weights of each gate, transposed.
        d_below: (., H), whose rows from ``d_below_at`` on get the gradient of what the layer reads, if ``fed``.
        d_h: (L, R, H) gradients of the states. d_first: (K, B, H), as ``state.first``; those of c are of the last
            cells, on entry.
        scratch: (B, H).
    """
    _BACKWARD[type(stack)](
        stack, layer, product, to_below, to_hidden, first, count, d_below, d_below_at, fed, state, d_h, d_first,
        at_start, before, scratch,
    )  # fmt: skip


if not JIT_OFF:

    @overload(layer_forward)
    def _layer_forward_of(
        stack: Any, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
        below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
    ) -> Callable[..., None]:  # fmt: skip
        step = _FORWARD[stack.instance_class]

        def implementation(
            stack: Any, layer: int, product: int, projected: np.ndarray, rows: np.ndarray, first: int, count: int,
            below: np.ndarray, below_at: int, fed: bool, state: Layers, at_start: bool, before: int,
        ) -> None:  # fmt: skip
            step(stack, layer, product, projected, rows, first, count, below, below_at, fed, state, at_start, before)

        return implementation

    @overload(layer_backward)
    def _layer_backward_of(
        stack: Any, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
        d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
        at_start: bool, before: int, scratch: np.ndarray,
    ) -> Callable[..., None]:  # fmt: skip
        step = _BACKWARD[stack.instance_class]

        def implementation(
            stack: Any, layer: int, product: int, to_below: np.ndarray, to_hidden: np.ndarray, first: int, count: int,
            d_below: np.ndarray, d_below_at: int, fed: bool, state: Layers, d_h: np.ndarray, d_first: np.ndarray,
            at_start: bool, before: int, scratch: np.ndarray,
        ) -> None:  # fmt: skip
            step(
                stack, layer, product, to_below, to_hidden, first, count, d_below, d_below_at, fed, state, d_h,
                d_first, at_start, before, scratch,
            )  # fmt: skip

        return implementation
