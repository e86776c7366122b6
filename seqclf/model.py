"""SequenceModel: everything a trained classifier needs to label a text, in one file. Needs numpy and numba alone."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from corpora import TOKENIZERS
from seqclf.cells import CELLS, RESETS
from seqclf.formats import HEADER, check_header, check_tensors, join_tokens, read_model, read_vocabulary, write_model
from seqclf.inference import predict_probabilities
from seqclf.network import Network, NetworkShape, parameter_shapes
from seqclf.parameters import MERGES
from seqclf.pooling import POOLINGS
from seqclf.preparation import Text, encode, tokenize_texts
from seqclf.workers import Workers
from wordvec import FormatError, Vocabulary


class SequenceModel:
    """A trained text classifier.

    Args:
        network: its parameters.
        vocabulary: V words; the network's table has one row more, for unknown words.
        labels: C labels in the order of the probabilities' columns.
        settings: how it was trained; ``tokenizer`` and ``lowercase`` say how texts are cut.
        metrics: numbers from training, such as ``dev_accuracy``.
        history: a row an epoch.

    Attributes:
        labels, settings, metrics, history, vocabulary: as given.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> settings = ClassifierSettings(hidden_size=8, vector_size=8, epochs=8, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
        >>> model = train_classifier(texts, ["alarm", "calm", "alarm"] * 4, settings=settings, threads=1)
        >>> model.labels, model.predict_proba(["a lovely evening", ""]).shape
        (['alarm', 'calm'], (2, 2))
    """

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        *,
        labels: Sequence[Any],
        settings: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.labels = list(labels)
        self.settings = dict(settings)
        self.metrics = dict(metrics or {})
        self.history = [dict(row) for row in history]

    @property
    def tokenizer(self) -> str:
        """The name of the tokeniser that cuts texts."""
        return str(self.settings["tokenizer"])

    @property
    def lowercase(self) -> bool:
        """Whether texts are lower-cased first."""
        return bool(self.settings["lowercase"])

    def predict_proba(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Every label's probability for every text.

        Args:
            texts: strings, cut by the model's own tokeniser, or lists of tokens. An empty text has an answer too.
            threads: at most so many; None takes the cores there are. Neither they nor batch mates change a row.

        Returns:
            (N, C) float32; columns are ``labels``.

        Raises:
            InputError: ``texts`` is one string, or holds something that is no text.
        """
        ids, offsets = encode(tokenize_texts(texts, self.tokenizer, self.lowercase), self.vocabulary)
        # One text is done before a second thread has started.
        with Workers(1 if offsets.size <= 33 else threads) as workers:
            return predict_probabilities(self.network, ids, offsets, workers)

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """The most probable label of every text (N,); arguments as :meth:`predict_proba`."""
        return np.array(self.labels)[self.predict_proba(texts, threads=threads).argmax(axis=1)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file: weights, vocabulary, tokeniser, labels, settings. The same model, the same bytes.

        Raises:
            InputError: ``path`` cannot be written; what stood there before still stands.
        """
        shape = self.network.shape
        header = {
            **{name: getattr(shape, name) for name in ENCODER_RULES},
            "pooling": shape.pooling,
            "tokenizer": self.tokenizer,
            "lowercase": self.lowercase,
            "labels": self.labels,
            "settings": self.settings,
            "metrics": self.metrics,
            "history": self.history,
        }
        write_model(path, {**self.network.parameters(), **join_tokens(self.vocabulary.tokens)}, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "SequenceModel":
        """Read what :meth:`save` wrote, checking every shape and number.

        Raises:
            FormatError: the file is no model, is cut short, or does not add up.
            InputError: it is missing or a directory.
        """
        name = str(path)
        tensors, header = read_model(path)
        shape = _shape(name, tensors, header)
        expected = parameter_shapes(shape)
        check_tensors(name, tensors, expected, "token_bytes", "token_offsets")
        vocabulary = read_vocabulary(name, tensors, shape.vocabulary - 1)
        settings = {**header["settings"], "tokenizer": header["tokenizer"], "lowercase": header["lowercase"]}
        network = Network(shape, {key: tensors[key] for key in expected})
        return cls(
            network,
            vocabulary,
            labels=header["labels"],
            settings=settings,
            metrics=header["metrics"],
            history=header["history"],
        )

    def __repr__(self) -> str:
        shape = self.network.shape
        way = "bidirectional" if shape.bidirectional else "one-way"
        return (
            f"<SequenceModel: {way} {shape.cell} of {shape.hidden_size}, {len(self.vocabulary):,} words, "
            f"{len(self.labels)} labels>"
        )


def load_model(path: str | os.PathLike[str]) -> SequenceModel:
    """:meth:`SequenceModel.load` by another name.

    Example:
        >>> load_model("missing.safetensors")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: missing.safetensors does not exist
    """
    return SequenceModel.load(path)


ENCODER_RULES = {
    "cell": (str, "a cell", lambda value: value in CELLS),
    "reset": (str, "a reset", lambda value: value in RESETS),
    "merge": (str, "a merge", lambda value: value in MERGES),
    "layers": (int, "at least 1", lambda value: value >= 1),
    "zoneout": (float, "a share below 1", lambda value: 0 <= value < 1),
    "zoneout_cell": (float, "a share below 1", lambda value: 0 <= value < 1),
    "bidirectional": (bool, "true or false", lambda value: True),
    "hidden_size": (int, "at least 1", lambda value: value >= 1),
}
"""What the header of any recurrent net says of its encoder."""

MODEL_RULES = HEADER | {
    "lowercase": (bool, "true or false", lambda value: True),
    "labels": (list, "at least two different labels", lambda value: _are_labels(value)),
}
"""What it says of what was learnt, and how."""

_HEADER = {
    **ENCODER_RULES,
    "pooling": (str, "a pooling", lambda value: value in POOLINGS),
    "tokenizer": (str, "a tokeniser", lambda value: value in TOKENIZERS),
    **MODEL_RULES,
}

_FIRST_VERSION: dict[str, Any] = {
    "reset": "after",
    "merge": "concatenate",
    "layers": 1,
    "zoneout": 0.0,
    "zoneout_cell": 0.0,
}
"""What a file that does not say it was trained with: the only choice there was."""


def _are_labels(value: list[Any]) -> bool:
    kinds = {type(label) for label in value}
    return kinds <= {str, int, float, bool} and len(kinds) == 1 and len(set(value)) == len(value) >= 2


def _shape(name: str, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> NetworkShape:
    header = _FIRST_VERSION | header
    check_header(name, header, _HEADER)
    if header["layers"] > len(tensors):
        raise FormatError(f"{name} is damaged: {header['layers']} layers, but {len(tensors)} tensors")
    embedding = tensors.get("embedding")
    if embedding is None or embedding.ndim != 2:
        raise FormatError(f"{name} is damaged: it has no embedding table")
    return NetworkShape(
        vocabulary=embedding.shape[0],
        vector_size=embedding.shape[1],
        classes=len(header["labels"]),
        pooling=header["pooling"],
        **{key: header[key] for key in ENCODER_RULES},
    )
