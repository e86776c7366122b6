"""Encoder ▶ pooling ▶ a head: nets that say something of a whole sequence, whatever their head says."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from seqclf.batches import PackedBatch
from seqclf.encoder import Encoder
from seqclf.heads import Views
from seqclf.parameters import EncoderShape, FlatParameters, Workspace
from seqclf.pooling import pool, unpool
from seqclf.tape import EncoderTape, Noise
from seqclf.workers import Workers


class RowHead(Protocol):
    """What such a net asks of its head; those of ``heads.py`` but the CRF are such heads."""

    outputs: int

    def layout(self) -> dict[str, tuple[int, ...]]: ...

    def attach(self, flat: Views) -> None: ...

    def load(self, parameters: Mapping[str, np.ndarray]) -> None: ...

    def parameters(self) -> dict[str, np.ndarray]: ...

    def gradients(self) -> dict[str, np.ndarray]: ...

    def forward(self, states: np.ndarray) -> np.ndarray: ...

    def loss_and_backward(
        self, states: np.ndarray, batch: PackedBatch | None, targets: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]: ...


class PooledTape(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    encoded: EncoderTape
    features: np.ndarray
    where: np.ndarray
    mask: np.ndarray | None


class HeadedNetwork:
    """Parameters and the two passes over a packed batch; everything dense is one flat array.

    Args:
        shape: of the encoder; without a vocabulary, vectors are given with each batch.
        head: takes one row of features for each sequence.
        parameters: those of ``encoder_shapes(shape)`` and of the head.
        pooling: ``last``, ``max`` or ``mean``.
        dtype: float32; float64 is for proofs.

    Attributes:
        dense, d_dense: all parameters but the embedding's, and their gradients.

    Example:
        >>> from seqclf.batches import pack
        >>> from seqclf.parameters import initial_encoder
        >>> from seqclf.heads import RegressionHead
        >>> shape = EncoderShape(0, 2, 16, bidirectional=False)
        >>> random = np.random.default_rng(1)
        >>> head = RegressionHead(1, 16, random=random)
        >>> net = HeadedNetwork(shape, head, initial_encoder(shape, None, random) | head.parameters())
        >>> batch = pack(np.arange(3, dtype=np.int32), np.array([0, 2, 3]), np.array([0, 1]))
        >>> net.predict(batch, inputs=np.ones((3, 2), np.float32)).shape
        (2, 1)
    """

    def __init__(
        self,
        shape: EncoderShape,
        head: RowHead,
        parameters: Mapping[str, np.ndarray],
        *,
        pooling: str = "last",
        dtype: Any = np.float32,
    ) -> None:
        self.shape, self.head, self.pooling, self.dtype = shape, head, pooling, np.dtype(dtype)
        self.encoder = Encoder(shape, dtype)
        flat = FlatParameters(self.encoder.layout() | head.layout(), dtype)
        self.encoder.attach(flat)
        head.attach(flat)
        self.dense, self.d_dense = flat.values, flat.gradient
        self._workspace = Workspace(self.dtype)
        self.load(parameters)

    def __getstate__(self) -> dict[str, Any]:
        names = ("shape", "head", "pooling", "dtype")
        return {name: getattr(self, name) for name in names} | {"parameters": self.parameters()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Built anew: a copy's parts would no longer be views of one array.
        HeadedNetwork.__init__(self, **state)

    @property
    def embedding(self) -> np.ndarray:
        """(V, E padded to 16)."""
        return self.encoder.embedding

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters, given in their canonical shapes."""
        self.encoder.load(parameters)
        self.head.load(parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all parameters in their canonical shapes."""
        return self.encoder.parameters() | self.head.parameters()

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return self.encoder.gradients() | self.head.gradients()

    def predict(
        self, batch: PackedBatch, *, inputs: np.ndarray | None = None, workspace: Workspace | None = None
    ) -> np.ndarray:
        """What the head says (B, C), in the batch's order; threads that bring a workspace each may share the net."""
        workspace = workspace or Workspace(self.dtype)
        encoded = self.encoder.forward(batch, inputs=inputs, keep=False, workspace=workspace)
        return self.head.forward(pool(encoded, self.pooling)[0])

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers,
        *,
        inputs: np.ndarray | None = None,
        noise: Noise | None = None,
        pooled_mask: np.ndarray | None = None,
    ) -> PooledTape:
        """Run the batch and keep what the way back needs; the tape is valid until the next call.

        Args:
            batch: B sequences.
            workers: threads.
            inputs: (U, E) vectors of ``batch.token_ids``; None looks them up.
            noise: what training multiplies into the encoder.
            pooled_mask: (B, F padded) factors of the pooled features.
        """
        encoded = self.encoder.forward(batch, workers, inputs=inputs, noise=noise)
        features, where = pool(encoded, self.pooling)
        if pooled_mask is not None:
            features *= pooled_mask
        return PooledTape(encoded, features, where, pooled_mask)

    def loss_and_backward(
        self, tape: PooledTape, targets: np.ndarray, workers: Workers, *, tune_vectors: bool = False
    ) -> tuple[float, np.ndarray]:
        """The head's loss; gradients into ``d_dense``. Mirrors ``forward``.

        Args:
            tape: what ``forward`` returned; its arrays are overwritten.
            targets: (B, ...) in the batch's order, as the head takes them.
            workers: threads.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The loss, and the gradient (U, E padded) of the vectors of ``batch.token_ids`` (no rows unless tuned).
        """
        self.d_dense[:] = 0
        loss, d_features = self.head.loss_and_backward(tape.features, None, targets)
        if tape.mask is not None:
            d_features *= tape.mask
        d_states, d_final = unpool(d_features, tape.where, tape.encoded, self.pooling, self._workspace)
        d_rows = self.encoder.backward(tape.encoded, d_states, workers, d_final=d_final, tune_vectors=tune_vectors)
        return loss, d_rows
