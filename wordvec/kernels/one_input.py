"""Update step of one input against a few rows, for separate negatives and for CBOW with hierarchical softmax.

Like a tile (see ``tile.py``) with one input, whose pair j is at index j. Given rows, weights and targets,

    g[j] = target[j] - weight[j] * sigmoid(n_j . h)        n_j += g[j] * h        h += sum_j g[j] * n_j

word2vec.c and gensim look up the sigmoid in a table for scores of -6 to 6 and differ in how they treat others.
"""

import numpy as np

from wordvec.kernels.simd import (
    Int,
    Sixteen,
    has_long_registers,
    kernel,
    load,
    multiply,
    multiply_add,
    prefetch,
    splat,
    store,
    subtract,
    sums,
    sums_of_quarters,
    sums_over_quarters,
)
from wordvec.kernels.slices import Lane, Step, Text
from wordvec.kernels.tile import (
    LOSS_PAIRS,
    LOSS_SQUARES,
    LOSS_SUM,
    LOSS_TILES,
    LOSS_TIMES_PAIRS,
    PAIR_SQUARES,
    Tile,
    add_to,
    sigmoid,
)

ROWS = 8
"""Rows scored at once: enough accumulators to hide latency."""

EXACT, CLIP, SKIP = range(3)
"""Treatment of pairs with an absolute score of 6 or more: exact; sigmoid set to 0 or 1, as in word2vec.c; skipped, as
in gensim."""


@kernel(inline=True)
def _together(memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h: int, stride: int) -> Sixteen:
    n0, n1, n2, n3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
    n4, n5, n6, n7 = rows[j + 4], rows[j + 5], rows[j + 6], rows[j + 7]
    zero = a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(np.float32(0))
    for d in range(0, stride, 16):
        x = load(inputs, h + d)
        a0, a1 = multiply_add(load(memory, n0 + d), x, a0), multiply_add(load(memory, n1 + d), x, a1)
        a2, a3 = multiply_add(load(memory, n2 + d), x, a2), multiply_add(load(memory, n3 + d), x, a3)
        a4, a5 = multiply_add(load(memory, n4 + d), x, a4), multiply_add(load(memory, n5 + d), x, a5)
        a6, a7 = multiply_add(load(memory, n6 + d), x, a6), multiply_add(load(memory, n7 + d), x, a7)
    return sums(a0, a1, a2, a3, a4, a5, a6, a7, zero, zero, zero, zero, zero, zero, zero, zero)


@kernel(inline=True)
def _four(memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h: int, stride: int) -> Sixteen:
    n0, n1, n2, n3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
    a0 = a1 = a2 = a3 = splat(np.float32(0))
    for d in range(0, stride, 16):
        x = load(inputs, h + d)
        a0, a1 = multiply_add(load(memory, n0 + d), x, a0), multiply_add(load(memory, n1 + d), x, a1)
        a2, a3 = multiply_add(load(memory, n2 + d), x, a2), multiply_add(load(memory, n3 + d), x, a3)
    return sums_of_quarters(a0, a1, a2, a3)


@kernel(inline=True)
def _four_by_four(memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h: int, stride: int) -> Sixteen:
    zero = splat(np.float32(0))
    first, second = _four(memory, rows, j, inputs, h, stride), _four(memory, rows, j + 4, inputs, h, stride)
    return sums_over_quarters(first, second, zero, zero)


scores_8x1 = _together if has_long_registers() else _four_by_four
"""``scores_8x1(memory, rows, j, inputs, h, stride)``: row j + k . input in lane k, for k in 0..7, and 0 in the others.
Arguments as in ``scores_4x4``. Registers that do not hold eight sums hold four, see ``products.py``."""


@kernel(inline=True)
def set_gradients(tile: Tile, size: Int, saturation: int) -> None:
    """Compute the gradients of the first ``size`` pairs from their scores, weights and targets."""
    minus = splat(np.float32(-1))
    for k in range(0, size, 16):
        weight = multiply(load(tile.weights, k), minus)
        store(tile.gradients, k, multiply_add(weight, sigmoid(load(tile.scores, k)), load(tile.targets, k)))
    if saturation != EXACT:
        for k in range(size):
            score = tile.scores[k]
            if abs(score) >= np.float32(6):
                clipped = tile.targets[k] - (tile.weights[k] if score > np.float32(0) else np.float32(0))
                tile.gradients[k] = clipped if saturation == CLIP else np.float32(0)


