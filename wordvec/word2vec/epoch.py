"""One epoch of training: the table, the lanes, and the threads that run the kernels."""

import logging
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.errors import InputError, TrainingError
from wordvec.system.aligned_arrays import row_stride
from wordvec.system.huffman import HuffmanTree
from wordvec.system.structures import check_ids
from wordvec.system.threads import run_in_threads
from wordvec.word2vec.buffers import (
    allocate,
    draw_rows,
    first_memory,
    has_own_rows,
    lane_bounds,
    longest_window,
    safe_round,
    sizes_of,
    step_parts,
    user_counts,
)
from wordvec.word2vec.merging import MergedRows, merge_rows
from wordvec.word2vec.objectives import cut_sentences, objective_of, subwords_of
from wordvec.word2vec.planes import Planes
from wordvec.word2vec.sampling import alias_table, distance_weights, noise_probabilities, split_weights, tile_weights
from wordvec.word2vec.settings import TILE, Word2VecSettings

if TYPE_CHECKING:
    from wordvec.kernels.slices import Step

_log = logging.getLogger(__name__)

_LOSS_SAMPLE = 256
"""In a large corpus, the loss is computed for one in this many tiles of four centers, chosen by position."""

_LOSS_TOKENS = 16_384
"""Below this number of tokens, the loss of every tile is computed: at least a few thousand pairs per report."""

_CHECKED = 1 << 20
"""Values checked for NaN and infinity at a time."""


_MOVED = 4096
"""Rows moved at a time; NumPy makes an intermediate copy, because source and target overlap."""


LARGEST = 1000.0
"""Size of a number that only diverging training reaches."""


class EpochResult(NamedTuple):
    """Mean loss per pair of an epoch, its standard error, and the number of tokens after subsampling."""

    loss: float
    loss_error: float
    effective_tokens: int


class Frequencies(NamedTuple):
    """Counts (V,) int64 of the types, and the number of tokens, of which other types may have a share."""

    counts: np.ndarray
    total: int


class TrainedRows(NamedTuple):
    """The rows of words and contexts (V, D) and of n-grams (U, D)."""

    words: np.ndarray
    contexts: np.ndarray
    ngrams: np.ndarray


