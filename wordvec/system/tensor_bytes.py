"""The safetensors layout read through one open file: a validated header, then arrays without a second copy in memory.

The safetensors library opens a path and maps it into memory; reading header and arrays through one descriptor keeps
them from the same file even while another process replaces it.
"""

import json
import math
from typing import IO, Any, NamedTuple

import numpy as np

_MOST_HEADER = 100_000_000
"""Maximum header length in bytes, as in the safetensors library."""

_MOST_CELLS = 1 << 56
"""Maximum product of the dimensions, not counting zeros, which NumPy does not ignore."""

_BYTES = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2},
    **{"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8},
}
"""Bytes per item of each dtype."""

DTYPES = {
    name: np.dtype(code).newbyteorder("<")
    for code, name in {
        **{"?": "BOOL", "u1": "U8", "i1": "I8", "u2": "U16", "i2": "I16", "f2": "F16", "u4": "U32", "i4": "I32"},
        **{"f4": "F32", "u8": "U64", "i8": "I64", "f8": "F64"},
    }.items()
}
"""The dtypes that NumPy has."""


class Header(NamedTuple):
    """Where the arrays begin, the metadata, and for each array its ``dtype``, ``shape`` and ``data_offsets``."""

    start: int
    metadata: dict[str, str]
    entries: dict[str, dict[str, Any]]


def read_header(file: IO[bytes], size: int) -> Header:
    """Read and validate the header of a file of ``size`` bytes: known dtypes, and arrays that fill the file exactly.

    Raises:
        ValueError, RecursionError: it is invalid, or the file is truncated.
    """
    file.seek(0)
    start = 8 + int.from_bytes(_read(file, 8), "little")
    if size < 8 or start - 8 > _MOST_HEADER or start > size:
        raise ValueError("invalid header length")
    text = _read(file, start - 8)
    if len(text) != start - 8 or not text.startswith(b"{"):
        raise ValueError("invalid header")
    entries = json.loads(text.decode(), object_pairs_hook=_without_repeats)
    metadata = entries.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("invalid metadata")
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: _offsets(*item)):
        first, last = _offsets(name, entry)
        dtype, shape = entry.get("dtype"), entry.get("shape")
        if not isinstance(dtype, str) or dtype not in _BYTES:
            raise ValueError(f"array {name!r:.60} has the unknown dtype {dtype!r:.20}")
        if not isinstance(shape, list) or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(f"array {name!r:.60} has an invalid shape")
        if len(shape) > 32 or math.prod(length for length in shape if length) > _MOST_CELLS:
            raise ValueError(f"array {name!r:.60} has too large a shape")
        if first != end or last - first != math.prod(shape) * _BYTES[dtype]:
            raise ValueError(f"array {name!r:.60} does not match its size in bytes")
        end = last
    if start + end != size:
        raise ValueError(f"its arrays end at byte {start + end:,} of {size:,}")
    return Header(start, metadata, entries)


def read_array(file: IO[bytes], header: Header, name: str, rows: int | None = None) -> np.ndarray:
    """Read an array, or its first ``rows`` rows.

    Raises:
        ValueError: NumPy lacks its dtype, or the file has been truncated since.
    """
    entry = header.entries[name]
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"array {name!r:.60} has the unsupported dtype {entry['dtype']}")
    shape = tuple(entry["shape"])
    if rows is not None:
        shape = (min(rows, shape[0]), *shape[1:])
    array = np.empty(shape, DTYPES[entry["dtype"]])
    fill(file, header, name, array)
    return array


def fill(file: IO[bytes], header: Header, name: str, array: np.ndarray) -> None:
    """Fill a contiguous array with the first bytes of a stored one.

    Raises:
        ValueError: the file has been truncated since its header was read.
    """
    file.seek(header.start + header.entries[name]["data_offsets"][0])
    view, filled = array.reshape(-1).view(np.uint8).data, 0
    while filled < len(view):  # a single call reads at most 2 GiB
        count = file.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            raise ValueError(f"array {name!r:.60} is truncated")
        filled += count


def _read(file: IO[bytes], size: int) -> bytes:
    """Return the next bytes, fewer only at the end: one read of an unbuffered file may return less."""
    pieces = []
    while size and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated in the header")
    return found


def _offsets(name: str, entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or [type(offset) for offset in offsets] != [int, int]:
        raise ValueError(f"array {name!r:.60} has invalid offsets")
    return offsets[0], offsets[1]
