"""CBOW and skip-gram over shards of a corpus: rounds, checkpoints, progress."""

import contextlib
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.distributed.local import LocalShards
from wordvec.distributed.rounds import Facts, Job, Plan, first_rows
from wordvec.distributed.settings import ENOUGH_TOKENS, ShardSettings, sharded
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.errors import InputError
from wordvec.formats.safetensors import pack_tokens
from wordvec.system.progress import OnProgress, Progress, seconds_left
from wordvec.system.settings import or_defaults
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_kind
from wordvec.vectors.dense import WordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.assembly import Assembly
from wordvec.word2vec.callbacks import Monitor
from wordvec.word2vec.continuation import arrays_of, check_fits, frequencies
from wordvec.word2vec.epoch import LARGEST, EpochResult, Frequencies, TrainedRows, loss_of, warn_of_subsampling
from wordvec.word2vec.evaluated_run import EvaluatedRun
from wordvec.word2vec.objectives import check_softmax, subwords_of
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import ContinuationSettings, Word2VecSettings
from wordvec.word2vec.trees import TrainingTree

_log = logging.getLogger(__name__)


class Rounds(Protocol):
    """The rounds of all shards of a training."""

    def compile(self) -> None:
        """Compile kernels that this process needs, before the clock starts."""

    def run(self, number: int, rows: np.ndarray | None) -> Iterator[list[Facts]]:
        """Yield the facts of all shards after each round, beginning with round ``number`` over all epochs.

        Args:
            number: of the rounds before.
            rows: the table (2 V + U, D) float32 after those rounds; None: the first table.
        """

    def rows(self) -> np.ndarray:
        """Return the table after the last round that was yielded."""

    def timings(self) -> dict[str, float]:
        """Return seconds and bytes by purpose, so far."""

    def close(self) -> None:
        """Free the memory of the training."""


class Shards(Protocol):
    """An encoded corpus that can be trained in shards.

    Attributes:
        vocabulary: V tokens with counts.
        size: N, its tokens after those out of the vocabulary are dropped.
        longest: tokens of the longest sentence.
        raw_tokens, raw_types, tokenizer, lowercase, normalize: as of an ``EncodedCorpus``.
        workers: how many shards can be trained at once.
    """

    vocabulary: Vocabulary
    size: int
    longest: int
    raw_tokens: int
    raw_types: int
    tokenizer: str
    lowercase: bool
    normalize: str
    workers: int

    def digest(self, plan: Plan) -> bytes:
        """Return a digest of the tokens of all shards and rounds."""

    def start(self, job: Job, plan: Plan) -> Rounds:
        """Return the rounds of a training."""


