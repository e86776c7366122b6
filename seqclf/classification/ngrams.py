"""TF-IDF features of word and character n-grams, which are known by their hashes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from corpora.normalization import normalized
from seqclf.data.texts import Text
from wordvec import FormatError, InputError

WORDS = (1, 2)
"""The shortest and longest n-grams of words."""
CHARACTERS = (2, 5)
"""Those of characters, within a word and its borders."""
MOST_CHARACTERS = 10_000_000
"""Characters of training texts from which on character n-grams, which then cost more than they help, are left out."""
_KEY = "ngrams"
_TENSORS = ("ngram_keys", "ngram_idf")


class Keys(NamedTuple):
    """The n-grams of S texts: their keys (N,) uint64, texts (N,) int64, and places (N,) int64 of their first words."""

    keys: np.ndarray
    texts: np.ndarray
    places: np.ndarray


class SparseRows(NamedTuple):
    """A CSR matrix: indptr (S + 1,) int64, indices int32, ascending in a row, and data float64."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray

    def texts(self) -> np.ndarray:
        """Return the row (N,) int32 of each element."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    def take(self, rows: np.ndarray) -> "SparseRows":
        """Return some rows.

        Example:
            >>> SparseRows(np.array([0, 1, 3]), np.array([7, 4, 5]), np.array([1.0, 2.0, 3.0])).take(np.array([1]))
            SparseRows(indptr=array([0, 2]), indices=array([4, 5]), data=array([2., 3.]))
        """
        sizes = np.diff(self.indptr)[rows]
        indptr = np.append(0, np.cumsum(sizes))
        places = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], sizes)
        return SparseRows(indptr, self.indices[places], self.data[places])


class NgramFeatures:
    """The features of a linear model: n-grams of tokens, and of the characters of words between white space.

    A text's feature is ``(1 + ln tf) w``; those of words, and those of characters, have unit length each. The weight w
    of an n-gram is its IDF. With two classes, it is multiplied by ``1 + |r|``, where r is the log-count ratio (Wang &
    Manning 2012): n-grams that are as frequent in both classes count less.

    Args:
        keys: (V,) uint64, ascending, see ``seqclf.kernels.ngram_keys``.
        weights: (V,) float32.
        characters: whether there are n-grams of characters.

    Example:
        >>> features, _ = NgramFeatures.learn([["new", "york"], ["york"]], ["new york", "york"])
        >>> rows = features.rows([["york"]], ["york"])
        >>> len(rows.indices), round(float((rows.data**2).sum()), 6)  # york, and 14 n-grams of its characters
        (15, 2.0)
    """

    def __init__(self, keys: np.ndarray, weights: np.ndarray, *, characters: bool) -> None:
        self.keys, self.weights, self.characters = keys, weights, characters

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def learn(
        cls,
        tokens: Sequence[Sequence[str]],
        forms: Sequence[str],
        *,
        second: np.ndarray | None = None,
        characters: bool = True,
    ) -> tuple[Self, SparseRows]:
        """Return the n-grams of S training texts, and the features of these texts.

        Those of characters must be in two texts.

        Args:
            tokens: of each text. forms: the texts, see ``surface_forms``.
            second: (S,) bool, of two classes: whether a text is of the second; None of more.
            characters: whether to use n-grams of characters.

        Raises:
            InputError: no text has a word.
        """
        found = cls(np.empty(0, np.uint64), np.empty(0, np.float32), characters=characters)._keys_of(tokens, forms)
        order = np.argsort(found.keys, kind="stable")  # n-grams of a kind are in the order of their texts
        keys, texts = found.keys[order], found.texts[order]
        begins = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        cells = np.flatnonzero(begins | np.append(True, texts[1:] != texts[:-1])[: len(keys)])
        counts, starts = np.diff(cells, append=len(keys)), np.flatnonzero(begins[cells])
        distinct, frequencies = keys[cells[starts]], np.diff(starts, append=len(cells))
        kept = (frequencies > 1) | (distinct & np.uint64(1) == 0)
        if not kept.any():
            raise InputError("no text has a word; check the tokenizer, or use longer texts")
        known = np.repeat(kept, frequencies)
        counts, texts = counts[known], texts[cells[known]]
        distinct, frequencies = distinct[kept], frequencies[kept]
        columns = np.repeat(np.arange(len(distinct)), frequencies)
        weights = np.log((1.0 + len(tokens)) / (1.0 + frequencies)) + 1.0
        if second is not None:
            own = np.bincount(columns[second[texts]], minlength=len(distinct))
            weights *= 1.0 + np.abs(_count_ratios(distinct & np.uint64(1), own, frequencies - own))
        features = cls(distinct, weights.astype(np.float32), characters=characters)
        order = np.argsort(texts, kind="stable")
        return features, features._rows(columns[order], texts[order], counts[order], len(tokens))

    def rows(self, tokens: Sequence[Sequence[str]], forms: Sequence[str]) -> SparseRows:
        """Return the features of texts; arguments as for ``learn``. A row does not depend on the others."""
        columns, texts = self._known(self._keys_of(tokens, forms))
        cells, counts = np.unique(texts * len(self) + columns, return_counts=True)
        texts, columns = np.divmod(cells, len(self))
        return self._rows(columns, texts, counts, len(tokens))

    def places(self, tokens: Sequence[str], form: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the known n-grams of a text: columns, whether of characters, first words and sizes, each (N,).

        The size is the number of words, one for an n-gram of characters. Its word is one of ``form.split()``; the
        others' are among ``tokens``.
        """
        found = self._keys_of([tokens], [form])
        columns, _ = self._known(found)
        known = np.isin(found.keys, self.keys)
        of_characters = (found.keys & np.uint64(1)).astype(bool)
        rows = np.arange(len(found.keys))
        begins = np.append(True, found.places[1:] != found.places[:-1])[: len(rows)]
        sizes = np.where(of_characters, 1, rows - np.maximum.accumulate(np.where(begins, rows, 0)) + WORDS[0])
        return columns, of_characters[known], found.places[known], sizes[known]

    def _known(self, found: Keys) -> tuple[np.ndarray, np.ndarray]:
        """Return columns and texts of the known n-grams."""
        columns = np.searchsorted(self.keys, found.keys)
        columns[columns == len(self)] = 0
        known = self.keys[columns] == found.keys
        return columns[known], found.texts[known]

    def _rows(self, columns: np.ndarray, texts: np.ndarray, counts: np.ndarray, size: int) -> SparseRows:
        """Return the features of ``size`` texts, given the counts of their n-grams, ascending in each."""
        data = (1.0 + np.log(counts)) * self.weights[columns]
        block = 2 * texts + (self.keys[columns] & np.uint64(1)).astype(np.int64)
        lengths = np.sqrt(np.bincount(block, data * data, 2 * size))
        indptr = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(texts, minlength=size), out=indptr[1:])
        return SparseRows(indptr, columns.astype(np.int32), data / lengths[block])

    def _keys_of(self, tokens: Sequence[Sequence[str]], forms: Sequence[str]) -> Keys:
        from seqclf.kernels.ngram_keys import character_keys, word_keys

        parts = [_keys(word_keys, tokens, WORDS, 0)]
        if self.characters:
            parts.append(_keys(character_keys, [form.split() for form in forms], CHARACTERS, 2))
        return Keys(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def header(self) -> dict[str, Any]:
        """Return the entry of a model file's header."""
        return {_KEY: {"characters": self.characters}}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays of a model file."""
        return dict(zip(_TENSORS, (self.keys, self.weights), strict=True))

    @classmethod
    def take(cls, name: str, tensors: dict[str, np.ndarray], header: Mapping[str, Any]) -> Self:
        """Take the features out of the tensors of a model file.

        Raises:
            FormatError: they are missing or inconsistent.
        """
        about = header.get(_KEY)
        if not isinstance(about, dict) or not isinstance(about.get("characters"), bool):
            raise FormatError(f"{name} is damaged or from a newer release: {_KEY} must have characters, true or false")
        keys, weights = (tensors.pop(key, None) for key in _TENSORS)
        if (
            keys is None or weights is None or keys.dtype != np.uint64 or weights.dtype != np.float32
            or keys.ndim != 1 or not keys.size or keys.shape != weights.shape
        ):  # fmt: skip
            raise FormatError(f"{name} is damaged: it must hold a key and a weight for each n-gram")
        if not (keys[1:] > keys[:-1]).all() or not (np.isfinite(weights).all() and weights.min() > 0):
            raise FormatError(f"{name} is damaged: its n-grams must be in ascending order, with positive weights")
        return cls(keys, weights, characters=about["characters"])


def surface_forms(texts: Sequence[Text], lowercase: bool, normalize: str) -> list[str]:
    """Return texts as strings with their punctuation, normalized; tokens of a list are joined by spaces.

    Example:
        >>> surface_forms(["Free!!", ["No", "Fire"]], lowercase=True, normalize="NFC")
        ['free!!', 'no fire']
    """
    forms = [normalized(text if isinstance(text, str) else " ".join(text), normalize) for text in texts]
    return [form.lower() for form in forms] if lowercase else forms


def _count_ratios(kinds: np.ndarray, own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the log-count ratios (V,) of n-grams: ``log(p / |p|) - log(q / |q|)`` (Wang & Manning 2012, section 2).

    Args:
        kinds: (V,) 0 or 1; the sums are those of n-grams of one kind.
        own, others: (V,) the numbers of texts of each class with the n-gram; p and q are one more.
    """
    kinds = kinds.astype(np.int64)
    p, q = (np.log((1.0 + each) / np.bincount(kinds, 1.0 + each, 2)[kinds]) for each in (own, others))
    return np.asarray(p - q)


def _keys(kernel: Any, words: Sequence[Sequence[str]], lengths: tuple[int, int], borders: int) -> Keys:
    """Return the n-grams of texts, given as words; ``borders`` counts the characters added to each word."""
    encoded = [word.encode("utf-8", "surrogatepass") for text in words for word in text]
    sizes = np.array([len(word) for word in encoded], np.int64)
    content = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    bounds, offsets = (
        np.concatenate([[0], np.cumsum(each)]).astype(np.int64) for each in (sizes, [len(text) for text in words])
    )
    low, high = lengths
    units = int(sizes.sum()) + borders * len(encoded) if borders else len(encoded)
    keys, places = np.empty(units * (high - low + 1), np.uint64), np.empty(units * (high - low + 1), np.int64)
    ends = np.empty(len(words), np.int64)
    kernel(content, bounds, offsets, low, high, keys, places, ends)
    written = int(ends[-1]) if len(ends) else 0
    texts = np.repeat(np.arange(len(words)), np.diff(ends, prepend=0))
    return Keys(keys[:written].copy(), texts, places[:written] - offsets[texts])
