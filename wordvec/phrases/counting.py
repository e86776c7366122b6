"""Counting the pairs of words of an encoded corpus in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wordvec.encoding.scanning import in_order

if TYPE_CHECKING:
    from wordvec.kernels.phrases import Chains

_CHUNK = 1 << 22
"""Tokens whose pairs are sorted at a time."""

_MOST_THREADS = 4
"""Each thread keeps three chunks of keys in memory, and merging the counts is sequential."""

_TRIE = 1 << 22
"""Maximum size of the trie of connector words, 16 MB."""


@dataclass(frozen=True)
class PairCounts:
    """Distinct pairs, sorted by key, and how often they occur.

    Attributes:
        keys: (P,) uint64. counts: (P,) int64.
        errors: (P,) int64: the true count is at most the count plus this.
        error: an upper bound on the count of a pair that is not listed.
    """

    keys: np.ndarray
    counts: np.ndarray
    errors: np.ndarray
    error: int

    @classmethod
    def empty(cls) -> "PairCounts":
        return cls(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64), 0)

    def merged(self, keys: np.ndarray, counts: np.ndarray) -> "PairCounts":
        """Add the counts of further distinct, sorted keys."""
        from wordvec.kernels.phrases import merge_counts

        room = len(self.keys) + len(keys)
        all_keys, (sums, errors) = np.empty(room, np.uint64), np.empty((2, room), np.int64)
        size = merge_counts(self.keys, self.counts, self.errors, keys, counts, self.error, all_keys, sums, errors)
        return PairCounts(all_keys[:size], sums[:size], errors[:size], self.error)

    def pruned(self, most: int) -> "PairCounts":
        """Keep the most frequent pairs, at most half of ``most``, by the rule of ``scanning.Counter``."""
        sums = self.counts + self.errors - self.error
        place = len(sums) - 1 - most // 2
        raised = int(np.partition(sums, place)[place])
        kept = sums > raised
        return PairCounts(self.keys[kept], self.counts[kept], self.errors[kept], self.error + raised)


def new_chains(tokens: Sequence[str], connector_words: Sequence[str], bits: int) -> "Chains":
    """Return an empty trie of the connector words among ``tokens``, whose ids have ``bits`` bits."""
    from wordvec.kernels.phrases import Chains

    number = {word: k for k, word in enumerate(connector_words)}
    if not number:
        return Chains(np.full(len(tokens), -1, np.int32), np.zeros((1, 1), np.int32), np.ones(1, np.int64))
    connectors = np.fromiter((number.get(token, -1) for token in tokens), np.int32, len(tokens))
    nodes = min(1 << 16, 1 << (64 - 2 * bits), max(_TRIE // len(number), 1))
    return Chains(connectors, np.zeros((nodes, len(number)), np.int32), np.ones(1, np.int64))


def chain_words(chains: "Chains", connector_words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the words of each chain."""
    words: list[tuple[str, ...]] = [()] * int(chains.used[0])
    for node, connector in zip(*np.nonzero(chains.following[: len(words)]), strict=True):
        words[chains.following[node, connector]] = (*words[node], connector_words[connector])
    return words


def count_pairs(
    ids: np.ndarray, offsets: np.ndarray, chains: "Chains", bits: int, *, threads: int, most: int
) -> PairCounts:
    """Count the pairs of words that follow each other, or that only connector words separate.

    The result does not depend on the number of threads.

    Args:
        ids: (N,) int32. offsets: (S + 1,) int64.
        chains: the connector words; new chains are added in place.
        bits: bits of a token id in a key.
        most: discard the rarest pairs above this number.
    """
    from wordvec.kernels.phrases import pair_keys

    def chunks() -> Iterator[np.ndarray]:
        for first in range(0, len(ids), _CHUNK):
            last = min(first + _CHUNK, len(ids))
            keys = np.empty(last - first, np.uint64)
            yield keys[: pair_keys(ids, offsets, first, last, chains, np.uint64(bits), keys)]

    found = PairCounts.empty()
    for keys, counts in in_order(_counted, chunks(), min(threads, _MOST_THREADS)):
        found = found.merged(keys, counts)
        if len(found.keys) > most:
            found = found.pruned(most)
    return found


def _counted(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct keys, sorted, and their counts."""
    from wordvec.kernels.phrases import count_runs

    keys.sort()
    counts = np.empty(len(keys), np.int64)
    size = count_runs(keys, counts)
    return keys[:size], counts[:size]
