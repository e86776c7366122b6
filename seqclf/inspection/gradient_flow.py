"""Gradient flow: the norm of d loss / d h_t as a function of the distance from the loss.

The task is to remember the first number of a sequence of noise until its end, which can be learned only if the gradient
reaches the first step. In a simple RNN each step back multiplies the gradient by the recurrent weights and by the slope
of tanh, so that it vanishes or explodes exponentially with the distance (Hochreiter 1991; Bengio, Simard & Frasconi
1994); the gates of LSTM and GRU avoid that.
"""

from dataclasses import dataclass

import numpy as np

from seqclf.layers.batches import pack
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, initial_encoder
from seqclf.layers.tape import EncoderTape
from seqclf.training.optimizers import Optimizer
from wordvec.system.validation import check_number, check_whole

_BATCH = 32
_NOISE = 0.05


def state_gradients(tape: EncoderTape) -> np.ndarray:
    """Return d loss / d h (R, H padded) of a unidirectional encoder's first layer, packed, after ``Encoder.backward``.

    It is the total derivative, including the later hidden states, but not the path through the cells of an LSTM.
    """
    found = np.zeros((int(tape.batch.starts[-1]), tape.parts[0].runs[0][0].d_h.shape[1]), tape.states.dtype)
    for part in tape.parts:
        found[slice(None) if part.half is None else part.half.rows] = part.runs[0][0].d_h
    return found


@dataclass(frozen=True)
class GradientFlow:
    """Gradient norms of one network.

    Attributes:
        norms: (T,) the norm of d loss / d h_t, averaged over the batch, by distance: norms[0] is that of the last
            state.
        loss: the mean squared error after training; always predicting the mean has 1.
    """

    norms: np.ndarray
    loss: float


def measure_gradient_flow(
    cell: str, *, length: int = 50, hidden_size: int = 32, scale: float = 1.0, steps: int = 0, seed: int = 1
) -> GradientFlow:
    """Return the norms of d loss / d h_t of one cell on the task, after some training steps.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        length: T, of the sequences.
        hidden_size: units.
        scale: factor of the initial recurrent weights.
        steps: training steps with Adam; 0 measures the untrained network.
        seed: of weights and sequences.

    Example:
        >>> short = measure_gradient_flow("rnn", length=20, scale=0.5)
        >>> bool(short.norms[19] < 1e-5 * short.norms[0])
        True
    """
    length, hidden_size = check_whole("length", length, 1), check_whole("hidden_size", hidden_size, 1)
    steps, seed = check_whole("steps", steps, 0), check_whole("seed", seed, 0)
    scale = check_number("scale", scale)
    random = np.random.default_rng([seed, 0xF10])
    shape = EncoderShape(0, 1, hidden_size, cell=cell, bidirectional=False)
    encoder = Encoder(shape)
    flat = FlatParameters(encoder.layout(), encoder.dtype)
    encoder.attach(flat)
    parameters = initial_encoder(shape, None, random)
    parameters["layers.0.forward.w_hidden"] *= np.float32(scale)
    encoder.load(parameters)
    optimizer = Optimizer(flat.values, learning_rate=3e-3, warmup_steps=0, clip_norm=1.0, steps=max(1, steps))
    batch = pack(np.arange(_BATCH * length, dtype=np.int32), np.arange(_BATCH + 1) * length, np.arange(_BATCH))
    rows = batch.starts[:-1, None] + np.arange(_BATCH)
    losses: list[float] = []
    for step in range(steps + 1):
        inputs = random.normal(0, _NOISE, (_BATCH, length)).astype(np.float32)
        inputs[:, 0] = random.choice([-1, 1], _BATCH)
        tape = encoder.forward(batch, inputs=inputs.reshape(-1, 1))
        # The prediction is the mean of the units: a head without weights.
        error = tape.final[:, :hidden_size].mean(axis=1) - inputs[:, 0]
        losses.append(float(np.square(error).mean()))
        d_final = np.zeros_like(tape.final)
        d_final[:, :hidden_size] = (2 / _BATCH / hidden_size) * error[:, None]
        flat.gradient[:] = 0
        encoder.backward(tape, None, d_final=d_final, tune_vectors=False)
        if step < steps:
            optimizer.step(losses[-1], flat.gradient)
    norms = np.linalg.norm(state_gradients(tape)[rows, :hidden_size] * _BATCH, axis=2).mean(axis=1)[::-1]
    return GradientFlow(norms.astype(np.float64), float(np.mean(losses[-20:])))
