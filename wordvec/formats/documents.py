"""Document vectors as ``.npz``, readable by scipy.sparse.load_npz, with features and settings as extra arrays.

====================================  ===========================================================================
array                                 content
====================================  ===========================================================================
``indices indptr data shape format``  the CSR matrix, as scipy.sparse.save_npz writes it
``features``                          uint8: the features as UTF-8, one per line, in column order
``counts``                            (V,) int64: total count of each feature; optional
``idf``                               (V,) float64: inverse document frequencies; TF-IDF only
``settings``                          uint8: JSON
====================================  ===========================================================================
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from wordvec.errors import FormatError, InputError
from wordvec.formats.archives import read_arrays, reason_of
from wordvec.system.atomic_files import check_regular, replacing
from wordvec.system.structures import check_csr, checked_csr, checked_weights
from wordvec.system.validation import check_kind
from wordvec.vocabulary import Vocabulary

_NAMES = ("indices", "indptr", "data", "shape", "features", "settings", "counts", "idf")
"""The arrays that are read."""


@dataclass(frozen=True)
class DocumentMatrix:
    """Document vectors with everything needed to vectorize further texts into the same columns.

    Attributes:
        matrix: (documents, V) CSR.
        vocabulary: V features, in column order.
        idf: (V,) float64 inverse document frequencies, or None for plain counts.
        settings: vectorizer settings, JSON-serializable.
    """

    matrix: csr_matrix
    vocabulary: Vocabulary
    idf: np.ndarray | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def save_documents(documents: DocumentMatrix, path: str | os.PathLike[str], *, compress: bool = False) -> None:
    """Write document vectors and their features; equal content gives equal bytes.

    Args:
        documents: the document vectors.
        path: the file, replaced atomically.
        compress: write a smaller file, which takes many times longer.

    Raises:
        InputError: a feature contains a newline, the path is not writable, the matrix is not CSR, its arrays do not
            agree, or it does not have a column per feature and a weight per column.

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
    check_kind("documents", documents, DocumentMatrix)
    matrix, vocabulary, idf = documents.matrix, documents.vocabulary, documents.idf
    matrix = checked_csr("matrix", matrix, columns=len(vocabulary))
    if idf is not None:
        idf = checked_weights(idf, len(vocabulary))
    lines = "".join(f"{feature}\n" for feature in vocabulary.tokens)
    if lines.count("\n") != len(vocabulary):
        wrong = next(feature for feature in vocabulary.tokens if "\n" in feature)
        raise InputError(f"features must not contain newlines, got {wrong!r}; replace them")
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
    if idf is not None:
        arrays["idf"] = idf
    with replacing(path) as file:
        (np.savez_compressed if compress else np.savez)(file, **arrays)


def load_documents(path: str | os.PathLike[str]) -> DocumentMatrix:
    """Read a file written by ``save_documents``.

    Raises:
        FormatError: the file is not a document matrix, or is damaged.
        InputError: the file does not exist or cannot be read.
    """
    arrays = _arrays(path)
    try:
        lines = arrays["features"].tobytes().decode()
        settings = json.loads(arrays["settings"].tobytes())
        rows, columns = map(int, arrays["shape"])
        vocabulary = Vocabulary(lines.split("\n")[:-1], arrays.get("counts"))
        if len(vocabulary) != columns:
            raise ValueError(f"{columns:,} columns, {len(vocabulary):,} features")
        if rows != len(arrays["indptr"]) - 1:  # before a matrix of this many rows is allocated
            raise ValueError(f"{rows:,} rows, {len(arrays['indptr']):,} offsets")
        matrix = csr_matrix((rows, columns))
        matrix.data, matrix.indices, matrix.indptr = arrays["data"], arrays["indices"], arrays["indptr"]
        check_csr("matrix", matrix)
        matrix = csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=(rows, columns))
        idf = arrays.get("idf")
        if idf is not None:
            idf = checked_weights(idf, columns)
        low, high = settings.setdefault("ngram_range", [1, 1])
        settings["ngram_range"] = [int(low), int(high)]
        if not isinstance(settings.get("drop_words", []), list):
            raise ValueError("drop_words is not a list")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        missing = f"no array {error}" if isinstance(error, KeyError) else reason_of(error)
        raise FormatError(f"{path} is not a document matrix, or is damaged: {missing}") from None
    return DocumentMatrix(matrix, vocabulary, idf, settings)


def _arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    check_regular(path)
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"PK\3\4":
                raise FormatError(f"{path} is not an .npz file; pass one written by 'wordvec documents'")
            return read_arrays(file, path, _NAMES)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except InputError:
        raise
    except ValueError as error:  # a NUL character or half of one in the name
        raise InputError(f"{str(path)!r:.200} cannot be read: {reason_of(error)}") from None
