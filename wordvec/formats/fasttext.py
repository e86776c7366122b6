"""fastText binary models: words, character n-grams and both sides of training; also old, pruned and quantized ones.

A file holds the training arguments (``args.cc``), the dictionary (``dictionary.cc``) and two matrices, the rows of
words and buckets and the output side, dense (``densematrix.cc``) or quantized (``quantmatrix.cc``,
``productquantizer.cc``), all little-endian. Since version 11 a magic number and the version precede them; the layout
before has neither these nor pruned buckets nor quantization.

Dense rows are used in the mapped file, and the vectors of words are composed when they are needed, so that a large
model opens at once.
"""

import logging
import mmap
import os
import struct
from typing import Any, NamedTuple

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.sources import MAX_TOKEN_BYTES, MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import SubwordTable, VectorTable
from wordvec.formats.targets import writing
from wordvec.formats.word2vec_text import check_tokens
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

MAGIC = 793_712_314
_VERSIONS = (11, 12)
_ARGUMENTS = struct.Struct("<12id")
_SIZES = struct.Struct("<iiiq")
_FIRST = struct.Struct("<12id3iq")
_CENTROIDS = 256
_WHITE = " \t\n\r\v\f"

CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
_MODELS = {CBOW: "cbow", SKIPGRAM: "skipgram", SUPERVISED: "supervised"}
_LOSSES = {1: "hierarchical", 2: "negative", 3: "softmax", 4: "one-vs-all"}


def looks_like(sample: bytes) -> bool:
    """Whether a file that starts with ``sample`` is a fastText model, with its magic number or in the old layout."""
    if len(sample) >= 4 and int.from_bytes(sample[:4], "little", signed=True) == MAGIC:
        return True
    if len(sample) < _FIRST.size:
        return False
    fields = _FIRST.unpack_from(sample)
    dim, window, epochs, _min_count, negatives, word_ngrams, loss, model, bucket, min_n, max_n, rate = fields[:12]
    threshold, size, words, labels, tokens = fields[12:]
    return (
        1 <= dim <= 100_000
        and min(window, epochs, negatives, word_ngrams, bucket, min_n, max_n, rate) >= 0
        and loss in _LOSSES
        and model in _MODELS
        and 0 <= threshold <= 1
        and size == words + labels
        and min(words, labels, tokens) >= 0
        and size > 0
    )


class Arguments(NamedTuple):
    """The training arguments, in their order in the file."""

    dim: int
    window: int
    epochs: int
    min_count: int
    negatives: int
    word_ngrams: int
    loss: int
    model: int
    buckets: int
    min_n: int
    max_n: int
    rate_updates: int
    subsample: float


class Model(NamedTuple):
    """The contents of a file.

    Attributes:
        words, labels: as bytes, with their counts (V,) and (L,) int64.
        pruned: bucket to row, if rows of other buckets were removed; None: every bucket has a row.
        inputs: (V + rows of buckets, dim) float32.
        outputs: (V or L, dim) float32.
    """

    arguments: Arguments
    words: list[bytes]
    counts: np.ndarray
    labels: list[bytes]
    label_counts: np.ndarray
    pruned: dict[int, int] | None
    inputs: np.ndarray
    outputs: np.ndarray


class _Reader:
    """Bytes of a file, read in order; what lies beyond its end is a ``FormatError``."""

    def __init__(self, name: str, data: Any) -> None:
        self.name, self.data, self.at = name, data, 0

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        return layout.unpack(self._take(layout.size))

    def field(self, code: str) -> Any:
        return self.fields(struct.Struct(f"<{code}"))[0]

    def array(self, dtype: str, count: int) -> np.ndarray:
        size = count * np.dtype(dtype).itemsize
        self._check(size)
        found = np.frombuffer(self.data, dtype, count, self.at)
        self.at += size
        return found

    def string(self) -> bytes:
        end = self.data.find(b"\0", self.at, self.at + MAX_TOKEN_BYTES + 1)
        if end < 0:
            raise self.damaged(f"an entry of its dictionary is longer than {MAX_TOKEN_BYTES:,} bytes or cut off")
        return bytes(self._take(end + 1 - self.at)[:-1])

    def damaged(self, what: str) -> FormatError:
        return FormatError(f"{self.name}: {what}; the fastText model is damaged or truncated")

    def _take(self, size: int) -> Any:
        self._check(size)
        self.at += size
        return self.data[self.at - size : self.at]

    def _check(self, size: int) -> None:
        if size < 0 or size > len(self.data) - self.at:
            raise self.damaged(f"{max(size, 0):,} bytes are declared at byte {self.at:,} of {len(self.data):,}")


