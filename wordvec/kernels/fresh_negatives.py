"""Skip-gram and CBOW with K independent negatives per pair, as in the papers, word2vec.c and gensim.

Baseline for ``negative_sampling.py``; several times slower, because no row is reused between pairs.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.one_input import average_window, count_contexts, count_loss, loss_of_pairs, run_rows, spread_move
from wordvec.kernels.simd import Int, kernel, splat, store
from wordvec.kernels.slices import (
    CENTER,
    DRAWN,
    LAST_CENTER,
    NOISE,
    PRIVATE,
    Lane,
    Step,
    Text,
    draw,
    draw_noise,
    is_sampled_for_loss,
)
from wordvec.kernels.tile import Tile


class Fresh(NamedTuple):
    """Training options of a pair."""

    context_predicts_center: bool  # skip-gram input: the context if true, else the center
    saturation: int


@kernel
def draw_fresh_negatives(lane: Lane, text: Text, step: Step, skipgram: bool) -> None:
    """Draw the stream of negatives: K for each pair of each center, in training order.

    The random key is the center's position and the context's offset in its window; for CBOW's only pair, the center.
    """
    state, key = lane.state, draw(step.key, NOISE)
    drawn = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        center_key = draw(key, ~lane.positions[b])
        for q in range(lane.left[b], lane.right[b]):
            if (q != b) == skipgram:
                first = (q - b + step.window) * step.negatives
                for k in range(step.negatives):
                    lane.negative_ids[drawn + k] = draw_noise(draw(center_key, first + k), text.noise_table)
                drawn += step.negatives
    state[DRAWN] = drawn


@kernel(inline=True)
def look_ahead(lane: Lane, tile: Tile, step: Step, drawn: Int, b: int) -> None:
    """Set ``tile.ahead`` to the negatives of the pair after next and to the token that enters the window next."""
    ahead, first = tile.ahead, drawn + 2 * step.negatives
    # Beyond the end the buffers hold stale places, which are still valid rows.
    for k in range(step.negatives):
        ahead[k] = lane.negative_places[first + k]
    ahead[step.negatives] = lane.input_places[b + step.window + 1]
    ahead[step.negatives + 1] = lane.output_places[b + step.window + 1]


@kernel(inline=True)
def set_pair(lane: Lane, tile: Tile, step: Step, drawn: Int, positive: int, rate: np.float32) -> Int:
    """Set rows, weights and targets of a pair: the output row of buffer token ``positive``, then the negatives that
    differ from it. Returns the number of rows."""
    rows, token_id = tile.rows, lane.token_ids[positive]
    rows[0] = lane.output_places[positive]
    count: Int = 1
    for k in range(drawn, drawn + step.negatives):
        rows[count] = lane.negative_places[k]
        count += np.int64(lane.negative_ids[k] != token_id)
    for j in range(count, count + 8):
        rows[j] = lane.state[PRIVATE]
    for k in range(0, count, 16):
        store(tile.weights, k, splat(rate))
        store(tile.targets, k, splat(np.float32(0)))
    for k in range(count, -(-count // 16) * 16):
        tile.weights[k] = np.float32(0)
    tile.targets[0] = rate
    return count


@kernel
def train_skipgram_fresh(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step,
    rate: float | np.float32, fresh: Fresh,
) -> None:  # fmt: skip
    """Train on the prepared centers, pair by pair, in corpus order."""
    state = lane.state
    rate = np.float32(rate)
    drawn = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        sampled = is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample)
        center_loss = 0.0
        for q in range(lane.left[b], lane.right[b]):
            if q != b:
                source, positive = (q, b) if fresh.context_predicts_center else (b, q)
                look_ahead(lane, tile, step, drawn, b)
                weight = text.distance_weights[q - b + step.window]
                count = set_pair(lane, tile, step, drawn, positive, rate * weight)
                run_rows(memory, tile, count, memory, lane.input_places[source], fresh.saturation, step.stride)
                if sampled:
                    center_loss += loss_of_pairs(tile, count) / rate
                drawn += step.negatives
        if sampled:
            count_loss(loss, center_loss, np.float64(count_contexts(lane, text, step, b)))


@kernel
def train_cbow_fresh(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step,
    rate: float | np.float32, divide: bool, fresh: Fresh,
) -> None:  # fmt: skip
    """Train on the prepared centers, one by one: the mean of each center's contexts against its output vector."""
    state = lane.state
    rate = np.float32(rate)
    drawn = np.int64(0)
    for b in range(state[CENTER], state[LAST_CENTER]):
        look_ahead(lane, tile, step, drawn, b)
        contexts = count_contexts(lane, text, step, b)
        if contexts > 0:
            average_window(memory, lane, text, step, tile.hidden, b, contexts)
            count = set_pair(lane, tile, step, drawn, b, rate)
            run_rows(memory, tile, count, tile.hidden, 0, fresh.saturation, step.stride)
            spread_move(memory, lane, text, step, tile.hidden, b, contexts, divide)
            if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
                count_loss(loss, loss_of_pairs(tile, count) / rate, 1.0)
        drawn += step.negatives
