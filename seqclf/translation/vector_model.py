"""A trained decoder of vectors: a sequence for each vector; prediction and files, without scikit-learn."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqclf.layers.decoder_parameters import NONE, DecoderShape
from seqclf.model_file import (
    check_header,
    check_tensors,
    header_rules,
    join_tokens,
    read_settings,
    read_table,
    read_vocabulary,
    write_model,
)
from seqclf.translation.network import TransducerNetwork, TransducerShape, Vectors, transducer_shapes
from seqclf.translation.predictions import Prediction, predictions
from seqclf.translation.searching import Search, search_targets
from seqclf.translation.settings import VectorTransducerSettings
from wordvec import FormatError, InputError, Vocabulary

_STRINGS = ("target_bytes", "target_offsets", "target_counts")


class VectorTransducerModel:
    """A trained decoder that generates a sequence from a vector.

    Args:
        network: the trained network, without an encoder.
        target_vocabulary: V units of the targets: the end, the unknown one, and all others.
        scaling: (2, D) float64, mean and standard deviation of each dimension in training.
        settings: training settings.
        metrics: results of training, such as ``dev_loss``.
        history: one row per epoch.

    Attributes:
        network, target_vocabulary, scaling, settings, metrics, history: as given.
        origin: digests of the training data and the versions.
    """

    def __init__(
        self,
        network: TransducerNetwork,
        target_vocabulary: Vocabulary,
        scaling: np.ndarray,
        *,
        settings: VectorTransducerSettings,
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.network, self.target_vocabulary, self.scaling = network, target_vocabulary, scaling
        self.settings = settings
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    def predict(
        self,
        vectors: ArrayLike,
        *,
        beam: int = 5,
        n_best: int = 1,
        max_length: int | None = None,
        length_penalty: float = 1.0,
        no_repeat: int = 0,
        temperature: float | None = None,
        seed: int = 1,
        threads: int | None = None,
    ) -> list[Prediction]:
        """Predict the sequence of each vector; its ``source`` is empty.

        Args:
            vectors: (n, D).
            max_length: the largest number of units; None is 100.
            beam, n_best, length_penalty, no_repeat, temperature, seed, threads: see ``TransducerModel.predict``.

        Raises:
            InputError: not (n, D) finite numbers, or an option out of range.
        """
        search = Search(
            beam, n_best, max_length, length_penalty, no_repeat=no_repeat, temperature=temperature, seed=seed
        )
        search.check()
        values = standardized(as_matrix(vectors, self.scaling.shape[1]), self.scaling)
        found = search_targets(self.network, Vectors(values), search, threads)
        units = self.settings.target_units
        return [predictions(hypotheses, [], self.target_vocabulary, units) for hypotheses in found]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, units and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        header = {"settings": self.settings.record(), "metrics": self.metrics, "history": self.history}
        target = join_tokens(self.target_vocabulary.tokens, "target")
        counts = np.asarray(self.target_vocabulary.counts, np.int64)
        tensors = {**self.network.parameters(), **target, "target_counts": counts, "scaling": self.scaling}
        write_model(path, tensors, header, kind="vector transducer", origin=self.origin)

    @classmethod
    def from_file(
        cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]
    ) -> "VectorTransducerModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, header_rules())
        settings = read_settings(name, VectorTransducerSettings, header["settings"])
        units, target_size = read_table(name, tensors, "target_embedding").shape
        width = read_table(name, tensors, "scaling").shape[1]
        if units < 3 or width < 1:
            raise FormatError(f"{name} is damaged: its tables have {units:,} rows and {width:,} columns")
        if settings.layers > len(tensors):
            raise FormatError(f"{name} is damaged: {settings.layers:,} layers, but {len(tensors)} tensors")
        shape = vector_shape(width, units, target_size, settings)
        expected = transducer_shapes(shape)
        check_tensors(name, tensors, expected, *_STRINGS, numbers={"scaling": (2, width)})
        if not (tensors["scaling"][1] > 0).all():
            raise FormatError(f"{name} is damaged: a standard deviation in scaling is not above 0")
        return cls(
            TransducerNetwork(shape, {key: tensors[key] for key in expected}),
            read_vocabulary(name, tensors, shape.units, "target"),
            tensors["scaling"],
            settings=settings,
            metrics=header["metrics"],
            history=header["history"],
        )

    def __repr__(self) -> str:
        decoder = self.network.shape.decoder
        return (
            f"<VectorTransducerModel: {decoder.cell} decoder of {decoder.hidden_size}, "
            f"{decoder.source_size} dimensions, {self.network.shape.units:,} target units>"
        )


def vector_shape(width: int, rows: int, target_size: int, settings: VectorTransducerSettings) -> TransducerShape:
    """Return the network's shape, given the dimensions of the vectors and those of the target embedding."""
    decoder = DecoderShape(
        vocabulary=rows,
        vector_size=target_size,
        hidden_size=settings.hidden_size,
        source_size=width,
        cell=settings.cell,
        reset=settings.reset,
        layers=settings.layers,
        attention=NONE,
        input_feeding=settings.input_feeding,
        zoneout=settings.zoneout,
        zoneout_cell=settings.zoneout_cell,
    )
    return TransducerShape(None, decoder, settings.tied_embeddings)


def as_matrix(vectors: ArrayLike, width: int | None = None) -> np.ndarray:
    """Return vectors, which may be a SciPy sparse matrix, as a matrix (n, D) float64.

    Raises:
        InputError: not a matrix of finite numbers, or without ``width`` columns.

    Example:
        >>> as_matrix([1.0, 2.0])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: vectors must be a matrix (n, D) of numbers, got shape (2,); pass one row per target
    """
    try:
        given = np.asarray(vectors.toarray() if hasattr(vectors, "toarray") else vectors)
        # The cells of a table's column are vectors.
        values = np.asarray(given.tolist() if given.dtype == object else given, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"vectors must be a matrix (n, D) of numbers: {error!s:.80}") from None
    if values.shape == (0,):
        values = values.reshape(0, width or 1)
    if values.ndim != 2 or values.shape[1] < 1:
        raise InputError(
            f"vectors must be a matrix (n, D) of numbers, got shape {values.shape}; pass one row per target"
        )
    if width is not None and values.shape[1] != width:
        raise InputError(f"vectors must have {width:,} dimensions, as in training, got {values.shape[1]:,}")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise InputError(f"vectors must be finite numbers, got NaN or infinity in row {int(np.argmin(finite))}")
    return values


def standardized(values: np.ndarray, scaling: np.ndarray) -> np.ndarray:
    """Return (n, D) float32: (values - mean) / deviation.

    Example:
        >>> standardized(np.array([[3.0, 5.0]]), np.array([[1.0, 5.0], [2.0, 1.0]])).tolist()
        [[1.0, 0.0]]
    """
    return np.asarray((values - scaling[0]) / scaling[1], np.float32)
