"""The classifier's net: encoder ▶ pooling ▶ softmax head. Forward, backward, no training."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from seqclf.batches import PackedBatch
from seqclf.cells import spread, unspread
from seqclf.encoder import Encoder
from seqclf.parameters import EncoderShape, FlatParameters, Workspace, encoder_shapes
from seqclf.pooling import pool, unpool
from seqclf.tape import EncoderTape, Noise
from seqclf.workers import Workers

_SPARE_BYTES = 2**22


@dataclass(frozen=True)
class NetworkShape:
    """What fixes every parameter's shape.

    Attributes:
        vocabulary: V, the rows of the embedding table; the last one stands for unknown tokens.
        vector_size: E.
        hidden_size: H, for each direction.
        classes: C.
        cell, bidirectional: see ``EncoderShape``.
        pooling: ``max``, ``mean`` or ``last``.
        merge, layers, reset, zoneout, zoneout_cell: see ``EncoderShape``.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    classes: int
    cell: str = "lstm"
    bidirectional: bool = True
    pooling: str = "max"
    merge: str = "concatenate"
    layers: int = 1
    reset: str = "after"
    zoneout: float = 0.0
    zoneout_cell: float = 0.0

    @property
    def encoder(self) -> EncoderShape:
        return EncoderShape(**{field.name: getattr(self, field.name) for field in fields(EncoderShape)})


def parameter_shapes(shape: NetworkShape) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape, as files hold them; gates are in the order i, f, g, o or r, z, n.

    Example:
        >>> for name, size in parameter_shapes(NetworkShape(9, 3, 2, 2, bidirectional=False)).items():
        ...     print(name, size)
        embedding (9, 3)
        layers.0.forward.w_input (8, 3)
        layers.0.forward.w_hidden (8, 2)
        layers.0.forward.bias (8,)
        head.weight (2, 2)
        head.bias (2,)
    """
    head = {"head.weight": (shape.classes, shape.encoder.features), "head.bias": (shape.classes,)}
    return encoder_shapes(shape.encoder) | head


@dataclass
class Tape:
    """What a forward pass leaves for the backward pass."""

    encoded: EncoderTape
    pooled_mask: np.ndarray | None
    where: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray


class Network:
    """Parameters and the two passes over a packed batch.

    Args:
        shape: see ``NetworkShape``.
        parameters: all of ``parameter_shapes``, of that shape.
        dtype: float32; float64 is for proofs, and takes libm's tanh.
    """

    def __init__(self, shape: NetworkShape, parameters: Mapping[str, np.ndarray], dtype: Any = np.float32) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.encoder = Encoder(shape.encoder, dtype)
        layout = self.encoder.layout()
        layout |= {"head.weight": (shape.classes, self.encoder.features), "head.bias": (shape.classes,)}
        flat = FlatParameters(layout, dtype)
        self.encoder.attach(flat)
        self.dense, self.d_dense = flat.values, flat.gradient
        self._head, self._head_bias = flat.views["head.weight"], flat.views["head.bias"]
        self._d_head, self._d_head_bias = flat.d_views["head.weight"], flat.d_views["head.bias"]
        self._workspace = Workspace(self.dtype)
        self._spare: list[Workspace] = []
        self.load(parameters)

    def __getstate__(self) -> dict[str, Any]:
        return {"shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Built anew, so that arrays which joblib maps read-only do not make the kernels compile once more.
        Network.__init__(self, **state)

    @property
    def embedding(self) -> np.ndarray:
        """(V, E padded to 16)."""
        return self.encoder.embedding

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters, given in their canonical shapes."""
        self.encoder.load(parameters)
        self._head[:] = spread(parameters["head.weight"], self.shape.encoder.parts)
        self._head_bias[:] = parameters["head.bias"]

    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of all parameters in their canonical shapes."""
        return self.encoder.parameters() | self._canonical(self._head, self._head_bias)

    def gradients(self) -> dict[str, np.ndarray]:
        """Copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return self.encoder.gradients() | self._canonical(self._d_head, self._d_head_bias)

    def _canonical(self, head: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
        weight = unspread(head, self.shape.encoder.parts, self.shape.hidden_size)
        return {"head.weight": weight, "head.bias": bias.copy()}

    # ---------------------------------------------------------------- forward

    @contextlib.contextmanager
    def spare_workspace(self) -> Iterator[Workspace]:
        """A workspace of one's own for the block: from the last one who was done, as long as it is small."""
        workspace = self._spare.pop() if self._spare else Workspace(self.dtype)
        yield workspace
        if workspace.nbytes < _SPARE_BYTES:
            self._spare.append(workspace)

    def predict(self, batch: PackedBatch, workspace: Workspace | None = None) -> np.ndarray:
        """Class probabilities (B, C) in the batch's order.

        Writes to ``workspace`` alone, so threads that bring one each may share the net.
        """
        workspace = workspace or Workspace(self.dtype)
        return self._classify(self.encoder.forward(batch, keep=False, workspace=workspace), None).probabilities

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers,
        *,
        noise: Noise | None = None,
        pooled_mask: np.ndarray | None = None,
    ) -> Tape:
        """Run the batch and keep what ``backward`` needs; the tape is valid until the next call.

        Args:
            batch: B sequences.
            workers: threads.
            noise: what training multiplies into the encoder.
            pooled_mask: (B, F padded) factors of the pooled features.
        """
        return self._classify(self.encoder.forward(batch, workers, noise=noise), pooled_mask)

    def _classify(self, encoded: EncoderTape, pooled_mask: np.ndarray | None) -> Tape:
        from seqclf.kernels.softmax import softmax_forward

        features, where = pool(encoded, self.shape.pooling)
        if pooled_mask is not None:
            features *= pooled_mask
        probabilities = np.empty((len(features), self.shape.classes), dtype=self.dtype)
        softmax_forward(features, self._head, self._head_bias, probabilities)
        return Tape(encoded, pooled_mask, where, features, probabilities)

    # --------------------------------------------------------------- backward

    def backward(
        self, tape: Tape, targets: np.ndarray, weights: np.ndarray, workers: Workers, *, tune_vectors: bool = True
    ) -> tuple[float, np.ndarray]:
        """Gradients of ``-sum_b weights[b] * log p(targets[b]) / B`` into ``d_dense``; mirrors ``forward``.

        Args:
            tape: what ``forward`` returned; its arrays are overwritten.
            targets: (B,) int32 in the batch's order. weights: (B,) in the net's dtype.
            workers: threads.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The loss, and the gradient (U, E padded) of ``embedding[batch.token_ids]`` (no rows when frozen).
        """
        from seqclf.kernels.softmax import softmax_backward

        self.d_dense[:] = 0
        d_features = np.empty_like(tape.features)
        loss = softmax_backward(
            tape.features, self._head, tape.probabilities, targets, weights, d_features, self._d_head, self._d_head_bias
        )
        if tape.pooled_mask is not None:
            d_features *= tape.pooled_mask
        d_states, d_final = unpool(d_features, tape.where, tape.encoded, self.shape.pooling, self._workspace)
        d_rows = self.encoder.backward(tape.encoded, d_states, workers, d_final=d_final, tune_vectors=tune_vectors)
        return float(loss), d_rows
