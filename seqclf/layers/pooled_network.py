"""Networks with one output per sequence: encoder ▶ pooling ▶ head."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import PackedBatch, Sequences, Spelling
from seqclf.layers.character_encoder import CharacterEncoder, CharacterShape, CharacterTape
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, SpareWorkspaces, Views, Workspace
from seqclf.layers.pooling import Found, Pooling
from seqclf.layers.tape import DropoutMasks, EncoderTape
from seqclf.layers.workers import Workers


class RowLayer(Protocol):
    """A layer on top of the encoder."""

    def layout(self) -> dict[str, tuple[int, ...]]: ...

    def attach(self, flat: Views) -> None: ...

    def load(self, parameters: Mapping[str, np.ndarray]) -> None: ...

    def parameters(self) -> dict[str, np.ndarray]: ...

    def gradients(self) -> dict[str, np.ndarray]: ...


class RowHead(RowLayer, Protocol):
    """A head on the pooled features: any head but the CRF."""

    outputs: int

    def forward(self, states: np.ndarray) -> np.ndarray: ...

    def loss_and_backward(
        self, states: np.ndarray, batch: PackedBatch | None, targets: np.ndarray, weights: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]: ...


class PooledTape(NamedTuple):
    """Result of a forward pass, read by the backward pass."""

    encoded: EncoderTape
    features: np.ndarray
    found: Found
    mask: np.ndarray | None
    spelled: CharacterTape | None


class PooledNetwork:
    """Parameters, forward and backward pass over a packed batch; all dense parameters are one flat array.

    Args:
        shape: of the encoder; without a vocabulary, each batch comes with its input vectors.
        head: takes one row of features per sequence.
        parameters: those of ``encoder_shapes(shape)``, of ``pooling_shapes(shape, pooling)``, of the head, and of
            ``character_shapes(characters)``.
        pooling: one of ``POOLINGS``.
        characters: what is appended to the vectors, of ``shape.appended`` columns; None appends nothing.
        dtype: float32; float64 is for gradient checks.

    Attributes:
        dense, d_dense: all parameters but the embedding's, and their gradients.

    Example:
        >>> from seqclf.layers.batches import pack
        >>> from seqclf.layers.parameters import initial_encoder
        >>> from seqclf.layers.heads import RegressionHead
        >>> shape = EncoderShape(0, 2, 16, bidirectional=False)
        >>> random = np.random.default_rng(1)
        >>> head = RegressionHead(1, 16, random=random)
        >>> network = PooledNetwork(shape, head, initial_encoder(shape, None, random) | head.parameters())
        >>> batch = pack(np.arange(3, dtype=np.int32), np.array([0, 2, 3]), np.array([0, 1]))
        >>> network.predict(batch, inputs=np.ones((3, 2), np.float32)).shape
        (2, 1)
    """

    def __init__(
        self,
        shape: EncoderShape,
        head: RowHead,
        parameters: Mapping[str, np.ndarray],
        *,
        pooling: str = "last",
        characters: CharacterShape | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.head, self.dtype = head, np.dtype(dtype)
        self.encoder, self.pooling = Encoder(shape, dtype), Pooling(pooling, shape, dtype=dtype)
        self.characters = None if characters is None else CharacterEncoder(characters, dtype)
        layers = [layer for layer in (self.characters, self.pooling.attention, head) if layer]
        layout = self.encoder.layout()
        for layer in layers:
            layout |= layer.layout()
        flat = FlatParameters(layout, dtype)
        self._parts: list[Encoder | RowLayer] = [self.encoder, *layers]
        for part in self._parts:
            part.attach(flat)
        self.dense, self.d_dense = flat.values, flat.gradient
        self._workspace = Workspace(self.dtype)
        self.spare_workspace = SpareWorkspaces(dtype).lend
        self.load(parameters)

    def __getstate__(self) -> dict[str, Any]:
        given = {"shape": self.encoder.shape, "head": self.head, "pooling": self.pooling.kind, "dtype": self.dtype}
        spelling = self.characters.shape if self.characters else None
        return given | {"characters": spelling, "parameters": self.parameters()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Rebuilt: a copy's parts would no longer be views of one array, and kernels would compile again for arrays
        # that joblib maps read-only.
        type(self).__init__(self, **state)

    @property
    def embedding(self) -> np.ndarray:
        """(V, E padded to 16)."""
        return self.encoder.embedding

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in all parameters, given in their canonical shapes."""
        for part in self._parts:
            part.load(parameters)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.parameters().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.gradients().items()}

    # ---------------------------------------------------------------- forward

    def inputs(self, sequences: Sequences, batch: PackedBatch, workspace: Workspace | None = None) -> np.ndarray | None:
        """Return the encoder's inputs for a batch of sequences, as ``predict`` takes them."""
        inputs = sequences.inputs(batch, self.embedding)
        if self.characters is None or sequences.spelling is None:
            return inputs
        spelled = self.characters.forward(sequences.spelling, batch.token_ids, keep=False, workspace=workspace)
        return self._appended(inputs, spelled)

    def _appended(self, inputs: np.ndarray | None, spelled: CharacterTape | None) -> np.ndarray | None:
        if inputs is None or spelled is None:
            return inputs
        return np.concatenate([inputs[:, : self.encoder.shape.vector_size], spelled.features], axis=1)

    def predict(
        self,
        batch: PackedBatch,
        workspace: Workspace | None = None,
        *,
        inputs: np.ndarray | None = None,
        paired: bool = False,
    ) -> np.ndarray:
        """Return the head's output (B, C), in the batch's order; ``inputs`` and ``paired`` as ``Encoder.forward``.

        Only ``workspace`` is written to, so threads that each pass their own may share the network.
        """
        workspace = workspace or Workspace(self.dtype)
        encoded = self.encoder.forward(batch, inputs=inputs, keep=False, workspace=workspace, paired=paired)
        return self.head.forward(self.pooling.forward(encoded)[0])

    def forward(
        self,
        batch: PackedBatch,
        workers: Workers,
        *,
        inputs: np.ndarray | None = None,
        spelling: Spelling | None = None,
        noise: DropoutMasks | None = None,
        pooled_mask: np.ndarray | None = None,
    ) -> PooledTape:
        """Run the batch and keep what ``loss_and_backward`` needs; the tape is valid until the next call.

        Args:
            batch: B sequences.
            workers: threads.
            inputs: (U, E) vectors of ``batch.token_ids``; None looks them up.
            spelling: the characters of all words, of which ``batch.token_ids`` are read and appended to the vectors.
            noise: the encoder's dropout masks.
            pooled_mask: (B, F padded) factors of the pooled features.
        """
        spelled = None
        if self.characters is not None and spelling is not None:
            spelled = self.characters.forward(spelling, batch.token_ids, workers)
        encoded = self.encoder.forward(batch, workers, inputs=self._appended(inputs, spelled), noise=noise)
        features, found = self.pooling.forward(encoded)
        if pooled_mask is not None:
            features *= pooled_mask
        return PooledTape(encoded, features, found, pooled_mask, spelled)

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
        """Return the head's loss and write gradients to ``d_dense``; mirrors ``forward``.

        Args:
            tape: returned by ``forward``; its arrays are overwritten.
            targets: (B, ...) in the batch's order, as the head takes them.
            workers: threads.
            weights: (B,) of the sequences in the loss; None weighs all equally.
            tune_vectors: also compute the gradient of the tokens' vectors.

        Returns:
            The loss, and the gradient (U, E + appended, padded) of the vectors of ``batch.token_ids`` (no rows unless
            tuned).
        """
        self.d_dense[self.encoder.size :] = 0  # the encoder sets its own
        loss, d_features = self.head.loss_and_backward(tape.features, None, targets, weights)
        if tape.mask is not None:
            d_features *= tape.mask
        d_states = self.pooling.backward(d_features, tape.found, tape.encoded, self._workspace)
        spelled = tape.spelled
        tuned = tune_vectors or spelled is not None
        d_rows = self.encoder.backward(tape.encoded, workers=workers, tune_vectors=tuned, **d_states)
        if self.characters is not None and spelled is not None:
            shape = self.encoder.shape
            self.characters.backward(spelled, d_rows[:, shape.vector_size : shape.inputs], workers)
        return loss, d_rows
