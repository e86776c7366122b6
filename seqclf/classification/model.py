"""Trained text classifiers, with one label per text or several: prediction and files, without scikit-learn.

A classifier has a recurrent network, a linear model on n-grams, or both, whose log-probabilities are then added up with
the weights of ``stacking.py``.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from seqclf.classification.calibration import Calibration, calibration_tensors, take_calibration
from seqclf.classification.evaluation import Evaluation, evaluated
from seqclf.classification.linear import LinearPart
from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.classification.ngrams import surface_forms
from seqclf.classification.set_evaluation import SetEvaluation, evaluated_sets
from seqclf.classification.stacking import stack
from seqclf.classification.words import encode_words
from seqclf.data.characters import Characters, take_characters
from seqclf.data.label_sets import LabelSets
from seqclf.data.subwords import Subwords, take_subwords
from seqclf.data.texts import Text, as_texts, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows, workers_for
from seqclf.layers.batches import Sequences
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.workers import Workers
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
from wordvec import FormatError, InputError, Vocabulary
from wordvec.system.structures import finite_array, owned

P = TypeVar("P")


class ClassifierModel:
    """A trained text classifier.

    Args:
        network: the trained network; None if the model is linear.
        vocabulary: V words; the embedding table has one more row, for unknown words. None without a network.
        labels: C labels in the order of the probabilities' columns.
        settings: training settings; prediction uses ``tokenizer``, ``lowercase`` and ``normalize``.
        metrics: results of training, such as ``dev_accuracy``.
        history: one row per epoch.
        subwords: compose words that the vocabulary lacks; None treats all of them alike.
        linear: the linear model, if any.
        weights: (2,) of the log-probabilities of network and linear model; None with a network only.
        characters: those that the network reads, if any.
        calibration: what is done to the probabilities in the end, if anything.

    Attributes:
        labels, settings, metrics, history, subwords, linear, weights, characters, calibration: as given.
        network, vocabulary: as given; of a linear model, they are an InputError.
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
        network: Network | None,
        vocabulary: Vocabulary | None,
        *,
        labels: Sequence[Any],
        settings: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        subwords: Subwords | None = None,
        linear: LinearPart | None = None,
        weights: np.ndarray | None = None,
        characters: Characters | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self._network, self._vocabulary, self.subwords = network, vocabulary, subwords
        self.linear, self.characters, self.calibration = linear, characters, calibration
        self.weights = np.array([0.0, 1.0]) if weights is None and network is None else weights
        self.labels = list(labels)
        self.settings = dict(settings)
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    @property
    def network(self) -> Network:
        """The network."""
        return self._of_network(self._network)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the network."""
        return self._of_network(self._vocabulary)

    @property
    def parts(self) -> str:
        """``network``, ``linear`` or ``blend``."""
        return "linear" if self._network is None else "network" if self.linear is None else "blend"

    def unknown_share(self, texts: Iterable[Text]) -> np.ndarray:
        """Return the share of each text's words that training did not see and that have no vector, (N,) float64.

        Example:
            >>> from seqclf import ClassifierSettings, train_classifier
            >>> settings = ClassifierSettings(hidden_size=8, vector_size=8, epochs=1, validation_fraction=0)
            >>> model = train_classifier(["a fire", "a calm day"], ["alarm", "calm"], settings=settings, threads=1)
            >>> model.unknown_share(["a fire alarm today", ""])
            array([0.5, 0. ])
        """
        rows = tokenize_texts(as_texts(texts), self.tokenizer, self.lowercase, self.normalize)
        return np.array([self._unknown(tokens) / max(len(tokens), 1) for tokens in rows])

    def _unknown(self, tokens: Sequence[str]) -> int:
        if self._vocabulary is not None:
            return sum(self._vocabulary.lookup(token) < 0 for token in tokens)
        assert self.linear is not None
        _, of_characters, places, sizes = self.linear.features.places(tokens, "")
        return len(tokens) - len(set(places[~of_characters & (sizes == 1)].tolist()))

    @staticmethod
    def _of_network(value: P | None) -> P:
        if value is None:
            raise InputError("the model is linear and has no recurrent network; train one with model network or blend")
        return value

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
        texts = as_texts(texts)
        tokens = tokenize_texts(texts, self.tokenizer, self.lowercase, self.normalize)
        with workers_for(len(tokens), threads) as workers:
            network, linear = (read(texts, tokens, workers) for read in (self._of_words, self._of_ngrams))
        found = network if self.weights is None else stack(network, linear, self.weights)
        return found if self.calibration is None else self.calibration.apply(found)

    def _of_words(self, texts: Sequence[Text], tokens: list[list[str]], workers: Workers) -> np.ndarray:
        """Return the network's probabilities (N, C) float32, or (N, 0) without one."""
        if self._network is None:
            return np.empty((len(tokens), 0), np.float32)
        return predict_rows(self._network, self.encode(tokens), workers)

    def encode(self, tokens: Sequence[Sequence[str]]) -> Sequences:
        """Return texts, as tokens, as the network reads them."""
        return encode_words(tokens, self.vocabulary, self.subwords, self.characters)

    def _of_ngrams(self, texts: Sequence[Text], tokens: list[list[str]], workers: Workers) -> np.ndarray:
        """Return the linear model's log-probabilities (N, C) float64, or (N, 0) without one."""
        if self.linear is None:
            return np.empty((len(tokens), 0))
        return self.linear.log_probabilities(tokens, surface_forms(texts, self.lowercase, self.normalize), workers)

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return the most probable label of every text (N,); arguments as :meth:`predict_proba`."""
        return np.asarray(np.array(self.labels)[self.predict_proba(texts, threads=threads).argmax(axis=1)])

    def ranking(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the columns (N, C) of probabilities in descending order, equal ones in the order of ``labels``."""
        return np.argsort(-probabilities, axis=1, kind="stable")

    def evaluate(self, texts: Iterable[Text], labels: Iterable[Any], *, threads: int | None = None) -> Evaluation:
        """Evaluate the model on labeled texts.

        Args:
            texts, threads: as for :meth:`predict_proba`.
            labels: one per text, compared with ``==`` or as strings; those unknown to the model count as errors.

        Raises:
            InputError: an invalid text, or not one label per text.
        """
        return evaluated(self.labels, self.predict_proba(texts, threads=threads), labels)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, vocabulary, labels and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        header = {
            "tokenizer": self.tokenizer,
            "lowercase": self.lowercase,
            "labels": self.labels,
            "settings": self.settings,
            "metrics": self.metrics,
            "history": self.history,
            **{name: getattr(self, name) for name in self._own_rules},
        }
        tensors = {name: getattr(self, name) for name in self._own_numbers}
        if self._network is not None:
            shape = self._network.shape
            header |= {name: getattr(shape, name) for name in (*ENCODER_RULES, "pooling")}
            tensors |= self._network.parameters() | join_tokens(self.vocabulary.tokens)
        if self.linear is not None:
            header |= self.linear.features.header()
            tensors |= self.linear.tensors()
        if self.weights is not None:
            header["weights"] = self.weights.tolist()
        if self.calibration is not None:
            header["calibration"] = self.calibration.kind
            tensors |= calibration_tensors(self.calibration)
        for part in (self.subwords, self.characters):
            if part is not None:
                header |= part.header()
                tensors |= part.tensors()
        write_model(path, tensors, header, kind=self.kind, origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> Self:
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, {**_HEADER, **cls._own_rules})
        weights = _weights(name, header)
        given, network, vocabulary, subwords, linear, characters = dict(tensors), None, None, None, None, None
        calibration = take_calibration(name, given, header, len(header["labels"]))
        if weights is not None and weights[1]:
            linear = LinearPart.take(name, given, header, len(header["labels"]))
        numbers = dict.fromkeys(cls._own_numbers, (len(header["labels"]),))
        if weights is not None and not weights[0]:
            check_tensors(name, given, {}, numbers=numbers)
        else:
            subwords, given = take_subwords(name, given, header)
            characters, given = take_characters(name, given, header)
            shape = _shape(name, given, header, characters, multi_label=issubclass(cls, MultiLabelModel))
            expected = parameter_shapes(shape)
            check_tensors(name, given, expected, "token_bytes", "token_offsets", numbers=numbers)
            vocabulary = read_vocabulary(name, given, shape.vocabulary - 1)
            network = Network(shape, {key: given[key] for key in expected})
        own: dict[str, Any] = {} if weights is None else {"linear": linear, "weights": weights}
        own |= {} if calibration is None else {"calibration": calibration}
        own |= {key: header[key] for key in cls._own_rules} | {key: given[key] for key in numbers}
        return cls(
            network,
            vocabulary,
            labels=header["labels"],
            settings={**header["settings"], "tokenizer": header["tokenizer"], "lowercase": header["lowercase"]},
            metrics=header["metrics"],
            history=header["history"],
            subwords=subwords,
            characters=characters,
            **own,
        )

    def __repr__(self) -> str:
        parts = []
        if self._network is not None:
            shape = self._network.shape
            way = "bidirectional" if shape.bidirectional else "unidirectional"
            parts.append(f"{way} {shape.cell} of {shape.hidden_size}, {len(self.vocabulary):,} words")
            if self.characters is not None:
                parts.append(f"{len(self.characters):,} characters")
        if self.linear is not None:
            parts.append(f"linear model of {len(self.linear.features):,} n-grams")
        return f"<{type(self).__name__}: {', '.join(parts)}, {len(self.labels)} labels>"


