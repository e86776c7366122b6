"""safetensors files, written and read without a second copy in memory.

The safetensors library checks a file's header when it is opened (sizes, offsets, no holes); the bytes are then read
straight into the array they belong to. Its own reader maps the file and copies, which counts twice; its own writer puts
metadata in random order when there are several keys.
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
    """Whether a file that starts with ``sample`` may be a safetensors file: the length of a header, then its brace."""
    return len(sample) > 8 and sample[8:9] == b"{" and 2 <= int.from_bytes(sample[:8], "little") <= 100_000_000


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, np.ndarray], key: str, about: Any) -> None:
    """Write arrays and one key of metadata; the same content gives the same bytes.

    Args:
        path: the file, replaced only when the new one is complete.
        tensors: name to array.
        key: the one metadata key.
        about: its value, written as sorted JSON.

    Raises:
        InputError: JSON cannot hold ``about``, or the place cannot be written to.
    """
    try:
        told = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"settings must be what JSON can hold: {error}") from None
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # The widest items first keep every array aligned, as the library does it.
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": {key: told}}
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
    """An opened safetensors file: its metadata, and its arrays by name, read when asked for.

    Raises:
        FormatError: it is no safetensors file, or was cut short.
        InputError: it cannot be read.
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
            raise FormatError(f"{path}: not a safetensors file, or it was cut short ({error})") from None
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
        """For each array its ``dtype``, in the words of the format, and its ``shape``."""
        return {name: {"dtype": entry["dtype"], "shape": entry["shape"]} for name, entry in self._entries.items()}

    def told(self, key: str) -> dict[str, Any]:
        """The JSON object under a metadata key.

        Raises:
            FormatError: there is none.
        """
        try:
            value = json.loads(self.metadata[key])
        except KeyError:
            raise FormatError(f"{self.path}: a safetensors file, but its metadata has no key {key!r}") from None
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{self.path}: its metadata {key!r} is damaged ({error})") from None
        if not isinstance(value, dict):
            raise FormatError(f"{self.path}: its metadata {key!r} is no JSON object")
        return value

    def shape(self, name: str, dtype: str, dimensions: int) -> tuple[int, ...]:
        """The shape of the array ``name``, which must be of this type.

        Raises:
            FormatError: it is not there, or of another type or number of dimensions.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise FormatError(f"{self.path}: the array {name!r} is missing")
        if entry["dtype"] != dtype or len(entry["shape"]) != dimensions:
            raise FormatError(
                f"{self.path}: the array {name!r} must be {dtype} with {dimensions} dimensions, "
                f"got {entry['dtype']} of shape {tuple(entry['shape'])}"
            )
        return tuple(entry["shape"])

    def read(self, name: str, rows: int | None = None) -> np.ndarray:
        """The array ``name``, or its first ``rows`` rows."""
        entry = self._entries[name]
        shape, dtype = tuple(entry["shape"]), _DTYPES[entry["dtype"]]
        start, end = entry["data_offsets"]
        if math.prod(shape) * dtype.itemsize != end - start:
            raise FormatError(f"{self.path}: the array {name!r} of shape {shape} does not fill its bytes")
        if rows is not None:
            shape = (min(rows, shape[0]), *shape[1:])
        array = np.empty(shape, dtype=dtype)
        self._fill(array, name, start)
        return array

    def read_into(self, name: str, array: np.ndarray) -> None:
        """Fill ``array``, contiguous, with the array ``name``.

        Raises:
            FormatError: it is not there, or of another type or shape.
        """
        dtype = _NAMES[array.dtype.str[1:]]
        if self.shape(name, dtype, array.ndim) != array.shape:
            found = tuple(self._entries[name]["shape"])
            raise FormatError(f"{self.path}: the array {name!r} must have the shape {array.shape}, got {found}")
        self._fill(array, name, self._entries[name]["data_offsets"][0])
        if array.dtype.newbyteorder("<") != array.dtype:
            array.byteswap(inplace=True)

    def _fill(self, array: np.ndarray, name: str, start: int) -> None:
        with open(self.path, "rb") as file:
            file.seek(self._start + start)
            if file.readinto(array.reshape(-1).data) != array.nbytes:
                raise FormatError(f"{self.path}: the array {name!r} was cut short")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} is none of its types")
