"""Recognizing the output of a run that has already finished."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from wordvec.checkpointing.checkpoint import differing_settings, listed, then_and_now
from wordvec.errors import InputError
from wordvec.formats import safetensors
from wordvec.formats.registry import describe
from wordvec.vocabulary import Vocabulary


class _Settings(Protocol):
    @property
    def vector_size(self) -> int: ...

    def file_record(self) -> dict[str, Any]: ...


class _HasVocabulary(Protocol):
    @property
    def vocabulary(self) -> Vocabulary: ...


def finished_training(
    path: str | os.PathLike[str],
    corpus: _HasVocabulary,
    settings: _Settings,
    initial: _HasVocabulary | None = None,
    phrases: Mapping[str, Any] | None = None,
    continuation: Mapping[str, Any] | None = None,
) -> bool:
    """Return whether ``path`` already holds the dense vectors that a training run would write.

    A ``.safetensors`` file is recognized by its settings, its words and their counts; other formats by their size only.

    Args:
        path: the output file.
        corpus: the training data.
        settings: ``Word2VecSettings``, or ``CountBasedSettings`` of a dense model.
        initial: the vectors that training continues from.
        phrases: the settings of the phrases that were joined in the corpus.
        continuation: the record of how training continues from ``initial``.

    Raises:
        InputError: ``path`` holds something else; the message states what differs.

    Example:
        >>> from wordvec import Word2VecSettings, encode_corpus
        >>> finished_training("nowhere.safetensors", encode_corpus(["a b"], min_count=1), Word2VecSettings())
        False
    """
    if not Path(path).is_file():
        return False
    vocabulary = corpus.vocabulary if initial is None else initial.vocabulary.merged(corpus.vocabulary)
    found = describe(path)
    differences = []
    if found.get("kind") == "vectors" and found["format"] == "safetensors":
        words = safetensors.read_vocabulary(path)
        wanted = settings.file_record() | ({"phrases": phrases} if phrases else {}) | dict(continuation or {})
        differences = differing_settings(found["about"]["settings"], wanted)
        if words != vocabulary:
            sizes = then_and_now(f"{len(words):,} words", f"{len(vocabulary):,} words")
            differences.append(f"the words or their counts differ{sizes}")
    elif (found.get("tokens"), found.get("vector_size")) != (len(vocabulary), settings.vector_size):
        size = f"{found.get('tokens')} x {found.get('vector_size')}"
        differences = [f"it is {size}, not {len(vocabulary)} x {settings.vector_size}"]
    if differences:
        raise InputError(
            f"no checkpoint found, and {path} was not produced by this run: {listed(differences)}. Use another "
            "output file, or omit resume to replace it"
        )
    return True
