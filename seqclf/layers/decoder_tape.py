"""What the decoder reads, keeps and returns: sources, dropout masks, tapes and gradients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqclf.layers.batches import Half, PackedBatch

if TYPE_CHECKING:
    from seqclf.kernels.decoder import Output, Pass
    from seqclf.kernels.decoder_attention import Attention, Memory
    from seqclf.kernels.decoder_cells import Layers


@dataclass
class DecoderNoise:
    """Dropout masks of a training pass; each is optional.

    Attributes:
        words: (U, E padded): dropout of the distinct units' vectors.
        between: (L - 1, R, H padded) factors of the states that layers above the first read.
        w_hidden: (L, ...) factors of the recurrent weights, in panels.
        hold_h, hold_c: (L, R, H padded), 1 where the old value is kept (zoneout).
    """

    words: np.ndarray | None = None
    between: np.ndarray | None = None
    w_hidden: np.ndarray | None = None
    hold_h: np.ndarray | None = None
    hold_c: np.ndarray | None = None


class Sources(NamedTuple):
    """Encoder states of M sequences, each sequence's in one stretch."""

    states: np.ndarray
    """(N, F padded)."""
    final: np.ndarray
    """(M, F padded), what the decoder starts from."""
    spans: np.ndarray
    """(M + 1,) int64: sequence m has the states ``spans[m] .. spans[m + 1] - 1``."""


@dataclass
class Share:
    """Some targets that one thread decodes.

    Attributes:
        half: selects the targets.
        stack: the layers' weights.
        state, memory, attention, run: what the kernels read and write.
    """

    half: Half
    stack: Any
    state: "Layers"
    memory: "Memory"
    attention: "Attention"
    run: "Pass"


@dataclass
class DecoderTape:
    """Result of a forward pass; valid until the next one.

    Attributes:
        batch: of the targets.
        inputs: (U, E padded), their distinct units' vectors.
        first: (K, M, H padded), the states that the sources' targets start from.
        states: (R, H padded), the attentional states, in packed order.
    """

    batch: PackedBatch
    sources: Sources
    noise: DecoderNoise
    shares: list[Share]
    inputs: np.ndarray
    first: np.ndarray
    states: np.ndarray


class DecoderGradients(NamedTuple):
    """Result of a backward pass, besides the gradients of the weights."""

    d_rows: np.ndarray
    """(U, E padded), of the distinct units' vectors."""
    d_states: np.ndarray
    """(N, F padded), of the encoder's states."""
    d_final: np.ndarray
    """(M, F padded)."""


class OneStep(NamedTuple):
    """What the kernels need to advance some targets by one unit."""

    w_input: np.ndarray
    stack: Any
    output: "Output"
    state: "Layers"
    attention: "Attention"
    run: "Pass"
    after: np.ndarray
    """(K, N, H padded), the states after the step."""
