"""One round of a shard: a pure function of the rows before it, the shard's tokens and its place in the training."""

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wordvec.distributed.combining import GROUP, combine
from wordvec.distributed.settings import ShardSettings
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.huffman import HuffmanTree
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.epoch import Frequencies, Trainer
from wordvec.word2vec.settings import Word2VecSettings


@dataclass(frozen=True)
class Job:
    """What all rounds of a training share.

    Attributes:
        name: a digest of the training; equal names mean equal jobs.
        vocabulary: V tokens with counts.
        settings: resolved.
        window: the longest window of the whole corpus.
        frequencies: what negatives are drawn and frequent words dropped by; None: the counts of the vocabulary.
        tree: of hierarchical softmax; None: the Huffman tree of the counts.
        rated: numbers of rows of the table that learn at ``rate`` times the learning rate.
        rate: 0 freezes those rows.
    """

    name: str
    vocabulary: Vocabulary
    settings: Word2VecSettings
    window: int
    frequencies: Frequencies | None = None
    tree: HuffmanTree | None = None
    rated: np.ndarray | None = None
    rate: float = 1.0


class Tokens(NamedTuple):
    """The tokens of a shard in a round: ``ids`` (n,) int32, and the ``offsets`` (s + 1,) int64 of its sentences, none
    empty."""

    ids: np.ndarray
    offsets: np.ndarray


_NOTHING = Tokens(np.zeros(0, np.int32), np.zeros(1, np.int64))


class Place(NamedTuple):
    """Where in the training a round of a shard is, and its learning rates at the start and at the end."""

    epoch: int
    shard: int
    round: int
    first_rate: float
    last_rate: float


class Facts(NamedTuple):
    """What is known of a shard's round: the loss sums (6,) float64, the tokens after subsampling, and the seconds of
    loading the rows, training, and computing the changes."""

    loss: np.ndarray
    kept: int
    seconds: tuple[float, float, float]


