"""A trained classifier of sequences of vectors: prediction and files, without scikit-learn."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.classification.evaluation import Evaluation, evaluated
from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.classification.settings import ClassifierSettings
from seqclf.data.columns import as_sequences
from seqclf.data.steps import Scaling
from seqclf.layers.batch_prediction import predict_rows, workers_for
from seqclf.layers.batches import Sequences
from seqclf.model_file import check_header, check_layers, check_tensors, header_rules, read_settings, write_model
from wordvec import FormatError

KIND = "vector classifier"


class VectorClassifierModel:
    """A trained classifier of sequences of vectors (T, E), or of numbers (T,), of any lengths.

    Args:
        network: the trained network.
        scaling: of the vectors.
        labels: C labels in the order of the probabilities' columns.
        settings: training settings. metrics: results of training. history: one row per epoch.
    """

    def __init__(
        self,
        network: Network,
        scaling: Scaling,
        *,
        labels: Sequence[Any],
        settings: ClassifierSettings,
        metrics: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        self.network, self.scaling, self.labels, self.settings = network, scaling, list(labels), settings
        self.metrics, self.history = dict(metrics), [dict(row) for row in history]
        self.origin: dict[str, Any] = {}

    def predict_proba(self, sequences: Iterable[Any], *, threads: int | None = None) -> np.ndarray:
        """Return every label's probability (N, C) float32 for sequences (T, E) or (T,).

        Only the steps of a sequence are read, never padding: neither threads nor the other sequences change a row.

        Raises:
            InputError: a sequence is not numeric, empty, not finite, or has vectors of another size than in training.
        """
        encoded = self.encode(as_sequences(sequences))
        with workers_for(encoded.lengths.size, threads) as workers:
            return predict_rows(self.network, encoded, workers)

    def predict(self, sequences: Iterable[Any], *, threads: int | None = None) -> np.ndarray:
        """Return the most probable label of every sequence (N,)."""
        return np.asarray(np.array(self.labels)[self.predict_proba(sequences, threads=threads).argmax(axis=1)])

    def evaluate(self, sequences: Iterable[Any], labels: Iterable[Any], *, threads: int | None = None) -> Evaluation:
        """Evaluate the model on labeled sequences; labels that it does not know count as errors."""
        return evaluated(self.labels, self.predict_proba(sequences, threads=threads), labels)

    def encode(self, sequences: Sequence[Any]) -> Sequences:
        """Return standardized sequences."""
        rows, offsets = self.scaling.rows(sequences)
        return Sequences(np.arange(offsets[-1], dtype=np.int32), offsets, rows)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        tensors = self.network.parameters() | {"mean": self.scaling.mean, "deviation": self.scaling.deviation}
        header = {
            "settings": self.settings.record(),
            "labels": self.labels,
            "metrics": self.metrics,
            "history": self.history,
        }
        write_model(path, tensors, header, kind=KIND, origin=self.origin)

    @classmethod
    def from_file(
        cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]
    ) -> "VectorClassifierModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, header_rules("labels"))
        settings = read_settings(name, ClassifierSettings, header["settings"])
        check_layers(name, settings.layers, tensors)
        columns = int(np.size(tensors.get("mean", ())))
        if columns < 1:
            raise FormatError(f"{name} is damaged: its vectors have no values")
        shape = network_shape(settings, columns, len(header["labels"]))
        weights = parameter_shapes(shape)
        check_tensors(name, tensors, weights, numbers={"mean": (columns,), "deviation": (columns,)})
        if (tensors["deviation"] <= 0).any():
            raise FormatError(f"{name} is damaged: deviations must be above 0")
        network = Network(shape, {key: tensors[key] for key in weights})
        about = {key: header[key] for key in ("labels", "metrics", "history")}
        return cls(network, Scaling(tensors["mean"], tensors["deviation"]), settings=settings, **about)

    def __repr__(self) -> str:
        shape = self.network.shape
        way = "bidirectional" if shape.bidirectional else "unidirectional"
        what = f"{way} {shape.cell} of {shape.hidden_size}, vectors of {shape.vector_size}"
        return f"<VectorClassifierModel: {what}, {len(self.labels)} labels>"


def network_shape(settings: ClassifierSettings, columns: int, classes: int) -> NetworkShape:
    """Return the shape of a network that reads vectors (E,) instead of words."""
    return NetworkShape(
        vocabulary=0, vector_size=columns, classes=classes, pooling=settings.pooling, **settings.encoder_options()
    )
