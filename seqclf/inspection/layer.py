"""One recurrent layer with given weights: every gate, cell and state of a sequence, and the gradients."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.inspection.gradient_flow import state_gradients
from seqclf.inspection.tracing import GATES, LayerTrace
from seqclf.layers.batches import pack
from seqclf.layers.choices import CELLS, RESETS
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, encoder_shapes
from seqclf.layers.tape import EncoderTape, States
from wordvec import InputError
from wordvec.system.validation import check_choice

_PREFIX = "layers.0.forward."


class RecurrentLayer:
    """A layer that reads one sequence forward, with the kernels that train and predict.

    Args:
        cell: ``lstm``, ``gru`` or ``rnn``.
        weights: by name, float32: ``w_input`` (G*H, E), ``w_hidden`` (G*H, H) and ``bias`` (G*H,) with the gates in
            the order i, f, g, o or r, z, n; of a GRU whose reset gate acts after the product also ``bias_hidden`` (H,).
        reset: where a GRU's reset gate acts: ``before`` the product with the weights, or ``after``.

    Raises:
        InputError: an unknown cell, or weights that are missing or of another shape.

    Example:
        >>> layer = RecurrentLayer("rnn", {"w_input": [[1.0]], "w_hidden": [[0.5]], "bias": [0.0]})
        >>> layer.forward([[1.0], [0.0]]).h.round(2).ravel()
        array([0.76, 0.36], dtype=float32)
    """

    def __init__(self, cell: str, weights: Mapping[str, ArrayLike], *, reset: str = "before") -> None:
        check_choice("cell", cell, CELLS)
        check_choice("reset", reset, RESETS)
        given = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        if any(name not in given or given[name].ndim != 2 for name in ("w_input", "w_hidden")):
            raise InputError("weights must have the matrices w_input and w_hidden")
        size, hidden = given["w_input"].shape[1], given["w_hidden"].shape[1]
        self._shape = EncoderShape(0, size, hidden, cell=cell, reset=reset, bidirectional=False)
        for name, shape in encoder_shapes(self._shape).items():
            found = given.get(name.removeprefix(_PREFIX), np.empty(0)).shape
            if found != shape:
                raise InputError(f"{name.removeprefix(_PREFIX)} must have shape {shape}, got {found}")
        self._encoder = Encoder(self._shape)
        self._flat = FlatParameters(self._encoder.layout(), np.float32)
        self._encoder.attach(self._flat)
        self._encoder.load({_PREFIX + name: value for name, value in given.items()})
        self._tape: EncoderTape | None = None

    def forward(self, steps: ArrayLike, h: ArrayLike | None = None, c: ArrayLike | None = None) -> LayerTrace:
        """Read a sequence.

        Args:
            steps: (T, E), at least one.
            h, c: (H,), the state and the cell before the first step; None is zeros.

        Raises:
            InputError: an array of another shape.
        """
        inputs, hidden = np.asarray(steps, np.float32), self._shape.hidden_size
        if inputs.ndim != 2 or not len(inputs) or inputs.shape[1] != self._shape.vector_size:
            raise InputError(f"steps must have shape (T, {self._shape.vector_size}), T at least 1, got {inputs.shape}")
        first = States(*(_state(name, value, hidden) for name, value in (("h", h), ("c", c))))
        batch = pack(np.arange(len(inputs), dtype=np.int32), np.array([0, len(inputs)]), np.arange(1))
        self._tape = self._encoder.forward(batch, inputs=inputs, first=first)
        state: Any = self._tape.parts[0].runs[0][0].state

        def part(array: np.ndarray, number: int = 0) -> np.ndarray:
            start = number * self._encoder.hidden
            return array[:, start : start + hidden].copy()

        names = GATES[self._shape.cell, self._shape.reset]
        return LayerTrace(
            layer=0,
            direction="forward",
            gates={name: part(state.gates, number) for number, name in enumerate(names) if name},
            c=part(state.c) if self._encoder.cell.has_cell else None,
            h=part(state.h),
        )

    def backward(self, d_last: ArrayLike) -> dict[str, np.ndarray]:
        """Return the gradients of the sequence that :meth:`forward` has read, by backpropagation through time.

        Args:
            d_last: (H,), the gradient of the last state.

        Returns:
            The gradient of each weight by its name, of ``steps`` (T, E), and of ``h`` (T, H): of each state, through
            the later ones.

        Raises:
            InputError: no sequence was read since the last call, or an array of another shape.
        """
        if self._tape is None:
            raise InputError("backward must follow a call of forward")
        tape, self._tape = self._tape, None
        hidden = self._shape.hidden_size
        d_final = np.zeros_like(tape.final)
        d_final[0, :hidden] = _state("d_last", d_last, hidden)[0, 0]
        self._flat.gradient[:] = 0
        d_steps = self._encoder.backward(tape, d_final=d_final)[:, : self._shape.vector_size].copy()
        found = {name.removeprefix(_PREFIX): value for name, value in self._encoder.gradients().items()}
        return {**found, "steps": d_steps, "h": state_gradients(tape)[:, :hidden].copy()}


def _state(name: str, value: ArrayLike | None, hidden: int) -> np.ndarray:
    found = np.zeros(hidden, np.float32) if value is None else np.asarray(value, np.float32)
    if found.shape != (hidden,):
        raise InputError(f"{name} must have shape ({hidden},), got {found.shape}")
    return found.reshape(1, 1, hidden)
