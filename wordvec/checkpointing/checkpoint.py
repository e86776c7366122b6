"""Checkpoints: a file that holds all of a training under way, so that it goes on to the same bytes.

A checkpoint is a safetensors file of the engine's arrays, whatever they are. Its metadata name the run it belongs to
(settings, digests of the corpus and of the vectors that were continued from, how the best epoch is chosen) and how far
it was. It is written beside and renamed: whoever is killed while writing leaves the one before.
"""

import hashlib
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wordvec.checkpointing.clock import Clock
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import FormatError, InputError
from wordvec.formats import safetensors
from wordvec.formats.registry import describe
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.atomic_files import check_target, remove_leftovers
from wordvec.vectors.dense import WordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.continuation import grown_vocabulary
from wordvec.word2vec.settings import Word2VecSettings

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from wordvec.count_based.cooccurrence import Cooccurrence
    from wordvec.count_based.settings import GloveSettings, SvdSettings

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
        corpus: EncodedCorpus,
        settings: Word2VecSettings,
        initial: WordVectors | None,
        keeping: Mapping[str, Any],
    ) -> "SavedTraining | None":
        """Take note of what is trained; returns what was saved of it, None where nothing was.

        Args:
            corpus, settings, initial: as for ``train_word2vec``, with settings resolved.
            keeping: what decides which epoch is kept, as JSON can hold it.

        Raises:
            InputError: the file is of another training; the message says what differs.
            FormatError: it is no checkpoint, is damaged, or of another release.
        """
        if self.path is None:
            return None
        words = corpus.vocabulary
        digest = _digest(*pack_tokens(words.tokens), words.counts, corpus.ids, corpus.offsets)
        return self._begin(
            {
                "settings": asdict(settings),
                "keeping": dict(keeping),
                "corpus": {"tokens": len(corpus.ids), "types": len(words), "digest": digest},
                "initial": None if initial is None else _digest_of_vectors(initial),
            }
        )

    def begin_counts(
        self, vocabulary: Vocabulary, counts: "csr_array", settings: Mapping[str, Any]
    ) -> "SavedTraining | None":
        """The same for a training on co-occurrence counts, (V, V), with settings as JSON can hold them."""
        if self.path is None:
            return None
        digest = _digest(
            *pack_tokens(vocabulary.tokens), vocabulary.counts, counts.indptr, counts.indices, counts.data
        )  # fmt: skip
        about = {"counts": int(counts.nnz), "types": len(vocabulary), "digest": digest}
        return self._begin({"settings": dict(settings), "keeping": {}, "corpus": about, "initial": None})

    def _begin(self, run: dict[str, Any]) -> "SavedTraining | None":
        assert self.path is not None
        remove_leftovers(self.path)
        self._run = run
        if self.path.exists():
            return self._open()
        if self._resume:
            _log.info("nothing to resume, %s is not there: training starts from the beginning", self.path)
        return None

    def save(self, arrays: Mapping[str, np.ndarray], reached: Mapping[str, Any]) -> None:
        """Write the arrays, and how far training is; not-a-number is None in there.

        Raises:
            InputError: the disk is full, or the place cannot be written to any more.
        """
        assert self.path is not None
        about = {
            **{"kind": "training", "version": _VERSION, "run": self._run, "reached": _without_nan(reached)},
            "digest": _digest(*arrays.values()),
        }
        try:
            write_tensors(self.path, arrays, "wordvec", about)
        finally:
            self.clock.reset()

    def _open(self) -> "SavedTraining":
        assert self.path is not None
        file = TensorFile(self.path)
        about = file.told("wordvec")
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
        if _digest(*arrays.values()) != self._digest:
            raise FormatError(f"{self._file.path}: the checkpoint is damaged; remove it to start anew")


def finished_training(
    path: str | os.PathLike[str],
    corpus: "EncodedCorpus | Cooccurrence",
    settings: "Word2VecSettings | GloveSettings | SvdSettings",
    initial: WordVectors | None = None,
) -> bool:
    """Whether the vectors that a training would write to ``path`` are there already.

    A ``.safetensors`` file tells by its settings, its words and their counts; the other formats by their size alone.

    Args:
        corpus: what is trained on, a ``Cooccurrence`` for ``GloveSettings`` and ``SvdSettings``.

    Raises:
        InputError: ``path`` holds something else; the message says what differs.

    Example:
        >>> from wordvec import Word2VecSettings, encode_corpus
        >>> finished_training("nowhere.safetensors", encode_corpus(["a b"], min_count=1), Word2VecSettings())
        False
    """
    if not Path(path).is_file():
        return False
    if isinstance(settings, Word2VecSettings):
        wanted = asdict(settings.resolved())
    else:
        wanted = cast("Cooccurrence", corpus).settings.record(settings.model, asdict(settings))
    vocabulary = corpus.vocabulary if initial is None else grown_vocabulary(initial, corpus.vocabulary)
    told = describe(path)
    differences = []
    if told.get("kind") == "vectors" and told["format"] == "safetensors":
        found = safetensors.read_vocabulary(path)
        differences = _settings_that_differ(told["about"]["settings"], wanted)
        if found != vocabulary:
            sizes = _then_and_now(f"{len(found):,} words", f"{len(vocabulary):,} words")
            differences.append(f"the words or their counts are others{sizes}")
    elif (told.get("tokens"), told.get("vector_size")) != (len(vocabulary), settings.vector_size):
        found_size = f"{told.get('tokens')} x {told.get('vector_size')}"
        differences = [f"it is {found_size}, not {len(vocabulary)} x {settings.vector_size}"]
    if differences:
        raise InputError(
            f"there is nothing to resume, and {path} is not what this training leaves: {'; '.join(differences)}. Name "
            "another file, or do not resume to replace it"
        )
    return True


def _digest(*arrays: np.ndarray | None) -> str:
    """Of the arrays' types, lengths and bytes."""
    whole = hashlib.blake2b(digest_size=16)
    for array in arrays:
        if array is not None:
            whole.update(f"{array.dtype.str} {array.shape}\n".encode())
            flat = array.reshape(-1)
            for start in range(0, len(flat), _PIECE):
                whole.update(np.ascontiguousarray(flat[start : start + _PIECE]).data)
    return whole.hexdigest()


def _digest_of_vectors(vectors: WordVectors) -> str:
    return _digest(*pack_tokens(vectors.tokens), vectors.counts, vectors.vectors, vectors.context_vectors)


def _differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a run has otherwise than the one that was saved, in words."""
    words = [
        difference
        for part in ("settings", "keeping")
        for difference in _settings_that_differ(saved.get(part) or {}, now[part])
    ]
    was, wanted = saved.get("corpus") or {}, now["corpus"]
    if was != wanted:
        words.append(f"the text, or what is kept of it, is another{_then_and_now(_size(was), _size(wanted))}")
    if saved.get("initial") != now["initial"]:
        words.append("it continues from other vectors")
    return words


def _size(corpus: Mapping[str, Any]) -> str:
    what = "counts" if "counts" in corpus else "tokens"
    return f"{corpus.get(what, 0):,} {what} of {corpus.get('types', 0):,} types"


def _settings_that_differ(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} was {was.get(name)!r} and is {wanted.get(name)!r}"
        for name in sorted({*was, *wanted})
        if was.get(name) != wanted.get(name)
    ]


def _then_and_now(was: str, wanted: str) -> str:
    return f" ({was} then, {wanted} now)" if was != wanted else ""


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
