"""Native vector file: safetensors with everything needed to query the vectors and to continue training.

=================== ================ ======================================================================
``vectors``         F32 (V, D)       input vectors
``context_vectors`` F32 (V, D)       output vectors; optional
``counts``          I64 (V,)         token counts; optional
``token_bytes``     U8               the concatenated tokens as UTF-8
``token_offsets``   I64 (V + 1,)     token t is ``token_bytes[token_offsets[t]:token_offsets[t + 1]]``
``word_vectors``    F32 (V, D)       the words' own rows, if they have any
``ngram_vectors``   F32 (U, D)       rows of character n-grams; these and the following only in subword models
``ngram_buckets``   I32 (U,)         their buckets, ascending; absent if every bucket has a row
=================== ================ ======================================================================

The metadata key ``wordvec`` is sorted JSON: kind, version, tokenizer, lowercase, settings, normalize if not none, and
subwords in a subword model.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from corpora.normalization import FORMS
from wordvec.errors import FormatError, InputError
from wordvec.formats.table import SubwordTable, VectorTable
from wordvec.formats.tensors import TensorFile, looks_like, write_tensors
from wordvec.system.structures import check_buckets, check_ngrams, check_offsets
from wordvec.vocabulary import Vocabulary

__all__ = ["VERSION", "check", "looks_like", "read", "write"]

VERSION = 1


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write vectors with all their metadata.

    Raises:
        InputError: the settings are not JSON-serializable, or the path is not writable.
    """
    token_bytes, token_offsets = pack_tokens(table.tokens)
    tensors = {"vectors": table.vectors, "token_bytes": token_bytes, "token_offsets": token_offsets}
    if table.context_vectors is not None:
        tensors["context_vectors"] = table.context_vectors
    if table.counts is not None:
        tensors["counts"] = table.counts
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


def read(file: TensorFile, limit: int | None = None) -> VectorTable:
    """Read the vectors, or the first ``limit`` of them.

    Raises:
        FormatError: not a native vector file, truncated, or inconsistent.
    """
    size, _ = check(file)
    vocabulary = read_words(file, size, limit)
    size, about = len(vocabulary), file.metadata_of("wordvec")
    return VectorTable(
        vocabulary,
        file.read("vectors", size),
        context_vectors=file.read("context_vectors", size) if "context_vectors" in file else None,
        tokenizer=about["tokenizer"],
        lowercase=about["lowercase"],
        normalize=about.get("normalize", "none"),
        settings=about["settings"],
        origin=about.get("origin", {}),
        subwords=_read_subwords(file, size, about["subwords"]) if "subwords" in about else None,
    )


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


def read_words(file: TensorFile, size: int, limit: int | None) -> Vocabulary:
    """Read the ``size`` tokens, or the first ``limit`` of them, from a file that passed ``check_shapes``.

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
        return Vocabulary(tokens, file.read("counts", size) if "counts" in file else None)
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
    size, vector_size = file.shape("vectors", "F32", 2)
    expected: dict[str, tuple[str, tuple[int, ...]]] = {}
    if "context_vectors" in file:
        expected["context_vectors"] = ("F32", (size, vector_size))
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
    for name, (dtype, shape) in {**of_words, **expected}.items():
        found = file.shape(name, dtype, len(shape))
        if found != shape:
            raise FormatError(f"{file.path}: array {name!r} must have shape {shape}, got {found}")


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