class Trainer:
    """The rows and lanes of a training run, idle between calls of the kernels.

    Args:
        corpus: at least two types.
        settings: resolved.
        threads: maximum number of threads, capped at the number of lanes.
        lanes: number of lanes in hogwild mode, for resuming a run; None: one per thread.
        frequencies: what negatives are drawn and frequent words dropped by; None: the counts of the corpus.
        tree: of hierarchical softmax; None: the Huffman tree of the counts.
        window: the ``longest_window`` of a longer text, of which ``corpus`` is a part; None: that of the corpus.
        merges: whether to train the rows of n-grams that always change alike as one, see ``merging.py``. Rows must then
            start as drawn.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        settings: Word2VecSettings,
        threads: int,
        *,
        lanes: int | None = None,
        frequencies: Frequencies | None = None,
        tree: HuffmanTree | None = None,
        window: int | None = None,
        merges: bool = False,
    ) -> None:
        from wordvec.kernels.slices import Text

        self.corpus, self.settings = corpus, settings
        self.reproducible = settings.mode == "reproducible"
        counts = np.asarray(corpus.vocabulary.counts)
        usual = Frequencies(counts, int(counts.sum())) if frequencies is None else frequencies
        keep = keep_probabilities(usual.counts, settings.subsample, usual.total)
        if window is None:
            warn_of_subsampling(counts, keep, settings)
        offsets = cut_sentences(np.asarray(corpus.offsets), settings.sentence_limit)
        self.window = longest_window(settings, offsets) if window is None else window
        self.types = len(counts)
        self.subwords, self.buckets = subwords_of(settings, corpus.vocabulary.tokens)
        self.merged: MergedRows | None = None
        if merges and self.subwords is not None:
            self.subwords, self.merged = merge_rows(self.subwords, self.types)
        ngram_rows = len(self.buckets) if self.merged is None else int(np.count_nonzero(self.merged.rows >= self.types))
        self.table_rows = 2 * self.types + ngram_rows
        self.slice_tokens = settings.lane_tokens
        if self.reproducible:
            lanes, self.slice_tokens = safe_round(counts * keep, settings, self.window, self.subwords)
            self.threads = min(threads, lanes)
        else:
            self.threads = lanes = lanes or threads
        weights = distance_weights(settings.window, settings.window_weights == "expected", self.window)
        self.text = Text(
            ids=np.asarray(corpus.ids),
            offsets=offsets,
            keep_thresholds=np.rint(keep * 2.0**32).astype(np.uint64),
            noise_table=alias_table(noise_probabilities(usual.counts, settings.noise_exponent)),
            distance_weights=weights,
            tile_weights=tile_weights(weights, TILE),
            split_weights=split_weights(weights),
        )
        self.stride = row_stride(settings.vector_size)
        self.objective, longest_path = objective_of(settings, counts, self.subwords, tree)
        sizes = sizes_of(settings, self.types, longest_path, self.window)
        self.bounds = lane_bounds(corpus, lanes)
        self.lanes, self.tiles = allocate(settings, sizes, lanes, self.threads, self.stride, self.types)
        # The first private row of a lane is a dummy for absent rows; the others are copies of shared rows, and two for
        # each composed word.
        self.private_rows = 1 + sizes.touched if self.reproducible else 1
        if self.subwords is not None:
            self.private_rows = 1 + self.lanes.copied.shape[1] + 2 * self.lanes.words.shape[2]
        self.memory = first_memory(
            self.types, settings.vector_size, self.stride, lanes * self.private_rows, settings.seed,
            settings.first_range, ngram_rows, own_rows=self.subwords is None or has_own_rows(settings),
        )  # fmt: skip
        if self.merged is not None:
            self.merged.average(self._first_parts(self.merged), self._all_rows())
        self.users = user_counts(self.types, self.threads)
        self.begin_epoch(0)

    def set_rates(self, rows: np.ndarray, rate: float) -> None:
        """Let these rows of the table learn at ``rate`` times the learning rate of the others; 0 freezes them."""
        rates = np.ones(self.table_rows, np.float32)
        rates[rows] = rate
        self.objective = self.objective._replace(row_rates=rates)

    def compile(self) -> None:
        """Compile the kernel, or load it from the cache, before the clock starts, by training on no tokens."""
        self._worker(np.zeros_like(self.bounds), self._control(), threads=1)(0)

    def begin_epoch(self, epoch: int) -> None:
        """Reset every lane to its start."""
        self._start_lanes()
        self.step = self._step(epoch)

    def begin_part(self, corpus: EncodedCorpus, place: Sequence[int], rates: tuple[float, float]) -> None:
        """Reset every lane to its start in another text with the same vocabulary, trained in one go.

        Args:
            corpus: the text, with lines no longer than the window of this trainer supports.
            place: numbers from which, with the seed, all random numbers are derived.
            rates: the learning rate at the start and at the end.
        """
        offsets = cut_sentences(np.asarray(corpus.offsets), self.settings.sentence_limit)
        self.text = self.text._replace(ids=np.asarray(corpus.ids), offsets=offsets)
        self.bounds = lane_bounds(corpus, len(self.bounds) - 1)
        self._start_lanes()
        self.step = self._step(0)._replace(
            key=_key_of([self.settings.seed, *place]), first_rate=rates[0], last_rate=rates[1]
        )

    def run(self, pause: Callable[[], bool]) -> bool:
        """Train until the epoch ends (returns True), or until ``pause()``, polled, is true (returns False).

        Training pauses only between rounds, even on Ctrl-C or if ``pause`` raises, so that the next call continues.
        """
        from wordvec.kernels.lanes import STOP

        control = self._control()

        def stop() -> None:
            control[STOP] = 1

        def watch() -> None:
            if pause():
                stop()

        run_in_threads(self._worker(self.bounds, control, self.threads), self.threads, stop, watch)
        # If asked to stop in the last round, there is one more call with nothing left to do.
        return not control[STOP]

    def end_epoch(self) -> EpochResult:
        from wordvec.kernels.slices import KEPT

        return EpochResult(*loss_of(self.lanes.loss.sum(axis=0)), int(self.lanes.state[:, KEPT].sum()))

    def resume_epoch(self, epoch: int) -> None:
        """Continue an epoch whose lanes have been restored from a checkpoint."""
        self.step = self._step(epoch)

    def check_restored(self, bounds: np.ndarray) -> None:
        """Check the lanes restored from a checkpoint, since the kernels index with their numbers unchecked.

        Args:
            bounds: those that this run computed.

        Raises:
            InputError: a value that no training run saves.
        """
        from wordvec.kernels.slices import CENTER, DRAWN, FILLED, KEPT, LAST_CENTER, POSITION, PRIVATE, SENTENCE

        if not np.array_equal(self.bounds, bounds):
            raise InputError("the bounds of its lanes are not those of this corpus")
        step, lanes, sentences = self.step, self.lanes, len(self.text.offsets) - 1
        carried, rest = step.shared - step.fresh, step.window + TILE
        private = (self.table_rows + np.arange(len(lanes.state)) * self.private_rows) * self.stride
        if not np.isfinite(self._largest()):
            raise InputError("its vectors must be finite")
        for k, state in enumerate(lanes.state.tolist()):
            ranges = {
                "position": (state[POSITION], int(bounds[k]), int(bounds[k + 1])),
                "sentence": (state[SENTENCE], 0, sentences - (state[POSITION] < bounds[k + 1])),
                "buffer": (state[FILLED], 0, lanes.token_ids.shape[1]),
                "center": (state[CENTER], 0, state[FILLED]),
                "last center": (state[LAST_CENTER], max(state[CENTER], state[FILLED] - rest), state[FILLED]),
                "draws": (state[DRAWN], carried if state[DRAWN] else 0, lanes.negative_ids.shape[1]),
                "kept": (state[KEPT], 0, int(bounds[k + 1] - bounds[k])),
                "private rows": (state[PRIVATE], int(private[k]), int(private[k])),
            }
            for name, (value, least, most) in ranges.items():
                if not least <= value <= most:
                    raise InputError(f"{name} of lane {k} must be in {least:,}..{most:,}, got {value:,}")
            kept = slice(max(state[LAST_CENTER] - step.window, 0), state[FILLED])
            check_ids(f"tokens of lane {k}", lanes.token_ids[k, kept], self.types)
            check_ids(f"positions of lane {k}", lanes.positions[k, kept], len(self.text.ids))
            check_ids(f"sentences of lane {k}", lanes.sentences[k, kept], sentences)
            drawn = state[DRAWN]
            check_ids(f"negatives of lane {k}", lanes.negative_ids[k, max(drawn - carried, 0) : drawn], self.types)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the kernels' state by name, which a checkpoint must store."""
        of_a_round = ("uses", "copied", "words")
        return {
            **{"memory": self.memory, "bounds": self.bounds},
            **{f"lanes.{name}": array for name, array in self.lanes._asdict().items() if name not in of_a_round},
        }

    @property
    def table(self) -> np.ndarray:
        """(rows * stride,) float32, a view of the input rows, the output rows and the rows of n-grams."""
        return self.memory[: self.table_rows * self.stride]

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return views (V, D) of the input and output rows."""
        rows = self._all_rows()
        return rows[: self.types], rows[self.types : 2 * self.types]

    def all_rows(self) -> "TrainedRows":
        """Return views of all rows, if none are merged."""
        return TrainedRows(*self.rows(), self._all_rows()[2 * self.types :])

    def copied_rows(self) -> "TrainedRows":
        """Return copies of all rows, each in place of what it is merged in."""
        if self.merged is None:
            return TrainedRows(*(side.copy() for side in self.all_rows()))
        parts, own = self._first_parts(self.merged), self.types if has_own_rows(self.settings) else 0
        self.merged.move(parts, self._all_rows())
        words, contexts = self.rows()
        return TrainedRows(parts[:own] if own else words.copy(), contexts.copy(), parts[own:])

    def take_rows(self) -> "TrainedRows":
        """Return all rows as contiguous arrays; the table is destroyed.

        Unless some are merged, they are moved together, over their padding, in the memory of the table.
        """
        size, rows = self.settings.vector_size, self.table.reshape(-1, self.stride)
        if self.merged is not None:
            copies = self.copied_rows()
            self.memory = self.memory[:0].copy()
            return copies
        packed = self.table[: len(rows) * size].reshape(-1, size)
        for start in range(0, len(rows), _MOVED):  # the target holds only rows that have already moved
            packed[start : start + _MOVED] = rows[start : start + _MOVED, :size]
        words, contexts, ngrams = np.split(packed, (self.types, 2 * self.types))
        return TrainedRows(words, contexts, ngrams)

    def _all_rows(self) -> np.ndarray:
        return self.table.reshape(-1, self.stride)[:, : self.settings.vector_size]

    def _inputs(self) -> tuple[slice, ...]:
        """Return the rows of the table that words with subwords are composed of."""
        ngrams = slice(2 * self.types, self.table_rows)
        return (slice(self.types), ngrams) if has_own_rows(self.settings) else (ngrams,)

    def _first_parts(self, merged: MergedRows) -> np.ndarray:
        """Return (P, D), the rows before training that ``merged`` stand for."""
        parts = np.empty((len(merged.parts), self.settings.vector_size), np.float32)
        draw_rows([parts], self.settings.seed, self.settings.first_range)
        return parts

    def tokens_done(self) -> int:
        """Return the number of tokens that the lanes have read in this epoch."""
        from wordvec.kernels.slices import POSITION

        return int((self.lanes.state[:, POSITION] - self.bounds[:-1]).sum())

    def loss(self) -> float:
        """Return the loss of this epoch so far; NaN if no tile was sampled."""
        return loss_of(self.lanes.loss.sum(axis=0))[0]

    def check_stable(self, when: str) -> None:
        """Check that every number of the table is finite and at most ``LARGEST`` in size.

        Raises:
            TrainingError: training has diverged; the message suggests a remedy.
        """
        settings, largest = self.settings, self._largest()
        if not largest <= LARGEST:  # NaN as well
            raise TrainingError(
                f"training diverged {when} (a vector holds {largest:.3g}; vectors that learn stay below 30): lower "
                f"learning_rate = {settings.learning_rate:g}, window = {settings.window} or negatives = "
                f"{settings.negatives} and start again"
            )

    def _largest(self) -> float:
        """Return the size of the largest number; NaN if one is."""
        pieces = (self.memory[start : start + _CHECKED] for start in range(0, self.memory.size, _CHECKED))
        return float(np.max([np.abs(piece).max() for piece in pieces]))

    def _start_lanes(self) -> None:
        from wordvec.kernels.slices import POSITION, PRIVATE, SENTENCE

        self.lanes.state[:] = 0
        self.lanes.loss[:] = 0
        first = self.table_rows + np.arange(len(self.lanes.state)) * self.private_rows
        self.lanes.state[:, PRIVATE] = first * self.stride
        self.lanes.state[:, POSITION] = self.bounds[:-1]
        self.lanes.state[:, SENTENCE] = np.searchsorted(self.text.offsets[1:], self.bounds[:-1], side="right")

    def _control(self) -> np.ndarray:
        """Allocate the state shared by the threads of one kernel call."""
        from wordvec.kernels.lanes import CONTROL, LINE

        return np.zeros(CONTROL + len(self.lanes.state) * LINE, np.int64)

    def _worker(self, bounds: np.ndarray, control: np.ndarray, threads: int) -> Callable[[int], None]:
        """Return the function that each of ``threads`` threads runs in an epoch, given its number."""
        from wordvec.kernels.lanes import train_freely, train_rounds

        size, step, objective = self.slice_tokens, self.step, self.objective
        planes = None
        if self.subwords is not None:
            planes = Planes(self.memory.reshape(-1, self.stride), self._inputs(), threads)
            objective = objective._replace(subwords=planes.given_to(self.subwords))

        def train_in_rounds(thread: int) -> None:
            if planes is not None:
                planes.load(thread)
            train_rounds(
                self.memory, self.lanes, self.tiles, self.users, self.text, step, objective, bounds, size,
                thread, threads, control,
            )  # fmt: skip
            if planes is not None:
                planes.save(thread)

        def train_hogwild(thread: int) -> None:
            train_freely(
                self.memory, self.lanes, self.tiles, self.text, step, objective, bounds, size, thread, control
            )  # fmt: skip

        return train_in_rounds if self.reproducible else train_hogwild

    def _step(self, epoch: int) -> "Step":
        from wordvec.kernels.slices import Step

        settings = self.settings
        first, last = settings.learning_rate or 0.0, settings.min_learning_rate or 0.0
        fall = (first - last) / settings.passes
        return Step(
            window=self.window,
            radii=settings.window if settings.window_weights == "sampled" else 0,
            contexts=float(settings.context_weight),
            negatives=settings.negatives,
            shared=settings.shared_negatives or 0 if settings.negatives_are_shared else 0,
            fresh=settings.negatives_per_tile if settings.negatives_are_shared else 0,
            parts=step_parts(settings, self.window),
            stride=self.stride,
            vocabulary=self.types,
            composed=0 if self.subwords is None else self.types,
            loss_sample=int(np.clip(len(self.text.ids) // _LOSS_TOKENS, 1, _LOSS_SAMPLE)),
            key=_key_of([settings.seed, epoch]),
            first_rate=first - fall * epoch,
            last_rate=first - fall * (epoch + 1),
        )


def _key_of(place: Sequence[int]) -> np.uint64:
    """Return the key of the random numbers at a place of the training."""
    return np.uint64(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])


def warn_of_subsampling(counts: np.ndarray, keep: np.ndarray, settings: Word2VecSettings) -> None:
    """Log if little of a text with these counts (V,) is kept, with these probabilities (V,)."""
    share = (counts * keep).sum() / counts.sum()
    if share < 0.25:
        _log.warning(
            "subsample = %g keeps only %.0f %% of this text, because its vocabulary is small; 0 keeps all",
            settings.subsample,
            100 * share,
        )


def loss_of(sums: np.ndarray) -> tuple[float, float]:
    """Return the mean loss per pair and its standard error, from sums over the sampled tiles (a ratio estimate)."""
    from wordvec.kernels.tile import LOSS_PAIRS, LOSS_SQUARES, LOSS_SUM, LOSS_TIMES_PAIRS, PAIR_SQUARES

    if sums[LOSS_PAIRS] == 0:
        return math.nan, math.nan
    mean = sums[LOSS_SUM] / sums[LOSS_PAIRS]
    squares = sums[LOSS_SQUARES] - 2 * mean * sums[LOSS_TIMES_PAIRS] + mean**2 * sums[PAIR_SQUARES]
    return float(mean), float(math.sqrt(max(squares, 0.0)) / sums[LOSS_PAIRS])
