"""Reading and writing word vectors in any supported format."""

import logging
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.registry import read_table, write_table
from wordvec.system.structures import frozen
from wordvec.system.validation import check_kind
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors
from wordvec.vectors.subwords import SubwordVectors

_log = logging.getLogger(__name__)


def load_vectors(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    limit: int | None = None,
    skip_bad_rows: bool = False,
    encoding: str = "utf-8",
    subword_fallback: bool = True,
    words: Iterable[str] | None = None,
    mmap: bool = False,
) -> WordVectors:
    """Read word vectors from a file in any supported format.

    In third-party formats, invalid UTF-8 in tokens becomes U+FFFD, and repeated, empty and white space tokens are
    skipped; a warning reports how many. The vectors of a fastText model's words are composed when they are needed.

    Args:
        path: the file; - for standard input, or a URL.
        format: one of ``FORMATS``; None to detect it.
        limit: read only the first ``limit`` vectors and do not validate the rest.
        skip_bad_rows: in text and binary formats, skip invalid rows (NaN, wrong length) instead of raising an error,
            and read the rows that there are where the first line declares another number; a warning reports how many.
        encoding: of the tokens in text and binary formats; any encoding of Python that contains ASCII.
        subword_fallback: compose vectors of words outside the vocabulary, if the file has n-grams.
        words: read only the vectors of these tokens, as written, without context vectors and n-grams.
        mmap: map the vectors of a ``.safetensors`` file into memory instead of reading them: all processes share the
            pages, which are read when they are used, as by a pass over the vectors for each search; only then NaN and
            infinity are found. Context vectors are left out.

    Returns:
        ``WordVectors``, ``SparseWordVectors`` if they are sparse, ``SubwordVectors`` if they are composed of n-grams.

    Raises:
        FormatError: the file is damaged, truncated, or in an unknown format; the message names the place and the rule.
        InputError: the file does not exist or cannot be read, has none of ``words``, or cannot be mapped.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.txt"
        >>> _ = path.write_text("2 3\\nup 0 1 0\\ndown 0 -1 0\\n")
        >>> load_vectors(path)["down"]
        array([ 0., -1.,  0.], dtype=float32)
    """
    table = read_table(path, format, limit, skip_bad_rows, encoding, words, mmap)
    if limit is not None and len(table) == limit and not table.vocabulary.by_frequency:
        _log.warning(
            "%s: its tokens are not in descending order of frequency (%s ...); its first %s are not the most frequent",
            path,
            ", ".join(table.tokens[:3]),
            f"{limit:,}",
        )
    names = ("tokenizer", "lowercase", "normalize", "settings")
    how: dict[str, Any] = {name: getattr(table, name) for name in names}
    try:
        vectors: WordVectors
        if isinstance(table.vectors, np.ndarray):
            how["context_vectors"] = None if table.context_vectors is None else frozen(table.context_vectors)
            if table.subwords is None:
                vectors = WordVectors(table.vocabulary, frozen(table.vectors), **how)
            else:
                composed = frozen(table.vectors) if len(table.vectors) else None
                vectors = SubwordVectors(table.vocabulary, table.subwords, vectors=composed, **how)
                vectors = vectors if subword_fallback else vectors.without_fallback()
        else:
            for array in (table.vectors.data, table.vectors.indices, table.vectors.indptr):
                frozen(array)
            vectors = SparseWordVectors(table.vocabulary, table.vectors, **how)
        vectors.origin, vectors.attributes, vectors.nodes = dict(table.origin), dict(table.attributes), table.nodes
        return vectors
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path}: {error}") from None


def save_vectors(
    vectors: WordVectors, path: str | os.PathLike[str], *, format: str | None = None, storage: str = "float32"
) -> None:
    """Write word vectors to a file; an existing file is replaced atomically.

    The text and binary formats store only tokens and vectors, with exact float32 values. ``.safetensors`` stores
    everything, and equal content gives equal bytes.

    Args:
        vectors: the vectors.
        path: the file; its extension selects the format.
        format: one of ``FORMATS``, overrides the extension.
        storage: of ``.safetensors`` files: ``"float32"``, or ``"float16"`` or ``"int8"`` (a scale for each word), which
            take half and a quarter of the space, and leave out context vectors and n-grams.

    Raises:
        InputError: the extension is unknown, the path is not writable, or the format cannot represent a token or
            sparse vectors.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.vec"
        >>> save_vectors(WordVectors(["up", "down"], [[0, 1], [0.1, -1]]), path)
        >>> path.read_text()
        '2 2\\nup 0 1\\ndown 0.100000001 -1\\n'
    """
    write_table(check_kind("vectors", vectors, WordVectors).table(), path, format, storage)
