"""GloVe training data: counts sorted into blocks, the block schedule, and the initial tables."""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.system.aligned_arrays import aligned, row_stride

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from wordvec.count_based.settings import GloveSettings
    from wordvec.kernels.glove import Cells

GROUP_ROWS = 4096
"""Rows per group of bands, which fit in the cache with their contexts."""

SPLIT = 4
"""Bands per group: at least this many threads find a block each."""

MOST_GROUPS = 64
"""Maximum number of groups, whose rows grow instead, unless a band would exceed MOST_ROWS."""

MOST_ROWS = 1 << 16
"""Maximum number of rows per band, since their indices are 16-bit."""

_FIXED = 1e30
"""A sum of squared gradients so large that the parameter no longer moves."""

_PIECE = 1 << 20
"""Values processed at a time."""

_DRAWN = 4096
"""Rows initialized at a time."""


def band_bounds(types: int) -> np.ndarray:
    """Return (bands + 1,) int64: the first word of each band, and the number of words.

    Bands come in groups of SPLIT, all with about equal numbers of consecutive words; with few words, some are empty.
    Bands with equal numbers of cells would make threads wait less, but their vectors score lower on wiki8.
    """
    groups = min(-(-types // GROUP_ROWS), MOST_GROUPS)
    bands = max(SPLIT * groups, SPLIT * -(-types // (SPLIT * MOST_ROWS)))
    return np.linspace(0, types, bands + 1).astype(np.int64)


def schedule_of(bands: int) -> np.ndarray:
    """Return (bands^2, 3) int64: row band, column band and turn of each block, in processing order.

    Each group of row bands is first paired with the group of column bands of the same number, then with the next one,
    and so on; within a pair of groups, bands are paired in the same way. Training frequent words with each other first
    scores higher on wiki8 than bands that are random samples of the words.
    """
    groups = bands // SPLIT
    outer, group, inner, band = np.indices((groups, groups, SPLIT, SPLIT)).reshape(4, -1)
    rows, columns = group * SPLIT + band, (group + outer) % groups * SPLIT + (band + inner) % SPLIT
    return np.column_stack([rows, columns, outer * SPLIT + inner]).astype(np.int64)


def sorted_cells(counts: "csr_array", bounds: np.ndarray, settings: "GloveSettings") -> "Cells":
    """Return the counts sorted by block, then by word, in a word order drawn from the seed."""
    from wordvec.kernels.glove import Cells, count_cells, sort_cells

    bands = len(bounds) - 1
    band_of = np.repeat(np.arange(bands), np.diff(bounds))
    sizes = np.zeros(bands * bands + 1, np.int64)
    indptr, indices = np.asarray(counts.indptr, np.int64), np.asarray(counts.indices, np.int32)
    data = np.asarray(counts.data, np.float32)
    count_cells(indptr, indices, band_of, bands, sizes)
    cells = Cells(
        rows=np.empty(counts.nnz, np.uint16),
        columns=np.empty(counts.nnz, np.uint16),
        log_counts=np.ones(counts.nnz + 16, np.float32),
        weights=np.zeros(counts.nnz + 16, np.float32),
        starts=np.cumsum(sizes),
    )
    order = np.random.Generator(np.random.PCG64([settings.seed, 4])).permutation(len(band_of))
    sort_cells(indptr, indices, data, band_of, bounds, order, cells.starts[:-1].copy(), cells)
    for start in range(0, counts.nnz, _PIECE):
        piece = cells.log_counts[start : start + _PIECE]
        weights = (piece / np.float32(settings.x_max)) ** np.float32(settings.alpha)
        cells.weights[start : start + _PIECE] = np.minimum(weights, 1)
        np.log(piece, out=piece)
    return cells


def first_tables(types: int, settings: "GloveSettings") -> np.ndarray:
    """Return (2, V * 2 * stride) float32: the initial word and context tables.

    Vectors and biases are uniform in -0.5/D .. 0.5/D, sums of squared gradients 1, as in the authors' program.
    """
    size = settings.vector_size
    stride = row_stride(size + 2)
    flat = aligned(2 * types * 2 * stride, np.float32).reshape(2, -1)
    random = np.random.Generator(np.random.PCG64([settings.seed, 3]))
    for side, table in enumerate(flat.reshape(2, types, 2, stride)):
        for start in range(0, types, _DRAWN):  # in parts, since the random numbers take as much memory again
            part = table[start : start + _DRAWN]
            drawn = (random.random((len(part), size + 1), np.float32) - np.float32(0.5)) / np.float32(size)
            part[:, 0, :size], part[:, 0, size + side] = drawn[:, :size], drawn[:, size]
        table[:, 1] = 1
        table[:, 0, size + 1 - side], table[:, 1, size + 1 - side] = 1, _FIXED
    return flat
