"""The tile, the core of skip-gram and CBOW: four inputs scored against a set of rows and updated together.

Four input vectors h (centers for skip-gram, averaged contexts for CBOW) are scored against R output rows n: contexts or
centers as positives, shared negatives as noise. Every pair (row j, input t) has a ``weight`` and a ``target``, and the
update of Mikolov et al. 2013 (arXiv 1310.4546, eq. 4) is

    g[j, t] = target[j, t] - weight[j, t] * sigmoid(n_j . h_t)
    n_j += sum_t g[j, t] * h_t          h_t += sum_j g[j, t] * n_j   (n_j before its update)

A positive pair has target = weight = learning rate; a negative pair has target 0; a pair that is not part of the
objective has both 0. The positives of CBOW have one input each, see ``run_tile_with_own_rows``.

Memory layout. ``memory`` is one flat float32 array; a row is identified by the place where it starts, and updated in
place. Whether this is a table row or a lane's private copy is decided beforehand, see ``lanes.py``.

Performance. Scores are computed 4 x 4 with accumulators in registers (see ``products.py``), reduced to sixteen lanes by
one tree of additions. The update loops over the dimension, one register at a time (``PART``), and keeps four inputs
and four accumulators in registers while looping over the rows, so each row is read and written once for eight
multiply-adds.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.products import products_4x4
from wordvec.kernels.simd import (
    PART,
    Part,
    Sixteen,
    add,
    clamp,
    divide,
    has_long_registers,
    join_halves,
    kernel,
    load,
    load_part,
    multiply,
    multiply_add,
    prefetch,
    splat,
    splat_part,
    store,
    sums_of_quarters,
    sums_over_quarters,
)

TILE = 4
"""Inputs per tile, which fit the registers of any processor with 16 of them."""


class Tile(NamedTuple):
    """Buffers of one tile: R rows, and 4 R pairs with pair (j, t) at 4*j + t."""

    rows: np.ndarray  # (R,) int64, start of each row in the memory
    ahead: np.ndarray  # (A,) int64, start of the rows that only the next tile touches, to prefetch
    weights: np.ndarray  # (4 R,) float32
    targets: np.ndarray  # (4 R,) float32; those of the negatives stay 0
    scores: np.ndarray
    gradients: np.ndarray
    pair_weights: np.ndarray  # (16,) float32, scratch
    window_weights: np.ndarray  # (4 R,) float32, of CBOW's contexts
    contexts: np.ndarray  # (4,) float32, total context weight of each center
    hidden: np.ndarray  # (8 stride,) float32, four computed inputs (CBOW) and a copy of them
    slot_of_row: np.ndarray  # (2 V,) int32, all -1: scratch for ``settle_rows`` and ``add_changes``
    marked: np.ndarray  # (2, 1 + marks) uint32, see ``mark_users``, for odd and even rounds
    merging: np.ndarray  # (5, 1 + copies of all lanes) uint32, scratch for ``add_changes``


@kernel(inline=True)
def sigmoid(x: Sixteen) -> Sixteen:
    """1 / (1 + exp(-x)) of sixteen floats, as 1/2 + tanh(x/2) / 2.

    tanh is the ratio of an odd polynomial of degree 13 and an even one of degree 6, within 2 ULP of float32 on
    -7.9 .. 7.9 and constant beyond: saturated scores are clipped, never skipped.
    """
    half = splat(np.float32(0.5))
    x = clamp(multiply(x, half), splat(np.float32(-7.9053111)), splat(np.float32(7.9053111)))
    x2 = multiply(x, x)
    p = splat(np.float32(-2.76076847742355e-16))
    p = multiply_add(p, x2, splat(np.float32(2.00018790482477e-13)))
    p = multiply_add(p, x2, splat(np.float32(-8.60467152213735e-11)))
    p = multiply_add(p, x2, splat(np.float32(5.12229709037114e-08)))
    p = multiply_add(p, x2, splat(np.float32(1.48572235717979e-05)))
    p = multiply_add(p, x2, splat(np.float32(6.37261928875436e-04)))
    p = multiply_add(p, x2, splat(np.float32(4.89352455891786e-03)))
    q = splat(np.float32(1.19825839466702e-06))
    q = multiply_add(q, x2, splat(np.float32(1.18534705686654e-04)))
    q = multiply_add(q, x2, splat(np.float32(2.26843463243900e-03)))
    q = multiply_add(q, x2, splat(np.float32(4.89352518554385e-03)))
    return multiply_add(divide(multiply(p, x), q), half, half)


@kernel(inline=True)
def scores_4x4(
    memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int
) -> Sixteen:
    """Return row j + k . input t in lane 4*k + t, for k, t in 0..3.

    Args:
        memory: (all rows * stride,) float32.
        rows: (R,) int64, start of each row in ``memory``.
        inputs: the array that contains the inputs: ``memory`` itself, or a small array.
        h0 .. h3: start of the four inputs in ``inputs``.
        stride: floats per row, a multiple of 16; padding is zero.
    """
    return products_4x4(
        memory, rows[j], rows[j + 1], rows[j + 2], rows[j + 3], inputs, h0, h1, h2, h3, stride
    )  # fmt: skip


@kernel(inline=True)
def update_row(
    memory: np.ndarray, place: int, gradients: np.ndarray, k: int, x0: Part, x1: Part, x2: Part, x3: Part,
    a0: Part, a1: Part, a2: Part, a3: Part,
) -> tuple[Part, Part, Part, Part]:  # fmt: skip
    """Update ``PART`` columns of a row by the four inputs' ``x`` and pairs k .. k + 3; return ``a`` with the inputs'
    changes added."""
    g0, g1 = splat_part(gradients[k]), splat_part(gradients[k + 1])
    g2, g3 = splat_part(gradients[k + 2]), splat_part(gradients[k + 3])
    n = load_part(memory, place)
    a0, a1 = multiply_add(g0, n, a0), multiply_add(g1, n, a1)
    a2, a3 = multiply_add(g2, n, a2), multiply_add(g3, n, a3)
    n = multiply_add(g1, x1, multiply_add(g0, x0, n))
    store(memory, place, multiply_add(g3, x3, multiply_add(g2, x2, n)))
    return a0, a1, a2, a3


@kernel(inline=True)
def update_rows(
    memory: np.ndarray, rows: np.ndarray, count: int, gradients: np.ndarray, x0: Part, x1: Part, x2: Part,
    x3: Part, d: int,
) -> tuple[Part, Part, Part, Part]:  # fmt: skip
    """Update ``PART`` columns of ``count`` rows, from d on, by the four inputs' ``x``; return the inputs' changes."""
    a0 = a1 = a2 = a3 = splat_part(np.float32(0))
    for j in range(count):
        a0, a1, a2, a3 = update_row(memory, rows[j] + d, gradients, 4 * j, x0, x1, x2, x3, a0, a1, a2, a3)
    return a0, a1, a2, a3


@kernel(inline=True)
def prefetch_columns(memory: np.ndarray, ahead: np.ndarray, d: int) -> None:
    """Prefetch column d of the rows ``ahead``, one cache line of each per step, so as not to delay current loads."""
    if d % 16 == 0:
        for place in ahead:
            prefetch(memory, place + d)


@kernel(inline=True)
def load_inputs(inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, d: int) -> tuple[Part, Part, Part, Part]:
    return load_part(inputs, h0 + d), load_part(inputs, h1 + d), load_part(inputs, h2 + d), load_part(inputs, h3 + d)


@kernel(inline=True)
def change_inputs(
    inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, d: int, a0: Part, a1: Part, a2: Part, a3: Part
) -> None:
    """Add the changes ``a``. An input that occurs twice among the four gets both, because it is reloaded before it is
    written."""
    add_part_to(inputs, h0 + d, a0)
    add_part_to(inputs, h1 + d, a1)
    add_part_to(inputs, h2 + d, a2)
    add_part_to(inputs, h3 + d, a3)


@kernel(inline=True)
def update_tile(
    memory: np.ndarray, rows: np.ndarray, count: int, gradients: np.ndarray, ahead: np.ndarray, inputs: np.ndarray,
    h0: int, h1: int, h2: int, h3: int, stride: int,
) -> None:  # fmt: skip
    """Update ``count`` rows and the four inputs by their gradients, in place; arguments as in ``scores_4x4``."""
    for d in range(0, stride, PART):
        prefetch_columns(memory, ahead, d)
        x0, x1, x2, x3 = load_inputs(inputs, h0, h1, h2, h3, d)
        a0, a1, a2, a3 = update_rows(memory, rows, count, gradients, x0, x1, x2, x3, d)
        change_inputs(inputs, h0, h1, h2, h3, d, a0, a1, a2, a3)


@kernel(inline=True)
def add_to(array: np.ndarray, index: int, value: Sixteen) -> None:
    store(array, index, add(load(array, index), value))


@kernel(inline=True)
def add_part_to(array: np.ndarray, index: int, value: Part) -> None:
    store(array, index, add(load_part(array, index), value))


@kernel(inline=True)
def set_tile_gradients(tile: Tile, pairs: int, parts: int) -> None:
    """Compute the gradients of the first ``pairs`` pairs, or up to 15 more, from their scores, weights and targets."""
    share = splat(np.float32(1) / np.float32(parts))
    minus = splat(np.float32(-1))
    # Apart from the scores: a sigmoid is one long dependency chain, and several can execute in parallel.
    for k in range(0, pairs, 16):
        weight = multiply(load(tile.weights, k), minus)
        gradient = multiply_add(weight, sigmoid(load(tile.scores, k)), load(tile.targets, k))
        store(tile.gradients, k, multiply(gradient, share))


@kernel(inline=True)
def _split_quarters(
    memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int,
    first: int,
) -> tuple[Part, Part, Part]:  # fmt: skip
    """Return the sums of quarters of each split row's scores, of the ``PART`` lanes from ``first`` on."""
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = s20 = s21 = s22 = s23 = splat_part(np.float32(0))
    # At most twelve sums, three rows and an input at a time, which fit sixteen registers.
    for d in range(first, stride, 16):
        m0, m1, m2 = (
            load_part(memory, rows[j] + d),
            load_part(memory, rows[j + 1] + d),
            load_part(memory, rows[j + 2] + d),
        )
        x = load_part(inputs, h0 + d)
        s00, s10, s20 = multiply_add(m0, x, s00), multiply_add(m1, x, s10), multiply_add(m2, x, s20)
        m0, x = load_part(memory, rows[j + 3] + d), load_part(inputs, h1 + d)
        s01, s11, s21 = multiply_add(m0, x, s01), multiply_add(m1, x, s11), multiply_add(m2, x, s21)
        m1, x = load_part(memory, rows[j + 4] + d), load_part(inputs, h2 + d)
        s02, s12, s22 = multiply_add(m0, x, s02), multiply_add(m1, x, s12), multiply_add(m2, x, s22)
        m2, x = load_part(memory, rows[j + 5] + d), load_part(inputs, h3 + d)
        s03, s13, s23 = multiply_add(m0, x, s03), multiply_add(m1, x, s13), multiply_add(m2, x, s23)
    return (
        sums_of_quarters(s00, s01, s02, s03),
        sums_of_quarters(s10, s11, s12, s13),
        sums_of_quarters(s20, s21, s22, s23),
    )


