"""Character n-grams of words, hashed to buckets as in fastText or floret."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from wordvec.errors import InputError
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.table import SubwordTable
from wordvec.system.validation import is_encodable, shown

SENTENCE_END = "</s>"
"""fastText's end of sentence, which has no n-grams since version 11."""


class Ngrams(NamedTuple):
    """Which n-grams a word has (Bojanowski et al. 2017, arXiv 1607.04606) and in how many buckets they are hashed.

    With ``hashes``, the word is hashed as well, and each of them to so many buckets, as in floret.
    """

    min_n: int
    max_n: int
    buckets: int
    hashes: int | None = None

    @classmethod
    def of(cls, subwords: SubwordTable) -> "Ngrams":
        return cls(subwords.min_n, subwords.max_n, subwords.buckets, subwords.hashes)

    def hash(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds (n + 1,) int64 of each word's n-grams and their buckets, int32.

        Example:
            >>> bounds, buckets = Ngrams(3, 6, 2_000_000).hash(["cat", "a"])
            >>> bounds.tolist(), len(buckets)  # <ca cat at> <cat cat> <cat> and <a>
            ([0, 6, 7], 7)
            >>> Ngrams(3, 6, 50_000, hashes=2).hash(["cat"])[0].tolist()  # the same and <cat>, two for each
            [0, 14]
        """
        if self.hashes is not None:
            return self._hash_entries(words, self.hashes)
        from wordvec.kernels.subwords import hash_ngrams

        text, starts = _packed(["" if word == SENTENCE_END else word for word in words], "{}")
        text = text if len(text) else np.zeros(1, np.uint8)  # of empty words; kernels index from its start
        offsets, none = np.zeros(len(starts), np.int64), np.zeros(0, np.int32)
        hash_ngrams(text, starts, self.min_n, self.max_n, self.buckets, offsets, none)
        buckets = np.zeros(int(offsets[-1]), np.int32)
        if len(buckets):
            hash_ngrams(text, starts, self.min_n, self.max_n, self.buckets, offsets, buckets)
        return offsets, buckets

    def _hash_entries(self, words: Sequence[str], hashes: int) -> tuple[np.ndarray, np.ndarray]:
        from wordvec.kernels.bloom import hash_entries

        text, starts = _packed(words, "<{}>")
        text = text if len(text) else np.zeros(1, np.uint8)
        offsets, scratch, none = np.zeros(len(starts), np.int64), np.zeros(4, np.uint32), np.zeros(0, np.int32)
        how = self.min_n, self.max_n, self.buckets, hashes
        hash_entries(text, starts, *how, scratch, offsets, none)
        buckets = np.zeros(int(offsets[-1]), np.int32)
        if len(buckets):
            hash_entries(text, starts, *how, scratch, offsets, buckets)
        return offsets, buckets

    def split(self, word: str) -> list[str]:
        """Return the n-grams of a word, of which ``hash`` returns the buckets in the same order.

        Example:
            >>> Ngrams(3, 4, 2_000_000).split("cat")
            ['<ca', '<cat', 'cat', 'cat>', 'at>']
            >>> Ngrams(3, 3, 50_000, hashes=2).split("cat")  # each is hashed twice, and so is the word
            ['<cat>', '<cat>', '<ca', '<ca', 'cat', 'cat', 'at>', 'at>']
        """
        if not word or (word == SENTENCE_END and self.hashes is None) or not is_encodable(word):
            return []
        marked = f"<{word}>"
        ends = range(1, len(marked) + 1)
        found = [
            marked[start:end]
            for start in range(len(marked))
            for end in ends[start : start + self.max_n]
            if end - start >= self.min_n and not (end - start == 1 and (start == 0 or end == len(marked)))
        ]
        if self.hashes is None:
            return found
        return [ngram for ngram in (marked, *found) for _ in range(self.hashes)]


def _packed(words: Sequence[str], form: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the UTF-8 of words, and where each begins; those with an unpaired surrogate, no text, are empty."""
    try:
        return pack_tokens([form.format(word) for word in words])
    except UnicodeEncodeError:
        return pack_tokens([form.format(word if is_encodable(word) else "") for word in words])


def fnv_hash(word: bytes) -> int:
    """Return the 32-bit FNV-1a hash of a word, with the sign extension of fastText's ``int8_t(str[i])``.

    Example:
        >>> fnv_hash("odyssey".encode()), fnv_hash("北海道".encode())
        (310195777, 4096045468)
    """
    value = 2_166_136_261
    for byte in word:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16_777_619) & 0xFFFFFFFF
    return value


