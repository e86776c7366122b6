"""Allocation of the training arrays: the table of rows, per-lane buffers, per-thread scratch; memory estimates."""

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import TrainingError
from wordvec.system.aligned_arrays import aligned, row_stride
from wordvec.system.available_memory import available_memory, shown_bytes
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_kind, check_whole
from wordvec.word2vec.settings import TILE, Word2VecSettings

if TYPE_CHECKING:
    from wordvec.kernels.slices import Lane
    from wordvec.kernels.subwords import Subwords
    from wordvec.kernels.tile import Tile

_log = logging.getLogger(__name__)

LONGEST_PATH = 40
"""Assumed depth of a Huffman tree while counts are unknown; a deeper tree takes a corpus of 2 x 10^8 tokens."""

_WORD = 160
"""Bytes per word in Python: the string, its list and dictionary entries, its number."""

_NGRAMS = 8
"""Assumed distinct n-grams per word; 13,700 types of Wikipedia have 6 each of 3 to 6 characters, more types fewer.
Half of their rows are merged, see ``merging.py``."""

_SAMPLING = 56
"""Peak bytes per word while the noise and keep tables are built, of which 16 remain."""


def longest_window(settings: Word2VecSettings, offsets: np.ndarray) -> int:
    """Return the largest window that differs from a smaller one: ``settings.window``, or the longest line."""
    return int(min(settings.window, np.diff(offsets).max(initial=1)))


def center_step(settings: Word2VecSettings, window: int) -> float:
    """Return the length of a center's step before the sigmoid: the learning rate times the weight of its pairs.

    Hierarchical and full softmax count like five negatives: every center moves the root of the tree, or all words.
    """
    contexts = replace(settings, window=window).context_weight if settings.model == "skipgram" else 1
    outputs = 1 + (settings.negatives if settings.loss == "negative" else 5)
    return (settings.learning_rate or 0.0) * contexts * outputs


def step_parts(settings: Word2VecSettings, window: int) -> int:
    """Return in how many parts a tile takes its step.

    A gradient step is stable while step * curvature < 2. The slope of a sigmoid is at most 1/4 and rows have norms near
    1, so a center's step must stay below 8. Half of that was stable on 300 documents with windows of 5 to 100, 5 to 100
    negatives and learning rates up to 0.1, and on 1 M tokens of Wikipedia with windows of 5 to 40.
    """
    return min(math.ceil(center_step(settings, window) / 4), _MOST_PARTS)


