"""Sparse word vectors: one dimension per context word, stored as a CSR matrix."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from wordvec.errors import InputError
from wordvec.formats.table import VectorTable
from wordvec.system.csr import csr_of, products, row_lengths, rows_of
from wordvec.system.structures import checked_csr, freeze_arrays, owned
from wordvec.vectors import search
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.queries import Answers, Term
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_AT_ONCE = 8
"""Queries per product with the matrix."""

_DENSE = (
    "these word vectors are sparse, but this operation needs dense vectors; "
    "train them with train-embeddings --model svd, or glove"
)


class SparseWordVectors(WordVectors):
    """Word vectors as a sparse matrix, with the interface of ``WordVectors``.

    Args:
        vocabulary: V tokens, a ``Vocabulary`` or a list.
        matrix: ``csr_array`` (V, C), finite; copied, unless its arrays are read-only.
        tokenizer, lowercase, normalize, settings: as for ``WordVectors``.

    Attributes:
        matrix: ``csr_array`` (V, C), read-only, with sorted rows.

    Raises:
        InputError: mismatched shapes, or values that are not finite.

    Example:
        >>> from wordvec import count_cooccurrences, encode_corpus
        >>> from wordvec.count_based.sparse_models import weighted_vectors
        >>> texts = ["we eat a red apple", "we eat a red cherry", "they drive a fast car", "they drive a fast bus"]
        >>> wv = weighted_vectors(count_cooccurrences(encode_corpus(texts, min_count=1)))
        >>> [token for token, _ in wv.most_similar("apple", top=1)]
        ['cherry']
        >>> wv
        <SparseWordVectors of 11 tokens x 11, 50 numbers>
    """

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        matrix: "csr_array",
        *,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "none",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
        self.matrix = _checked(matrix, len(self.vocabulary))
        self.context_vectors = None
        self.tokenizer = tokenizer
        self.lowercase = bool(lowercase)
        self.normalize = normalize
        self.settings = dict(settings or {})
        self.origin, self.attributes, self.nodes = {}, {}, None
        self._kept_lengths: np.ndarray | None = None

    @property
    def vectors(self) -> NoReturn:  # type: ignore[override]
        """Not available; use ``matrix``.

        Raises:
            InputError: always.
        """
        raise InputError(_DENSE)

    @property
    def unit_vectors(self) -> NoReturn:
        """Not available; use ``matrix``."""
        raise InputError(_DENSE)

    @property
    def vector_size(self) -> int:
        """C, the number of contexts."""
        return int(self.matrix.shape[1])

    def __repr__(self) -> str:
        return f"<SparseWordVectors of {len(self):,} tokens x {self.vector_size:,}, {len(self.matrix.data):,} numbers>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept_lengths": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"attributes": {}, **state})
        freeze_arrays([*self.attributes.values(), self.matrix.indptr, self.matrix.indices, self.matrix.data])

    def table(self) -> VectorTable:
        return VectorTable(
            self.vocabulary, self.matrix, None, origin=self.origin, attributes=self.attributes, **self._how()
        )

    def most_similar_batch(
        self,
        terms: Sequence[Term] | np.ndarray,
        top: int = 10,
        *,
        restrict: int | Iterable[str] | None = None,
        ignore_missing: bool = False,
    ) -> list[Answers]:
        # A few at a time, because queries are dense.
        terms, answers = list(terms), list[Answers]()
        for start in range(0, len(terms), _AT_ONCE):
            answers += super().most_similar_batch(
                terms[start : start + _AT_ONCE], top, restrict=restrict, ignore_missing=ignore_missing
            )
        return answers

    def row_similarities(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        left, right = self._row_pairs(left, right)
        dots = rows_of(self.matrix, left).multiply(rows_of(self.matrix, right)).sum(axis=1)
        return np.asarray(np.clip(np.asarray(dots).ravel() / (self._lengths[left] * self._lengths[right]), -1, 1))

    def similarities(self, word: str, others: Iterable[str] | None = None) -> np.ndarray:
        row = self.token_id(word)
        if others is not None:
            rows = self._rows(others)
            return self.row_similarities(np.full(len(rows), row), rows)
        return np.asarray(self._cosines(self._unit(np.array([row])))[0])

    def cosines_of_rows(self, rows: np.ndarray, top: int) -> np.ndarray:
        """Return the cosines (n, top) float32 of some rows with the first ``top`` rows."""
        found = np.empty((len(rows), top), np.float32)
        for start in range(0, len(rows), _AT_ONCE):
            found[start : start + _AT_ONCE] = self._cosines(self._unit(rows[start : start + _AT_ONCE]), top)
        return found

    # -- implementation -----------------------------------------------------------------------------------------------

    def _with_tokens(self, vocabulary: Vocabulary, words: list[str]) -> WordVectors:
        return SparseWordVectors(vocabulary, rows_of(self.matrix, self._rows(words)), **self._how())

    def _gather(self, rows: Any) -> np.ndarray:
        wanted = np.atleast_1d(np.asarray(rows, np.int64))
        gathered = rows_of(self.matrix, wanted).toarray().astype(np.float32)
        return np.asarray(gathered if np.ndim(rows) else gathered[0])

    @property
    def _lengths(self) -> np.ndarray:
        """(V,) float64, the norms of the rows, 1 for zero rows."""
        if self._kept_lengths is None:
            lengths = row_lengths(self.matrix)
            self._kept_lengths = np.where(lengths == 0, 1, lengths)
        return self._kept_lengths

    def _cosines(self, directions: np.ndarray, rows: int | None = None) -> np.ndarray:
        """Return the cosines (Q, V) float64 of unit vectors (Q, C) with all rows, or with the first ``rows``."""
        return np.asarray(np.clip(products(self.matrix, directions, rows) / self._lengths[:rows], -1, 1))

    def _unit(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows_of(self.matrix, rows).toarray() / self._lengths[rows][:, None])

    def _nearest(
        self, directions: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        rows, scores = np.arange(len(self))[restrict], self._cosines(directions)[:, restrict]
        return [self._best(rows, score, own, top) for score, own in zip(scores, excluded, strict=True)]

    def _most_similar_mul(
        self, near: np.ndarray, far: np.ndarray, excluded: list[int], top: int, restrict: slice | np.ndarray,
        epsilon: float,
    ) -> Answers:  # fmt: skip
        scores = search.mul_scores(self._cosines(near)[:, restrict], self._cosines(far)[:, restrict], epsilon)
        return self._best(np.arange(len(self))[restrict], scores, excluded, top)

    def _best(self, rows: np.ndarray, scores: np.ndarray, excluded: list[int], top: int) -> Answers:
        scores = np.where(np.isin(rows, excluded), -np.inf, scores)
        found = search.contenders(scores, scores, top)
        return self._answers(*search.ranked(rows[found], scores[found], top))


def _checked(matrix: "csr_array", size: int) -> "csr_array":
    plain = checked_csr("matrix", matrix)
    if matrix.shape[0] != size or not matrix.shape[1]:
        raise InputError(f"matrix must have {size} rows, one per token, got shape {matrix.shape}")
    scratch = getattr(matrix, "_scratch", None)
    return csr_of(owned(plain.indptr), owned(plain.indices), owned(plain.data), plain.shape, scratch)
