"""What a vector file holds: the exchange type between the file formats and the word vectors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class SubwordTable:
    """The rows that the vectors of a subword model are composed of, see ``SubwordVectors``.

    Attributes:
        min_n, max_n: lengths of the n-grams, in characters.
        buckets: the number that the n-grams are hashed to.
        word_vectors: (V, D) float32, the words' own rows; (0, D) if they have none.
        ngram_vectors: (U, D) float32.
        ngram_buckets: (U,) int32, the bucket of each of these, ascending; None if there is a row for every bucket.
        pruned: whether n-grams without a row are left out, as in pruned fastText models, or count as zeros.
        hashes: None: an n-gram has one row, and each word one of its own, as in fastText; else the number of rows of
            ``ngram_vectors`` that a word and each n-gram have, as in floret.
    """

    min_n: int
    max_n: int
    buckets: int
    word_vectors: np.ndarray
    ngram_vectors: np.ndarray
    ngram_buckets: np.ndarray | None = None
    pruned: bool = False
    hashes: int | None = None

    def rows_of_buckets(self, start: int, end: int) -> np.ndarray:
        """Return (end - start, D) float32, the rows of these buckets, those without one as zeros."""
        if self.ngram_buckets is None:
            return self.ngram_vectors[start:end]
        rows = np.zeros((end - start, self.ngram_vectors.shape[1]), np.float32)
        first, last = np.searchsorted(self.ngram_buckets, (start, end))
        rows[self.ngram_buckets[first:last] - start] = self.ngram_vectors[first:last]
        return rows


@dataclass(frozen=True)
class NodeTable:
    """The inner nodes of the tree of hierarchical softmax, the output side of its training.

    Attributes:
        vectors: (N, D) float32; from node n, input h takes code 0 with probability sigmoid(vectors[n] . h).
        children: (N, 2) int32, the one at code 0 first. Below V it is a word, V + n is node n, which comes before its
            parent; the root is the last node. The tree has N + 1 of the V words.
    """

    vectors: np.ndarray
    children: np.ndarray


@dataclass(frozen=True)
class VectorTable:
    """Tokens, their vectors, and how they were made; formats return and take it, and know no ``WordVectors``.

    Attributes:
        vocabulary: V tokens, with or without counts.
        vectors: (V, D) float32, or a ``csr_array`` (V, C) of float32; (0, D) if they are still to be composed of
            ``subwords``.
        context_vectors: (V, D) float32, the output side of training, or None.
        tokenizer, lowercase, normalize: how the training text was split into tokens.
        settings: how the vectors were made, as JSON can hold it.
        origin: the training text and the program, as ``train-embeddings`` records them; empty if unknown.
        subwords: the rows of words and n-grams that ``vectors`` are the means of, or None.
        attributes: further numbers of each token by name, (V,) int64 or float64.
        nodes: the tree of hierarchical softmax, or None.
    """

    vocabulary: Vocabulary
    vectors: "np.ndarray | csr_array"
    context_vectors: np.ndarray | None = None
    tokenizer: str = "whitespace"
    lowercase: bool = False
    normalize: str = "none"
    settings: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    subwords: SubwordTable | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    nodes: NodeTable | None = None

    @property
    def tokens(self) -> list[str]:
        return self.vocabulary.tokens

    @property
    def counts(self) -> np.ndarray | None:
        return self.vocabulary.counts

    @property
    def vector_size(self) -> int:
        return int(self.vectors.shape[1])

    @property
    def is_sparse(self) -> bool:
        return not isinstance(self.vectors, np.ndarray)

    def __len__(self) -> int:
        return len(self.vocabulary)
