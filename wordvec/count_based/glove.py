"""GloVe: word vectors whose dot products approximate log co-occurrence counts (Pennington et al. 2014)."""

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.checkpointing.resumable_run import ResumableRun
from wordvec.count_based.glove_blocks import band_bounds, first_tables, schedule_of, sorted_cells
from wordvec.count_based.settings import GloveSettings
from wordvec.errors import InputError, TrainingError
from wordvec.formats.safetensors import pack_tokens
from wordvec.system.aligned_arrays import aligned, row_stride
from wordvec.system.available_memory import available_memory
from wordvec.system.progress import OnProgress, Progress, seconds_left
from wordvec.system.settings import or_defaults
from wordvec.system.structures import checked_csr, frozen
from wordvec.system.threads import run_in_threads, worker_count
from wordvec.system.validation import check_kind
from wordvec.vectors.dense import WordVectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from wordvec.count_based.cooccurrence import CooccurrenceCounts

_log = logging.getLogger(__name__)

_PIECE = 1 << 20
"""Values checked at a time."""


@dataclass
class GloveResult:
    """Vectors, losses and statistics of a training run.

    ``losses`` are the mean losses per cell of each epoch, f(x) / 2 times the squared error (eq. 8 divided by the number
    of cells), each cell's before its own update. ``seconds`` is the training time only, over all runs if resumed.
    """

    vectors: WordVectors
    settings: GloveSettings
    cells: int
    types: int
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    threads: int = 1

    def summary(self) -> dict[str, Any]:
        """Return all fields except the vectors as JSON-serializable values."""
        return {
            "settings": self.settings.record(),
            "cells": self.cells,
            "types": self.types,
            "losses": self.losses,
            "seconds": self.seconds,
            "threads": self.threads,
            "cells_per_second": self.cells * len(self.losses) / max(self.seconds, 1e-9),
        }


