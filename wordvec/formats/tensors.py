"""Reading and writing safetensors files without a second copy in memory.

The safetensors library validates the header on opening (sizes, offsets, no holes); the bytes are then read directly
into the destination array. The library's reader memory-maps the file and copies, which doubles memory use; its writer
orders multiple metadata keys randomly.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.system.atomic_files import replacing

_NAMES = {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8", "u1": "U8"}
_DTYPES = {name: np.dtype(code).newbyteorder("<") for code, name in _NAMES.items()}


def looks_like(sample: bytes) -> bool:
    """Whether ``sample`` may be the start of a safetensors file: a plausible header length, then an opening brace."""
    return len(sample) > 8 and sample[8:9] == b"{" and 2 <= int.from_bytes(sample[:8], "little") <= 100_000_000


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, np.ndarray], key: str, about: Any) -> None:
    """Write arrays and one metadata key; equal content gives equal bytes.

    Args:
        path: the file, replaced atomically.
        tensors: name to array.
        key: the metadata key.
        about: its value, written as sorted JSON.

    Raises:
        InputError: ``about`` is not JSON-serializable, or the path is not writable.
    """
    try:
        metadata = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"settings must be JSON-serializable: {error}") from None
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # Descending item size keeps every array aligned, as in the library.
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": {key: metadata}}
    offset = 0
    for name in order:
        array = arrays[name]
        ends = [offset, offset + array.nbytes]
        header[name] = {"dtype": _NAMES[array.dtype.str[1:]], "shape": list(array.shape), "data_offsets": ends}
        offset = ends[1]
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with replacing(path) as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name in order:
            file.write(arrays[name].astype(arrays[name].dtype.newbyteorder("<"), copy=False).reshape(-1).data)


class TensorFile:
    """Reader of a safetensors file: metadata, and arrays by name, loaded on demand.

    Raises:
        FormatError: not a safetensors file, or truncated.
        InputError: the file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = Path(path)
        try:
            with safe_open(self.path, "np"):
                pass
            with open(self.path, "rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(size))
        except SafetensorError as error:
            raise FormatError(f"{path}: not a safetensors file, or truncated ({error})") from None
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path}: not a safetensors file ({error})") from None
        self._start = 8 + size
        self.metadata: dict[str, str] = header.pop("__metadata__", None) or {}
        self._entries: dict[str, dict[str, Any]] = header

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def described(self) -> dict[str, dict[str, Any]]:
        """Map each array name to its safetensors ``dtype`` and its ``shape``."""
        return {name: {"dtype": entry["dtype"], "shape": entry["shape"]} for name, entry in self._entries.items()}

    def metadata_of(self, key: str) -> dict[str, Any]:
        """Return the JSON object stored under a metadata key.

        Raises:
            FormatError: the key is missing, or its value is not a JSON object.
        """
        try:
            value = json.loads(self.metadata[key])
        except KeyError:
            raise FormatError(f"{self.path}: unsupported safetensors file: its metadata has no key {key!r}") from None
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{self.path}: its metadata {key!r} is invalid ({error})") from None
        if not isinstance(value, dict):
            raise FormatError(f"{self.path}: its metadata {key!r} must be a JSON object")
        return value

    def shape(self, name: str, dtype: str, dimensions: int) -> tuple[int, ...]:
        """Return the shape of the array ``name`` after checking its dtype and number of dimensions.

        Raises:
            FormatError: the array is missing, or has another dtype or number of dimensions.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise FormatError(f"{self.path}: array {name!r} is missing")
        if entry["dtype"] != dtype or len(entry["shape"]) != dimensions:
            raise FormatError(
                f"{self.path}: array {name!r} must be {dtype} with {dimensions} dimensions, "
                f"got {entry['dtype']} of shape {tuple(entry['shape'])}"
            )
        return tuple(entry["shape"])

    def read(self, name: str, rows: int | None = None) -> np.ndarray:
        """Read the array ``name``, or its first ``rows`` rows."""
        entry = self._entries[name]
        shape, dtype = tuple(entry["shape"]), _DTYPES[entry["dtype"]]
        start, end = entry["data_offsets"]
        if math.prod(shape) * dtype.itemsize != end - start:
            raise FormatError(f"{self.path}: array {name!r} of shape {shape} does not match its size in bytes")
        if rows is not None:
            shape = (min(rows, shape[0]), *shape[1:])
        array = np.empty(shape, dtype=dtype)
        self._fill(array, name, start)
        return array

    def read_into(self, name: str, array: np.ndarray) -> None:
        """Read the array ``name`` into the contiguous ``array``.

        Raises:
            FormatError: the stored array is missing, or has another dtype or shape.
        """
        dtype = _NAMES[array.dtype.str[1:]]
        if self.shape(name, dtype, array.ndim) != array.shape:
            found = tuple(self._entries[name]["shape"])
            raise FormatError(f"{self.path}: array {name!r} must have shape {array.shape}, got {found}")
        self._fill(array, name, self._entries[name]["data_offsets"][0])
        if array.dtype.newbyteorder("<") != array.dtype:
            array.byteswap(inplace=True)

    def _fill(self, array: np.ndarray, name: str, start: int) -> None:
        with open(self.path, "rb") as file:
            file.seek(self._start + start)
            if file.readinto(array.reshape(-1).data) != array.nbytes:
                raise FormatError(f"{self.path}: array {name!r} is truncated")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} is not JSON-serializable")
