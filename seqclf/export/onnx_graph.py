"""Classifiers in the Open Neural Network Exchange format; needs onnx, the extra ``onnx``.

The graph takes what precedes a network: ids of tokens, and n-grams with their TF-IDF weights, which ``onnx_inputs``
computes from texts. Its metadata hold labels, tokenizer and vocabulary.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from seqclf.classification.calibration import Isotonic, VectorScaling
from seqclf.classification.linear import LinearPart
from seqclf.classification.model import ClassifierModel, MultiLabelModel
from seqclf.classification.ngrams import surface_forms
from seqclf.classification.stacking import SMALLEST
from seqclf.data.texts import Text, as_texts, tokenize_texts
from seqclf.export.graph import FLOAT, INT32, INT64, Graph
from seqclf.export.recurrent import Spelling, network_scores
from wordvec import InputError, __version__
from wordvec.system.atomic_files import replacing
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_kind

TOKEN_IDS, LENGTHS, NGRAM_IDS, NGRAM_VALUES = "token_ids", "lengths", "ngram_ids", "ngram_values"
WORD_IDS, CHARACTER_IDS, CHARACTER_COUNTS = "word_ids", "character_ids", "character_counts"
PROBABILITIES = "probabilities"
_OPSET, _IR_VERSION = 17, 8
_NO_WORD = np.zeros(0, np.int32), np.zeros(2, np.int64)
"""The spelling of texts without words, for graphs whose inputs must have a row."""


def onnx_inputs(model: ClassifierModel, texts: Iterable[Text]) -> dict[str, np.ndarray]:
    """Return the inputs of the exported graph of a model for texts.

    Returns:
        with a network, ``token_ids`` (N, T) int64, padded with 0, and ``lengths`` (N,) int32; if it reads characters,
        also ``word_ids`` (N, T) int64, the distinct word of each token, and the characters of these,
        ``character_ids`` (W, L) int64, padded with 0, and ``character_counts`` (W,) int32; with a linear model,
        ``ngram_ids`` (N, K) int64 and ``ngram_values`` (N, K) float32, padded with 0.

    Raises:
        InputError: ``texts`` is a single string, or an element is not a text.
    """
    texts = as_texts(texts)
    tokens = tokenize_texts(texts, model.tokenizer, model.lowercase, model.normalize)
    found = {}
    if model.parts != "linear":
        words = model.encode(tokens)
        found[TOKEN_IDS] = _padded(words.table_rows().astype(np.int64), words.offsets)
        found[LENGTHS] = words.lengths.astype(np.int32)
        if words.spelling is not None:
            found[WORD_IDS] = _padded(words.ids.astype(np.int64), words.offsets)
            ids, offsets = words.spelling if len(words.spelling.offsets) > 1 else _NO_WORD
            found[CHARACTER_IDS] = _padded(ids.astype(np.int64), offsets)
            found[CHARACTER_COUNTS] = np.diff(offsets).astype(np.int32)
    if model.linear is not None:
        rows = model.linear.features.rows(tokens, surface_forms(texts, model.lowercase, model.normalize))
        found[NGRAM_IDS] = _padded(rows.indices.astype(np.int64), rows.indptr)
        found[NGRAM_VALUES] = _padded(rows.data.astype(np.float32), rows.indptr)
    return found


def export_onnx(model: ClassifierModel, path: str | os.PathLike[str]) -> None:
    """Write a model as an ONNX graph from ``onnx_inputs`` to ``probabilities`` (N, C) float32.

    Raises:
        InputError: onnx is not installed, the file cannot be written, the model composes words of n-grams, or its
            calibration is isotonic.
    """
    check_kind("model", model, ClassifierModel)
    check_library()
    if model.subwords is not None:
        raise InputError(
            "words that the model composes of n-grams cannot be exported; train without them: subword_fallback=False "
            "(--no-subword-fallback)"
        )
    if isinstance(model.calibration, Isotonic):
        raise InputError(
            "an isotonic calibration, whose steps enlarge differences of rounding, cannot be exported; train with "
            "calibration temperature or vector"
        )
    import onnx
    from onnx import helper

    graph = Graph()
    inputs: list[Any] = []

    def declared(name: str, kind: int, *shape: str) -> str:
        inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    network = linear = None
    if model.parts != "linear":
        token_ids = declared(TOKEN_IDS, INT64, "texts", "tokens")
        lengths = declared(LENGTHS, INT32, "texts")
        spelling = None
        if model.characters is not None:
            spelling = Spelling(
                declared(WORD_IDS, INT64, "texts", "tokens"),
                declared(CHARACTER_IDS, INT64, "words", "characters"),
                declared(CHARACTER_COUNTS, INT32, "words"),
            )
        network = network_scores(graph, model.network, token_ids, lengths, spelling)
    if model.linear is not None:
        ngram_ids = declared(NGRAM_IDS, INT64, "texts", "ngrams")
        values = declared(NGRAM_VALUES, FLOAT, "texts", "ngrams")
        linear = _linear_logs(graph, model.linear, ngram_ids, values)
    found = network if model.weights is None else _stacked(graph, network, linear, model.weights)
    if isinstance(model.calibration, VectorScaling):
        scale, bias = map(graph.constant, model.calibration)
        found = graph.node("Softmax", graph.node("Add", graph.node("Mul", _logs(graph, found), scale), bias), axis=-1)
    graph.nodes.append(helper.make_node("Identity", [str(found)], [PROBABILITIES]))
    output = helper.make_tensor_value_info(PROBABILITIES, FLOAT, ["texts", len(model.labels)])
    built = helper.make_model(
        helper.make_graph(graph.nodes, "classifier", inputs, [output], graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION,
        producer_name="wordvec-seqclf", producer_version=__version__,
    )  # fmt: skip
    helper.set_model_props(built, _metadata(model))
    onnx.checker.check_model(built)
    with replacing(path) as file:
        file.write(built.SerializeToString(deterministic=True))


def check_library() -> None:
    """Check that onnx is installed.

    Raises:
        InputError: it is not; the message has the command that installs it.
    """
    optional_module("onnx", "exporting needs onnx", "onnx")


def _linear_logs(graph: Graph, linear: LinearPart, ngram_ids: str, values: str) -> str:
    """Return the log-probabilities (N, C) of the linear model."""
    rows = graph.node("Gather", graph.constant(linear.weight), ngram_ids)  # (N, K, columns)
    weighted = graph.node("Mul", rows, graph.node("Unsqueeze", values, graph.constant([2], np.int64)))
    scores = graph.node("ReduceSum", weighted, graph.constant([1], np.int64), keepdims=0)
    scores = graph.node("Add", scores, graph.constant(linear.bias))
    if linear.classes == 2:  # one column, the log-odds of the second class
        scores = graph.node("Concat", graph.node("Mul", scores, graph.constant(0.0)), scores, axis=1)
    return str(graph.node("LogSoftmax", scores, axis=-1))


def _stacked(graph: Graph, network: str | None, linear: str | None, weights: np.ndarray) -> str:
    """Return the probabilities of the weighted log-probabilities, as ``seqclf.classification.stacking.stack``."""
    parts = []
    if network is not None:
        parts.append(graph.node("Mul", _logs(graph, network), graph.constant(weights[0])))
    if linear is not None:
        parts.append(graph.node("Mul", linear, graph.constant(weights[1])))
    total = parts[0] if len(parts) == 1 else graph.node("Add", *parts)
    return str(graph.node("Softmax", total, axis=-1))


def _logs(graph: Graph, probabilities: Any) -> Any:
    return graph.node("Log", graph.node("Max", probabilities, graph.constant(SMALLEST)))


def _metadata(model: ClassifierModel) -> dict[str, str]:
    found: dict[str, Any] = {"labels": model.labels, "tokenizer": model.tokenizer, "lowercase": model.lowercase}
    found["normalize"] = model.normalize
    if model.parts != "linear":
        found["vocabulary"] = model.vocabulary.tokens
    if model.characters is not None:
        found["characters"] = model.characters.points.tolist()
    if isinstance(model, MultiLabelModel):
        found["thresholds"] = model.thresholds.tolist()
    return {name: json.dumps(value, ensure_ascii=False) for name, value in found.items()}


def _padded(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return (N, longest row, at least 1) of the rows between offsets (N + 1,), padded with zeros."""
    lengths = np.diff(offsets)
    full = np.zeros((lengths.size, max(int(lengths.max(initial=0)), 1)), values.dtype)
    full[np.arange(full.shape[1]) < lengths[:, None]] = values
    return full
