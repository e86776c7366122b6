"""Skip-gram and CBOW with negative sampling: one prepared slice at a time, four centres a tile.

The objective of a pair (Mikolov et al. 2013, arXiv 1310.4546, eq. 4) has K negatives of its own. Here the centres of a
tile share S negatives, each weighted K/S: the expected gradient is the same, and so is the cost of a pair with K = S;
what is gained is that pairs become matrix products. The negatives slide: a tile keeps most of those of the tile
before it and draws ``fresh`` new ones, so that a row, once fetched, serves several tiles.
"""

import numpy as np

from wordvec.kernels.simd import kernel, load, multiply, multiply_add, splat, store, subtract
from wordvec.kernels.slices import CENTER, LAST_CENTER, PRIVATE, is_sampled_for_loss
from wordvec.kernels.tile import TILE, add_loss, run_tile


@kernel(inline=True)
def look_ahead(lane, tile, step, drawn, b):
    """Set ``tile.ahead`` to the rows that the tile at ``b`` touches and the one before it does not."""
    ahead = tile.ahead
    first = drawn + step.shared - step.fresh
    # Beyond the end the buffers hold places of old, which are rows as well.
    for k in range(step.fresh):
        ahead[k] = lane.negative_places[first + k]
    # The window of the last centre reaches furthest; what is nearer came with the tiles before.
    for q in range(TILE):
        ahead[step.fresh + 2 * q] = lane.input_places[b + step.window + q]
        ahead[step.fresh + 2 * q + 1] = lane.output_places[b + step.window + q]


@kernel(inline=True)
def set_negatives(lane, tile, step, drawn):
    """Rows and weights of the tile's negatives; ``tile.pair_weights`` holds the four inputs' weights four times."""
    for t in range(TILE, 4 * TILE):
        tile.pair_weights[t] = tile.pair_weights[t - TILE]
    weight = load(tile.pair_weights, 0)
    negative_places = lane.negative_places[drawn : drawn + step.shared]
    for k in range(negative_places.size):
        tile.rows[k] = negative_places[k]
    for k in range(0, 4 * step.shared, 16):
        store(tile.weights, k, weight)


@kernel(inline=True)
def excuse_positives(lane, tile, step, drawn, first, places):
    """A negative that is the positive of a pair does not count in that pair: take its weight back.

    ``places`` tokens of the buffer from ``first`` on are the positives, in the tile's rows from ``step.shared`` on.
    """
    share = np.float32(step.negatives) / np.float32(step.shared)
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
                        tile.weights[4 * k + t] -= share * tile.targets[4 * (step.shared + q) + t]


@kernel(inline=True)
def set_positives(lane, tile, text, step, b, size, low, places, rate, share):
    """Rows, weights and targets of the tile's positives, and how much noise each input faces.

    The positives are the rectangle (four centres) x (all places their windows reach), each pair weighted by how far the
    two stand apart, 0 outside the window.
    """
    shared, window = step.shared, step.window
    rows, weights, targets = tile.rows, tile.weights, tile.targets
    padded = -(-places // TILE) * TILE
    for q in range(places):
        rows[shared + q] = lane.output_places[low + q]
    for q in range(places, padded):
        rows[shared + q] = lane.state[PRIVATE]
    last = b + TILE - 1
    starts_whole = lane.left[b] == b - window and lane.left[last] == last - window
    ends_whole = lane.right[b] == b + window + 1 and lane.right[last] == last + window + 1
    if starts_whole and ends_whole and size == TILE and not step.sampled:
        # Nearly every tile: the weights are known but for the rate.
        for k in range(0, 4 * padded, 16):
            weight = multiply(load(text.tile_weights, k), splat(rate))
            store(weights, 4 * shared + k, weight)
            store(targets, 4 * shared + k, weight)
        for t in range(TILE):
            tile.pair_weights[t] = share * np.float32(window + 1)  # the sum of the distance weights
        return
    for k in range(4 * shared, 4 * (shared + padded), 16):
        store(weights, k, splat(np.float32(0)))
    for t in range(TILE):
        tile.pair_weights[t] = np.float32(0)
    for t in range(size):
        shift = window - b - t
        contexts = np.float32(0)
        for q in range(lane.left[b + t], lane.right[b + t]):
            weight = text.distance_weights[q + shift]
            weights[4 * (shared + q - low) + t] = rate * weight
            contexts += weight
        tile.pair_weights[t] = share * contexts
    for k in range(4 * shared, 4 * (shared + padded), 16):
        store(targets, k, load(weights, k))


@kernel
def train_skipgram_slice(memory, lane, tile, text, loss, step, rate):
    """Train on the prepared centres: each centre's input vector against the output vectors of its contexts."""
    state, stride, shared = lane.state, step.stride, step.shared
    share = np.float32(rate * step.negatives / shared)
    rate = np.float32(rate)
    padding = state[PRIVATE]
    drawn = 0
    for b in range(state[CENTER], state[LAST_CENTER], TILE):
        size = min(TILE, state[LAST_CENTER] - b)
        look_ahead(lane, tile, step, drawn + step.fresh, b + TILE)
        low, high = lane.left[b], lane.right[b]
        for t in range(1, size):
            low = min(low, lane.left[b + t])
            high = max(high, lane.right[b + t])
        places = high - low
        set_positives(lane, tile, text, step, b, size, low, places, rate, share)
        set_negatives(lane, tile, step, drawn)
        excuse_positives(lane, tile, step, drawn, low, places)
        # A tile at the end of a lane may have fewer centres; the padding row, with no weight, stands for the rest.
        h0 = lane.input_places[b]
        h1 = lane.input_places[b + 1] if size > 1 else padding
        h2 = lane.input_places[b + 2] if size > 2 else padding
        h3 = lane.input_places[b + 3] if size > 3 else padding
        run_tile(memory, tile, shared + places, memory, h0, h1, h2, h3, stride)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, shared + places, rate)
        drawn += step.fresh


