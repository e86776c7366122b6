"""Skip-gram and CBOW with negative sampling: one prepared slice at a time, four centres a tile.

The objective of a pair (Mikolov et al. 2013, arXiv 1310.4546, eq. 4) has K negatives of its own. Here the centres of a
tile share S negatives, each weighted K/S: the expected gradient is the same, and so is the cost of a pair with K = S;
what is gained is that pairs become matrix products. The negatives slide: a tile keeps most of those of the tile
before it and draws ``fresh`` new ones, so that a row, once fetched, serves several tiles.
"""

import numpy as np

from wordvec.kernels.simd import add, kernel, load, multiply, prefetch, splat, store, subtract
from wordvec.kernels.slices import CENTER, DRAWN, FILLED, LAST_CENTER, is_sampled_for_loss
from wordvec.kernels.tile import TILE, add_loss, add_to, run_tile, value_at


@kernel(inline=True)
def prefetch_row(table, row, stride):
    for d in range(0, stride, 16):
        prefetch(table, row + d)


@kernel
def prefetch_tile(table, lane, step, drawn, b):
    """Ask for the rows that the tile at ``b`` touches and the one before it does not; deltas are near already."""
    stride = step.stride
    for k in range(max(drawn + step.shared - step.fresh, 0), min(drawn + step.shared, lane.state[DRAWN])):
        row = (np.int64(lane.negative_ids[k]) + step.vocabulary) * stride
        prefetch_row(table, row, stride)
    # The window of the last centre reaches furthest; what is nearer came with the tiles before.
    for q in range(b + step.window, min(b + step.window + TILE, lane.state[FILLED])):
        row = np.int64(lane.token_ids[q]) * stride
        prefetch_row(table, row, stride)
        prefetch_row(table, row + step.vocabulary * stride, stride)


@kernel(inline=True)
def set_negatives(lane, tile, step, drawn):
    """Rows and weights of the tile's negatives; ``tile.pair_weights`` holds the four inputs' weights four times."""
    for t in range(TILE, 4 * TILE):
        tile.pair_weights[t] = tile.pair_weights[t - TILE]
    weight = load(tile.pair_weights, 0)
    negative_ids = lane.negative_ids[drawn : drawn + step.shared]
    negative_slots = lane.negative_slots[drawn : drawn + step.shared]
    for k in range(negative_ids.size):
        tile.rows[k] = (np.int64(negative_ids[k]) + step.vocabulary) * step.stride
        tile.slots[k] = negative_slots[k]
    for k in range(0, 4 * step.shared, 16):
        store(tile.weights, k, weight)
        store(tile.targets, k, splat(np.float32(0)))


@kernel(inline=True)
def excuse_positives(lane, tile, step, drawn, first, places, share):
    """A negative that is the positive of a pair does not count in that pair: take its weight back.

    ``places`` tokens of the buffer from ``first`` on are the positives, in the tile's rows from ``step.shared`` on.
    """
    # A slice from 0 on: LLVM compares sixteen ids at once when it can see that no index is negative.
    negative_ids = lane.negative_ids[drawn : drawn + step.shared]
    for q in range(places):
        token_id = lane.token_ids[first + q]
        hits = np.int32(0)
        for k in range(negative_ids.size):
            hits += np.int32(negative_ids[k] == token_id)
        if hits > 0:
            for k in range(negative_ids.size):
                if negative_ids[k] == token_id:
                    for t in range(TILE):
                        if tile.targets[4 * (step.shared + q) + t] > np.float32(0):
                            tile.weights[4 * k + t] -= share


