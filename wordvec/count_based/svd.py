"""Word vectors by truncated singular value decomposition of an association matrix."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wordvec.count_based.association import association_matrix
from wordvec.count_based.settings import SvdSettings
from wordvec.errors import InputError
from wordvec.system.aligned_arrays import aligned, row_stride
from wordvec.system.available_memory import require_memory
from wordvec.system.settings import or_defaults
from wordvec.system.structures import checked_csr, frozen
from wordvec.system.threads import run_in_threads, worker_count
from wordvec.system.validation import check_whole
from wordvec.vectors.dense import WordVectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from wordvec.count_based.cooccurrence import CooccurrenceCounts

_ROWS = 512
"""Rows that a thread processes at a time."""

_GRAM_ROWS = 2048
"""Rows per partial sum of a Gram matrix; unlike the number of threads, this affects the result."""

_DEPENDENT = 1e-5
"""Squared relative residual below which a float32 column counts as linearly dependent on the previous ones."""

_SWEEPS = 60
"""Maximum number of Jacobi sweeps; about ten are needed."""


@dataclass
class SvdResult:
    """Word vectors, the D largest singular values, and the seconds taken by weighting and decomposition."""

    vectors: WordVectors
    settings: SvdSettings
    values: np.ndarray
    cells: int
    types: int
    seconds: float = 0.0

    def summary(self) -> dict[str, Any]:
        """Return all fields except the vectors as JSON-serializable values."""
        return {
            "settings": self.settings.record(),
            "values": [float(value) for value in self.values],
            "cells": self.cells,
            "types": self.types,
            "seconds": self.seconds,
        }


def train_svd(
    cooccurrence: "CooccurrenceCounts", settings: SvdSettings | None = None, *, threads: int | None = None
) -> SvdResult:
    """Train word vectors by truncated SVD of the association matrix of co-occurrence counts.

    Results are bit-identical for a seed at any number of threads.

    Args:
        cooccurrence: from ``count_cooccurrences``. For word similarity, a window of 2 to 5 is recommended.
        settings: None means the defaults, as recommended by Levy, Goldberg & Dagan 2015.
        threads: None means one per core.

    Raises:
        InputError: settings out of range, fewer words than dimensions, or an empty association matrix.

    Example:
        >>> from wordvec import count_cooccurrences, encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat", "a cow ran", "a pig ran"] * 9)
        >>> vectors = train_svd(count_cooccurrences(corpus), SvdSettings(vector_size=2)).vectors
        >>> [token for token, score in vectors.most_similar("cat", top=1)]
        ['dog']
    """
    settings = or_defaults(settings, SvdSettings)
    types = len(cooccurrence.vocabulary)
    if settings.vector_size > types:
        raise InputError(
            f"vector_size must be at most the number of words, {types:,}, got {settings.vector_size:,}; lower it or "
            "min_count"
        )
    started = time.perf_counter()
    matrix = association_matrix(cooccurrence, settings.weighting, smoothing=settings.smoothing, shift=settings.shift)
    if matrix.nnz == 0:
        raise InputError("no two words co-occur more often than by chance; use more text")
    found = truncated_svd(
        matrix, settings.vector_size, iterations=settings.iterations, oversampling=settings.oversampling,
        seed=settings.seed, threads=threads,
    )  # fmt: skip
    scale = found.values**settings.exponent
    words, contexts = found.left * scale, found.right * scale
    vectors = WordVectors(
        cooccurrence.vocabulary,
        frozen(words + contexts if settings.add_contexts else words),
        context_vectors=frozen(contexts),
        tokenizer=cooccurrence.tokenizer,
        lowercase=cooccurrence.lowercase,
        normalize=cooccurrence.normalize,
        settings=cooccurrence.settings.file_record(settings.model, settings.record()),
    )
    return SvdResult(vectors, settings, found.values, int(matrix.nnz), types, time.perf_counter() - started)


class SvdFactors(NamedTuple):
    """U diag(S) V^T, the largest singular values first."""

    left: np.ndarray  # (R, K) float32, orthonormal columns
    values: np.ndarray  # (K,) float32
    right: np.ndarray  # (C, K) float32, orthonormal columns


def truncated_svd(
    matrix: "csr_array",
    rank: int,
    *,
    iterations: int = 3,
    oversampling: int = 10,
    seed: int = 1,
    threads: int | None = None,
) -> SvdFactors:
    """Compute the largest singular values of a sparse matrix and their vectors by a randomized range finder.

    Halko, Martinsson & Tropp 2011 (arXiv 0909.4061), algorithms 4.4 and 5.1. No BLAS is used, and results are
    bit-identical at any number of threads. Signs are chosen so that the largest absolute value of each left vector is
    positive.

    Args:
        matrix: (R, C), numeric.
        rank: K, at most the smaller dimension of the matrix. Components beyond the rank of the matrix are 0.
        iterations: number of power iterations; more are more accurate if singular values decay slowly, as they do for
            language.
        oversampling: columns of the range beyond ``rank``.
        seed: of the initial random range.
        threads: None means one per core.

    Raises:
        InputError: settings out of range, not a CSR matrix, or one whose arrays do not agree.
        TrainingError: the factors do not fit in memory.

    Example:
        >>> from scipy.sparse import csr_array
        >>> found = truncated_svd(csr_array([[3.0, 0, 0], [0, 0, 4.0]]), 2)
        >>> found.values.round(3), abs(found.left.round(3))
        (array([4., 3.], dtype=float32), array([[0., 1.],
               [1., 0.]], dtype=float32))
    """
    rank, iterations = check_whole("rank", rank, 1), check_whole("iterations", iterations, 0)
    oversampling = check_whole("oversampling", oversampling, 0)
    seed = check_whole("seed", seed, 0)
    matrix = checked_csr("matrix", matrix)
    if rank > min(matrix.shape):
        raise InputError(f"rank must be at most the smaller matrix dimension, {min(matrix.shape):,}, got {rank:,}")
    size = min(rank + oversampling, *matrix.shape)
    rows, stride = sum(matrix.shape), row_stride(size)
    grams = -(-max(matrix.shape) // _GRAM_ROWS)
    require_memory(
        4 * stride * (rows + grams * stride),
        f"an SVD of {rank:,} dimensions of a matrix of {matrix.shape[0]:,} x {matrix.shape[1]:,}",
        "lower vector_size, or raise min_count",
    )
    work = _Products(matrix, size, worker_count(threads))
    return work.decompose(rank, iterations, seed)


class _Products:
    """Products of a matrix and its transpose with dense matrices of ``size`` columns."""

    def __init__(self, matrix: "csr_array", size: int, threads: int) -> None:
        self.threads, self.size, self.stride = threads, size, row_stride(size)
        self.rows, self.columns = matrix.shape
        indptr, indices = np.asarray(matrix.indptr, np.int64), np.asarray(matrix.indices, np.int32)
        data = np.asarray(matrix.data, np.float32)
        self.matrix = indptr, indices, data
        self.transposed = _transposed(indptr, indices, data, self.columns)

    def decompose(self, rank: int, iterations: int, seed: int) -> SvdFactors:
        random = np.random.Generator(np.random.PCG64([seed, 5]))
        start = self._empty(self.columns)
        start.reshape(self.columns, -1)[:, : self.size] = random.standard_normal((self.columns, self.size), np.float32)
        left = self._orthonormal(self._times(self.matrix, start))
        for _ in range(iterations):
            right = self._orthonormal(self._times(self.transposed, left))
            left = self._orthonormal(self._times(self.matrix, right))
        # B = Q^T A has the singular values; B B^T = W diag(S^2) W^T, U = Q W, V = B^T W / S.
        right = self._times(self.transposed, left)
        squares, turn = self._eigen(self._gram(right))
        values = np.sqrt(np.maximum(squares, 0))
        with np.errstate(divide="ignore"):
            inverse = np.where(values > 1e-6 * values[0], 1 / values, 0)
        left = self._times_small(left, turn * (inverse > 0))
        right = self._times_small(right, turn * inverse)
        return _with_signs(
            left.reshape(-1, self.stride)[:, :rank],
            (values * (inverse > 0))[:rank],
            right.reshape(-1, self.stride)[:, :rank],
        )

    def _empty(self, rows: int) -> np.ndarray:
        return aligned(rows * self.stride, np.float32)

    def _each(self, rows: int, step: int, work: Callable[[int, int], None]) -> None:
        """Call ``work(first, last)`` for all blocks of rows, concurrently."""
        parts = iter(range(0, rows, step))  # next() is atomic, so that no two threads get the same part

        def run(thread: int) -> None:
            for first in parts:
                work(first, min(first + step, rows))

        def stop() -> None:
            for _ in parts:
                pass

        run_in_threads(run, min(self.threads, -(-rows // step)), stop, lambda: None)

    def _times(self, sparse: tuple[np.ndarray, ...], dense: np.ndarray) -> np.ndarray:
        from wordvec.kernels.factorization import multiply_sparse

        rows = len(sparse[0]) - 1
        out = self._empty(rows)
        indptr, indices, data = sparse
        self._each(
            rows, _ROWS,
            lambda first, last: multiply_sparse(indptr, indices, data, dense, self.stride, out, first, last),
        )  # fmt: skip
        return out

    def _times_small(self, dense: np.ndarray, small: np.ndarray) -> np.ndarray:
        from wordvec.kernels.factorization import multiply_small

        rows = len(dense) // self.stride
        out, padded = self._empty(rows), self._empty(self.stride)
        padded.reshape(self.stride, -1)[: self.size, : self.size] = small
        self._each(rows, _ROWS, lambda first, last: multiply_small(dense, padded, self.stride, out, first, last))
        return out

    def _gram(self, dense: np.ndarray) -> np.ndarray:
        """Return the Gram matrix (size, size) float64, summed over fixed blocks of rows in order."""
        from wordvec.kernels.factorization import add_gram

        rows = len(dense) // self.stride
        parts = np.zeros((-(-rows // _GRAM_ROWS), self.stride**2), np.float32)
        self._each(
            rows, _GRAM_ROWS,
            lambda first, last: add_gram(dense, self.stride, parts[first // _GRAM_ROWS], first, last),
        )  # fmt: skip
        total = np.zeros(self.stride**2)
        for part in parts:
            total += part
        upper = np.triu(total.reshape(self.stride, -1)[: self.size, : self.size])
        return upper + np.triu(upper, 1).T

    def _orthonormal(self, dense: np.ndarray) -> np.ndarray:
        """Orthonormalize the columns by Cholesky QR, twice (Yamamoto et al. 2015)."""
        from wordvec.kernels.factorization import orthonormalizer

        for _ in range(2):
            gram = self._gram(dense)
            inverse = np.empty_like(gram)
            orthonormalizer(gram, _DEPENDENT, inverse)
            dense = self._times_small(dense, inverse)
        return dense

    def _eigen(self, symmetric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the eigenvalues in descending order, and the eigenvectors as columns."""
        from wordvec.kernels.factorization import diagonalize

        vectors = np.eye(len(symmetric))
        diagonalize(symmetric, vectors, _SWEEPS)
        order = np.argsort(-np.diagonal(symmetric), kind="stable")
        return np.diagonal(symmetric)[order], vectors[order].T


def _transposed(indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, columns: int) -> tuple[np.ndarray, ...]:
    from wordvec.kernels.factorization import count_columns, transpose

    starts = np.zeros(columns + 1, np.int64)
    count_columns(indices, starts[1:])
    starts = np.cumsum(starts)
    rows_of, values = np.empty(len(indices), np.int32), np.empty(len(indices), np.float32)
    transpose(indptr, indices, data, starts[:-1].copy(), rows_of, values)
    return starts, rows_of, values


def _with_signs(left: np.ndarray, values: np.ndarray, right: np.ndarray) -> SvdFactors:
    largest = np.argmax(np.abs(left), axis=0)
    signs = np.where(left[largest, np.arange(left.shape[1])] < 0, np.float32(-1), np.float32(1))
    return SvdFactors(left * signs, values.astype(np.float32), right * signs)
