"""The training engine of CBOW and skip-gram: settings, epochs, schedule, lanes, threads."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.encoded import EncodedCorpus
from wordvec.errors import InputError, TrainingError, VocabularyError
from wordvec.sampling import alias_table, keep_probabilities, noise_probabilities
from wordvec.threads import run_in_threads, worker_count
from wordvec.vectors import WordVectors

if TYPE_CHECKING:
    from wordvec.kernels.slices import Lane, Step
    from wordvec.kernels.tile import Tile

_log = logging.getLogger(__name__)

_TILE = 4
"""Centres computed at once; the kernels' own number."""

_RATES = {("skipgram", "sum"): 0.025, ("cbow", "sum"): 0.05, ("cbow", "mean"): 0.075}
_SHARED = {"skipgram": (24, 12), "cbow": (8, 4)}


@dataclass(frozen=True)
class Word2VecSettings:
    """What decides the vectors, given the corpus. Nothing here depends on the machine.

    Attributes:
        model: "skipgram" or "cbow" (Mikolov et al. 2013, arXiv 1301.3781).
        vector_size: D.
        window: the radius of each centre is drawn from 1 .. window.
        negatives: K of the objective (arXiv 1310.4546, eq. 4).
        epochs: times the corpus is gone through.
        learning_rate, min_learning_rate: it falls linearly from the first to the second over all epochs. None: 0.025
            for skip-gram, 0.05 for CBOW, 0.075 for CBOW with the mean's gradient.
        subsample: frequent tokens are kept with probability sqrt(t/f) + t/f; 0 keeps all.
        noise_exponent: negatives are drawn by count to this power.
        cbow_gradient: "sum" passes the gradient of the averaged contexts on to each of them whole, as word2vec.c and
            gensim do; "mean" divides it by their number, the true gradient.
        seed: of every random draw.
        mode: "reproducible", the same bits at any number of threads, or "hogwild", threads that do not wait.
        shared_negatives: S negatives that a centre is scored with, each weighted K/S. None: 24, for CBOW 8.
        block_size: centres that a negative serves before a new one takes its place. None: 12, for CBOW 4.
        lanes: parts of the corpus trained side by side, at most; more of them feed more threads. A small vocabulary
            bears fewer, see ``safe_lanes``.
        lane_tokens: tokens of a lane between two exchanges with the others.
    """

    model: str = "skipgram"
    vector_size: int = 100
    window: int = 5
    negatives: int = 5
    epochs: int = 5
    learning_rate: float | None = None
    min_learning_rate: float = 1e-4
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    cbow_gradient: str = "sum"
    seed: int = 1
    mode: str = "reproducible"
    shared_negatives: int | None = None
    block_size: int | None = None
    lanes: int = 8
    lane_tokens: int = 128

    def resolved(self) -> "Word2VecSettings":
        """The same settings with every None replaced by what it stands for, checked.

        Raises:
            InputError: a setting out of range.

        Example:
            >>> Word2VecSettings(model="cbow").resolved().learning_rate
            0.05
        """
        _check_choice("model", self.model, ("skipgram", "cbow"))
        _check_choice("cbow_gradient", self.cbow_gradient, ("sum", "mean"))
        _check_choice("mode", self.mode, ("reproducible", "hogwild"))
        for name in ("vector_size", "window", "negatives", "epochs", "lanes"):
            _check_least(name, getattr(self, name), 1)
        _check_least("lane_tokens", self.lane_tokens, 64)
        _check_least("subsample", self.subsample, 0)
        _check_least("seed", self.seed, 0)
        if not math.isfinite(self.noise_exponent):
            raise InputError(f"noise_exponent must be a finite number, got {self.noise_exponent}")
        shared, block = _SHARED[self.model]
        gradient = self.cbow_gradient if self.model == "cbow" else "sum"
        chosen = replace(
            self,
            learning_rate=_RATES[self.model, gradient] if self.learning_rate is None else self.learning_rate,
            shared_negatives=shared if self.shared_negatives is None else self.shared_negatives,
            block_size=block if self.block_size is None else self.block_size,
        )
        chosen._check_rates()
        chosen._check_block()
        return chosen

    def _check_rates(self) -> None:
        rate = self.learning_rate or 0.0
        if not (math.isfinite(rate) and rate > 0):
            raise InputError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.min_learning_rate <= rate:
            raise InputError(
                f"min_learning_rate must lie between 0 and learning_rate = {rate}, got {self.min_learning_rate}"
            )

    def _check_block(self) -> None:
        shared, block = self.shared_negatives or 0, self.block_size or 0
        if shared < _TILE or shared % _TILE:
            raise InputError(f"shared_negatives must be a multiple of {_TILE}, got {shared}")
        if block < _TILE or shared * _TILE % block:
            raise InputError(
                f"block_size must be at least {_TILE} and divide {_TILE} x shared_negatives = {_TILE * shared}, "
                f"got {block}"
            )

    @property
    def fresh_negatives(self) -> int:
        """New negatives for every four centres (of resolved settings)."""
        return (self.shared_negatives or 0) * _TILE // (self.block_size or 1)


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
    contexts), epoch by epoch, estimated on a fixed sample of one in 64 centres or more, with ``loss_errors`` their
    standard errors.
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
    started = time.perf_counter()
    for epoch in range(settings.epochs):
        trainer.train_epoch(epoch)
    trainer.result.seconds = time.perf_counter() - started
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
        lanes = safe_lanes(counts * keep, settings) if self.reproducible else threads
        self.threads = min(threads, lanes)
        self.text = Text(
            ids=np.asarray(corpus.ids),
            offsets=np.asarray(corpus.offsets),
            keep_thresholds=np.rint(keep * 2.0**32).astype(np.uint64),
            noise_table=alias_table(noise_probabilities(counts, settings.noise_exponent)),
        )
        self.stride = -(-settings.vector_size // 16) * 16
        self.table = _first_table(len(counts), settings.vector_size, self.stride, settings.seed)
        self.bounds = _lane_bounds(corpus, lanes)
        self.lanes, self.tiles, self.deltas = _allocate(settings, self.bounds, self.threads, self.stride, len(counts))
        self.result = Word2VecResult(
            vectors=None,  # type: ignore[arg-type]  # set by finish()
            settings=settings,
            raw_tokens=corpus.raw_tokens,
            types=len(counts),
            threads=self.threads,
        )
        self.started = time.perf_counter()

    def train_epoch(self, epoch: int) -> None:
        from wordvec.kernels.lanes import STOP, train_freely, train_rounds
        from wordvec.kernels.slices import KEPT, POSITION, SENTENCE

        self.lanes.state[:] = 0
        self.lanes.loss[:] = 0
        self.lanes.state[:, POSITION] = self.bounds[:-1]
        self.lanes.state[:, SENTENCE] = np.searchsorted(self.text.offsets[1:], self.bounds[:-1], side="right")
        step = self._step(epoch)
        control = np.zeros(24, np.int64)
        size = self.settings.lane_tokens
        divide = None if self.settings.model == "skipgram" else self.settings.cbow_gradient == "mean"

        def work(thread: int) -> None:
            if self.reproducible:
                train_rounds(
                    self.table, self.deltas, self.lanes, self.tiles, self.text, step, divide,
                    self.bounds, size, thread, self.threads, control,
                )  # fmt: skip
            else:
                train_freely(
                    self.table, self.lanes, self.tiles, self.text, step, divide, self.bounds, size, thread, control
                )

        def stop() -> None:
            control[STOP] = 1

        run_in_threads(work, self.threads, stop, lambda: self._report(epoch, step))
        self._check_finite(epoch)
        loss, error = _loss(self.lanes.loss.sum(axis=0))
        self.result.losses.append(loss)
        self.result.loss_errors.append(error)
        self.result.effective_tokens.append(int(self.lanes.state[:, KEPT].sum()))
        self._report(epoch, step)

    def finish(self) -> Word2VecResult:
        size, types = self.settings.vector_size, self.result.types
        rows = self.table.reshape(-1, self.stride)
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
            negatives=settings.negatives,
            shared=settings.shared_negatives or 0,
            fresh=settings.fresh_negatives,
            stride=self.stride,
            vocabulary=self.result.types,
            key=key,
            first_rate=first - fall * epoch,
            last_rate=first - fall * (epoch + 1),
        )

    def _check_finite(self, epoch: int) -> None:
        if not np.isfinite(self.table).all():
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


