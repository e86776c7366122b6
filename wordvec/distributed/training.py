"""CBOW and skip-gram over shards of a corpus: rounds, checkpoints, progress."""

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from wordvec.checkpointing.checkpoint import Checkpoint, SavedTraining
from wordvec.checkpointing.resumable_run import ResumableRun
from wordvec.distributed.local import LocalShards
from wordvec.distributed.rounds import Facts, Job, Plan
from wordvec.distributed.settings import ENOUGH_TOKENS, ShardSettings, sharded
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.errors import InputError
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.table import SubwordTable
from wordvec.system.progress import OnProgress, Progress, seconds_left
from wordvec.system.settings import or_defaults
from wordvec.system.structures import frozen
from wordvec.system.threads import worker_count
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.epoch import LARGEST, loss_of, warn_of_subsampling
from wordvec.word2vec.objectives import check_softmax, subwords_of
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import Word2VecSettings, ngram_lengths

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
    the time and the bytes that the shards' training, the combination and the exchange took, by purpose.
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
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> ShardedResult:
    """Train word vectors over shards of a corpus.

    The shards are a part of the result; how many threads, processes or machines train them is not.

    Args:
        corpus: from ``encode_corpus``, to train in threads; or from ``Cluster.encode``, to train on the workers of a
            Dask cluster, to the same bits.
        settings: None means the defaults, with a learning rate that grows with the shards (see ``sharded``).
        sharding: None means one shard.
        threads: None means one per core; the workers of a cluster have their own.
        on_progress, checkpoint, checkpoint_every, resume: as of ``train_word2vec``. A checkpoint is of the end of a
            round, and training resumes from it on any number of threads or workers.

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
    counts = np.asarray(shards.vocabulary.counts)
    warn_of_subsampling(counts, keep_probabilities(counts, settings.subsample), settings)
    check_softmax(settings, len(shards.vocabulary))
    sharding = sharding.resolved(shards.size, len(shards.vocabulary))
    plan = Plan.of(shards.size, sharding, settings.epochs)
    if plan.shards > 1 and shards.size < plan.shards * ENOUGH_TOKENS:
        _log.warning(
            "%s shards have %s tokens each; below %s, vectors lose quality with every further shard",
            plan.shards, f"{shards.size // plan.shards:,}", f"{ENOUGH_TOKENS:,}",
        )  # fmt: skip
    saver = Checkpoint(checkpoint, checkpoint_every, resume)
    digest = shards.digest(plan)
    saved = saver.begin(
        settings.record() | sharding.record(),
        {"tokens": shards.size, "types": len(shards.vocabulary)},
        (*pack_tokens(shards.vocabulary.tokens), shards.vocabulary.counts, np.frombuffer(digest, np.uint8)),
    )
    job = Job(secrets.token_hex(8), shards.vocabulary, settings, min(settings.window, shards.longest))
    return ShardedRun(shards, job, plan, sharding, saver, digest.hex(), on_progress).run(saved)


class ShardedRun(ResumableRun):
    """A training over shards; its state between two rounds is the table and the losses so far."""

    def __init__(
        self,
        shards: Shards,
        job: Job,
        plan: Plan,
        sharding: ShardSettings,
        checkpoint: Checkpoint,
        digest: str,
        on_progress: OnProgress | None,
    ) -> None:
        super().__init__(checkpoint)
        self._shards, self._job, self._plan, self._on_progress = shards, job, plan, on_progress
        self.result = ShardedResult(
            vectors=None,  # type: ignore[arg-type]  # set at the end
            settings=job.settings,
            raw_tokens=shards.raw_tokens,
            types=len(job.vocabulary),
            threads=shards.workers,
            sharding=sharding,
            rounds=plan.rounds * plan.epochs,
            corpus_digest=digest,
        )
        self.number = 0
        self._table: np.ndarray | None = None
        self._loss, self._kept = np.zeros(6), 0  # of the current epoch

    def run(self, saved: SavedTraining | None) -> ShardedResult:
        """Train to the end, from the beginning or from a saved state."""
        with contextlib.closing(self._shards.start(self._job, self._plan)) as self._rounds:
            self._report()
            self._run_to_end(saved)
            self._table = self._rounds.rows()
            self.result.timings = self._rounds.timings()
        self.result.seconds, self.result.kept_epoch = self.seconds, self._plan.epochs
        self.result.vectors = self._vectors(self._table)
        return self.result

    def _compile(self) -> None:
        self._rounds.compile()

    def _train(self) -> None:
        for facts in self._rounds.run(self.number, self._table):
            self._table = None
            self.number += 1
            for each in facts:  # in shard order
                self._loss += each.loss
                self._kept += each.kept
            if self.number % self._plan.rounds == 0:
                self._end_epoch()
            self._report()
            self._save_if_due()

    def _end_epoch(self) -> None:
        result, (loss, error) = self.result, loss_of(self._loss)
        result.losses.append(loss)
        result.loss_errors.append(error)
        result.scores.append(None)
        result.effective_tokens.append(self._kept)
        self._loss, self._kept = np.zeros(6), 0

    def _vectors(self, table: np.ndarray) -> WordVectors:
        vocabulary, settings = self._job.vocabulary, self._job.settings
        words, contexts, ngrams = np.split(table, (len(vocabulary), 2 * len(vocabulary)))
        how: dict[str, Any] = {
            "context_vectors": None if settings.loss == "hierarchical" else frozen(contexts),
            "tokenizer": self._shards.tokenizer,
            "lowercase": self._shards.lowercase,
            "normalize": self._shards.normalize,
            "settings": settings.record() | self.result.sharding.record(),
        }
        if settings.subwords is None:
            return WordVectors(vocabulary, frozen(words), **how)
        least, most = ngram_lengths(settings.subwords)
        buckets = subwords_of(settings, vocabulary.tokens)[1]
        return SubwordVectors(vocabulary, SubwordTable(least, most, settings.buckets, words, ngrams, buckets), **how)

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        result = self.result
        table = self._rounds.rows() if self._table is None else self._table
        reached = {
            **{"rounds": self.number, "losses": result.losses, "loss_errors": result.loss_errors},
            **{"effective_tokens": result.effective_tokens, "kept": self._kept},
        }
        return {"table": table, "loss": self._loss}, reached

    def _restore(self, saved: SavedTraining) -> None:
        result, plan = self.result, self._plan
        ngrams = len(subwords_of(self._job.settings, self._job.vocabulary.tokens)[1])
        rows = 2 * len(self._job.vocabulary) + ngrams
        self._table = np.empty((rows, self._job.settings.vector_size), np.float32)
        saved.read_into({"table": self._table, "loss": self._loss})
        if not np.abs(self._table).max() <= LARGEST:
            raise saved.damaged("its vectors must be finite")
        self.number = saved.whole("rounds", 0, plan.rounds * plan.epochs)
        self._kept = saved.whole("kept", 0, plan.tokens)
        epochs = self.number // plan.rounds
        result.losses, result.loss_errors = saved.numbers("losses", epochs), saved.numbers("loss_errors", epochs)
        result.effective_tokens = [round(count) for count in saved.numbers("effective_tokens", epochs, missing=False)]
        result.scores = [None] * epochs

    def _position(self) -> str:
        return f"{self.number / self._plan.rounds:.2f} epochs of {self._plan.epochs}"

    # -- progress -----------------------------------------------------------------------------------------------------

    def _done(self) -> float:
        """Return the raw tokens trained on in all epochs."""
        return self.number / self._plan.rounds * self._shards.raw_tokens

    def _report(self) -> None:
        if self._on_progress is None:
            return
        plan, rate, done = self._plan, self._rate(), self._done()
        total = plan.epochs * self._shards.raw_tokens
        epoch = min(self.number // plan.rounds, plan.epochs - 1)
        ended = self.number > 0 and self.number % plan.rounds == 0
        losses = self.result.losses
        self._on_progress(
            Progress(
                "training",
                round(done),
                total,
                "tokens",
                per_second=rate,
                seconds_left=seconds_left(done, total, rate),
                epoch=self.number // plan.rounds - 1 if ended else epoch,
                epochs=plan.epochs,
                loss=losses[-1] if ended else loss_of(self._loss)[0],
                learning_rate=plan.place(self._job.settings, self.number, 0).first_rate,
                epoch_done=ended,
            )
        )