class MultiLabelModel(ClassifierModel):
    """A trained multi-label text classifier, which assigns any number of labels to a text.

    Args:
        network, vocabulary, labels, settings, metrics, history, subwords, characters: as for :class:`ClassifierModel`.
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

    def evaluate(  # type: ignore[override]
        self, texts: Iterable[Text], labels: LabelSets, *, threads: int | None = None
    ) -> SetEvaluation:
        """Evaluate the model on texts with a list of labels each, or an indicator matrix (N, C); otherwise as
        :meth:`ClassifierModel.evaluate`."""
        return evaluated_sets(self.labels, self.predict_proba(texts, threads=threads), self.thresholds, labels)


_HEADER = header_rules("tokenizer", "lowercase", "labels")
_NETWORK = header_rules(*ENCODER_RULES, "pooling")

_FIRST_VERSION: dict[str, Any] = {
    "reset": "after",
    "merge": "concatenate",
    "layers": 1,
    "zoneout": 0.0,
    "zoneout_cell": 0.0,
}
"""Values of keys that the first files lack, because they were not options then."""


def _shape(
    name: str,
    tensors: Mapping[str, np.ndarray],
    header: Mapping[str, Any],
    characters: Characters | None,
    *,
    multi_label: bool,
) -> NetworkShape:
    header = {**_FIRST_VERSION, **header}
    check_header(name, header, _NETWORK)
    check_layers(name, header["layers"], tensors)
    embedding = read_table(name, tensors)
    return NetworkShape(
        vocabulary=embedding.shape[0],
        vector_size=embedding.shape[1],
        classes=len(header["labels"]),
        pooling=header["pooling"],
        multi_label=multi_label,
        spelling=None if characters is None else CharacterShape(**characters.sizes()),
        **{key: header[key] for key in ENCODER_RULES},
    )


def _weights(name: str, header: Mapping[str, Any]) -> np.ndarray | None:
    """Return the weights (2,) of network and linear model; None if a file has only a network, as it is."""
    found = header.get("weights")
    if found is None:
        return None
    good = (
        isinstance(found, list) and len(found) == 2 and all(type(each) is float and 0 <= each < 1e6 for each in found)
    )
    if not good or not any(found):
        raise FormatError(f"{name} is damaged: weights must be two numbers of at least 0, got {found!r:.80}")
    return np.array(found)
