"""Character n-grams, of whole texts or within words: numbered like n-grams of words, whose words are characters.

Within words, the n-grams of each distinct word are found once; a document has those of its words.
"""

import functools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wordvec.document_vectors.analysis import Count, batches, prepared
from wordvec.document_vectors.index import (
    Chunk,
    PairTable,
    Part,
    Rows,
    chunks,
    consumed,
    count_chunk,
    count_ranked,
    joined,
    learn_words,
    ordered_ngrams,
    whole_ngrams,
)
from wordvec.encoding.scanning import in_order, split_tokens
from wordvec.vocabulary import Vocabulary


class Letters(NamedTuple):
    """Texts as code points: those of text s are ``points[offsets[s]:offsets[s + 1]]``."""

    points: np.ndarray  # (N,) uint32
    offsets: np.ndarray  # (S + 1,) int64


@dataclass(frozen=True)
class Characters:
    """n-grams of characters: scikit-learn's ``char``, or with ``within_words`` its ``char_wb``.

    Two or more white-space characters count as one space. Within words, a space is added at both ends, and a word that
    is shorter than the shortest n-gram is a feature as a whole.
    """

    ngram_range: tuple[int, int]
    within_words: bool
    lowercase: bool
    accents: str | None
    normalize: str

    def learn(self, texts: Iterable[str], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        """See ``Analysis``."""
        if self.within_words:
            return self._learn_within_words(texts, threads, sort)
        parts = list(self._letters(texts))
        alphabet = _Alphabet.of(parts)
        numbered = (_part(alphabet, letters) for letters in parts)
        return count_ranked(
            numbered, lambda: alphabet.characters, alphabet.counts, self.ngram_range, threads, separator="", sort=sort
        )

    def index(self, vocabulary: Vocabulary) -> Count:
        """See ``Analysis``."""
        features = _letters(vocabulary.tokens)
        alphabet, pairs = _Alphabet.of([features]), PairTable(2)
        numbers = whole_ngrams(Chunk(alphabet.ids(features), features.offsets), pairs, len(alphabet.characters))
        columns = np.full(len(alphabet.characters) + len(pairs), -1, np.int32)
        columns[numbers] = np.arange(len(vocabulary))
        low, high = self.ngram_range

        def count_rows(parts: list[Part]) -> Rows:
            found = pairs.expand(joined(parts), low, high, len(alphabet.characters), learns=False)
            return count_chunk(found, columns)

        def count(texts: Iterable[str], threads: int) -> list[Rows]:
            if self.within_words:
                table, parts = learn_words(self._word_blocks(texts), threads, in_order_of_text=False)
                letters = _padded(split_tokens(table.spell(np.arange(len(table)))))
                words = self._ngrams_of(letters, alphabet, pairs, learns=False)
                return list(
                    in_order(lambda part: count_chunk(words.spread(joined(part)), columns), chunks(parts), threads)
                )
            numbered = (_part(alphabet, letters) for letters in self._letters(texts))
            return list(in_order(count_rows, chunks(numbered), threads))

        return count

    def _letters(self, texts: Iterable[str]) -> Iterator[Letters]:
        for batch in batches(texts):
            yield _single_spaced(
                _letters([prepared(text, self.lowercase, self.accents, self.normalize) for text in batch])
            )

    def _learn_within_words(self, texts: Iterable[str], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        table, parts = learn_words(self._word_blocks(texts), threads, in_order_of_text=False)
        letters = _padded(split_tokens(table.spell(np.arange(len(table)))))
        alphabet, pairs = _Alphabet.of([letters]), PairTable()
        words = self._ngrams_of(letters, alphabet, pairs, learns=True)
        size = len(alphabet.characters) + len(pairs)
        counts = np.bincount(words.ids, table.counts[words.owners], minlength=size).astype(np.int64)
        order, names = ordered_ngrams(alphabet.characters, counts, pairs, counts > 0, separator="", sort=sort)
        columns = np.full(size, -1, np.int32)
        columns[order] = np.arange(len(order))
        rows = in_order(lambda part: count_chunk(words.spread(joined(part)), columns), chunks(consumed(parts)), threads)
        return Vocabulary.of_distinct(names, counts[order]), list(rows)

    def _word_blocks(self, texts: Iterable[str]) -> Iterator[bytes]:
        for batch in batches(texts):
            text = "\n".join([*(each.replace("\n", " ") for each in batch), ""])
            text = prepared(text, self.lowercase, self.accents, self.normalize)
            yield _OTHER_SPACE.sub(" ", text).encode("utf-8")

    def _ngrams_of(self, letters: Letters, alphabet: "_Alphabet", pairs: PairTable, learns: bool) -> "_Words":
        """Return the n-grams of words, given with their spaces."""
        low, high = self.ngram_range
        ids, sizes = alphabet.ids(letters), np.diff(letters.offsets)
        found, owners, count = list[np.ndarray](), list[np.ndarray](), np.zeros(len(sizes), np.int64)
        for shortest, longest in [*((size, size) for size in range(3, low)), (low, high)]:
            fits = (sizes >= low) if shortest == low else sizes == shortest
            chosen = np.flatnonzero(fits)
            offsets = np.concatenate([[0], np.cumsum(sizes[chosen])])
            chunk = Chunk(ids[np.repeat(fits, sizes)], offsets)
            ngrams = pairs.expand(chunk, shortest, longest, len(alphabet.characters), learns)
            count[chosen] = np.diff(ngrams.offsets)
            found.append(ngrams.ids)
            owners.append(np.repeat(chosen, count[chosen]))
        owner = np.concatenate(owners)
        starts = np.zeros(len(sizes), np.int64)
        if len(owner):
            first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
            starts[owner[first]] = first
        return _Words(np.concatenate(found), owner, starts, count)


class _Words(NamedTuple):
    """The n-grams of words: word w has ``ids[starts[w] : starts[w] + sizes[w]]``, which it owns."""

    ids: np.ndarray  # (N,) int32
    owners: np.ndarray  # (N,) int64
    starts: np.ndarray  # (words,) int64
    sizes: np.ndarray  # (words,) int64

    def spread(self, chunk: Chunk) -> Chunk:
        """Replace the words of documents by their n-grams."""
        sizes = self.sizes[chunk.ids]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        places = np.repeat(self.starts[chunk.ids] - ends[:-1], sizes)
        places += np.arange(ends[-1])
        counts = None if chunk.counts is None else np.repeat(chunk.counts, sizes)
        return Chunk(self.ids[places], ends[chunk.offsets], counts)


class _Alphabet:
    """Characters, numbered by descending count, ties by code point.

    Args:
        counts: (0x110000,) int64, of every code point.
    """

    def __init__(self, counts: np.ndarray) -> None:
        points = np.flatnonzero(counts)
        points = points[np.argsort(-counts[points], kind="stable")]
        self.characters = list(map(chr, points.tolist()))
        self.counts = counts[points]
        self._numbers = np.full(len(counts), -1, np.int32)
        self._numbers[points] = np.arange(len(points))

    @classmethod
    def of(cls, parts: Iterable[Letters]) -> "_Alphabet":
        """Return the characters of texts."""
        counts = np.zeros(sys.maxunicode + 1, np.int64)
        for letters in parts:
            found = np.bincount(letters.points)
            counts[: len(found)] += found
        return cls(counts)

    def ids(self, letters: Letters) -> np.ndarray:
        """Return the numbers of characters, (N,) int32; -1 if unknown."""
        return np.asarray(self._numbers[letters.points])


def _part(alphabet: _Alphabet, letters: Letters) -> Part:
    return Part(None, alphabet.ids(letters), letters.offsets[1:])


def _letters(texts: list[str]) -> Letters:
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return Letters(np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4"), offsets)


def _padded(words: list[str]) -> Letters:
    return _letters([f" {word} " for word in words])


def _single_spaced(letters: Letters) -> Letters:
    """Replace runs of two or more white-space characters within a text by one space."""
    blank = _is_space()[letters.points]
    follows = blank.copy()
    follows[1:] &= blank[:-1]
    starts = letters.offsets[:-1]
    follows[starts[starts < len(blank)]] = False
    if not follows.any():
        return letters
    points = letters.points.copy()
    first = np.flatnonzero(follows) - 1
    points[first] = ord(" ")
    kept = ~follows
    return Letters(points[kept], np.concatenate([[0], np.cumsum(kept)])[letters.offsets])


@functools.cache
def _is_space() -> np.ndarray:
    """Return a table of white space, (0x110000,) bool."""
    table = np.zeros(sys.maxunicode + 1, bool)
    table[:0x4000] = [chr(code).isspace() for code in range(0x4000)]
    return table


_OTHER_SPACE = re.compile(r"[\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
"""White space that does not separate tokens elsewhere."""
