"""Output layers (heads) over the encoder's hidden states, with a common interface.

A head takes states (one row per packed token, or one per text) and returns their gradient::

    head = SoftmaxHead(17, 128, parts=2, random=np.random.default_rng(1))
    loss, d_states = head.loss_and_backward(states, batch, targets)     # adds to the weights' gradients
    labels = head.predict(states, batch)

=================  ====================================  ============================  ==========================
head               targets                               ``forward``                   ``predict``
=================  ====================================  ============================  ==========================
SoftmaxHead        (R,) int32 classes                    probabilities (R, C)          (R,) int32, most probable
CrfHead            (R,) int32 labels of a tagged text    emissions (R, C)              (R,) int32, the best path
MultiLabelHead     (R, C) 0 .. 1                         probabilities (R, C)          (R, C) bool
RegressionHead     (R, C) numbers                        predictions (R, C)            the same
QuantileHead       (R, C) numbers                        their quantiles (R, Q, C)     the same
VocabularyHead     (R,) int32 words                      probabilities (R, V)          (R,) int32, most probable
=================  ====================================  ============================  ==========================

(``CrfHead`` is in ``crf_head.py``, ``VocabularyHead`` in ``vocabulary_head.py``.) Rows are in the batch's order. Only
the CRF needs to know which rows form a sequence; for the other heads ``batch`` may be None. A row's result does not
depend on the rest of the batch, and no result depends on the number of threads. Ties go to the lowest class. A batch
without rows has loss 0 and gradients of zero.

States have the recurrent kernels' layout: ``parts`` directions concatenated, each padded with zeros to a multiple of 16
columns; F counts all columns. Files have the weights without padding.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import PackedBatch
from seqclf.layers.cells import padded
from seqclf.layers.parameters import Views
from seqclf.layers.workers import Workers
from wordvec import InputError


class Head:
    """Base of the heads: weights and gradients by name.

    Args:
        outputs: C, the number of outputs per row.
        width: H, the columns of one direction's states, without padding.
        parts: the number of directions concatenated in a state.
        random: draws the weights (Glorot-uniform; all else starts at 0); None leaves zeros, for ``load``.
        dtype: float32; float64 is for gradient checks.
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
        """The weights in the kernels' layout, by name; an optimizer updates them in place."""
        self.d_views = {name: np.zeros(size, self.dtype) for name, size in self.layout().items()}
        """Their gradients; every backward pass adds to them."""
        if random is not None:
            self.load({name: self._initial(name, array, random) for name, array in self.parameters().items()})

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the weights in the kernels' layout."""
        return {f"{self.prefix}.weight": (self.outputs, self.columns), f"{self.prefix}.bias": (self.outputs,)}

    def attach(self, flat: Views) -> None:
        """Move weights and gradients into a network's arrays, which have the names and shapes of ``layout()``."""
        for name in self.views:
            flat.views[name][:], flat.d_views[name][:] = self.views[name], self.d_views[name]
            self.views[name], self.d_views[name] = flat.views[name], flat.d_views[name]

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all weights by name, in the shapes of files: ``head.weight`` is (C, parts * H)."""
        return {name: self._without_padding(name, array) for name, array in self.views.items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of their gradients, in the same shapes."""
        return {name: self._without_padding(name, array) for name, array in self.d_views.items()}

    def clear_gradients(self) -> None:
        """Set all gradients to zero."""
        for array in self.d_views.values():
            array[:] = 0

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in all weights, given in the shapes that ``parameters`` returns."""
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
        """Return states · weightᵀ + bias (R, C)."""
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
    """Return ``targets`` as (R,) int32.

    Raises:
        InputError: they are not R classes in ``0 .. classes - 1``.
    """
    targets = np.ascontiguousarray(targets, np.int32)
    if targets.shape != (rows,):
        raise InputError(f"targets must have shape ({rows},), one class per row, got {targets.shape}")
    if rows and not 0 <= targets.min() <= targets.max() < classes:
        raise InputError(f"targets must be in 0 .. {classes - 1}, got {targets.min()} .. {targets.max()}")
    return targets


class SoftmaxHead(Head):
    """Softmax: one of C classes for every row, a text or a token.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C, at least 2.
        class_weights: (C,) weights of the classes in the loss; None weighs all equally.

    Raises:
        InputError: C is below 2, or ``class_weights`` is not (C,).

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
        """Return the probabilities (R, C) of states (R, F)."""
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
        """Return the loss ``-sum_r weights[r] class_weights[targets[r]] log p_r[targets[r]] / R`` and d_states (R, F).

        Args:
            states: (R, F). batch: ignored.
            targets: (R,) classes. weights: (R,), 1 by default; a row of weight 0 has no effect.
            workers: ignored; the head takes a small part of a step.

        Raises:
            InputError: the targets are not one class per row.
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
        """Return the most probable class of each row: (R,) int32."""
        return np.asarray(self.forward(states).argmax(axis=1).astype(np.int32))


class _ScoredHead(Head, ABC):
    """A head whose loss is a sum over single scores."""

    @property
    def targets(self) -> int:
        """The number of targets of a row."""
        return self.outputs

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch | None,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
    ) -> tuple[float, np.ndarray]:
        """Return the mean loss over rows and outputs, and d_states (R, F).

        Args:
            states: (R, F). batch: ignored.
            targets: (R, C). weights: (R,), 1 by default.
            workers: ignored; the head takes a small part of a step.

        Raises:
            InputError: the targets are not (R, C).
        """
        targets = np.ascontiguousarray(targets, self.dtype)
        if targets.shape != (len(states), self.targets):
            raise InputError(f"targets must have shape {(len(states), self.targets)}, got {targets.shape}")
        scores = self._scores(states)
        d_scores = np.empty_like(scores)
        loss = self._loss(scores, targets, self._row_weights(weights, len(states)), d_scores) if len(states) else 0.0
        return float(loss), self._scores_backward(states, d_scores)

    @abstractmethod
    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        """Return the loss of some rows, and write its gradient to ``d_scores``."""


class MultiLabelHead(_ScoredHead):
    """Multi-label head: a sigmoid for each of C labels, trained on binary cross-entropy.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C.

    Attributes:
        label_weights: (2, C) float64, the weight of each label in the loss of a row without and with it; None weighs
            all equally.

    Example:
        >>> head = MultiLabelHead(2, 16)
        >>> head.views["head.bias"][:] = [2, -2]
        >>> head.predict(np.zeros((1, 16), np.float32)).tolist()
        [[True, False]]
    """

    label_weights: np.ndarray | None = None

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Return each label's independent probability (R, C), from states (R, F)."""
        from seqclf.kernels.losses import sigmoid

        scores = self._scores(states)
        sigmoid(scores, scores)
        return scores

    def predict(self, states: np.ndarray, batch: PackedBatch | None = None, *, threshold: float = 0.5) -> np.ndarray:
        """Return which labels have at least probability ``threshold``: (R, C) bool."""
        return self.forward(states) >= threshold

    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        from seqclf.kernels.losses import binary_cross_entropy

        if self.label_weights is None:
            return binary_cross_entropy(scores, targets, weights, d_scores)
        shares = np.where(targets > 0, *self.label_weights[::-1]) * weights[:, None] / scores.size
        x = scores.astype(np.float64)
        d_scores[:] = shares * (0.5 * (1.0 + np.tanh(0.5 * x)) - targets)
        return float((shares * (np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))) - x * targets)).sum())


