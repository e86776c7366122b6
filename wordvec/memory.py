"""The arrays training works in: one memory of rows, the lanes' buffers, the threads' scratch."""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.encoded import EncodedCorpus
from wordvec.settings import TILE, Word2VecSettings

if TYPE_CHECKING:
    from wordvec.kernels.slices import Lane
    from wordvec.kernels.tile import Tile


def safe_lanes(kept_counts: np.ndarray, settings: Word2VecSettings) -> int:
    """Lanes that a vocabulary bears: ``settings.lanes``, fewer where few types make up the text.

    Lanes do not see each other's steps within a round. When a round holds many tokens for each type, all lanes push the
    same rows from the same snapshot, and the sum of their steps overshoots until it is no number any more. What counts
    is how many types there are in effect, 1 / sum(share^2). Measured on uniform, generated and Wikipedia text, with and
    without subsampling: up to 3 tokens a round for each, the loss is that of one lane; at 10 it is not; at 20 it
    diverges.

    Example:
        >>> safe_lanes(np.ones(100), Word2VecSettings()), safe_lanes(np.ones(1000), Word2VecSettings())
        (2, 8)
    """
    share = kept_counts / kept_counts.sum()
    effective_types = 1 / np.square(share).sum()
    return int(np.clip(3 * effective_types // settings.lane_tokens, 1, settings.lanes))


def first_memory(types: int, size: int, stride: int, private_rows: int, seed: int) -> np.ndarray:
    """(all rows * stride,) float32: the table, then the lanes' private rows.

    Input rows uniform in -1/(2D) .. 1/(2D) as in word2vec.c, output rows and private rows zero.
    """
    memory = aligned((2 * types + private_rows) * stride, np.float32)
    rows = memory.reshape(-1, stride)
    random = np.random.Generator(np.random.PCG64([seed, 2]))
    rows[:types, :size] = (random.random((types, size), np.float32) - np.float32(0.5)) / np.float32(size)
    return memory


def lane_bounds(corpus: EncodedCorpus, lanes: int) -> np.ndarray:
    """(L + 1,) int64: lanes of about the same number of tokens. A border may cut a window."""
    return np.linspace(0, len(corpus.ids), lanes + 1).astype(np.int64)


def allocate(settings: Word2VecSettings, lanes: int, threads: int, stride: int, types: int) -> tuple["Lane", "Tile"]:
    """The lanes' buffers and the threads' scratch, no two on one cache line."""
    from wordvec.kernels.slices import STATE, Lane
    from wordvec.kernels.tile import Tile

    shared, buffer, draws = settings.shared_negatives or 0, buffer_size(settings), draws_size(settings)
    reproducible = settings.mode == "reproducible"
    rows = touched_rows(settings) if reproducible else 1
    # A tile's rows: its negatives, and all places that four windows reach.
    in_tile = shared + 2 * settings.window + 3 * TILE
    ahead = settings.fresh_negatives + 2 * TILE

    def block(count: int, size: int, dtype: type) -> np.ndarray:
        padded = -(-size * np.dtype(dtype).itemsize // 64) * 64 // np.dtype(dtype).itemsize
        return aligned(count * padded, dtype).reshape(count, padded)

    lane_arrays = Lane(
        state=block(lanes, STATE, np.int64),
        loss=block(lanes, 6, np.float64),
        token_ids=block(lanes, buffer, np.int32),
        positions=block(lanes, buffer, np.int64),
        sentences=block(lanes, buffer, np.int64),
        left=block(lanes, buffer, np.int64),
        right=block(lanes, buffer, np.int64),
        input_places=block(lanes, buffer, np.int64),
        output_places=block(lanes, buffer, np.int64),
        negative_ids=block(lanes, draws, np.int32),
        negative_places=block(lanes, draws, np.int64),
        touched=block(lanes, rows, np.int64),
        places=block(lanes, rows, np.int64),
        copied=block(lanes, rows, np.int64),
    )
    tile_arrays = Tile(
        rows=block(threads, in_tile, np.int64),
        ahead=aligned(threads * ahead, np.int64).reshape(threads, ahead),
        weights=block(threads, 4 * in_tile, np.float32),
        targets=block(threads, 4 * in_tile, np.float32),
        scores=block(threads, 4 * in_tile, np.float32),
        gradients=block(threads, 4 * in_tile, np.float32),
        pair_weights=block(threads, 16, np.float32),
        hidden=block(threads, 8 * stride, np.float32),
        slot_of_row=block(threads, 2 * types if reproducible else 1, np.int32),
    )
    tile_arrays.slot_of_row[:] = -1
    return lane_arrays, tile_arrays


def user_counts(types: int, threads: int) -> np.ndarray:
    """(2, threads, 2 V) uint8 zeros: for odd and even rounds how many of a thread's lanes touch a row."""
    size = -(-2 * types // 64) * 64
    return aligned(2 * threads * size, np.uint8).reshape(2, threads, size)


def buffer_size(settings: Word2VecSettings) -> int:
    """Tokens of a slice, and what the one before leaves: centres that wait for their window, and a window before."""
    return settings.lane_tokens + 4 * settings.window + 4 * TILE


def draws_size(settings: Word2VecSettings) -> int:
    """Negatives of a slice."""
    return (settings.shared_negatives or 0) + (buffer_size(settings) // TILE + 1) * settings.fresh_negatives


def touched_rows(settings: Word2VecSettings) -> int:
    """Rows that a slice may touch, at most."""
    return 2 * buffer_size(settings) + draws_size(settings)


def aligned(size: int, dtype: type) -> np.ndarray:
    """(size,) zeros that start on a cache line."""
    itemsize = np.dtype(dtype).itemsize
    memory: np.ndarray = np.zeros(size + 64 // itemsize, dtype)
    start = -memory.ctypes.data % 64 // itemsize
    return memory[start : start + size]
