"""Count and TF-IDF document vectors as scikit-learn transformers."""

import logging
from collections.abc import Iterable, Mapping, Set
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus
from wordvec.document_vectors.index import Index
from wordvec.document_vectors.matrices import (
    Texts,
    check_idf,
    check_norm,
    checked_dtype,
    count_documents,
    document_frequencies,
    inverse_document_frequency,
    weighed,
)
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.system.structures import checked_weights
from wordvec.system.threads import threads_of
from wordvec.system.validation import check_flag, shown
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)


class _LazyIndex:
    """The index of a vocabulary, built on first use and not pickled."""

    def __init__(self, vocabulary: Vocabulary, ngram_range: tuple[int, int]) -> None:
        self._arguments = vocabulary, ngram_range
        self._index: Index | None = None

    def get(self) -> Index:
        if self._index is None:
            self._index = Index(*self._arguments)
        return self._index

    def __getstate__(self) -> dict[str, Any]:
        return {"_arguments": self._arguments, "_index": None}


# Sparse results, which ``set_output`` would refuse at ``transform``: None does not offer it.
class CountVectorizer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc,call-arg]
    """Convert texts to a sparse matrix of word or n-gram counts: a faster ``CountVectorizer`` of scikit-learn.

    The parameters are those of ``count_documents``, with ``n_jobs`` for the number of threads (None: one per core). By
    default, tokens are separated by ASCII white space and keep their case, whereas scikit-learn's default pattern drops
    punctuation and single letters. Columns are sorted by descending count, not alphabetically. A fixed ``vocabulary``
    keeps its order: that of a list, the indices of a dict; a set is sorted. It needs no ``fit``.

    Attributes:
        vocabulary_: ``Vocabulary``, the features in column order, with their counts.
        tokenizer_, lowercase_, normalize_: how texts are tokenized: the parameters, or those of a ``TextCorpus``.

    Example:
        >>> model = CountVectorizer()
        >>> model.fit_transform(["a rose is a rose", "is it"]).toarray()
        array([[2, 1, 2, 0],
               [0, 1, 0, 1]])
        >>> model.get_feature_names_out().tolist()
        ['a', 'is', 'rose', 'it']
        >>> model.transform(["is it a name"]).toarray()
        array([[1, 1, 0, 1]])
    """

    def __init__(
        self,
        *,
        ngram_range: tuple[int, int] = (1, 1),
        min_count: int = 1,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Vocabulary | Iterable[str] | Mapping[str, int] | None = None,
        binary: bool = False,
        dtype: DTypeLike = np.int64,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        n_jobs: int | None = None,
    ) -> None:
        self.ngram_range = ngram_range
        self.min_count = min_count
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.binary = binary
        self.dtype = dtype
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.n_jobs = n_jobs

    def fit(self, X: Texts, y: Any = None) -> "CountVectorizer":
        """Learn the features of texts, lists of tokens, a ``TextCorpus`` or an ``EncodedCorpus``.

        Raises:
            InputError: a parameter out of range, an invalid text, or no features left.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Texts, y: Any = None) -> csr_matrix:
        """Learn the features and return the document vectors, (texts, V) CSR; a one-shot generator is read once."""
        checked_dtype(self.dtype)
        return self._fit_counts(X, self.dtype)

    def transform(self, X: Texts) -> csr_matrix:
        """Return the document vectors, (texts, V) CSR; unknown words are ignored.

        Parameters that were changed after ``fit`` have no effect until the next one, except ``n_jobs``.

        Raises:
            InputError: X is a single string, or has an item that is neither a text nor a list of tokens.
        """
        if self.vocabulary is not None and not hasattr(self, "vocabulary_"):
            return type(self)(**self.get_params())._fit_counts(X, checked_dtype(self.dtype))
        check_is_fitted(self)
        return self._counts(X)

    def inverse_transform(self, X: Any) -> list[np.ndarray]:
        """Return the features of each row with nonzero values, as arrays of strings in column order.

        Args:
            X: (texts, V) matrix, sparse or dense.

        Raises:
            InputError: X has another number of columns.
        """
        names = self.get_feature_names_out()
        matrix = csr_matrix(X).sorted_indices()
        if matrix.shape[1] != len(names):
            raise InputError(f"the matrix must have {len(names):,} columns, one per feature, got {matrix.shape[1]:,}")
        rows = [slice(start, end) for start, end in pairwise(matrix.indptr.tolist())]
        return [names[matrix.indices[row][matrix.data[row] != 0]] for row in rows]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the feature names, (V,) strings in column order; ``input_features`` is ignored."""
        check_is_fitted(self)
        return np.array(self.vocabulary_.tokens, object)

    def _fit_counts(self, X: Texts, dtype: DTypeLike) -> csr_matrix:
        given = None if self.vocabulary is None else _fixed(self.vocabulary)
        if given is not None and self.lowercase is True and any(token != token.lower() for token in given.tokens):
            _log.warning("the vocabulary has words with capital letters, which lower-cased texts never contain")
        matrix, vocabulary = count_documents(
            X,
            vocabulary=given,
            ngram_range=self.ngram_range,
            min_count=self.min_count,
            min_df=self.min_df,
            max_df=self.max_df,
            max_features=self.max_features,
            binary=self.binary,
            dtype=dtype,
            tokenizer=self.tokenizer,
            lowercase=self.lowercase,
            normalize=self.normalize,
            threads=threads_of(self.n_jobs),
        )
        source = X if isinstance(X, TextCorpus | EncodedCorpus) else self
        self.tokenizer_, self.lowercase_, self.normalize_ = source.tokenizer, source.lowercase, source.normalize
        self.vocabulary_ = vocabulary
        self._index = _LazyIndex(vocabulary, self.ngram_range)
        self._options: dict[str, Any] = {"ngram_range": self.ngram_range, "binary": self.binary, "dtype": dtype}
        return matrix

    def _counts(self, X: Texts) -> csr_matrix:
        return count_documents(
            X,
            vocabulary=self._index.get(),
            **self._options,
            tokenizer=self.tokenizer_,
            lowercase=self.lowercase_,
            normalize=self.normalize_,
            threads=threads_of(self.n_jobs),
        )[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = True
        return tags


def _fixed(vocabulary: Vocabulary | Iterable[str] | Mapping[str, int]) -> Vocabulary:
    """Return a vocabulary in column order.

    Raises:
        InputError: it is empty, or the indices of a dict are not 0 to V - 1.
    """
    if isinstance(vocabulary, Mapping):
        places = vocabulary.values()
        if not all(isinstance(place, Integral) for place in places) or sorted(places) != list(range(len(places))):
            raise InputError(f"the indices of vocabulary must be 0 to {len(places) - 1}, got {shown(list(places))}")
        vocabulary = sorted(vocabulary, key=vocabulary.__getitem__)
    elif isinstance(vocabulary, Set):
        vocabulary = sorted(vocabulary)
    found = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(list(vocabulary))
    if not len(found):
        raise InputError("vocabulary must have at least one word, got none; None learns it from the texts")
    return found


class TfidfVectorizer(CountVectorizer, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Convert texts to a sparse matrix of TF-IDF weights: a faster ``TfidfVectorizer`` of scikit-learn.

    Additional parameters, besides those of ``CountVectorizer``:

    Args:
        idf: the formula of ``inverse_document_frequency``: ``smooth`` (scikit-learn's default), ``plain`` (its
            ``smooth_idf=False``), ``textbook`` (ln(N / df), without the added 1) or ``none`` (its ``use_idf=False``).
        sublinear_tf: use 1 + ln(count) instead of the count.
        norm: ``l2``, ``l1`` or None.
        dtype: float32 or float64.

    Attributes:
        vocabulary_: ``Vocabulary``, the features in column order, with their counts.
        idf_: (V,) float64, the IDF weight of each feature.

    Example:
        >>> model = TfidfVectorizer(idf="textbook", norm=None)
        >>> model.fit_transform(["a rose is a rose", "is it"]).toarray().round(3).tolist()
        [[1.386, 0.0, 1.386, 0.0], [0.0, 0.0, 0.0, 0.693]]
        >>> model.idf_.round(3).tolist()
        [0.693, 0.0, 0.693, 0.693]
    """

    def __init__(
        self,
        *,
        ngram_range: tuple[int, int] = (1, 1),
        min_count: int = 1,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Vocabulary | Iterable[str] | Mapping[str, int] | None = None,
        binary: bool = False,
        idf: str = "smooth",
        sublinear_tf: bool = False,
        norm: str | None = "l2",
        dtype: DTypeLike = np.float64,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            ngram_range=ngram_range,
            min_count=min_count,
            min_df=min_df,
            max_df=max_df,
            max_features=max_features,
            vocabulary=vocabulary,
            binary=binary,
            dtype=dtype,
            tokenizer=tokenizer,
            lowercase=lowercase,
            normalize=normalize,
            n_jobs=n_jobs,
        )
        self.idf = idf
        self.sublinear_tf = sublinear_tf
        self.norm = norm

    def fit_transform(self, X: Texts, y: Any = None) -> csr_matrix:
        """Learn features and weights and return the document vectors; a one-shot generator is read once."""
        check_idf(self.idf)
        check_norm(self.norm)
        checked_dtype(self.dtype, floating=True)
        check_flag("sublinear_tf", self.sublinear_tf)
        counts = self._fit_counts(X, np.int32)
        self._weighting: dict[str, Any] = {"sublinear_tf": self.sublinear_tf, "norm": self.norm, "dtype": self.dtype}
        self.idf_ = inverse_document_frequency(document_frequencies(counts), counts.shape[0], self.idf)
        return self._weighted(counts)

    def transform(self, X: Texts) -> csr_matrix:
        """Return the document vectors, (texts, V) CSR, with the learned weights; unknown words are ignored.

        Raises:
            InputError: X is a single string, or has an item that is neither a text nor a list of tokens.
        """
        check_is_fitted(self)
        return self._weighted(self._counts(X))

    def _weighted(self, counts: csr_matrix) -> csr_matrix:
        return weighed(
            counts,
            checked_weights(self.idf_, counts.shape[1], "idf_"),
            **self._weighting,
            threads=threads_of(self.n_jobs),
        )