@kernel(inline=True)
def count_contexts(lane, text, step, b):
    """The weights of the contexts of centre ``b``, together."""
    contexts = np.float32(0)
    for q in range(lane.left[b], lane.right[b]):
        contexts += text.distance_weights[q - b + step.window]
    return contexts


@kernel(inline=True)
def average_contexts(memory, lane, text, step, hidden, b, t):
    """Input t of a CBOW tile: the weighted mean of the input vectors around centre ``b``; zeros without contexts."""
    contexts = count_contexts(lane, text, step, b)
    scale = splat(np.float32(1) / contexts if contexts > 0 else np.float32(0))
    for d in range(0, step.stride, 16):
        total = splat(np.float32(0))
        for q in range(lane.left[b], lane.right[b]):
            weight = splat(text.distance_weights[q - b + step.window])
            total = multiply_add(weight, load(memory, lane.input_places[q] + d), total)
        total = multiply(total, scale)
        store(hidden, t * step.stride + d, total)
        store(hidden, (TILE + t) * step.stride + d, total)


@kernel(inline=True)
def spread_gradient(memory, lane, text, step, hidden, b, t, scale):
    """Add what input t has moved, times ``scale`` and by weight, to every context of centre ``b``."""
    scale = splat(scale)
    for d in range(0, step.stride, 16):
        moved = subtract(load(hidden, t * step.stride + d), load(hidden, (TILE + t) * step.stride + d))
        moved = multiply(moved, scale)
        for q in range(lane.left[b], lane.right[b]):
            place = lane.input_places[q] + d
            weight = splat(text.distance_weights[q - b + step.window])
            store(memory, place, multiply_add(weight, moved, load(memory, place)))


@kernel
def train_cbow_slice(memory, lane, tile, text, loss, step, rate, divide):
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
        look_ahead(lane, tile, step, drawn + step.fresh, b + TILE)
        store(tile.weights, 4 * shared, splat(np.float32(0)))
        for t in range(TILE):
            tile.pair_weights[t] = np.float32(0)
            tile.rows[shared + t] = state[PRIVATE]
        for t in range(size):
            average_contexts(memory, lane, text, step, tile.hidden, b + t, t)
            tile.rows[shared + t] = lane.output_places[b + t]
            if lane.right[b + t] - lane.left[b + t] > 1:
                tile.weights[4 * (shared + t) + t] = rate
                tile.pair_weights[t] = share
        store(tile.targets, 4 * shared, load(tile.weights, 4 * shared))
        set_negatives(lane, tile, step, drawn)
        excuse_positives(lane, tile, step, drawn, b, size)
        run_tile(memory, tile, shared + size, tile.hidden, 0, stride, 2 * stride, 3 * stride, stride)
        for t in range(size):
            contexts = count_contexts(lane, text, step, b + t)
            if contexts > 0:
                scale = np.float32(1) / contexts if divide else np.float32(1)
                spread_gradient(memory, lane, text, step, tile.hidden, b + t, t, scale)
        if is_sampled_for_loss(step.key, lane.positions[b], step.loss_sample):
            add_loss(loss, tile, shared + size, rate)
        drawn += step.fresh
