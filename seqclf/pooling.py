"""From the states of all tokens to one row of features for each sequence, and back."""

import numpy as np

from seqclf.parameters import Workspace
from seqclf.tape import EncoderTape

POOLINGS = {"max": 0, "mean": 1, "last": 2}


def pool(encoded: EncoderTape, pooling: str) -> tuple[np.ndarray, np.ndarray]:
    """Each sequence's features (B, F padded), and where ``max`` found them (no rows for ``last``).

    Args:
        encoded: what the encoder returned.
        pooling: ``max`` or ``mean`` of a sequence's states, or each direction's ``last``.
    """
    from seqclf.kernels.pooling import pool_forward

    if pooling == "last":
        return encoded.final.copy(), np.empty((0, 0), np.int32)
    shape = encoded.batch.lengths.size, encoded.states.shape[1]
    features, where = np.empty(shape, encoded.states.dtype), np.empty(shape, np.int32)
    pool_forward(encoded.states, encoded.batch.starts, POOLINGS[pooling], features, where)
    return features, where


def unpool(
    d_features: np.ndarray, where: np.ndarray, encoded: EncoderTape, pooling: str, workspace: Workspace
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The gradients of all states and of the final ones, as ``Encoder.backward`` takes them; mirrors :func:`pool`."""
    from seqclf.kernels.pooling import pool_backward

    if pooling == "last":
        return None, d_features
    d_states = workspace.array("d_states", *encoded.states.shape)
    pool_backward(d_features, encoded.batch.starts, POOLINGS[pooling], where, d_states)
    return d_states, None
