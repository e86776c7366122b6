"""Folder of a sentence-transformers model with one StaticEmbedding module: the mean of the words' vectors of a text.

``modules.json`` names the module's folder, which has ``model.safetensors``, the array ``embedding.weight`` (V + 1, D),
and ``tokenizer.json``, read by the tokenizers library. The last row is that of unknown words, zero: they change the
length of a mean and not its direction.
"""

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from corpora.encodings import UTF8
from wordvec.errors import FormatError, InputError
from wordvec.formats.rows import Rows
from wordvec.formats.table import VectorTable
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.atomic_files import check_target, replacing

_log = logging.getLogger(__name__)

_MODULES, _NAMES = "modules.json", ("0_StaticEmbedding", "1_StaticEmbedding")
"""The list of modules, and the folder of the only one: of a folder that is replaced, the name that is not in use."""
_TYPE = "sentence_transformers.models.StaticEmbedding"
_CONFIG = "config_sentence_transformers.json"
_TENSORS, _TOKENIZER = "model.safetensors", "tokenizer.json"
_ARRAYS = ("embedding.weight", "embeddings")
_WORDS = r"\d+(?:[.,]\d+)+|\w[\w\p{M}]*(?:['\x{200c}\x{200d}][\w\p{M}]+)*"
"""The tokenizer ``words`` as a regular expression of the tokenizers library (Oniguruma)."""


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is the folder of a sentence-transformers model."""
    return os.path.isfile(os.path.join(path, _MODULES))  # False where a path cannot exist


def read(
    path: str | os.PathLike[str], limit: int | None, words: frozenset[str] | None = None, skip_bad: bool = False
) -> VectorTable:
    """Read the vectors of a folder, and how texts were split, as far as it is known here.

    Raises:
        FormatError: no StaticEmbedding module, or its files are damaged or contradict each other.
    """
    module = _module(Path(path))
    file = TensorFile(module / _TENSORS)
    name = next((each for each in _ARRAYS if each in file), None)
    if name is None:
        raise FormatError(f"{file.path}: no array {' or '.join(_ARRAYS)}")
    vectors = file.read(name)
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise FormatError(f"{file.path}: {name} must be a matrix of numbers, got shape {vectors.shape}")
    stored = _json(module / _TOKENIZER)
    tokens, unknown = _tokens(module / _TOKENIZER, stored, len(vectors))
    if _is_left_out(unknown, tokens, vectors):
        kept = [row for row, token in enumerate(tokens) if token != unknown]
        tokens, vectors = [tokens[row] for row in kept], vectors[kept]
    if not np.isfinite(vectors).all():
        raise FormatError(f"{file.path}: {name} contains NaN or infinity")
    rows = Rows(str(path), vectors.shape[1], 0, skip_bad, UTF8, words)
    rows.add_named(tokens[:limit], vectors[:limit].astype(np.float32, copy=False))
    table = rows.finish()
    normalizers = {each["type"]: each for each in _parts(stored.get("normalizer"), "normalizers")}
    splitters = {each["type"] for each in _parts(stored.get("pre_tokenizer"), "pretokenizers")}
    return VectorTable(
        table.vocabulary,
        table.vectors,
        tokenizer="whitespace" if splitters <= {"WhitespaceSplit"} else "words",
        lowercase="Lowercase" in normalizers or bool(normalizers.get("BertNormalizer", {}).get("lowercase")),
        normalize=next((form for form in ("NFC", "NFKC") if form in normalizers), "none"),
    )


def declared(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return the numbers of words, as ``read`` returns them, and of columns."""
    module = _module(Path(path))
    file = TensorFile(module / _TENSORS)
    shapes = {name: each["shape"] for name, each in file.described().items() if name in _ARRAYS}
    if len(shapes) != 1 or any(len(shape) != 2 for shape in shapes.values()):
        raise FormatError(f"{file.path}: no matrix {' or '.join(_ARRAYS)}")
    [(name, (size, vector_size))] = shapes.items()
    tokens, unknown = _tokens(module / _TOKENIZER, _json(module / _TOKENIZER), size)
    return size - _is_left_out(unknown, tokens, file.mapped(name)), vector_size


