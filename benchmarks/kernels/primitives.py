"""Are explicit SIMD primitives worthwhile? The training tile, compared with plain Numba loops.

    python -m benchmarks.kernels.primitives

runs the step of ``wordvec.kernels.tile`` (four inputs against 28 rows, in a table that fits the cache and in one that
does not) as in training, with explicit vectors of sixteen floats, and as plain loops with reassociation allowed, which
LLVM vectorizes. Both alternate; results are in GFLOP/s and as fractions of this core's peak.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median

import click
import numpy as np

from benchmarks.harness.machine import peak_gflops
from benchmarks.harness.measuring import Row, Run, compare, table
from wordvec.kernels.simd import kernel
from wordvec.kernels.tile import TILE, Tile, run_tile

ROWS = 28
FLOPS = 3 * 2 * TILE * ROWS  # scores, rows, inputs; times the stride


@kernel
def vectors_tiles(memory, tile, places, inputs, stride):
    """Run every tile of ``places`` (N, ROWS) against four ``inputs`` (N, 4)."""
    for n in range(places.shape[0]):
        for j in range(ROWS):
            tile.rows[j] = places[n, j]
        run_tile(memory, tile, ROWS, False, memory, inputs[n, 0], inputs[n, 1], inputs[n, 2], inputs[n, 3], stride, 1)


@kernel(fastmath={"reassoc", "contract"})
def plain_scores(memory, tile, rows, inputs, stride):
    for j in range(ROWS):
        row = memory[rows[j] : rows[j] + stride]
        for t in range(TILE):
            h = memory[inputs[t] : inputs[t] + stride]
            score = np.float32(0)
            for d in range(stride):
                score += row[d] * h[d]
            tile.scores[TILE * j + t] = score


@kernel(fastmath={"reassoc", "contract"})
def plain_update(memory, tile, rows, inputs, stride):
    moved = tile.hidden
    for d in range(TILE * stride):
        moved[d] = np.float32(0)
    x0, x1 = memory[inputs[0] : inputs[0] + stride], memory[inputs[1] : inputs[1] + stride]
    x2, x3 = memory[inputs[2] : inputs[2] + stride], memory[inputs[3] : inputs[3] + stride]
    m0, m1 = moved[:stride], moved[stride : 2 * stride]
    m2, m3 = moved[2 * stride : 3 * stride], moved[3 * stride : 4 * stride]
    for j in range(ROWS):
        g0, g1 = tile.gradients[4 * j], tile.gradients[4 * j + 1]
        g2, g3 = tile.gradients[4 * j + 2], tile.gradients[4 * j + 3]
        row = memory[rows[j] : rows[j] + stride]
        for d in range(stride):
            n = row[d]
            m0[d] += g0 * n
            m1[d] += g1 * n
            m2[d] += g2 * n
            m3[d] += g3 * n
            row[d] = n + g0 * x0[d] + g1 * x1[d] + g2 * x2[d] + g3 * x3[d]
    for t in range(TILE):
        h, m = memory[inputs[t] : inputs[t] + stride], moved[t * stride : (t + 1) * stride]
        for d in range(stride):
            h[d] += m[d]


@kernel
def plain_tiles(memory, tile, places, inputs, stride):
    for n in range(places.shape[0]):
        plain_scores(memory, tile, places[n], inputs[n], stride)
        for k in range(TILE * ROWS):
            sigmoid = np.float32(1) / (np.float32(1) + np.exp(-tile.scores[k]))
            tile.gradients[k] = tile.targets[k] - tile.weights[k] * sigmoid
        plain_update(memory, tile, places[n], inputs[n], stride)


def measure(run, memory: np.ndarray, tile: Tile, places: np.ndarray, inputs: np.ndarray, stride: int) -> float:
    """Return GFLOP/s, counting only the matrix products."""
    start = time.perf_counter()
    run(memory, tile, places, inputs, stride)
    return places.shape[0] * FLOPS * stride / (time.perf_counter() - start) / 1e9


def compare_forms(vector_size: int, repeats: int, count: int) -> Iterator[Row]:
    """Compare both implementations on a table of ``count`` rows."""
    random = np.random.default_rng(1)
    stride = -(-vector_size // 16) * 16
    peak = peak_gflops(1)
    memory = random.standard_normal(count * stride, np.float32) * np.float32(0.1)
    size = 4 * ROWS
    tile = Tile(
        rows=np.zeros(ROWS, np.int64), ahead=np.zeros(0, np.int64),
        weights=np.full(size, 1e-4, np.float32), targets=np.zeros(size, np.float32),
        scores=np.zeros(size, np.float32), gradients=np.zeros(size, np.float32),
        pair_weights=np.zeros(16, np.float32), window_weights=np.zeros(size, np.float32),
        contexts=np.zeros(4, np.float32), hidden=np.zeros(8 * stride, np.float32),
        slot_of_row=np.zeros(0, np.int32), marked=np.zeros((2, 1), np.uint32), merging=np.zeros((5, 1), np.uint32),
    )  # fmt: skip
    places = random.integers(0, count, (20_000, ROWS)) * stride
    inputs = random.integers(0, count, (len(places), TILE)) * stride
    for form in (vectors_tiles, plain_tiles):
        measure(form, memory, tile, places[:2], inputs[:2], stride)
    vectors, plain = (
        partial(measure, run, memory, tile, places, inputs, stride) for run in (vectors_tiles, plain_tiles)
    )
    case = f"d{vector_size}, 4 inputs x {ROWS} of {count:,} rows"
    for row in compare(case, "GFLOP/s", {"": vectors}, {"plain loops": plain}, repeats):
        shares = [median(each) / peak for each in (row.ours, row.theirs)]
        yield replace(row, note=f"{shares[0]:.0%} of peak, plain loops {shares[1]:.0%}")


def rows(run: Run) -> Iterator[Row]:
    for size in run.pick((100,), (100, 300)):
        for count in (1_000, 100_000):
            yield from compare_forms(size, run.repeats, count)


@click.command()
@click.option("--vector-size", default=100, show_default=True)
@click.option("--repeats", default=5, show_default=True)
def main(vector_size: int, repeats: int) -> None:
    """Compare both implementations on 1,000 and on 100,000 rows."""
    found = [row for count in (1_000, 100_000) for row in compare_forms(vector_size, repeats, count)]
    click.echo("\n".join(table(found)))


if __name__ == "__main__":
    main()
