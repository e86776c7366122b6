"""Trained text classifiers, with one label per text or several: prediction and files, without scikit-learn."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.data.subwords import Subwords, take_subwords
from seqclf.data.texts import Text, encode, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows, workers_for
from seqclf.layers.batches import Sequences
from seqclf.model_file import (
    ENCODER_RULES,
    Rules,
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    join_tokens,
    read_table,
    read_vocabulary,
    write_model,
)
from wordvec import Vocabulary
from wordvec.system.structures import finite_array, owned


class ClassifierModel:
    """A trained text classifier.

    Args:
        network: the trained network.
        vocabulary: V words; the embedding table has one more row, for unknown words.
        labels: C labels in the order of the probabilities' columns.
        settings: training settings; prediction uses ``tokenizer``, ``lowercase`` and ``normalize``.
        metrics: results of training, such as ``dev_accuracy``.
        history: one row per epoch.
        subwords: compose words that the vocabulary lacks; None treats all of them alike.

    Attributes:
        labels, settings, metrics, history, vocabulary, subwords: as given.
        origin: digests of the training data and the versions, as the commands record them in a file.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> settings = ClassifierSettings(hidden_size=8, vector_size=8, epochs=8, validation_fraction=0)
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
        >>> model = train_classifier(texts, ["alarm", "calm", "alarm"] * 4, settings=settings, threads=1)
        >>> model.labels, model.predict_proba(["a lovely evening", ""]).shape
        (['alarm', 'calm'], (2, 2))
    """

    kind = "model"
    _own_rules: ClassVar[Rules] = {}
    """Header keys of a subclass; each is also an argument and an attribute."""
    _own_numbers: ClassVar[tuple[str, ...]] = ()
    """The same for arrays (C,) float64."""

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        *,
        labels: Sequence[Any],
        settings: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        subwords: Subwords | None = None,
    ) -> None:
        self.network = network
        self.vocabulary, self.subwords = vocabulary, subwords
        self.labels = list(labels)
        self.settings = dict(settings)
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    @property
    def tokenizer(self) -> str:
        """The name of the tokenizer."""
        return str(self.settings["tokenizer"])

    @property
    def lowercase(self) -> bool:
        """Whether texts are lower-cased before tokenization."""
        return bool(self.settings["lowercase"])

    @property
    def normalize(self) -> str:
        """The Unicode normalization form of texts; models of earlier releases have none."""
        return str(self.settings.get("normalize", "none"))

    def predict_proba(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return every label's probability for every text.

        Args:
            texts: strings, or lists of tokens; they may be empty.
            threads: the largest number of threads; None uses all cores. Neither threads nor the other texts change a
                row.

        Returns:
            (N, C) float32; columns are ``labels``.

        Raises:
            InputError: ``texts`` is a single string, or an element is not a text.
        """
        tokens = tokenize_texts(texts, self.tokenizer, self.lowercase, self.normalize)
        with workers_for(len(tokens), threads) as workers:
            return predict_rows(self.network, Sequences(*encode(tokens, self.vocabulary, self.subwords)), workers)

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return the most probable label of every text (N,); arguments as :meth:`predict_proba`."""
        return np.asarray(np.array(self.labels)[self.predict_proba(texts, threads=threads).argmax(axis=1)])

    def ranking(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the columns (N, C) of probabilities in descending order, equal ones in the order of ``labels``."""
        return np.argsort(-probabilities, axis=1, kind="stable")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, vocabulary, labels and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
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
        if self.subwords is not None:
            header |= self.subwords.header()
            tensors |= self.subwords.tensors()
        write_model(path, tensors, header, kind=self.kind, origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> Self:
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, cls._own_rules)
        subwords, tensors = take_subwords(name, tensors, header)
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
            subwords=subwords,
            **{key: header[key] for key in cls._own_rules},
            **{key: tensors[key] for key in numbers},
        )

    def __repr__(self) -> str:
        shape = self.network.shape
        way = "bidirectional" if shape.bidirectional else "unidirectional"
        return (
            f"<{type(self).__name__}: {way} {shape.cell} of {shape.hidden_size}, {len(self.vocabulary):,} words, "
            f"{len(self.labels)} labels>"
        )


class MultiLabelModel(ClassifierModel):
    """A trained multi-label text classifier, which assigns any number of labels to a text.

    Args:
        network, vocabulary, labels, settings, metrics, history, subwords: as for :class:`ClassifierModel`.
        thresholds: (C,) probabilities from which labels are assigned; default 0.5.
        separator: separates labels in text files and in printed output.

    Attributes:
        thresholds, separator: as given. All others as in :class:`ClassifierModel`; the probabilities of
        ``predict_proba`` are independent and do not sum to 1.
    """

    kind = "multi-label model"
    _own_rules: ClassVar = {"separator": (str, "a nonempty string", bool)}
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
        chosen = np.full(len(self.labels), 0.5) if thresholds is None else thresholds
        self.thresholds = owned(finite_array("thresholds", chosen, (len(self.labels),)))
        self.separator = separator

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return an indicator matrix (N, C) bool, columns as ``labels``; arguments as :meth:`predict_proba`."""
        return self.predict_proba(texts, threads=threads) >= self.thresholds

    def predict_labels(self, texts: Iterable[Text], *, threads: int | None = None) -> list[list[Any]]:
        """Return the labels of each text; arguments as :meth:`predict_proba`."""
        rows = self.predict(texts, threads=threads)
        return [[self.labels[label] for label in np.flatnonzero(row)] for row in rows]


_HEADER = header_rules(*ENCODER_RULES, "pooling", "tokenizer", "lowercase", "labels")

_FIRST_VERSION: dict[str, Any] = {
    "reset": "after",
    "merge": "concatenate",
    "layers": 1,
    "zoneout": 0.0,
    "zoneout_cell": 0.0,
}
"""Values of keys that the first files lack, because they were not options then."""


def _shape(
    name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any], *, multi_label: bool
) -> NetworkShape:
    header = {**_FIRST_VERSION, **header}
    check_header(name, header, _HEADER)
    check_layers(name, header["layers"], tensors)
    embedding = read_table(name, tensors)
    return NetworkShape(
        vocabulary=embedding.shape[0],
        vector_size=embedding.shape[1],
        classes=len(header["labels"]),
        pooling=header["pooling"],
        multi_label=multi_label,
        **{key: header[key] for key in ENCODER_RULES},
    )