@kernel(inline=True)
def _split_scores(
    memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int
) -> Sixteen:
    s0, s1, s2 = _split_quarters(memory, rows, j, inputs, h0, h1, h2, h3, stride, 0)
    return sums_over_quarters(s0, s1, s2, splat(np.float32(0)))


@kernel(inline=True)
def _split_scores_in_halves(
    memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int
) -> Sixteen:
    a0, a1, a2 = _split_quarters(memory, rows, j, inputs, h0, h1, h2, h3, stride, 0)
    b0, b1, b2 = _split_quarters(memory, rows, j, inputs, h0, h1, h2, h3, stride, PART)
    return sums_over_quarters(join_halves(a0, b0), join_halves(a1, b1), join_halves(a2, b2), splat(np.float32(0)))


split_scores = _split_scores if has_long_registers() else _split_scores_in_halves
"""``split_scores(memory, rows, j, inputs, h0, h1, h2, h3, stride)``: the scores of three split rows, see ``run_tile``,
as in ``scores_4x4``; those of a fourth are 0."""


@kernel(inline=True)
def update_split_row(
    memory: np.ndarray, early: int, late: int, q: int, gradients: np.ndarray, k: int, x0: Part, x1: Part,
    x2: Part, x3: Part, a0: Part, a1: Part, a2: Part, a3: Part,
) -> tuple[Part, Part, Part, Part]:  # fmt: skip
    """``update_row`` for the split row of the row at ``early``, of the inputs up to ``q``, and that at ``late``."""
    g0, g1 = splat_part(gradients[k]), splat_part(gradients[k + 1])
    g2, g3 = splat_part(gradients[k + 2]), splat_part(gradients[k + 3])
    n = load_part(memory, early)
    a0, moved = multiply_add(g0, n, a0), multiply_add(g0, x0, n)
    if q >= 1:
        a1, moved = multiply_add(g1, n, a1), multiply_add(g1, x1, moved)
    if q >= 2:
        a2, moved = multiply_add(g2, n, a2), multiply_add(g2, x2, moved)
    store(memory, early, moved)
    n = load_part(memory, late)
    a3, moved = multiply_add(g3, n, a3), multiply_add(g3, x3, n)
    if q < 2:
        a2, moved = multiply_add(g2, n, a2), multiply_add(g2, x2, moved)
    if q < 1:
        a1, moved = multiply_add(g1, n, a1), multiply_add(g1, x1, moved)
    store(memory, late, moved)
    return a0, a1, a2, a3


