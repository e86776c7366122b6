"""Multinomial logistic regression on n-grams, trained by L-BFGS and equal to scikit-learn's to 1e-4 in probability."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, Self

import numpy as np

from seqclf.classification.ngrams import NgramFeatures, SparseRows
from seqclf.layers.workers import Workers
from seqclf.training.lbfgs import minimize
from wordvec import FormatError

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Candidate values of C, the inverse strength of the L2 penalty."""
_PART = 1024
"""Rows, or columns, in a task of a thread."""
_TENSORS = ("linear_weight", "linear_bias")


class Coefficients(NamedTuple):
    """weight (V, K) and bias (K,) float64; K is C, or 1 if there are two classes, of which the first has score 0."""

    weight: np.ndarray
    bias: np.ndarray


class LogisticLoss:
    """The penalized mean cross-entropy of a linear model, and its gradient, as a function of one vector.

    With an L2 penalty, weights and gradients are ``Xᵀ a`` of the features X (S, V): sums of texts' features (the
    representer theorem, Kimeldorf & Wahba 1971). A vector holds ``a`` (S, K), its image ``X Xᵀ a``, and the bias (K,).
    Inner products and sums of such vectors are those of the weights, but with fewer texts than n-grams they take less
    time and memory. N-grams of one text, most of all, add to ``X Xᵀ`` only a diagonal, the sum of their squares.

    Args:
        rows: S texts' features.
        features: V.
        targets: (S,) int32 classes.
        classes: C.
        weights: (S,) of the texts in the loss.
        workers: threads; they do not change a result.

    Attributes:
        shape: V and K.
        largest: the largest absolute component of the gradient that ``at`` last returned, of weights and biases.
    """

    def __init__(
        self, rows: SparseRows, features: int, targets: np.ndarray, classes: int, weights: np.ndarray, workers: Workers
    ) -> None:
        counts, texts = np.bincount(rows.indices, minlength=features), rows.texts()
        alone = counts[rows.indices] == 1
        self._shared = np.flatnonzero(counts > 1)
        self._alone = rows.indices[alone], texts[alone], rows.data[alone]
        self._squares = np.bincount(texts[alone], rows.data[alone] ** 2, targets.size)
        self._peaks = np.zeros(targets.size)
        np.maximum.at(self._peaks, texts[alone], rows.data[alone])
        indptr = np.append(0, np.cumsum(~alone))[rows.indptr]
        number = (np.cumsum(counts > 1) - 1).astype(np.int32)
        self._rows = SparseRows(indptr, number[rows.indices[~alone]], rows.data[~alone])
        self._columns = transposed(self._rows, len(self._shared))
        self._targets, self._weights, self._workers = targets, weights / weights.sum(), workers
        self.shape = features, classes if classes > 2 else 1
        self._total = float(weights.sum())
        self._scores = np.empty((targets.size, self.shape[1]))
        self._losses = np.empty(targets.size)
        self.largest = np.inf

    def start(self) -> np.ndarray:
        """Return zeros, the vector of no knowledge."""
        return np.zeros(2 * self._scores.size + self.shape[1])

    def _parts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``a``, its image and the bias as views of a vector."""
        own, image, bias = np.split(x, [self._scores.size, 2 * self._scores.size])
        return own.reshape(self._scores.shape), image.reshape(self._scores.shape), bias

    def inner(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the inner product of the weights and biases of two vectors."""
        from seqclf.kernels.sparse_linear import inner_product

        size = self._scores.size
        return float(inner_product(x[:size], y[size : 2 * size]) + inner_product(x[2 * size :], y[2 * size :]))

    def coefficients(self, x: np.ndarray) -> Coefficients:
        """Return the weights and biases of a vector."""
        own, _, bias = self._parts(x)
        columns, texts, data = self._alone
        weight = np.empty(self.shape)
        weight[self._shared], weight[columns] = self._product(self._columns, own), data[:, None] * own[texts]
        return Coefficients(weight, bias.copy())

    def _product(self, sparse: SparseRows, dense: np.ndarray) -> np.ndarray:
        """Return the product of a sparse matrix (R, N) and ``dense`` (N, K)."""
        from seqclf.kernels.sparse_linear import sparse_products

        found = np.empty((len(sparse.indptr) - 1, dense.shape[1]))
        self._workers.map(lambda first, last: sparse_products(*sparse, dense, first, last, found), *_parts(len(found)))
        return found

    def at(self, x: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient, both divided by the sum of the weights, for a value of C."""
        from seqclf.kernels.sparse_linear import cross_entropy, inner_product

        own, image, bias = self._parts(x)
        gradient = np.empty_like(x)
        d_own, d_image, d_bias = self._parts(gradient)
        np.add(image, bias, out=self._scores)
        self._workers.map(
            lambda first, last: cross_entropy(self._scores, self._targets, self._weights, first, last, self._losses),
            *_parts(len(own)),
        )
        penalty = 1 / (strength * self._total)
        np.add(self._scores, penalty * own, out=d_own)
        d_bias[:] = self._scores.sum(axis=0)
        d_weight = self._product(self._columns, d_own)
        np.multiply(d_own, self._squares[:, None], out=d_image)
        d_image += self._product(self._rows, d_weight)
        d_alone = d_own * self._peaks[:, None]
        extremes = [each.max(initial=0.0) for each in (d_weight, d_alone, d_bias)]
        extremes += [-each.min(initial=0.0) for each in (d_weight, d_alone, d_bias)]
        self.largest = float(max(extremes))
        return float(self._losses.sum()) + 0.5 * penalty * inner_product(own.ravel(), image.ravel()), gradient

    def fit(
        self,
        strength: float,
        start: np.ndarray | None = None,
        *,
        coarse: bool = False,
        on_step: Callable[[float, int], None] = lambda strength, step: None,
    ) -> np.ndarray:
        """Return the vector of the least loss, near enough for probabilities that are exact to 1e-4.

        Args:
            strength: C.
            start: a vector near the least loss; None starts at zeros.
            coarse: end earlier, with probabilities that are exact to about 1e-3.
            on_step: called with C and the number of values of the loss so far.
        """
        # The penalty's curvature, 1 / (C N), bounds the distance to the minimum by tolerance C N, which is the error of
        # a weight that a single text determines; probabilities err by a fiftieth of it.
        tolerance = 1e-6 if coarse else min(1e-6, max(1e-9, 3e-3 / (strength * self._total)))
        steps = count(1)

        def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
            on_step(strength, next(steps))
            return self.at(x, strength)

        return minimize(
            loss, self.start() if start is None else start, tolerance=tolerance, inner=self.inner,
            largest=lambda gradient: self.largest,
        ).x  # fmt: skip


class LinearPart:
    """A trained linear model on n-grams: one of the two parts of a text classifier.

    Args:
        features: V n-grams.
        weight: (V, K) float32. bias: (K,) float32. K is the number of classes, or 1 if there are two.
        classes: C.
    """

    def __init__(self, features: NgramFeatures, weight: np.ndarray, bias: np.ndarray, classes: int) -> None:
        self.features, self.weight, self.bias, self.classes = features, weight, bias, classes

    def log_probabilities(self, tokens: Sequence[Sequence[str]], forms: Sequence[str], workers: Workers) -> np.ndarray:
        """Return the log-probabilities (S, C) float64 of texts; arguments as for ``NgramFeatures.rows``."""
        return log_probabilities(self.features.rows(tokens, forms), self.weight, self.bias, self.classes, workers)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays of a model file."""
        return self.features.tensors() | dict(zip(_TENSORS, (self.weight, self.bias), strict=True))

    @classmethod
    def take(cls, name: str, tensors: dict[str, np.ndarray], header: Mapping[str, Any], classes: int) -> Self:
        """Take the part out of the tensors of a model file.

        Raises:
            FormatError: it is missing or inconsistent.
        """
        features = NgramFeatures.take(name, tensors, header)
        columns = classes if classes > 2 else 1
        weight, bias = (tensors.pop(key, None) for key in _TENSORS)
        for key, array, shape in zip(_TENSORS, (weight, bias), ((len(features), columns), (columns,)), strict=True):
            if array is None or array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
                raise FormatError(f"{name} is damaged: {key} must be finite float32 {shape}")
        assert weight is not None
        assert bias is not None
        return cls(features, weight, bias, classes)


def log_probabilities(
    rows: SparseRows, weight: np.ndarray, bias: np.ndarray, classes: int, workers: Workers
) -> np.ndarray:
    """Return the log-probabilities (S, C) float64 of features (S, V)."""
    from seqclf.kernels.sparse_linear import log_softmax, sparse_products

    texts = len(rows.indptr) - 1
    scores, logs = np.empty((texts, len(bias))), np.empty((texts, classes))

    def predict(first: int, last: int) -> None:
        sparse_products(*rows, weight, first, last, scores)
        scores[first:last] += bias
        log_softmax(scores[first:last], logs[first:last])

    workers.map(predict, *_parts(texts))
    return logs


def transposed(rows: SparseRows, features: int) -> SparseRows:
    """Return the transpose of a CSR matrix (S, V), with ascending rows in each column."""
    order = np.argsort(rows.indices, kind="stable")
    indptr = np.zeros(features + 1, np.int64)
    np.cumsum(np.bincount(rows.indices, minlength=features), out=indptr[1:])
    return SparseRows(indptr, rows.texts()[order], rows.data[order])


def _parts(rows: int) -> tuple[range, list[int]]:
    """Return where parts of ``rows`` rows begin and end."""
    starts = range(0, rows, _PART)
    return starts, [min(start + _PART, rows) for start in starts]
