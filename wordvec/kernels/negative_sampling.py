"""Skip-gram and CBOW with shared negative samples: one prepared slice at a time, four centers per tile.

In the original objective (Mikolov et al. 2013, arXiv 1310.4546, eq. 4) each pair has its own K negatives. Here the
centers of a tile share S negatives, each weighted K/S: the expected gradient is the same, as is the cost of a pair with
K = S, but pairs become matrix products. The negatives form a sliding window: a tile keeps most negatives of the
previous tile and draws ``fresh`` new ones, so that a fetched row serves several tiles.
"""

import numpy as np

from wordvec.kernels.simd import (
    add,
    clamp,
    holds,
    kernel,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    subtract,
    sums_over_quarters,
)
from wordvec.kernels.slices import CENTER, LAST_CENTER, PRIVATE, Lane, Step, Text, is_sampled_for_loss
from wordvec.kernels.tile import TILE, Tile, add_loss, run_tile, run_tile_with_own_rows

_PLACES = np.repeat(np.arange(4, dtype=np.float32), 4)
_OF_INPUT = np.tile(np.eye(4, dtype=np.float32), 4).ravel()
"""Of the sixteen pairs (place k, center t) at 4 * k + t: the place; 1 for the pairs of each center in turn."""


@kernel(inline=True)
def look_ahead(lane: Lane, tile: Tile, step: Step, drawn: int, b: int) -> None:
    """Set ``tile.ahead`` to the rows that the tile at ``b`` touches and the previous one does not."""
    ahead = tile.ahead
    first = drawn + step.shared - step.fresh
    # Beyond the end the buffers hold stale places, which are still valid rows.
    for k in range(step.fresh):
        ahead[k] = lane.negative_places[first + k]
    # The last center's window reaches furthest; nearer rows were fetched for previous tiles.
    for q in range(TILE):
        ahead[step.fresh + 2 * q] = lane.input_places[b + step.window + q]
        ahead[step.fresh + 2 * q + 1] = lane.output_places[b + step.window + q]


@kernel(inline=True)
def set_negatives(lane: Lane, tile: Tile, step: Step, drawn: int) -> None:
    """Set rows and weights of the tile's negatives from the four inputs' weights in ``tile.pair_weights``."""
    for t in range(TILE, 4 * TILE):
        tile.pair_weights[t] = tile.pair_weights[t - TILE]
    weight = load(tile.pair_weights, 0)
    negative_places = lane.negative_places[drawn : drawn + step.shared]
    for k in range(negative_places.size):
        tile.rows[k] = negative_places[k]
    for k in range(0, 4 * step.shared, 16):
        store(tile.weights, k, weight)


@kernel(inline=True)
def may_be_drawn(lane: Lane, step: Step, drawn: int, token_id: int) -> np.bool_:
    """Whether a token is among the negatives of a tile, rounded up to a multiple of 16 by the next ones."""
    found = holds(lane.negative_ids, drawn, token_id)
    for k in range(16, step.shared, 16):
        found |= holds(lane.negative_ids, drawn + k, token_id)
    return found


@kernel(inline=True)
def row_of_place(q: int, step: Step, complete: bool) -> tuple[int, int, int]:
    """Return the row of the tile in which place ``q`` is, and for which inputs: the first, and one after the last."""
    around, count = 2 * step.window + 1, step.shared + full_rows(step)
    if not complete:
        return step.shared + q, 0, TILE
    if q < 3:
        return count + q, 0, q + 1
    if q < around:
        return step.shared + q - 3, 0, TILE
    return count + q - around, q - around + 1, TILE


@kernel(inline=True)
def excuse_positives(lane: Lane, tile: Tile, step: Step, drawn: int, first: int, places: int, complete: bool) -> None:
    """Subtract the weight of a negative in every pair whose positive it is.

    The positives are ``places`` buffer tokens from ``first`` on, in the rows ``row_of_place``.
    """
    share = np.float32(step.negatives) / np.float32(step.shared)
    # A slice starting at 0 shows LLVM that no index is negative.
    negative_ids = lane.negative_ids[drawn : drawn + step.shared]
    for q in range(places):
        token_id = lane.token_ids[first + q]
        if may_be_drawn(lane, step, drawn, token_id):
            row, begin, end = row_of_place(q, step, complete)
            for k in range(negative_ids.size):
                if negative_ids[k] == token_id:
                    for t in range(begin, end):
                        tile.weights[4 * k + t] -= share * tile.targets[4 * row + t]