@kernel(inline=True)
def run_tile(
    memory: np.ndarray, tile: Tile, count: int, split: bool, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int,
    stride: int, parts: int,
) -> None:  # fmt: skip
    """Compute scores, gradients and updates of one tile whose ``count`` rows (padded to a multiple of four), weights
    and targets are set.

    The step is taken in ``parts`` equal parts, each with scores of its own, since a single long step overshoots: pairs
    trained one after another would never take it. See ``step_parts``. The rows ``tile.ahead`` are prefetched meanwhile.

    Args:
        split: Whether three split rows follow, ``count`` being a multiple of four. A split row consists of two rows,
            which take the multiplications of one: row ``count`` + q of the inputs t <= q, and row ``count`` + 3 + q of
            the others. Its pairs are those of row ``count`` + q.
    """
    rows, gradients, first = tile.rows, tile.gradients, 4 * count
    for _ in range(parts):
        for j in range(0, count, TILE):
            store(tile.scores, 4 * j, scores_4x4(memory, rows, j, inputs, h0, h1, h2, h3, stride))
        if split:
            store(tile.scores, first, split_scores(memory, rows, count, inputs, h0, h1, h2, h3, stride))
        set_tile_gradients(tile, first + (12 if split else 0), parts)
        for d in range(0, stride, PART):
            prefetch_columns(memory, tile.ahead, d)
            x0, x1, x2, x3 = load_inputs(inputs, h0, h1, h2, h3, d)
            a0, a1, a2, a3 = update_rows(memory, rows, count, gradients, x0, x1, x2, x3, d)
            if split:
                a0, a1, a2, a3 = update_split_row(
                    memory, rows[count] + d, rows[count + 3] + d, 0, gradients, first, x0, x1, x2, x3, a0, a1, a2, a3
                )
                a0, a1, a2, a3 = update_split_row(
                    memory, rows[count + 1] + d, rows[count + 4] + d, 1, gradients, first + 4, x0, x1, x2, x3,
                    a0, a1, a2, a3,
                )  # fmt: skip
                a0, a1, a2, a3 = update_split_row(
                    memory, rows[count + 2] + d, rows[count + 5] + d, 2, gradients, first + 8, x0, x1, x2, x3,
                    a0, a1, a2, a3,
                )  # fmt: skip
            change_inputs(inputs, h0, h1, h2, h3, d, a0, a1, a2, a3)


