"""The model file: safetensors with one metadata key of sorted JSON. Everything read is validated; no code is loaded."""

import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from corpora import TOKENIZERS
from seqclf.layers.choices import CELLS, HEADS, MERGES, POOLINGS, RESETS
from wordvec import FormatError, InputError, Vocabulary
from wordvec.system.atomic_files import check_regular, replacing
from wordvec.system.settings import Settings
from wordvec.system.structures import check_offsets
from wordvec.system.tensor_bytes import read_array, read_header

VERSION = 1
_KEY = "seqclf"
_MOST_DIGITS = 100
KINDS = {
    "model": "a text classifier",
    "multi-label model": "a multi-label classifier",
    "tagger": "a tagger",
    "language model": "a language model",
    "forecaster": "a forecaster",
    "regressor": "a regressor",
    "transducer": "a sequence-to-sequence model",
    "vector transducer": "a decoder of vectors",
    "vector classifier": "a classifier of vectors",
}
"""Kinds of models, by their name in the header."""
FASTTEXT = "fastText classifier"
"""The kind of a supervised model of fastText, which is not written here."""
_WRITERS = {
    "model": "classify-text train",
    "multi-label model": "classify-text train --multi-label",
    "tagger": "tag-text train",
    "language model": "language-model train",
    "forecaster": "forecast train",
    "regressor": "RegressorModel.save",
    FASTTEXT: "fasttext.train_supervised",
    "transducer": "transduce train",
    "vector transducer": "SequenceFromVector.save",
    "vector classifier": "SequenceClassifier.save",
}

Rules: TypeAlias = Mapping[str, tuple[type, str, Callable[[Any], object]]]
"""For each key of a header: the type of its value, the rule in words, and a function that checks the rule."""


def _at_least_1(value: int) -> bool:
    return value >= 1


def _is_rate(value: float) -> bool:
    return 0 <= value < 1


def _always(value: object) -> bool:
    return True


def _are_labels(value: list[Any]) -> bool:
    kinds = {type(label) for label in value}
    return kinds <= {str, int, float, bool} and len(kinds) == 1 and len(set(value)) == len(value) >= 2


TRAINING_RULES: Rules = {
    "settings": (dict, "an object", _always),
    "metrics": (dict, "an object", _always),
    "history": (list, "a list of objects", lambda value: all(isinstance(row, dict) for row in value)),
}
"""Keys of every model's header."""
ENCODER_RULES: Rules = {
    "cell": (str, f"one of {', '.join(CELLS)}", CELLS.__contains__),
    "reset": (str, f"one of {', '.join(RESETS)}", RESETS.__contains__),
    "merge": (str, f"one of {', '.join(MERGES)}", MERGES.__contains__),
    "layers": (int, "at least 1", _at_least_1),
    "zoneout": (float, "at least 0 and below 1", _is_rate),
    "zoneout_cell": (float, "at least 0 and below 1", _is_rate),
    "bidirectional": (bool, "true or false", _always),
    "hidden_size": (int, "at least 1", _at_least_1),
}
"""Keys that describe an encoder."""
OTHER_RULES: Rules = {
    "pooling": (str, f"one of {', '.join(POOLINGS)}", POOLINGS.__contains__),
    "head": (str, f"one of {', '.join(HEADS)}", HEADS.__contains__),
    "tied": (bool, "true or false", _always),
    "tokenizer": (str, "the name of a tokenizer", TOKENIZERS.__contains__),
    "lowercase": (bool, "true or false", _always),
    "labels": (list, "at least two different labels", _are_labels),
}
"""Keys that some models have."""


def header_rules(*keys: str) -> Rules:
    """Return the rules of a model's header: those of ``TRAINING_RULES`` and those of the given keys."""
    return {**TRAINING_RULES, **{key: {**ENCODER_RULES, **OTHER_RULES}[key] for key in keys}}


