"""The tagger's network: word and feature embeddings of each token ▶ encoder ▶ softmax or CRF head.

The encoder's inputs are the word's vector (E), concatenated with the sum of its features' vectors (A), and with what an
LSTM reads from its characters, if any. The tables of words and features are separate from the dense parameters, because
a batch touches few of their rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.data.spans import Transitions
from seqclf.layers.batches import PackedBatch, rows_of, summed_by_row
from seqclf.layers.character_encoder import (
    CharacterEncoder,
    CharacterShape,
    CharacterTape,
    character_shapes,
    initial_characters,
)
from seqclf.layers.crf_head import CrfHead
from seqclf.layers.encoder import Encoder
from seqclf.layers.heads import SoftmaxHead
from seqclf.layers.parameters import (
    EncoderShape,
    FlatParameters,
    Workspace,
    check_memory,
    encoder_shapes,
    initial_encoder,
)
from seqclf.layers.tape import DropoutMasks, EncoderTape
from seqclf.layers.workers import Workers
from seqclf.tagging.features import SLOTS, Forms


@dataclass(frozen=True)
class TaggerShape:
    """Sizes and options that determine every parameter's shape.

    Attributes:
        words: V, rows of the word table; the last one is for unknown words.
        word_size: E.
        features: rows of the feature table; the last one is for unknown features.
        feature_size: A.
        labels: C.
        head: ``softmax`` predicts each tag independently, ``crf`` the tags of a sentence jointly.
        layers: the encoder; its vocabulary is 0, its vector size E + A, and it appends the characters' features.
        spelling: the encoder of characters; None without.
    """

    words: int
    word_size: int
    features: int
    feature_size: int
    labels: int
    head: str
    layers: EncoderShape
    spelling: CharacterShape | None = None


def tagger_shapes(shape: TaggerShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them.

    Example:
        >>> layers = EncoderShape(0, 5, 2, cell="rnn", bidirectional=False)
        >>> for name, size in tagger_shapes(TaggerShape(9, 3, 20, 2, 4, "softmax", layers)).items():
        ...     print(name, size)
        embedding (9, 3)
        features (20, 2)
        layers.0.forward.w_input (2, 5)
        layers.0.forward.w_hidden (2, 2)
        layers.0.forward.bias (2,)
        head.weight (4, 2)
        head.bias (4,)
    """
    tables = {"embedding": (shape.words, shape.word_size), "features": (shape.features, shape.feature_size)}
    labels = shape.labels
    # Computed, never taken from a head: a file may declare sizes that do not fit in memory.
    head: dict[str, tuple[int, ...]] = {"head.weight": (labels, shape.layers.features), "head.bias": (labels,)}
    if shape.head == "crf":
        head |= {"head.transitions": (labels, labels), "head.start": (labels,), "head.end": (labels,)}
    return tables | encoder_shapes(shape.layers) | head | character_shapes(shape.spelling)