class RegressionHead(_ScoredHead):
    """Regression head: C numbers for every row, trained on the mean squared error or the Huber loss.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is C.
        huber: the error above which the Huber loss is linear; None is the squared error.

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
        """Return the predictions (R, C) from states (R, F)."""
        return self._scores(states)

    predict = forward

    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        from seqclf.kernels.losses import huber, squared_error

        if self.huber is None:
            return squared_error(scores, targets, weights, d_scores)
        return huber(scores, targets, weights, float(self.huber), d_scores)


class QuantileHead(_ScoredHead):
    """Quantile regression head: Q quantiles of each of C numbers, trained on the pinball loss.

    Args:
        outputs, width, parts, random, dtype: see ``Head``; ``outputs`` is Q C.
        quantiles: Q probabilities, ascending.

    Example:
        >>> head = QuantileHead(2, 16, quantiles=[0.1, 0.9])
        >>> states, targets = np.zeros((2, 16), np.float32), np.array([[1.0], [3.0]])
        >>> round(head.loss_and_backward(states, None, targets)[0], 3), head.forward(states).shape
        (1.0, (2, 2, 1))
    """

    def __init__(self, outputs: int, width: int, *, quantiles: Sequence[float], **options: Any) -> None:
        super().__init__(outputs, width, **options)
        self.quantiles = np.array(quantiles, np.float64)

    @property
    def targets(self) -> int:
        """C."""
        return int(self.outputs // self.quantiles.size)

    def forward(self, states: np.ndarray, batch: PackedBatch | None = None) -> np.ndarray:
        """Return the quantiles (R, Q, C), sorted, from states (R, F)."""
        scores = self._scores(states).reshape(len(states), self.quantiles.size, self.targets)
        return np.sort(scores, axis=1)  # Chernozhukov et al. 2010: crossing quantiles are rearranged

    predict = forward

    def _loss(self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, d_scores: np.ndarray) -> float:
        from seqclf.kernels.losses import pinball

        return pinball(scores, targets, weights, self.quantiles, d_scores)
