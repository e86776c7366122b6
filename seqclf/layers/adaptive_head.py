"""Adaptive softmax (Grave et al. 2017): frequent words in a short list, rare ones in clusters of smaller dimension."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.cells import padded
from seqclf.layers.heads import Head, check_classes
from seqclf.layers.parameters import Views
from seqclf.layers.vocabulary_gradients import LiveColumns
from seqclf.layers.vocabulary_head import VocabularyHead
from seqclf.layers.workers import Workers
from wordvec import InputError

SHRINK = 4
"""Each cluster's dimension is that of the one before divided by this."""


def cluster_sizes(outputs: int, width: int, cutoffs: Sequence[int]) -> list[tuple[int, int]]:
    """Return the words and the dimension of each cluster, a multiple of 16.

    Example:
        >>> cluster_sizes(100, 128, [10, 30])
        [(20, 32), (70, 16)]
    """
    ends = [*cutoffs, outputs]
    return [
        (last - first, padded(max(1, width // SHRINK ** (place + 1))))
        for place, (first, last) in enumerate(pairwise(ends))
    ]


def adaptive_shapes(outputs: int, width: int, cutoffs: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them.

    Example:
        >>> for name, shape in adaptive_shapes(100, 128, [10]).items():
        ...     print(name, shape)
        head.weight (11, 128)
        head.bias (11,)
        head.cluster.0.project.weight (32, 128)
        head.cluster.0.weight (90, 32)
        head.cluster.0.bias (90,)
    """
    short = cutoffs[0] + len(cutoffs)
    found: dict[str, tuple[int, ...]] = {"head.weight": (short, width), "head.bias": (short,)}
    for place, (words, columns) in enumerate(cluster_sizes(outputs, width, cutoffs)):
        name = f"head.cluster.{place}"
        found |= {f"{name}.project.weight": (columns, width), f"{name}.weight": (words, columns)}
        found[f"{name}.bias"] = (words,)
    return found


class AdaptiveHead:
    """Softmax over V words by descending frequency, with the interface of ``VocabularyHead``.

    ``p(w) = p_short(w)`` for the first words; ``p(w) = p_short(cluster of w) p_cluster(w)`` for the others, where a
    cluster scores projected states of fewer dimensions. A step scores a cluster for the rows whose target it holds.

    Args:
        outputs: V. width: H, the columns of the states without padding. dtype: float64 is for gradient checks.
        cutoffs: the first word of each cluster, ascending within 1 .. V - 2.

    Raises:
        InputError: the cutoffs do not ascend within that range.

    Example:
        >>> head = AdaptiveHead(100, 16, cutoffs=[10, 30])
        >>> states = np.zeros((2, 16), np.float32)
        >>> np.exp(-head.log_probabilities(states, np.array([5, 99]))).round().tolist()
        [12.0, 840.0]
    """

    prefix = "head"
    candidates: np.ndarray | None = None

    def __init__(self, outputs: int, width: int, *, cutoffs: Sequence[int], dtype: Any = np.float32) -> None:
        ends = [0, *cutoffs, outputs - 1]
        if any(last <= first for first, last in pairwise(ends)) or not cutoffs:
            raise InputError(f"cutoffs must ascend within 1 .. {outputs - 2}, got {list(cutoffs)}")
        self.outputs, self.cutoffs, self.dtype = outputs, list(cutoffs), np.dtype(dtype)
        self._short = VocabularyHead(cutoffs[0] + len(cutoffs), width, dtype=dtype)
        self._clusters = [
            _Cluster(f"{self.prefix}.cluster.{place}", words, columns, width, dtype)
            for place, (words, columns) in enumerate(cluster_sizes(outputs, width, cutoffs))
        ]
        self._parts: list[Head] = [self._short]
        for cluster in self._clusters:
            self._parts += [cluster.project, cluster.words]

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the weights in the kernels' layout."""
        return {name: size for part in self._parts for name, size in part.layout().items()}

    def attach(self, flat: Views) -> None:
        """Move weights and gradients into a network's arrays."""
        for part in self._parts:
            part.attach(flat)

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in all weights, given in the shapes of ``adaptive_shapes``."""
        for part in self._parts:
            part.load(parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all weights by name, in the shapes of ``adaptive_shapes``."""
        return {name: array for part in self._parts for name, array in part.parameters().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of their gradients, in the same shapes."""
        return {name: array for part in self._parts for name, array in part.gradients().items()}

    # ---------------------------------------------------------------- forward

    def forward(
        self, states: np.ndarray, batch: PackedBatch | None = None, workers: Workers | None = None
    ) -> np.ndarray:
        """Return the probabilities (R, V) from states (R, F)."""
        short, first = self._short.forward(states, None, workers), self.cutoffs[0]
        found = np.empty((len(states), self.outputs), self.dtype)
        found[:, :first] = short[:, :first]
        for place, (start, end) in enumerate(pairwise([*self.cutoffs, self.outputs])):
            cluster = self._clusters[place]
            inner = cluster.words.forward(cluster.project.forward(states), None, workers)
            np.multiply(inner, short[:, first + place, None], out=found[:, start:end])
        return found

    def predict(
        self, states: np.ndarray, batch: PackedBatch | None = None, workers: Workers | None = None
    ) -> np.ndarray:
        """Return the most probable word of each row: (R,) int32."""
        return np.asarray(self.forward(states, batch, workers).argmax(axis=1).astype(np.int32))

    def log_probabilities(self, states: np.ndarray, targets: np.ndarray, workers: Workers | None = None) -> np.ndarray:
        """Return log p(target) of each row: (R,) float64.

        Raises:
            InputError: the targets are not one word per row.
        """
        targets = check_classes(targets, len(states), self.outputs)
        short, members = self._split(targets)
        found = self._short.log_probabilities(states, short, workers)
        for cluster, (rows, own) in zip(self._clusters, members, strict=True):
            if rows.size:
                found[rows] += cluster.words.log_probabilities(cluster.project.forward(states[rows]), own, workers)
        return found

    def _split(self, targets: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """Return the targets (R,) of the short list and, for each cluster, its rows and their targets in it."""
        places = np.searchsorted(self.cutoffs, targets, side="right")
        short = np.where(places == 0, targets, self.cutoffs[0] + places - 1).astype(np.int32)
        members = []
        for place, start in enumerate(self.cutoffs, 1):
            rows = np.flatnonzero(places == place)
            members.append((rows, (targets[rows] - start).astype(np.int32)))
        return short, members

    # --------------------------------------------------------------- backward

    def loss_and_backward(
        self,
        states: np.ndarray,
        batch: PackedBatch | None,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        workers: Workers | None = None,
        random: np.random.Generator | None = None,
        live: LiveColumns | None = None,
    ) -> tuple[float, np.ndarray]:
        """Return the loss ``-sum_r weights[r] log p_r[targets[r]] / R``, and d_states (R, F).

        Args:
            states: (R, F). batch, random: ignored.
            targets: (R,) words. weights: (R,), 1 by default.
            workers: threads.
            live: the columns that dropout has left; products with others are skipped where the short list is scored.

        Raises:
            InputError: the targets are not one word per row.
        """
        targets = check_classes(targets, len(states), self.outputs)
        short, members = self._split(targets)
        loss, d_states = self._short.loss_and_backward(states, None, short, weights, workers, live=live)
        shares = np.ones(len(states), self.dtype) if weights is None else np.asarray(weights, self.dtype)
        for cluster, (rows, own) in zip(self._clusters, members, strict=True):
            if rows.size:
                read = states[rows]
                # The cluster's loss is a mean over its own rows.
                share = shares[rows] * self.dtype.type(rows.size / len(states))
                inner, d_projected = cluster.words.loss_and_backward(
                    cluster.project.forward(read), None, own, share, workers
                )
                loss += inner
                d_states[rows] += cluster.project.backward(read, d_projected)
        return loss, d_states


class _Projection(Head):
    """A linear layer without a bias, from states to those of fewer dimensions."""

    def __init__(self, prefix: str, outputs: int, width: int, dtype: Any) -> None:
        self.prefix = prefix
        super().__init__(outputs, width, dtype=dtype)
        self._zeros = np.zeros(outputs, self.dtype)

    def layout(self) -> dict[str, tuple[int, ...]]:
        return {f"{self.prefix}.weight": (self.outputs, self.columns)}

    def forward(self, states: np.ndarray) -> np.ndarray:
        """Return the projected states (R, C)."""
        from seqclf.kernels.linear import linear_forward

        found = np.empty((len(states), self.outputs), self.dtype)
        linear_forward(states, self._weight(), self._zeros, found)
        return found

    def backward(self, states: np.ndarray, d_projected: np.ndarray) -> np.ndarray:
        """Add to the gradient of the weights, and return d_states (R, F)."""
        from seqclf.kernels.linear import linear_backward

        d_states = np.empty((len(states), self.columns), self.dtype)
        linear_backward(
            states, self._weight(), d_projected, d_states, self._d_weight(), np.zeros(self.outputs, self.dtype)
        )
        return d_states


class _Words(VocabularyHead):
    """The words of a cluster."""

    def __init__(self, prefix: str, words: int, columns: int, dtype: Any) -> None:
        self.prefix = prefix
        super().__init__(words, columns, dtype=dtype)


class _Cluster:
    """A projection and the words that it scores."""

    def __init__(self, prefix: str, words: int, columns: int, width: int, dtype: Any) -> None:
        self.project = _Projection(f"{prefix}.project", columns, width, dtype)
        self.words = _Words(prefix, words, columns, dtype)
