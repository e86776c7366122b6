"""Reading and writing word vectors, whatever the file format."""

import os
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.registry import read_table, write_table
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors


def load_vectors(path: str | os.PathLike[str], *, format: str | None = None, limit: int | None = None) -> WordVectors:
    """Read word vectors from a file of any known format.

    In somebody else's file, bytes of a token that are not UTF-8 become U+FFFD and a token that comes again is left
    out; a warning is logged that counts them.

    Args:
        path: the file.
        format: one of ``FORMATS``; None to recognise it.
        limit: read the first so many vectors alone, and trust the rest to be well.

    Returns:
        What the file holds; ``SparseWordVectors`` where they are sparse.

    Raises:
        FormatError: the file is damaged, cut short, or of no known format; the message says where and which rule.
        InputError: it is not there, or cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.txt"
        >>> _ = path.write_text("2 3\\nup 0 1 0\\ndown 0 -1 0\\n")
        >>> load_vectors(path)["down"]
        array([ 0., -1.,  0.], dtype=float32)
    """
    table = read_table(path, format, limit)
    how: dict[str, Any] = {"tokenizer": table.tokenizer, "lowercase": table.lowercase, "settings": table.settings}
    try:
        if isinstance(table.vectors, np.ndarray):
            return WordVectors(table.vocabulary, table.vectors, context_vectors=table.context_vectors, **how)
        return SparseWordVectors(table.vocabulary, table.vectors, **how)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(f"{path}: {error}") from None


def save_vectors(vectors: WordVectors, path: str | os.PathLike[str], *, format: str | None = None) -> None:
    """Write word vectors to a file; one that exists is replaced only when the new one is complete.

    The text and binary formats keep tokens and vectors alone, every float32 exactly. ``.safetensors`` keeps everything,
    and the same content gives the same bytes.

    Args:
        vectors: what to write.
        path: the file; its extension names the format.
        format: one of ``FORMATS``, whatever the extension.

    Raises:
        InputError: the extension names no format, the place cannot be written to, or the format cannot hold a token,
            or sparse vectors.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.vec"
        >>> save_vectors(WordVectors(["up", "down"], [[0, 1], [0.1, -1]]), path)
        >>> path.read_text()
        '2 2\\nup 0 1\\ndown 0.100000001 -1\\n'
    """
    write_table(vectors.table(), path, format)