@dataclass
class ShardedResult(Word2VecResult):
    """Vectors, losses and statistics of a training over shards.

    Beyond a ``Word2VecResult``: how the corpus was sharded, the number of rounds, a digest of the encoded corpus, and
    of the rounds since the training was started or resumed, their number, and the time and the bytes that the shards'
    training, the combination and the exchange took, by purpose.
    """

    sharding: ShardSettings = field(default_factory=ShardSettings)
    rounds: int = 0
    corpus_digest: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return all fields except the vectors as JSON-serializable values."""
        return {**super().summary(), **self.sharding.record(), "rounds": self.rounds, "timings": self.timings}


def train_sharded(
    corpus: EncodedCorpus | Shards,
    settings: Word2VecSettings | None = None,
    sharding: ShardSettings | None = None,
    *,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    initial: WordVectors | None = None,
    continuation: ContinuationSettings | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
    callbacks: Iterable[Any] = (),
    evaluate: Callable[[WordVectors], float] | None = None,
    evaluate_every: int = 1,
    evaluate_seconds: float | None = None,
    early_stopping: int | None = None,
) -> ShardedResult:
    """Train word vectors over shards of a corpus.

    The shards are a part of the result; how many threads, processes or machines train them is not.

    Args:
        corpus: from ``encode_corpus``, to train in threads; or from ``Cluster.encode``, to train on the workers of a
            Dask cluster, to the same bits.
        settings: None means the defaults, with a learning rate that grows with the shards (see ``sharded``).
        sharding: None means one shard.
        threads: None means one per core; the workers of a cluster have their own.
        on_progress, initial, continuation, callbacks, early_stopping: as of ``train_word2vec``.
        checkpoint, checkpoint_every, resume: as of ``train_word2vec``. A checkpoint is of the end of a round, and
            training resumes from it on any number of threads or workers.
        evaluate, evaluate_every, evaluate_seconds: as of ``train_word2vec``; here, between two rounds.

    Raises:
        InputError: settings out of range or contradictory, more shards than the corpus has text for, an existing
            checkpoint without ``resume``, or a checkpoint of another run.
        TrainingError: training diverged, memory is insufficient, or the cluster was lost.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat"] * 400)
        >>> settings = Word2VecSettings(vector_size=16, epochs=2)
        >>> result = train_sharded(corpus, settings, ShardSettings(shards=2))
        >>> result.vectors.vectors.shape, result.rounds
        ((4, 16), 8)
    """
    sharding = or_defaults(sharding, ShardSettings)
    settings = sharded(or_defaults(settings, Word2VecSettings), sharding.shards or 1)
    shards: Shards = LocalShards(corpus, worker_count(threads)) if isinstance(corpus, EncodedCorpus) else corpus
    if len(shards.vocabulary) < 2:
        raise InputError(
            f"training needs at least 2 types, but the vocabulary has {len(shards.vocabulary)}; lower min_count or use "
            "more text"
        )
    if shards.longest < 2:
        raise InputError("no two words are in the same sentence, so that no word has a context; pass sentences")
    monitor = Monitor(callbacks, evaluate, evaluate_every, evaluate_seconds, early_stopping)
    if initial is None and continuation is not None:
        raise InputError("continuation needs initial, the vectors to continue from")
    continuation = or_defaults(continuation, ContinuationSettings)
    counts = np.asarray(shards.vocabulary.counts)
    drawn_by = Frequencies(counts, int(counts.sum()))
    if initial is not None:
        check_kind("initial", initial, WordVectors)
        check_fits(initial, shards, settings, continuation)
        drawn_by = frequencies(initial, shards.vocabulary, continuation.initial_counts)
    warn_of_subsampling(counts, keep_probabilities(drawn_by.counts, settings.subsample, drawn_by.total), settings)
    check_softmax(settings, len(shards.vocabulary))
    sharding = sharding.resolved(shards.size, len(shards.vocabulary))
    plan = Plan.of(shards.size, sharding, settings.passes)
    if plan.shards > 1 and shards.size < plan.shards * ENOUGH_TOKENS:
        _log.warning(
            "%s shards have %s tokens each; below %s, vectors lose quality with every further shard",
            plan.shards, f"{shards.size // plan.shards:,}", f"{ENOUGH_TOKENS:,}",
        )  # fmt: skip
    saver = Checkpoint(checkpoint, checkpoint_every, resume)
    digest = shards.digest(plan)
    record = settings.record() | continuation.record() | sharding.record()
    saved = saver.begin(
        record,
        {"tokens": shards.size, "types": len(shards.vocabulary)},
        (*pack_tokens(shards.vocabulary.tokens), shards.vocabulary.counts, np.frombuffer(digest, np.uint8)),
        keeping=monitor.rule,
        initial=None if initial is None else arrays_of(initial),
    )
    tree = TrainingTree(shards.vocabulary, initial) if settings.loss == "hierarchical" else None
    buckets = subwords_of(settings, shards.vocabulary.tokens)[1]
    assembly = Assembly(shards, settings, buckets, tree, initial, record)
    job = Job(
        secrets.token_hex(8),
        shards.vocabulary,
        settings,
        min(settings.window, shards.longest),
        drawn_by,
        None if tree is None else tree.paths,
    )
    table = None
    if initial is not None:
        table = first_rows(job)
        known = assembly.start(_sides(table, len(shards.vocabulary)))
        if continuation.initial_rate != 1:
            job = replace(job, rated=known, rate=continuation.initial_rate)
    result = ShardedResult(
        vectors=None,  # type: ignore[arg-type]  # set at the end
        settings=settings,
        raw_tokens=shards.raw_tokens,
        types=len(shards.vocabulary),
        threads=shards.workers,
        sharding=sharding,
        rounds=plan.rounds * plan.epochs,
        corpus_digest=digest.hex(),
    )
    return ShardedRun(shards, job, plan, assembly, table, monitor, saver, result, on_progress).run(saved)


def _sides(table: np.ndarray, types: int) -> TrainedRows:
    """Return views of the rows of words, contexts and n-grams of a table (2 V + U, D)."""
    return TrainedRows(*np.split(table, (types, 2 * types)))


class ShardedRun(EvaluatedRun):
    """A training over shards; its state between two rounds is the table, and the losses so far."""

    def __init__(
        self,
        shards: Shards,
        job: Job,
        plan: Plan,
        assembly: Assembly,
        table: np.ndarray | None,
        monitor: Monitor,
        checkpoint: Checkpoint,
        result: ShardedResult,
        on_progress: OnProgress | None,
    ) -> None:
        super().__init__(checkpoint, monitor, result)
        self.result: ShardedResult = result
        self.corpus = shards
        self._job, self._plan, self._assembly, self._on_progress = job, plan, assembly, on_progress
        self._table = table  # None: that of the rounds
        self._number = 0  # of finished rounds
        self._restored = 0  # of them, those of the run that is resumed
        self._loss, self._kept = np.zeros(6), 0  # of the current epoch

    @property
    def position(self) -> float:
        """Finished epochs, plus the finished part of the current one."""
        return self._number / self._plan.rounds

    def vectors(self) -> WordVectors:
        """Return a copy of the current vectors."""
        if self.result.vectors is not None:
            return self.result.vectors
        return self._assembly.vectors(_sides(self._current_table().copy(), len(self._job.vocabulary)))

    def run(self, saved: SavedTraining | None) -> ShardedResult:
        """Train to the end, from the beginning or from a saved state."""
        with contextlib.closing(self.corpus.start(self._job, self._plan)) as self._rounds:
            self._report()
            self._run_to_end(saved)
            best = self._take_best()
            table = self._current_table() if best is None else best
            self.result.timings = {"rounds": self._number - self._restored, **self._rounds.timings()}
        self.result.seconds, self.result.rounds = self.seconds, self._number
        self.result.vectors = self._assembly.vectors(_sides(table, len(self._job.vocabulary)))
        self._monitor.callbacks("on_end", self)
        return self.result

    def _compile(self) -> None:
        self._rounds.compile()

    def _train(self) -> None:
        from wordvec.kernels.compiling import interrupts_wait

        self._begin()
        self._end_epoch_if_done()  # a resumed run may have been stopped before
        if self._is_over():
            return
        for facts in self._rounds.run(self._number, self._table):
            with interrupts_wait():
                self._table = None
                self._number += 1
                for each in facts:  # in shard order
                    self._loss += each.loss
                    self._kept += each.kept
            self._report()
            ended = self._end_epoch_if_done()
            self._save_if_due()
            if ended and self._is_over():
                return
            if self._monitor.clock.is_due():
                self._evaluate()

    def _end_epoch_if_done(self) -> bool:
        done = self._number == (self.epoch + 1) * self._plan.rounds
        if done:
            self._end_epoch(EpochResult(*loss_of(self._loss), self._kept))
        return done

    def _reset_epoch(self) -> None:
        self._loss, self._kept = np.zeros(6), 0

    def _current_table(self) -> np.ndarray:
        return self._rounds.rows() if self._table is None else self._table

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, reached = self._state_of_epochs()
        own = {"table": self._current_table(), "loss": self._loss}
        return own | arrays, reached | {"rounds": self._number, "kept": self._kept}

    def _restore(self, saved: SavedTraining) -> None:
        plan, settings = self._plan, self.settings
        ngrams = len(subwords_of(settings, self._job.vocabulary.tokens)[1])
        rows = 2 * len(self._job.vocabulary) + ngrams
        self._table = np.empty((rows, settings.vector_size), np.float32)
        self._restore_epochs(saved, {"table": self._table, "loss": self._loss}, self._table)
        if not np.abs(self._table).max() <= LARGEST:
            raise saved.damaged("its vectors must be finite")
        least = self.epoch * plan.rounds
        self._number = saved.whole("rounds", least, min(least + plan.rounds, plan.rounds * plan.epochs))
        self._restored = self._number
        self._kept = saved.whole("kept", 0, plan.tokens)

    def _position(self) -> str:
        return f"{self.position:.2f} epochs of {self._plan.epochs}"

    # -- progress -----------------------------------------------------------------------------------------------------

    def _done(self) -> float:
        """Return the raw tokens trained on in all epochs."""
        return self.position * self.corpus.raw_tokens

    def _report(self) -> None:
        if self._on_progress is None:
            return
        plan, rate, done = self._plan, self._rate(), self._done()
        total = plan.epochs * self.corpus.raw_tokens
        ended = self._number == (self.epoch + 1) * plan.rounds
        self._on_progress(
            Progress(
                "training",
                round(done),
                total,
                "tokens",
                per_second=rate,
                seconds_left=seconds_left(done, total, rate),
                epoch=min(self.epoch, plan.epochs - 1),
                epochs=plan.epochs,
                loss=loss_of(self._loss)[0],
                learning_rate=plan.place(self.settings, self._number, 0).first_rate,
                epoch_done=ended,
            )
        )
