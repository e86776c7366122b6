"""Vector file formats: detection, reading, writing and inspection.

===============  ==================  ==================================================================================
name             written to          holds
===============  ==================  ==================================================================================
``safetensors``  ``.safetensors``    everything: both sides, counts, tokenizer, settings; also sparse vectors
``text``         ``.txt`` ``.vec``   word2vec text: a header line ``V D``, then a token and D numbers per line
``binary``       ``.bin``            word2vec binary: the same header, then token, space and D little-endian float32
``glove``        ``format`` only     GloVe text: ``text`` without the header
``fasttext``     ``format`` only     fastText model: words, their n-grams and the output side
``floret``       ``.floret``         floret text: the buckets that words and n-grams are hashed to, and no words
``projector``    ``format`` only     Embedding Projector: tab-separated numbers, and the tokens in ``metadata.tsv``
``npz``          ``.npz``            NumPy archive: arrays ``vectors``, ``tokens``, ``counts``
``parquet``      ``.parquet``        Parquet: columns ``token``, ``vector``, ``count``; needs pyarrow
``static``       ``format`` only     folder of sentence-transformers: a model of one StaticEmbedding module
===============  ==================  ==================================================================================

On reading, the format is detected from the content, falling back to the extension; the formats of text and of records
may be compressed with gzip, and are written so to a name that ends in ``.gz``.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from corpora.encodings import UTF8
from wordvec.errors import FormatError, InputError
from wordvec.formats import (
    fasttext,
    floret,
    glove,
    npz,
    parquet,
    projector,
    safetensors,
    sparse,
    static_embedding,
    word2vec_binary,
    word2vec_text,
)
from wordvec.formats.sources import VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.validation import check_choice, shown

FORMATS = ("safetensors", "text", "binary", "glove", "fasttext", "floret", "projector", "npz", "parquet", "static")
"""Valid values of ``format``."""

WITH_NGRAMS = ("safetensors", "fasttext", "floret")
"""Formats that hold the n-grams of subword vectors; the others hold the words' composed vectors alone."""

_EXTENSIONS = {
    ".safetensors": "safetensors",
    ".txt": "text",
    ".vec": "text",
    ".bin": "binary",
    ".floret": "floret",
    ".npz": "npz",
    ".parquet": "parquet",
}
_STREAMED = {
    "text": word2vec_text,
    "binary": word2vec_binary,
    "glove": glove,
    "fasttext": fasttext,
    "floret": floret,
    "projector": projector,
    "npz": npz,
    "parquet": parquet,
}
_PACKAGES = ("wordvec", "seqclf")


def read_table(
    path: str | os.PathLike[str],
    format: str | None = None,
    limit: int | None = None,
    skip_bad_rows: bool = False,
    encoding: str = UTF8,
    words: Iterable[str] | None = None,
    mmap: bool = False,
) -> VectorTable:
    """Read a vector file; see :func:`wordvec.load_vectors`."""
    _check_format(format)
    wanted = None if words is None else _checked_words(words)
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1 vector, got {limit}")
    if format == "static" or (format is None and static_embedding.is_folder(path)):
        if mmap or encoding != UTF8:
            raise InputError(f"{path}: a folder of sentence-transformers has no mmap and encoding; leave them out")
        return static_embedding.read(path, limit, wanted, skip_bad_rows)
    with VectorSource(path, encoding, wanted) as source:
        format = format or detect_format(source)
        if mmap and format != "safetensors":
            raise InputError(f"{path}: mmap needs a .safetensors file, got format {format}; convert it")
        if mmap and words is not None:
            raise InputError("words are read into memory: leave out mmap")
        if words is not None and format == "fasttext":
            raise InputError(f"{path}: words need a file without n-grams; convert it with --no-subword-fallback")
        if format == "safetensors" and source.encoding != UTF8:
            raise InputError(f"{path}: tokens in .safetensors files are UTF-8, got encoding {encoding!r}; leave it out")
        if format != "safetensors":
            table: VectorTable = _STREAMED[format].read(source, limit, skip_bad_rows)
            return table
        file = source.tensor_file()
        if file.metadata_of("wordvec").get("kind") == sparse.KIND:
            if mmap or words is not None:
                raise InputError(f"{path}: sparse vectors are read as a whole: leave out mmap and words")
            return sparse.read(file, limit)
        return safetensors.read(file, limit, wanted, mmap)


def write_table(
    table: VectorTable, path: str | os.PathLike[str], format: str | None = None, storage: str = "float32"
) -> None:
    """Write a vector file; see :func:`wordvec.save_vectors`."""
    format = output_format(path, format)
    check_choice("storage", storage, safetensors.STORAGES)
    if storage != "float32" and (format != "safetensors" or table.is_sparse):
        raise InputError(f"storage {storage} needs dense vectors in a .safetensors file, got format {format}")
    if not len(table) and (table.subwords is None or format not in ("safetensors", "floret")):
        raise InputError("no vectors to save: the vocabulary is empty")
    if table.is_sparse:
        if format != "safetensors":
            raise InputError(
                f"format {format} does not support sparse vectors ({table.vector_size:,} columns); "
                "save as .safetensors or train dense vectors (train-embeddings --model svd, or glove)"
            )
        sparse.write(table, path)
    elif format == "static":
        static_embedding.write(table, path)
    elif format == "safetensors":
        safetensors.write(table, path, storage)
    else:
        _STREAMED[format].write(table, path)


