"""GloVe (Pennington et al. 2014, eq. 8), trained block by block with AdaGrad (Duchi et al. 2011).

    loss = 1/2 f(x) (w . c + b_w + b_c - log x)^2        f(x) = min(1, (x / x_max)^alpha)

A cell is the count x of a word and a context. Rows and columns are split into bands, and so the cells into blocks. In
each turn every row band is paired with a different column band, and in an epoch with all of them: the blocks of a turn
share no row and no column. A block waits only for its predecessors in its row band and in its column band. So every row
and every column sees its cells in a fixed order, whichever threads train them.

Up to four consecutive cells of a word are scored together and take their gradients at the same point.

A gradient is added to the sum of squares before its own step, as in the AdaGrad paper and unlike the authors' program;
this limits the step length to 2 and prevents divergence.

A table row is two times ``stride`` floats: the vector, then the sums of its squared gradients. A word's vector is
followed by its bias and a 1, a context's by a 1 and its bias, so the dot product includes both biases. The sum of
squares of each 1 is so large that it never changes.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.simd import (
    Int,
    Sixteen,
    add,
    atomic_add,
    atomic_read,
    kernel,
    load,
    multiply,
    multiply_add,
    reciprocal_square_root,
    splat,
    store,
    subtract,
    sums,
    yield_processor,
)

STOP, NEXT, TURNS = 0, 8, 16
"""Indices in ``control``, each on its own cache line: stop request (1); number of blocks taken; from there on, the
turns completed by each row band, then by each column band."""

LINE = 8

TOGETHER = 4
"""Maximum number of cells scored together."""

SPINS = 100_000
"""Spins of a waiting thread before it yields its processor."""


class Cells(NamedTuple):
    """Counts in training order: block by block, and within a block word by word."""

    rows: np.ndarray  # (cells,) uint16, row within the band
    columns: np.ndarray  # (cells,) uint16, column within the band
    log_counts: np.ndarray  # (cells + 16,) float32
    weights: np.ndarray  # (cells + 16,) float32, f(x)
    starts: np.ndarray  # (bands^2 + 1,) int64, start of each (row band, column band) block


@kernel
def count_cells(indptr: np.ndarray, columns: np.ndarray, band_of: np.ndarray, bands: int, sizes: np.ndarray) -> None:
    """Add the number of cells of each block to ``sizes[1:]`` (bands^2,)."""
    for w in range(indptr.size - 1):
        first = 1 + band_of[w] * bands
        for k in range(indptr[w], indptr[w + 1]):
            sizes[first + band_of[columns[k]]] += 1


@kernel
def sort_cells(
    indptr: np.ndarray, columns: np.ndarray, counts: np.ndarray, band_of: np.ndarray, bounds: np.ndarray,
    order: np.ndarray, filled: np.ndarray, cells: Cells,
) -> None:  # fmt: skip
    """Store the raw counts in ``cells.log_counts``, block by block, words in the order ``order``.

    Args:
        indptr, columns, counts: the matrix in CSR format.
        band_of: (V,) int64, the band of each word; bounds, (bands + 1,) int64, the first word of each band.
        filled: (bands^2,) int64, start of each block; overwritten with its end.
    """
    for w in order:
        band = band_of[w]
        first = band * (bounds.size - 1)
        for k in range(indptr[w], indptr[w + 1]):
            context = columns[k]
            column_band = band_of[context]
            cell = filled[first + column_band]
            filled[first + column_band] = cell + 1
            cells.rows[cell] = w - bounds[band]
            cells.columns[cell] = context - bounds[column_band]
            cells.log_counts[cell] = counts[k]


@kernel(inline=True)
def move(table: np.ndarray, at: Int, stride: int, numbers: Sixteen, gradient: Sixteen) -> None:
    """Apply one AdaGrad step to the sixteen parameters at ``at``."""
    squares = multiply_add(gradient, gradient, load(table, at + stride))
    store(table, at, subtract(numbers, multiply(gradient, reciprocal_square_root(squares))))
    store(table, at + stride, squares)


@kernel(inline=True)
def train_cell(
    words: np.ndarray, contexts: np.ndarray, word: Int, context: Int, stride: int, log_count: np.float32,
    weight: np.float32, rate: np.float32, scratch: np.ndarray,
) -> np.float32:  # fmt: skip
    """Train one cell; return twice its loss."""
    dot = splat(np.float32(0))
    for d in range(0, stride, 16):
        dot = multiply_add(load(words, word + d), load(contexts, context + d), dot)
    dot = sums(dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot, dot)
    miss = subtract(dot, splat(log_count))
    pull = multiply(miss, splat(weight))
    store(scratch, 0, multiply(pull, miss))
    pull = multiply(pull, splat(rate))
    for d in range(0, stride, 16):
        w, c = load(words, word + d), load(contexts, context + d)
        move(words, word + d, stride, w, multiply(pull, c))
        move(contexts, context + d, stride, c, multiply(pull, w))
    loss: np.float32 = scratch[0]
    return loss


@kernel(inline=True)
def train_four(
    words: np.ndarray, contexts: np.ndarray, word: Int, a: Int, b: Int, c: Int, d: Int, stride: int,
    log_counts: Sixteen, weights: Sixteen, rate: np.float32, scratch: np.ndarray,
) -> np.float32:  # fmt: skip
    """Train four cells of one word with the contexts at a, b, c and d; return twice their loss."""
    dot_a = dot_b = dot_c = dot_d = splat(np.float32(0))
    for k in range(0, stride, 16):
        w = load(words, word + k)
        dot_a = multiply_add(w, load(contexts, a + k), dot_a)
        dot_b = multiply_add(w, load(contexts, b + k), dot_b)
        dot_c = multiply_add(w, load(contexts, c + k), dot_c)
        dot_d = multiply_add(w, load(contexts, d + k), dot_d)
    dots = sums(
        dot_a, dot_b, dot_c, dot_d, dot_a, dot_b, dot_c, dot_d, dot_a, dot_b, dot_c, dot_d, dot_a, dot_b, dot_c, dot_d
    )
    miss = subtract(dots, log_counts)
    pull = multiply(miss, weights)
    store(scratch, 0, multiply(pull, splat(rate)))
    store(scratch, 16, multiply(pull, miss))
    pull_a, pull_b, pull_c, pull_d = splat(scratch[0]), splat(scratch[1]), splat(scratch[2]), splat(scratch[3])
    for k in range(0, stride, 16):
        w, squares = load(words, word + k), load(words, word + stride + k)
        at_a, at_b, at_c, at_d = (
            load(contexts, a + k), load(contexts, b + k), load(contexts, c + k), load(contexts, d + k)
        )  # fmt: skip
        gradient = multiply(pull_a, at_a)
        total, squares = gradient, multiply_add(gradient, gradient, squares)
        gradient = multiply(pull_b, at_b)
        total, squares = add(total, gradient), multiply_add(gradient, gradient, squares)
        gradient = multiply(pull_c, at_c)
        total, squares = add(total, gradient), multiply_add(gradient, gradient, squares)
        gradient = multiply(pull_d, at_d)
        total, squares = add(total, gradient), multiply_add(gradient, gradient, squares)
        store(words, word + k, subtract(w, multiply(total, reciprocal_square_root(squares))))
        store(words, word + stride + k, squares)
        move(contexts, a + k, stride, at_a, multiply(pull_a, w))
        move(contexts, b + k, stride, at_b, multiply(pull_b, w))
        move(contexts, c + k, stride, at_c, multiply(pull_c, w))
        move(contexts, d + k, stride, at_d, multiply(pull_d, w))
    loss: np.float32 = (scratch[16] + scratch[17]) + (scratch[18] + scratch[19])
    return loss


@kernel
def train_cells(
    words: np.ndarray, contexts: np.ndarray, cells: Cells, first: int, end: int, word_start: int, context_start: int,
    stride: int, rate: np.float32, scratch: np.ndarray,
) -> float | np.float32:  # fmt: skip
    """Train the cells ``first .. end - 1`` of one block; return the sum of their losses.

    Args:
        words, contexts: the tables, flat float32; updated in place.
        word_start, context_start: start of the bands in them.
        rate: float32.
        scratch: (32,) float32.
    """
    rows, columns, size = cells.rows, cells.columns, 2 * stride
    loss: float | np.float32 = 0.0  # float64, to sum over millions of cells
    k = first
    while k < end:
        word = word_start + np.int64(rows[k]) * size
        a = context_start + np.int64(columns[k]) * size
        if k + TOGETHER <= end and rows[k + TOGETHER - 1] == rows[k]:
            b = context_start + np.int64(columns[k + 1]) * size
            c = context_start + np.int64(columns[k + 2]) * size
            d = context_start + np.int64(columns[k + 3]) * size
            loss += train_four(
                words, contexts, word, a, b, c, d, stride, load(cells.log_counts, k), load(cells.weights, k), rate,
                scratch,
            )  # fmt: skip
            k += TOGETHER
        else:
            loss += train_cell(
                words, contexts, word, a, stride, cells.log_counts[k], cells.weights[k], rate, scratch
            )  # fmt: skip
            k += 1
    return 0.5 * loss


@kernel(inline=True)
def wait_for_turn(control: np.ndarray, band: int, turn: int) -> None:
    """Wait until ``turn`` turns of a band are complete."""
    spins = 0
    while atomic_read(control, TURNS + band * LINE) < turn:
        spins += 1
        if spins > SPINS:
            yield_processor()


@kernel
def train_blocks(
    words: np.ndarray, contexts: np.ndarray, cells: Cells, bounds: np.ndarray, schedule: np.ndarray, stride: int,
    rate: np.float32, losses: np.ndarray, control: np.ndarray, scratch: np.ndarray,
) -> None:  # fmt: skip
    """Train blocks until the epoch is complete or a stop is requested; called once by each thread.

    Blocks are taken in order, so a block that is waited for is already being trained.

    Args:
        bounds: (bands + 1,) int64, the first row of each band, and the number of rows.
        schedule: (bands^2, 3) int64, row band, column band and turn of each block, in order.
        losses: (bands^2,) float64, output: the loss of each block, in this order.
        control: see STOP; its turns must match the blocks before NEXT.
        scratch: (32,) float32, private to the thread.
    """
    bands = bounds.size - 1
    while True:
        taken = atomic_add(control, NEXT, 1) - 1
        if taken >= len(schedule):
            return
        row_band, column_band, turn = schedule[taken, 0], schedule[taken, 1], schedule[taken, 2]
        wait_for_turn(control, row_band, turn)
        wait_for_turn(control, bands + column_band, turn)
        block = row_band * bands + column_band
        losses[taken] = train_cells(
            words, contexts, cells, cells.starts[block], cells.starts[block + 1], bounds[row_band] * 2 * stride,
            bounds[column_band] * 2 * stride, stride, rate, scratch,
        )  # fmt: skip
        atomic_add(control, TURNS + row_band * LINE, 1)
        atomic_add(control, TURNS + (bands + column_band) * LINE, 1)
        if atomic_read(control, STOP) != 0:
            return