def _is_left_out(unknown: Any, tokens: list[str], vectors: np.ndarray) -> bool:
    """Whether the token of unknown words has a row of zeros, which is no vector."""
    return unknown in tokens and not vectors[tokens.index(unknown)].any()


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write the vectors to a folder, which is made if it does not exist.

    An existing model is replaced when ``modules.json`` is: until then, the new files are next to its own.

    Raises:
        InputError: the folder holds something else, or cannot be written to.
    """
    folder = Path(path)
    if folder.exists() and not is_folder(folder) and (not folder.is_dir() or any(map(_is_other, folder.iterdir()))):
        raise InputError(f"{folder} exists and is not a model of sentence-transformers; give another folder")
    if not folder.exists():
        check_target(folder)
    used = _used(folder)
    module = folder / next(name for name in _NAMES if name != used)
    try:
        module.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be created: {(error.strerror or str(error)).lower()}") from None
    unknown = "[UNK]"
    while unknown in table.vocabulary:
        unknown = f"[{unknown}]"
    rows = np.concatenate([table.vectors, np.zeros((1, table.vector_size), np.float32)])
    write_tensors(module / _TENSORS, {_ARRAYS[0]: rows}, "wordvec", {"kind": "static embedding"})
    _write_json(module / _TOKENIZER, _tokenizer(table, unknown))
    about: dict[str, Any] = {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    _write_json(folder / _CONFIG, about)
    _write_json(folder / _MODULES, [{"idx": 0, "name": "0", "path": module.name, "type": _TYPE}])
    before = folder / next(name for name in _NAMES if name != module.name)
    with contextlib.suppress(OSError):
        for file in (_TENSORS, _TOKENIZER):
            (before / file).unlink(missing_ok=True)
        before.rmdir()  # unless it has other files


def _is_other(path: Path) -> bool:
    """Whether something in a folder is not what an interrupted ``write`` leaves."""
    return path.name not in (*_NAMES, _CONFIG) and path.suffix != ".part"


def _used(folder: Path) -> str:
    """Return the name of the module's folder of an existing model; empty if there is none, or it is damaged."""
    try:
        return _module(folder).name
    except InputError:
        return ""


def _tokenizer(table: VectorTable, unknown: str) -> dict[str, Any]:
    """Return the contents of ``tokenizer.json``."""
    normalizers: list[dict[str, Any]] = [{"type": table.normalize}] if table.normalize != "none" else []
    if table.lowercase:
        normalizers.append({"type": "Lowercase"})
    splitter: dict[str, Any] = {"type": "WhitespaceSplit"}
    if table.tokenizer != "whitespace":
        normalizers.append({"type": "Replace", "pattern": {"String": "\u2019"}, "content": "'"})
        splitter = {"type": "Split", "pattern": {"Regex": _WORDS}, "behavior": "Removed", "invert": True}
        if table.tokenizer != "words":
            _log.warning("texts will be split by the tokenizer words: %s has no equivalent there", table.tokenizer)
    vocabulary = {token: row for row, token in enumerate([*table.tokens, unknown])}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": normalizers} if normalizers else None,
        "pre_tokenizer": splitter, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
    }  # fmt: skip


def _tokens(path: Path, stored: dict[str, Any], size: int) -> tuple[list[str], Any]:
    """Return the tokens of the rows, and the one of unknown words."""
    try:
        model = stored["model"]
        found = model["vocab"]
        pairs = found.items() if isinstance(found, dict) else [(each[0], row) for row, each in enumerate(found)]
        rows = {int(row): str(token) for token, row in pairs}
        tokens = [rows[row] for row in range(size)]
        if len(rows) != size or len({*tokens}) != size or "" in tokens:
            raise ValueError
    except (KeyError, TypeError, ValueError, IndexError):
        raise FormatError(f"{path}: expected a token for each of {size:,} rows; the file is damaged") from None
    return tokens, model.get("unk_token")


def _module(folder: Path) -> Path:
    """Return the folder of the StaticEmbedding module, the first of the model."""
    try:
        first = _json(folder / _MODULES)[0]
        kind, inner = str(first["type"]), folder / str(first["path"])
    except (KeyError, TypeError, IndexError):
        raise FormatError(f"{folder / _MODULES}: no module; the file is damaged") from None
    if not kind.endswith(".StaticEmbedding"):
        raise FormatError(
            f"{folder}: a model of {kind.rpartition('.')[2]}, not of static word vectors (StaticEmbedding)"
        )
    return inner


def _parts(stored: Any, name: str) -> list[dict[str, Any]]:
    """Return the normalizers or pre-tokenizers of a sequence of them, or of one, or of none."""
    parts = stored.get(name, [stored]) if isinstance(stored, dict) else []
    return [part for part in parts if isinstance(part, dict) and isinstance(part.get("type"), str)]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError):
        raise FormatError(f"{path}: not JSON; the file is damaged") from None


def _write_json(path: Path, content: Any) -> None:
    with replacing(path) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
