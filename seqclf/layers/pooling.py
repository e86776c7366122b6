"""Pooling of the states of all tokens to one row of features per sequence, and its backward pass."""

from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.attention import AttentionPooling, AttentionTape
from seqclf.layers.parameters import EncoderShape, Workspace
from seqclf.layers.tape import EncoderTape

_MODES = {"max": 0, "mean": 1}

Found: TypeAlias = np.ndarray | AttentionTape
"""What a pooling's backward pass reads: the rows (B, F) of ``max``, or the tape of attention."""


class Pooling:
    """One of ``POOLINGS``: the ``max`` or ``mean`` of a sequence's states, each direction's ``last``, or ``attention``.

    Args:
        kind: its name.
        shape: of the encoder.
        random, dtype: see ``Head``.

    Attributes:
        kind: as given.
        attention: the attention layer, with keys as wide as a direction's states; None for the other kinds.
    """

    def __init__(
        self,
        kind: str,
        shape: EncoderShape,
        *,
        random: np.random.Generator | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.kind = kind
        self.attention: AttentionPooling | None = None
        if kind == "attention":
            size = shape.hidden_size
            self.attention = AttentionPooling(size, size, parts=shape.parts, random=random, dtype=dtype)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of its weights, as files hold them."""
        return self.attention.parameters() if self.attention else {}

    def forward(self, encoded: EncoderTape) -> tuple[np.ndarray, Found]:
        """Return each sequence's features (B, F padded), and what :meth:`backward` reads."""
        from seqclf.kernels.pooling import pool_forward

        if self.attention:
            return self.attention.forward(encoded.states, encoded.batch)
        if self.kind == "last":
            return encoded.final.copy(), np.empty((0, 0), np.int32)
        shape = encoded.batch.lengths.size, encoded.states.shape[1]
        features, where = np.empty(shape, encoded.states.dtype), np.empty(shape, np.int32)
        pool_forward(encoded.states, encoded.batch.starts, _MODES[self.kind], features, where)
        return features, where

    def backward(
        self, d_features: np.ndarray, found: Found, encoded: EncoderTape, workspace: Workspace
    ) -> dict[str, np.ndarray]:
        """Return the states' gradient as ``Encoder.backward`` takes it: ``d_states``, ``d_every`` or ``d_final``."""
        from seqclf.kernels.pooling import max_backward

        batch = encoded.batch
        if isinstance(found, AttentionTape):
            assert self.attention
            return {"d_states": self.attention.backward(d_features, batch, found)}
        if self.kind == "last":
            return {"d_final": d_features}
        if self.kind == "mean":
            return {"d_every": d_features / np.maximum(batch.lengths, 1).astype(d_features.dtype)[:, None]}
        d_states = workspace.array("d_states", *encoded.states.shape)
        max_backward(d_features, batch.starts, found, d_states)
        return {"d_states": d_states}


def pooling_shapes(shape: EncoderShape, kind: str) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of a pooling's weights, as files hold them."""
    if kind != "attention":
        return {}
    keys = shape.hidden_size
    return {"pooling.weight": (keys, shape.features), "pooling.bias": (keys,), "pooling.query": (keys,)}
