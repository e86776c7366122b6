"""ClassifierModel: everything a trained classifier needs to label a text, in one file. Needs numpy and numba alone.

MultiLabelModel is the same of a classifier that gives a text any number of labels.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from corpora import TOKENIZERS
from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.data.texts import Text, encode, tokenize_texts
from seqclf.layers.batch_prediction import predict_probabilities
from seqclf.layers.choices import CELLS, MERGES, POOLINGS, RESETS
from seqclf.layers.workers import Workers
from seqclf.model_file import HEADER, check_header, check_tensors, join_tokens, read_model, read_vocabulary, write_model
from wordvec import FormatError, Vocabulary


class ClassifierModel:
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

    kind = "model"
    _own_rules: ClassVar[dict[str, tuple[type, str, Any]]] = {}
    """What a file's header says beyond that of every classifier; each is an argument and an attribute, too."""
    _own_numbers: ClassVar[tuple[str, ...]] = ()
    """The same of arrays (C,) float64."""

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
            **{name: getattr(self, name) for name in self._own_rules},
        }
        tensors = self.network.parameters() | join_tokens(self.vocabulary.tokens)
        tensors |= {name: getattr(self, name) for name in self._own_numbers}
        write_model(path, tensors, header, kind=self.kind)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote, checking every shape and number.

        Raises:
            FormatError: the file is no model, is cut short, or does not add up.
            InputError: it is missing or a directory.
        """
        return cls._from_file(str(path), *read_model(path, kind=cls.kind))

    @classmethod
    def _from_file(cls, name: str, tensors: dict[str, np.ndarray], header: dict[str, Any]) -> Self:
        check_header(name, header, cls._own_rules)
        shape = _shape(name, tensors, header, multi_label=issubclass(cls, MultiLabelModel))
        expected = parameter_shapes(shape)
        numbers = dict.fromkeys(cls._own_numbers, (shape.classes,))
        check_tensors(name, tensors, expected, "token_bytes", "token_offsets", numbers=numbers)
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
            **{key: header[key] for key in cls._own_rules},
            **{key: tensors[key] for key in numbers},
        )

    def __repr__(self) -> str:
        shape = self.network.shape
        way = "bidirectional" if shape.bidirectional else "one-way"
        return (
            f"<{type(self).__name__}: {way} {shape.cell} of {shape.hidden_size}, {len(self.vocabulary):,} words, "
            f"{len(self.labels)} labels>"
        )


class MultiLabelModel(ClassifierModel):
    """A trained text classifier that gives a text any number of its labels, or none.

    Args:
        network, vocabulary, labels, settings, metrics, history: as for :class:`ClassifierModel`.
        thresholds: (C,) the probabilities from which labels are given; 0.5 by default.
        separator: what stands between labels in files that are read and in what is printed.

    Attributes:
        thresholds, separator: as given. All others as those of :class:`ClassifierModel`; the probabilities of
        ``predict_proba`` are each label's own, and do not add up to 1.
    """

    kind = "multi-label model"
    _own_rules: ClassVar = {"separator": (str, "what stands between labels", bool)}
    _own_numbers: ClassVar = ("thresholds",)

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        *,
        thresholds: np.ndarray | None = None,
        separator: str = ",",
        **described: Any,
    ) -> None:
        super().__init__(network, vocabulary, **described)
        self.thresholds = np.full(len(self.labels), 0.5) if thresholds is None else thresholds
        self.separator = separator

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Which labels each text is given: (N, C) bool, columns as ``labels``; arguments as :meth:`predict_proba`."""
        return self.predict_proba(texts, threads=threads) >= self.thresholds

    def predict_labels(self, texts: Iterable[Text], *, threads: int | None = None) -> list[list[Any]]:
        """The labels that each text is given; arguments as :meth:`predict_proba`."""
        rows = self.predict(texts, threads=threads)
        return [[self.labels[label] for label in np.flatnonzero(row)] for row in rows]


def load_model(path: str | os.PathLike[str]) -> ClassifierModel:
    """Read what :meth:`ClassifierModel.save` wrote, or that of a ``MultiLabelModel``; see :meth:`ClassifierModel.load`.

    Example:
        >>> load_model("missing.safetensors")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: missing.safetensors does not exist
    """
    tensors, header = read_model(path, or_kind=MultiLabelModel.kind)
    kind = MultiLabelModel if header["kind"] == MultiLabelModel.kind else ClassifierModel
    return kind._from_file(str(path), tensors, header)


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


def _shape(name: str, tensors: Mapping[str, np.ndarray], header: dict[str, Any], *, multi_label: bool) -> NetworkShape:
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
        multi_label=multi_label,
        **{key: header[key] for key in ENCODER_RULES},
    )
