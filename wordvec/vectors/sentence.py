"""Vectors of texts from those of their words: mean, TF-IDF-weighted, SIF and uSIF."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_kind, check_number, check_whole, shown
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.subwords import SubwordVectors

METHODS = ("mean", "tfidf", "sif", "usif")
"""Valid values of ``method``."""

_COMPONENTS = {"mean": 0, "tfidf": 0, "sif": 1, "usif": 5}
_TEXTS_AT_ONCE = 1024


class SentenceEncoder:
    """Vectors of texts as weighted means of those of their words, without the components that all texts share.

    =========  ======================================  ==================================================
    method     weight of a word                        removed
    =========  ======================================  ==================================================
    ``mean``   1                                       nothing
    ``tfidf``  ln((1 + texts) / (1 + its texts)) + 1   nothing
    ``sif``    a / (a + p)                             the first principal component (Arora et al. 2017)
    ``usif``   a / (a / 2 + p), a from the texts       five components, by their variance (Ethayarajh
                                                       2018)
    =========  ======================================  ==================================================

    p is the word's share of the training corpus, or of the fitted texts if the vectors have no counts. ``usif``
    divides each dimension by its norm over the words of the text first. Words without a vector are left out; a text
    without any has the vector 0.

    Args:
        vectors: of words.
        method: one of ``METHODS``.
        smoothing: a of ``sif``.
        components: number of principal components to remove; None: that of the method.

    Example:
        >>> wv = WordVectors(["cats", "purr", "dogs", "bark"], [[1, 0], [0.8, 0.2], [0, 1], [0.2, 0.8]])
        >>> SentenceEncoder(wv).encode(["cats purr", "dogs bark", "?"]).round(2)
        array([[0.9, 0.1],
               [0.1, 0.9],
               [0. , 0. ]], dtype=float32)
    """

    def __init__(
        self, vectors: WordVectors, method: str = "mean", *, smoothing: float = 1e-3, components: int | None = None
    ) -> None:
        self.vectors = check_kind("vectors", vectors, WordVectors)
        check_choice("method", method, METHODS)
        self.method = method
        self.smoothing = check_number("smoothing", smoothing, above=0)
        self.components = _COMPONENTS[method] if components is None else check_whole("components", components, 0)
        if self.components > vectors.vector_size:
            raise InputError(f"components must be at most {vectors.vector_size}, got {components}")
        self._weights: dict[str, float] = {}
        self._unseen = 1.0
        self._removed = np.zeros((vectors.vector_size, 0))
        self._strengths = np.zeros(0)
        self._fitted = method == "mean" and not self.components

    def fit(self, texts: Iterable[str]) -> "SentenceEncoder":
        """Learn the words' weights and the components from texts.

        Raises:
            InputError: no texts, or none with a known word.
        """
        tokenized = self._tokenized(texts)
        if not tokenized:
            raise InputError("fit needs at least one text")
        self._learn_weights(tokenized)
        self._fitted = True
        self._removed, self._strengths = np.zeros((self.vectors.vector_size, 0)), np.zeros(0)
        if self.components:
            means = self._means(tokenized)
            if not means.any():
                raise InputError(f"none of the {len(tokenized):,} texts has a word with a vector")
            values, axes = np.linalg.eigh(means.T @ means)
            self._removed = axes[:, ::-1][:, : self.components]
            values = np.maximum(values[::-1][: self.components], 0)
            self._strengths = values / values.sum() if self.method == "usif" else np.ones(self.components)
        return self

    def encode(self, texts: Iterable[str]) -> np.ndarray:
        """Return the vectors (n, D) float32 of texts.

        Raises:
            InputError: the method needs ``fit`` first.
        """
        if not self._fitted:
            raise InputError(f"method {self.method!r} learns from texts: call fit(texts) first")
        means = self._means(self._tokenized(texts))
        return np.asarray((means - (means @ self._removed * self._strengths) @ self._removed.T).astype(np.float32))

    def _tokenized(self, texts: Iterable[str]) -> list[list[str]]:
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise InputError(f"texts must be a list of strings, got {shown(texts)}")
        return [self.vectors.tokenize(text) for text in texts]

    def _learn_weights(self, texts: list[list[str]]) -> None:
        if self.method == "mean":
            return
        if self.method == "tfidf":
            found = Counter(token for tokens in texts for token in set(tokens))
            self._weights = {token: math.log((1 + len(texts)) / (1 + n)) + 1 for token, n in found.items()}
            self._unseen = math.log(1 + len(texts)) + 1
            return
        counts, tokens = self.vectors.counts, self.vectors.tokens
        if counts is None or not counts.any():
            counted = Counter(token for words in texts for token in words)
            tokens, counts = list(counted), np.array(list(counted.values()))
        shares = counts / counts.sum()
        a, half = self.smoothing, 1.0
        if self.method == "usif":
            length = float(np.mean([len(words) for words in texts]))
            frequent = max(1, int((shares > 1 - (1 - 1 / len(shares)) ** length).sum())) / len(shares)
            a, half = max((1 - frequent) / (frequent * 0.5 * len(shares)), 1e-12), 0.5
        self._weights = dict(zip(tokens, (a / (half * a + shares)).tolist(), strict=True))
        self._unseen = 1 / half

    def _means(self, texts: list[list[str]]) -> np.ndarray:
        """Return the weighted means (n, D) float64 of the words' vectors."""
        found = np.zeros((len(texts), self.vectors.vector_size))
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            found[start : start + _TEXTS_AT_ONCE] = self._block(texts[start : start + _TEXTS_AT_ONCE])
        return found

    def _block(self, texts: Sequence[list[str]]) -> np.ndarray:
        vectors = self.vectors
        if isinstance(vectors, SubwordVectors):
            vectors = vectors.with_words(token for tokens in texts for token in tokens)
        rows = [[(row, token) for token in tokens if (row := vectors.lookup(token)) >= 0] for tokens in texts]
        means = np.zeros((len(texts), self.vectors.vector_size))
        filled = [place for place, words in enumerate(rows) if words]
        if not filled:
            return means
        lengths = np.array([len(rows[place]) for place in filled])
        starts = np.cumsum(lengths) - lengths
        words = [word for place in filled for word in rows[place]]
        gathered = vectors.vectors[[row for row, _ in words]].astype(np.float64)
        if self.method == "usif":
            norms = np.sqrt(np.add.reduceat(gathered**2, starts))
            gathered /= np.repeat(np.where(norms == 0, 1, norms), lengths, axis=0)
        weights = np.array([self._weights.get(token, self._unseen) for _, token in words])
        sums = np.add.reduceat(gathered * weights[:, None], starts)
        divisor = np.add.reduceat(weights, starts) if self.method == "tfidf" else lengths
        means[filled] = sums / divisor[:, None]
        return means


def sentence_vectors(
    vectors: WordVectors,
    texts: Sequence[str],
    method: str = "mean",
    *,
    smoothing: float = 1e-3,
    components: int | None = None,
) -> np.ndarray:
    """Return the vectors (n, D) float32 of texts, fitted on these texts; see :class:`SentenceEncoder`.

    Example:
        >>> wv = WordVectors(["cats", "purr", "dogs"], [[1, 0], [0.8, 0.2], [0, 1]])
        >>> sentence_vectors(wv, ["cats purr", "cats", "dogs"], "tfidf").round(2)
        array([[0.89, 0.11],
               [1.  , 0.  ],
               [0.  , 1.  ]], dtype=float32)
    """
    texts = list(texts)
    return SentenceEncoder(vectors, method, smoothing=smoothing, components=components).fit(texts).encode(texts)
