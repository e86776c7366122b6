"""Encoder ▶ pooling ▶ a head: nets that say something of a whole sequence, whatever their head says."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import PackedBatch
from seqclf.layers.encoder import Encoder
from seqclf.layers.heads import Views
from seqclf.layers.parameters import EncoderShape, FlatParameters, Workspace
from seqclf.layers.pooling import Found, Pooling
from seqclf.layers.tape import DropoutMasks, EncoderTape
from seqclf.layers.workers import Workers

_SPARE_BYTES = 2**22


class RowLayer(Protocol):
    """What such a net asks of a layer on top of its encoder."""

    def layout(self) -> dict[str, tuple[int, ...]]: ...

    def attach(self, flat: Views) -> None: ...

    def load(self, parameters: Mapping[str, np.ndarray]) -> None: ...

    def parameters(self) -> dict[str, np.ndarray]: ...

    def gradients(self) -> dict[str, np.ndarray]: ...


class RowHead(RowLayer, Protocol):
    """And of its head; those of ``heads.py`` but the CRF are such heads."""

    outputs: int

    def forward(self, states: np.ndarray) -> np.ndarray: ...

    def loss_and_backward(
        self, states: np.ndarray, batch: PackedBatch | None, targets: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]: ...


class PooledTape(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    encoded: EncoderTape
    features: np.ndarray
    found: Found
    mask: np.ndarray | None


class PooledNetwork:
    """Parameters and the two passes over a packed batch; everything dense is one flat array.

    Args:
        shape: of the encoder; without a vocabulary, vectors are given with each batch.
        head: takes one row of features for each sequence.
        parameters: those of ``encoder_shapes(shape)``, of ``pooling_shapes(shape, pooling)`` and of the head.
        pooling: one of ``POOLINGS``.
        dtype: float32; float64 is for proofs.

    Attributes:
        dense, d_dense: all parameters but the embedding's, and their gradients.

    Example:
        >>> from seqclf.layers.batches import pack
        >>> from seqclf.layers.parameters import initial_encoder
        >>> from seqclf.layers.heads import RegressionHead
        >>> shape = EncoderShape(0, 2, 16, bidirectional=False)
        >>> random = np.random.default_rng(1)
        >>> head = RegressionHead(1, 16, random=random)
        >>> net = PooledNetwork(shape, head, initial_encoder(shape, None, random) | head.parameters())
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
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.head, self.dtype = head, np.dtype(dtype)
        self.encoder, self.pooling = Encoder(shape, dtype), Pooling(pooling, shape, dtype=dtype)
        layers = [self.pooling.attention, head] if self.pooling.attention else [head]
        layout = self.encoder.layout()
        for layer in layers:
            layout |= layer.layout()
        flat = FlatParameters(layout, dtype)
        self._parts: list[Encoder | RowLayer] = [self.encoder, *layers]
        for part in self._parts:
            part.attach(flat)
        self.dense, self.d_dense = flat.values, flat.gradient
        self._workspace = Workspace(self.dtype)
        self._spare: list[Workspace] = []
        self.load(parameters)

    def __getstate__(self) -> dict[str, Any]:
        given = {"shape": self.encoder.shape, "head": self.head, "pooling": self.pooling.kind, "dtype": self.dtype}
        return given | {"parameters": self.parameters()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Built anew: a copy's parts would no longer be views of one array, and arrays which joblib maps read-only
        # would make the kernels compile once more.
        type(self).__init__(self, **state)

    @property
    def embedding(self) -> np.ndarray:
        """(V, E padded to 16)."""
        return self.encoder.embedding

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters, given in their canonical shapes."""
        for part in self._parts:
            part.load(parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all parameters in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.parameters().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.gradients().items()}

    # ---------------------------------------------------------------- forward

    @contextlib.contextmanager
    def spare_workspace(self) -> Iterator[Workspace]:
        """A workspace of one's own for the block: from the last one who was done, as long as it is small."""
        workspace = self._spare.pop() if self._spare else Workspace(self.dtype)
        yield workspace
        if workspace.nbytes < _SPARE_BYTES:
            self._spare.append(workspace)

    def predict(
        self, batch: PackedBatch, workspace: Workspace | None = None, *, inputs: np.ndarray | None = None
    ) -> np.ndarray:
        """What the head says (B, C), in the batch's order.

        Writes to ``workspace`` alone, so threads that bring one each may share the net.
        """
        workspace = workspace or Workspace(self.dtype)
        encoded = self.encoder.forward(batch, inputs=inputs, keep=False, workspace=workspace)
        return self.head.forward(self.pooling.forward(encoded)[0])

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers,
        *,
        inputs: np.ndarray | None = None,
        noise: DropoutMasks | None = None,
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
        features, found = self.pooling.forward(encoded)
        if pooled_mask is not None:
            features *= pooled_mask
        return PooledTape(encoded, features, found, pooled_mask)

    # --------------------------------------------------------------- backward

    def loss_and_backward(
        self,
        tape: PooledTape,
        targets: np.ndarray,
        workers: Workers,
        *,
        weights: np.ndarray | None = None,
        tune_vectors: bool = False,
    ) -> tuple[float, np.ndarray]:
        """The head's loss; gradients into ``d_dense``. Mirrors ``forward``.

        Args:
            tape: what ``forward`` returned; its arrays are overwritten.
            targets: (B, ...) in the batch's order, as the head takes them.
            workers: threads.
            weights: (B,) what each sequence counts in the loss; None counts all alike.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The loss, and the gradient (U, E padded) of the vectors of ``batch.token_ids`` (no rows unless tuned).
        """
        self.d_dense[:] = 0
        loss, d_features = self.head.loss_and_backward(tape.features, None, targets, weights)
        if tape.mask is not None:
            d_features *= tape.mask
        d_states = self.pooling.backward(d_features, tape.found, tape.encoded, self._workspace)
        d_rows = self.encoder.backward(tape.encoded, workers=workers, tune_vectors=tune_vectors, **d_states)
        return loss, d_rows
