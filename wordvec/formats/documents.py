"""Document vectors as ``.npz``: what scipy.sparse.load_npz reads, and beside it the features and how they came about.

====================================  ===========================================================================
arrays                                hold
====================================  ===========================================================================
``indices indptr data shape format``  the CSR matrix, as scipy.sparse.save_npz writes it
``features``                          uint8: the features as UTF-8, a line each, in the order of the columns
``counts``                            (V,) int64: how often each was there; missing where nobody knows
``idf``                               (V,) float64: what counts were multiplied with; of TF-IDF alone
``settings``                          uint8: JSON
====================================  ===========================================================================
"""

import json
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from wordvec.errors import FormatError, InputError
from wordvec.system.atomic_files import replacing
from wordvec.vocabulary import Vocabulary

_MATRIX = ("indices", "indptr", "data", "shape", "format")


@dataclass(frozen=True)
class DocumentMatrix:
    """Document vectors with all that is needed to make more of them in the same columns.

    Attributes:
        matrix: (documents, V) CSR.
        vocabulary: V features, column by column.
        idf: (V,) float64, what counts were multiplied with, or None where they were not.
        settings: how texts became rows: what JSON can hold.
    """

    matrix: csr_matrix
    vocabulary: Vocabulary
    idf: np.ndarray | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def save_documents(documents: DocumentMatrix, path: str | os.PathLike[str], *, compress: bool = False) -> None:
    """Write document vectors and their features; equal content gives equal bytes.

    Args:
        documents: what to write.
        path: the file, replaced only when the new one is complete.
        compress: make it smaller, which takes many times as long.

    Raises:
        InputError: a feature holds the end of a line, or the place cannot be written to.

    Example:
        >>> import pathlib, tempfile
        >>> from wordvec import count_documents
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "matrix.npz"
        >>> save_documents(DocumentMatrix(*count_documents(["a rose is a rose", "is it"])), path)
        >>> load_documents(path).vocabulary.tokens
        ['a', 'is', 'rose', 'it']
        >>> import scipy.sparse
        >>> scipy.sparse.load_npz(path).toarray()
        array([[2, 1, 2, 0],
               [0, 1, 0, 1]])
    """
    matrix, vocabulary = documents.matrix, documents.vocabulary
    lines = "".join(f"{feature}\n" for feature in vocabulary.tokens)
    if lines.count("\n") != len(vocabulary):
        wrong = next(feature for feature in vocabulary.tokens if "\n" in feature)
        raise InputError(f"a matrix file cannot hold features with the end of a line, got {wrong!r}; replace it")
    arrays = {
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "format": np.array(b"csr"),
        "shape": np.array(matrix.shape, np.int64),
        "data": matrix.data,
        "features": np.frombuffer(lines.encode(), np.uint8),
        "settings": np.frombuffer(json.dumps(documents.settings, sort_keys=True).encode(), np.uint8),
    }
    if vocabulary.counts is not None:
        arrays["counts"] = vocabulary.counts
    if documents.idf is not None:
        arrays["idf"] = documents.idf
    with replacing(path) as file:
        (np.savez_compressed if compress else np.savez)(file, **arrays)


def load_documents(path: str | os.PathLike[str]) -> DocumentMatrix:
    """Read what ``save_documents`` wrote.

    Raises:
        FormatError: it is something else, or damaged.
        InputError: it is not there, or cannot be read.
    """
    arrays = _arrays(path)
    try:
        lines = arrays["features"].tobytes().decode()
        settings = json.loads(arrays["settings"].tobytes())
        rows, columns = map(int, arrays["shape"])
        matrix = csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(rows, columns))
        matrix.check_format(full_check=True)
        vocabulary = Vocabulary(lines.split("\n")[:-1], arrays.get("counts"))
        idf = arrays.get("idf")
        if len(vocabulary) != columns or (idf is not None and (idf.shape, idf.dtype.kind) != ((columns,), "f")):
            raise ValueError(f"{columns:,} columns, {len(vocabulary):,} features")
        low, high = settings.setdefault("ngram_range", [1, 1])
        settings["ngram_range"] = [int(low), int(high)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else error
        raise FormatError(f"{path} is no matrix of documents, or damaged: {missing}") from None
    return DocumentMatrix(matrix, vocabulary, idf, settings)


def _arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"PK\3\4":
                raise FormatError(f"{path} is no .npz file; name one that 'wordvec documents' wrote")
            file.seek(0)
            with np.load(file) as archive:
                return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} is damaged: {error}") from None