def initial_tagger(shape: TaggerShape, words: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return initial parameters with the given word table (V, E); features start small, the unknown one at zero."""
    check_memory(tagger_shapes(shape), words)
    features = random.standard_normal((shape.features, shape.feature_size), np.float32) * np.float32(0.1)
    features[-1] = 0
    head = _head(shape, random, np.float32).parameters()
    found = {"embedding": words, "features": features} | initial_encoder(shape.layers, None, random) | head
    return found | initial_characters(shape.spelling, random)


def _head(shape: TaggerShape, random: np.random.Generator | None, dtype: Any) -> SoftmaxHead | CrfHead:
    kind = CrfHead if shape.head == "crf" else SoftmaxHead
    return kind(shape.labels, shape.layers.hidden_size, parts=shape.layers.parts, random=random, dtype=dtype)


@dataclass
class TaggerTape:
    """Result of a forward pass, read by the backward pass."""

    encoded: EncoderTape
    states_mask: np.ndarray | None
    spelled: CharacterTape | None = None


class TaggerNetwork:
    """A tagger's parameters, forward and backward pass over a packed batch of forms.

    Args:
        shape: see ``TaggerShape``.
        parameters: all of ``tagger_shapes(shape)``.
        dtype: float32; float64 is for gradient checks.
        valid: transitions that a CRF may predict; None allows all.
    """

    def __init__(
        self,
        shape: TaggerShape,
        parameters: Mapping[str, np.ndarray],
        dtype: Any = np.float32,
        valid: Transitions | None = None,
    ) -> None:
        self.shape = shape
        self.valid = valid
        self.dtype = np.dtype(dtype)
        self.encoder = Encoder(shape.layers, dtype)
        self.head = _head(shape, None, dtype)
        if valid is not None and isinstance(self.head, CrfHead):
            self.head.constrain(*valid)
        self.characters = None if shape.spelling is None else CharacterEncoder(shape.spelling, dtype)
        self._layers = [layer for layer in (self.encoder, self.head, self.characters) if layer]
        flat = FlatParameters({name: size for layer in self._layers for name, size in layer.layout().items()}, dtype)
        self.dense, self.d_dense = flat.values, flat.gradient
        for layer in self._layers:
            layer.attach(flat)
            layer.load(parameters)
        # Copies, so that the caller's arrays do not change, and read-only arrays do not make kernels compile again.
        self.words = np.array(parameters["embedding"], self.dtype)
        self.features = np.array(parameters["features"], self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {"shape": self.shape, "parameters": self.parameters(), "dtype": self.dtype, "valid": self.valid}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TaggerNetwork.__init__(self, **state)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        tables = {"embedding": self.words.copy(), "features": self.features.copy()}
        return tables | {name: array for layer in self._layers for name, array in layer.parameters().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients of all dense parameters, in their canonical shapes."""
        return {name: array for layer in self._layers for name, array in layer.gradients().items()}

    # ---------------------------------------------------------------- forward

    def _inputs(self, forms: Forms, batch: PackedBatch, spelled: CharacterTape | None) -> np.ndarray:
        """Return the vectors of the batch's distinct forms, (U, E + A) and the columns of their characters."""
        chosen, size, layers = batch.token_ids, self.shape.word_size, self.shape.layers
        inputs = np.zeros((chosen.size, layers.inputs), self.dtype)
        inputs[:, :size] = rows_of(forms.words[chosen], self.words, forms.composed)
        for slot in range(SLOTS):
            inputs[:, size : layers.vector_size] += self.features[forms.features[chosen, slot]]
        if spelled is not None:
            inputs[:, layers.vector_size :] = spelled.features
        return inputs

    def _spelled(
        self, forms: Forms, batch: PackedBatch, workers: Workers | None = None, workspace: Workspace | None = None
    ) -> CharacterTape | None:
        """Read the characters of the batch's distinct forms, if any; with ``workspace``, for a prediction."""
        if self.characters is None or forms.spelling is None:
            return None
        return self.characters.forward(
            forms.spelling, batch.token_ids, workers, keep=workspace is None, workspace=workspace
        )

    def forward(
        self,
        forms: Forms,
        batch: PackedBatch,
        workers: Workers | None = None,
        *,
        noise: DropoutMasks | None = None,
        states_mask: np.ndarray | None = None,
    ) -> TaggerTape:
        """Run the batch and keep what ``backward`` needs; the tape is valid until the next call.

        Args:
            forms: the forms that the batch's token ids refer to. batch: B sentences.
            workers: threads.
            noise: the encoder's dropout masks.
            states_mask: (R, F padded) factors of the states.
        """
        spelled = self._spelled(forms, batch, workers)
        inputs = self._inputs(forms, batch, spelled)
        tape = TaggerTape(self.encoder.forward(batch, workers, inputs=inputs, noise=noise), states_mask, spelled)
        if states_mask is not None:
            tape.encoded.states *= states_mask
        return tape

    def states(self, forms: Forms, batch: PackedBatch, workspace: Workspace) -> np.ndarray:
        """Return the states (R, F padded); threads that each pass their own workspace may share the network."""
        inputs = self._inputs(forms, batch, self._spelled(forms, batch, workspace=workspace))
        return self.encoder.forward(batch, inputs=inputs, keep=False, workspace=workspace).states

    def probabilities(self, states: np.ndarray, batch: PackedBatch) -> np.ndarray:
        """Return each token's probabilities (R, C) from states (R, F padded), in packed order; a CRF's marginals."""
        if isinstance(self.head, CrfHead):
            return self.head.marginals(states, batch)
        return self.head.forward(states, batch)

    # --------------------------------------------------------------- backward

    def backward(
        self, forms: Forms, tape: TaggerTape, targets: np.ndarray, workers: Workers | None = None
    ) -> tuple[float, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Write the gradients of the mean negative log-likelihood per token to ``d_dense``; mirrors ``forward``.

        Args:
            forms: as for ``forward``. tape: returned by ``forward``; its arrays are overwritten.
            targets: (R,) tags in packed order.
            workers: threads.

        Returns:
            The loss; then for the word table and for the feature table, the distinct rows that the batch looks up and
            their gradient.
        """
        self.d_dense[self.encoder.size :] = 0  # the encoder sets its own
        encoded = tape.encoded
        batch, chosen = encoded.batch, encoded.batch.token_ids
        weights = None
        if isinstance(self.head, CrfHead) and batch.starts.size > 1:
            # The CRF's loss is a mean over sentences.
            sentences = int(batch.starts[1])
            weights = np.full(sentences, sentences / len(targets))
        loss, d_states = self.head.loss_and_backward(encoded.states, batch, targets, weights, workers)
        if tape.states_mask is not None:
            d_states *= tape.states_mask
        d_rows = self.encoder.backward(encoded, d_states, workers)
        size, layers = self.shape.word_size, self.shape.layers
        d_words = summed_by_row(forms.words[chosen][:, None], d_rows[:, :size])
        d_features = summed_by_row(forms.features[chosen], d_rows[:, size : layers.vector_size])
        if self.characters is not None and tape.spelled is not None:
            self.characters.backward(tape.spelled, d_rows[:, layers.vector_size : layers.inputs], workers)
        return loss, d_words, d_features
