"""Checkpoints: a file that holds all of a training under way, so that it goes on to the same bytes.

A checkpoint is a safetensors file of the engine's arrays, whatever they are. Its metadata name the run it belongs to
(settings, digests of the corpus and of the vectors that were continued from, how the best epoch is chosen) and how far
it was. It is written beside and renamed: whoever is killed while writing leaves the one before.
"""

import hashlib
import logging
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from wordvec.checkpointing.clock import Clock
from wordvec.errors import FormatError, InputError
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.atomic_files import check_target, remove_leftovers

_log = logging.getLogger(__name__)

_VERSION = 1
_PIECE = 1 << 22
"""Numbers digested at a time, so that Ctrl-C is heard in between."""


class Checkpoint:
    """Where a training is saved to, and how often; without a path it never is.

    Args:
        path: the file.
        seconds: from one time to the next.
        resume: go on from the file, if it is there.

    Raises:
        InputError: the place cannot be written to, or a file is there that is not to be gone on from.
    """

    def __init__(self, path: str | os.PathLike[str] | None, seconds: float, resume: bool) -> None:
        self.path = None if path is None else check_target(path)
        self.clock = Clock("checkpoint_every", seconds if self.path else None)
        self._resume = resume
        self._run: dict[str, Any] = {}
        if resume and self.path is None:
            raise InputError("to resume, name the checkpoint to go on from")
        if self.path is not None and self.path.exists() and not resume:
            raise InputError(
                f"{self.path} holds the state of an interrupted training; resume that, or remove the file to start anew"
            )

    def begin(
        self,
        settings: Mapping[str, Any],
        data: Mapping[str, int],
        arrays: Iterable[np.ndarray | None],
        *,
        keeping: Mapping[str, Any] | None = None,
        initial: Iterable[np.ndarray | None] | None = None,
    ) -> "SavedTraining | None":
        """Record which run this is; returns the state saved for it, or None if nothing was saved.

        Args:
            settings: resolved, as JSON can hold them.
            data: the size of the training data, such as ``{"tokens": N, "types": V}``.
            arrays: the training data; a digest of them identifies the run.
            keeping: what decides which epoch is kept.
            initial: the arrays that training continues from, or None.

        Raises:
            InputError: the file belongs to another run; the message states what differs.
            FormatError: not a checkpoint, damaged, or written by another release.
        """
        if self.path is None:
            return None
        remove_leftovers(self.path)
        self._run = {
            "settings": dict(settings),
            "keeping": dict(keeping or {}),
            "corpus": {**data, "digest": digest(*arrays)},
            "initial": None if initial is None else digest(*initial),
        }
        if self.path.exists():
            return self._open()
        if self._resume:
            _log.info("no checkpoint at %s: training starts from the beginning", self.path)
        return None

    def save(self, arrays: Mapping[str, np.ndarray], reached: Mapping[str, Any]) -> None:
        """Write the arrays, and how far training is; not-a-number is None in there.

        Raises:
            InputError: the disk is full, or the place cannot be written to any more.
        """
        assert self.path is not None
        about = {
            **{"kind": "training", "version": _VERSION, "run": self._run, "reached": _without_nan(reached)},
            "digest": digest(*arrays.values()),
        }
        try:
            write_tensors(self.path, arrays, "wordvec", about)
        finally:
            self.clock.reset()

    def _open(self) -> "SavedTraining":
        assert self.path is not None
        file = TensorFile(self.path)
        about = file.metadata_of("wordvec")
        if about.get("kind") != "training":
            raise FormatError(f"{self.path}: expected a checkpoint, found {about.get('kind')!r}")
        if about.get("version") != _VERSION or not {"run", "reached", "digest"} <= {*about}:
            raise FormatError(
                f"{self.path}: a checkpoint of another release; end the training with that one, or remove the file to "
                "start anew"
            )
        differences = _differences(about["run"], self._run)
        if differences:
            raise InputError(
                f"{self.path} is of another training: {'; '.join(differences)}. Go on as it was started, or remove "
                "the file to start anew"
            )
        return SavedTraining(file, about)


class SavedTraining:
    """An opened checkpoint: how far it ``reached``, and its arrays."""

    def __init__(self, file: TensorFile, about: dict[str, Any]) -> None:
        self._file = file
        self._digest = about["digest"]
        self.reached: dict[str, Any] = about["reached"]

    def rows(self, name: str) -> int:
        """The length of the first axis of an array; 0 where there is none of this name."""
        return int(self._file.described()[name]["shape"][0]) if name in self._file else 0

    def read_into(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Fill the arrays, each of which must be there with the same type and shape.

        Raises:
            FormatError: one is not, because another release wrote the file, or the file is damaged.
        """
        for name, array in arrays.items():
            self._file.read_into(name, array)
        if digest(*arrays.values()) != self._digest:
            raise FormatError(f"{self._file.path}: the checkpoint is damaged; remove it to start anew")


def digest(*arrays: np.ndarray | None) -> str:
    """Return a digest of the arrays' dtypes, shapes and bytes; None is skipped."""
    whole = hashlib.blake2b(digest_size=16)
    for array in arrays:
        if array is not None:
            whole.update(f"{array.dtype.str} {array.shape}\n".encode())
            flat = array.reshape(-1)
            for start in range(0, len(flat), _PIECE):
                whole.update(np.ascontiguousarray(flat[start : start + _PIECE]).data)
    return whole.hexdigest()


def _differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run has otherwise than the one that was saved, in words."""
    words = [
        difference
        for part in ("settings", "keeping")
        for difference in differing_settings(saved.get(part) or {}, now[part])
    ]
    was, wanted = saved.get("corpus") or {}, now["corpus"]
    if was != wanted:
        words.append(f"the text, or what is kept of it, is another{then_and_now(_size(was), _size(wanted))}")
    if saved.get("initial") != now["initial"]:
        words.append("it continues from other vectors")
    return words


def _size(corpus: Mapping[str, Any]) -> str:
    what = "counts" if "counts" in corpus else "tokens"
    return f"{corpus.get(what, 0):,} {what} of {corpus.get('types', 0):,} types"


def differing_settings(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return one phrase for each setting that differs."""
    return [
        f"{name} was {was.get(name)!r} and is {wanted.get(name)!r}"
        for name in sorted({*was, *wanted})
        if was.get(name) != wanted.get(name)
    ]


def then_and_now(was: str, wanted: str) -> str:
    """Return both values in parentheses, or nothing if they are equal."""
    return f" ({was} then, {wanted} now)" if was != wanted else ""


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
