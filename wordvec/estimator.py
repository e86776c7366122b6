"""Base of the estimators that learn word vectors from texts."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus
from wordvec.encoding.corpus import EncodedCorpus, encode_corpus
from wordvec.encoding.text_blocks import check_item, items_of
from wordvec.errors import InputError
from wordvec.system.threads import threads_of
from wordvec.system.validation import shown
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors

Corpus: TypeAlias = TextCorpus | Iterable[str] | Iterable[list[str]]
"""What word vectors are learned from: a ``TextCorpus``, texts, or lists of tokens."""


class TextTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the transformers of texts."""

    def fit_transform(self, X: Corpus, y: Any = None) -> Any:
        """Fit, then transform the same texts; those of a one-shot generator are kept for that."""
        return super().fit_transform(list(X) if isinstance(X, Iterator) else X, y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = True
        return tags


class VectorEstimator(ClassNamePrefixFeaturesOutMixin, TextTransformer):  # type: ignore[misc]
    """Base of the estimators that learn word vectors; a text becomes the mean of its words' vectors.

    Attributes:
        vectors_: ``WordVectors``, the model.
        vocabulary_: ``Vocabulary``, the words by falling frequency.
    """

    vectors_: WordVectors
    min_count: int
    max_vocabulary: int | None
    tokenizer: str
    lowercase: bool
    normalize: str
    n_jobs: int | None

    def _encode(self, X: Corpus) -> EncodedCorpus:
        return encode_corpus(
            X,
            min_count=self.min_count,
            max_vocabulary=self.max_vocabulary,
            tokenizer=self.tokenizer,
            lowercase=self.lowercase,
            normalize=self.normalize,
            threads=threads_of(self.n_jobs),
        )

    def transform(self, X: Iterable[str] | Iterable[list[str]]) -> Any:
        """Return each text as the mean of its known words' vectors, zeros when it has none.

        Returns:
            (texts, D) float32; a ``csr_array`` where the vectors are sparse.

        Raises:
            InputError: X is one string, or holds something that is neither a text nor a list of tokens.
        """
        check_is_fitted(self)
        items = items_of(X)
        wv = self.vectors_
        known = []
        for position, text in enumerate(items):
            check_item(text, position)
            tokens = wv.tokenize(text) if isinstance(text, str) else listed(text, position)
            known.append([token for token in tokens if token in wv])
        if isinstance(wv, SparseWordVectors):
            return _sparse_means(wv.matrix, [[wv.lookup(token) for token in tokens] for tokens in known])
        zeros = np.zeros(wv.vector_size, np.float32)
        means = [wv[tokens].mean(axis=0) if tokens else zeros for tokens in known]
        return np.array(means, np.float32).reshape(-1, wv.vector_size)

    @property
    def _n_features_out(self) -> int:
        """The number of columns of ``transform``, for ``get_feature_names_out`` and ``set_output``."""
        return self.vectors_.vector_size


def _sparse_means(matrix: "csr_array", known: list[list[int]]) -> "csr_array":
    """Return the mean of some rows of a matrix (V, C) for each text, (texts, C) float32."""
    lengths = np.array([len(rows) for rows in known], np.int64)
    weights = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(np.float32)
    columns = np.array([row for rows in known for row in rows], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    means: csr_array = csr_array((weights, columns, offsets), shape=(len(known), matrix.shape[0])) @ matrix
    means.sort_indices()
    return means


def listed(text: Any, place: int) -> list[str]:
    """Return the tokens of a text given as a list of tokens."""
    if isinstance(text, bytes) or not isinstance(text, Iterable):
        raise InputError(f"item {place} is of type {type(text).__name__}, expected a text or a list of tokens")
    tokens = list(text)
    for token in tokens:
        if not isinstance(token, str):
            raise InputError(f"item {place} contains {shown(token)}; a token must be a string")
    return tokens


def seed_of(random_state: Any) -> int:
    """Return a seed from scikit-learn's ``random_state``: None, an integer or a ``RandomState``."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    raise InputError(f"random_state must be None, a RandomState or an integer of at least 0, got {random_state!r}")
