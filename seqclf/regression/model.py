"""A trained regressor: prediction, scores and files, without scikit-learn."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from seqclf.data.columns import as_sequences
from seqclf.data.series import as_series
from seqclf.data.steps import Scaling
from seqclf.data.subwords import Subwords, take_subwords
from seqclf.data.texts import encode, tokenize_texts
from seqclf.layers.batch_prediction import predict_rows, workers_for
from seqclf.layers.batches import Sequences
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.model_file import (
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    join_tokens,
    read_settings,
    read_vocabulary,
    write_model,
)
from seqclf.regression.network import build_network, encoder_shape, parameter_shapes
from seqclf.regression.settings import RegressorSettings
from wordvec import FormatError, InputError, Vocabulary

KIND = "regressor"


class RegressionScore(NamedTuple):
    """Errors of predictions, and of always predicting the mean of the training values.

    Attributes:
        rmse, mae: of the model, over all sequences and outputs. r2: one minus its squared error over the baseline's.
        baseline_rmse, baseline_mae: of the mean.
    """

    rmse: float
    mae: float
    r2: float
    baseline_rmse: float
    baseline_mae: float


class RegressorModel:
    """A trained regressor.

    Args:
        network: the trained network.
        vocabulary: V words, or None for numeric sequences.
        settings: training settings.
        mean, deviation: (C,) of the training values.
        input_mean, input_deviation: (E,) of the numbers in the training sequences; empty for texts.
        metrics: results of training. history: one row per epoch.
        subwords: compose words that the vocabulary lacks; None treats all of them alike.
    """

    def __init__(
        self,
        network: PooledNetwork,
        vocabulary: Vocabulary | None,
        settings: RegressorSettings,
        *,
        mean: np.ndarray,
        deviation: np.ndarray,
        input_mean: np.ndarray,
        input_deviation: np.ndarray,
        metrics: dict[str, Any] | None = None,
        history: list[dict[str, Any]] | None = None,
        subwords: Subwords | None = None,
    ) -> None:
        self.network, self.vocabulary, self.settings = network, vocabulary, settings
        self.subwords = subwords
        self.mean, self.deviation = mean, deviation
        self.input_mean, self.input_deviation = input_mean, input_deviation
        self.metrics, self.history = metrics or {}, history or []
        self.origin: dict[str, Any] = {}

    def predict(self, sequences: Iterable[Any], *, threads: int | None = None) -> np.ndarray:
        """Return the values (S, C) float64 of texts, which may be empty, or of numeric sequences (T,) or (T, E).

        Raises:
            InputError: the sequences are not of the kind the model was trained on.
        """
        encoded = self.encode(sequences)
        with workers_for(encoded.lengths.size, threads) as workers:
            return np.asarray(predict_rows(self.network, encoded, workers) * self.deviation + self.mean)

    def score(self, sequences: Iterable[Any], values: Any, *, threads: int | None = None) -> RegressionScore:
        """Return the errors of the model's predictions, and those of the mean of the training values."""
        truth = as_series(values, "the values")
        found = self.predict(sequences, threads=threads)
        if found.shape != truth.shape:
            raise InputError(f"values must have shape {found.shape}, one row per sequence, got {truth.shape}")
        return _score(found - truth, self.mean - truth)

    def encode(self, sequences: Iterable[Any]) -> Sequences:
        """Return texts as token ids, or standardized numeric sequences.

        Raises:
            InputError: the sequences are not of the kind the model was trained on.
        """
        if self.vocabulary is None:
            rows, offsets = Scaling(self.input_mean, self.input_deviation).rows(as_sequences(sequences))
            return Sequences(np.arange(offsets[-1], dtype=np.int32), offsets, rows)
        assert self.settings.tokenizer is not None
        how = self.settings.tokenizer, bool(self.settings.lowercase), self.settings.normalize
        tokens = tokenize_texts(sequences, *how)
        return Sequences(*encode(tokens, self.vocabulary, self.subwords))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        tensors = self.network.parameters() | {
            "mean": self.mean,
            "deviation": self.deviation,
            "input_mean": self.input_mean,
            "input_deviation": self.input_deviation,
        }
        if self.vocabulary is not None:
            tensors |= join_tokens(self.vocabulary.tokens)
        header = {"settings": self.settings.record(), "metrics": self.metrics, "history": self.history}
        if self.subwords is not None:
            header |= self.subwords.header()
            tensors |= self.subwords.tensors()
        write_model(path, tensors, header, kind=KIND, origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "RegressorModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, header_rules())
        subwords, tensors = take_subwords(name, tensors, header)
        settings = read_settings(name, RegressorSettings, header["settings"])
        check_layers(name, settings.layers, tensors)
        outputs, columns = (np.size(tensors.get(key, ())) for key in ("mean", "input_mean"))
        table = tensors.get("embedding")
        if outputs < 1 or (table is None) != bool(columns) or (table is not None and table.ndim != 2):
            raise FormatError(f"{name} is damaged: it must read either words or numbers, and predict at least one")
        shape = encoder_shape(
            settings, 0 if table is None else len(table), columns if table is None else table.shape[1]
        )
        weights = parameter_shapes(shape, settings.pooling, outputs)
        numbers = {"mean": (outputs,), "deviation": (outputs,)}
        numbers |= {"input_mean": (columns,), "input_deviation": (columns,)}
        others = () if table is None else ("token_bytes", "token_offsets")
        check_tensors(name, tensors, weights, *others, numbers=numbers)
        vocabulary = None if table is None else read_vocabulary(name, tensors, len(table) - 1)
        network = build_network(shape, settings.pooling, outputs, {key: tensors[key] for key in weights})
        found: dict[str, Any] = {key: tensors[key] for key in numbers}
        about = {"metrics": header["metrics"], "history": header["history"], "subwords": subwords}
        return cls(network, vocabulary, settings, **found, **about)


def _score(error: np.ndarray, baseline: np.ndarray) -> RegressionScore:
    squared, of_mean = float(np.square(error).mean()), float(np.square(baseline).mean())
    return RegressionScore(
        rmse=float(np.sqrt(squared)),
        mae=float(np.abs(error).mean()),
        r2=1 - squared / of_mean if of_mean else float("nan"),
        baseline_rmse=float(np.sqrt(of_mean)),
        baseline_mae=float(np.abs(baseline).mean()),
    )