def safe_round(
    kept_counts: np.ndarray, settings: Word2VecSettings, window: int, subwords: "Subwords | None" = None
) -> tuple[int, int]:
    """Return the number of lanes that training supports, and the tokens of their slices: those of the settings, or
    fewer if they would overshoot.

    Lanes do not see each other's updates within a round. If a round has many tokens per type, all lanes update the same
    rows from the same snapshot, and the sum of their updates overshoots until it diverges. What matters is the
    effective number of types, 1 / sum(share^2). Measured on uniform, generated and Wikipedia text, with and without
    subsampling: with up to 3 tokens per effective type and round, the loss equals that of one lane; with 10 it does
    not; with 20 training diverges.

    Steps add up as well: with wide windows, many negatives or a high learning rate, eight lanes diverge on any text.
    Measured on 300 documents and on 1 M tokens of Wikipedia: eight are stable up to a ``center_step`` of 1.6, four up
    to 3.2, and two always, unless hierarchical softmax takes very long steps, which are not taken in parts. CBOW's
    means of wide windows are much alike, so that all lanes move them the same way: with hierarchical softmax at a
    learning rate of 0.1, eight are stable up to a window of 40, four up to 300.

    Skip-gram with flat windows and hierarchical softmax supports half of that: on 300 documents with windows of 5 at a
    rate of 0.025, eight lanes diverge, six do not.

    With ``subwords``, an update of a word also moves all words that share n-grams with it, by the share of their rows
    that it owns. The effective number of types counts that: 180 instead of 420 on 300 documents, where eight lanes
    diverge with hierarchical softmax. At the higher default learning rate, a round can have 500 tokens: four shorter
    slices rather than three, which keep two threads waiting for each other. On 1 M tokens of Wikipedia, rounds of 1,024
    tokens learn the same, and those of 2,048 diverge.

    Example:
        >>> settings = Word2VecSettings().resolved()
        >>> safe_round(np.ones(100), settings, 5), safe_round(np.ones(1000), settings, 5)
        ((2, 128), (8, 128))
    """
    share = kept_counts / kept_counts.sum()
    step = center_step(settings, window) * (1 if settings.model == "skipgram" else 1 + window / _ALIKE)
    if settings.model == "skipgram" and settings.loss == "hierarchical" and settings.window_weights == "flat":
        step *= 2
    if subwords is None:
        effective_types = 1 / np.square(share).sum()
    else:
        sizes, rows = subwords.sizes, np.diff(subwords.offsets)
        moving = np.bincount(subwords.rows, np.repeat(share, rows) * subwords.parts)
        moved = np.bincount(subwords.rows, np.repeat(share / sizes, rows))
        effective_types, step = 1 / (moving @ moved), 2 * step
    least = 1 if settings.loss != "negative" and step > _ONE_LANE else 2
    by_step, tokens = max(least, int(_LANE_STEPS / step)), settings.lane_tokens
    if subwords is None or by_step == least:
        return int(np.clip(3 * effective_types // tokens, 1, min(by_step, settings.lanes))), tokens
    in_round = min(3 * effective_types, _LANE_STEPS / step * tokens)
    lanes = min(1 << int(max(in_round / _SHORT_SLICE, 1)).bit_length() - 1, settings.lanes)
    return lanes, tokens if lanes == 1 else int(min(in_round // lanes, tokens))


_MOST_PARTS = 1000
"""A step that needs more of them diverges anyway."""

_LANE_STEPS = 14
"""Lanes times the ``center_step`` that they support."""

_SHORT_SLICE = 96
"""Tokens below which slices are not shortened, as each repeats the windows between it and the previous one."""

_ONE_LANE = 100
"""``center_step`` beyond which two lanes diverge without negative sampling: a window of a line at a rate of 0.1."""

_ALIKE = 25
"""Window at which the means of two lanes count as half alike."""

_DRAWN = 4096
"""Rows initialized at a time."""


def first_memory(
    types: int, size: int, stride: int, private_rows: int, seed: int, first_range: float = 0.5, ngrams: int = 0,
    own_rows: bool = True,
) -> np.ndarray:  # fmt: skip
    """Return (all rows * stride,) float32: the table, followed by the lanes' private rows.

    Input rows and the rows of n-grams, after the output rows, are uniform in -range/D .. range/D; output rows and
    private rows are zero, and so are input rows that are not used, without ``own_rows``.
    """
    memory = aligned((2 * types + ngrams + private_rows) * stride, np.float32)
    rows = memory.reshape(-1, stride)[:, :size]
    draw_rows((rows[: types if own_rows else 0], rows[2 * types : 2 * types + ngrams]), seed, first_range)
    return memory


def draw_rows(blocks: Iterable[np.ndarray], seed: int, first_range: float) -> None:
    """Fill blocks of rows (n, D) float32 with random numbers, uniform in -range/D .. range/D."""
    random = np.random.Generator(np.random.PCG64([seed, 2]))
    for block in blocks:
        for start in range(0, len(block), _DRAWN):  # in parts, since the random numbers take as much memory again
            part = block[start : start + _DRAWN]
            part[:] = (random.random(part.shape, np.float32) - np.float32(0.5)) * np.float32(2 * first_range)
            part /= np.float32(block.shape[1])


def lane_bounds(corpus: EncodedCorpus, lanes: int) -> np.ndarray:
    """Return (L + 1,) int64, the bounds of lanes of about equal numbers of tokens; a bound may cut a window."""
    return np.linspace(0, len(corpus.ids), lanes + 1).astype(np.int64)


class Sizes(NamedTuple):
    """Buffer sizes."""

    buffer: int
    """Tokens of a slice, plus those left by the previous one: centers with incomplete windows, and one window before.
    """
    outputs: int
    """Length of a slice's stream of output rows: negatives, path nodes, or all words."""
    touched: int
    """Maximum number of rows that a slice touches."""
    uses: int
    """Maximum number of uses of rows."""
    tile: int
    """Rows of a tile, rounded up."""
    ahead: int
    """Rows prefetched while a tile is trained."""


def sizes_of(
    settings: Word2VecSettings, types: int, longest_path: int = LONGEST_PATH, window: int | None = None
) -> Sizes:
    """Return the sizes of the buffers; ``window`` is the ``longest_window``, by default that of the settings."""
    window, negatives = settings.window if window is None else window, settings.negatives
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
        # The shared negatives, and all positions within the windows of a tile.
        tile, ahead = shared + 2 * window + 3 * TILE, new + 2 * TILE
    return Sizes(buffer, outputs, 2 * buffer + min(outputs, types), 2 * buffer + outputs, tile, ahead)


def allocate(
    settings: Word2VecSettings, sizes: Sizes, lanes: int, threads: int, stride: int, types: int
) -> tuple["Lane", "Tile"]:
    """Allocate the lanes' buffers and the threads' scratch, none of which share a cache line."""
    from wordvec.kernels.slices import STATE, Lane
    from wordvec.kernels.tile import Tile

    buffer, in_tile, ahead = sizes.buffer, sizes.tile, sizes.ahead
    reproducible = settings.mode == "reproducible"

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
        uses=block(lanes, 1 + max(buffer, sizes.outputs) if reproducible else 1, np.int32),
        copied=block(lanes, 1 + sizes.touched if reproducible else 1, np.int64),
        words=block(2 * lanes, 1 + buffer if settings.subwords else 1, np.int64).reshape(lanes, 2, -1),
    )
    tile_arrays = Tile(
        rows=block(threads, in_tile, np.int64),
        ahead=block(threads, ahead, np.int64),  # padded with zeros: the first row
        weights=block(threads, 4 * in_tile, np.float32),
        targets=block(threads, 4 * in_tile, np.float32),
        scores=block(threads, 4 * in_tile, np.float32),
        gradients=block(threads, 4 * in_tile, np.float32),
        pair_weights=block(threads, 48, np.float32),
        window_weights=block(threads, 4 * in_tile, np.float32),
        contexts=block(threads, TILE, np.float32),
        hidden=block(threads, 8 * stride, np.float32),
        slot_of_row=block(threads, 2 * types if reproducible else 1, np.int32),
        # A thread may prepare all lanes.
        marked=block(2 * threads, 1 + lanes * sizes.uses if reproducible else 1, np.uint32).reshape(threads, 2, -1),
        merging=block(5 * threads, 1 + lanes * sizes.touched if reproducible else 1, np.uint32).reshape(threads, 5, -1),
    )
    tile_arrays.slot_of_row[:] = -1
    return lane_arrays, tile_arrays


def user_counts(types: int, threads: int) -> np.ndarray:
    """Return (2, threads, 2 V) uint8 zeros: which of a thread's lanes touches each row, in even and odd rounds."""
    size = -(-2 * types // 64) * 64
    return aligned(2 * threads * size, np.uint8).reshape(2, threads, size)


def has_own_rows(settings: Word2VecSettings) -> bool:
    """Whether words have rows of their own besides those of their n-grams.

    Example:
        >>> has_own_rows(Word2VecSettings(subwords="3-6")), has_own_rows(Word2VecSettings())
        (True, False)
    """
    return settings.subwords is not None and settings.subword_hashes is None


def estimate_memory(
    settings: Word2VecSettings, types: int, threads: int | None = None, *, keeps_best: bool = False
) -> dict[str, int]:
    """Estimate the peak memory of training in bytes, by purpose; the encoded corpus, on disk, is not included.

    Args:
        settings: see ``train_word2vec``.
        types: vocabulary size.
        threads: see ``train_word2vec``.
        keeps_best: whether vectors are evaluated or training may stop early, which takes a second table and copies of
            the vectors.

    Raises:
        InputError: settings or threads out of range.

    Example:
        >>> parts = estimate_memory(Word2VecSettings(vector_size=300), 10_000_000, threads=1)
        >>> round(parts["vectors"] / 1e9, 1), round(sum(parts.values()) / 1e9, 1)
        (24.3, 26.6)
    """
    settings, threads = check_kind("settings", settings, Word2VecSettings).resolved(), worker_count(threads)
    types = check_whole("types", types, 1, 2**31 - 1)
    reproducible = settings.mode == "reproducible"
    lanes = settings.lanes if reproducible else threads
    row = 4 * row_stride(settings.vector_size)
    sizes = sizes_of(settings, types)
    try:
        lane_arrays, tile_arrays = allocate(settings, sizes, lanes, threads, 0, types=1)
    except (MemoryError, ValueError):  # ValueError: more than can be addressed
        raise TrainingError(
            "the buffers of the threads need more memory than there is; lower threads, window, negatives "
            "or shared_negatives"
        ) from None
    private = lanes * (1 + sizes.touched) * row if reproducible else lanes * row
    ngrams = merged = 0
    if settings.subwords:
        private += lanes * 2 * lane_arrays.words.shape[2] * row
        hashes = settings.subword_hashes
        ngrams = min(settings.buckets, _NGRAMS * types if hashes is None else hashes * (1 + _NGRAMS) * types)
        merged = ngrams // 2 if hashes is None else ngrams
    of_types = threads * 2 * types * (4 + 2) if reproducible else threads * 2 * types * 2
    return {
        "vectors": (2 * types + merged) * row,
        **({"result": 4 * (2 * types + ngrams) * settings.vector_size} if settings.subwords else {}),
        **({"composed": 4 * types * settings.vector_size} if has_own_rows(settings) else {}),
        "best epoch": (2 * types + merged) * row + 3 * 4 * types * settings.vector_size if keeps_best else 0,
        "vocabulary": _WORD * types,
        "sampling": _SAMPLING * types,
        "lanes": private + sum(array.nbytes for array in lane_arrays),
        "threads": of_types + threads * 8 * row + sum(array.nbytes for array in tile_arrays),
    }


def check_memory(
    settings: Word2VecSettings, types: int, threads: int | None, *, keeps_best: bool = False
) -> dict[str, int]:
    """Return the memory estimate after checking it against the available memory, given a vocabulary in memory.

    It is logged for models with n-grams, which need several times as much as others.

    Raises:
        TrainingError: not enough memory; the message suggests remedies.
    """
    parts = estimate_memory(settings, types, threads, keeps_best=keeps_best)
    free = available_memory()
    needed = sum(parts.values()) - parts["vocabulary"]
    if free is not None and needed > free:
        share = free / needed
        largest, size = max(2, int(share * types)), max(1, int(share * settings.vector_size))
        raise TrainingError(
            f"training {types:,} words x {settings.vector_size} needs {shown_bytes(needed)} of memory, but only "
            f"{shown_bytes(free)} are free; "
            + ("turn off evaluation and early stopping, " if keeps_best else "")
            + f"raise min_count, or set max_vocabulary to at most {largest:,} or vector_size to at most {size}"
        )
    if settings.subwords is not None:
        _log.info("training with n-grams takes about %s of memory", shown_bytes(needed))
    return parts
