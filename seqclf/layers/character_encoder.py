"""A bidirectional LSTM over the characters of words; its last states are appended to the words' vectors.

Lample et al. 2016, "Neural architectures for named entity recognition", section 4.1. Each word of a batch is read once,
however often it occurs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.batches import Spelling, pack
from seqclf.layers.cells import spread, unspread
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, Views, Workspace, encoder_shapes, initial_encoder
from seqclf.layers.tape import EncoderTape
from seqclf.layers.workers import Workers

_SIZE = 32
"""Dimensions of a character's vector."""
_SCALE = 0.1
"""Their initial standard deviation."""
_PREFIX = "characters."
_TABLE = _PREFIX + "embedding"

V = TypeVar("V")


@dataclass(frozen=True)
class CharacterShape:
    """Sizes that determine every parameter's shape.

    Attributes:
        characters: K, rows of the table of characters; the last one is for unknown ones.
        hidden_size: H, for each direction.
    """

    characters: int
    hidden_size: int

    @property
    def features(self) -> int:
        """The columns appended to a word's vector, 2 H."""
        return self.encoder.features

    @property
    def encoder(self) -> EncoderShape:
        return EncoderShape(vocabulary=0, vector_size=_SIZE, hidden_size=self.hidden_size)


def character_shapes(shape: CharacterShape | None) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them; none without characters.

    Example:
        >>> for name, size in list(character_shapes(CharacterShape(9, 3)).items())[:2]:
        ...     print(name, size)
        characters.embedding (9, 32)
        characters.layers.0.forward.w_input (12, 32)
    """
    if shape is None:
        return {}
    return {_TABLE: (shape.characters, _SIZE)} | _prefixed(encoder_shapes(shape.encoder))


def initial_characters(shape: CharacterShape | None, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return initial parameters; the vector of unknown characters is zero."""
    if shape is None:
        return {}
    table = random.standard_normal((shape.characters, _SIZE), np.float32) * np.float32(_SCALE)
    table[-1] = 0
    return {_TABLE: table} | _prefixed(initial_encoder(shape.encoder, None, random))


class CharacterTape(NamedTuple):
    """Result of a forward pass: the words' features (U, 2 H), and what the backward pass reads."""

    features: np.ndarray
    encoded: EncoderTape


class CharacterEncoder:
    """Parameters and the two passes over the words of a batch; a layer as in ``heads.py``.

    Args:
        shape: see ``CharacterShape``.
        dtype: float32; float64 is for gradient checks.
    """

    def __init__(self, shape: CharacterShape, dtype: DTypeLike = np.float32) -> None:
        self.shape = shape
        self._encoder = Encoder(shape.encoder, dtype)

    def layout(self) -> dict[str, tuple[int, ...]]:
        """Return names and shapes of the parameters in the kernels' layout."""
        return {_TABLE: (self.shape.characters, _SIZE)} | _prefixed(self._encoder.layout())

    def attach(self, flat: Views) -> None:
        """Use a network's parameters for the views of ``layout()``."""
        self._table, self._d_table = flat.views[_TABLE], flat.d_views[_TABLE]
        self._encoder.attach(_Part(flat))

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy in the parameters of ``character_shapes``."""
        self._table[:] = parameters[_TABLE]
        self._encoder.load(own_parameters(parameters))

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their canonical shapes."""
        return {_TABLE: self._table.copy()} | _prefixed(self._encoder.parameters())

    def gradients(self) -> dict[str, np.ndarray]:
        """Return copies of the last backward pass's gradients, in their canonical shapes."""
        return {_TABLE: self._d_table.copy()} | _prefixed(self._encoder.gradients())

    def forward(
        self,
        spelling: Spelling,
        words: np.ndarray,
        workers: Workers | None = None,
        *,
        keep: bool = True,
        workspace: Workspace | None = None,
    ) -> CharacterTape:
        """Read the characters of some words.

        Args:
            spelling: the characters of all words.
            words: (U,) those to read. A word's features do not depend on the others.
            workers, keep, workspace: see ``Encoder.forward``.
        """
        batch = pack(*spelling, words)
        inputs = self._table[batch.token_ids]
        encoded = self._encoder.forward(batch, workers, inputs=inputs, keep=keep, workspace=workspace)
        features = np.empty((len(words), self.shape.features), inputs.dtype)
        features[batch.order] = unspread(encoded.final, 2, self.shape.hidden_size)
        return CharacterTape(features, encoded)

    def backward(self, tape: CharacterTape, d_features: np.ndarray, workers: Workers | None = None) -> None:
        """Add the gradients of all parameters to the network's, given that of the features (U, 2 H)."""
        batch = tape.encoded.batch
        d_final = spread(d_features[batch.order], 2)
        d_rows = self._encoder.backward(tape.encoded, workers=workers, d_final=d_final)
        self._d_table[batch.token_ids] += d_rows


class _Part:
    """The views of a network's parameters whose names begin with the prefix."""

    def __init__(self, flat: Views) -> None:
        self.views, self.d_views = own_parameters(flat.views), own_parameters(flat.d_views)


def _prefixed(named: Mapping[str, V]) -> dict[str, V]:
    return {_PREFIX + name: value for name, value in named.items()}


def own_parameters(named: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the encoder's parameters among those of a network, without the prefix of their names."""
    return {name.removeprefix(_PREFIX): array for name, array in named.items() if name.startswith(_PREFIX)}
