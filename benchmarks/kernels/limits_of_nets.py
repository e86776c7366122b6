"""Roofline benchmarks of the kernels of ``seqclf``, with the formulas for their work.

R is the packed rows (tokens) of a batch, U its distinct tokens, E the vector size, H the hidden size, G the gate count.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.measuring import Run
from benchmarks.kernels.roofline import Kernel, Work, timed
from seqclf.layers.attention import AttentionPooling
from seqclf.layers.batches import PackedBatch, pack
from seqclf.layers.crf_head import CrfHead
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, encoder_shapes
from seqclf.training.optimizers import Adam

VOCABULARY, E, H = 16_000, 112, 128
TEXTS, LENGTH = 32, 20
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def net_kernels(run: Run) -> Iterator[Kernel]:
    random = np.random.default_rng(1)
    ids = (random.zipf(1.1, 4 * TEXTS * LENGTH) - 1).astype(np.int64)
    ids = ids[ids < VOCABULARY][: TEXTS * LENGTH].astype(np.int32)
    batch = pack(ids, np.arange(0, TEXTS * LENGTH + 1, LENGTH), np.arange(TEXTS))
    times = run.pick(20, 50)
    for cell in run.pick(("lstm",), tuple(GATES)):
        yield from _recurrent(cell, batch, random, times)
    if run.size != "quick":
        yield from _heads(batch, random, times)
    yield _adam(16_000_000)


def _repeated(times: int, function: Any, *arguments: Any) -> float:
    def run() -> None:
        for _ in range(times):
            function(*arguments)

    return timed(run)


def _recurrent(cell: str, batch: PackedBatch, random: np.random.Generator, times: int) -> Iterator[Kernel]:
    """Two directions over 32 texts of 20 tokens.

    Forward, per direction: the input projections of all distinct tokens, 2 G H E U FLOP, and the recurrent products of
    all but the first step, 2 G H H (R - 32). Backward, the gradients of states and weights: twice that.
    """
    shape = EncoderShape(VOCABULARY, E, H, cell=cell)
    encoder = Encoder(shape)
    encoder.attach(FlatParameters(encoder.layout(), np.float32))
    encoder.load({n: random.uniform(-0.1, 0.1, size).astype(np.float32) for n, size in encoder_shapes(shape).items()})
    rows, distinct = int(batch.starts[-1]), batch.token_ids.size
    flop = 2 * 2 * GATES[cell] * H * (E * distinct + H * (rows - TEXTS))
    d_states = random.standard_normal((rows, encoder.features)).astype(np.float32)

    def forward() -> None:
        encoder.forward(batch)

    def both() -> None:
        encoder.backward(encoder.forward(batch), d_states.copy())

    def backward() -> float:
        total, forward_only = (min(_repeated(times, each) for _ in range(2)) for each in (both, forward))
        return total - forward_only

    case, why = f"{cell.upper()} E{E} H{H}", "plus sigmoid and tanh, row by row"
    yield Kernel(f"{case}, forward", Work(times * flop), partial(_repeated, times, forward), why)
    yield Kernel(f"{case}, backward", Work(times * 2 * flop), backward, "both passes minus the forward pass")


def _heads(batch: PackedBatch, random: np.random.Generator, times: int) -> Iterator[Kernel]:
    """Attention, A = 64 keys over F = 256 states: 2 A F R for the keys and 2 F R for the mean; backward twice that. CRF
    with C = 17 labels over F states: scores 2 C F R, gradients twice that; three sums over C C transitions per token,
    2 C C each. Viterbi: the scores, then two operations per transition."""
    features, keys, labels = 2 * H, 64, 17
    rows = int(batch.starts[-1])
    states = random.standard_normal((rows, features)).astype(np.float32)
    pooling = AttentionPooling(keys, H, parts=2, random=random)
    d_pooled = random.standard_normal((TEXTS, features)).astype(np.float32)
    crf = CrfHead(labels, H, parts=2, random=random)
    targets = random.integers(0, labels, rows).astype(np.int32)

    def attend() -> None:
        _, tape = pooling.forward(states, batch)
        pooling.backward(d_pooled, batch, tape)

    flop = 3 * times * (2 * keys * features * rows + 2 * features * rows)
    yield Kernel("attention, both passes", Work(flop), partial(_repeated, times, attend), "plus tanh of each key")
    scores, moves = 2 * labels * features * rows, 2 * labels**2 * rows
    yield Kernel(
        f"CRF of {labels} labels, both passes", Work(times * 3 * (scores + moves)),
        partial(_repeated, times, crf.loss_and_backward, states, batch, targets),
        "chain in float64, half the SIMD width; the scores are most of the work",
    )  # fmt: skip
    yield Kernel(
        f"CRF of {labels} labels, best path", Work(times * (scores + moves)),
        partial(_repeated, times, crf.predict, states, batch), "float64; each comparison depends on the previous one",
    )  # fmt: skip


def _adam(size: int) -> Kernel:
    """Per weight, 12 FLOP; four floats of 4 bytes are read and three written, in arrays larger than any cache."""
    values, gradient = np.zeros(size, np.float32), np.ones(size, np.float32)
    adam = Adam(values)
    adam.step(gradient, learning_rate=1e-3)
    return Kernel(
        f"Adam, {size / 1e6:.0f} M weights", Work(12 * size, 16 * size, 12 * size),
        partial(timed, adam.step, gradient, learning_rate=1e-3),
    )  # fmt: skip
