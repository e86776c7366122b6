"""Heads: what a net says of the states its recurrent layers reach. One small interface for all.

A head takes states (one row for each packed token, or one for each text) and gives their gradient back::

    head = SoftmaxHead(17, 128, parts=2, random=np.random.default_rng(1))
    loss, d_states = head.loss_and_backward(states, batch, targets)     # adds to the gradients of its weights
    labels = head.predict(states, batch)

=================  ====================================  ============================  ==========================
head               targets                               ``forward``                   ``predict``
=================  ====================================  ============================  ==========================
SoftmaxHead        (R,) int32 classes                    probabilities (R, C)          (R,) int32, the likeliest
CrfHead            (R,) int32 labels of a tagged text    emissions (R, C)              (R,) int32, the best path
MultiLabelHead     (R, C) 0 .. 1                         probabilities (R, C)          (R, C) bool
RegressionHead     (R, C) numbers                        predictions (R, C)            the same
VocabularyHead     (R,) int32 words                      probabilities (R, V)          (R,) int32, the likeliest
=================  ====================================  ============================  ==========================

(The CRF and the vocabulary have modules of their own: ``crf_head.py``, ``vocabulary_head.py``.) Rows stand in the order
of the batch; only the CRF asks which rows are a sequence, so for the others ``batch`` may be None. A row's result never
depends on its batch mates, nor anything on the number of threads. Of equal scores the lowest class wins. A batch
without rows has loss 0 and gradients of zero.

States are as the recurrent kernels leave them: ``parts`` directions side by side, each padded with zeros to a multiple
of 16 columns; F names all columns. Files see weights without the padding.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import PackedBatch
from seqclf.layers.cells import padded
from seqclf.layers.workers import Workers
from wordvec import InputError


class Views(Protocol):
    """Where a net keeps its weights and gradients: arrays by name."""

    views: dict[str, np.ndarray]
    d_views: dict[str, np.ndarray]


class Head:
    """Weights and gradients by name; what all heads share.

    Args:
        outputs: C, how many numbers a row gets.
        width: H, what one direction's states hold without padding.
        parts: how many directions stand side by side in a state.
        random: draws the weights (Glorot-uniform; all else starts at 0); None leaves zeros, for ``load``.
        dtype: float32; float64 is for proofs.
    """

    prefix = "head"

    def __init__(
        self,
        outputs: int,
        width: int,
        *,
        parts: int = 1,
        random: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.outputs, self.width, self.parts, self.dtype = outputs, width, parts, np.dtype(dtype)
        self.columns = parts * padded(width)
        """F, the columns of the states."""
        self.views = {name: np.zeros(size, self.dtype) for name, size in self.layout().items()}
        """The weights as the kernels hold them, by name; an optimiser updates them in place."""
        self.d_views = {name: np.zeros(size, self.dtype) for name, size in self.layout().items()}
        """Their gradients: every backward pass adds to them."""
        if random is not None:
            self.load({name: self._initial(name, array, random) for name, array in self.parameters().items()})

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights as the kernels hold them."""
        return {f"{self.prefix}.weight": (self.outputs, self.columns), f"{self.prefix}.bias": (self.outputs,)}

    def attach(self, flat: Views) -> None:
        """Move weights and gradients to where a net keeps its own: arrays of ``layout()``, found by name."""
        for name in self.views:
            flat.views[name][:], flat.d_views[name][:] = self.views[name], self.d_views[name]
            self.views[name], self.d_views[name] = flat.views[name], flat.d_views[name]

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all weights by name, in the shapes that files hold: ``head.weight`` is (C, parts * H)."""
        return {name: self._without_padding(name, array) for name, array in self.views.items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of their gradients."""
        return {name: self._without_padding(name, array) for name, array in self.d_views.items()}

    def clear_gradients(self) -> None:
        """Set all gradients to zero."""
        for array in self.d_views.values():
            array[:] = 0

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over all weights, given as ``parameters`` returns them."""
        for name, array in self.views.items():
            if name == f"{self.prefix}.weight":
                split = array.reshape(array.shape[0], self.parts, -1)
                split[:, :, : self.width] = parameters[name].reshape(array.shape[0], self.parts, self.width)
            else:
                array[:] = parameters[name]

    def _without_padding(self, name: str, array: np.ndarray) -> np.ndarray:
        if name != f"{self.prefix}.weight":
            return array.copy()
        split = array.reshape(array.shape[0], self.parts, -1)[:, :, : self.width]
        return split.copy().reshape(array.shape[0], -1)

    def _initial(self, name: str, array: np.ndarray, random: np.random.Generator) -> np.ndarray:
        if name != f"{self.prefix}.weight":
            return array
        limit = np.sqrt(6.0 / sum(array.shape))
        return random.uniform(-limit, limit, array.shape).astype(np.float32)

    def _weight(self, name: str = "weight") -> np.ndarray:
        return self.views[f"{self.prefix}.{name}"]

    def _d_weight(self, name: str = "weight") -> np.ndarray:
        return self.d_views[f"{self.prefix}.{name}"]

    def _scores(self, states: np.ndarray) -> np.ndarray:
        """states · weightᵀ + bias (R, C)."""
        from seqclf.kernels.linear import linear_forward

        scores = np.empty((len(states), self.outputs), self.dtype)
        linear_forward(states, self._weight(), self._weight("bias"), scores)
        return scores

    def _scores_backward(self, states: np.ndarray, d_scores: np.ndarray) -> np.ndarray:
        from seqclf.kernels.linear import linear_backward

        d_states = np.empty((len(states), self.columns), self.dtype)
        linear_backward(states, self._weight(), d_scores, d_states, self._d_weight(), self._d_weight("bias"))
        return d_states

    def _row_weights(self, weights: np.ndarray | None, rows: int) -> np.ndarray:
        return np.ones(rows, self.dtype) if weights is None else np.asarray(weights, self.dtype)


def check_classes(targets: np.ndarray, rows: int, classes: int) -> np.ndarray:
    """``targets`` as (R,) int32.

    Raises:
        InputError: they are not R classes out of ``0 .. classes - 1``.
    """
    targets = np.ascontiguousarray(targets, np.int32)
    if targets.shape != (rows,):
        raise InputError(f"targets must be one class for each of {rows} rows, got an array {targets.shape}")
    if rows and not 0 <= targets.min() <= targets.max() < classes:
        raise InputError(f"targets must lie in 0 .. {classes - 1}, got {targets.min()} .. {targets.max()}")
    return targets


class SoftmaxHead(Head):
    """One of C classes for every row: a text, or each of its tokens.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C, at least 2.
        class_weights: (C,), what each class counts in the loss; None counts all alike.

    Raises:
        InputError: C is below 2, or there is not one weight a class.

    Example:
        >>> head = SoftmaxHead(2, 16)
        >>> head.load({"head.weight": np.eye(2, 16), "head.bias": np.zeros(2)})
        >>> states = np.zeros((1, 16), np.float32)
        >>> head.forward(states).tolist()
        [[0.5, 0.5]]
        >>> loss, d_states = head.loss_and_backward(states, None, np.array([1]))
        >>> round(loss, 4), d_states[0, :3].tolist()
        (0.6931, [0.5, -0.5, 0.0])
    """

    def __init__(self, outputs: int, width: int, *, class_weights: np.ndarray | None = None, **options: Any) -> None:
        if outputs < 2:
            raise InputError(f"a softmax needs at least 2 classes, got {outputs}")
        if class_weights is not None and np.shape(class_weights) != (outputs,):
            raise InputError(f"{np.size(class_weights)} class weights for {outputs} classes")
        super().__init__(outputs, width, **options)
        self.class_weights = None if class_weights is None else np.asarray(class_weights, self.dtype)

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Probabilities (R, C) of states (R, F)."""
        from seqclf.kernels.softmax import softmax_forward

        probabilities = np.empty((len(states), self.outputs), self.dtype)
        softmax_forward(states, self._weight(), self._weight("bias"), probabilities)
        return probabilities

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch | None,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
    ) -> tuple[float, np.ndarray]:
        """Loss ``-sum_r weights[r] class_weights[targets[r]] log p_r[targets[r]] / R``, and d_states (R, F).

        Args:
            states: (R, F). batch: not asked.
            targets: (R,) classes. weights: (R,), 1 by default; a row of weight 0 is left out.
            workers: not asked; this is a small part of a step.

        Raises:
            InputError: the targets are not one class a row.
        """
        from seqclf.kernels.softmax import softmax_backward

        targets = check_classes(targets, len(states), self.outputs)
        d_states = np.empty((len(states), self.columns), self.dtype)
        if not len(states):
            return 0.0, d_states
        shares = self._row_weights(weights, len(states))
        if self.class_weights is not None:
            shares = shares * self.class_weights[targets]
        gradients = d_states, self._d_weight(), self._d_weight("bias")
        loss = softmax_backward(states, self._weight(), self.forward(states), targets, shares, *gradients)
        return float(loss), d_states

    def predict(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """The likeliest class of each row: (R,) int32."""
        return self.forward(states).argmax(axis=1).astype(np.int32)


class _ScoredHead(Head, ABC):
    """A head whose loss looks at each score alone."""

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch | None,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
    ) -> tuple[float, np.ndarray]:
        """The loss, meant over rows and outputs, and d_states (R, F).

        Args:
            states: (R, F). batch: not asked.
            targets: (R, C). weights: (R,), 1 by default.
            workers: not asked; this is a small part of a step.

        Raises:
            InputError: the targets are not (R, C).
        """
        targets = np.ascontiguousarray(targets, self.dtype)
        if targets.shape != (len(states), self.outputs):
            raise InputError(f"targets must be an array {(len(states), self.outputs)}, got {targets.shape}")
        scores = self._scores(states)
        d_scores = np.empty_like(scores)
        loss = self._loss(scores, targets, self._row_weights(weights, len(states)), d_scores) if len(states) else 0.0
        return float(loss), self._scores_backward(states, d_scores)

    @abstractmethod
    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        """The loss of some rows; writes its gradient."""


