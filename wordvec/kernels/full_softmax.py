"""Skip-gram and CBOW with full softmax (arXiv 1310.4546, eq. 2).

    p(o | h) = exp(n_o . h) / sum_w exp(n_w . h)        loss of a pair = -log p(o | h)

Four inputs h (centers; for CBOW the means of their contexts) are scored against the output vectors of all V words. With
C positives the update for an input is n_w += rate (hits_w - C p_w) h, and h is updated by the same gradients. Exact but
expensive: for small vocabularies, and as the reference for the other losses.
"""

import numpy as np

from wordvec.kernels.negative_sampling import average_contexts, reach, spread_gradient, weigh_windows
from wordvec.kernels.one_input import count_loss
from wordvec.kernels.simd import PART, Sixteen, add, clamp, kernel, load, multiply, multiply_add, splat, store, subtract
from wordvec.kernels.slices import CENTER, DRAWN, LAST_CENTER, PRIVATE, Lane, Step, Text, is_sampled_for_loss
from wordvec.kernels.tile import TILE, Tile, add_to, load_inputs, scores_4x4, update_row

CHUNK = 32
"""Rows updated together, few enough to stay in cache during the loop over the dimension."""


@kernel
def list_words(lane: Lane, step: Step) -> None:
    """List all output rows as the stream."""
    for k in range(step.vocabulary):
        lane.negative_ids[k] = k
    lane.state[DRAWN] = step.vocabulary


@kernel(inline=True)
def exponential(x: Sixteen) -> Sixteen:
    """exp(x) of sixteen nonpositive floats with relative error of about 1e-5; clamped to exp(-80) below -80.

    exp(x / 128) by its Taylor series, then squared seven times.
    """
    x = multiply(clamp(x, splat(np.float32(-80)), splat(np.float32(0))), splat(np.float32(1 / 128)))
    e = splat(np.float32(1 / 40320))
    e = multiply_add(e, x, splat(np.float32(1 / 5040)))
    e = multiply_add(e, x, splat(np.float32(1 / 720)))
    e = multiply_add(e, x, splat(np.float32(1 / 120)))
    e = multiply_add(e, x, splat(np.float32(1 / 24)))
    e = multiply_add(e, x, splat(np.float32(1 / 6)))
    e = multiply_add(e, x, splat(np.float32(0.5)))
    e = multiply_add(e, x, splat(np.float32(1)))
    e = multiply_add(e, x, splat(np.float32(1)))
    for _ in range(7):
        e = multiply(e, e)
    return e