def ngram_rows(subwords: SubwordTable, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds (n + 1,) int64 of each word's n-grams and their rows, int64.

    Those without a row are -1, or left out in pruned models.
    """
    bounds, buckets = Ngrams.of(subwords).hash(words)
    held = subwords.ngram_buckets
    if held is None or not len(held):
        return bounds, buckets.astype(np.int64) if held is None else np.full(len(buckets), -1)
    places = np.minimum(np.searchsorted(held, buckets), len(held) - 1)
    rows = np.where(held[places] == buckets, places, -1)
    if subwords.pruned:
        bounds, rows = np.append(0, np.cumsum(rows >= 0))[bounds], rows[rows >= 0]
    return bounds, rows


def composed_vectors(subwords: SubwordTable, tokens: Sequence[str], means: np.ndarray | None = None) -> np.ndarray:
    """Return (V, D) float32, the mean of each token's own row, if it has one, and those of its n-grams.

    ``tokens`` are those of ``word_vectors``; n-grams without a row count as zeros. The result is written to ``means``,
    if given.
    """
    from wordvec.kernels.subwords import average_rows

    if means is None:
        means = np.empty((len(tokens), subwords.ngram_vectors.shape[1]), np.float32)
    average_rows(subwords.word_vectors, subwords.ngram_vectors, *ngram_rows(subwords, tokens), means)
    return means


def compose_unknown(subwords: SubwordTable, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors (n, D) float32 of words outside the vocabulary, and which words (n,) have one.

    Such a vector is the mean of the word's n-grams, those without a row as zeros; a word without any known n-gram has
    none, and its row is zeros.

    Raises:
        InputError: a vector has NaN or infinity.
    """
    bounds, rows = ngram_rows(subwords, words)
    means, known = np.zeros((len(words), subwords.ngram_vectors.shape[1]), np.float32), np.zeros(len(words), bool)
    for place, word in enumerate(words):
        own = rows[bounds[place] : bounds[place + 1]]
        found = own[own >= 0]
        if not len(found):
            continue
        mean = subwords.ngram_vectors[found].sum(axis=0, dtype=np.float64) / len(own)
        if not np.isfinite(mean).all():
            raise InputError(f"the n-grams of {shown(word)} have vectors with NaN or infinity; their file is damaged")
        means[place], known[place] = mean, True
    return means, known


def most_common_ngrams(subwords: SubwordTable, tokens: Sequence[str], most: int) -> SubwordTable:
    """Return the n-grams alone, those that most of ``tokens`` have if there are more than ``most``.

    A word is then composed of the remaining ones only, as in pruned fastText models.
    """
    alone = replace(subwords, word_vectors=np.zeros((0, subwords.ngram_vectors.shape[1]), np.float32))
    if len(subwords.ngram_vectors) <= most:
        return alone
    _, rows = ngram_rows(subwords, tokens)
    counts = np.bincount(rows[rows >= 0], minlength=len(subwords.ngram_vectors))
    kept = np.sort(np.argsort(-counts, kind="stable")[:most])
    buckets = kept if subwords.ngram_buckets is None else subwords.ngram_buckets[kept]
    vectors = subwords.ngram_vectors[kept]
    return replace(alone, ngram_vectors=vectors, ngram_buckets=buckets.astype(np.int32), pruned=True)