@kernel(inline=True)
def own_scores(
    memory: np.ndarray, rows: np.ndarray, j: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int
) -> Sixteen:
    """Return row j + t . input t in lane t, for t in 0..3, and 0 in the others; arguments as in ``scores_4x4``."""
    p0, p1, p2, p3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
    zero = a0 = a1 = a2 = a3 = splat(np.float32(0))
    for d in range(0, stride, 16):
        a0 = multiply_add(load(memory, p0 + d), load(inputs, h0 + d), a0)
        a1 = multiply_add(load(memory, p1 + d), load(inputs, h1 + d), a1)
        a2 = multiply_add(load(memory, p2 + d), load(inputs, h2 + d), a2)
        a3 = multiply_add(load(memory, p3 + d), load(inputs, h3 + d), a3)
    return sums_over_quarters(sums_of_quarters(a0, a1, a2, a3), zero, zero, zero)


@kernel(inline=True)
def update_own(memory: np.ndarray, place: int, gradients: np.ndarray, k: int, x: Part, a: Part) -> Part:
    """Update ``PART`` columns of a row of one input ``x`` by pair k; return ``a`` with the input's change added."""
    g, n = splat_part(gradients[k]), load_part(memory, place)
    store(memory, place, multiply_add(g, x, n))
    return multiply_add(g, n, a)


