"""A corpus counted and encoded by the workers of a cluster, whose tokens stay there."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corpora import InputError, TextCorpus
from corpora.ranges import Range, Reading, ranges_of, reading_of
from wordvec.distributed import counting
from wordvec.distributed.cluster import RETRIES, Cluster
from wordvec.distributed.remote_rounds import RemoteRounds, item, same
from wordvec.distributed.rounds import Job, Plan, digest_of
from wordvec.encoding.scanning import Counter, join_tokens, split_tokens
from wordvec.encoding.vocabulary_rules import MAX_TYPES, Rules, word_list
from wordvec.system.progress import OnProgress, reporter
from wordvec.vocabulary import Vocabulary

_RANGE, _LEAST_RANGE = 32 << 20, 1 << 18
"""Bytes of a range at most, and at least if there are enough workers for more ranges."""

_GROUP = 16
"""Counts merged by one task."""


def encode_on(
    cluster: Cluster,
    texts: TextCorpus,
    *,
    min_count: int = 5,
    max_vocabulary: int | None = None,
    keep_words: Any = (),
    drop_words: Any = (),
    range_bytes: int | None = None,
    on_progress: OnProgress | None = None,
) -> "RemoteShards":
    """Count and encode a corpus on the workers of a cluster, each of which reads byte ranges of the files.

    All types are counted exactly: the vocabulary is that of ``encode_corpus``, unless that had to discard types.

    Args:
        cluster: a connection.
        texts: files that all workers can read, on a shared or remote file system.
        min_count, max_vocabulary, keep_words, drop_words: as of ``encode_corpus``.
        range_bytes: bytes that a task reads, which bounds its memory; None chooses by the number of workers.
        on_progress: called a few times a second.

    Raises:
        InputError: as of ``encode_corpus``; or a worker cannot read a file.
        TrainingError: the cluster was lost.
    """
    if type(texts) is not TextCorpus:
        raise InputError(f"workers read plain text files, got {type(texts).__name__}; write the text to a file first")
    how = reading_of(texts)
    own = (texts.lowercase, texts.normalize, texts.encoding)
    rules = Rules(
        min_count=min_count,
        max_vocabulary=max_vocabulary,
        keep=word_list(keep_words, "keep_words", *own),
        drop=word_list(drop_words, "drop_words", *own),
        vocabulary=None,
        max_types=MAX_TYPES,
    )
    rules.check()
    if range_bytes is None:
        range_bytes = min(max(texts.size() // (4 * cluster.threads), _LEAST_RANGE), _RANGE)
    ranges = ranges_of(texts, range_bytes)
    with cluster.failures("reading the text"):
        report = _Bytes(ranges, reporter(on_progress, "reading", "bytes"))
        vocabulary, raw_tokens, raw_types = _counted(cluster, ranges, how, rules, report)
        return RemoteShards(cluster, ranges, how, vocabulary, raw_tokens, raw_types, report)


class _Bytes:
    """Reports the bytes of finished ranges, which are read twice."""

    def __init__(self, ranges: Sequence[Range], report: Callable[[float, float], None] | None) -> None:
        self._sizes, self._report, self._done = [part.last - part.first for part in ranges], report, 0.0

    def __call__(self, number: int) -> None:
        self._done += self._sizes[number] / 2
        if self._report is not None:
            self._report(self._done, sum(self._sizes))


def _counted(
    cluster: Cluster, ranges: list[Range], how: Reading, rules: Rules, report: Callable[[int], None]
) -> tuple[Vocabulary, int, int]:
    client = cluster.client
    buckets = max(1, min(len(ranges), 2 * cluster.threads))
    counted = [client.submit(_count_range, part, how, buckets, retries=RETRIES) for part in ranges]
    wait_in_any_order(counted, report)
    selected = []
    for bucket in range(buckets):
        parts = [client.submit(item, each, bucket) for each in counted]
        while len(parts) > 1:
            groups = [parts[first : first + _GROUP] for first in range(0, len(parts), _GROUP)]
            parts = [client.submit(counting.merge_counts, group) for group in groups]
        selected.append(client.submit(counting.select, parts[0], rules.min_count, rules.keep))
    found: list[counting.Selected] = client.gather(selected)
    counter = Counter(1, rules.max_types, rules.keep)
    counter.table.merge(counting.table_of([each.types for each in found]), 0)
    numbers = rules.choose(counter)
    vocabulary = Vocabulary(split_tokens(counter.table.spell(numbers)), counter.table.counts[numbers])
    return vocabulary, sum(each.types.tokens for each in found), sum(each.raw_types for each in found)


def wait_in_any_order(futures: Sequence[Any], report: Callable[[int], None]) -> None:
    """Wait until all tasks are done, and report the number of each; the error of a task is raised."""
    from distributed import as_completed

    numbers = {future.key: number for number, future in enumerate(futures)}
    for future in as_completed(futures, loop=futures[0].client.loop):
        if future.status == "error":
            future.result()
        report(numbers[future.key])


def _where(error: InputError) -> InputError:
    """Return an error that names the worker."""
    from distributed import get_worker

    return InputError(f"{error} (on the worker {get_worker().address})")


def _count_range(part: Range, how: Reading, buckets: int) -> list[counting.Counted]:
    try:
        return counting.count_range(part, how, buckets)
    except InputError as error:
        raise _where(error) from None


def _encode_range(part: Range, how: Reading, words: bytes) -> counting.Encoded:
    try:
        return counting.encode_range(part, how, words)
    except InputError as error:
        raise _where(error) from None


class RemoteShards:
    """The encoded ranges of a corpus on the workers; see ``training.Shards``."""

    def __init__(
        self,
        cluster: Cluster,
        ranges: list[Range],
        how: Reading,
        vocabulary: Vocabulary,
        raw_tokens: int,
        raw_types: int,
        report: Callable[[int], None],
    ) -> None:
        self.cluster, self.vocabulary, self.workers = cluster, vocabulary, cluster.threads
        self.raw_tokens, self.raw_types = raw_tokens, raw_types
        self.tokenizer, self.lowercase, self.normalize = how.tokenizer, how.lowercase, how.normalize
        client = cluster.client
        words = client.submit(same, join_tokens(vocabulary.tokens))
        self._parts = [client.submit(_encode_range, part, how, words, retries=RETRIES) for part in ranges]
        wait_in_any_order(self._parts, report)
        shapes: list[counting.Shape] = client.gather([client.submit(counting.shape_of, part) for part in self._parts])
        self._starts = np.cumsum([0, *(shape.ids for shape in shapes)])
        self.size, self.longest = int(self._starts[-1]), counting.longest_sentence(shapes)
        self._tokens: dict[Plan, list[list[Any]]] = {}

    def tokens(self, plan: Plan) -> list[list[Any]]:
        """Return the futures of the tokens of each shard and round."""
        if plan not in self._tokens:
            self._tokens[plan] = [
                [self.between(*plan.bounds(shard, round)) for round in range(plan.rounds)]
                for shard in range(plan.shards)
            ]
        return self._tokens[plan]

    def between(self, first: int, last: int) -> Any:
        """Return the future of the tokens from one place in the corpus to another."""
        used = np.flatnonzero((self._starts[1:] > first) & (self._starts[:-1] < last)).tolist()
        parts = [self._parts[number] for number in used]
        return self.cluster.client.submit(counting.tokens_of, parts, int(self._starts[used[0]]), first, last)

    def digest(self, plan: Plan) -> bytes:
        """Return a digest of the tokens of all shards and rounds."""
        client = self.cluster.client
        whole = hashlib.blake2b(digest_size=32)
        with self.cluster.failures("encoding the text"):
            for each in client.gather([client.submit(digest_of, part) for row in self.tokens(plan) for part in row]):
                whole.update(each)
        return whole.digest()

    def start(self, job: Job, plan: Plan) -> RemoteRounds:
        """Return the rounds of a training."""
        return RemoteRounds(self.cluster, job, plan, self.tokens(plan))
