"""Native vector file: safetensors with everything needed to query the vectors and to continue training.

=================== ================ ======================================================================
``vectors``         F32 (V, D)       input vectors; F16 or I8 if stored so
``vector_scales``   F32 (V,)         what the rows of I8 vectors are multiplied by
``context_vectors`` F32 (V, D)       output vectors; optional
``counts``          I64 (V,)         token counts; optional
``token_bytes``     U8               the concatenated tokens as UTF-8
``token_offsets``   I64 (V + 1,)     token t is ``token_bytes[token_offsets[t]:token_offsets[t + 1]]``
``word_vectors``    F32 (V, D)       the words' own rows, if they have any
``ngram_vectors``   F32 (U, D)       rows of character n-grams; these and the following only in subword models
``ngram_buckets``   I32 (U,)         their buckets, ascending; absent if every bucket has a row
``attribute.NAME``  I64, F64 (V,)    further numbers of each token
``node_vectors``    F32 (N, D)       inner nodes of a tree; these and the following only with hierarchical softmax
``node_children``   I32 (N, 2)       their children, see ``NodeTable``
=================== ================ ======================================================================

The metadata key ``wordvec`` is sorted JSON: kind, version, tokenizer, lowercase, settings, normalize if not none, and
subwords in a subword model.
"""

import contextlib
import itertools
import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from corpora.normalization import FORMS
from wordvec.errors import FormatError, InputError
from wordvec.formats.table import NodeTable, SubwordTable, VectorTable
from wordvec.formats.tensors import TensorFile, looks_like, write_tensors
from wordvec.system.huffman import check_tree
from wordvec.system.structures import check_buckets, check_ngrams, check_offsets, frozen
from wordvec.system.validation import check_choice
from wordvec.vocabulary import Vocabulary

__all__ = ["VERSION", "check", "looks_like", "read", "write"]

VERSION = 1

_ATTRIBUTE = "attribute."


STORAGES = ("float32", "float16", "int8")
"""Types of stored vectors; with the smaller ones, context vectors and n-grams are left out."""


def write(table: VectorTable, path: str | os.PathLike[str], storage: str = "float32") -> None:
    """Write vectors with all their metadata.

    Args:
        table: what to write.
        path: the file, replaced atomically.
        storage: one of ``STORAGES``. int8 rounds each row to 255 steps of its largest absolute number.

    Raises:
        InputError: the settings are not JSON-serializable, a number is beyond float16, or the path is not writable.
    """
    token_bytes, token_offsets = pack_tokens(table.tokens)
    tensors = {**_stored(table.vectors, storage), "token_bytes": token_bytes, "token_offsets": token_offsets}
    if storage != "float32":
        table = replace(table, context_vectors=None, subwords=None, nodes=None)
    if table.context_vectors is not None:
        tensors["context_vectors"] = table.context_vectors
    if table.counts is not None:
        tensors["counts"] = table.counts
    tensors |= pack_attributes(table)
    if table.nodes is not None:
        tensors["node_vectors"], tensors["node_children"] = table.nodes.vectors, table.nodes.children
    about: dict[str, Any] = {
        "kind": "vectors",
        "version": VERSION,
        **tokenization(table),
        "settings": table.settings,
        **({"origin": table.origin} if table.origin else {}),
    }
    if table.subwords is not None:
        subwords = table.subwords
        tensors["ngram_vectors"] = subwords.ngram_vectors
        if subwords.hashes is None:
            tensors["word_vectors"] = subwords.word_vectors
        if subwords.ngram_buckets is not None:
            tensors["ngram_buckets"] = subwords.ngram_buckets
        about["subwords"] = {
            "min_n": subwords.min_n, "max_n": subwords.max_n, "buckets": subwords.buckets, "pruned": subwords.pruned,
            **({} if subwords.hashes is None else {"hashes": subwords.hashes}),
        }  # fmt: skip
    write_tensors(path, tensors, "wordvec", about)