@kernel(inline=True)
def run_rows(
    memory: np.ndarray, tile: Tile, count: Int, inputs: np.ndarray, h: int, saturation: int, stride: int
) -> None:
    """Compute scores, gradients and updates of one input and ``count`` rows, prefetching the rows ``tile.ahead``.

    Pairs beyond ``count``, up to the next multiple of 16, must have weight 0; rows up to the next multiple of eight
    must be readable."""
    for j in range(0, count, ROWS):
        store(tile.scores, j, scores_8x1(memory, tile.rows, j, inputs, h, stride))
    set_gradients(tile, count, saturation)
    for d in range(0, stride, 16):
        for place in tile.ahead:
            prefetch(memory, place + d)
        x, a = load(inputs, h + d), splat(np.float32(0))
        for j in range(count):
            g, n = splat(tile.gradients[j]), load(memory, tile.rows[j] + d)
            a = multiply_add(g, n, a)
            store(memory, tile.rows[j] + d, multiply_add(g, x, n))
        add_to(inputs, h + d, a)


@kernel(inline=True)
def count_contexts(lane: Lane, text: Text, step: Step, b: int) -> np.float32:
    """Return the total weight of the contexts of center ``b``."""
    contexts = np.float32(0)
    for q in range(lane.left[b], lane.right[b]):
        contexts += text.distance_weights[q - b + step.window]
    return contexts


@kernel(inline=True)
def average_window(
    memory: np.ndarray, lane: Lane, text: Text, step: Step, hidden: np.ndarray, b: int, contexts: np.float32
) -> None:
    """Compute CBOW's input for center ``b`` and a copy: the mean of its contexts, whose weights sum to ``contexts``."""
    scale = splat(np.float32(1) / contexts)
    for d in range(0, step.stride, 16):
        total = splat(np.float32(0))
        for q in range(lane.left[b], lane.right[b]):
            weight = splat(text.distance_weights[q - b + step.window])
            total = multiply_add(weight, load(memory, lane.input_places[q] + d), total)
        total = multiply(total, scale)
        store(hidden, d, total)
        store(hidden, step.stride + d, total)


@kernel(inline=True)
def spread_move(
    memory: np.ndarray, lane: Lane, text: Text, step: Step, hidden: np.ndarray, b: int, contexts: np.float32,
    divide: bool,
) -> None:  # fmt: skip
    """Add the change of that input, weighted, to every context; with ``divide``, divided by ``contexts``."""
    scale = splat(np.float32(1) / contexts if divide else np.float32(1))
    for d in range(0, step.stride, 16):
        moved = multiply(scale, subtract(load(hidden, d), load(hidden, step.stride + d)))
        for q in range(lane.left[b], lane.right[b]):
            place = lane.input_places[q] + d
            weight = splat(text.distance_weights[q - b + step.window])
            store(memory, place, multiply_add(weight, moved, load(memory, place)))


@kernel
def loss_of_pairs(tile: Tile, size: Int) -> np.float64:
    """Return the weighted loss of ``size`` pairs: -log sigmoid(x) if positive, -log sigmoid(-x) if negative."""
    loss = np.float64(0)
    for k in range(size):
        weight, target, x = np.float64(tile.weights[k]), np.float64(tile.targets[k]), np.float64(tile.scores[k])
        loss += weight * (max(x, 0.0) + np.log1p(np.exp(-abs(x)))) - target * x
    return loss


@kernel
def count_loss(loss_sums: np.ndarray, loss: float, pairs: float) -> None:
    """Add the loss of a sampled center or tile, in nats, and its pair count to ``loss_sums`` (6,), float64."""
    loss_sums[LOSS_TILES] += 1.0
    loss_sums[LOSS_SUM] += loss
    loss_sums[LOSS_PAIRS] += pairs
    loss_sums[LOSS_SQUARES] += loss * loss
    loss_sums[PAIR_SQUARES] += pairs * pairs
    loss_sums[LOSS_TIMES_PAIRS] += loss * pairs
