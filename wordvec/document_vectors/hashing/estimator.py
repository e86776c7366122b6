"""Hashed counts of words and n-grams, as a scikit-learn transformer without a vocabulary."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize as normalized_rows
from sklearn.utils import murmurhash3_32

from wordvec.document_vectors.analysis import Named
from wordvec.document_vectors.estimator import PATTERN, TextVectorizer
from wordvec.document_vectors.matrices import assembled, check_norm, checked_dtype
from wordvec.system.threads import threads_of, worker_count
from wordvec.system.validation import check_flag, check_whole


class HashingVectorizer(TextVectorizer, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Convert texts to a sparse matrix of hashed counts: a faster ``HashingVectorizer`` of scikit-learn.

    A feature's column is a hash of its name (MurmurHash3), so nothing is learned, and texts can be transformed as they
    arrive. The values are those of scikit-learn, with ``HashingVectorizer(**SCIKIT_LEARN)`` also by default; see
    ``CountVectorizer`` for the options of the text.

    Args:
        n_features: the number of columns.
        alternate_sign: subtract the counts of half of the features, so that collisions cancel out.
        norm: ``l2``, ``l1`` or None.
        binary: set every nonzero value to 1.
        dtype: float32 or float64.

    Example:
        >>> model = HashingVectorizer(n_features=8, norm=None, alternate_sign=False)
        >>> model.transform(["a rose is a rose", "is it"]).toarray().sum(axis=1).tolist()
        [5.0, 2.0]
    """

    def __init__(
        self,
        *,
        n_features: int = 2**20,
        alternate_sign: bool = True,
        norm: str | None = "l2",
        ngram_range: tuple[int, int] = (1, 1),
        binary: bool = False,
        dtype: DTypeLike = np.float64,
        tokenizer: str | Callable[[str], list[str]] | None = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        stop_words: Iterable[str] | str | None = None,
        analyzer: str | Callable[[Any], Iterable[str]] = "word",
        token_pattern: str = PATTERN,
        preprocessor: Callable[[Any], str] | None = None,
        strip_accents: str | Callable[[str], str] | None = None,
        input: str = "content",
        encoding: str | None = None,
        decode_error: str = "strict",
        n_jobs: int | None = None,
    ) -> None:
        self.n_features = n_features
        self.alternate_sign = alternate_sign
        self.norm = norm
        self.ngram_range = ngram_range
        self.binary = binary
        self.dtype = dtype
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.stop_words = stop_words
        self.analyzer = analyzer
        self.token_pattern = token_pattern
        self.preprocessor = preprocessor
        self.strip_accents = strip_accents
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> "HashingVectorizer":
        """Check the parameters; nothing is learned.

        Raises:
            InputError: a parameter out of range, or X is a single string.
        """
        self._check()
        self._texts(X, self._hashed())
        return self

    def partial_fit(self, X: Any, y: Any = None) -> "HashingVectorizer":
        """Check the parameters; nothing is learned, so texts can be transformed as they arrive."""
        return self.fit(X)

    def fit_transform(self, X: Any, y: Any = None) -> csr_matrix:
        """Return ``transform(X)``."""
        return self.transform(X)

    def transform(self, X: Any) -> csr_matrix:
        """Return the document vectors, (texts, n_features) CSR.

        Raises:
            InputError: a parameter out of range, X is a single string, or has an item that is not a text.
        """
        size, dtype = self._check()
        analysis = self._hashed()
        found, rows = analysis.learn(self._texts(X, analysis), worker_count(threads_of(self.n_jobs)), sort=False)
        counts = assembled(rows, len(found), dtype, binary=False)
        hashes = np.fromiter((murmurhash3_32(name.encode(), 0) for name in found.tokens), np.int64, len(found))
        columns = np.where(hashes == -(2**31), (2**31 - size) % size, np.abs(hashes) % size)
        data = counts.data
        if self.alternate_sign:
            data = data * np.where(hashes < 0, -1, 1).astype(dtype)[counts.indices]
        matrix = csr_matrix((data, columns.astype(np.int32)[counts.indices], counts.indptr), (counts.shape[0], size))
        matrix.sum_duplicates()
        if self.binary:
            matrix.data.fill(1)
        return matrix if self.norm is None else normalized_rows(matrix, self.norm, copy=False)

    def _hashed(self) -> Any:
        analysis = self._analysis()
        if analysis is not None:
            return analysis
        stop_words = frozenset(self.get_stop_words() or ())
        return Named(self.ngram_range, self.tokenizer, self.lowercase, self.normalize, stop_words)

    def _check(self) -> tuple[int, np.dtype[Any]]:
        check_norm(self.norm)
        check_flag("alternate_sign", self.alternate_sign)
        check_flag("binary", self.binary)
        size = check_whole("n_features", self.n_features, 1, 2**31 - 1)
        return size, checked_dtype(self.dtype, floating=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
