"""The training engine of CBOW and skip-gram: settings, epochs, schedule, lanes, threads."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.encoded import EncodedCorpus
from wordvec.errors import TrainingError, VocabularyError
from wordvec.memory import allocate, first_memory, lane_bounds, safe_lanes, touched_rows, user_counts
from wordvec.sampling import alias_table, distance_weights, keep_probabilities, noise_probabilities, tile_weights
from wordvec.settings import TILE, Word2VecSettings
from wordvec.threads import run_in_threads, worker_count
from wordvec.vectors import WordVectors

if TYPE_CHECKING:
    from wordvec.kernels.slices import Step


_log = logging.getLogger(__name__)

_LOSS_SAMPLE = 256
"""One tile of four centres in so many, chosen by position, has its loss computed in a large corpus."""

_LOSS_TOKENS = 16_384
"""Below this number of tokens every tile has: at least a few thousand pairs a report."""


@dataclass(frozen=True)
class Progress:
    """How far training is. Tokens are raw ones, before subsampling and ``min_count``."""

    epoch: int
    epochs: int
    tokens: int
    total_tokens: int
    tokens_per_second: float
    seconds_left: float
    loss: float
    learning_rate: float


@dataclass
class Word2VecResult:
    """What training learned and what it took.

    ``losses`` are the true negative-sampling loss a pair in nats (skip-gram: centre and context; CBOW: centre and its
    contexts), epoch by epoch: of all pairs in a small corpus, estimated on a fixed sample of them in a large one, with
    ``loss_errors`` their standard errors.
    """

    vectors: WordVectors
    settings: Word2VecSettings
    raw_tokens: int
    types: int
    losses: list[float] = field(default_factory=list)
    loss_errors: list[float] = field(default_factory=list)
    effective_tokens: list[int] = field(default_factory=list)
    seconds: float = 0.0
    threads: int = 1

    def summary(self) -> dict[str, Any]:
        """All of it but the vectors, as JSON can write it."""
        return {
            "settings": asdict(self.settings),
            "raw_tokens": self.raw_tokens,
            "types": self.types,
            "effective_tokens": self.effective_tokens,
            "losses": self.losses,
            "loss_errors": self.loss_errors,
            "seconds": self.seconds,
            "threads": self.threads,
            "tokens_per_second": self.raw_tokens * len(self.losses) / max(self.seconds, 1e-9),
        }


def train_word2vec(
    corpus: EncodedCorpus,
    settings: Word2VecSettings | None = None,
    *,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Word2VecResult:
    """Train word vectors on an encoded corpus.

    Args:
        corpus: from ``encode_corpus``.
        settings: None means the defaults.
        threads: None means one a core. In reproducible mode it changes the time, never a bit of the vectors.
        on_progress: called now and then from the calling thread.

    Raises:
        InputError: settings out of range.
        VocabularyError: fewer than two types, so that there is no noise to tell a word from.
        TrainingError: numbers went beyond float32.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat"] * 50)
        >>> result = train_word2vec(corpus, Word2VecSettings(vector_size=16, epochs=2))
        >>> result.vectors.vectors.shape, len(result.losses)
        ((4, 16), 2)
    """
    settings = (settings or Word2VecSettings()).resolved()
    if len(corpus.vocabulary) < 2:
        raise VocabularyError(
            f"training needs at least 2 types, the vocabulary has {len(corpus.vocabulary)}; lower min_count or give "
            "more text"
        )
    trainer = _Trainer(corpus, settings, worker_count(threads), on_progress)
    trainer.compile()
    for epoch in range(settings.epochs):
        trainer.train_epoch(epoch)
    trainer.result.seconds = time.perf_counter() - trainer.started
    return trainer.finish()


class _Trainer:
    """One training: the tables, the lanes and what happens in an epoch."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        settings: Word2VecSettings,
        threads: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        from wordvec.kernels.slices import Text

        self.corpus, self.settings, self.on_progress = corpus, settings, on_progress
        self.reproducible = settings.mode == "reproducible"
        counts = np.asarray(corpus.vocabulary.counts)
        keep = keep_probabilities(counts, settings.subsample)
        kept_share = (counts * keep).sum() / counts.sum()
        if kept_share < 0.25:
            _log.warning(
                "subsample = %g keeps only %.0f %% of this text, whose words are few and frequent; 0 keeps all",
                settings.subsample,
                100 * kept_share,
            )
        lanes = safe_lanes(counts * keep, settings) if self.reproducible else threads
        self.threads = min(threads, lanes)
        self.text = Text(
            ids=np.asarray(corpus.ids),
            offsets=np.asarray(corpus.offsets),
            keep_thresholds=np.rint(keep * 2.0**32).astype(np.uint64),
            noise_table=alias_table(noise_probabilities(counts, settings.noise_exponent)),
            distance_weights=distance_weights(settings.window, settings.window_weights == "sampled"),
            tile_weights=tile_weights(settings.window, TILE),
        )
        self.stride = -(-settings.vector_size // 16) * 16
        # The first private row of a lane stands for a row that is not there; the others are copies of shared rows.
        self.private_rows = 1 + touched_rows(settings) if self.reproducible else 1
        self.memory = first_memory(
            len(counts), settings.vector_size, self.stride, lanes * self.private_rows, settings.seed
        )
        self.bounds = lane_bounds(corpus, lanes)
        self.lanes, self.tiles = allocate(settings, lanes, self.threads, self.stride, len(counts))
        self.users = user_counts(len(counts), self.threads)
        self.result = Word2VecResult(
            vectors=None,  # type: ignore[arg-type]  # set by finish()
            settings=settings,
            raw_tokens=corpus.raw_tokens,
            types=len(counts),
            threads=self.threads,
        )
        self.started = time.perf_counter()

    def compile(self) -> None:
        """Have the kernel compiled, or read from the cache, before the clock starts: train on no tokens at all."""
        from wordvec.kernels.lanes import CONTROL, LINE
        from wordvec.kernels.slices import POSITION

        step = self._step(0)
        self.lanes.state[:, POSITION] = self.bounds[:-1]
        self._report(0, step)
        self._worker(
            step, np.zeros_like(self.bounds), np.zeros(CONTROL + len(self.lanes.state) * LINE, np.int64), threads=1
        )(0)
        self.started = time.perf_counter()

    def train_epoch(self, epoch: int) -> None:
        from wordvec.kernels.lanes import CONTROL, LINE, STOP
        from wordvec.kernels.slices import KEPT

        self._start_lanes()
        step = self._step(epoch)
        control = np.zeros(CONTROL + len(self.lanes.state) * LINE, np.int64)

        def stop() -> None:
            control[STOP] = 1

        work = self._worker(step, self.bounds, control, self.threads)
        run_in_threads(work, self.threads, stop, lambda: self._report(epoch, step))
        self._check_finite(epoch)
        loss, error = _loss(self.lanes.loss.sum(axis=0))
        self.result.losses.append(loss)
        self.result.loss_errors.append(error)
        self.result.effective_tokens.append(int(self.lanes.state[:, KEPT].sum()))
        self._report(epoch, step)

    def _start_lanes(self) -> None:
        """Put every lane at its start."""
        from wordvec.kernels.slices import POSITION, PRIVATE, SENTENCE

        self.lanes.state[:] = 0
        self.lanes.loss[:] = 0
        first = 2 * self.result.types + np.arange(len(self.lanes.state)) * self.private_rows
        self.lanes.state[:, PRIVATE] = first * self.stride
        self.lanes.state[:, POSITION] = self.bounds[:-1]
        self.lanes.state[:, SENTENCE] = np.searchsorted(self.text.offsets[1:], self.bounds[:-1], side="right")

    def _worker(self, step: "Step", bounds: np.ndarray, control: np.ndarray, threads: int) -> Callable[[int], None]:
        """What each of ``threads`` threads does in an epoch, as a function of its number."""
        from wordvec.kernels.lanes import train_freely, train_rounds

        size = self.settings.lane_tokens
        divide = None if self.settings.model == "skipgram" else self.settings.cbow_gradient == "mean"

        def train_in_rounds(thread: int) -> None:
            train_rounds(
                self.memory, self.lanes, self.tiles, self.users, self.text, step, divide, bounds, size,
                thread, threads, control,
            )  # fmt: skip

        def train_at_will(thread: int) -> None:
            train_freely(self.memory, self.lanes, self.tiles, self.text, step, divide, bounds, size, thread, control)

        return train_in_rounds if self.reproducible else train_at_will

    def finish(self) -> Word2VecResult:
        size, types = self.settings.vector_size, self.result.types
        rows = self.memory.reshape(-1, self.stride)
        self.result.vectors = WordVectors(
            self.corpus.vocabulary,
            rows[:types, :size],
            context_vectors=rows[types : 2 * types, :size],
            tokenizer=self.corpus.tokenizer,
            lowercase=self.corpus.lowercase,
            settings=asdict(self.settings),
        )
        return self.result

    def _step(self, epoch: int) -> "Step":
        from wordvec.kernels.slices import Step

        settings = self.settings
        first, last = settings.learning_rate or 0.0, settings.min_learning_rate
        fall = (first - last) / settings.epochs
        key = np.random.SeedSequence([settings.seed, epoch]).generate_state(1, np.uint64)[0]
        return Step(
            window=settings.window,
            sampled=settings.window_weights == "sampled",
            negatives=settings.negatives,
            shared=settings.shared_negatives or 0,
            fresh=settings.fresh_negatives,
            stride=self.stride,
            vocabulary=self.result.types,
            loss_sample=int(np.clip(len(self.text.ids) // _LOSS_TOKENS, 1, _LOSS_SAMPLE)),
            key=key,
            first_rate=first - fall * epoch,
            last_rate=first - fall * (epoch + 1),
        )

    def _check_finite(self, epoch: int) -> None:
        if not np.isfinite(self.memory).all():
            raise TrainingError(
                f"the vectors are no longer numbers after epoch {epoch + 1}: learning_rate = "
                f"{self.settings.learning_rate} is too high for this corpus; lower it"
            )

    def _report(self, epoch: int, step: "Step") -> None:
        from wordvec.kernels.slices import POSITION

        if self.on_progress is None:
            return
        total = len(self.text.ids)
        done = int((self.lanes.state[:, POSITION] - self.bounds[:-1]).sum())
        raw = self.corpus.raw_tokens / max(total, 1)
        tokens = (epoch * total + done) * raw
        all_tokens = self.settings.epochs * total * raw
        rate = tokens / max(time.perf_counter() - self.started, 1e-9)
        part = done / max(total, 1)
        self.on_progress(
            Progress(
                epoch=epoch,
                epochs=self.settings.epochs,
                tokens=round(tokens),
                total_tokens=round(all_tokens),
                tokens_per_second=rate,
                seconds_left=(all_tokens - tokens) / max(rate, 1e-9),
                loss=_loss(self.lanes.loss.sum(axis=0))[0],
                learning_rate=step.first_rate + (step.last_rate - step.first_rate) * part,
            )
        )


def _loss(sums: np.ndarray) -> tuple[float, float]:
    """Mean loss a pair and its standard error, from the sums over the sampled tiles (a ratio estimate)."""
    from wordvec.kernels.tile import LOSS_PAIRS, LOSS_SQUARES, LOSS_SUM, LOSS_TIMES_PAIRS, PAIR_SQUARES

    if sums[LOSS_PAIRS] == 0:
        return math.nan, math.nan
    mean = sums[LOSS_SUM] / sums[LOSS_PAIRS]
    squares = sums[LOSS_SQUARES] - 2 * mean * sums[LOSS_TIMES_PAIRS] + mean**2 * sums[PAIR_SQUARES]
    return float(mean), float(math.sqrt(max(squares, 0.0)) / sums[LOSS_PAIRS])
