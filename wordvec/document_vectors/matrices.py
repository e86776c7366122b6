"""Bag-of-words document vectors as sparse matrices: word and n-gram counts, TF-IDF; one-hot encoding of tokens.

Columns are in the order of a :class:`~wordvec.Vocabulary`: by descending count, ties in byte order (for n-grams: by
length, then in the order of their words). scikit-learn sorts columns alphabetically; otherwise, the same options give
the same numbers.
"""

from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_matrix

from corpora import TextCorpus, get_tokenizer
from wordvec.document_vectors import index as counting
from wordvec.document_vectors.analysis import Analysis, Count, document_blocks
from wordvec.document_vectors.index import Index, Rows
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.scanning import in_order
from wordvec.errors import InputError
from wordvec.system.progress import OnProgress, reporter
from wordvec.system.structures import checked_csr, checked_weights, whole_array
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_choice, check_flag, check_kind, check_whole, shown
from wordvec.vocabulary import Vocabulary

Texts: TypeAlias = TextCorpus | EncodedCorpus | Iterable[str] | Iterable[list[str]]

IDF = ("smooth", "plain", "textbook", "none")
"""The formulas of ``inverse_document_frequency``."""

_NORMS = {None: 0, "l1": 1, "l2": 2}
_DTYPES = ("int32", "int64", "float32", "float64")
_ENTRIES = 1 << 18
"""Matrix entries that a thread weights at a time."""


