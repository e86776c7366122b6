"""The arrays training works in: one memory of rows, the lanes' buffers, the threads' scratch."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import TrainingError
from wordvec.system.aligned_arrays import aligned, row_stride
from wordvec.system.available_memory import available_memory
from wordvec.system.threads import worker_count
from wordvec.word2vec.settings import TILE, Word2VecSettings

if TYPE_CHECKING:
    from wordvec.kernels.slices import Lane
    from wordvec.kernels.tile import Tile


LONGEST_PATH = 40
"""Nodes on the way down a Huffman tree, as long as counts are not known: more take a corpus of 2 x 10^8 tokens."""

_WORD = 160
"""Bytes a word takes as Python holds it: the string, its place in the list and in the dictionary, its number."""

_SAMPLING = 56
"""Bytes a word takes while noise and keep tables are made, of which 16 stay."""


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


_DRAWN = 4096
"""Rows drawn at a time."""


def first_memory(
    types: int, size: int, stride: int, private_rows: int, seed: int, first_range: float = 0.5
) -> np.ndarray:
    """(all rows * stride,) float32: the table, then the lanes' private rows.

    Input rows uniform in -range/D .. range/D, output rows and private rows zero.
    """
    memory = aligned((2 * types + private_rows) * stride, np.float32)
    rows = memory.reshape(-1, stride)
    random = np.random.Generator(np.random.PCG64([seed, 2]))
    for start in range(0, types, _DRAWN):  # a part at a time: what is drawn is in memory twice
        part = rows[start : min(start + _DRAWN, types), :size]
        part[:] = (random.random(part.shape, np.float32) - np.float32(0.5)) * np.float32(2 * first_range)
        part /= np.float32(size)
    return memory


def lane_bounds(corpus: EncodedCorpus, lanes: int) -> np.ndarray:
    """(L + 1,) int64: lanes of about the same number of tokens. A border may cut a window."""
    return np.linspace(0, len(corpus.ids), lanes + 1).astype(np.int64)


class Sizes(NamedTuple):
    """How long the buffers are."""

    buffer: int
    """Tokens of a slice, and what the one before leaves: centres that wait for their window, and a window before."""
    outputs: int
    """Places in a slice's stream of output rows: negatives, nodes of paths, or all words."""
    touched: int
    """Rows that a slice may touch."""
    tile: int
    """Rows of a tile, and some that round their number up."""
    ahead: int
    """Rows that are fetched while a tile is trained."""


def sizes_of(settings: Word2VecSettings, types: int, longest_path: int = LONGEST_PATH) -> Sizes:
    window, negatives = settings.window, settings.negatives
    buffer = settings.lane_tokens + 4 * window + 4 * TILE
    shared, new = settings.shared_negatives or 0, settings.negatives_per_tile
    if settings.loss == "softmax":
        outputs, tile, ahead = types, max(types, 2 * window + TILE) + 2 * TILE, 0
    elif settings.loss == "hierarchical":
        outputs, tile, ahead = (buffer + 1) * longest_path, longest_path + 4 * TILE, 2 * TILE
    elif settings.fresh_negatives:
        pairs = 2 * window if settings.model == "skipgram" else 1
        outputs, tile, ahead = (pairs * buffer + 3) * negatives, negatives + 1 + 4 * TILE, negatives + 2
    else:
        outputs = shared + (buffer // TILE + 1) * new
        # The shared negatives, and all places that four windows reach.
        tile, ahead = shared + 2 * window + 3 * TILE, new + 2 * TILE
    return Sizes(buffer, outputs, 2 * buffer + min(outputs, types), tile, ahead)


def allocate(
    settings: Word2VecSettings, sizes: Sizes, lanes: int, threads: int, stride: int, types: int
) -> tuple["Lane", "Tile"]:
    """The lanes' buffers and the threads' scratch, no two on one cache line."""
    from wordvec.kernels.slices import STATE, Lane
    from wordvec.kernels.tile import Tile

    buffer, in_tile, ahead = sizes.buffer, sizes.tile, sizes.ahead
    reproducible = settings.mode == "reproducible"
    rows = sizes.touched if reproducible else 1

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
        negative_ids=block(lanes, sizes.outputs, np.int32),
        negative_places=block(lanes, sizes.outputs, np.int64),
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
        pair_weights=block(threads, 48, np.float32),
        window_weights=block(threads, 4 * in_tile, np.float32),
        contexts=block(threads, TILE, np.float32),
        hidden=block(threads, 8 * stride, np.float32),
        slot_of_row=block(threads, 2 * types if reproducible else 1, np.int32),
    )
    tile_arrays.slot_of_row[:] = -1
    return lane_arrays, tile_arrays


def user_counts(types: int, threads: int) -> np.ndarray:
    """(2, threads, 2 V) uint8 zeros: for odd and even rounds how many of a thread's lanes touch a row."""
    size = -(-2 * types // 64) * 64
    return aligned(2 * threads * size, np.uint8).reshape(2, threads, size)


def estimate_memory(
    settings: Word2VecSettings, types: int, threads: int | None = None, *, keeps_best: bool = False
) -> dict[str, int]:
    """Bytes that training takes at its peak, by what they are for; the encoded corpus stays on disk.

    Args:
        settings: as for ``train_word2vec``.
        types: words in the vocabulary.
        threads: as for ``train_word2vec``.
        keeps_best: whether vectors are evaluated, or training may stop early: a second table, and copies to look at.

    Raises:
        InputError: settings or threads out of range.

    Example:
        >>> parts = estimate_memory(Word2VecSettings(vector_size=300), 10_000_000, threads=1)
        >>> round(parts["vectors"] / 1e9, 1), round(sum(parts.values()) / 1e9, 1)
        (24.3, 26.6)
    """
    settings, threads = settings.resolved(), worker_count(threads)
    reproducible = settings.mode == "reproducible"
    lanes = settings.lanes if reproducible else threads
    row = 4 * row_stride(settings.vector_size)
    sizes = sizes_of(settings, types)
    lane_arrays, tile_arrays = allocate(settings, sizes, lanes, threads, row_stride(settings.vector_size), types=1)
    private = lanes * (1 + sizes.touched) * row if reproducible else lanes * row
    of_types = threads * 2 * types * (4 + 2) if reproducible else threads * 2 * types * 2
    return {
        "vectors": 2 * types * row,
        "best epoch": 2 * types * row + 3 * 4 * types * settings.vector_size if keeps_best else 0,
        "vocabulary": _WORD * types,
        "sampling": _SAMPLING * types,
        "lanes": private + sum(array.nbytes for array in lane_arrays),
        "threads": of_types + sum(array.nbytes for array in tile_arrays),
    }


def check_memory(
    settings: Word2VecSettings, types: int, threads: int | None, *, keeps_best: bool = False
) -> dict[str, int]:
    """The estimate for a vocabulary that is in memory already, if there is room for the rest.

    Raises:
        TrainingError: there is not; the message says what would help.
    """
    parts = estimate_memory(settings, types, threads, keeps_best=keeps_best)
    free = available_memory()
    needed = sum(parts.values()) - parts["vocabulary"]
    if free is not None and needed > free:
        share = free / needed
        largest, size = max(2, int(share * types)), max(1, int(share * settings.vector_size))
        raise TrainingError(
            f"training {types:,} words x {settings.vector_size} needs {_bytes(needed)} of memory, "
            f"{_bytes(free)} are free; "
            + ("leave out the evaluation and early stopping, " if keeps_best else "")
            + f"raise min_count, or set max_vocabulary to {largest:,} or vector_size to {size} at most"
        )
    return parts


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