class MultiLabelHead(_ScoredHead):
    """Any of C labels for every row, each by its own sigmoid, trained on the binary cross-entropy.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C.

    Example:
        >>> head = MultiLabelHead(2, 16)
        >>> head.views["head.bias"][:] = [2, -2]
        >>> head.predict(np.zeros((1, 16), np.float32)).tolist()
        [[True, False]]
    """

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Probabilities (R, C) of states (R, F), each label's on its own."""
        from seqclf.kernels.losses import sigmoid

        scores = self._scores(states)
        sigmoid(scores, scores)
        return scores

    def predict(self, states: np.ndarray, batch: PackedBatch | None = None, *, threshold: float = 0.5) -> np.ndarray:
        """The labels of at least that probability: (R, C) bool."""
        return self.forward(states) >= threshold

    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        from seqclf.kernels.losses import binary_cross_entropy

        return binary_cross_entropy(scores, targets, weights, d_scores)


class RegressionHead(_ScoredHead):
    """C numbers for every row, trained on the mean squared error, or on Huber's loss.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C.
        huber: up to which error the loss is squared, beyond it grows straight; None squares them all.

    Raises:
        InputError: ``huber`` is not above 0.

    Example:
        >>> head = RegressionHead(1, 16)
        >>> head.loss_and_backward(np.zeros((2, 16), np.float32), None, np.array([[1.0], [3.0]]))[0]
        5.0
    """

    def __init__(self, outputs: int, width: int, *, huber: float | None = None, **options: Any) -> None:
        if huber is not None and not huber > 0:
            raise InputError(f"huber must be above 0, got {huber}")
        super().__init__(outputs, width, **options)
        self.huber = huber

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Predictions (R, C) of states (R, F)."""
        return self._scores(states)

    predict = forward

    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        from seqclf.kernels.losses import huber, squared_error

        if self.huber is None:
            return squared_error(scores, targets, weights, d_scores)
        return huber(scores, targets, weights, float(self.huber), d_scores)
