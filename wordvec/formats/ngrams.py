"""Character n-grams of words, hashed to buckets as in fastText."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.table import SubwordTable

_SENTENCE_END = "</s>"
"""fastText's end of sentence, which has no n-grams."""


class Ngrams(NamedTuple):
    """Which n-grams a word has (Bojanowski et al. 2017, arXiv 1607.04606) and in how many buckets they are hashed."""

    min_n: int
    max_n: int
    buckets: int

    def hash(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds (n + 1,) int64 of each word's n-grams and their buckets, int32.

        Example:
            >>> bounds, buckets = Ngrams(3, 6, 2_000_000).hash(["cat", "a"])
            >>> bounds.tolist(), len(buckets)  # <ca cat at> <cat cat> <cat> and <a>
            ([0, 6, 7], 7)
        """
        from wordvec.kernels.subwords import hash_ngrams

        text, starts = pack_tokens(["" if word == _SENTENCE_END else word for word in words])
        text = text if len(text) else np.zeros(1, np.uint8)  # of empty words; kernels index from its start
        offsets, none = np.zeros(len(starts), np.int64), np.zeros(0, np.int32)
        hash_ngrams(text, starts, self.min_n, self.max_n, self.buckets, offsets, none)
        buckets = np.zeros(int(offsets[-1]), np.int32)
        if len(buckets):
            hash_ngrams(text, starts, self.min_n, self.max_n, self.buckets, offsets, buckets)
        return offsets, buckets


def ngram_rows(subwords: SubwordTable, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds (n + 1,) int64 of each word's n-grams and their rows, int64.

    Those without a row are -1, or left out in pruned models.
    """
    bounds, buckets = Ngrams(subwords.min_n, subwords.max_n, subwords.buckets).hash(words)
    held = subwords.ngram_buckets
    if held is None or not len(held):
        return bounds, buckets.astype(np.int64) if held is None else np.full(len(buckets), -1)
    places = np.minimum(np.searchsorted(held, buckets), len(held) - 1)
    rows = np.where(held[places] == buckets, places, -1)
    if subwords.pruned:
        bounds, rows = np.append(0, np.cumsum(rows >= 0))[bounds], rows[rows >= 0]
    return bounds, rows


def composed_vectors(subwords: SubwordTable, tokens: Sequence[str]) -> np.ndarray:
    """Return (V, D) float32, the mean of each token's own row and those of its n-grams.

    ``tokens`` are those of ``word_vectors``; n-grams without a row count as zeros.
    """
    from wordvec.kernels.subwords import average_rows

    means = np.empty(subwords.word_vectors.shape, np.float32)
    average_rows(subwords.word_vectors, subwords.ngram_vectors, *ngram_rows(subwords, tokens), means)
    return means
