"""Checkpoints: the complete state of a training run in a file, from which it resumes with bit-identical results.

A checkpoint is a safetensors file of the engine's arrays. Its metadata identify the run (settings, digests of the
corpus and of the initial vectors, how the best epoch is selected) and its progress. It is replaced atomically: a
process killed while writing leaves the previous checkpoint intact.
"""

import hashlib
import itertools
import logging
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wordvec.checkpointing.clock import Clock
from wordvec.errors import FormatError, InputError
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.atomic_files import check_target, remove_leftovers

_log = logging.getLogger(__name__)

_VERSION = 1
_MOST_NAMED = 5
_PIECE = 1 << 22
"""Array items digested at a time, so that Ctrl-C is handled in between."""


class Checkpoint:
    """The checkpoint file of a run and its saving interval; without a path, nothing is saved.

    Args:
        path: the file.
        seconds: the saving interval.
        resume: continue from the file, if it exists.

    Raises:
        InputError: the path is not writable, or the file exists without ``resume``.
    """

    def __init__(self, path: str | os.PathLike[str] | None, seconds: float, resume: bool) -> None:
        self.path = None if path is None else check_target(path)
        self.clock = Clock("checkpoint_every", seconds if self.path else None)
        self._resume = resume
        self._run: dict[str, Any] = {}
        if resume and self.path is None:
            raise InputError("resume needs a checkpoint; name the checkpoint file")
        self._refuse_existing()

    def begin(
        self,
        settings: Mapping[str, Any],
        data: Mapping[str, int],
        arrays: Iterable[np.ndarray | None],
        *,
        keeping: Mapping[str, Any] | None = None,
        initial: Iterable[np.ndarray | None] | None = None,
    ) -> "SavedTraining | None":
        """Record which run this is and return its saved state, or None if nothing was saved.

        Args:
            settings: resolved and JSON-serializable.
            data: the size of the training data, such as ``{"tokens": N, "types": V}``.
            arrays: the training data; a digest of them identifies the run.
            keeping: the criteria that decide which epoch is kept.
            initial: the arrays that training continues from, or None.

        Raises:
            InputError: the file belongs to another run; the message states what differs.
            InputError: the file has appeared since the start, without ``resume``.
            FormatError: not a checkpoint, damaged, or written by another release.
        """
        if self.path is None:
            return None
        self._refuse_existing()
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
        """Write the arrays and the progress of the training, in which NaN becomes None.

        Raises:
            InputError: the disk is full, or the path is no longer writable.
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

    def _refuse_existing(self) -> None:
        """Raise InputError if the file exists, but is not to be continued from."""
        if self.path is None or self._resume or not self.path.exists():
            return
        if not _is_checkpoint(self.path):
            raise InputError(f"{self.path} exists and is not a checkpoint; name another file for the checkpoint")
        raise InputError(
            f"{self.path} holds the state of an interrupted training; resume it, or remove the file to start again"
        )

    def _open(self) -> "SavedTraining":
        assert self.path is not None
        file = TensorFile(self.path)
        about = file.metadata_of("wordvec")
        if about.get("kind") != "training":
            raise FormatError(f"{self.path}: expected a checkpoint, found {about.get('kind')!r:.40}")
        if about.get("version") != _VERSION or not {"run", "reached", "digest"} <= {*about}:
            raise FormatError(
                f"{self.path}: a checkpoint of another release; finish the training with that release, or remove the "
                "file to start again"
            )
        if not _is_well_formed(about):
            raise FormatError(f"{self.path}: the checkpoint is damaged; remove it to start again")
        differences = _differences(about["run"], self._run)
        if differences:
            raise InputError(
                f"{self.path} belongs to another training: {listed(differences)}. Resume with the original settings "
                "and data, or remove the file to start again"
            )
        return SavedTraining(file, about)


class SavedTraining:
    """An opened checkpoint: its progress (``reached``) and its arrays."""

    def __init__(self, file: TensorFile, about: dict[str, Any]) -> None:
        self._file = file
        self._digest = about["digest"]
        self.reached: dict[str, Any] = about["reached"]

    def rows(self, name: str) -> int:
        """Return the length of the first axis of an array; 0 if there is no array of this name."""
        shape = self._file.described()[name]["shape"] if name in self._file else ()
        return int(shape[0]) if shape else 0

    def spare(self, *names: str) -> dict[str, np.ndarray]:
        """Return room for those of these int64 arrays that are stored: not needed, but part of the digest."""
        return {name: np.empty(self._file.described()[name]["shape"], np.int64) for name in names if name in self._file}

    def damaged(self, reason: object) -> FormatError:
        """Return the error for a value that no training run saves."""
        return FormatError(f"{self._file.path}: the checkpoint is damaged ({reason!s:.200}); remove it to start again")

    def whole(self, name: str, least: int, most: int) -> int:
        """Return an integer of ``reached``.

        Raises:
            FormatError: it is missing, of another type, or out of range.
        """
        value = self.reached.get(name)
        if type(value) is not int or not least <= value <= most:
            raise self.damaged(f"{name} must be in {least:,}..{most:,}, got {value!r:.40}")
        return value

    def number(self, name: str) -> float:
        """Return a number of ``reached``, in which NaN is None.

        Raises:
            FormatError: it is missing or of another type.
        """
        return self._number(name, self.reached.get(name, ...))

    def numbers(self, name: str, count: int, *, missing: bool = True) -> list[float]:
        """Return ``count`` numbers of ``reached``; None, which becomes NaN, is allowed only if ``missing``.

        Raises:
            FormatError: they are missing, of another type, or another number of them.
        """
        values = self.reached.get(name)
        if not isinstance(values, list) or len(values) != count or (None in values and not missing):
            raise self.damaged(f"{name} must be a list of {count:,} numbers")
        return [self._number(name, value) for value in values]

    def _number(self, name: str, value: Any) -> float:
        if value is None:
            return math.nan
        if type(value) not in (int, float) or not math.isfinite(value):
            raise self.damaged(f"{name} must be a number, got {value!r:.40}")
        return float(value)

    def read_into(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Fill the arrays from the stored arrays of the same names.

        Raises:
            FormatError: an array is missing or differs in dtype or shape (written by another release), or is damaged.
        """
        for name, array in arrays.items():
            self._file.read_into(name, array)
        if digest(*arrays.values()) != self._digest:
            raise FormatError(f"{self._file.path}: the checkpoint is damaged; remove it to start again")


