"""External-memory co-occurrence counting: sorted runs within a memory budget, merged row by row.

The corpus is counted in pieces, each of which gives a run, its rows in order. The runs of several pieces go to
temporary files and are merged. Sums are integers until the last step, so that neither the budget nor the number of
threads affects the result.
"""

import logging
import math
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.scanning import in_order
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.errors import InputError
from wordvec.system.scratch import Growing, Scratch

if TYPE_CHECKING:
    from wordvec.count_based.settings import CooccurrenceSettings
    from wordvec.kernels.cooccurrence import Row

_log = logging.getLogger(__name__)

_UNIT_BITS = 32
"""Weights without a small common denominator are rounded to multiples of 2^-32."""

_BLOCK = 1 << 18
"""Maximum number of entries in the rows a thread computes at a time, unless a single row has more."""

_LEAST_PIECE = 256
"""Minimum number of tokens in a piece of the corpus."""

_READ = 1 << 18
"""Tokens subsampled at a time."""


# -- weights ----------------------------------------------------------------------------------------------------------


def whole_weights(settings: "CooccurrenceSettings", tokens: int) -> tuple[np.ndarray, int]:
    """Return the weight of a context by distance as an integer number of units, and the number of units in 1.

    Args:
        settings: window and window weights.
        tokens: corpus size, so that no sum over all windows overflows int64.

    Returns:
        (window + 1,) int64, the first 0, and the number of units.

    Example:
        >>> from wordvec import CooccurrenceSettings
        >>> whole_weights(CooccurrenceSettings(window=4), 1000)
        (array([ 0, 12,  6,  4,  3]), 12)
    """
    window = settings.window
    distances = np.arange(1, window + 1)
    if settings.window_weights == "flat":
        weights, unit = np.ones(window, np.int64), 1
    elif settings.window_weights == "dynamic":
        weights, unit = window + 1 - distances, window
    else:
        harmonic = 1 / distances
        room = int(2**62 / (2 * max(tokens, 1) * harmonic.sum()))
        unit = math.lcm(*range(1, window + 1)) if window <= 22 else 1 << _UNIT_BITS
        if unit > room:
            unit = 1 << (room.bit_length() - 1)
        weights = np.maximum(np.rint(unit * harmonic), 1).astype(np.int64)
    return np.concatenate([[0], weights]), unit


# -- memory -----------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How the work is divided to fit in memory; the result does not depend on it."""

    threads: int
    block: int
    """Entries of the rows computed at a time."""
    piece: int
    """Tokens per run."""
    reserve: int
    """Entries of the result that may stay in memory."""


