"""Analyzers: how a document becomes features, by a pattern of words, a named tokenizer, or any function.

Each has ``learn``, which returns the features of texts and the counted documents, and ``index``, which returns a
function that counts the features of a vocabulary in other texts.
"""

import functools
import re
import sys
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, TypeAlias

import numpy as np

from corpora import TextCorpus
from corpora.normalization import normalized
from wordvec.document_vectors.index import Index, Rows, count_chunk, count_ranked, encoded_parts, joined, learn
from wordvec.document_vectors.index import chunks as chunks_of
from wordvec.encoding.scanning import in_order
from wordvec.encoding.text_blocks import blocks_of, items_of, utf8
from wordvec.errors import InputError
from wordvec.system.validation import shown
from wordvec.vocabulary import Vocabulary

BLOCK = 1 << 18
"""Characters of text per block."""

_RUNS = {r"\w\w+": 2, r"\w+": 1}
PATTERNS = {
    f"{flag}{edge}{run}{edge}": least for run, least in _RUNS.items() for flag in ("", "(?u)") for edge in ("", r"\b")
}
"""Regular expressions of runs of word characters, with the shortest run."""

ACCENTS = (None, "ascii", "unicode")
"""How accents are stripped: not at all, by dropping all that is not ASCII, or by dropping combining marks."""

Count: TypeAlias = Callable[[Iterable[Any], int], list[Rows]]
"""Counts the features of a vocabulary in texts, on a number of threads."""


class Analysis(Protocol):
    """How documents become features."""

    def learn(self, texts: Iterable[Any], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        """Return the features of texts, by descending count or sorted by name, and the counted documents."""

    def index(self, vocabulary: Vocabulary) -> Count:
        """Return a function that counts the features of ``vocabulary``."""


# -- words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """Runs of at least ``least`` word characters (``\\w``: letters, digits, the underscore), and their n-grams."""

    ngram_range: tuple[int, int]
    least: int
    lowercase: bool
    accents: str | None
    normalize: str
    stop_words: frozenset[str] = frozenset()

    def learn(self, texts: Iterable[str], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        """See ``Analysis``."""
        return learn(self._blocks(texts), self.ngram_range, threads, self.stop_words, sort)

    def index(self, vocabulary: Vocabulary) -> Count:
        """See ``Analysis``."""
        index = Index(vocabulary, self.ngram_range, self.stop_words)
        return lambda texts, threads: index.count(self._blocks(texts), threads)

    def _blocks(self, texts: Iterable[str]) -> Iterator[bytes]:
        for batch in batches(texts):
            text = "\n".join([*batch, ""])
            if text.count("\n") > len(batch):
                text = "\n".join([*(each.replace("\n", " ") for each in batch), ""])
            if text.isascii():
                yield _ascii_words(text, self.lowercase, self.least)
            else:
                yield _words(prepared(text, self.lowercase, self.accents, self.normalize), self.least)


def batches(texts: Iterable[Any]) -> Iterator[list[str]]:
    """Yield lists of texts of about ``BLOCK`` characters.

    Raises:
        InputError: an item is not a text.
    """
    waiting, size = list[str](), 0
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"item {place} is of type {type(text).__name__}, expected a text")
        waiting.append(text)
        size += len(text)
        if size >= BLOCK:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def prepared(text: str, lowercase: bool, accents: str | None, normalize: str) -> str:
    """Return a text normalized, lower-cased, and without accents."""
    text = normalized(text, normalize)
    return strip_accents(text.lower() if lowercase else text, accents)


def strip_accents(text: str, how: str | None) -> str:
    """Return ``text`` without accents, see ``ACCENTS``; as scikit-learn does it.

    Example:
        >>> strip_accents("Dvořák, Łódź", "unicode"), strip_accents("Dvořák, Łódź", "ascii")
        ('Dvorak, Łodz', 'Dvorak, odz')
    """
    if how is None or text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text)
    return text.encode("ascii", "ignore").decode() if how == "ascii" else _marks().sub("", text)


@functools.cache
def _marks() -> re.Pattern[str]:
    combining = filter(unicodedata.combining, map(chr, range(0x300, sys.maxunicode + 1)))
    return re.compile(f"[{''.join(combining)}]+")


@functools.cache
def _is_word() -> np.ndarray:
    r"""Return a table of the code points that match ``\w``, (0x110000,) bool; letters end before 0x40000."""
    table = np.zeros(sys.maxunicode + 1, bool)
    table[:0x40000] = [chr(code).isalnum() for code in range(0x40000)]
    table[ord("_")] = True
    return table


@functools.cache
def _ascii_spaces(lowercase: bool) -> bytes:
    """Return the bytes that ASCII characters become: spaces, except for letters, digits, ``_`` and the line feed."""
    kept = (chr(code) if code == 10 or _is_word()[code] else " " for code in range(128))
    return bytes(ord(each.lower() if lowercase else each) for each in kept) + bytes(range(128, 256))


