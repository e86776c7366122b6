"""NumPy archives (``.npz``): the arrays ``vectors`` (V, D), ``tokens`` (V,) of strings and, if known, ``counts`` (V,).

``embeddings``, and ``words`` or ``vocab``, are read as other names. Arrays of Python objects, which NumPy stores as
pickles, are refused. Equal content gives equal bytes.
"""

import os
import sys
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.rows import Rows
from wordvec.formats.sources import MAX_TOKEN_BYTES, MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.system.atomic_files import replacing
from wordvec.vocabulary import Vocabulary

_VECTORS = ("vectors", "embeddings")
_TOKENS = ("tokens", "words", "vocab")
SPACES = " \t\n\r\v\f"
"""Tokens of these alone are left out."""

_ROWS_AT_ONCE = 8192
_MOST_CHARACTERS = 1 << 28
"""Maximum size of the array of tokens, in characters; each takes the room of the longest."""


def looks_like(sample: bytes) -> bool:
    """Whether the sample is the start of a zip archive."""
    return sample.startswith(b"PK\3\4")


def declared(source: VectorSource) -> tuple[int, int]:
    """Return V and D from the header of the vectors."""
    found = source.archive_shapes(_VECTORS)
    shape = next(iter(found.values()), ())
    if len(shape) != 2:
        raise FormatError(f"{source.name}: an .npz archive needs the array 'vectors' of two dimensions, got {shape}")
    return shape[0], shape[1]


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read the vectors.

    Raises:
        FormatError: an array is missing or has another shape or type, or a row is not finite.
    """
    found = source.archive_arrays((*_VECTORS, *_TOKENS, "counts"))
    vectors, tokens = (next((found[name] for name in names if name in found), None) for names in (_VECTORS, _TOKENS))
    if vectors is None or tokens is None:
        missing = "vectors" if vectors is None else "tokens"
        raise FormatError(
            f"{source.name}: an .npz archive needs the arrays 'vectors' and 'tokens'; {missing} is missing"
        )
    if vectors.ndim != 2 or not 1 <= vectors.shape[1] <= MAX_VECTOR_SIZE or vectors.dtype.kind not in "fiu":
        raise FormatError(f"{source.name}: 'vectors' must be a matrix of numbers, got {vectors.dtype} {vectors.shape}")
    if tokens.shape != vectors.shape[:1] or tokens.dtype.kind not in "US":
        raise FormatError(
            f"{source.name}: 'tokens' must be {len(vectors):,} strings, got {tokens.dtype} of shape {tokens.shape}"
        )
    size = len(vectors) if limit is None else min(limit, len(vectors))
    rows = Rows(source.name, vectors.shape[1], size, skip_bad, words=source.words)
    added = 0
    for start in range(0, size, _ROWS_AT_ONCE):
        names = _strings(source.name, tokens[start : min(size, start + _ROWS_AT_ONCE)])
        with np.errstate(over="ignore"):
            block = vectors[start : start + len(names)].astype(np.float32)
        good = np.isfinite(block).all(axis=1)
        for row in np.flatnonzero(~good).tolist():
            rows.bad(f"{source.name}: vector {start + row + 1:,} contains NaN or infinity")
        named = [bool(name.strip(SPACES)) for name in names]
        for _ in range(named.count(False)):
            rows.unnamed()
        places = np.flatnonzero(good & np.array(named, bool))
        rows.add_named([names[place] for place in places.tolist()], block[places])
        added += len(places)
    table = rows.finish()
    counts = found.get("counts")
    if (
        counts is None
        or counts.shape != tokens.shape
        or counts.dtype.kind not in "iu"
        or not size == added == len(table)
    ):
        return table
    return VectorTable(Vocabulary(table.tokens, counts[:size].astype(np.int64)), table.vectors)


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write vectors, tokens and counts, uncompressed.

    Raises:
        InputError: a token is only white space, ends with NUL, or is too long for an array of strings.
    """
    check_names(table)
    for row, token in enumerate(table.tokens):
        if token.endswith("\0"):
            raise InputError(f"tokens in .npz files must not end with NUL, got {token!r:.80} in row {row}")
    longest = max(map(len, table.tokens))
    if longest * len(table) > _MOST_CHARACTERS or longest > MAX_TOKEN_BYTES:
        raise InputError(
            f"the tokens are too long for .npz, up to {longest:,} characters; save as .safetensors instead"
        )
    arrays: dict[str, Any] = {"vectors": table.vectors, "tokens": np.array(table.tokens)}
    if table.counts is not None:
        arrays["counts"] = table.counts
    with replacing(path) as file:
        np.savez(file, **arrays)


def check_names(table: VectorTable) -> None:
    """Raise InputError if a token is only white space, which readers leave out."""
    for row, token in enumerate(table.tokens):
        if not token.strip(SPACES):
            raise InputError(f"tokens must not be only white space, got {token!r} in row {row}; save as .safetensors")


def _strings(name: str, tokens: np.ndarray) -> list[str]:
    """Return tokens as strings that UTF-8 can encode; an array drops NUL characters at their end."""
    if tokens.dtype.kind == "U":
        codes = np.ascontiguousarray(tokens).view(np.dtype("u4").newbyteorder(tokens.dtype.byteorder))
        if (codes > sys.maxunicode).any():
            raise FormatError(f"{name}: a token has an invalid character")
    listed = tokens.tolist()
    encoded = [token if isinstance(token, bytes) else token.encode("utf-8", "replace") for token in listed]
    return [token.decode("utf-8", "replace") for token in encoded]
