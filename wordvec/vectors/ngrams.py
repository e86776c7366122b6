"""Character n-grams of words, hashed to buckets as in fastText."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wordvec.formats.safetensors import pack_tokens

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
