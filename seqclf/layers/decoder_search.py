"""Greedy decoding of many targets, some steps in each call of the kernel."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqclf.layers.decoder import Decoder
from seqclf.layers.parameters import Workspace
from seqclf.layers.vocabulary_head import GROUP, VocabularyHead

if TYPE_CHECKING:
    from seqclf.kernels.decoder_attention import Memory

STEPS = 16
"""Steps of a call; longer ones would reserve memory for the attention of targets that soon end."""


class Decoded(NamedTuple):
    """A target that greedy decoding found."""

    tokens: list[int]
    """T units, without the end."""
    total: float
    """Log-probability, the end's included."""
    attention: np.ndarray
    """(T + 1, S) float32, weights of the source's units."""


def decode_greedily(
    decoder: Decoder,
    head: VocabularyHead,
    memory: "Memory",
    first: np.ndarray,
    *,
    bos: int,
    eos: int,
    limits: np.ndarray,
    workspace: Workspace,
) -> list[Decoded]:
    """Return the target of each source that takes the most probable unit at each step; float32 alone.

    A target does not depend on the other sources.

    Args:
        memory, first: of M sources, as ``decoder.remember`` returns them.
        bos, eos: the units that begin and end a target.
        limits: (M,) units after which a target must end.
        workspace: of the calling thread.
    """
    from seqclf.kernels.decoder_search import greedy_steps

    count, sizes = limits.size, np.diff(memory.spans)
    rows = -(-count // GROUP) * GROUP
    memory = memory._replace(owners=np.arange(count))
    states = np.zeros((len(first), rows, decoder.hidden), np.float32)
    states[:, :count] = first
    step = decoder.one_step(rows, sizes, states, workspace)
    step.run.fed_first[:] = step.run.combined[:] = 0
    last, lengths, totals = np.full(count, bos, np.int32), np.full(count, -1), np.zeros(count)
    units: list[list[int]] = [[] for _ in range(count)]
    weights: list[list[np.ndarray]] = [[] for _ in range(count)]
    (weight, bias), done, live = head.flat(), 0, count
    while live:
        owners = memory.owners[:live].copy()
        steps = min(STEPS, int(limits[owners].max()) + 1 - done)
        places = np.zeros(count, np.int64)
        places[owners] = np.cumsum(sizes[owners]) - sizes[owners]
        columns = int(sizes[owners].sum())
        chosen = np.empty((count, steps), np.int32)
        attention = step.attention._replace(weights=np.empty(steps * columns, np.float32))
        live = greedy_steps(
            step.stack, step.output, step.state, memory, attention, step.run, step.w_input, decoder.embedding,
            weight, bias, eos, limits, done, live, last, chosen, lengths, totals, columns, places,
        )  # fmt: skip
        table = attention.weights.reshape(steps, columns)
        for owner in owners.tolist():
            here = steps if lengths[owner] < 0 else int(lengths[owner]) - done
            units[owner] += chosen[owner, :here].tolist()
            weights[owner].append(table[: here + 1, places[owner] : places[owner] + sizes[owner]])
        done += steps
    return [Decoded(*each) for each in zip(units, totals.tolist(), map(np.concatenate, weights), strict=True)]
