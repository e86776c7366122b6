"""Count and TF-IDF document vectors as scikit-learn transformers."""

import logging
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_matrix
from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus
from wordvec.document_vectors.analysis import Analysis, Count
from wordvec.document_vectors.estimator import PATTERN, TextVectorizer
from wordvec.document_vectors.index import Index
from wordvec.document_vectors.matrices import (
    Texts,
    check_counting,
    check_idf,
    check_norm,
    check_order,
    checked_dtype,
    count_analyzed,
    count_documents,
    count_known,
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

_SELECTION = ("min_count", "min_df", "max_df", "max_features")


class _Lazy:
    """What a function returns for some arguments, built on first use and not pickled."""

    def __init__(self, build: Callable[..., Any], *arguments: Any) -> None:
        self._build, self._arguments = build, arguments
        self._found: Any = None

    def get(self) -> Any:
        if self._found is None:
            self._found = self._build(*self._arguments)
        return self._found

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_found": None}


class CountVectorizer(TextVectorizer, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Convert texts to a sparse matrix of word or n-gram counts: a faster ``CountVectorizer`` of scikit-learn.

    The parameters are those of ``count_documents``, with ``n_jobs`` for the number of threads (None: one per core), and
    those of scikit-learn's class. By default, tokens are separated by ASCII white space and keep their case, and
    columns are sorted by descending count. ``CountVectorizer(**SCIKIT_LEARN)``, with the options of
    ``wordvec.document_vectors.estimator``, returns what scikit-learn's returns by default: it drops punctuation and
    single letters, and sorts columns by name. Words by its patterns, and n-grams of characters, are counted by compiled
    code; functions, and other patterns, at the speed of Python.

    A fixed ``vocabulary`` keeps its order: that of a list, the indices of a dict; a set is sorted. It needs no ``fit``.

    Args:
        analyzer: features are n-grams of words (``word``), of characters (``char``), or of characters within words
            (``char_wb``); or a function that maps a document to its features.
        tokenizer: the name of one of our tokenizers, a function, or None for ``token_pattern``.
        token_pattern: regular expression of a token, or of the one group that is a token.
        preprocessor: a function that maps a text to the text to be tokenized, instead of ``strip_accents`` and
            ``lowercase``.
        strip_accents: ``ascii`` or ``unicode``, a function, or None.
        stop_words: words to leave out, before n-grams are formed; ``english`` for scikit-learn's list.
        input: what a document is: its ``content``, a ``file`` with a method ``read``, or a ``filename``.
        encoding, decode_error: how bytes are decoded; without an encoding, a document must be a string.

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
        >>> from wordvec.document_vectors.estimator import SCIKIT_LEARN
        >>> CountVectorizer(**SCIKIT_LEARN, stop_words=["is"]).fit(["A rose is a rose!"]).get_feature_names_out()
        array(['rose'], dtype=object)
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
        tokenizer: str | Callable[[str], list[str]] | None = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        stop_words: Iterable[str] | str | None = None,
        order: str = "count",
        analyzer: str | Callable[[Any], Iterable[str]] = "word",
        token_pattern: str = PATTERN,
        preprocessor: Callable[[Any], str] | None = None,
        strip_accents: str | Callable[[str], str] | None = None,
        input: str = "content",
        encoding: str | None = None,
        decode_error: str = "strict",
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
        self.stop_words = stop_words
        self.order = order
        self.analyzer = analyzer
        self.token_pattern = token_pattern
        self.preprocessor = preprocessor
        self.strip_accents = strip_accents
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
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
        if self.vocabulary is not None and not hasattr(self, "vocabulary_"):
            return np.array(_fixed(self.vocabulary).tokens, object)
        check_is_fitted(self)
        return np.array(self.vocabulary_.tokens, object)

    def _fit_counts(self, X: Texts, dtype: DTypeLike) -> csr_matrix:
        analysis = self._analysis()
        given = None if self.vocabulary is None else _fixed(self.vocabulary)
        if given is not None and self.lowercase is True and any(token != token.lower() for token in given.tokens):
            _log.warning("the vocabulary has words with capital letters, which lower-cased texts never contain")
        selection: dict[str, Any] = {name: getattr(self, name) for name in _SELECTION}
        check_counting((1, 1) if callable(self.analyzer) else self.ngram_range, **selection, given=given is not None)
        sort, threads = check_order(self.order), threads_of(self.n_jobs)
        texts, stop_words = self._texts(X, analysis), self.get_stop_words()
        if analysis is None:
            matrix, vocabulary = count_documents(
                texts,
                vocabulary=given,
                ngram_range=self.ngram_range,
                **selection,
                binary=self.binary,
                dtype=dtype,
                tokenizer=self.tokenizer,
                lowercase=self.lowercase,
                normalize=self.normalize,
                stop_words=stop_words,
                order=self.order,
                threads=threads,
            )
            self._index = _Lazy(Index, vocabulary, self.ngram_range, stop_words or ())
        elif given is None:
            matrix, vocabulary = count_analyzed(
                texts, analysis, sort=sort, **selection, binary=self.binary, dtype=dtype, threads=threads
            )
            self._index = _Lazy(_index_of, analysis, vocabulary)
        else:
            vocabulary, self._index = given, _Lazy(_index_of, analysis, given)
            matrix = self._known(texts, len(given), binary=self.binary, dtype=dtype)
        source = X if isinstance(X, TextCorpus | EncodedCorpus) else self
        self.tokenizer_, self.lowercase_, self.normalize_ = source.tokenizer, source.lowercase, source.normalize
        self.vocabulary_ = vocabulary
        self._fitted_analysis, self._reader = analysis, self._frozen()
        self._options: dict[str, Any] = {"ngram_range": self.ngram_range, "binary": self.binary, "dtype": dtype}
        return matrix

    def _counts(self, X: Texts) -> csr_matrix:
        texts = self._reader._texts(X, self._fitted_analysis)
        if self._fitted_analysis is not None:
            given = {name: self._options[name] for name in ("binary", "dtype")}
            return self._known(texts, len(self.vocabulary_), **given)
        return count_documents(
            texts,
            vocabulary=self._index.get(),
            **self._options,
            tokenizer=self.tokenizer_,
            lowercase=self.lowercase_,
            normalize=self.normalize_,
            threads=threads_of(self.n_jobs),
        )[0]

    def _known(self, texts: Iterable[Any], features: int, binary: bool, dtype: DTypeLike) -> csr_matrix:
        count = self._index.get()
        return count_known(texts, count, features, binary=binary, dtype=dtype, threads=threads_of(self.n_jobs))


def _index_of(analysis: Analysis, vocabulary: Vocabulary) -> Count:
    return analysis.index(vocabulary)


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
        raise InputError("empty vocabulary: it must have at least one word; None learns it from the texts")
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
        tokenizer: str | Callable[[str], list[str]] | None = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        stop_words: Iterable[str] | str | None = None,
        order: str = "count",
        analyzer: str | Callable[[Any], Iterable[str]] = "word",
        token_pattern: str = PATTERN,
        preprocessor: Callable[[Any], str] | None = None,
        strip_accents: str | Callable[[str], str] | None = None,
        input: str = "content",
        encoding: str | None = None,
        decode_error: str = "strict",
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
            stop_words=stop_words,
            order=order,
            analyzer=analyzer,
            token_pattern=token_pattern,
            preprocessor=preprocessor,
            strip_accents=strip_accents,
            input=input,
            encoding=encoding,
            decode_error=decode_error,
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
