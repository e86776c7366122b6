"""Trace of a classifier: every gate, cell and hidden state, token by token."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.classification.model import ClassifierModel
from seqclf.data.texts import Text, encode, tokenize_texts
from seqclf.layers.attention import AttentionTape
from seqclf.layers.batches import Sequences, pack
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import Workspace
from seqclf.layers.pooling import Found
from wordvec.system.validation import check_kind

GATES = {
    ("lstm", "after"): ("i", "f", "g", "o"),
    ("lstm", "before"): ("i", "f", "g", "o"),
    ("gru", "after"): ("r", "z", "", "n"),
    ("gru", "before"): ("r", "z", "n", ""),
    ("rnn", "after"): ("n",),
    ("rnn", "before"): ("n",),
}
"""The activations a cell stores per step, in its order: the LSTM's input, forget and output gates i, f, o and candidate
values g; the GRU's reset and update gates r, z and candidate values n; the simple RNN's new values n. Those without a
name are not traced."""


@dataclass(frozen=True)
class LayerTrace:
    """Activations of one direction of one layer. Rows are tokens in text order, for both directions.

    Attributes:
        layer: from 0. direction: ``forward`` or ``reverse``.
        gates: (T, H) activations by name; i, f, o, r, z are between 0 and 1, g and n between -1 and 1.
        c: (T, H) cells after each token; None unless an LSTM.
        h: (T, H) hidden states after each token.
    """

    layer: int
    direction: str
    gates: dict[str, np.ndarray]
    c: np.ndarray | None
    h: np.ndarray


@dataclass(frozen=True)
class Trace:
    """A classifier's activations and prediction for one text.

    Attributes:
        tokens: T, from the model's tokenizer. known: whether each is in the model's vocabulary.
        layers: layer by layer, forward before reverse.
        chosen: (T,) the share of the pooled features that comes from each token. ``max``: the features whose maximum
            is at the token; ``mean``: equal shares; ``last``: only the last token that each direction reads;
            ``attention``: the attention weights.
        labels, probabilities: (C,).
    """

    tokens: list[str]
    known: list[bool]
    layers: list[LayerTrace]
    chosen: np.ndarray
    labels: list[Any]
    probabilities: np.ndarray


def trace(model: ClassifierModel, text: Text) -> Trace:
    """Return every gate, cell and hidden state of a classifier for each token of a text.

    Args:
        model: the classifier.
        text: a string, or tokens; it may be empty.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0)
        >>> model = train_classifier(["a good day", "a bad day"] * 4, ["yes", "no"] * 4, settings=settings, threads=1)
        >>> found = trace(model, "a good evening")
        >>> found.tokens, found.known
        (['a', 'good', 'evening'], [True, True, False])
        >>> [(each.layer, each.direction, list(each.gates), each.c.shape) for each in found.layers]
        [(0, 'forward', ['i', 'f', 'g', 'o'], (3, 4)), (0, 'reverse', ['i', 'f', 'g', 'o'], (3, 4))]
    """
    check_kind("model", model, ClassifierModel)
    (tokens,) = tokenize_texts([text], model.tokenizer, model.lowercase, model.normalize)
    network, words = model.network, Sequences(*encode([tokens], model.vocabulary, model.subwords))
    batch = pack(words.ids, words.offsets, np.arange(1))
    inputs = words.inputs(batch, network.embedding)
    encoded = network.encoder.forward(batch, inputs=inputs, workspace=Workspace(network.dtype))
    layers = []
    for part in encoded.parts:
        for layer, runs in enumerate(part.runs):
            for number, run in enumerate(runs):
                layers.append(_layer(network.encoder, layer, number, run.state))
    if not layers:
        layers = _empty_layers(network.encoder)
    _, found = network.pooling.forward(encoded)
    return Trace(
        tokens=tokens,
        known=[int(each) < len(model.vocabulary) for each in words.ids],
        layers=layers,
        chosen=_chosen(network.encoder, network.shape.pooling, found, len(tokens)),
        labels=list(model.labels),
        probabilities=network.predict(batch, inputs=inputs)[0],
    )


def _layer(encoder: Encoder, layer: int, number: int, state: Any) -> LayerTrace:
    shape, hidden = encoder.shape, encoder.hidden
    text_order = slice(None, None, -1 if number else 1)

    def units(array: np.ndarray, part: int = 0) -> np.ndarray:
        """Return one part of each row, without the padding, in text order."""
        return array[:, part * hidden : part * hidden + shape.hidden_size][text_order].copy()

    names = GATES[shape.cell, shape.reset]
    return LayerTrace(
        layer=layer,
        direction=shape.directions[number],
        gates={name: units(state.gates, part) for part, name in enumerate(names) if name},
        c=units(state.c) if encoder.cell.has_cell else None,
        h=units(state.h),
    )


def _empty_layers(encoder: Encoder) -> list[LayerTrace]:
    """Return the layers of an empty text, for which a unidirectional encoder makes no runs."""
    shape, empty = encoder.shape, np.empty((0, encoder.shape.hidden_size), encoder.dtype)
    gates = {name: empty for name in GATES[shape.cell, shape.reset] if name}
    c = empty if encoder.cell.has_cell else None
    return [
        LayerTrace(layer, direction, gates, c, empty) for layer in range(shape.layers) for direction in shape.directions
    ]


def _chosen(encoder: Encoder, pooling: str, found: Found, tokens: int) -> np.ndarray:
    # The packed rows of a single text are its tokens.
    if isinstance(found, AttentionTape):
        return found.weights.astype(np.float64)
    chosen = np.zeros(tokens)
    if not tokens:
        return chosen
    if pooling == "mean":
        chosen[:] = 1 / tokens
    elif pooling == "last":
        # The last token that is read: at the end of the text forward, at its beginning in reverse.
        for place in (-1, 0)[: len(encoder.shape.directions)]:
            chosen[place] += 1 / len(encoder.shape.directions)
    else:
        shape = encoder.shape
        units = np.arange(shape.parts * encoder.hidden) % encoder.hidden < shape.hidden_size
        chosen += np.bincount(found[0, units], minlength=tokens) / units.sum()
    return chosen
