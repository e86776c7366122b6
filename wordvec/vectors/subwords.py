"""Word vectors composed of the vectors of character n-grams, as in fastText: no word is without one."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from corpora.normalization import normalized
from wordvec.errors import InputError, UnknownTokenError
from wordvec.formats.ngrams import Ngrams, compose_unknown, composed_vectors, ngram_rows
from wordvec.formats.table import SubwordTable, VectorTable
from wordvec.system.structures import frozen
from wordvec.system.validation import shown
from wordvec.vectors.dense import WordVectors, checked_matrix
from wordvec.vectors.similarities import listed_words
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class SubwordVectors(WordVectors):
    """Vectors of words and of their character n-grams (Bojanowski et al. 2017, arXiv 1607.04606).

    The vector of a word in the vocabulary is the mean of its own row and those of its n-grams. That of any other word
    is the mean over its n-grams, of which those that no training word has count as zeros; a word without any known
    n-gram has none. Compact ones, as of floret, have no rows of words: the vector of every word is the mean over the
    rows that it and its n-grams are hashed to. Look-up by row, as in ``token_id`` and ``encode_text``, knows only the
    vocabulary.

    Args:
        vocabulary: a ``Vocabulary``, or its tokens.
        subwords: the rows of words and n-grams.
        vectors: (V, D) float32, the composed vectors of the vocabulary; None composes them when they are first needed.
        context_vectors, tokenizer, lowercase, normalize, settings: as for ``WordVectors``.

    Attributes:
        subwords: as given.
    """

    _composes = True

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        subwords: SubwordTable,
        *,
        vectors: "ArrayLike | None" = None,
        context_vectors: "ArrayLike | None" = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "none",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.subwords = subwords
        super().__init__(
            vocabulary, vectors, context_vectors=context_vectors, tokenizer=tokenizer, lowercase=lowercase,
            normalize=normalize, settings=settings,
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name == "vectors":
            self.vectors = checked_matrix(name, frozen(composed_vectors(self.subwords, self.tokens)), len(self))
            return self.vectors
        return super().__getattr__(name)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and (self.lookup(word) >= 0 or bool((self._known(word) >= 0).any()))

    def __repr__(self) -> str:
        n, count = f"{self.subwords.min_n}-{self.subwords.max_n}", len(self.subwords.ngram_vectors)
        return f"<SubwordVectors of {len(self):,} tokens and {count:,} n-grams ({n}) x {self.vector_size}>"

    @property
    def vector_size(self) -> int:
        """D, the number of dimensions."""
        return int(self.subwords.ngram_vectors.shape[1])

    def compose(self, word: str) -> np.ndarray:
        """Return the vector (D,) float32 that a word outside the vocabulary has, or would have.

        Raises:
            UnknownTokenError: no n-gram of the word occurred in training.
        """
        (vector,), (known,) = compose_unknown(self.subwords, [self._form(word)])
        if not known:
            raise UnknownTokenError(
                f"{shown(word)} is not in the vocabulary, and it has no n-gram of {self.subwords.min_n} to "
                f"{self.subwords.max_n} characters that a word of the training text has"
            )
        return np.asarray(vector)

    def ngrams(self, word: str) -> list[tuple[str, int]]:
        """Return the n-grams of a word and the row of each in ``subwords.ngram_vectors``, -1 for one without a row.

        Example:
            >>> rows = SubwordTable(3, 3, 50, np.eye(1, 2, dtype=np.float32), np.ones((50, 2), np.float32))
            >>> SubwordVectors(["cat"], rows).ngrams("cats")
            [('<ca', 47), ('cat', 31), ('ats', 21), ('ts>', 38)]
        """
        table, form = self.subwords, self._form(word)
        _, rows = ngram_rows(replace(table, pruned=False), [form])
        return list(zip(Ngrams.of(table).split(form), rows.tolist(), strict=True))

    def without_fallback(self) -> WordVectors:
        """Return the vectors of the vocabulary alone."""
        return WordVectors(self.vocabulary, self.vectors, context_vectors=self.context_vectors, **self._how())

    def with_words(self, words: Iterable[str]) -> WordVectors:
        """Return vectors of the vocabulary and of these words, those without a vector left out."""
        new = [word for word in dict.fromkeys(map(self._form, words)) if self.lookup(word) < 0]
        composed, known = compose_unknown(self.subwords, new)
        if not known.any():
            return self
        vectors = np.concatenate([self.vectors, composed[known]])
        return WordVectors([*self.tokens, *itertools.compress(new, known)], frozen(vectors), **self._how())

    def table(self) -> VectorTable:
        return replace(super().table(), subwords=self.subwords)

    def _restricted(self, restrict: int | Iterable[str] | None) -> slice | np.ndarray:
        if not len(self):
            raise InputError(
                "the vectors have no words to search, only the rows that words are hashed to; name the words: "
                "vectors.with_words(words)"
            )
        return super()._restricted(restrict)

    def _gather(self, rows: Any) -> np.ndarray:
        if "vectors" in self.__dict__ or not isinstance(rows, int):
            return super()._gather(rows)
        own = replace(self.subwords, word_vectors=self.subwords.word_vectors[rows : rows + 1])
        token = self.tokens[rows]
        return np.asarray(checked_matrix(f"the vector of {shown(token)}", composed_vectors(own, [token]), 1)[0])

    def _known(self, word: str) -> np.ndarray:
        """Return the row of each n-gram of ``word``, -1 for those without one."""
        return ngram_rows(self.subwords, [self._form(word)])[1]

    def _form(self, word: str) -> str:
        """Return a word cased and normalized like the training text."""
        return normalized(word.lower() if self.lowercase else word, self.normalize)

    def _vectors(self, words: Iterable[str]) -> np.ndarray:
        found = [self._vector(word) for word in listed_words(words)]
        return np.stack(found) if found else np.zeros((0, self.vector_size), np.float32)

    def _vector(self, word: str) -> np.ndarray:
        row = self.lookup(word)
        return self._gather(row) if row >= 0 else self.compose(word)
