"""Attention pooling: a learned weighted mean of the hidden states."""

from typing import NamedTuple

import numpy as np

from seqclf.layers.batches import PackedBatch
from seqclf.layers.cells import padded
from seqclf.layers.heads import Head


class AttentionTape(NamedTuple):
    """Result of a forward pass, read by the backward pass."""

    states: np.ndarray
    """(R, F)."""
    keys: np.ndarray
    """(R, A padded)."""
    weights: np.ndarray
    """(R,) attention weights; those of a text sum to 1."""


class AttentionPooling(Head):
    """Attention pooling of a text's states to one vector.

    Source: Yang et al. 2016, eq. 5-7. ``pooling.weight`` is (A, parts * H); ``pooling.bias`` and ``pooling.query`` are
    (A,). The query starts at zero, so that all weights are equal at first.

    Args:
        outputs: A, the width of the keys and of the query.
        width, parts, random, dtype: see ``Head``.

    Example:
        >>> from seqclf.layers.batches import pack
        >>> batch = pack(np.zeros(3, np.int32), np.array([0, 2, 3]), np.array([0, 1]))
        >>> pooling = AttentionPooling(8, 16, random=np.random.default_rng(1))
        >>> pooled, tape = pooling.forward(np.ones((3, 16), np.float32), batch)
        >>> tape.weights.tolist()
        [0.5, 1.0, 0.5]
    """

    prefix = "pooling"

    def layout(self) -> dict[str, tuple[int, ...]]:
        return super().layout() | {f"{self.prefix}.query": (self.outputs,)}

    def forward(self, states: np.ndarray, batch: PackedBatch) -> tuple[np.ndarray, AttentionTape]:
        """Return the pooled states (B, F) in the batch's order, zeros for a text without tokens, and the tape."""
        from seqclf.kernels.attention import attention_forward
        from seqclf.kernels.panels import product

        pooled = np.empty((batch.lengths.size, self.columns), self.dtype)
        keys, weights = np.empty((len(states), padded(self.outputs)), self.dtype), np.empty(len(states), self.dtype)
        weight, bias, query = (self._weight(name) for name in ("weight", "bias", "query"))
        address = product(self.dtype.name)
        attention_forward(address, states, batch.starts, weight, bias, query, keys, weights, pooled)
        return pooled, AttentionTape(states, keys, weights)

    def backward(self, d_pooled: np.ndarray, batch: PackedBatch, tape: AttentionTape) -> np.ndarray:
        """Add the weights' gradients, and return d_states (R, F); the tape's keys are overwritten."""
        from seqclf.kernels.attention import attention_backward
        from seqclf.kernels.panels import product

        d_states = np.empty((len(tape.states), self.columns), self.dtype)
        gradients = [self._d_weight(name) for name in ("weight", "bias", "query")]
        attention_backward(
            product(self.dtype.name), tape.states, batch.starts, self._weight(), self._weight("query"), tape.keys,
            tape.weights, d_pooled, d_states, *gradients,
        )  # fmt: skip
        return d_states