def _is_checkpoint(path: Path) -> bool:
    try:
        return TensorFile(path).metadata_of("wordvec").get("kind") == "training"
    except InputError:
        return False


def _is_well_formed(about: Mapping[str, Any]) -> bool:
    """Whether the metadata have the types that ``Checkpoint.save`` writes."""
    run, reached = about["run"], about["reached"]
    if not (isinstance(run, dict) and isinstance(reached, dict) and isinstance(about["digest"], str)):
        return False
    corpus = run.get("corpus")
    parts = all(isinstance(run.get(part, {}), dict) for part in ("settings", "keeping"))
    return parts and isinstance(corpus, dict) and all(type(value) in (int, str) for value in corpus.values())


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
    """Describe how a run differs from the saved one: at most ``_MOST_NAMED`` settings, or only the kind of model."""
    was_model, model = ((run.get("settings") or {}).get("model") for run in (saved, now))
    if was_model != model:
        return [f"model was {was_model!r} and is now {model!r}"]
    words = [
        difference
        for part in ("settings", "keeping")
        for difference in differing_settings(saved.get(part) or {}, now[part])
    ]
    if len(words) > _MOST_NAMED:
        words[_MOST_NAMED:] = [f"and {len(words) - _MOST_NAMED} more"]
    was, wanted = saved.get("corpus") or {}, now["corpus"]
    if was != wanted and ("types" in wanted or not words):  # of networks, the settings choose among the data
        what = "the corpus or its vocabulary differs" if "types" in wanted else "the data differ"
        words.append(f"{what}{then_and_now(_size(was), _size(wanted))}")
    if saved.get("initial") != now["initial"]:
        words.append("the initial vectors differ")
    return words


def _size(corpus: Mapping[str, Any]) -> str:
    sizes = [f"{size:,} {name}" for name, size in sorted(corpus.items()) if isinstance(size, int)]
    return (" of " if "types" in corpus else ", ").join(sizes)


def differing_settings(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return one phrase for each setting that differs, the model first."""
    words = []
    for name in sorted({*was, *wanted}, key=lambda name: (name != "model", name)):
        before, now = was.get(name), wanted.get(name)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            words += differing_settings(before, now)
        elif before != now:
            words.append(f"{name:.40} was {before!r:.40} and is now {now!r:.40}")
    return words


def listed(differences: list[str]) -> str:
    """Join the phrases that fit in an error message, at least one and about 150 characters."""
    fitting = sum(length <= 150 for length in itertools.accumulate(map(len, differences))) or 1
    more = f" and {len(differences) - fitting} more" if len(differences) > fitting else ""
    return "; ".join(differences[:fitting]) + more


def then_and_now(was: str, wanted: str) -> str:
    """Return both values in parentheses, or nothing if they are equal."""
    return f" ({was} then, {wanted} now)" if was != wanted else ""


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
