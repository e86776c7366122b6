"""The model file: safetensors with one metadata key of sorted JSON. Nothing in it is trusted, nothing in it can run."""

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wordvec import FormatError, InputError, replacing

VERSION = 1
_KEY = "seqclf"


def write_model(path: str | os.PathLike[str], tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write a model; the file takes its place only when it is complete. The same content gives the same bytes."""
    from safetensors.numpy import save

    described = {"kind": "model", "version": VERSION, **header}
    # One key: safetensors writes several in random order (its issue 584).
    metadata = {_KEY: json.dumps(described, sort_keys=True, ensure_ascii=False, allow_nan=False)}
    content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, metadata=metadata)
    with replacing(path) as file:
        file.write(content)


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and header of a model file.

    Raises:
        FormatError: it is no model: random bytes, cut short, word vectors, or a version this one cannot read.
        InputError: it is missing or a directory.
    """
    from safetensors import SafetensorError, safe_open

    name = str(path)
    if not Path(path).exists():
        raise InputError(f"{name} does not exist")
    if Path(path).is_dir():
        raise InputError(f"{name} is a directory; name a model file")
    try:
        with safe_open(name, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_kind(name, metadata)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{name} is not a model file, or it is cut short ({error}); pass a file that classify-text train wrote"
        ) from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from None
    try:
        header = json.loads(metadata[_KEY])
    except (json.JSONDecodeError, RecursionError):
        raise FormatError(f"{name} is damaged: its description is not JSON") from None
    if not isinstance(header, dict) or header.get("kind") != "model":
        raise FormatError(f"{name} is damaged: its description does not say that it is a model")
    if header.get("version") != VERSION:
        raise FormatError(
            f"{name} is a model of version {header.get('version')!r}, this program reads version {VERSION}; update it"
        )
    return tensors, header


def _check_kind(name: str, metadata: Mapping[str, str]) -> None:
    if _KEY in metadata:
        return
    if "wordvec" in metadata:
        raise FormatError(f"{name} holds word vectors, not a model; pass a file that classify-text train wrote")
    raise FormatError(f"{name} is a safetensors file of another program; pass a file that classify-text train wrote")


def join_tokens(tokens: list[str]) -> dict[str, np.ndarray]:
    """token_bytes (bytes,) uint8, all tokens in UTF-8 end to end, and token_offsets (V + 1,) int64."""
    encoded = [token.encode() for token in tokens]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(token) for token in encoded], out=offsets[1:])
    return {"token_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8), "token_offsets": offsets}


def split_tokens(name: str, token_bytes: np.ndarray, token_offsets: np.ndarray) -> list[str]:
    """Undo :func:`join_tokens`.

    Raises:
        FormatError: offsets that do not fit the bytes, or bytes that are not UTF-8.
    """
    fits = token_bytes.dtype == np.uint8 and token_offsets.dtype == np.int64 and token_offsets.ndim == 1
    fits = fits and token_bytes.ndim == 1 and token_offsets.size > 0 and token_offsets[0] == 0
    if not fits or token_offsets[-1] != token_bytes.size or (np.diff(token_offsets) < 1).any():
        raise FormatError(f"{name} is damaged: its token offsets do not fit its token bytes")
    content, bounds = token_bytes.tobytes(), token_offsets.tolist()
    try:
        return [content[start:stop].decode() for start, stop in itertools.pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is damaged: a token is not UTF-8 ({error.reason})") from None
