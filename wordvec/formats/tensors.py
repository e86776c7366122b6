"""Reading and writing safetensors files without a second copy in memory.

The header is validated on opening (sizes, offsets, no holes); the bytes are then read directly into the destination
array, through the same descriptor. The safetensors library's reader memory-maps the file and copies, which doubles
memory use; its writer orders multiple metadata keys randomly.
"""

import json
import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.system.atomic_files import check_regular, replacing
from wordvec.system.tensor_bytes import DTYPES, fill, read_array, read_header

_NAMES = {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8", "u1": "U8"}


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

    All is read through one descriptor, hence from one file even if another one replaces it.

    Args:
        path: the file.
        file: the same file, if it is already open; it is not closed.

    Raises:
        FormatError: not a safetensors file, or truncated.
        InputError: the file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], file: IO[bytes] | None = None) -> None:
        self.path = Path(path)
        try:
            if file is None:
                check_regular(path)
                file = open(self.path, "rb", buffering=0)  # noqa: SIM115 - it stays open
                weakref.finalize(self, file.close)
            self._file = file
            self._header = read_header(file, os.fstat(file.fileno()).st_size)
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path}: not a safetensors file, or truncated ({error!s:.200})") from None
        self.metadata = self._header.metadata
        self._entries = self._header.entries

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
            if "seqclf" in self.metadata:
                message = "holds a model of seqclf (wordvec info shows it), not vectors, phrases or counts"
                raise FormatError(f"{self.path} {message}") from None
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
                f"got {entry['dtype']} of shape {tuple(entry['shape'])!s:.80}"
            )
        return tuple(entry["shape"])

    def read(self, name: str, rows: int | None = None) -> np.ndarray:
        """Read the array ``name``, or its first ``rows`` rows."""
        with self._reporting():
            return read_array(self._file, self._header, name, rows)

    def mapped(self, name: str) -> np.ndarray:
        """Return the array ``name`` as a read-only map of the file, whose pages are read when they are used."""
        entry = self._entries[name]
        start = self._header.start + entry["data_offsets"][0]
        with self._reporting():
            return np.memmap(self._file, DTYPES[entry["dtype"]], "r", start, tuple(entry["shape"]))

    def read_into(self, name: str, array: np.ndarray) -> None:
        """Read the array ``name`` into the contiguous ``array``.

        Raises:
            FormatError: the stored array is missing, or has another dtype or shape.
        """
        dtype = _NAMES[array.dtype.str[1:]]
        if self.shape(name, dtype, array.ndim) != array.shape:
            found = tuple(self._entries[name]["shape"])
            raise FormatError(f"{self.path}: array {name!r} must have shape {array.shape}, got {found}")
        with self._reporting():
            fill(self._file, self._header, name, array)
        if array.dtype.newbyteorder("<") != array.dtype:
            array.byteswap(inplace=True)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise FormatError(f"{self.path}: {error}") from None
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} is not JSON-serializable")