def count_documents(
    texts: Texts,
    *,
    vocabulary: Vocabulary | Index | None = None,
    ngram_range: tuple[int, int] = (1, 1),
    min_count: int = 1,
    min_df: float = 1,
    max_df: float = 1.0,
    max_features: int | None = None,
    binary: bool = False,
    dtype: DTypeLike = np.int64,
    tokenizer: str = "whitespace",
    lowercase: bool = False,
    normalize: str = "NFC",
    stop_words: Iterable[str] | None = None,
    order: str = "count",
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[csr_matrix, Vocabulary]:
    """Count how often each word or n-gram occurs in each text.

    The texts are read once, and the result is the same at any number of threads.

    Args:
        texts: texts or lists of tokens, possibly a one-shot generator; a ``TextCorpus`` (one document per unit, a
            line by default, with its own tokenization); or an ``EncodedCorpus`` (one document per sentence, without
            its out-of-vocabulary words, which n-grams skip).
        vocabulary: count only these features, in this column order. None: select the features of the texts by the
            options below.
        ngram_range: minimum and maximum number of words per feature; the words of an n-gram are joined by a space.
        min_count: drop features that occur less often in all texts together.
        min_df, max_df: drop features in fewer or more documents; an integer is a number of documents, a float a
            fraction of them.
        max_features: keep at most this many, those with the largest column sums.
        binary: set every count above 0 to 1.
        dtype: of the counts: int32, int64, float32 or float64.
        tokenizer, lowercase, normalize: how texts are tokenized; lists of tokens are used as they are.
        stop_words: words that are left out, before n-grams are formed; not for an ``EncodedCorpus``.
        order: of the columns: ``count``, or ``name`` for scikit-learn's, by code points.
        threads: None means one per core.
        on_progress: called a few times a second, for a ``TextCorpus``.

    Returns:
        A CSR matrix (texts, V) with sorted indices, and its vocabulary of V features with their counts in all texts.

    Raises:
        InputError: there are no features, or none are left.
        InputError: settings are out of range or contradictory, or a text is invalid.

    Example:
        >>> matrix, vocabulary = count_documents(["a rose is a rose", "", "is it"])
        >>> vocabulary.tokens
        ['a', 'is', 'rose', 'it']
        >>> matrix.toarray()
        array([[2, 1, 2, 0],
               [0, 0, 0, 0],
               [0, 1, 0, 1]])
        >>> count_documents([["new", "york"]], ngram_range=(1, 2))[1].tokens
        ['new', 'york', 'new york']
    """
    check_counting(ngram_range, min_count, min_df, max_df, max_features, given=vocabulary is not None)
    kind, workers = checked_dtype(dtype), worker_count(threads)
    get_tokenizer(tokenizer)
    sort = check_order(order)
    dropped = frozenset(stop_words or ())
    if dropped and isinstance(texts, EncodedCorpus):
        raise InputError("an EncodedCorpus has no stop words; leave them out by encode_corpus(drop_words=...)")
    low, high = int(ngram_range[0]), int(ngram_range[1])
    report = reporter(on_progress, "reading", "bytes")
    if vocabulary is not None:
        if not isinstance(vocabulary, Index):
            vocabulary = Index(check_kind("vocabulary", vocabulary, Vocabulary), (low, high), dropped)
        index = vocabulary
        if isinstance(texts, EncodedCorpus):
            rows = index.count_encoded(texts.ids, texts.offsets, texts.vocabulary.tokens, workers)
        else:
            rows = index.count(document_blocks(texts, (tokenizer, lowercase, normalize), report), workers)
        return assembled(rows, len(index.vocabulary), kind, binary), index.vocabulary
    if isinstance(texts, EncodedCorpus):
        found, parts = texts.vocabulary, counting.encoded_parts(texts.ids, texts.offsets, in_order_of_text=high > 1)
        counts = np.asarray(found.counts)
        found, rows = counting.count_ranked(
            parts, lambda: texts.vocabulary.tokens, counts, (low, high), workers, sort=sort
        )
    else:
        blocks = document_blocks(texts, (tokenizer, lowercase, normalize), report)
        found, rows = counting.learn(blocks, (low, high), workers, dropped, sort)
    if not len(found):
        raise InputError(f"no text has {f'{low} words' if low > 1 else 'a word'}; use longer texts")
    found = _selected(found, rows, min_count, (min_df, max_df), max_features, binary)
    return assembled(rows, len(found), kind, binary), found


def count_analyzed(
    texts: Iterable[Any],
    analysis: Analysis,
    *,
    sort: bool,
    min_count: int = 1,
    min_df: float = 1,
    max_df: float = 1.0,
    max_features: int | None = None,
    binary: bool = False,
    dtype: DTypeLike = np.int64,
    threads: int | None = None,
) -> tuple[csr_matrix, Vocabulary]:
    """Return ``count_documents`` of texts whose features an analyzer finds, ``sort``\\ ed by name if wanted.

    Raises:
        InputError: as for ``count_documents``.
    """
    found, rows = analysis.learn(texts, worker_count(threads), sort)
    if not len(found):
        raise InputError("empty vocabulary: no text has a feature; use longer texts, or fewer stop words")
    found = _selected(found, rows, min_count, (min_df, max_df), max_features, binary)
    return assembled(rows, len(found), checked_dtype(dtype), binary), found


def count_known(
    texts: Iterable[Any], count: Count, features: int, *, binary: bool, dtype: DTypeLike, threads: int | None
) -> csr_matrix:
    """Return the counts, (texts, features) CSR, of the features that ``count`` counts."""
    return assembled(count(texts, worker_count(threads)), features, checked_dtype(dtype), binary)


def document_frequencies(matrix: csr_matrix) -> np.ndarray:
    """Return the document frequency of each feature of a count matrix, (V,) int64.

    Raises:
        InputError: not a CSR matrix, or one whose arrays do not agree.

    Example:
        >>> document_frequencies(count_documents(["a rose is a rose", "is it"])[0])
        array([1, 2, 1, 1])
    """
    matrix = checked_csr("matrix", matrix)
    ones = Rows(matrix.indices, matrix.indices, matrix.indptr)
    return counting.frequencies([ones], matrix.shape[1])


def inverse_document_frequency(frequencies: np.ndarray, documents: int, formula: str = "smooth") -> np.ndarray:
    """Return the IDF weight of features, given their document frequencies df in N documents.

    ========  ==========================  ===========================================================================
    smooth    ln((1 + N) / (1 + df)) + 1  as if one more document had every feature; scikit-learn's default
    plain     ln(N / df) + 1              scikit-learn's ``smooth_idf=False``
    textbook  ln(N / df)                  Manning, Raghavan, Schütze 2008, 6.2.1; 0 for features of every document
    none      1
    ========  ==========================  ===========================================================================

    Args:
        frequencies: (V,) integers, df. A feature in no document is weighted as if it were in one.
        documents: N.
        formula: one of ``IDF``.

    Returns:
        (V,) float64.

    Raises:
        InputError: an unknown formula, or a frequency that is not in 0..N.

    Example:
        >>> inverse_document_frequency(np.array([4, 2, 1]), 4, "textbook").round(4).tolist()
        [0.0, 0.6931, 1.3863]
    """
    check_idf(formula)
    documents = check_whole("documents", documents, 0)
    df = whole_array("frequencies", frequencies, documents + 1).astype(np.float64)
    if formula == "none":
        return np.ones(len(df))
    if formula == "smooth":
        return np.asarray(np.log((documents + 1.0) / (df + 1.0)) + 1.0)
    idf = np.log(max(documents, 1) / np.maximum(df, 1.0))
    return np.asarray(idf + 1.0 if formula == "plain" else idf)


def weigh_documents(
    counts: csr_matrix,
    idf: np.ndarray,
    *,
    sublinear_tf: bool = False,
    norm: str | None = "l2",
    dtype: DTypeLike = np.float64,
    threads: int | None = None,
) -> csr_matrix:
    """Weight counts by TF-IDF: each count tf becomes tf idf, or (1 + ln tf) idf, and rows are normalized.

    Args:
        counts: (texts, V) CSR.
        idf: (V,) float64, from ``inverse_document_frequency``.
        sublinear_tf: use 1 + ln tf instead of tf.
        norm: ``l2`` (unit Euclidean norm), ``l1`` (absolute values sum to 1) or None.
        dtype: float32 or float64; sums are always float64.
        threads: None means one per core.

    Raises:
        InputError: an unknown norm or dtype, not a CSR matrix or one whose arrays do not agree, or not one finite
            weight per column.

    Example:
        >>> counts, vocabulary = count_documents(["a rose is a rose", "is it"])
        >>> idf = inverse_document_frequency(document_frequencies(counts), 2, "textbook")
        >>> weigh_documents(counts, idf, norm=None).toarray().round(3).tolist()
        [[1.386, 0.0, 1.386, 0.0], [0.0, 0.0, 0.0, 0.693]]
    """
    counts = checked_csr("counts", counts)
    idf = checked_weights(idf, counts.shape[1])
    found = weighed(counts, idf, sublinear_tf=sublinear_tf, norm=norm, dtype=dtype, threads=threads)
    found.indices, found.indptr = found.indices.copy(), found.indptr.copy()
    return found


def weighed(
    counts: csr_matrix, idf: np.ndarray, *, sublinear_tf: bool, norm: str | None, dtype: DTypeLike, threads: int | None
) -> csr_matrix:
    """Return ``weigh_documents`` of a valid matrix and weights; the result shares the matrix's index arrays.

    Raises:
        InputError: an unknown norm or dtype.
    """
    from wordvec.kernels.documents import weigh

    check_norm(norm)
    sublinear = check_flag("sublinear_tf", sublinear_tf)
    weights = np.empty(len(counts.data), checked_dtype(dtype, floating=True))
    starts = counts.indptr

    def work(bounds: tuple[int, int]) -> None:
        rows = starts[bounds[0] : bounds[1] + 1]
        weigh(rows, counts.indices, counts.data, idf, sublinear, _NORMS[norm], weights)

    for _ in in_order(work, _row_ranges(starts), worker_count(threads)):
        pass
    return _csr(weights, counts.indices, starts, counts.shape)


def one_hot(tokens: Iterable[str], vocabulary: Vocabulary, dtype: DTypeLike = np.int64) -> csr_matrix:
    """Return the one-hot encoding of tokens: a row per token with a 1 in its column.

    Args:
        tokens: N words, looked up as written, then lower-cased.
        vocabulary: V tokens.
        dtype: int32, int64, float32 or float64.

    Returns:
        (N, V) CSR matrix.

    Raises:
        UnknownTokenError: a token is not in the vocabulary.
        InputError: ``tokens`` is a single string, or the dtype is invalid.

    Example:
        >>> words = ["to", "be", "or", "not", "to", "be"]
        >>> one_hot(words, Vocabulary(["to", "be", "or", "not"])).toarray()
        array([[1, 0, 0, 0],
               [0, 1, 0, 0],
               [0, 0, 1, 0],
               [0, 0, 0, 1],
               [1, 0, 0, 0],
               [0, 1, 0, 0]])
    """
    if isinstance(tokens, str | bytes):
        raise InputError("expected a list of tokens, got one string; split it into tokens first")
    columns = np.array([vocabulary.token_id(token) for token in tokens], np.int32)
    ones = np.ones(len(columns), checked_dtype(dtype))
    return _csr(ones, columns, np.arange(len(columns) + 1, dtype=np.int32), (len(columns), len(vocabulary)))


# -- options ----------------------------------------------------------------------------------------------------------


def check_idf(formula: str) -> None:
    """Raise InputError for an unknown formula."""
    check_choice("idf", formula, IDF)


def check_order(order: str) -> bool:
    """Return whether the columns are sorted by name; raise InputError for an unknown order."""
    check_choice("order", order, ("count", "name"))
    return order == "name"


def check_norm(norm: str | None) -> None:
    """Raise InputError for an unknown norm."""
    if not isinstance(norm, str | None) or norm not in _NORMS:
        raise InputError(f"norm must be 'l1', 'l2' or None, got {shown(norm)}")


def checked_dtype(dtype: DTypeLike, floating: bool = False) -> np.dtype[Any]:
    """Return the dtype after checking that counts, or with ``floating`` weights, may have it.

    Raises:
        InputError: the dtype is not allowed.
    """
    allowed = _DTYPES[2:] if floating else _DTYPES
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = repr(dtype)
    if name not in allowed:
        raise InputError(f"dtype must be one of {', '.join(allowed)}, got {name}")
    return np.dtype(name)


def check_counting(
    ngram_range: tuple[int, int] = (1, 1),
    min_count: int = 1,
    min_df: float = 1,
    max_df: float = 1.0,
    max_features: int | None = None,
    given: bool = False,
) -> None:
    """Raise InputError for options of ``count_documents`` out of range, or incompatible with a ``given`` vocabulary."""
    try:
        low, high = ngram_range
        right = isinstance(low, Integral) and isinstance(high, Integral) and 1 <= low <= high <= 255
    except (TypeError, ValueError):
        right = False
    if not right:
        raise InputError(f"ngram_range must be two whole numbers, 1 <= shortest <= longest <= 255, got {ngram_range!r}")
    if given and (min_count, min_df, max_df, max_features) != (1, 1, 1.0, None):
        raise InputError("a given vocabulary is used as it is; omit min_count, min_df, max_df and max_features")
    for name, value in (("min_count", min_count), ("max_features", max_features)):
        if value is not None:
            check_whole(name, value, 1)
    for name, limit in (("min_df", min_df), ("max_df", max_df)):
        whole = isinstance(limit, Integral) and check_whole(name, limit) is not None
        if isinstance(limit, bool) or not isinstance(limit, Real) or not (limit >= 1 if whole else 0 <= limit <= 1):
            raise InputError(
                f"{name} must be an integer of at least 1 or a fraction from 0.0 to 1.0, got {shown(limit)}"
            )


def _selected(
    found: Vocabulary, rows: list[Rows], min_count: int, df: tuple[float, float], max_features: int | None, binary: bool
) -> Vocabulary:
    """Return the features selected by the options, and restrict ``rows`` to their columns in place."""
    frequencies = counting.frequencies(rows, len(found))
    counts = np.asarray(found.counts)
    documents = sum(len(chunk.sizes) for chunk in rows)
    least, most = (limit if isinstance(limit, Integral) else limit * documents for limit in df)
    if most < least:
        raise InputError(f"max_df ({most:g} of {documents:,} documents) is below min_df ({least:g}); widen the range")
    kept = (frequencies >= least) & (frequencies <= most) & (counts >= min_count)
    if max_features is not None and np.count_nonzero(kept) > max_features:
        columns = np.flatnonzero(kept)
        sums = (frequencies if binary else counts)[columns]
        kept[:] = False
        kept[columns[np.argsort(-sums, kind="stable")[:max_features]]] = True
    if kept.all():
        return found
    if not kept.any():
        raise InputError(
            f"none of the {len(found):,} features is in {least:g} to {most:g} of {documents:,} documents and occurs at "
            f"least min_count = {min_count} times; relax the limits"
        )
    counting.select(rows, kept)
    return Vocabulary.of_distinct([found.tokens[column] for column in np.flatnonzero(kept).tolist()], counts[kept])


# -- texts in, matrix out ---------------------------------------------------------------------------------------------


def assembled(rows: list[Rows], features: int, dtype: np.dtype[Any], binary: bool) -> csr_matrix:
    """Assemble the matrix of all rows, releasing them one by one."""
    entries = sum(len(chunk.columns) for chunk in rows)
    documents = sum(len(chunk.sizes) for chunk in rows)
    places = np.int32 if max(entries, documents, features) < 2**31 else np.int64
    starts = np.zeros(documents + 1, places)
    columns, counts = np.empty(entries, places), np.empty(entries, dtype)
    document = entry = 0
    rows.reverse()
    while rows:
        chunk = rows.pop()
        starts[document + 1 : document + 1 + len(chunk.sizes)] = entry + np.cumsum(chunk.sizes)
        columns[entry : entry + len(chunk.columns)] = chunk.columns
        counts[entry : entry + len(chunk.columns)] = 1 if binary else chunk.counts
        document += len(chunk.sizes)
        entry += len(chunk.columns)
    return _csr(counts, columns, starts, (documents, features))


def _csr(data: np.ndarray, columns: np.ndarray, starts: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Return a matrix that shares these arrays, whose rows are sorted and have no duplicate columns."""
    matrix = csr_matrix(shape, dtype=data.dtype)
    matrix.data, matrix.indices, matrix.indptr = data, columns, starts
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    return matrix


def _row_ranges(starts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first and last row (exclusive) of blocks of about ``_ENTRIES`` entries."""
    first, documents = 0, len(starts) - 1
    while first < documents:
        last = int(np.searchsorted(starts, starts[first] + _ENTRIES, side="right")) - 1
        last = min(max(last, first + 1), documents)
        yield first, last
        first = last
