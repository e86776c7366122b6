"""Co-occurrence counts by map-reduce over ranges of tokens: exact sums, the matrix of one machine to the bit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.count_based.cooccurrence import CooccurrenceCounts
from wordvec.count_based.pair_counting import PairCounter, Plan, whole_weights
from wordvec.count_based.settings import CooccurrenceSettings
from wordvec.distributed.remote_corpus import RemoteShards
from wordvec.distributed.remote_rounds import same
from wordvec.distributed.rounds import Tokens
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.system.csr import csr_of
from wordvec.system.scratch import Scratch
from wordvec.system.settings import or_defaults
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PIECE = 1 << 20
"""Tokens that a task counts at most: 10 M pairs with a window of 5, or 120 MB."""

_GROUP = 8
"""Counts that a task adds up."""


def count_range(
    tokens: Tokens, first: int, last: int, vocabulary: Vocabulary, settings: CooccurrenceSettings, size: int
) -> "csr_array":
    """Count the contexts of the centers in a range of tokens.

    Args:
        tokens: the range, with a window of tokens on either side where there are as many.
        first, last: the places of the range in ``tokens``.
        vocabulary: V types.
        settings: without subsampling.
        size: tokens of the whole corpus, on which the unit of the weights depends.

    Returns:
        (V, V) int64, in units of ``whole_weights``.
    """
    types, count = len(vocabulary), len(tokens.ids)
    corpus = EncodedCorpus(vocabulary, *tokens, raw_tokens=count, raw_types=types)
    plan = Plan(threads=1, block=max(types, 1 << 18), piece=last - first, reserve=0)
    scratch = Scratch()
    try:
        counter = PairCounter(corpus, settings, plan, scratch, None)
        counter.weights, counter.unit = whole_weights(settings, size)
        ends, columns, sums, filled = [np.zeros(1, np.int64)], [], [], 0
        for block in counter.count_piece(first):
            ends.append(block.ends + filled)
            columns.append(block.columns[: block.ends[-1]].copy())
            sums.append(block.sums[: block.ends[-1]].copy())
            filled += int(block.ends[-1])
    finally:
        scratch.close()
    return csr_of(np.concatenate(ends), np.concatenate(columns), np.concatenate(sums), (types, types))


def rows_between(counts: "csr_array", first: int, last: int) -> "csr_array":
    """Return some rows of a matrix of counts."""
    cells = slice(counts.indptr[first], counts.indptr[last])
    indptr = counts.indptr[first : last + 1] - counts.indptr[first]
    return csr_of(indptr, counts.indices[cells], counts.data[cells], (last - first, counts.shape[1]))


def add_counts(parts: Sequence["csr_array"]) -> "csr_array":
    """Return the sum of matrices (R, V) int64, whose cells are sorted by column."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    total.sort_indices()
    return total


def count_cooccurrences_on(
    shards: RemoteShards, settings: CooccurrenceSettings | None = None, *, piece_tokens: int = _PIECE
) -> CooccurrenceCounts:
    """Count how often each word occurs near each other word, on the workers of a cluster.

    Args:
        shards: from ``encode_on``.
        settings: as of ``count_cooccurrences``, whose matrix this is.
        piece_tokens: that a task counts, which bounds its memory.

    Raises:
        InputError: subsampling, whose positions are those of the whole text; or two words are never within a window.
        TrainingError: the cluster was lost.
    """
    settings = or_defaults(settings, CooccurrenceSettings)
    if settings.subsample:
        raise InputError(f"counting on a cluster needs subsample = 0, got {settings.subsample:g}; leave it out")
    cluster, types = shards.cluster, len(shards.vocabulary)
    client = cluster.client
    ranges = max(1, min(2 * cluster.threads, types))
    bounds = [types * number // ranges for number in range(ranges + 1)]
    with cluster.failures("counting co-occurrences"):
        vocabulary = client.submit(same, shards.vocabulary)
        rows: list[list[Any]] = [[] for _ in range(ranges)]
        for first in range(0, shards.size, piece_tokens):
            last = min(first + piece_tokens, shards.size)
            before, after = max(first - settings.window, 0), min(last + settings.window, shards.size)
            tokens = shards.between(before, after)
            counted = client.submit(
                count_range, tokens, first - before, last - before, vocabulary, settings, shards.size
            )
            for number, found in enumerate(rows):
                found.append(client.submit(rows_between, counted, *bounds[number : number + 2]))
        matrices: list[csr_array] = client.gather([_added(client, parts) for parts in rows])
    unit = whole_weights(settings, shards.size)[1]
    lengths = np.concatenate([[0], *(np.diff(part.indptr) for part in matrices)])
    counts = csr_of(
        np.cumsum(lengths, dtype=np.int64),
        np.concatenate([part.indices for part in matrices]).astype(np.int32),
        np.concatenate([(part.data / unit).astype(np.float32) for part in matrices]),
        (types, types),
    )
    return CooccurrenceCounts(
        shards.vocabulary,
        counts,
        settings=settings,
        tokenizer=shards.tokenizer,
        lowercase=shards.lowercase,
        normalize=shards.normalize,
    )


def _added(client: Any, parts: list[Any]) -> Any:
    while len(parts) > 1:
        groups = [parts[first : first + _GROUP] for first in range(0, len(parts), _GROUP)]
        parts = [client.submit(add_counts, group) for group in groups]
    return parts[0]