def train_glove(
    cooccurrence: "CooccurrenceCounts",
    settings: GloveSettings | None = None,
    *,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> GloveResult:
    """Train GloVe vectors on co-occurrence counts, bit-identical for a seed at any number of threads.

    Args:
        cooccurrence: from ``count_cooccurrences``. Its counts are read once.
        settings: None means the defaults.
        threads: None means one per core.
        on_progress: called now and then from the calling thread.
        checkpoint: a file to save the training state to, every ``checkpoint_every`` seconds and on Ctrl-C. Remove it
            once the vectors are saved.
        resume: continue from the checkpoint, if it exists; the vectors are bit-identical to those of an uninterrupted
            run.

    Raises:
        InputError: settings out of range, no counts or counts not above 0, an existing checkpoint without ``resume``,
            or a checkpoint of another run.
        TrainingError: training diverged, or memory is insufficient.

    Example:
        >>> from wordvec import count_cooccurrences, encode_corpus
        >>> counts = count_cooccurrences(encode_corpus(["the cat sat", "the dog sat"] * 50))
        >>> result = train_glove(counts, GloveSettings(vector_size=8, epochs=3))
        >>> result.vectors.vectors.shape, result.losses[0] > result.losses[-1]
        ((4, 8), True)
    """
    from wordvec.count_based.cooccurrence import CooccurrenceCounts

    settings = or_defaults(settings, GloveSettings)
    check_kind("cooccurrence", cooccurrence, CooccurrenceCounts)
    threads = worker_count(threads)
    saver = Checkpoint(checkpoint, checkpoint_every, resume)
    words = cooccurrence.vocabulary
    counts = checked_csr("counts", cooccurrence.counts, rows=len(words), columns=len(words))
    _check_counts(counts)
    _check_memory(counts, settings)
    record = cooccurrence.settings.file_record(settings.model, settings.record())
    saved = saver.begin(
        record,
        {"counts": int(counts.nnz), "types": len(words)},
        (*pack_tokens(words.tokens), words.counts, counts.indptr, counts.indices, counts.data),
    )
    training = _Training(cooccurrence, counts, settings, threads, saver, on_progress)
    return training.run(saved)


def _check_counts(counts: "csr_array") -> None:
    if counts.nnz == 0:
        raise InputError("the corpus has no co-occurring words; lower min_count or use more text")
    for start in range(0, counts.nnz, _PIECE):
        piece = counts.data[start : start + _PIECE].astype(np.float32, copy=False)
        if not (np.isfinite(piece).all() and piece.min() > 0):
            wrong = piece[~(np.isfinite(piece) & (piece > 0))][0]
            raise InputError(f"counts must be finite and above 0, because GloVe takes their logarithms, got {wrong}")


def _check_memory(counts: "csr_array", settings: GloveSettings) -> None:
    free = available_memory()
    types, size = counts.shape[0], settings.vector_size
    needed = 12 * counts.nnz + 16 * types * row_stride(size + 2) + 8 * types * size
    if free is not None and needed > free:
        raise TrainingError(
            f"training on {counts.nnz:,} counts needs {needed / 1e9:.1f} GB of memory, but only {free / 1e9:.1f} GB "
            "are free; raise min_count, or lower window or vector_size"
        )


class _Training(ResumableRun):
    """A training run: its tables, its cells, and its progress in epochs and blocks."""

    def __init__(
        self,
        cooccurrence: "CooccurrenceCounts",
        counts: "csr_array",
        settings: GloveSettings,
        threads: int,
        checkpoint: Checkpoint,
        on_progress: OnProgress | None,
    ) -> None:
        super().__init__(checkpoint)
        self.settings, self.threads = settings, threads
        self._cooccurrence, self._on_progress = cooccurrence, on_progress
        self.bounds = band_bounds(len(cooccurrence.vocabulary))
        self.schedule = schedule_of(len(self.bounds) - 1)
        self.stride = row_stride(settings.vector_size + 2)
        self.tables = first_tables(len(cooccurrence.vocabulary), settings)
        self.cells = sorted_cells(counts, self.bounds, settings)
        sizes = np.diff(self.cells.starts)[self.schedule[:, 0] * (len(self.bounds) - 1) + self.schedule[:, 1]]
        self._cells_by_block = np.concatenate([[0], np.cumsum(sizes)])
        self.block_losses = np.zeros(len(self.schedule))
        self.epoch = self.blocks_done = 0
        self.losses: list[float] = []

    def run(self, saved: SavedTraining | None) -> GloveResult:
        """Train to the end, from the beginning or from a saved state."""
        self._run_to_end(saved)
        return self._result()

    def _compile(self) -> None:
        self._worker(self._control(len(self.schedule)))(0)

    def _train(self) -> None:
        while self.epoch < self.settings.epochs:
            self._save_if_due()
            self._train_blocks()

    def _train_blocks(self) -> None:
        """Train until the epoch ends or a checkpoint is due."""
        from wordvec.kernels.glove import NEXT, STOP

        control = self._control(self.blocks_done)

        def stop() -> None:
            control[STOP] = 1

        def watch() -> None:
            self._report(min(int(control[NEXT]), len(self.schedule)))
            if self.checkpoint.clock.is_due():
                stop()

        try:
            run_in_threads(self._worker(control), self.threads, stop, watch)
        finally:
            self.blocks_done = min(int(control[NEXT]), len(self.schedule))
        if self.blocks_done == len(self.schedule):
            self._end_epoch()

    def _end_epoch(self) -> None:
        from wordvec.kernels.compiling import interrupts_wait

        self._check_finite(f"after epoch {self.epoch + 1}")
        with interrupts_wait():  # all or nothing
            self.losses.append(float(self.block_losses.sum()) / len(self.cells.rows))
            self.epoch += 1
            self.blocks_done = 0
            self.block_losses[:] = 0
        self._report(0)

    def _control(self, blocks_done: int) -> np.ndarray:
        """Allocate the state shared by the threads of one kernel call."""
        from wordvec.kernels.glove import LINE, NEXT, TURNS

        bands = len(self.bounds) - 1
        control = np.zeros(TURNS + 2 * bands * LINE, np.int64)
        control[NEXT] = blocks_done
        done = self.schedule[:blocks_done, :2] + (0, bands)
        control[TURNS::LINE] = np.bincount(done.reshape(-1), minlength=2 * bands)
        return control

    def _worker(self, control: np.ndarray) -> Callable[[int], None]:
        from wordvec.kernels.glove import train_blocks

        words, contexts = self.tables
        rate = np.float32(self.settings.learning_rate)

        def train(thread: int) -> None:
            train_blocks(
                words, contexts, self.cells, self.bounds, self.schedule, self.stride, rate, self.block_losses, control,
                aligned(32, np.float32),
            )  # fmt: skip

        return train

    def _check_finite(self, when: str) -> None:
        if not self._is_finite():
            raise TrainingError(
                f"training diverged (NaN or infinity) {when}: learning_rate = {self.settings.learning_rate} is too "
                "high for these counts; lower it and start again"
            )

    def _is_finite(self) -> bool:
        flat = self.tables.reshape(-1)
        pieces = (flat[start : start + _PIECE] for start in range(0, flat.size, _PIECE))
        return all(bool(np.isfinite(piece).all()) for piece in pieces)

    def _result(self) -> GloveResult:
        source, size = self._cooccurrence, self.settings.vector_size
        rows = self.tables.reshape(2, -1, 2, self.stride)
        words, contexts = (side[:, 0, :size].copy() for side in rows)
        if self.settings.add_contexts:
            words += contexts
        vectors = WordVectors(
            source.vocabulary,
            frozen(words),
            context_vectors=frozen(contexts),
            tokenizer=source.tokenizer,
            lowercase=source.lowercase,
            normalize=source.normalize,
            settings=source.settings.file_record(self.settings.model, self.settings.record()),
        )
        return GloveResult(
            vectors,
            self.settings,
            cells=len(self.cells.rows),
            types=len(words),
            losses=self.losses,
            seconds=self.seconds,
            threads=self.threads,
        )

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"tables": self.tables, "block_losses": self.block_losses}

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        self._check_finite(f"in epoch {self.epoch + 1}")
        return self._arrays(), {"epoch": self.epoch, "blocks": self.blocks_done, "losses": self.losses}

    def _restore(self, saved: SavedTraining) -> None:
        saved.read_into(self._arrays())
        if not (self._is_finite() and np.isfinite(self.block_losses).all()):
            raise saved.damaged("its numbers must be finite")
        self.epoch = saved.whole("epoch", 0, self.settings.epochs)
        self.blocks_done = saved.whole("blocks", 0, len(self.schedule))
        self.losses = saved.numbers("losses", self.epoch)

    def _position(self) -> str:
        return f"in epoch {self.epoch + 1} of {self.settings.epochs}"

    # -- progress -----------------------------------------------------------------------------------------------------

    def _done(self) -> int:
        """Return the number of cells trained on in all epochs."""
        return self.epoch * len(self.cells.rows) + int(self._cells_by_block[self.blocks_done])

    def _report(self, blocks_done: int) -> None:
        if self._on_progress is None:
            return
        self.blocks_done = blocks_done
        done, total = self._done(), self.settings.epochs * len(self.cells.rows)
        rate = self._rate()
        within = done - self.epoch * len(self.cells.rows)
        last = self.losses[-1] if self.losses else math.nan
        self._on_progress(
            Progress(
                "training",
                done,
                total,
                "cells",
                per_second=rate,
                seconds_left=seconds_left(done, total, rate),
                epoch=self.epoch,
                epochs=self.settings.epochs,
                loss=float(self.block_losses.sum()) / within if within else last,
                learning_rate=self.settings.learning_rate,
            )
        )