@kernel(inline=True)
def set_probabilities(tile: Tile, words: int, highest: np.ndarray, totals: np.ndarray) -> None:
    """Set ``tile.gradients`` to exp(score - highest score of the input), and ``highest`` and ``totals`` (16,) to the
    highest scores and the sums of the four inputs, each repeated four times."""
    for k in range(4 * words, -(-words // TILE) * 16):  # padding
        tile.scores[k] = -np.float32(np.inf)
    top = load(tile.scores, 0)
    for k in range(16, 4 * words, 16):
        top = clamp(load(tile.scores, k), top, splat(np.float32(np.inf)))
    store(highest, 0, top)
    for t in range(TILE):
        most = max(max(highest[t], highest[4 + t]), max(highest[8 + t], highest[12 + t]))
        highest[t] = highest[4 + t] = highest[8 + t] = highest[12 + t] = most
    top, total = load(highest, 0), splat(np.float32(0))
    for k in range(0, 4 * words, 16):
        e = exponential(subtract(load(tile.scores, k), top))
        store(tile.gradients, k, e)
        total = add(total, e)
    store(totals, 0, total)
    for t in range(TILE):
        whole = totals[t] + totals[4 + t] + totals[8 + t] + totals[12 + t]
        totals[t] = totals[4 + t] = totals[8 + t] = totals[12 + t] = whole


@kernel(inline=True)
def update_words(
    memory: np.ndarray, rows: np.ndarray, first: int, last: int, gradients: np.ndarray, hidden: np.ndarray, stride: int
) -> None:
    """Update rows ``first`` .. ``last`` by their gradients and add their gradients to the four inputs in ``hidden``;
    the copies stored after the inputs keep the old values."""
    for d in range(0, stride, PART):
        x0, x1, x2, x3 = load_inputs(hidden, 4 * stride, 5 * stride, 6 * stride, 7 * stride, d)
        a0, a1, a2, a3 = load_inputs(hidden, 0, stride, 2 * stride, 3 * stride, d)
        for j in range(first, last):
            a0, a1, a2, a3 = update_row(memory, rows[j] + d, gradients, 4 * j, x0, x1, x2, x3, a0, a1, a2, a3)
        store(hidden, d, a0)
        store(hidden, stride + d, a1)
        store(hidden, 2 * stride + d, a2)
        store(hidden, 3 * stride + d, a3)


@kernel(inline=True)
def copy_centers(memory: np.ndarray, lane: Lane, hidden: np.ndarray, b: int, size: int, stride: int) -> None:
    """Load the four inputs of a skip-gram tile and a copy; inputs beyond ``size`` are zero."""
    for t in range(TILE):
        place = lane.input_places[b + t] if t < size else lane.state[PRIVATE]
        for d in range(0, stride, 16):
            store(hidden, t * stride + d, load(memory, place + d))
            store(hidden, (TILE + t) * stride + d, load(memory, place + d))


@kernel(inline=True)
def move_centers(memory: np.ndarray, lane: Lane, hidden: np.ndarray, b: int, size: int, stride: int) -> None:
    """Add the change of the inputs to their rows."""
    for t in range(size):
        for d in range(0, stride, 16):
            moved = subtract(load(hidden, t * stride + d), load(hidden, (TILE + t) * stride + d))
            add_to(memory, lane.input_places[b + t] + d, moved)


@kernel(inline=True)
def set_hits(
    tile: Tile, lane: Lane, b: int, size: int, low: int, places: int, rate: np.float32, of_centers: bool
) -> tuple[float, float]:
    """Add the positives to the gradients. Returns their total weight and the weighted sum of their scores.

    A skip-gram center has a weighted positive for each context; a CBOW mean has one, the center.
    """
    hits = scored = 0.0
    for t in range(size):
        for q in range(places):
            if of_centers:
                weight = tile.window_weights[4 * q + t]
            else:
                weight = np.float32(low + q == b + t and tile.contexts[t] > 0)
            if weight > 0:
                place = 4 * np.int64(lane.token_ids[low + q]) + t
                tile.gradients[place] += rate * weight
                hits += weight
                scored += weight * tile.scores[place]
    return hits, scored


@kernel
def train_softmax_slice(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step, rate: float | np.float32,
    skipgram: bool | None, divide: bool | None,
) -> None:  # fmt: skip
    """Train on the prepared centers, four at a time.

    ``skipgram`` is None for CBOW, ``divide`` for skip-gram; see ``train_cbow_slice`` for its meaning.
    """
    state, stride, words = lane.state, step.stride, step.vocabulary
    # A single long step overshoots, see ``step_parts``; the loss is that before the first part.
    rate, of_centers = np.float32(rate / step.parts), skipgram is not None
    rows, hidden, gradients = tile.rows, tile.hidden, tile.gradients
    highest, totals, shares = tile.pair_weights[:16], tile.pair_weights[16:32], tile.pair_weights[32:48]
    for j in range(words):
        rows[j] = lane.negative_places[j]
    for j in range(words, words + TILE):
        rows[j] = state[PRIVATE]
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        low, places = reach(lane, b, size)
        weigh_windows(lane, tile, text, step, tile.window_weights, 0, b, size, low, places, np.float32(1))
        for t in range(TILE):
            tile.contexts[t] = tile.pair_weights[t]
        for part in range(step.parts):
            if skipgram is not None:
                copy_centers(memory, lane, hidden, b, size, stride)
            if divide is not None:
                average_contexts(memory, lane, tile, stride, low, places)
            for j in range(0, words, TILE):
                scores = scores_4x4(memory, rows, j, hidden, 0, stride, 2 * stride, 3 * stride, stride)
                store(tile.scores, 4 * j, scores)
            set_probabilities(tile, words, highest, totals)
            log_totals = 0.0
            for t in range(TILE):
                positives = tile.contexts[t] if of_centers else np.float32(tile.contexts[t] > 0)
                for k in range(t, 16, TILE):
                    shares[k] = -rate * positives / totals[t]
                log_totals += positives * (np.log(np.float64(totals[t])) + np.float64(highest[t]))
            for k in range(0, 4 * words, 16):
                store(gradients, k, multiply(load(gradients, k), load(shares, 0)))
            hits, scored = set_hits(tile, lane, b, size, low, places, rate, of_centers)
            if part == 0 and is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
                count_loss(loss, log_totals - scored, hits)
            for first in range(0, words, CHUNK):
                update_words(memory, rows, first, min(first + CHUNK, words), gradients, hidden, stride)
            if skipgram is not None:
                move_centers(memory, lane, hidden, b, size, stride)
            if divide is not None:
                spread_gradient(memory, lane, tile, stride, low, places, divide)
