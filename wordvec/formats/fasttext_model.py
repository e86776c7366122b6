"""The content of fastText binary models, also old, pruned and quantized ones, and of classifiers.

A file holds the training arguments (``args.cc``), the dictionary (``dictionary.cc``) and two matrices, the rows of
words and buckets and the output side, dense (``densematrix.cc``) or quantized (``quantmatrix.cc``,
``productquantizer.cc``), all little-endian. Since version 11 a magic number and the version precede them; the layout
before has neither these nor pruned buckets nor quantization.

Dense rows are used in the mapped file, so that a large model opens at once.
"""

import mmap
import os
import struct
from typing import Any, NamedTuple

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.sources import MAX_TOKEN_BYTES, MAX_VECTOR_SIZE, VectorSource

MAGIC = 793_712_314
_VERSIONS = (11, 12)
ARGUMENTS = struct.Struct("<12id")
_SIZES = struct.Struct("<iiiq")
_FIRST = struct.Struct("<12id3iq")
_CENTROIDS = 256
_MOST_WORDS = 100

CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
_MODELS = {CBOW: "cbow", SKIPGRAM: "skipgram", SUPERVISED: "supervised"}
HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4
LOSSES = {HIERARCHICAL: "hierarchical", NEGATIVE: "negative", SOFTMAX: "softmax", ONE_VS_ALL: "one-vs-all"}


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
        and loss in LOSSES
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
        outputs: (V or L, dim) float32; with hierarchical softmax, the inner nodes of the tree, and a last row of zeros.
        is_old: whether the file has the layout before version 11.
        tokens: of the training text, including those of words that are too rare.
    """

    arguments: Arguments
    words: list[bytes]
    counts: np.ndarray
    labels: list[bytes]
    label_counts: np.ndarray
    pruned: dict[int, int] | None
    inputs: np.ndarray
    outputs: np.ndarray
    is_old: bool = False
    tokens: int = 0

    @property
    def loss_name(self) -> str:
        return LOSSES[self.arguments.loss]

    @property
    def model_name(self) -> str:
        return _MODELS[self.arguments.model]


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
    size, word_count, label_count, tokens = file.fields(_SIZES)
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
        inputs, outputs, not is_new, tokens,
    )  # fmt: skip


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a fastText model; False for one that cannot be read."""
    try:
        with VectorSource(path) as source:
            return looks_like(source.sample())
    except InputError:
        return False


def read_classifier(path: str | os.PathLike[str]) -> Model:
    """Read a supervised model.

    Raises:
        FormatError: as ``read_model``; or a model of word vectors, in the layout before version 11, or with sizes or
            numbers that prediction cannot use.
        InputError: the file cannot be read.
    """
    with VectorSource(path) as source:
        model = read_model(source)
    arguments, name = model.arguments, str(path)
    if arguments.model != SUPERVISED:
        raise FormatError(
            f"{name} holds word vectors of fastText ({model.model_name}), not a classifier; pass a supervised model"
        )
    if model.is_old:
        raise FormatError(f"{name} has the layout of fastText before version 11, without prediction; train it again")
    if arguments.word_ngrams > _MOST_WORDS:
        raise FormatError(
            f"{name}: n-grams must have at most {_MOST_WORDS} words, got {arguments.word_ngrams:,}; the fastText model "
            "is damaged"
        )
    rows, hashes = len(model.words), arguments.max_n > 0 or arguments.word_ngrams > 1
    if hashes:
        rows += arguments.buckets if model.pruned is None else len(model.pruned)
    if len(model.inputs) < rows or (hashes and not arguments.buckets):
        raise FormatError(
            f"{name}: it has {len(model.inputs):,} input rows for {len(model.words):,} words and "
            f"{arguments.buckets:,} buckets of n-grams; the fastText model is damaged"
        )
    if not model.labels or len(model.outputs) != len(model.labels):
        raise FormatError(
            f"{name}: it has {len(model.outputs):,} output rows for {len(model.labels):,} labels; the fastText model "
            "is damaged"
        )
    if not np.isfinite(model.outputs).all():
        raise FormatError(f"{name}: its output rows have NaN or infinity; the fastText model is damaged")
    return model


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
    arguments = Arguments(*file.fields(ARGUMENTS))
    if version == 11 and arguments.model == SUPERVISED:
        arguments = arguments._replace(max_n=0)  # "old supervised models do not use char ngrams" (fasttext.cc)
    if not 1 <= arguments.dim <= MAX_VECTOR_SIZE or arguments.model not in _MODELS or arguments.loss not in LOSSES:
        raise file.damaged(
            f"its arguments are invalid (vector size {arguments.dim}, model {arguments.model}, loss {arguments.loss})"
        )
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
    """Return the declared sizes, the kind of model, its character n-grams if any, and a classifier's word n-grams."""
    file = _Reader(source.name, source.read(8 + _FIRST.size))
    arguments, _ = _read_arguments(file)
    _, words, labels, _ = file.fields(_SIZES)
    found = {"tokens": words, "vector_size": arguments.dim, "model": _MODELS[arguments.model]}
    found |= {"loss": LOSSES[arguments.loss], "labels": labels}
    if arguments.model == SUPERVISED:
        found["word_ngrams"] = arguments.word_ngrams
    if arguments.max_n and arguments.buckets:
        names = ("min_n", "max_n", "buckets")
        found["subwords"] = {name: getattr(arguments, name) for name in names}
    return found