def read_model(source: VectorSource) -> Model:
    """Read a model from a source positioned at its start.

    Raises:
        FormatError: damaged, truncated, of an unknown version, or with sizes that contradict each other.
    """
    file = _Reader(source.name, _contents(source))
    arguments, is_new = _read_arguments(file)
    size, word_count, label_count, _ = file.fields(_SIZES)
    pruned_count = file.field("q") if is_new else -1
    if size != word_count + label_count or min(word_count, label_count) < 0 or not size:
        raise file.damaged(f"its dictionary declares {word_count:,} words and {label_count:,} labels, {size:,} in all")
    if size * 10 > len(file.data):
        raise file.damaged(f"its dictionary declares {size:,} entries, more than its {len(file.data):,} bytes hold")
    entries: tuple[list[bytes], list[bytes]] = ([], [])
    counts: tuple[list[int], list[int]] = ([], [])
    find, parse, last = file.data.find, struct.Struct("<qb").unpack_from, len(file.data) - 9
    for _ in range(size):
        end = find(b"\0", file.at, file.at + MAX_TOKEN_BYTES + 1) + 1
        if not 0 < end <= last:
            file.string()  # what is wrong
            raise file.damaged("the last entry of its dictionary is cut off")
        entry, file.at = file.data[file.at : end - 1], end + 9
        count, kind = parse(file.data, end)
        if kind not in (0, 1) or count < 0:
            raise file.damaged(f"the entry {entry[:40]!r} of its dictionary has count {count} and kind {kind}")
        entries[kind].append(entry)
        counts[kind].append(count)
    if (len(entries[0]), len(entries[1])) != (word_count, label_count):
        raise file.damaged(f"its dictionary declares {word_count:,} words but has {len(entries[0]):,}")
    pruned = None
    if pruned_count >= 0:
        pruned = dict(file.array("<i4", 2 * pruned_count).reshape(-1, 2).tolist())
    inputs, outputs = (_read_matrix(file, arguments.dim, is_new) for _ in range(2))
    rows = arguments.buckets if pruned is None else len(pruned)
    if len(inputs) not in (word_count + rows, word_count if not arguments.max_n else -1):
        raise file.damaged(
            f"it has {len(inputs):,} input rows for {word_count:,} words and {rows:,} buckets of n-grams"
        )
    if pruned and not (
        0 <= min(pruned) <= max(pruned) < max(arguments.buckets, 1)
        and 0 <= min(pruned.values()) <= max(pruned.values()) < len(inputs) - word_count
    ):
        raise file.damaged("its pruned buckets are out of range")
    return Model(
        arguments, entries[0], np.array(counts[0], np.int64), entries[1], np.array(counts[1], np.int64), pruned,
        inputs, outputs,
    )  # fmt: skip


def _contents(source: VectorSource) -> Any:
    """Return the bytes of a source, mapped if they are not compressed."""
    if source.compressed:
        return b"".join(iter(lambda: source.read(1 << 20), b""))
    try:
        return mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise InputError(f"{source.name} cannot be mapped: {error}") from None


def _read_arguments(file: _Reader) -> tuple[Arguments, bool]:
    is_new = file.field("i") == MAGIC
    if is_new:
        version = file.field("i")
        if version not in _VERSIONS:
            raise FormatError(f"{file.name}: the version of a fastText model must be 11 or 12, got {version}")
    else:
        file.at, version = 0, 0
    arguments = Arguments(*file.fields(_ARGUMENTS))
    if version == 11 and arguments.model == SUPERVISED:
        arguments = arguments._replace(max_n=0)  # "old supervised models do not use char ngrams" (fasttext.cc)
    if not 1 <= arguments.dim <= MAX_VECTOR_SIZE or arguments.model not in _MODELS or arguments.loss not in _LOSSES:
        raise file.damaged(f"its arguments are invalid ({arguments.dim = }, {arguments.model = }, {arguments.loss = })")
    if not (0 <= arguments.buckets < 1 << 31 and arguments.min_n >= 0 and 0 <= arguments.max_n <= 100):
        raise file.damaged(f"its n-grams are {arguments.min_n}-{arguments.max_n} in {arguments.buckets} buckets")
    return arguments, is_new


def _read_matrix(file: _Reader, dim: int, is_new: bool) -> np.ndarray:
    quantized = is_new and bool(file.field("B"))
    return _read_quantized(file, dim) if quantized else _read_dense(file, dim)


def _read_dense(file: _Reader, dim: int) -> np.ndarray:
    rows, columns = file.fields(struct.Struct("<qq"))
    if rows < 0 or columns != dim:
        raise file.damaged(f"a matrix is declared as {rows:,} x {columns:,}, for vectors of {dim}")
    return file.array("<f4", rows * columns).reshape(rows, columns)