def write_model(
    path: str | os.PathLike[str],
    tensors: Mapping[str, np.ndarray],
    header: Mapping[str, Any],
    *,
    kind: str = "model",
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write a model atomically; equal content gives equal bytes.

    Args:
        path, tensors, header: the file, its arrays and its metadata.
        kind: one of ``KINDS``.
        origin: the training data and the versions; JSON-serializable.
    """
    from safetensors.numpy import save

    full = {"kind": kind, "version": VERSION, **header, **({"origin": dict(origin)} if origin else {})}
    # One key: safetensors writes several in random order (its issue 584).
    metadata = {_KEY: json.dumps(full, sort_keys=True, ensure_ascii=False, allow_nan=False)}
    content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, metadata=metadata)
    with replacing(path) as file:
        file.write(content)


def check_kind(name: str, kind: str, what: str, kinds: Sequence[str]) -> None:
    """Raise FormatError if the file ``name``, which holds ``what``, is not of one of ``kinds``; none accepts all."""
    if kind == "multi-label model" and kinds == ("model",):
        raise FormatError(
            f"{name} holds {what}, not a classifier of one label per text; pass a model trained without --multi-label"
        )
    if kinds and kind not in kinds:
        wanted = KINDS.get(kinds[0], "a classifier of fastText")
        raise FormatError(f"{name} holds {what}, not {wanted}; {_advice(kinds)}")


def _advice(kinds: Sequence[str]) -> str:
    return f"pass a file that {_WRITERS[kinds[0]] if kinds else 'a train command'} wrote"


def read_model(path: str | os.PathLike[str], kinds: Sequence[str] = ()) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return tensors and header of a model file of one of the given kinds, or of any kind.

    Raises:
        FormatError: not a model file, truncated, word vectors, another kind, or a version this program cannot read.
        InputError: the file is missing or a directory.
    """
    name, advice = str(path), _advice(kinds)
    if not os.path.exists(path):
        raise InputError(f"{name} does not exist")
    if os.path.isdir(path):
        raise InputError(f"{name} is a directory; pass a model file")
    check_regular(path)
    try:
        with open(name, "rb", buffering=0) as file:  # one descriptor: the file may be replaced meanwhile
            stored = read_header(file, os.fstat(file.fileno()).st_size)
            metadata = stored.metadata
            _check_program(name, metadata, advice)
            tensors = {key: read_array(file, stored, key) for key in stored.entries}
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name} is not a model file, or it is truncated ({error!s:.200}); {advice}") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from None
    try:
        header = json.loads(metadata[_KEY], parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name} is damaged: its header is not valid JSON ({error!s:.80})") from None
    if not isinstance(header, dict) or header.get("kind") not in list(KINDS):
        raise FormatError(f"{name} is damaged: its header does not name a kind of model")
    check_kind(name, header["kind"], KINDS[header["kind"]], kinds)
    if header.get("version") != VERSION:
        raise FormatError(
            f"{name} has format version {header.get('version')!r:.40}, but this program reads version {VERSION}; "
            "upgrade it"
        )
    if not isinstance(header.get("origin", {}), dict):
        raise FormatError(f"{name} is damaged: 'origin' in its header must be an object")
    return tensors, header