@kernel(inline=True)
def excuse_centers(lane: Lane, tile: Tile, step: Step, drawn: int, b: int, size: int) -> None:
    """Set the weight of a negative to 0 for each CBOW center, of ``size`` from buffer token ``b`` on, that it is."""
    negative_ids = lane.negative_ids[drawn : drawn + step.shared]
    for t in range(size):
        token_id = lane.token_ids[b + t]
        if may_be_drawn(lane, step, drawn, token_id):
            for k in range(negative_ids.size):
                if negative_ids[k] == token_id:
                    tile.weights[4 * k + t] = np.float32(0)


@kernel(inline=True)
def reach(lane: Lane, b: int, size: int) -> tuple[int, int]:
    """Return the first buffer place and the number of places covered by the windows of the tile at ``b``."""
    low, high = lane.left[b], lane.right[b]
    for t in range(1, size):
        low = min(low, lane.left[b + t])
        high = max(high, lane.right[b + t])
    return low, high - low


@kernel(inline=True)
def are_complete(lane: Lane, step: Step, size: int, low: int, places: int) -> bool:
    """Whether a tile has four centers with complete windows, of the same radius."""
    whole: bool = step.radii == 0 and size == TILE and places == 2 * step.window + TILE
    return whole and bool(lane.sentences[low] == lane.sentences[low + places - 1])