def read(
    file: TensorFile, limit: int | None = None, words: Container[str] | None = None, mmap: bool = False
) -> VectorTable:
    """Read the vectors, or the first ``limit`` of them, or of these those of some ``words``, without n-grams.

    Args:
        file: the file.
        limit, words: which vectors.
        mmap: map the vectors into memory, from which pages are read when they are used, instead of reading them;
            context vectors are left out.

    Raises:
        FormatError: not a native vector file, truncated, or inconsistent.
        InputError: no vectors of these words, or ``mmap`` of vectors that are not stored as float32.
    """
    size, _ = check(file)
    if words is not None:
        return _of_words(file, read_words(file, size, limit), words)
    if mmap:
        if _storage(file) != "F32":
            raise InputError(f"{file.path}: mmap needs vectors stored as float32, got {_storage(file)}")
        vocabulary = read_words(file, size, limit, indexed_later=True)
        table = _table(file, vocabulary, file.mapped("vectors"))
        return replace(table, context_vectors=None, vectors=table.vectors[: len(table)])
    vocabulary = read_words(file, size, limit)
    return _table(file, vocabulary, _vectors(file, len(vocabulary)))


def _of_words(file: TensorFile, vocabulary: Vocabulary, words: Container[str]) -> VectorTable:
    """Read the vectors of the tokens that are among ``words``, a few rows at a time."""
    rows = np.array([row for row, token in enumerate(vocabulary.tokens) if token in words], np.int64)
    if not len(rows):
        raise InputError(f"{file.path}: none of its {len(vocabulary):,} tokens is among the words to read")
    stored = file.mapped("vectors")
    vectors = np.asarray(stored[rows], np.float32)
    if _storage(file) == "I8":
        vectors *= file.read("vector_scales", len(vocabulary))[rows, None]
    counts = None if vocabulary.counts is None else vocabulary.counts[rows]
    kept = Vocabulary([vocabulary.tokens[row] for row in rows.tolist()], counts)
    table = _table(file, kept, vectors, all_rows=False)
    return replace(
        table, attributes={name: held[rows] for name, held in read_attributes(file, len(vocabulary)).items()}
    )


def _table(file: TensorFile, vocabulary: Vocabulary, vectors: np.ndarray, all_rows: bool = True) -> VectorTable:
    """Return the contents with vectors that have been read; without ``all_rows`` only what has no rows."""
    size, about = len(vocabulary), file.metadata_of("wordvec")
    return VectorTable(
        vocabulary,
        vectors,
        context_vectors=file.read("context_vectors", size) if all_rows and "context_vectors" in file else None,
        tokenizer=about["tokenizer"],
        lowercase=about["lowercase"],
        normalize=about.get("normalize", "none"),
        settings=about["settings"],
        origin=about.get("origin", {}),
        subwords=_read_subwords(file, size, about["subwords"]) if all_rows and "subwords" in about else None,
        attributes=read_attributes(file, size) if all_rows else {},
        nodes=_read_nodes(file, size) if all_rows else None,
    )


def _read_nodes(file: TensorFile, size: int) -> NodeTable | None:
    """Read the nodes of a file that passed ``check``; None without, and if not all words are read."""
    if "node_vectors" not in file or size < file.shape("vectors", "F32", 2)[0]:
        return None
    children = file.read("node_children")
    with _reporting(file.path):
        check_tree(children, size)
    return NodeTable(file.read("node_vectors"), children)


def _read_subwords(file: TensorFile, size: int, about: dict[str, Any]) -> SubwordTable:
    """Read the rows of words and n-grams of a file that passed ``check``."""
    columns = file.shape("ngram_vectors", "F32", 2)[1]
    buckets = file.read("ngram_buckets") if "ngram_buckets" in file else None
    if buckets is not None:
        with _reporting(file.path):
            check_buckets(buckets, about["buckets"])
    return SubwordTable(
        **about,
        word_vectors=file.read("word_vectors", size) if "hashes" not in about else np.zeros((0, columns), np.float32),
        ngram_vectors=file.read("ngram_vectors"),
        ngram_buckets=buckets,
    )


