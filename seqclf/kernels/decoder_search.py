"""Greedy decoding: many steps of a decoder and of its softmax in one call."""

from typing import Any

import numpy as np

from seqclf.kernels.decoder import Output, Pass, decode
from seqclf.kernels.decoder_attention import Attention, Memory
from seqclf.kernels.decoder_cells import Layers
from seqclf.kernels.output import GROUP, output_best, output_scores, output_scores_of_one
from seqclf.kernels.panels import project
from wordvec.kernels.simd import kernel

ROWS = 64
"""Rows whose scores are in memory at once."""


@kernel(allocates=True)
def greedy_steps(
    stack: Any, output: Output, state: Layers, memory: Memory, attention: Attention, run: Pass, w_input: np.ndarray,
    embedding: np.ndarray, weight: np.ndarray, bias: np.ndarray, eos: int, limits: np.ndarray, step: int, live: int,
    last: np.ndarray, units: np.ndarray, lengths: np.ndarray, totals: np.ndarray, columns: int, places: np.ndarray,
) -> int:  # fmt: skip
    """Take the most probable unit at each step, until ``units`` is full or every target has ended.

    The first ``live`` rows are targets that have not ended, in ``memory.owners``; a step that ends a target closes the
    gap. A row does not depend on the others.

    Args:
        stack, output, state, memory, attention, run: see ``decode``, for one step of N targets; all but the weights
            are overwritten. ``run.combined`` has a multiple of 4 rows.
        w_input, embedding: (4 H / 16, E, 16) and (V + 1, E).
        weight, bias: of the softmax, see ``output_scores``.
        eos: the unit that ends a target. limits: (M,) units after which it must end.
        step: steps before this call.
        last: (N,) int32, the unit before of each row.
        units: (M, T) int32, output: those of these steps.
        lengths: (M,), output: units of the targets that end, -1 as long as they have not.
        totals: (M,) float64, accumulated: log-probabilities.
        columns, places: ``attention.weights`` (T, columns), flat, those of target m from places[m] on, are output.

    Returns:
        The number of targets that have not ended.
    """
    layers, hidden = state.h.shape[0], run.combined.shape[1]
    has_cell, padded, words = state.c.shape[1] > 0, bias.size // GROUP, embedding.shape[0] - 1
    scores = np.empty(min(ROWS, run.combined.shape[0]) * padded, np.float32)
    tokens, logs = np.empty((run.combined.shape[0], 1), np.int32), np.empty((run.combined.shape[0], 1), np.float32)
    ends, scratch = np.empty(run.combined.shape[0], np.float32), np.empty(16, np.float32)
    inputs = np.empty((last.size, embedding.shape[1]), embedding.dtype)
    for t in range(units.shape[1]):
        if live == 0:
            break
        for row in range(live):
            inputs[row] = embedding[last[row]]
            attention.first[row] = t * columns + places[memory.owners[row]]
        project(run.product, inputs[:live], w_input, stack.bias[0], run.projected[:live])
        run.starts[1] = live
        decode(stack, output, state, memory, attention, run)
        for first in range(0, live, ROWS):
            high = min(first + ROWS, live)
            groups = (high - first + GROUP - 1) // GROUP
            states = run.combined[first : first + groups * GROUP].reshape(groups * GROUP * hidden)
            if high - first == 1:
                output_scores_of_one(states, weight, bias, scores, words, hidden, scratch)
            else:
                output_scores(states, weight, bias, scores, 0, groups, words, hidden)
            output_best(
                scores, 0, groups, words, padded, eos, tokens[first:high], logs[first:high], ends[first:high], scratch
            )
        kept = 0
        for row in range(live):
            owner, token, log = memory.owners[row], tokens[row, 0], logs[row, 0]
            if step + t == limits[owner]:
                token, log = np.int32(eos), max(ends[row], np.finfo(np.float32).min)
            totals[owner] += np.float64(log)
            if token == eos:
                lengths[owner] = step + t
                continue
            units[owner, t] = token
            last[kept], memory.owners[kept] = token, owner
            run.fed_first[kept] = run.combined[row]
            for layer in range(layers):
                state.first[layer, kept] = state.h[layer, row]
                if has_cell:
                    state.first[layers + layer, kept] = state.c[layer, row]
            kept += 1
        live = kept
    return live
