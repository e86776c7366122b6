"""Traces of classifiers, taggers and language models: every gate, cell and hidden state, token by token."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.classification.model import ClassifierModel
from seqclf.data.texts import Text, tokenize_texts
from seqclf.language.model import TrainedLanguageModel
from seqclf.language.text import UNKNOWN, end_of_line
from seqclf.layers.attention import AttentionTape
from seqclf.layers.batches import pack
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import Workspace
from seqclf.layers.pooling import Found
from seqclf.layers.tape import EncoderTape
from seqclf.tagging.model import TaggerModel
from wordvec import InputError
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
class Activations:
    """A model's activations for one text.

    Attributes:
        tokens: T, from the model's tokenizer. known: whether each is in the model's vocabulary.
        layers: layer by layer, forward before reverse.
    """

    tokens: list[str]
    known: list[bool]
    layers: list[LayerTrace]

    @property
    def title(self) -> str:
        """What the model predicts, for a picture's title."""
        raise NotImplementedError


@dataclass(frozen=True)
class Trace(Activations):
    """A classifier's activations and prediction for one text.

    Attributes:
        tokens, known, layers: see ``Activations``.
        chosen: (T,) the share of the pooled features that comes from each token. ``max``: the features whose maximum
            is at the token; ``mean``: equal shares; ``last``: only the last token that each direction reads;
            ``attention``: the attention weights.
        labels, probabilities: (C,).
    """

    chosen: np.ndarray
    labels: list[Any]
    probabilities: np.ndarray

    @property
    def title(self) -> str:
        best = int(np.argmax(self.probabilities))
        return f"{self.labels[best]} ({self.probabilities[best]:.3f})"


@dataclass(frozen=True)
class TokenTrace(Activations):
    """The activations of a tagger or a language model, and its prediction at each token.

    Attributes:
        tokens, known, layers: see ``Activations``; a language model's first token is the line end before the text.
        predictions: T, each token's tag, or the most probable token after it. probabilities: (T,) of them.
    """

    predictions: list[Any]
    probabilities: np.ndarray

    @property
    def title(self) -> str:
        return f"{self.predictions[-1]} ({self.probabilities[-1]:.3f})"


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
    network, words = model.network, model.encode([tokens])
    batch = pack(words.ids, words.offsets, np.arange(1))
    inputs = network.inputs(words, batch)
    encoded = network.encoder.forward(batch, inputs=inputs, workspace=Workspace(network.dtype))
    _, found = network.pooling.forward(encoded)
    return Trace(
        tokens=tokens,
        known=[int(each) < len(model.vocabulary) for each in words.table_rows()],
        layers=_layers(network.encoder, encoded),
        chosen=_chosen(network.encoder, network.shape.pooling, found, len(tokens)),
        labels=list(model.labels),
        probabilities=network.predict(batch, inputs=inputs)[0],
    )


def trace_tokens(model: TaggerModel | TrainedLanguageModel, text: Text) -> TokenTrace:
    """Return every gate, cell and hidden state of a tagger or a language model, and its prediction at each token.

    Args:
        model: a tagger or a language model.
        text: tokens, or a string; of a tagger, its tokens are separated by white space.

    Raises:
        InputError: another model, or a tagger's text without tokens.

    Example:
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> settings = LanguageModelSettings(hidden_size=16, epochs=5, batch_size=2, window=8, learning_rate=0.02)
        >>> model = train_language_model(["the cat sat on the mat"] * 20, settings=settings, threads=1)
        >>> found = trace_tokens(model, "the cat")
        >>> found.tokens, found.predictions, found.layers[0].c.shape
        (['<eos>', 'the', 'cat'], ['the', 'cat', 'sat'], (3, 16))
    """
    if isinstance(model, TrainedLanguageModel):
        return _of_language_model(model, text if isinstance(text, str) else " ".join(text))
    check_kind("model", model, TaggerModel)
    tokens = text.split() if isinstance(text, str) else list(text)
    if not tokens:
        raise InputError("cannot trace a sentence without tokens; give at least one")
    forms, network = model.forms([tokens]), model.network
    batch = pack(forms.ids, forms.offsets, np.arange(1))
    encoded = network.forward(forms, batch).encoded
    layers = _layers(network.encoder, encoded)
    [tags] = model.predict([tokens], threads=1)
    chances = network.probabilities(encoded.states, batch)
    places = [model.labels.index(tag) for tag in tags]
    known = forms.words[forms.ids] < len(model.vocabulary)
    return TokenTrace(tokens, known.tolist(), layers, tags, chances[np.arange(len(tags)), places].astype(np.float64))


def _of_language_model(model: TrainedLanguageModel, text: str) -> TokenTrace:
    ids, network = model.prompt_ids(text), model.network
    encoded = network.encoder.forward(pack(ids, np.array([0, ids.size]), np.arange(1)))
    layers = _layers(network.encoder, encoded)
    probabilities = network.head.forward(encoded.states)
    unknown = model.vocabulary.token_to_id[UNKNOWN]
    probabilities[:, unknown] = 0
    best = probabilities.argmax(axis=1)
    return TokenTrace(
        tokens=[end_of_line(model.unit), *model.prompt_tokens(text)],
        known=(ids != unknown).tolist(),
        layers=layers,
        predictions=[model.vocabulary.tokens[row] for row in best],
        probabilities=probabilities[np.arange(ids.size), best].astype(np.float64),
    )


def _layers(encoder: Encoder, encoded: EncoderTape) -> list[LayerTrace]:
    found = [
        _layer(encoder, layer, number, run.state)
        for part in encoded.parts
        for layer, runs in enumerate(part.runs)
        for number, run in enumerate(runs)
    ]
    return found or _empty_layers(encoder)


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