@kernel(inline=True)
def run_tile_with_own_rows(
    memory: np.ndarray, tile: Tile, count: int, inputs: np.ndarray, h0: int, h1: int, h2: int, h3: int, stride: int,
    parts: int,
) -> None:  # fmt: skip
    """Like ``run_tile``, with one more row for each input, row ``count`` + t only for input t, after the rows of all.

    ``count`` is a multiple of four; pair (``count`` + t, t) is at 4 * ``count`` + t, and the next twelve are zero. As
    rows of all inputs, these would take four times the multiplications.
    """
    rows, gradients, first = tile.rows, tile.gradients, 4 * count
    for _ in range(parts):
        for j in range(0, count, TILE):
            store(tile.scores, 4 * j, scores_4x4(memory, rows, j, inputs, h0, h1, h2, h3, stride))
        store(tile.scores, first, own_scores(memory, rows, count, inputs, h0, h1, h2, h3, stride))
        set_tile_gradients(tile, first + 4, parts)
        for d in range(0, stride, PART):
            prefetch_columns(memory, tile.ahead, d)
            x0, x1, x2, x3 = load_inputs(inputs, h0, h1, h2, h3, d)
            a0, a1, a2, a3 = update_rows(memory, rows, count, gradients, x0, x1, x2, x3, d)
            a0 = update_own(memory, rows[count] + d, gradients, first, x0, a0)
            a1 = update_own(memory, rows[count + 1] + d, gradients, first + 1, x1, a1)
            a2 = update_own(memory, rows[count + 2] + d, gradients, first + 2, x2, a2)
            a3 = update_own(memory, rows[count + 3] + d, gradients, first + 3, x3, a3)
            change_inputs(inputs, h0, h1, h2, h3, d, a0, a1, a2, a3)


LOSS_TILES, LOSS_SUM, LOSS_PAIRS, LOSS_SQUARES, PAIR_SQUARES, LOSS_TIMES_PAIRS = range(6)
"""Indices of the sums from which the mean loss per pair and its standard error are computed."""


@kernel(inline=True)
def add_loss(loss_sums: np.ndarray, tile: Tile, count: int, rate: np.float32) -> None:
    """Add the tile's weighted loss: -log sigmoid(x) for a positive pair, -log sigmoid(-x) for a negative one.

    Weights and targets include the learning ``rate`` and are divided by it, so that ``loss_sums`` (6,), float64,
    updated in place, is in nats and pairs.
    """
    loss = pairs = np.float64(0)
    for k in range(4 * count):
        weight, target, x = np.float64(tile.weights[k]), np.float64(tile.targets[k]), np.float64(tile.scores[k])
        loss += weight * (max(x, 0.0) + np.log1p(np.exp(-abs(x)))) - target * x
        pairs += target
    loss, pairs = loss / rate, pairs / rate
    loss_sums[LOSS_TILES] += 1.0
    loss_sums[LOSS_SUM] += loss
    loss_sums[LOSS_PAIRS] += pairs
    loss_sums[LOSS_SQUARES] += loss * loss
    loss_sums[PAIR_SQUARES] += pairs * pairs
    loss_sums[LOSS_TIMES_PAIRS] += loss * pairs
