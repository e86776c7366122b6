"""The network of a sequence-to-sequence model: encoder ▶ decoder with attention ▶ softmax over the target's units.

Without an encoder, a source is one vector, from which the decoder starts and which every step reads. Targets end with
the unit ``EOS``. What the decoder reads is shifted by one: it begins with BOS, row V of the target embedding, which is
never predicted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from seqclf.layers.batches import PackedBatch, Sequences, pack, pack_alone, token_places
from seqclf.layers.decoder import Decoder
from seqclf.layers.decoder_parameters import DecoderShape, decoder_shapes, initial_decoder
from seqclf.layers.decoder_tape import DecoderNoise, DecoderTape, Sources
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import (
    EncoderShape,
    FlatParameters,
    SpareWorkspaces,
    Workspace,
    check_memory,
    encoder_shapes,
    initial_encoder,
)
from seqclf.layers.tape import DropoutMasks, EncoderTape
from seqclf.layers.vocabulary_gradients import LiveColumns
from seqclf.layers.vocabulary_head import VocabularyHead
from seqclf.layers.workers import Workers

EOS, UNK = 0, 1
"""Units of every target vocabulary: the end, and all rare units."""
SPREAD = 0.1
"""Initial target embeddings and softmax weights are uniform in -0.1 .. 0.1."""


@dataclass(frozen=True)
class TransducerShape:
    """Sizes and options that determine every parameter's shape.

    Attributes:
        encoder: its vocabulary has one more row than the sources' units, for unknown ones; None if sources are vectors.
        decoder: its vocabulary is V + 1.
        tied: the target embedding is also the softmax's weight.
    """

    encoder: EncoderShape | None
    decoder: DecoderShape
    tied: bool = False

    @property
    def units(self) -> int:
        """V, of the targets, ``EOS`` and ``UNK`` included."""
        return self.decoder.vocabulary - 1


def transducer_shapes(shape: TransducerShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them."""
    head: dict[str, tuple[int, ...]] = {"head.bias": (shape.units,)}
    if not shape.tied:
        head["head.weight"] = (shape.units, shape.decoder.hidden_size)
    encoder = {} if shape.encoder is None else encoder_shapes(shape.encoder)
    return encoder | decoder_shapes(shape.decoder) | head


