"""Rounds of all shards in the threads of this process."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from wordvec.distributed.combining import combine
from wordvec.distributed.rounds import (
    Facts,
    Job,
    Plan,
    compile_kernels,
    cut,
    digest_of,
    first_rows,
    forget,
    span_of,
    split,
    train_span,
)
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.threads import uninterrupted


class LocalShards:
    """The shards of an encoded corpus, for threads; see ``training.Shards``."""

    def __init__(self, corpus: EncodedCorpus, threads: int) -> None:
        self._corpus = corpus
        self.vocabulary, self.size, self.workers = corpus.vocabulary, len(corpus.ids), threads
        self.longest = int(np.diff(corpus.offsets).max(initial=0))
        self.raw_tokens, self.raw_types = corpus.raw_tokens, corpus.raw_types
        self.tokenizer, self.lowercase, self.normalize = corpus.tokenizer, corpus.lowercase, corpus.normalize

    def digest(self, plan: Plan) -> bytes:
        """Return a digest of the tokens of all shards and rounds."""
        ids, offsets = np.asarray(self._corpus.ids), np.asarray(self._corpus.offsets)
        whole = hashlib.blake2b(digest_size=32)
        for shard in range(plan.shards):
            for round in range(plan.rounds):
                whole.update(digest_of(cut(ids, offsets, *plan.bounds(shard, round))))
        return whole.digest()

    def start(self, job: Job, plan: Plan) -> "LocalRounds":
        """Return the rounds of a training."""
        return LocalRounds(self._corpus, job, plan, self.workers)


class LocalRounds:
    """Trains the shards of an encoded corpus in threads; a shard has several threads where there are more than shards.

    Args:
        corpus: all shards.
        job: the training.
        plan: the shards and rounds.
        threads: in all.
    """

    def __init__(self, corpus: EncodedCorpus, job: Job, plan: Plan, threads: int) -> None:
        self._ids, self._offsets = np.asarray(corpus.ids), np.asarray(corpus.offsets)
        self._job, self._plan = job, plan
        self._at_once, self._each = min(threads, plan.shards), max(threads // plan.shards, 1)
        self._span = span_of(plan.shards, self._at_once)
        self._pieces: list[np.ndarray] = []
        self._seconds = dict.fromkeys(("load", "train", "change", "combine"), 0.0)

    def compile(self) -> None:
        """Compile the kernels, or load them from the cache."""
        compile_kernels(self._job, self._each)

    def run(self, number: int, rows: np.ndarray | None) -> Iterator[list[Facts]]:
        """Yield the facts of all shards after each round, beginning with round ``number``.

        Args:
            number: the rounds before, over all epochs.
            rows: the table after those rounds; None: the first table.
        """
        job, plan = self._job, self._plan
        self._pieces = split(first_rows(job) if rows is None else rows, self._at_once)
        for now in range(number, plan.rounds * plan.epochs):
            with uninterrupted(), ThreadPoolExecutor(self._at_once) as pool:
                firsts = range(0, plan.shards, self._span)
                trained = [each.result() for each in [pool.submit(self._train, now, first) for first in firsts]]
                began = time.perf_counter()
                changes = zip(*(changed for changed, _ in trained), strict=True)
                self._pieces = list(pool.map(combine, self._pieces, changes))
                self._seconds["combine"] += time.perf_counter() - began
            found = [each for _, facts in trained for each in facts]
            for each in found:
                for name, seconds in zip(("load", "train", "change"), each.seconds, strict=True):
                    self._seconds[name] += seconds
            yield found

    def _train(self, number: int, first: int) -> tuple[list[np.ndarray], list[Facts]]:
        plan, job = self._plan, self._job
        shards = range(first, min(first + self._span, plan.shards))
        places = [plan.place(job.settings, number, shard) for shard in shards]
        tokens = [
            cut(self._ids, self._offsets, *plan.bounds(shard, place.round))
            for shard, place in zip(shards, places, strict=True)
        ]
        return train_span(job, tokens, self._pieces, places, self._each)

    def rows(self) -> np.ndarray:
        """Return the table (2 V + U, D) float32 after the last round."""
        return np.concatenate(self._pieces) if self._pieces else first_rows(self._job)

    def timings(self) -> dict[str, float]:
        """Return the seconds of loading rows, training, computing changes (of all threads) and combining them."""
        return {f"{name}_seconds": seconds for name, seconds in self._seconds.items()}

    def close(self) -> None:
        """Free the memory of the training."""
        forget(self._job.name)
