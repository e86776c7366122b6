"""fastText binary models as vectors: words, character n-grams and both sides of training.

The vectors of words are composed when they are needed, so that a large model opens at once.
"""

import logging
import math
import os
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.fasttext_model import (
    ARGUMENTS,
    CBOW,
    HIERARCHICAL,
    LOSSES,
    MAGIC,
    NEGATIVE,
    SKIPGRAM,
    SOFTMAX,
    Arguments,
    declared,
    looks_like,
    read_model,
)
from wordvec.formats.ngrams import SENTENCE_END, Ngrams, fnv_hash
from wordvec.formats.sources import VectorSource
from wordvec.formats.table import NodeTable, SubwordTable, VectorTable
from wordvec.formats.targets import writing
from wordvec.formats.word2vec_text import check_tokens
from wordvec.system.huffman import huffman_children
from wordvec.vocabulary import Vocabulary

__all__ = ["declared", "looks_like", "read", "write"]

_log = logging.getLogger(__name__)

_TRAINED = {LOSSES[loss]: loss for loss in (HIERARCHICAL, NEGATIVE, SOFTMAX)}
"""Losses of word vectors, by their name."""
_WHITE = " \t\n\r\v\f"


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read the vectors of the words, and the rows they are composed of.

    Raises:
        FormatError: see ``read_model``.
    """
    model = read_model(source)
    arguments, size = model.arguments, len(model.words)
    tokens = [word.decode(source.encoding, "replace") for word in model.words[:limit]]
    words, ngrams = model.inputs[: len(tokens)], model.inputs[size:]
    counts = model.counts[: len(tokens)]
    settings: dict[str, Any] = {
        "model": model.model_name,
        "vector_size": arguments.dim,
        "window": arguments.window,
        "negatives": arguments.negatives,
        "epochs": arguments.epochs,
        "loss": model.loss_name,
        "subsample": arguments.subsample,
        "min_count": arguments.min_count,
        "trained_by": "fastText",
    }
    of_words = arguments.loss in (NEGATIVE, SOFTMAX) and len(model.outputs) == size
    contexts = model.outputs[: len(tokens)] if of_words else None
    is_named = [bool(token.strip(_WHITE)) for token in tokens]
    if len(set(tokens)) < len(tokens) or not all(is_named):
        first: dict[str, int] = {}
        for row, token in enumerate(tokens):
            if is_named[row]:
                first.setdefault(token, row)
        _log.warning("%s: skipped %s empty or repeated tokens", source.name, f"{len(tokens) - len(first):,}")
        tokens, rows = list(first), list(first.values())
        words, counts = words[rows], counts[rows]
        contexts = None if contexts is None else contexts[rows]
    if not tokens:
        raise FormatError(f"{source.name}: the fastText model has no words")
    try:
        vocabulary = Vocabulary(tokens, counts)
    except InputError as error:
        raise FormatError(f"{source.name}: {error}") from None
    how: dict[str, Any] = {"context_vectors": contexts, "settings": settings}
    if model.tokens > 0:
        how["origin"] = {"raw_tokens": model.tokens}
    if arguments.loss == HIERARCHICAL and 1 < size == len(tokens) == len(model.outputs) and vocabulary.by_frequency:
        # fastText's nodes predict code 1.
        how["nodes"] = NodeTable(model.outputs[:-1], huffman_children(model.counts)[:, ::-1])
    if not arguments.max_n or not arguments.buckets:
        return VectorTable(vocabulary, np.ascontiguousarray(words), **how)
    if model.is_old and SENTENCE_END in tokens:
        words = _with_sentence_end(words, tokens.index(SENTENCE_END), ngrams, arguments)
    buckets, pruned = None, model.pruned is not None
    if model.pruned is not None:
        buckets = np.array(sorted(model.pruned), np.int32)
        ngrams = ngrams[[model.pruned[bucket] for bucket in buckets.tolist()]]
    subwords = SubwordTable(max(arguments.min_n, 1), arguments.max_n, arguments.buckets, words, ngrams, buckets, pruned)
    return VectorTable(vocabulary, words[:0], subwords=subwords, **how)


def _with_sentence_end(words: np.ndarray, row: int, ngrams: np.ndarray, arguments: Arguments) -> np.ndarray:
    """Return the words' own rows, that of ``</s>`` replaced by its vector: before version 11 it had n-grams, too."""
    marked = Ngrams(max(arguments.min_n, 1), arguments.max_n, arguments.buckets, hashes=1)
    buckets = [fnv_hash(ngram.encode()) % arguments.buckets for ngram in marked.split(SENTENCE_END)[1:]]
    words = words.copy()
    words[row] = np.concatenate([words[row : row + 1], ngrams[buckets]]).mean(axis=0, dtype=np.float64)
    return words


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write a model that the fasttext package and gensim load, with equal vectors.

    Buckets without a row are written as zeros. The output side is zeros where the vectors have none, or where their
    tree is not that of the counts, as after continued training.

    Raises:
        InputError: a token contains white space or a NUL character, or is too long.
    """
    check_tokens(table)
    if table.subwords is not None and table.subwords.hashes is not None:
        raise InputError(
            f"fastText models hash an n-gram to one bucket, these vectors to {table.subwords.hashes}; save as "
            ".safetensors or .floret instead"
        )
    for row, token in enumerate(table.tokens):
        if "\0" in token:
            raise InputError(
                f"tokens in fastText models must not contain NUL characters, got {token!r:.60} in row {row}; "
                "save as .safetensors instead"
            )
    subwords, settings, origin, size = table.subwords, table.settings, table.origin, len(table)
    buckets = 0 if subwords is None else subwords.buckets
    loss = (
        _TRAINED.get(str(settings.get("loss")), NEGATIVE) if settings.get("model") in ("cbow", "skipgram") else NEGATIVE
    )
    arguments = Arguments(
        dim=table.vector_size,
        window=_whole(settings, "window", 5),
        epochs=_whole(settings, "epochs", 5),
        min_count=_whole(settings, "min_count", _whole(origin, "min_count", 1)),
        negatives=_whole(settings, "negatives", 5),
        word_ngrams=1,
        loss=loss,
        model=CBOW if settings.get("model") == "cbow" else SKIPGRAM,
        buckets=buckets,
        min_n=0 if subwords is None else subwords.min_n,
        max_n=0 if subwords is None else subwords.max_n,
        rate_updates=100,
        subsample=_number(settings, "subsample", 1e-3),
    )
    counts = np.ones(size, np.int64) if table.counts is None else table.counts
    tokens = _whole(origin, "raw_tokens", int(counts.sum()), most=1 << 62)
    with writing(path) as file:
        file.write(struct.pack("<ii", MAGIC, 12))
        file.write(ARGUMENTS.pack(*arguments))
        file.write(struct.pack("<iiiqq", size, size, 0, tokens, -1))
        file.write(
            b"".join(
                b"%s\0%s" % (token.encode(), struct.pack("<qb", count, 0))
                for token, count in zip(table.tokens, counts.tolist(), strict=True)
            )
        )
        file.write(struct.pack("<Bqq", 0, size + buckets, arguments.dim))
        words = table.vectors if subwords is None else subwords.word_vectors
        file.write(np.ascontiguousarray(words, "<f4").data)
        if subwords is not None:
            _write_buckets(file, subwords)
        file.write(struct.pack("<Bqq", 0, size, arguments.dim))
        file.write(np.ascontiguousarray(_outputs(table, loss), "<f4").data)


def _whole(record: Mapping[str, Any], name: str, default: int, most: int = (1 << 31) - 1) -> int:
    """Return a number of a record, which may come from any file; the default where it has none that fits."""
    value = record.get(name)
    return value if isinstance(value, int) and 0 <= value <= most else default


def _number(record: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of a record, as ``_whole``."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else default


def _outputs(table: VectorTable, loss: int) -> np.ndarray:
    """Return the output side (V, D) of a model."""
    zeros = np.zeros((len(table), table.vector_size), np.float32)
    if loss != HIERARCHICAL:
        return zeros if table.context_vectors is None else table.context_vectors
    nodes = table.nodes
    if nodes is None or table.counts is None:
        return zeros
    children = huffman_children(table.counts)
    if table.vocabulary.by_frequency:
        for sign, of_code_0 in ((-1, children), (1, children[:, ::-1])):
            if np.array_equal(nodes.children, of_code_0):
                zeros[:-1] = sign * nodes.vectors
                return zeros
    _log.warning("the tree of hierarchical softmax is not that of the counts; its nodes are written as zeros")
    return zeros


def _write_buckets(file: Any, subwords: SubwordTable) -> None:
    """Write the rows of all buckets, those without one as zeros."""
    for start in range(0, subwords.buckets, 1 << 16):
        rows = subwords.rows_of_buckets(start, min(start + (1 << 16), subwords.buckets))
        file.write(np.ascontiguousarray(rows, "<f4").data)