def output_format(path: str | os.PathLike[str], format: str | None = None) -> str:
    """Return the output format: ``format``, or the one selected by the extension of ``path``.

    Raises:
        InputError: neither specifies a format.

    Example:
        >>> output_format("vectors.vec")
        'text'
    """
    _check_format(format)
    path = Path(path)
    compressed = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("") if compressed else path).suffix.lower()
    if format is None and suffix not in _EXTENSIONS:
        remedy = "pass format (wordvec convert --format)"
        if suffix in (".csv", ".tsv"):
            remedy = 'pass format="projector" (wordvec convert --format projector) for a table separated by tabs'
        raise InputError(
            f"the extension must name a format ({', '.join(_EXTENSIONS)}), got {suffix or 'none'!r} in {path}; "
            f"or {remedy}"
        )
    format = format or _EXTENSIONS[suffix]
    if compressed and format in ("safetensors", "npz", "parquet", "static"):
        raise InputError(f".{format} files are not compressed, got {path}; leave out .gz")
    return format


def second_output(path: str | os.PathLike[str], format: str | None = None) -> Path | None:
    """Return the file of words that is written next to ``path``, or None if the format has one file.

    Raises:
        InputError: as :func:`output_format`.
    """
    return projector.metadata_path(path) if output_format(path, format) == "projector" else None


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the metadata of a vector file, or of any file this toolkit writes, without loading tensors.

    Returns:
        ``format``, ``kind``, ``bytes``; for vectors ``tokens`` (None if not stored in the file) and ``vector_size``,
        for sparse ones also ``numbers``, the count of nonzero values; for fastText models also ``model``, ``loss``,
        ``labels``, the number of labels, ``subwords``, the lengths of the n-grams and their buckets, and of classifiers
        ``word_ngrams``; for files of this toolkit also ``package`` (``"wordvec"`` or ``"seqclf"``), ``about`` (stored
        metadata: settings, tokenizer ...) and ``tensors`` (name to ``dtype`` and ``shape``).

    Raises:
        FormatError: the format is unknown, or the safetensors file was written by another program.
        InputError: the file does not exist or cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.safetensors"
        >>> from wordvec import WordVectors, save_vectors
        >>> save_vectors(WordVectors(["up", "down"], [[0, 1], [0, -1]]), path)
        >>> about = describe(path)
        >>> about["package"], about["kind"], about["tokens"], about["vector_size"]
        ('wordvec', 'vectors', 2, 2)
    """
    if static_embedding.is_folder(path):
        tokens, vector_size = static_embedding.declared(path)
        used = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
        size = {"tokens": tokens, "vector_size": vector_size}
        return {"format": "static", "kind": "vectors", "bytes": used, **size}
    with VectorSource(path) as source:
        format = detect_format(source)
        if format in ("fasttext", "floret"):
            facts = _STREAMED[format].declared(source)
            kind = "fastText classifier" if facts.get("model") == "supervised" else "vectors"
            return {"format": format, "kind": kind, "bytes": source.size, **facts}
        if format != "safetensors":
            tokens, vector_size = _STREAMED[format].declared(source)
            size = {"tokens": tokens, "vector_size": vector_size}
            return {"format": format, "kind": "vectors", "bytes": source.size, **size}
        file = source.tensor_file()
        about: dict[str, Any] = {"format": format, "bytes": source.size}
    package = next((name for name in _PACKAGES if name in file.metadata), None)
    if package is None:
        raise FormatError(f"{path}: unsupported safetensors file: its metadata has no 'wordvec' or 'seqclf' key")
    stored = file.metadata_of(package)
    about |= {"package": package, "kind": stored.pop("kind", "model"), "about": stored, "tensors": file.described()}
    if package == "wordvec" and about["kind"] == "vectors":
        about["tokens"], about["vector_size"] = safetensors.check(file)
    elif package == "wordvec" and about["kind"] == sparse.KIND:
        about["tokens"], about["vector_size"], about["numbers"] = sparse.check(file)
    return about


def detect_format(source: VectorSource) -> str:
    """Detect the format of an open file by its first bytes, else by its extension, and rewind it.

    Raises:
        FormatError: the format is unknown; the message identifies the file type if possible.
    """
    sample = source.sample()
    if safetensors.looks_like(sample):
        if source.compressed:
            raise FormatError(f"{source.name}: a safetensors file compressed with gzip; decompress it first")
        return "safetensors"
    if fasttext.looks_like(sample):
        return "fasttext"
    if floret.looks_like(sample):
        return "floret"
    if npz.looks_like(sample) and source.suffix == ".npz":
        return "npz"
    if parquet.looks_like(sample):
        return "parquet"
    source.refuse_other_kinds(sample)
    if source.suffix == ".tsv" and projector.looks_like(sample):
        return "projector"
    named = _EXTENSIONS.get(source.suffix)
    if word2vec_text.header(sample):
        if word2vec_text.looks_like(sample):
            return "text"
        return "binary" if named == "binary" or word2vec_binary.looks_like(sample) else "text"
    if glove.looks_like_pairs(sample):
        raise FormatError(
            f"{source.name}: rated word pairs, not vectors: evaluate --similarity takes them; "
            "format glove reads vectors of one number"
        )
    if glove.looks_like(sample):
        return "glove"
    if named == "safetensors" and sample:
        return named  # its reader reports the most specific error
    raise FormatError(
        f"{source.name}: {source.unknown if sample else 'an empty file; train or convert the vectors again'}"
    )


def _checked_words(words: Iterable[str]) -> frozenset[str]:
    listed = [words] if isinstance(words, str) else list(words)
    if isinstance(words, str) or not listed or not all(isinstance(word, str) for word in listed):
        raise InputError(f"words must be a list of strings with at least one, got {shown(words)}")
    return frozenset(listed)


def _check_format(format: str | None) -> None:
    if format is not None:
        check_choice("format", format, FORMATS)