def plan_of(tokens: int, types: int, threads: int, memory: int) -> Plan:
    """Return a plan that fits in ``memory`` bytes.

    Raises:
        InputError: not even the smallest plan fits.

    Example:
        >>> plan_of(10**10, 10**6, 2, 2 * 10**9)
        Plan(threads=2, block=1000000, piece=114624887, reserve=229249774)
    """
    # Per thread: a row of sums, its touched columns and its bits. Per type: row ends, counts in a piece, row sizes.
    # Per entry of a block that is computed or waiting: column and sum; one block is being converted to float32.
    a_row, of_types, entry = 13 * (types + 64), 56 * (types + 1), 12
    for workers in range(threads, 0, -1):
        waiting = 2 if workers == 1 else 2 * workers + 3
        least = workers * a_row + of_types + 16 * _LEAST_PIECE
        block = max(types, min(_BLOCK, (memory - least) // (4 * waiting * entry)))
        fixed = workers * a_row + of_types + waiting * entry * (block + 1)
        if fixed + 8 * _LEAST_PIECE <= memory:
            break
    else:
        raise InputError(
            f"memory must be at least {fixed + 8 * _LEAST_PIECE:,} bytes for {types:,} words, got {memory:,}; "
            "increase it, or raise min_count"
        )
    rest = memory - fixed
    piece = max(_LEAST_PIECE, min(tokens, rest // 16))
    # With several pieces, the positions have been freed when the result is made.
    reserve = rest - 8 * piece if piece >= tokens else rest
    return Plan(workers, block, piece, reserve // 8)


# -- counting ---------------------------------------------------------------------------------------------------------


class _Block(NamedTuple):
    """A block of rows."""

    ends: np.ndarray  # (rows,) int64
    columns: np.ndarray  # (entries + 1,) int32
    sums: np.ndarray  # (entries + 1,) int64


class PairCounter:
    """Counts the co-occurrences of a corpus."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        settings: "CooccurrenceSettings",
        plan: Plan,
        scratch: Scratch,
        on_progress: Callable[[float, float], None] | None,
    ) -> None:
        self.settings, self.plan, self.scratch, self.on_progress = settings, plan, scratch, on_progress
        self.types = len(corpus.vocabulary)
        self.ids, self.offsets = _subsampled(corpus, settings, scratch)
        self.left = 0 if settings.contexts == "right" else settings.window
        self.right = 0 if settings.contexts == "left" else settings.window
        self.weights, self.unit = whole_weights(settings, len(corpus.ids))
        self._rows: SimpleQueue[Row] = SimpleQueue()
        self._blocks: SimpleQueue[_Block] = SimpleQueue()

    def count(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the row ends (V,) int64, the columns int32 and the counts float32."""
        pieces = range(0, len(self.ids), self.plan.piece)
        if len(pieces) <= 1:
            return self._collect("result", np.float32, self.plan.reserve, self.count_piece(0))
        _log.info("%s tokens are counted in %s runs, in temporary files", f"{len(self.ids):,}", len(pieces))
        blocks = (block for first in pieces for block in self.count_piece(first))
        runs = self._collect("runs", np.int64, 0, blocks)
        result = self._collect("result", np.float32, self.plan.reserve, self._merge(*runs))
        self.scratch.remove("runs")
        return result

    def _collect(
        self, name: str, dtype: type, reserve: int, blocks: Iterator[_Block]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Concatenate blocks into row ends, columns and values: int64 sums in units, or float32 counts."""
        ends = Growing(np.int64, self.types if reserve else 0, self.scratch, f"{name}-ends")
        columns = Growing(np.int32, reserve, self.scratch, f"{name}-columns")
        values = Growing(dtype, reserve, self.scratch, f"{name}-values")
        for block in blocks:
            filled = block.ends[-1]
            ends.append(block.ends + columns.size)
            columns.append(block.columns[:filled])
            sums = block.sums[:filled]
            values.append(sums if dtype is np.int64 else (sums / self.unit).astype(dtype))
        return ends.finish(), columns.finish(), values.finish()

    def count_piece(self, first: int) -> Iterator[_Block]:
        """Yield the rows of the piece of the corpus that starts at token ``first``."""
        from wordvec.kernels.cooccurrence import count_places, count_rows, sort_places

        last = min(first + self.plan.piece, len(self.ids))
        starts = np.zeros(self.types + 2, np.int64)
        count_places(self.ids, first, last, starts[1:])
        np.cumsum(starts, out=starts)
        places: np.ndarray = np.empty(last - first, np.int64)
        sort_places(self.ids, self.offsets, first, last, self.left, self.right, starts[:-1].copy(), places)
        most = np.diff(starts[:-1]) * (self.left + self.right)

        def make(row: "Row", first_row: int, last_row: int, block: _Block) -> None:
            count_rows(self.ids, places, starts, self.weights, first_row, last_row, row, *block)

        for last_row, block in self._made(make, most):
            yield block
            if self.on_progress is not None:
                # Tokens dropped by "clean" subsampling come after the last row.
                self.on_progress(last if last_row == self.types else int(first + starts[last_row]), len(self.ids))

    def _merge(self, run_ends: np.ndarray, run_columns: np.ndarray, run_sums: np.ndarray) -> Iterator[_Block]:
        """Yield the rows summed over all runs."""
        from wordvec.kernels.cooccurrence import merge_rows

        most = np.zeros(self.types, np.int64)
        for start in range(0, len(run_ends), self.types):
            before = run_ends[start - 1] if start else 0
            most += np.diff(run_ends[start : start + self.types], prepend=before)

        def make(row: "Row", first_row: int, last_row: int, block: _Block) -> None:
            merge_rows(run_ends, run_columns, run_sums, first_row, last_row, row, *block)

        for _, block in self._made(make, most):
            yield block

    def _made(self, make: Callable[..., None], most: np.ndarray) -> Iterator[tuple[int, _Block]]:
        """Yield all rows in blocks, in order, each with the end of its rows; ``most`` (V,) bounds the row sizes.

        A block is valid until the next one is requested.
        """
        room = np.concatenate([[0], np.cumsum(np.minimum(most, self.types))])

        def parts() -> Iterator[tuple[int, int]]:
            first = 0
            while first < self.types:
                last = int(np.searchsorted(room, room[first] + self.plan.block, side="right")) - 1
                yield first, last
                first = last

        def work(part: tuple[int, int]) -> tuple[int, _Block]:
            row, block = _reused(self._rows, self._new_row), _reused(self._blocks, self._new_block)
            first_row, last_row = part
            block = block._replace(ends=np.empty(last_row - first_row, np.int64))
            make(row, first_row, last_row, block)
            self._rows.put(row)
            return last_row, block

        for last_row, block in in_order(work, parts(), self.plan.threads):
            yield last_row, block
            self._blocks.put(block)

    def _new_row(self) -> "Row":
        from wordvec.kernels.cooccurrence import Row

        return Row(
            sums=np.zeros(self.types + 1, np.int64),
            touched=np.zeros(self.types + 2, np.int32),
            bits=np.zeros((self.types >> 6) + 1, np.uint64),
            words=np.zeros((self.types >> 12) + 1, np.uint64),
        )

    def _new_block(self) -> _Block:
        size = self.plan.block + 1
        return _Block(np.empty(0, np.int64), np.empty(size, np.int32), np.empty(size, np.int64))


def _reused(queue: "SimpleQueue[Any]", make: Callable[[], Any]) -> Any:
    """Take an item from the queue, or make one if it is empty."""
    try:
        return queue.get_nowait()
    except Empty:
        return make()


def _subsampled(
    corpus: EncodedCorpus, settings: "CooccurrenceSettings", scratch: Scratch
) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and offsets of the tokens kept by subsampling; "clean" replaces the others by the id V."""
    ids, offsets = np.asarray(corpus.ids), np.asarray(corpus.offsets)
    if settings.subsample == 0:
        return ids, offsets
    from wordvec.kernels.cooccurrence import keep_tokens

    keep = keep_probabilities(np.asarray(corpus.vocabulary.counts), settings.subsample)
    thresholds = np.rint(keep * 2.0**32).astype(np.uint64)
    key = np.random.SeedSequence([settings.seed, 0]).generate_state(1, np.uint64)[0]
    dropped = -1 if settings.subsample_mode == "dirty" else len(corpus.vocabulary)
    kept, moved = Growing(np.int32, 0, scratch, "kept"), np.zeros_like(offsets)
    written, before = np.empty(_READ, np.int32), np.empty(_READ + 1, np.int64)
    for first in range(0, len(ids), _READ):
        last = min(first + _READ, len(ids))
        keep_tokens(ids, first, last, thresholds, key, dropped, written, before)
        inside = slice(*np.searchsorted(offsets, [first + 1, last + 1]))
        moved[inside] = kept.size + before[offsets[inside] - first]
        kept.append(written[: before[last - first]])
    moved.flags.writeable = False
    return kept.finish(), moved