def initial_transducer(
    shape: TransducerShape, table: np.ndarray | None, counts: np.ndarray, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return initial parameters; the head's biases are log frequencies, so that training starts from the unigram model.

    Args:
        shape: see ``TransducerShape``.
        table: the initial source embedding; None if sources are vectors.
        counts: (V,) of the targets' units.
        random: draws all other parameters.
    """

    def uniform(rows: int, width: int) -> np.ndarray:
        return random.uniform(-SPREAD, SPREAD, (rows, width)).astype(np.float32)

    check_memory(transducer_shapes(shape), table)
    found = {} if shape.encoder is None else initial_encoder(shape.encoder, table, random)
    target = uniform(shape.decoder.vocabulary, shape.decoder.vector_size)
    found |= initial_decoder(shape.decoder, target, random)
    found["head.bias"] = np.log((counts + 1) / (counts.sum() + counts.size)).astype(np.float32)
    if not shape.tied:
        found["head.weight"] = uniform(shape.units, shape.decoder.hidden_size)
    return found


class Targets(NamedTuple):
    """Encoded targets."""

    ids: np.ndarray
    """(N,) int32 units; each target ends with ``EOS``."""
    offsets: np.ndarray
    """(S + 1,) int64."""

    @property
    def lengths(self) -> np.ndarray:
        """(S,) int64, the end included."""
        return np.diff(self.offsets)

    def shifted(self, bos: int) -> np.ndarray:
        """Return what the decoder reads (N,): each target begins with ``bos`` and lacks its end.

        Example:
            >>> Targets(np.array([5, 6, 0, 7, 0], np.int32), np.array([0, 3, 5])).shifted(9)
            array([9, 5, 6, 9, 7], dtype=int32)
        """
        read = np.empty_like(self.ids)
        read[1:] = self.ids[:-1]
        read[self.offsets[:-1]] = bos
        return read


class Gradients(NamedTuple):
    """Result of a backward pass; the dense gradients are in ``TransducerNetwork.d_dense``."""

    loss: float
    """Mean over the batch's target units, in nats."""
    source: tuple[np.ndarray, np.ndarray] | None
    """Distinct rows of the source embedding, ascending, and their gradient; None if sources are vectors."""
    target: tuple[np.ndarray, np.ndarray]
    """The same of the target embedding."""


@dataclass
class TransducerTape:
    """Result of a forward pass, read by the backward pass; valid until the next one."""

    encoded: EncoderTape | None
    rows: np.ndarray
    decoded: DecoderTape
    states: np.ndarray
    states_mask: np.ndarray | None
    live: LiveColumns | None


class TransducerNetwork:
    """Parameters, forward and backward pass over a batch of pairs.

    Args:
        shape: see ``TransducerShape``.
        parameters: all of ``transducer_shapes(shape)``.
        dtype: float32; float64 is for gradient checks.
        smoothing: the share of the target distribution that is uniform.
    """

    def __init__(
        self,
        shape: TransducerShape,
        parameters: Mapping[str, np.ndarray],
        dtype: Any = np.float32,
        *,
        smoothing: float = 0.0,
    ) -> None:
        self.shape, self.dtype, self.smoothing = shape, np.dtype(dtype), smoothing
        self.encoder = None if shape.encoder is None else Encoder(shape.encoder, dtype)
        self.decoder = Decoder(shape.decoder, dtype)
        tied = self.decoder.embedding[: shape.units] if shape.tied else None
        self.head = VocabularyHead(shape.units, shape.decoder.hidden_size, tied=tied, smoothing=smoothing, dtype=dtype)
        self._parts = [part for part in (self.encoder, self.decoder, self.head) if part is not None]
        layout = {name: size for part in self._parts for name, size in part.layout().items()}
        flat = FlatParameters(layout, dtype)
        for part in self._parts:
            part.attach(flat)
            part.load(parameters)
        self.dense, self.d_dense = flat.values, flat.gradient
        self.spare_workspace = SpareWorkspaces(dtype).lend

    def __getstate__(self) -> dict[str, Any]:
        return {
            "shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype, "smoothing": self.smoothing
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Rebuilt: a copy's arrays would no longer be aligned, as the kernels require, nor views of one array.
        type(self).__init__(self, **state)

    @property
    def bos(self) -> int:
        """The row of the target embedding that begins every target: V."""
        return self.shape.units

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.parameters().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return {name: array for part in self._parts for name, array in part.gradients().items()}

    # ---------------------------------------------------------------- forward

    def encode(
        self,
        batch: "PackedBatch | np.ndarray",
        workers: Workers | None = None,
        *,
        inputs: np.ndarray | None = None,
        noise: DropoutMasks | None = None,
        keep: bool = True,
        workspace: Workspace | None = None,
    ) -> tuple[EncoderTape | None, np.ndarray, Sources]:
        """Run the encoder; return its tape, the packed row of each source position, and the sources by sequence.

        Sources are in the order of the caller's sequences, not of the packed batch. Vectors are the states of sources
        with a single position.

        Args:
            batch: M sources, or vectors (M, D). inputs, noise, keep, workspace: see ``Encoder.forward``.
        """
        if self.encoder is None:
            assert isinstance(batch, np.ndarray)
            states = np.zeros((len(batch), self.decoder.width), self.dtype)
            states[:, : batch.shape[1]] = batch
            return None, np.arange(len(batch)), Sources(states, states, np.arange(len(batch) + 1))
        assert isinstance(batch, PackedBatch)
        tape = self.encoder.forward(batch, workers, inputs=inputs, noise=noise, keep=keep, workspace=workspace)
        rank = np.empty_like(batch.order)
        rank[batch.order] = np.arange(rank.size)
        lengths = batch.lengths[rank]
        spans = np.zeros(lengths.size + 1, np.int64)
        np.cumsum(lengths, out=spans[1:])
        step = np.arange(spans[-1]) - np.repeat(spans[:-1], lengths)
        rows = batch.starts[step] + np.repeat(rank, lengths)
        return tape, rows, Sources(tape.states[rows], tape.final[rank], spans)

    def forward(
        self,
        source: "PackedBatch | np.ndarray",
        target: PackedBatch,
        workers: Workers | None = None,
        *,
        inputs: np.ndarray | None = None,
        noise: DropoutMasks | None = None,
        target_noise: DecoderNoise | None = None,
        states_mask: np.ndarray | None = None,
        live: LiveColumns | None = None,
    ) -> TransducerTape:
        """Run a batch of pairs and keep what ``backward`` needs.

        Args:
            source: B sources, or vectors (B, D). target: what the decoder reads, of the same pairs.
            workers: threads.
            inputs: see ``Encoder.forward``.
            noise, target_noise: dropout masks of the encoder and of the decoder.
            states_mask: (R, H padded) factors of the attentional states that the softmax reads.
            live: the columns where they are not zero, if many rows share them.
        """
        encoded, rows, sources = self.encode(source, workers, inputs=inputs, noise=noise)
        decoded = self.decoder.forward(target, sources, workers, noise=target_noise)
        states = decoded.states if states_mask is None else decoded.states * states_mask
        return TransducerTape(encoded, rows, decoded, states, states_mask, live)

    # --------------------------------------------------------------- backward

    def backward(self, tape: TransducerTape, targets: np.ndarray, workers: Workers | None = None) -> Gradients:
        """Write the gradients of the mean loss per target unit to ``d_dense``; mirrors ``forward``.

        Args:
            tape: returned by ``forward``; its arrays are overwritten.
            targets: (R,) units in the packed order of the targets.
            workers: threads.
        """
        self.d_dense[:] = 0
        head = self.head
        if self.shape.tied:
            head.d_weight[:] = 0
        loss, d_states = head.loss_and_backward(tape.states, None, targets, None, workers, live=tape.live)
        if tape.states_mask is not None:
            d_states *= tape.states_mask
        found = self.decoder.backward(tape.decoded, d_states, workers)
        source = None
        if self.encoder is not None and tape.encoded is not None:
            batch = tape.encoded.batch
            d_packed = np.empty_like(found.d_states)
            d_packed[tape.rows] = found.d_states
            d_final = found.d_final[batch.order]
            source = batch.token_ids, self.encoder.backward(tape.encoded, d_packed, workers, d_final=d_final)
        chosen = tape.decoded.batch.token_ids
        target = chosen, found.d_rows
        if self.shape.tied:
            whole = np.zeros((self.shape.decoder.vocabulary, self.decoder.columns), self.dtype)
            whole[:-1] = head.d_weight
            whole[chosen] += found.d_rows
            target = np.arange(len(whole)), whole
        return Gradients(loss, source, target)


class Vectors(NamedTuple):
    """Sources that are vectors."""

    values: np.ndarray
    """(S, D) float32."""

    @property
    def lengths(self) -> np.ndarray:
        """(S,) ones: the positions of each source."""
        return np.ones(len(self.values), np.int64)


def pack_sources(
    network: TransducerNetwork, sources: Sequences | Vectors, members: np.ndarray, *, predict: bool = False
) -> "tuple[PackedBatch | np.ndarray, np.ndarray | None]":
    """Return a batch of some sources as ``TransducerNetwork.encode`` takes it, and its ``inputs``.

    To ``predict``, a single source may repeat units.
    """
    if isinstance(sources, Vectors):
        return sources.values[members], None
    assert network.encoder is not None
    if predict and members.size == 1:
        batch = pack_alone(sources.ids[sources.offsets[members[0]] : sources.offsets[members[0] + 1]])
    else:
        batch = pack(sources.ids, sources.offsets, members)
    return batch, sources.inputs(batch, network.encoder.embedding)


def pack_targets(targets: Targets, read: np.ndarray, members: np.ndarray) -> tuple[PackedBatch, np.ndarray]:
    """Return what the decoder reads of some targets, and the units to predict (R,) in packed order.

    Args:
        targets: all of them. read: see ``Targets.shifted``, or what a model read instead.
        members: (B,).
    """
    batch = pack(read, targets.offsets, members)
    return batch, targets.ids[token_places(batch, targets.offsets, members)]