@dataclass(frozen=True)
class Plan:
    """Which tokens each shard trains on in each round.

    Attributes:
        tokens: N of the corpus.
        shards: S, of about equal numbers of tokens, in corpus order.
        rounds: per epoch.
        epochs: passes over the corpus.
    """

    tokens: int
    shards: int
    rounds: int
    epochs: int

    @classmethod
    def of(cls, tokens: int, chosen: ShardSettings, epochs: int) -> "Plan":
        """Return the plan for resolved settings.

        Example:
            >>> Plan.of(10_000, ShardSettings(shards=3, round_tokens=1500), 2)
            Plan(tokens=10000, shards=3, rounds=3, epochs=2)
        """
        shards = chosen.shards or 1
        rounds = -(-tokens // (shards * (chosen.round_tokens or tokens)))
        return cls(tokens, shards, rounds, epochs)

    def bounds(self, shard: int, round: int) -> tuple[int, int]:
        """Return the first token of a shard's round, and the one after the last.

        Example:
            >>> plan = Plan(tokens=12, shards=2, rounds=3, epochs=1)
            >>> [plan.bounds(1, k) for k in range(3)]
            [(6, 8), (8, 10), (10, 12)]
        """
        parts = self.shards * self.rounds
        place = shard * self.rounds + round
        return self.tokens * place // parts, self.tokens * (place + 1) // parts

    def place(self, settings: Word2VecSettings, number: int, shard: int) -> Place:
        """Return the place of a shard in the round with this number, counted over all epochs."""
        epoch, round = divmod(number, self.rounds)
        first, last = settings.learning_rate or 0.0, settings.min_learning_rate or 0.0
        fall = (first - last) / (self.rounds * self.epochs)
        return Place(epoch, shard, round, first - fall * number, first - fall * (number + 1))


def cut(ids: np.ndarray, offsets: np.ndarray, first: int, last: int) -> Tokens:
    """Return a range of an encoded text, without its empty sentences; sentences end where the range does.

    Example:
        >>> part = cut(np.arange(9, dtype=np.int32), np.array([0, 3, 3, 7, 9]), 2, 8)
        >>> part.ids.tolist(), part.offsets.tolist()
        ([2, 3, 4, 5, 6, 7], [0, 1, 5, 6])
    """
    inside = offsets[np.searchsorted(offsets, first, "right") : np.searchsorted(offsets, last)]
    ends = np.unique(np.concatenate([[first], inside, [last]])) - first
    return Tokens(np.asarray(ids[first:last]), ends.astype(np.int64))


def digest_of(tokens: Tokens) -> bytes:
    """Return a digest of the tokens of a shard in a round."""
    found = hashlib.blake2b(tokens.ids.tobytes(), digest_size=32)
    found.update(tokens.offsets.tobytes())
    return found.digest()


def train_part(
    job: Job, tokens: Tokens, rows: list[np.ndarray], place: Place, threads: int
) -> tuple[list[np.ndarray], Facts]:
    """Train a shard's tokens of one round.

    Args:
        job: the training.
        tokens: of this shard and round.
        rows: the table before the round in pieces of whole rows, (r, D) float32 each, in order.
        place: of the round.
        threads: for this shard; they do not affect the result.

    Returns:
        The change of each piece, (r, D) float32, and facts.
    """
    started = time.perf_counter()
    trainer = _borrowed(job, tokens, threads)
    try:
        table, size = trainer.table.reshape(-1, trainer.stride), job.settings.vector_size
        parts = _slices(rows)
        for part, piece in zip(parts, rows, strict=True):
            table[part, :size] = piece
        trainer.begin_part(_encoded(job, tokens), place[:3], (place.first_rate, place.last_rate))
        loaded = time.perf_counter()
        trainer.run(lambda: False)
        trained = time.perf_counter()
        changes = [table[part, :size] - piece for part, piece in zip(parts, rows, strict=True)]
        loss, kept = trainer.lanes.loss.sum(axis=0)[:6], trainer.end_epoch().effective_tokens
    finally:
        _give_back(job, trainer, threads)
    seconds = (loaded - started, trained - loaded, time.perf_counter() - trained)
    return changes, Facts(loss, kept, seconds)


def span_of(shards: int, threads: int) -> int:
    """Return how many shards, one after another, a task trains: as many as end no later than with a task for each, but
    at most ``GROUP``, and a power of two, so that their changes are combined to a branch of the tree.

    Example:
        >>> [span_of(shards, 2) for shards in (1, 2, 4, 5, 6, 8, 100)], span_of(4, 8)
        ([1, 1, 2, 1, 1, 4, 2], 1)
    """
    span, longest = 1, math.ceil(shards / threads)
    while 2 * span <= min(longest, GROUP) and math.ceil(math.ceil(shards / (2 * span)) / threads) * 2 * span <= longest:
        span *= 2
    return span


def train_span(
    job: Job, tokens: Sequence[Tokens], rows: list[np.ndarray], places: Sequence[Place], threads: int
) -> tuple[list[np.ndarray], list[Facts]]:
    """Train consecutive shards in a round, one after another, and combine their changes.

    Args:
        tokens, places: of each shard; the first is a multiple of ``span_of``.
        job, rows, threads: as of ``train_part``.

    Returns:
        The combined change of each piece, (r, D) float32, and the facts of each shard.
    """
    branches: list[tuple[int, list[np.ndarray]]] = []  # of the tree: their shards and combined changes
    facts = []
    for part, place in zip(tokens, places, strict=True):
        changes, found = train_part(job, part, rows, place, threads)
        facts.append(found)
        size = 1
        while branches and branches[-1][0] == size:
            changes, size = _combined(branches.pop()[1], changes), 2 * size
        branches.append((size, changes))
    changes = branches.pop()[1]
    while branches:
        changes = _combined(branches.pop()[1], changes)
    return changes, facts


def _combined(first: list[np.ndarray], second: list[np.ndarray]) -> list[np.ndarray]:
    return [combine(None, [first.pop(0), second.pop(0)]) for _ in range(len(first))]  # frees them piece by piece


def compile_kernels(job: Job, threads: int) -> None:
    """Compile the kernels of a training, or load them from the cache."""
    trainer = _borrowed(job, _NOTHING, threads)
    trainer.compile()
    _give_back(job, trainer, threads)


def _slices(pieces: list[np.ndarray]) -> list[slice]:
    ends = np.cumsum([0, *map(len, pieces)]).tolist()
    return [slice(first, last) for first, last in itertools.pairwise(ends)]


def _encoded(job: Job, tokens: Tokens) -> EncodedCorpus:
    return EncodedCorpus(job.vocabulary, *tokens, raw_tokens=len(tokens.ids), raw_types=len(job.vocabulary))


# -- trainers, which are kept for the next round -----------------------------------------------------------------------

_lock = threading.Lock()
_idle: dict[tuple[str, int], list[Trainer]] = {}
"""This process's trainers, with tables of the vocabulary and memory for the model, by job and number of threads."""


def _borrowed(job: Job, tokens: Tokens, threads: int) -> Trainer:
    with _lock:
        found = _idle.get((job.name, threads))
        if found:
            return found.pop()
    return _new_trainer(job, tokens, threads)


def _new_trainer(job: Job, tokens: Tokens, threads: int) -> Trainer:
    trainer = Trainer(
        _encoded(job, tokens), job.settings, threads, frequencies=job.frequencies, tree=job.tree, window=job.window
    )
    if job.rated is not None:
        trainer.set_rates(job.rated, job.rate)
    return trainer


def _give_back(job: Job, trainer: Trainer, threads: int) -> None:
    with _lock:
        _idle.setdefault((job.name, threads), []).append(trainer)


def forget(name: str) -> None:
    """Free the memory that this process keeps for a job."""
    with _lock:
        for key in [key for key in _idle if key[0] == name]:
            del _idle[key]


def first_rows(job: Job) -> np.ndarray:
    """Return the table (2 V + U, D) float32 before the first round, where U is the number of n-gram rows."""
    trainer = _new_trainer(job, _NOTHING, 1)
    return trainer.table.reshape(-1, trainer.stride)[:, : job.settings.vector_size].copy()


def split(rows: np.ndarray, pieces: int) -> list[np.ndarray]:
    """Return views of a table in pieces of about equal numbers of rows.

    Example:
        >>> [len(piece) for piece in split(np.zeros((7, 2), np.float32), 3)]
        [3, 2, 2]
    """
    return np.array_split(rows, min(pieces, len(rows)))