@kernel(inline=True)
def weigh_windows(
    lane: Lane, tile: Tile, text: Text, step: Step, weights: np.ndarray, first: int, b: int, size: int, low: int,
    places: int, scale: np.float32,
) -> None:  # fmt: skip
    """Compute the weight of each place for each center of a tile, times ``scale``; 0 outside the center's window.

    Args:
        weights: float32; pair (place q, center t) is written to ``first + 4 * q + t``, padded to a multiple of four
            places.
        low, places: from ``reach``.

    Sets the first four of ``tile.pair_weights`` to the total context weight of each center.
    """
    # Without branches, which the random ends of windows would make unpredictable: 1 inside of a window, else 0.
    zero, one = splat(np.float32(0)), splat(np.float32(1))
    before = end = contexts = zero
    for t in range(size):
        mine = load(_OF_INPUT, 16 * t)
        before = multiply_add(mine, splat(np.float32(lane.left[b + t] - low - 1)), before)
        end = multiply_add(mine, splat(np.float32(lane.right[b + t] - low)), end)
    offset = 4 * (low - b + step.window)
    for k in range(0, 4 * places, 16):
        place = add(load(_PLACES, 0), splat(np.float32(k // 4)))
        inside = multiply(clamp(subtract(place, before), zero, one), clamp(subtract(end, place), zero, one))
        weight = multiply(load(text.tile_weights, offset + k), inside)
        store(weights, first + k, multiply(weight, splat(scale)))
        contexts = add(contexts, weight)
    store(tile.pair_weights, 0, sums_over_quarters(contexts, zero, zero, zero))


@kernel(inline=True)
def full_rows(step: Step) -> int:
    """Number of rows of the places that complete windows of all four centers cover, padded to a multiple of four."""
    return -(-(2 * step.window - 2) // TILE) * TILE


@kernel(inline=True)
def set_complete_windows(
    lane: Lane, tile: Tile, text: Text, step: Step, low: int, padding: int, rate: np.float32
) -> int:
    """Set the positives of a tile with complete windows; return the number of rows before the split ones.

    The windows of centers t = 0 .. 3 are the places t .. t + 2 window, so that places q = 0, 1, 2 belong to the centers
    up to q only, and places q + 2 window + 1 to the others. These two share a split row: a tile has as many rows as a
    window has places.
    """
    shared, around, full = step.shared, 2 * step.window + 1, full_rows(step)
    count = shared + full
    for k in range(0, 4 * full + 16, 16):
        weight = multiply(load(text.split_weights, k), splat(rate))
        store(tile.weights, 4 * shared + k, weight)
        store(tile.targets, 4 * shared + k, weight)
    for t in range(TILE):
        tile.pair_weights[t] = np.float32(step.contexts)
    for q in range(3, around):
        tile.rows[shared + q - 3] = lane.output_places[low + q]
    for k in range(shared + around - 3, count):
        tile.rows[k] = padding
    for q in range(3):
        tile.rows[count + q] = lane.output_places[low + q]
        tile.rows[count + 3 + q] = lane.output_places[low + around + q]
    return count


@kernel(inline=True)
def set_windows(
    lane: Lane, tile: Tile, text: Text, step: Step, b: int, size: int, low: int, places: int, padding: int,
    rate: np.float32,
) -> int:  # fmt: skip
    """Set the positives of any tile, the rectangle (centers) x (all places their windows cover); return the number of
    rows."""
    shared = step.shared
    weigh_windows(lane, tile, text, step, tile.weights, 4 * shared, b, size, low, places, rate)
    for k in range(4 * shared, 4 * (shared + places), 16):
        store(tile.targets, k, load(tile.weights, k))
    for q in range(places):
        tile.rows[shared + q] = lane.output_places[low + q]
    for q in range(places, -(-places // TILE) * TILE):
        tile.rows[shared + q] = padding
    return shared + places


@kernel(internal=True)
def train_skipgram_slice(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step, rate: float | np.float32
) -> None:
    """Train on the prepared centers: each center's input vector against the output vectors of its contexts."""
    state, stride, shared = lane.state, step.stride, step.shared
    share = np.float32(rate * step.negatives / shared)
    rate = np.float32(rate)
    padding = state[PRIVATE]
    drawn = 0
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        look_ahead(lane, tile, step, drawn + step.fresh, b + TILE)
        low, places = reach(lane, b, size)
        complete = are_complete(lane, step, size, low, places)
        if complete:
            count = set_complete_windows(lane, tile, text, step, low, padding, rate)
        else:
            count = set_windows(lane, tile, text, step, b, size, low, places, padding, rate)
        for t in range(TILE):
            tile.pair_weights[t] *= share
        set_negatives(lane, tile, step, drawn)
        excuse_positives(lane, tile, step, drawn, low, places, complete)
        # The last tile of a lane may have fewer centers; missing ones use the padding row with zero weight.
        h0 = lane.input_places[b]
        h1 = lane.input_places[b + 1] if size > 1 else padding
        h2 = lane.input_places[b + 2] if size > 2 else padding
        h3 = lane.input_places[b + 3] if size > 3 else padding
        run_tile(memory, tile, count, complete, memory, h0, h1, h2, h3, stride, step.parts)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, count + (3 if complete else 0), rate)
        drawn += step.fresh


@kernel(inline=True)
def inverse(x: np.float32) -> np.float32:
    return np.float32(1) / x if x > 0 else np.float32(0)


@kernel(inline=True)
def average_contexts(memory: np.ndarray, lane: Lane, tile: Tile, stride: int, low: int, places: int) -> None:
    """Compute the four inputs of a CBOW tile and a copy: the weighted means of the contexts' input vectors.

    Computed as a matrix product that loads every row once for all four. An input without contexts is zero.
    """
    weights, hidden, contexts = tile.window_weights, tile.hidden, tile.contexts
    scale0, scale1 = splat(inverse(contexts[0])), splat(inverse(contexts[1]))
    scale2, scale3 = splat(inverse(contexts[2])), splat(inverse(contexts[3]))
    for d in range(0, stride, 16):
        a0 = a1 = a2 = a3 = splat(np.float32(0))
        for q in range(places):
            row = load(memory, lane.input_places[low + q] + d)
            a0 = multiply_add(splat(weights[4 * q]), row, a0)
            a1 = multiply_add(splat(weights[4 * q + 1]), row, a1)
            a2 = multiply_add(splat(weights[4 * q + 2]), row, a2)
            a3 = multiply_add(splat(weights[4 * q + 3]), row, a3)
        a0, a1, a2, a3 = multiply(a0, scale0), multiply(a1, scale1), multiply(a2, scale2), multiply(a3, scale3)
        for k in range(0, 2 * TILE * stride, TILE * stride):
            store(hidden, k + d, a0)
            store(hidden, k + stride + d, a1)
            store(hidden, k + 2 * stride + d, a2)
            store(hidden, k + 3 * stride + d, a3)


@kernel(inline=True)
def spread_gradient(
    memory: np.ndarray, lane: Lane, tile: Tile, stride: int, low: int, places: int, divide: bool
) -> None:
    """Add the change of each mean, weighted, to its contexts."""
    weights, hidden, contexts = tile.window_weights, tile.hidden, tile.contexts
    one, copy = np.float32(1), TILE * stride
    scale0 = splat(inverse(contexts[0]) if divide else one)
    scale1 = splat(inverse(contexts[1]) if divide else one)
    scale2 = splat(inverse(contexts[2]) if divide else one)
    scale3 = splat(inverse(contexts[3]) if divide else one)
    for d in range(0, stride, 16):
        m0 = multiply(scale0, subtract(load(hidden, d), load(hidden, copy + d)))
        m1 = multiply(scale1, subtract(load(hidden, stride + d), load(hidden, copy + stride + d)))
        m2 = multiply(scale2, subtract(load(hidden, 2 * stride + d), load(hidden, copy + 2 * stride + d)))
        m3 = multiply(scale3, subtract(load(hidden, 3 * stride + d), load(hidden, copy + 3 * stride + d)))
        for q in range(places):
            place = lane.input_places[low + q] + d
            row = load(memory, place)
            row = multiply_add(splat(weights[4 * q + 1]), m1, multiply_add(splat(weights[4 * q]), m0, row))
            row = multiply_add(splat(weights[4 * q + 3]), m3, multiply_add(splat(weights[4 * q + 2]), m2, row))
            store(memory, place, row)


@kernel(internal=True)
def train_cbow_slice(
    memory: np.ndarray, lane: Lane, tile: Tile, text: Text, loss: np.ndarray, step: Step,
    rate: float | np.float32, divide: bool,
) -> None:  # fmt: skip
    """Train on the prepared centers: the mean of each center's context vectors against the center's output vector.

    With ``divide`` false, every context receives the gradient of the mean times its weight, as word2vec.c and gensim do
    with weights of 1; with ``divide`` true, it is also divided by the sum of the weights, which is the true gradient
    (Irsoy et al. 2020, arXiv 2012.15332).
    """
    state, stride, shared = lane.state, step.stride, step.shared
    share = np.float32(rate * step.negatives / shared)
    rate = np.float32(rate)
    drawn = 0
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        look_ahead(lane, tile, step, drawn + step.fresh, b + TILE)
        low, places = reach(lane, b, size)
        weigh_windows(lane, tile, text, step, tile.window_weights, 0, b, size, low, places, np.float32(1))
        for t in range(TILE):
            tile.contexts[t] = tile.pair_weights[t]
            has_contexts = tile.contexts[t] > 0
            tile.pair_weights[t] = share if has_contexts else np.float32(0)
            tile.weights[4 * shared + t] = tile.targets[4 * shared + t] = rate if has_contexts else np.float32(0)
            tile.rows[shared + t] = lane.output_places[b + t] if t < size else state[PRIVATE]
        average_contexts(memory, lane, tile, stride, low, places)
        set_negatives(lane, tile, step, drawn)
        excuse_centers(lane, tile, step, drawn, b, size)
        run_tile_with_own_rows(memory, tile, shared, tile.hidden, 0, stride, 2 * stride, 3 * stride, stride, step.parts)
        spread_gradient(memory, lane, tile, stride, low, places, divide)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, shared + 1, rate)
        drawn += step.fresh
