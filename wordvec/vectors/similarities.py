"""Similarities of words: cosines of their vectors, of their means, and ranks."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from wordvec.errors import InputError
from wordvec.system.structures import finite_array, real_array, whole_array
from wordvec.system.validation import check_whole, shown
from wordvec.vectors import search

if TYPE_CHECKING:
    from wordvec.vocabulary import Vocabulary


class Similarities:
    """Cosine similarities over the rows of a subclass, which has tokens, vectors and look-up."""

    vocabulary: "Vocabulary"
    vectors: np.ndarray

    if TYPE_CHECKING:

        @property
        def tokens(self) -> list[str]: ...

        @property
        def vector_size(self) -> int: ...

        def __len__(self) -> int: ...

        def __contains__(self, word: object) -> bool: ...

        def lookup(self, word: str) -> int: ...

        def token_id(self, word: str) -> int: ...

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine similarity of two words, -1 to 1; 0 if either vector is zero.

        Example:
            >>> from wordvec import WordVectors
            >>> WordVectors(["up", "right", "down"], [[0, 2], [3, 0], [0, -1]]).similarity("up", "down")
            -1.0
        """
        first, second = (a, b) if (self.lookup(a), a) <= (self.lookup(b), b) else (b, a)  # both orders give the same
        return float(self.similarities(first, [second])[0])

    def similarities(self, word: str, others: Iterable[str] | None = None) -> np.ndarray:
        """Return the cosine similarity (n,) float64 of ``word`` with ``others``; None: all tokens in row order."""
        vectors = self.vectors if others is None else self._vectors(others)
        return np.asarray(search.cosines(vectors, normalized_rows(self._vector(word)[None]))[0])

    def similarity_matrix(self, words: Iterable[str], others: Iterable[str] | None = None) -> np.ndarray:
        """Return the cosine similarity (n, m) float64 of each of ``words`` with each of ``others``; None: ``words``.

        Example:
            >>> from wordvec import WordVectors
            >>> WordVectors(["up", "right"], [[0, 2], [3, 0]]).similarity_matrix(["up", "right"])
            array([[1., 0.],
                   [0., 1.]])
        """
        left = self._vectors(words)
        right = left if others is None else self._vectors(others)
        return np.asarray(search.cosines(right, normalized_rows(left)))

    def row_similarities(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the cosine similarity (n,) float64 of each row in ``left`` (n,) with its row in ``right`` (n,)."""
        left, right = self._row_pairs(left, right)
        a, b = (self.vectors[rows].astype(np.float64) for rows in (left, right))
        lengths = search.row_norms(a) * search.row_norms(b)
        return np.asarray((a * b).sum(axis=1) / np.where(lengths == 0, 1, lengths))

    def _row_pairs(self, left: ArrayLike, right: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        a, b = (whole_array(name, rows, len(self)) for name, rows in (("left", left), ("right", right)))
        if len(a) != len(b):
            raise InputError(f"left and right must have the same length, got {len(a)} and {len(b)} rows")
        return a, b

    def distance(self, a: str, b: str) -> float:
        """Return the cosine distance of two words, 1 - similarity, 0 to 2."""
        return 1 - self.similarity(a, b)

    def distances(self, word: str, others: Iterable[str] | None = None) -> np.ndarray:
        """Return the cosine distance (n,) float64 of ``word`` from ``others``; None: all tokens in row order."""
        return 1 - self.similarities(word, others)

    def mean_vector(
        self,
        words: Sequence[str],
        weights: ArrayLike | None = None,
        *,
        unit: bool = True,
        ignore_missing: bool = False,
    ) -> np.ndarray:
        """Return the weighted mean (D,) float32 of the words' vectors, L2-normalized first if ``unit``.

        The weighted sum is divided by the sum of the absolute weights, so that weights may be negative.

        Args:
            words: the words.
            weights: one number per word; None: 1 for each.
            unit: whether vectors are L2-normalized first.
            ignore_missing: leave out words that are not in the vocabulary instead of raising ``UnknownTokenError``.

        Raises:
            InputError: no words, none of them known, a different number of weights, or all weights 0.
        """
        words = listed_words(words)
        if not len(words):
            raise InputError("mean_vector needs at least one word")
        given = np.ones(len(words)) if weights is None else real_array("weights", weights)
        if given.shape != (len(words),):
            raise InputError(f"weights must be one per word: {len(words)} words, weights of shape {given.shape}")
        given = finite_array("weights", given, (len(words),))
        if ignore_missing:
            known = [word in self for word in words]
            if not any(known):
                raise InputError(f"none of the {len(words)} words is in the vocabulary ({len(self):,} tokens)")
            words, given = [word for word in words if word in self], given[known]
        if not given.any():
            raise InputError("weights must not all be 0")
        vectors = self._vectors(words).astype(np.float64)
        if unit:
            vectors = normalized_rows(vectors)
        return np.asarray((given @ vectors / np.abs(given).sum()).astype(np.float32))

    def n_similarity(self, words: Sequence[str], others: Sequence[str], *, ignore_missing: bool = False) -> float:
        """Return the cosine similarity of the mean vectors of two sets of words.

        ``ignore_missing``: leave out words that are not in the vocabulary.
        """
        mean = self.mean_vector(words, unit=False, ignore_missing=ignore_missing)
        other = self.mean_vector(others, unit=False, ignore_missing=ignore_missing)
        cosine = (normalized_rows(mean[None]) * normalized_rows(other[None])).sum()  # both orders give the same
        return float(np.clip(cosine, -1, 1))

    def odd_one_out(self, words: Sequence[str], *, ignore_missing: bool = False) -> str:
        """Return the word least similar to the mean of all the unit vectors; the first in case of ties.

        ``ignore_missing``: leave out words that are not in the vocabulary.

        Raises:
            InputError: fewer than three words.

        Example:
            >>> from wordvec import WordVectors
            >>> wv = WordVectors(["cat", "dog", "tax"], [[1, 0.1], [1, 0.2], [-0.3, 1]])
            >>> wv.odd_one_out(["cat", "dog", "tax"])
            'tax'
        """
        words = listed_words(words)
        if ignore_missing:
            words = [word for word in words if word in self]
        if len(words) < 3:
            raise InputError(f"odd_one_out needs at least 3 words, got {len(words)}")
        units = normalized_rows(self._vectors(words))
        return words[int(np.argmin((units * units.mean(axis=0)).sum(axis=1)))]

    def most_similar_to_given(self, word: str, others: Sequence[str]) -> str:
        """Return the word of ``others`` most similar to ``word``; the first in case of ties."""
        others = listed_words(others)
        if not others:
            raise InputError("most_similar_to_given needs at least one other word")
        return others[int(np.argmax(self.similarities(word, others)))]

    def closer_than(self, word: str, other: str) -> list[str]:
        """Return the tokens more similar to ``word`` than ``other`` is, the most similar first, without ``word``."""
        scores = self.similarities(word)
        own, row = self.lookup(word), self.lookup(other)
        limit = scores[row] if row >= 0 else self.similarities(word, [other])[0]
        rows = np.flatnonzero(scores > limit)
        rows, _ = search.ranked(rows[rows != own], scores[rows[rows != own]], len(rows))
        return [self.tokens[row] for row in rows]

    def rank(self, word: str, other: str) -> int:
        """Return the rank of ``other`` among the neighbors of ``word``; 1 for the nearest."""
        return len(self.closer_than(word, other)) + 1

    def relative_cosine(self, word: str, other: str, top: int = 10) -> float:
        """Return the similarity divided by the sum of those of the ``top`` nearest neighbors of ``word``.

        Synonyms tend to be above 1 / ``top`` (Leeuwenberg et al. 2016, "A Minimally Supervised Approach for Synonym
        Extraction with Word Embeddings").

        Raises:
            InputError: the similarities of the neighbors sum to 0.
        """
        scores = self.similarities(word)
        rows = np.flatnonzero(np.arange(len(scores)) != self.lookup(word))
        total = np.sort(scores[rows])[::-1][: check_whole("top", top, 1)].sum()
        if not total:
            raise InputError(f"the similarities of {shown(word)} to its {top} nearest neighbors sum to 0")
        return self.similarity(word, other) / float(total)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _gather(self, rows: Any) -> np.ndarray:
        """Return the vector of a row, or the vectors of several."""
        return np.asarray(self.vectors[rows])

    def _vector(self, word: str) -> np.ndarray:
        return self._gather(self.token_id(word))

    def _vectors(self, words: Iterable[str]) -> np.ndarray:
        """Return the vectors (n, D) of words."""
        return self._gather(self._rows(words))

    def _rows(self, words: Iterable[str]) -> np.ndarray:
        """Return the rows (n,) int64 of words."""
        return np.array([self.token_id(word) for word in listed_words(words)], dtype=np.int64)


def listed_words(words: Iterable[str]) -> list[str]:
    """Return words as a list.

    Raises:
        InputError: one string, whose characters would be taken for words, or no iterable.
    """
    if isinstance(words, str | bytes):
        kind = "string" if isinstance(words, str) else "bytes"
        raise InputError(f"expected a list of words, got the {kind} {words!r}; pass [word, ...]")
    if not isinstance(words, Iterable):
        raise InputError(f"expected a word or a list of words, got {shown(words)}")
    return list(words)


def normalized_rows(vectors: np.ndarray) -> np.ndarray:
    """Return ``vectors`` (n, D) with L2-normalized rows, float64; zero rows stay zero.

    Rows whose norm is 1 but for rounding stay as they are, so that normalizing them again changes no bit.
    """
    norms = search.row_norms(vectors)
    norms[(norms == 0) | (np.abs(norms - 1) < 1e-14)] = 1
    return np.asarray(vectors / norms[:, None])