def _first_table(types: int, size: int, stride: int, seed: int) -> np.ndarray:
    """Input rows uniform in -1/(2D) .. 1/(2D) as in word2vec.c, output rows and the padding row zero."""
    table = _aligned((2 * types + 1) * stride, np.float32)
    rows = table.reshape(-1, stride)
    random = np.random.Generator(np.random.PCG64([seed, 2]))
    rows[:types, :size] = (random.random((types, size), np.float32) - np.float32(0.5)) / np.float32(size)
    return table


def _lane_bounds(corpus: EncodedCorpus, lanes: int) -> np.ndarray:
    """(L + 1,) int64: lanes of about the same number of tokens. A border may cut a window."""
    return np.linspace(0, len(corpus.ids), lanes + 1).astype(np.int64)


def _allocate(
    settings: Word2VecSettings, bounds: np.ndarray, threads: int, stride: int, types: int
) -> tuple["Lane", "Tile", np.ndarray]:
    """The lanes' buffers, the threads' scratch and the lanes' deltas, no two rows on one cache line."""
    from wordvec.kernels.slices import Lane
    from wordvec.kernels.tile import Tile

    lanes = len(bounds) - 1
    reproducible = settings.mode == "reproducible"
    shared, fresh = settings.shared_negatives or 0, settings.fresh_negatives
    # Tokens of a slice, and what the one before leaves: centres that wait for their window, and a window before them.
    buffer = settings.lane_tokens + 4 * settings.window + 2 * _TILE
    draws = shared + (buffer // _TILE + 1) * fresh
    rows = 2 * buffer + draws + 1
    # A tile's rows: its negatives, and all places that four windows reach.
    in_tile = shared + 2 * settings.window + 3 * _TILE

    def block(count: int, size: int, dtype: type) -> np.ndarray:
        padded = -(-size * np.dtype(dtype).itemsize // 64) * 64 // np.dtype(dtype).itemsize
        return _aligned(count * padded, dtype).reshape(count, padded)

    lane_arrays = Lane(
        state=block(lanes, 8, np.int64),
        loss=block(lanes, 6, np.float64),
        token_ids=block(lanes, buffer, np.int32),
        positions=block(lanes, buffer, np.int64),
        sentences=block(lanes, buffer, np.int64),
        left=block(lanes, buffer, np.int64),
        right=block(lanes, buffer, np.int64),
        input_slots=block(lanes, buffer, np.int64),
        output_slots=block(lanes, buffer, np.int64),
        negative_ids=block(lanes, draws, np.int32),
        negative_slots=block(lanes, draws, np.int64),
        touched=block(lanes, rows if reproducible else 1, np.int32),
    )
    tile_arrays = Tile(
        rows=block(threads, in_tile, np.int64),
        slots=block(threads, in_tile, np.int64),
        weights=block(threads, 4 * in_tile, np.float32),
        targets=block(threads, 4 * in_tile, np.float32),
        scores=block(threads, 4 * in_tile, np.float32),
        gradients=block(threads, 4 * in_tile, np.float32),
        pair_weights=block(threads, 16, np.float32),
        hidden=block(threads, 8 * stride, np.float32),
        slot_of_row=block(threads, 2 * types + 1 if reproducible else 1, np.int32),
    )
    tile_arrays.slot_of_row[:] = -1
    return lane_arrays, tile_arrays, block(lanes, rows * stride if reproducible else 1, np.float32)


def _aligned(size: int, dtype: type) -> np.ndarray:
    """(size,) zeros that start on a cache line."""
    itemsize = np.dtype(dtype).itemsize
    memory: np.ndarray = np.zeros(size + 64 // itemsize, dtype)
    start = -memory.ctypes.data % 64 // itemsize
    return memory[start : start + size]


def _loss(sums: np.ndarray) -> tuple[float, float]:
    """Mean loss a pair and its standard error, from the sums over the sampled tiles (a ratio estimate)."""
    from wordvec.kernels.tile import LOSS_PAIRS, LOSS_SQUARES, LOSS_SUM, LOSS_TIMES_PAIRS, PAIR_SQUARES

    if sums[LOSS_PAIRS] == 0:
        return math.nan, math.nan
    mean = sums[LOSS_SUM] / sums[LOSS_PAIRS]
    squares = sums[LOSS_SQUARES] - 2 * mean * sums[LOSS_TIMES_PAIRS] + mean**2 * sums[PAIR_SQUARES]
    return float(mean), float(math.sqrt(max(squares, 0.0)) / sums[LOSS_PAIRS])


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _check_least(name: str, value: float, least: float) -> None:
    if not value >= least or not math.isfinite(value):
        raise InputError(f"{name} must be at least {least}, got {value}")