def _read_quantized(file: _Reader, dim: int) -> np.ndarray:
    """Read a product-quantized matrix (Jegou et al. 2011) and reconstruct its rows."""
    has_norms = bool(file.field("B"))
    rows, columns, size = file.fields(struct.Struct("<qqi"))
    if rows < 0 or columns != dim or size < 0:
        raise file.damaged(f"a quantized matrix is declared as {rows:,} x {columns:,}, for vectors of {dim}")
    codes = file.array("u1", size)
    centroids, parts = _read_quantizer(file, dim)
    if size != rows * parts:
        raise file.damaged(f"a quantized matrix of {rows:,} rows has {size:,} codes of {parts} parts")
    codes = codes.reshape(rows, parts)
    whole = np.concatenate([table[codes[:, part]] for part, table in enumerate(centroids)], axis=1)
    if has_norms:
        norm_codes = file.array("u1", rows)
        norms, _ = _read_quantizer(file, 1)
        whole *= norms[0][norm_codes]
    return whole


def _read_quantizer(file: _Reader, dim: int) -> tuple[list[np.ndarray], int]:
    """Return the centroids (256, width) of each part of a vector, and the number of parts."""
    found, parts, width, last = file.fields(struct.Struct("<4i"))
    if found != dim or parts < 1 or width < 1 or last < 1 or (parts - 1) * width + last != dim:
        raise file.damaged(f"a quantizer of {found} numbers in {parts} parts of {width} and {last}, for {dim}")
    values = file.array("<f4", dim * _CENTROIDS)
    starts = width * _CENTROIDS * np.arange(1, parts)
    return [part.reshape(_CENTROIDS, -1) for part in np.split(values, starts)], parts


def declared(source: VectorSource) -> dict[str, Any]:
    """Return the declared sizes, the kind of model, and its n-grams if it has any."""
    file = _Reader(source.name, source.read(8 + _FIRST.size))
    arguments, _ = _read_arguments(file)
    _, words, labels, _ = file.fields(_SIZES)
    found = {"tokens": words, "vector_size": arguments.dim, "model": _MODELS[arguments.model]}
    found |= {"loss": _LOSSES[arguments.loss], "labels": labels}
    if arguments.max_n and arguments.buckets:
        names = ("min_n", "max_n", "buckets")
        found["subwords"] = {name: getattr(arguments, name) for name in names}
    return found


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
        "model": _MODELS[arguments.model],
        "vector_size": arguments.dim,
        "window": arguments.window,
        "negatives": arguments.negatives,
        "epochs": arguments.epochs,
        "loss": _LOSSES[arguments.loss],
        "subsample": arguments.subsample,
        "min_count": arguments.min_count,
        "trained_by": "fastText",
    }
    contexts = model.outputs[: len(tokens)] if arguments.loss == 2 and len(model.outputs) == size else None
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
    if not arguments.max_n or not arguments.buckets:
        return VectorTable(vocabulary, np.ascontiguousarray(words), **how)
    buckets, pruned = None, model.pruned is not None
    if model.pruned is not None:
        buckets = np.array(sorted(model.pruned), np.int32)
        ngrams = ngrams[[model.pruned[bucket] for bucket in buckets.tolist()]]
    subwords = SubwordTable(max(arguments.min_n, 1), arguments.max_n, arguments.buckets, words, ngrams, buckets, pruned)
    return VectorTable(vocabulary, words[:0], subwords=subwords, **how)


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write a model that the fasttext package and gensim load, with equal vectors.

    Buckets without a row are written as zeros. The output side is that of negative sampling, or zeros.

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
    subwords, settings, size = table.subwords, table.settings, len(table)
    buckets = 0 if subwords is None else subwords.buckets
    arguments = Arguments(
        dim=table.vector_size,
        window=int(settings.get("window", 5)),
        epochs=int(settings.get("epochs", 5)),
        min_count=int(settings.get("min_count", 1)),
        negatives=int(settings.get("negatives", 5)),
        word_ngrams=1,
        loss=2,
        model=CBOW if settings.get("model") == "cbow" else SKIPGRAM,
        buckets=buckets,
        min_n=0 if subwords is None else subwords.min_n,
        max_n=0 if subwords is None else subwords.max_n,
        rate_updates=100,
        subsample=float(settings.get("subsample", 1e-3)),
    )
    counts = np.ones(size, np.int64) if table.counts is None else table.counts
    with writing(path) as file:
        file.write(struct.pack("<ii", MAGIC, 12))
        file.write(_ARGUMENTS.pack(*arguments))
        file.write(struct.pack("<iiiqq", size, size, 0, int(counts.sum()), -1))
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
        contexts = np.zeros_like(words) if table.context_vectors is None else table.context_vectors
        file.write(np.ascontiguousarray(contexts, "<f4").data)


def _write_buckets(file: Any, subwords: SubwordTable) -> None:
    """Write the rows of all buckets, those without one as zeros."""
    for start in range(0, subwords.buckets, 1 << 16):
        rows = subwords.rows_of_buckets(start, min(start + (1 << 16), subwords.buckets))
        file.write(np.ascontiguousarray(rows, "<f4").data)
