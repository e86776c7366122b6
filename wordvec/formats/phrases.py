"""Phrase file: safetensors with the phrases of each pass.

=================== ================ ======================================================================
``scores``          F64 (P,)         score of each phrase, the phrases of the first pass first
``parts``           I32              the words of all phrases
``part_offsets``    I64 (P + 1,)     phrase p is ``parts[part_offsets[p]:part_offsets[p + 1]]``
``pass_offsets``    I64              pass k has the phrases ``pass_offsets[k]`` .. ``pass_offsets[k + 1]``
``token_bytes``     U8               the concatenated words as UTF-8
``token_offsets``   I64 (W + 1,)     word w is ``token_bytes[token_offsets[w]:token_offsets[w + 1]]``
=================== ================ ======================================================================

The metadata key ``wordvec`` is sorted JSON: kind, version, tokenizer, lowercase, settings.
"""

import os
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.safetensors import check_about, pack_tokens, read_words
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.structures import check_ids, check_offsets

KIND = "phrases"
VERSION = 1


def write(
    passes: Sequence[Mapping[tuple[str, ...], float]], about: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    """Write the phrases of each pass; ``about``: tokenizer, lowercase and settings.

    Raises:
        InputError: the path is not writable.
    """
    phrases = [*chain.from_iterable(passes)]
    number = {word: k for k, word in enumerate(dict.fromkeys(chain.from_iterable(phrases)))}
    token_bytes, token_offsets = pack_tokens(list(number))
    tensors: dict[str, np.ndarray] = {
        "scores": np.array([*chain.from_iterable(found.values() for found in passes)], np.float64),
        "parts": np.array([number[word] for words in phrases for word in words], np.int32),
        "part_offsets": np.cumsum([0, *map(len, phrases)]),
        "pass_offsets": np.cumsum([0, *map(len, passes)]),
        "token_bytes": token_bytes,
        "token_offsets": token_offsets,
    }
    write_tensors(path, tensors, "wordvec", {"kind": KIND, "version": VERSION, **about})


def read(path: str | os.PathLike[str]) -> tuple[list[dict[tuple[str, ...], float]], dict[str, Any]]:
    """Read the phrases of each pass and the metadata.

    Raises:
        FormatError: not a phrase file, truncated, or inconsistent.
        InputError: the file does not exist or cannot be read.
    """
    file = TensorFile(path)
    about = check_about(file, KIND, VERSION)
    (size,) = file.shape("scores", "F64", 1)
    (words,) = file.shape("token_offsets", "I64", 1)
    for name, dtype in (("token_bytes", "U8"), ("parts", "I32"), ("part_offsets", "I64"), ("pass_offsets", "I64")):
        file.shape(name, dtype, 1)
    if words < 1:
        raise FormatError(f"{path}: token_offsets must start with 0; the file is damaged")
    tokens = read_words(file, words - 1, None).tokens
    scores, parts = file.read("scores"), file.read("parts")
    part_offsets, pass_offsets = file.read("part_offsets"), file.read("pass_offsets")
    try:
        check_ids("parts", parts, len(tokens))
        check_offsets("part_offsets", part_offsets, len(parts))
        check_offsets("pass_offsets", pass_offsets, size)
        if len(part_offsets) != size + 1:
            raise InputError(f"part_offsets must have {size + 1:,} values, got {len(part_offsets):,}")
        if size and np.diff(part_offsets).min() < 2:
            raise InputError("a phrase must have at least 2 words")
        if not np.isfinite(scores).all():
            raise InputError("scores must be finite")
    except InputError as error:
        raise FormatError(f"{path}: {error}; the file is damaged") from None
    spelled = [tokens[word] for word in parts.tolist()]
    phrases = [tuple(spelled[start:end]) for start, end in pairwise(part_offsets.tolist())]
    scored = [*zip(phrases, scores.tolist(), strict=True)]
    passes = [dict(scored[start:end]) for start, end in pairwise(pass_offsets.tolist())]
    if sum(map(len, passes)) != size:
        raise FormatError(f"{path}: a phrase occurs twice; the file is damaged")
    return passes, about