@contextlib.contextmanager
def _reporting(path: str | os.PathLike[str]) -> Iterator[None]:
    """Report an invalid structure as a damaged file."""
    try:
        yield
    except InputError as error:
        raise FormatError(f"{path}: {error}; the file is damaged") from None


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Read the tokens and counts without the vectors.

    Raises:
        FormatError: as :func:`read`.
    """
    file = TensorFile(path)
    return read_words(file, check(file)[0], None)


def read_words(file: TensorFile, size: int, limit: int | None, indexed_later: bool = False) -> Vocabulary:
    """Read the ``size`` tokens, or the first ``limit`` of them, from a file that passed ``check_shapes``.

    Args:
        file, size, limit: which tokens.
        indexed_later: whether repeated tokens are found when one is first looked up.

    Raises:
        FormatError: the tokens are inconsistent or invalid.
    """
    size = size if limit is None else min(size, limit)
    offsets = file.read("token_offsets", size + 1)
    token_bytes = file.read("token_bytes", max(0, int(offsets[-1])))
    if limit is None and len(token_bytes) != file.shape("token_bytes", "U8", 1)[0]:
        raise FormatError(f"{file.path}: extra bytes after the last token")
    tokens = unpack_tokens(file.path, token_bytes, offsets)
    try:
        counts = file.read("counts", size) if "counts" in file else None
        return Vocabulary.indexed_later(tokens, counts) if indexed_later else Vocabulary(tokens, counts)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{file.path}: {error}") from None


def check(file: TensorFile) -> tuple[int, int]:
    """Validate metadata and array shapes; return V and D.

    Raises:
        FormatError: not a native vector file, an unsupported version, or inconsistent.
    """
    about = check_about(file, "vectors", VERSION)
    storage = _storage(file)
    size, vector_size = file.shape("vectors", storage if storage in _STORED else "F32", 2)
    expected: dict[str, tuple[str, tuple[int, ...]]] = {"vector_scales": ("F32", (size,))} if storage == "I8" else {}
    if "context_vectors" in file:
        expected["context_vectors"] = ("F32", (size, vector_size))
    if "node_vectors" in file:
        nodes, _ = file.shape("node_vectors", "F32", 2)
        expected["node_vectors"], expected["node_children"] = ("F32", (nodes, vector_size)), ("I32", (nodes, 2))
    if "subwords" in about:
        with _reporting(file.path):
            check_ngrams(about["subwords"])
        buckets = about["subwords"]["buckets"]
        rows, _ = file.shape("ngram_vectors", "F32", 2)
        expected["ngram_vectors"] = ("F32", (rows, vector_size))
        if "hashes" not in about["subwords"]:
            expected["word_vectors"] = ("F32", (size, vector_size))
        if "ngram_buckets" in file:
            expected["ngram_buckets"] = ("I32", (rows,))
        elif rows != buckets:
            raise FormatError(
                f"{file.path}: array 'ngram_vectors' must have {buckets:,} rows, one a bucket, got {rows:,}"
            )
    check_shapes(file, size, expected)
    return size, vector_size


def tokenization(table: VectorTable) -> dict[str, Any]:
    """Return how the training text was tokenized; files of releases without normalization lack its form, ``none``."""
    form = {} if table.normalize == "none" else {"normalize": table.normalize}
    return {"tokenizer": table.tokenizer, "lowercase": table.lowercase, **form}


def check_about(file: TensorFile, kind: str, version: int) -> dict[str, Any]:
    """Return the metadata after validating kind, version and required keys.

    Raises:
        FormatError: a check failed.
    """
    about = file.metadata_of("wordvec")
    if about.get("kind") != kind:
        raise FormatError(f"{file.path}: expected {kind}, found {about.get('kind')!r:.40}")
    found = about.get("version")
    if found != version:
        newer = isinstance(found, int) and found > version
        raise FormatError(
            f"{file.path}: vector file version must be {version}, got {found!r:.40}"
            + ("; it was written by a newer release, so upgrade" if newer else "")
        )
    kinds: dict[str, type[Any]] = {"tokenizer": str, "lowercase": bool, "settings": dict}
    for name, needed in kinds.items():
        if not isinstance(about.get(name), needed):
            raise FormatError(f"{file.path}: its metadata must contain {name!r} as {needed.__name__}")
    if not isinstance(about.get("origin", {}), dict):
        raise FormatError(f"{file.path}: 'origin' in its metadata must be an object")
    if about.get("normalize", "none") not in FORMS:
        raise FormatError(f"{file.path}: 'normalize' in its metadata must be one of {', '.join(FORMS)}")
    return about


def check_shapes(file: TensorFile, size: int, expected: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
    """Check dtype and shape of the vocabulary arrays and of the ``expected`` ones.

    Raises:
        FormatError: an array has another dtype or shape.
    """
    file.shape("token_bytes", "U8", 1)
    of_words: dict[str, tuple[str, tuple[int, ...]]] = {"token_offsets": ("I64", (size + 1,))}
    if "counts" in file:
        of_words["counts"] = ("I64", (size,))
    for name, entry in file.described().items():
        if name.startswith(_ATTRIBUTE):
            of_words[name] = ("I64" if entry["dtype"] == "I64" else "F64", (size,))
    for name, (dtype, shape) in {**of_words, **expected}.items():
        found = file.shape(name, dtype, len(shape))
        if found != shape:
            raise FormatError(f"{file.path}: array {name!r} must have shape {shape}, got {found}")


_STORED = ("F32", "F16", "I8")


def _storage(file: TensorFile) -> str:
    """Return the type of the stored vectors; of a file without any, F32."""
    return str(file.described().get("vectors", {}).get("dtype", "F32"))


def _stored(vectors: Any, storage: str) -> dict[str, np.ndarray]:
    """Return the arrays that hold the vectors (V, D) float32."""
    check_choice("storage", storage, STORAGES)
    if storage == "float32":
        return {"vectors": vectors}
    if storage == "float16":
        with np.errstate(over="ignore"):
            halves = vectors.astype(np.float16)
        if not np.isfinite(halves).all():
            raise InputError("float16 holds numbers up to 65,504; store as float32, or normalize the vectors")
        return {"vectors": halves}
    scales = np.abs(vectors).max(axis=1) / np.float32(127)
    steps = np.rint(vectors / np.where(scales == 0, 1, scales)[:, None]).astype(np.int8)
    return {"vectors": steps, "vector_scales": scales}


def _vectors(file: TensorFile, size: int) -> np.ndarray:
    """Return the first ``size`` vectors as float32, of a file that passed ``check``."""
    stored = file.read("vectors", size)
    if _storage(file) == "I8":
        return np.asarray(stored * file.read("vector_scales", size)[:, None])
    return np.asarray(stored, np.float32)


def pack_attributes(table: VectorTable) -> dict[str, np.ndarray]:
    """Return the arrays of a file that hold the attributes of tokens."""
    return {_ATTRIBUTE + name: values for name, values in table.attributes.items()}


def read_attributes(file: TensorFile, size: int) -> dict[str, np.ndarray]:
    """Read the first ``size`` numbers of each attribute, from a file that passed ``check_shapes``.

    Raises:
        FormatError: a number is not finite.
    """
    found = {}
    for name in file.described():
        if name.startswith(_ATTRIBUTE):
            values = file.read(name, size)
            if not np.isfinite(values).all():
                raise FormatError(f"{file.path}: array {name!r} must be finite")
            found[name.removeprefix(_ATTRIBUTE)] = frozen(values)
    return found


def pack_tokens(tokens: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Pack tokens into concatenated UTF-8 bytes (uint8) and their offsets (V + 1,) int64."""
    encoded = [token.encode("utf-8") for token in tokens]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(token) for token in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def unpack_tokens(path: str | os.PathLike[str], token_bytes: np.ndarray, offsets: np.ndarray) -> list[str]:
    """Invert :func:`pack_tokens`.

    Raises:
        FormatError: the offsets do not increase from 0 to the number of bytes, or a token is not UTF-8.
    """
    with _reporting(path):
        check_offsets("token_offsets", offsets, len(token_bytes))
    joined, ends = token_bytes.tobytes(), itertools.pairwise(offsets.tolist())
    try:
        if joined.isascii():
            text = joined.decode("ascii")
            return [text[start:end] for start, end in ends]
        return [joined[start:end].decode("utf-8") for start, end in ends]
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: a token is not valid UTF-8 ({error})") from None