def _parse_int(digits: str) -> int:
    """Parse a JSON integer; sizes computed from far longer ones could not even be printed."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _check_program(name: str, metadata: Mapping[str, str], advice: str) -> None:
    if _KEY in metadata:
        return
    if "wordvec" in metadata:
        training = '"kind":"training"' in metadata["wordvec"]
        what = "the state of an interrupted training" if training else "word vectors"
        raise FormatError(f"{name} holds {what}, not a model; {advice}")
    raise FormatError(f"{name} is a safetensors file from another program; {advice}")


S = TypeVar("S", bound=Settings)


def read_settings(name: str, kind: type[S], record: Mapping[str, Any]) -> S:
    """Return the settings in the header of the file ``name``; missing ones take their defaults.

    Raises:
        FormatError: a setting is unknown or out of range.
    """
    try:
        return kind.from_record(record)
    except InputError as error:
        raise FormatError(f"{name} is damaged or from a newer release: {error!s:.200}") from None


def check_layers(name: str, layers: int, tensors: Mapping[str, np.ndarray]) -> None:
    """Raise FormatError if a file claims more layers than it has tensors, before anything of that size is allocated."""
    if layers > len(tensors):
        raise FormatError(f"{name} is damaged: {layers:,} layers, but {len(tensors)} tensors")


def read_table(name: str, tensors: Mapping[str, np.ndarray], key: str = "embedding") -> np.ndarray:
    """Return an embedding table (V, E) of a file.

    Raises:
        FormatError: it is missing or not two-dimensional.
    """
    table = tensors.get(key)
    if table is None or table.ndim != 2:
        raise FormatError(f"{name} is damaged: it has no {key} table")
    return table


def check_header(name: str, header: Mapping[str, Any], rules: Rules) -> None:
    """Check a header against rules.

    Args:
        name: of the file.
        header: as returned by ``read_model``.
        rules: see ``Rules``.

    Raises:
        FormatError: a value is missing, has another type, or breaks its rule.
    """
    for key, (kind, rule, good) in rules.items():
        value = header.get(key)
        if type(value) is not kind or not good(value):
            raise FormatError(f"{name} is damaged or from a newer release: {key} must be {rule}, got {value!r:.80}")


def check_tensors(
    name: str,
    tensors: Mapping[str, np.ndarray],
    weights: Mapping[str, tuple[int, ...]],
    *others: str,
    numbers: Mapping[str, tuple[int, ...]] | None = None,
) -> None:
    """Check that a file holds exactly the expected tensors, and that all numbers are finite.

    Args:
        name, tensors: the file and its tensors.
        weights: shapes of nonempty float32 tensors. numbers: of float64 tensors.
        others: names of tensors that are checked elsewhere.

    Raises:
        FormatError: a tensor is missing, unexpected, of another dtype or shape, or not finite.
    """
    expected: dict[str, tuple[Any, tuple[int, ...], bool]]
    expected = {key: (np.dtype(np.float32), shape, 0 not in shape) for key, shape in weights.items()}
    expected |= {key: (np.dtype(np.float64), shape, True) for key, shape in (numbers or {}).items()}
    wanted = {*expected, *others}
    if tensors.keys() != wanted:
        missing, extra = sorted(wanted - tensors.keys()), sorted(tensors.keys() - wanted)
        raise FormatError(
            f"{name} is damaged: missing tensors {missing or 'none'!s:.120}, unexpected {extra or 'none'!s:.120}"
        )
    for key, (dtype, shape, good) in expected.items():
        array = tensors[key]
        if array.dtype != dtype or array.shape != shape or not good:
            raise FormatError(
                f"{name} is damaged: {key} must be {dtype} {shape!s:.80}, got {array.dtype} {array.shape}"
            )
        if not np.isfinite(array).all():
            raise FormatError(f"{name} is damaged: {key} has values that are not finite")


def read_vocabulary(name: str, tensors: Mapping[str, np.ndarray], rows: int, prefix: str = "token") -> Vocabulary:
    """Return the vocabulary of ``rows`` words written by ``join_tokens``, with ``token_counts`` if present.

    Raises:
        FormatError: it is inconsistent.
    """
    tokens = split_tokens(name, tensors[f"{prefix}_bytes"], tensors[f"{prefix}_offsets"])
    if len(tokens) != rows:
        raise FormatError(f"{name} is damaged: expected {rows:,} {prefix}s, found {len(tokens):,}")
    try:
        return Vocabulary(tokens, tensors.get(f"{prefix}_counts"))
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None


def join_tokens(tokens: list[str], prefix: str = "token") -> dict[str, np.ndarray]:
    """Return token_bytes (bytes,) uint8, the concatenated tokens in UTF-8, and token_offsets (V + 1,) int64."""
    encoded = [token.encode() for token in tokens]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(token) for token in encoded], out=offsets[1:])
    joined = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return {f"{prefix}_bytes": joined, f"{prefix}_offsets": offsets}


def split_tokens(name: str, token_bytes: np.ndarray, token_offsets: np.ndarray) -> list[str]:
    """Undo :func:`join_tokens`.

    Raises:
        FormatError: the offsets do not match the bytes, or the bytes are not UTF-8.
    """
    if token_bytes.dtype != np.uint8 or token_offsets.dtype != np.int64 or token_bytes.ndim != 1:
        raise FormatError(f"{name} is damaged: its token offsets do not match its token bytes")
    try:
        check_offsets("its token offsets", token_offsets, token_bytes.size, strictly=True)
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None
    content, bounds = token_bytes.tobytes(), token_offsets.tolist()
    try:
        return [content[start:stop].decode() for start, stop in itertools.pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is damaged: a token is not UTF-8 ({error.reason})") from None