@kernel
def train_skipgram_slice(table, delta, lane, tile, loss, step, rate):
    """Train on the prepared centres: each centre's input vector against the output vectors of its contexts."""
    state, stride, shared = lane.state, step.stride, step.shared
    rows, slots, weights, targets = tile.rows, tile.slots, tile.weights, tile.targets
    share = np.float32(rate * step.negatives / shared)
    rate = np.float32(rate)
    pad = np.int64(2) * step.vocabulary * stride
    drawn = 0
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        prefetch_tile(table, lane, step, drawn + step.fresh, b + TILE)
        low, high = lane.left[b], lane.right[b]
        for t in range(1, size):
            low = min(low, lane.left[b + t])
            high = max(high, lane.right[b + t])
        # Positives: the rectangle (four centres) x (all places their windows reach), masked to the windows.
        places = high - low
        padded = -(-places // TILE) * TILE
        for k in range(4 * shared, 4 * (shared + padded), 16):
            store(weights, k, splat(np.float32(0)))
        for t in range(TILE):
            tile.pair_weights[t] = np.float32(0)
        for t in range(size):
            left, right = lane.left[b + t], lane.right[b + t]
            for q in range(left, right):
                weights[4 * (shared + q - low) + t] = rate
            weights[4 * (shared + b + t - low) + t] = np.float32(0)
            tile.pair_weights[t] = share * np.float32(right - left - 1)
        for k in range(4 * shared, 4 * (shared + padded), 16):
            store(targets, k, load(weights, k))
        for q in range(places):
            rows[shared + q] = (np.int64(lane.token_ids[low + q]) + step.vocabulary) * stride
            slots[shared + q] = lane.output_slots[low + q]
        for q in range(places, padded):
            rows[shared + q] = pad
            slots[shared + q] = 0
        set_negatives(lane, tile, step, drawn)
        excuse_positives(lane, tile, step, drawn, low, places, share)
        # A tile at the end of a lane may have fewer centres; the padding row, with no weight, stands for the rest.
        h0, s0 = np.int64(lane.token_ids[b]) * stride, lane.input_slots[b]
        h1, s1 = (np.int64(lane.token_ids[b + 1]) * stride, lane.input_slots[b + 1]) if size > 1 else (pad, 0)
        h2, s2 = (np.int64(lane.token_ids[b + 2]) * stride, lane.input_slots[b + 2]) if size > 2 else (pad, 0)
        h3, s3 = (np.int64(lane.token_ids[b + 3]) * stride, lane.input_slots[b + 3]) if size > 3 else (pad, 0)
        run_tile(table, delta, tile, shared + places, table, delta, h0, h1, h2, h3, s0, s1, s2, s3, stride)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, shared + places, rate)
        drawn += step.fresh


@kernel(inline=True)
def average_contexts(table, delta, lane, hidden, b, t, stride):
    """Input t of a CBOW tile: the mean of the input vectors around centre ``b``; zeros without contexts."""
    left, right = lane.left[b], lane.right[b]
    scale = splat(np.float32(1) / np.float32(max(right - left - 1, 1)))
    for d in range(0, stride, 16):
        total = splat(np.float32(0))
        for q in range(left, right):
            if q != b:
                total = add(
                    total, value_at(table, delta, np.int64(lane.token_ids[q]) * stride + d, lane.input_slots[q] + d)
                )
        total = multiply(total, scale)
        store(hidden, t * stride + d, total)
        store(hidden, (TILE + t) * stride + d, total)


@kernel(inline=True)
def spread_gradient(table, delta, lane, hidden, b, t, scale, stride):
    """Add what input t has moved, times ``scale``, to every context of centre ``b``."""
    scale = splat(scale)
    for d in range(0, stride, 16):
        moved = subtract(load(hidden, t * stride + d), load(hidden, (TILE + t) * stride + d))
        moved = multiply(moved, scale)
        for q in range(lane.left[b], lane.right[b]):
            if q != b:
                if delta is None:
                    add_to(table, np.int64(lane.token_ids[q]) * stride + d, moved)
                else:
                    add_to(delta, lane.input_slots[q] + d, moved)


@kernel
def train_cbow_slice(table, delta, lane, tile, loss, step, rate, divide):
    """Train on the prepared centres: the mean of each centre's context vectors against the centre's output vector.

    With ``divide`` false the gradient of the mean is passed on to every context whole, as word2vec.c and gensim do;
    with ``divide`` true it is divided by the number of contexts, the true gradient (Irsoy et al. 2020, arXiv
    2012.15332).
    """
    state, stride, shared = lane.state, step.stride, step.shared
    share = np.float32(rate * step.negatives / shared)
    rate = np.float32(rate)
    drawn = 0
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        prefetch_tile(table, lane, step, drawn + step.fresh, b + TILE)
        store(tile.weights, 4 * shared, splat(np.float32(0)))
        for t in range(TILE):
            tile.pair_weights[t] = np.float32(0)
            tile.rows[shared + t] = np.int64(2) * step.vocabulary * stride
            tile.slots[shared + t] = 0
        for t in range(size):
            average_contexts(table, delta, lane, tile.hidden, b + t, t, stride)
            tile.rows[shared + t] = (np.int64(lane.token_ids[b + t]) + step.vocabulary) * stride
            tile.slots[shared + t] = lane.output_slots[b + t]
            if lane.right[b + t] - lane.left[b + t] > 1:
                tile.weights[4 * (shared + t) + t] = rate
                tile.pair_weights[t] = share
        store(tile.targets, 4 * shared, load(tile.weights, 4 * shared))
        set_negatives(lane, tile, step, drawn)
        excuse_positives(lane, tile, step, drawn, b, size, share)
        run_tile(
            table, delta, tile, shared + size, tile.hidden, None, 0, stride, 2 * stride, 3 * stride, 0, 0, 0, 0, stride
        )
        for t in range(size):
            contexts = lane.right[b + t] - lane.left[b + t] - 1
            if contexts > 0:
                scale = np.float32(1) / np.float32(contexts) if divide else np.float32(1)
                spread_gradient(table, delta, lane, tile.hidden, b + t, t, scale, stride)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, shared + size, rate)
        drawn += step.fresh