def _ascii_words(text: str, lowercase: bool, least: int) -> bytes:
    """Like ``_words``, for ASCII text, which is also lower-cased."""
    block = text.encode().translate(_ascii_spaces(lowercase))
    if least == 1:
        return block
    letters = np.frombuffer(bytearray(block), np.uint8)
    letters[_alone(letters > 32)] = 32
    return letters.tobytes()


def _words(text: str, least: int) -> bytes:
    """Return a text as UTF-8 with spaces for all but line feeds and runs of at least ``least`` (1 or 2) characters."""
    utf8(text)  # raises for an unpaired surrogate
    points = np.frombuffer(text.encode("utf-32-le"), "<u4").copy()
    word = _is_word()[points]
    points[~word & (points != 10)] = 32
    if least > 1:
        points[_alone(word)] = 32
    return points.tobytes().decode("utf-32-le").encode()


def _alone(word: np.ndarray) -> np.ndarray:
    """Return where a run of one character is, (N,) bool."""
    alone = word.copy()
    alone[1:] &= ~word[:-1]
    alone[:-1] &= ~word[1:]
    return alone


# -- named tokenizers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """The tokens of a named tokenizer, and their n-grams."""

    ngram_range: tuple[int, int]
    tokenizer: str
    lowercase: bool
    normalize: str
    stop_words: frozenset[str] = frozenset()

    def learn(self, texts: Iterable[Any], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        """See ``Analysis``."""
        blocks = document_blocks(texts, (self.tokenizer, self.lowercase, self.normalize))
        return learn(blocks, self.ngram_range, threads, self.stop_words, sort)

    def index(self, vocabulary: Vocabulary) -> Count:
        """See ``Analysis``."""
        index = Index(vocabulary, self.ngram_range, self.stop_words)
        how = self.tokenizer, self.lowercase, self.normalize
        return lambda texts, threads: index.count(document_blocks(texts, how), threads)


def document_blocks(
    texts: TextCorpus | Iterable[str] | Iterable[list[str]],
    how: tuple[str, bool, str],
    on_progress: Callable[[float, float], None] | None = None,
) -> Iterator[bytes]:
    """Yield texts, lists of tokens or a corpus as blocks of bytes, one line per document.

    Raises:
        InputError: an item is neither a text nor a list of tokens, or differs in kind from the first.
    """
    if not isinstance(texts, TextCorpus):
        items = items_of(texts)
        try:
            first = next(items)
        except StopIteration:
            return iter(())
        return blocks_of(chain([first], items), *how)[0]
    return _corpus_blocks(texts, on_progress)


def _corpus_blocks(corpus: TextCorpus, on_progress: Callable[[float, float], None] | None) -> Iterator[bytes]:
    total = corpus.size()
    for block in corpus.blocks(BLOCK):
        yield block
        if on_progress is not None:
            on_progress(corpus.bytes_read(), total)


# -- any function -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """The features that a function returns for a document: a list of strings."""

    analyze: Callable[[Any], Iterable[str]]

    def learn(self, texts: Iterable[Any], threads: int, sort: bool) -> tuple[Vocabulary, list[Rows]]:
        """See ``Analysis``."""
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        ids, offsets = self._numbered(texts, numbers.__getitem__)
        features = list(numbers)
        for feature in features:
            if not isinstance(feature, str) or not feature:
                raise InputError(f"an analyzer must return non-empty strings, got {shown(feature)}")
        counts = np.bincount(ids, minlength=len(features))
        places = sorted(range(len(features)), key=features.__getitem__)
        order = np.array(places, np.int64)[np.argsort(-counts[places], kind="stable")]
        ranks = np.empty(len(features), np.int32)
        ranks[order] = np.arange(len(features), dtype=np.int32)
        parts = encoded_parts(ids, offsets, ranks, in_order_of_text=False)
        return count_ranked(
            parts, lambda: [features[k] for k in order.tolist()], counts[order], (1, 1), threads, sort=sort
        )

    def index(self, vocabulary: Vocabulary) -> Count:
        """See ``Analysis``."""
        columns, known = np.arange(len(vocabulary), dtype=np.int32), vocabulary.token_to_id

        def count(texts: Iterable[Any], threads: int) -> list[Rows]:
            ids, offsets = self._numbered(texts, lambda feature: known.get(feature, -1))
            parts = chunks_of(encoded_parts(ids, offsets, in_order_of_text=False))
            return list(in_order(lambda part: count_chunk(joined(part), columns), parts, threads))

        return count

    def _numbered(self, texts: Iterable[Any], number: Callable[[str], int]) -> tuple[np.ndarray, np.ndarray]:
        ids, offsets = array("i"), array("q", [0])
        for text in texts:
            ids.extend(map(number, self.analyze(text)))
            offsets.append(len(ids))
        return np.array(ids, np.int32), np.array(offsets, np.int64)
