"""Conversion of texts or token lists to UTF-8 blocks: one line per text, tokens separated by ASCII white space."""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from corpora import get_tokenizer
from corpora.normalization import check_form, normalized
from wordvec.encoding.scanning import WHITE, hide
from wordvec.errors import InputError
from wordvec.system.validation import shown

_BLOCK = 1 << 18
"""Size in bytes or characters after which a block ends at the next line."""


def blocks_of(
    corpus: Iterable[str] | Iterable[list[str]], tokenizer: str, lowercase: bool, normalize: str
) -> tuple[Iterator[bytes], bool]:
    """Return texts or token lists (decided by the first item) as blocks of bytes, and whether they are texts.

    Raises:
        InputError: the corpus is empty or a single string, or a setting is invalid; while the blocks are read:
            an item is neither a text nor a list of tokens, or differs in kind from the first.
    """
    if lowercase not in (True, False):
        raise InputError(f"lowercase must be True or False, got {lowercase!r}")
    check_form(normalize)
    items = items_of(corpus)
    try:
        first = next(items)
    except StopIteration:
        raise InputError("the corpus is empty; pass at least one text (a generator can be read only once)") from None
    check_item(first, 0)
    items = chain([first], items)
    if isinstance(first, str):
        return _text_blocks(items, tokenizer, lowercase, normalize), True
    return _list_blocks(items), False


def items_of(texts: Any) -> Iterator[Any]:
    """Return an iterator over texts or token lists; a DataFrame of one column and an array (N, 1) hold N of them.

    Raises:
        InputError: one string, a path, a mapping, a table of several columns, or another value without texts.
    """
    if isinstance(texts, os.PathLike) or (isinstance(texts, str | bytes) and _is_file(texts)):
        raise InputError(_path_message(texts))
    if isinstance(texts, str | bytes):
        raise InputError("expected an iterable of texts or token lists, got one string; put it in a list")
    if isinstance(texts, Mapping):
        raise InputError("expected an iterable of texts or token lists, got a mapping; pass its values()")
    if hasattr(texts, "columns") and getattr(texts, "ndim", 2) == 2:  # iterating over it yields the column names
        names = list(texts.columns)
        if len(names) != 1 or not hasattr(texts, "to_numpy"):
            name = "text" if "text" in names or not names else names[0]
            raise InputError(
                f"expected an iterable of texts or token lists, got a table; pass one column, df[{name!r}]"
            )
        texts = texts.to_numpy()
    if getattr(texts, "ndim", 1) == 2 and texts.shape[1] == 1:
        texts = texts[:, 0]
    try:
        return iter(texts)
    except TypeError:
        raise InputError(f"expected an iterable of texts or token lists, got {shown(texts)}") from None


def check_item(item: Any, place: int) -> None:
    """Raise InputError if an item of a corpus is the path of a file instead of its text."""
    if isinstance(item, os.PathLike) or (isinstance(item, str) and _is_file(item)):
        raise InputError(f"item {place}: {_path_message(item)}")


def _is_file(text: str | bytes) -> bool:
    """Whether a string without spaces is the path of a file, and looks like one."""
    path = os.fsdecode(text) if isinstance(text, bytes) else text
    if len(path) > 1024 or not ("." in path or os.sep in path) or path.split() != [path]:
        return False
    try:
        return os.path.isfile(path)
    except ValueError:  # a NUL character
        return False


def _path_message(path: Any) -> str:
    name = os.fsdecode(path)
    return f"expected a text or a list of tokens, got a path; pass TextCorpus({name!r}) to read the file"


def _text_blocks(texts: Iterator[str], tokenizer: str, lowercase: bool, normalize: str) -> Iterator[bytes]:
    waiting: list[str] = []
    size = 0
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"item {place} is of type {type(text).__name__}, but the first is a text; do not mix them")
        waiting.append(text)
        size += len(text)
        if size >= _BLOCK:
            yield _joined(waiting, tokenizer, lowercase, normalize)
            waiting, size = [], 0
    if waiting:
        yield _joined(waiting, tokenizer, lowercase, normalize)


def _joined(texts: list[str], tokenizer: str, lowercase: bool, normalize: str) -> bytes:
    """Join texts with one line each; their own line ends become spaces, which changes neither tokens nor casing."""
    texts.append("")
    block = "\n".join(texts)
    if block.count("\n") >= len(texts):
        block = "\n".join([text.replace("\n", " ") for text in texts])
    block = normalized(block, normalize)
    if tokenizer != "whitespace":
        block = get_tokenizer(tokenizer).normalize(block, lowercase)
    elif lowercase:
        block = block.lower()
    return utf8(block)


def _list_blocks(sentences: Iterator[list[str]]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for place, sentence in enumerate(sentences):
        waiting.append(_line(sentence, place))
        size += len(waiting[-1])
        if size >= _BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _line(sentence: list[str], place: int) -> bytes:
    if isinstance(sentence, str | bytes) or not hasattr(sentence, "__iter__"):
        raise InputError(f"item {place} is of type {type(sentence).__name__}, expected a list of tokens")
    tokens = list(sentence)
    for token in tokens:
        if not isinstance(token, str) or not token:
            raise InputError(f"item {place} contains {shown(token)}; a token must be a non-empty string")
    line = utf8(" ".join(tokens))
    # A token may contain any character, even white space.
    plain = len(line) - len(line.translate(None, WHITE)) == len(tokens) - 1
    return (line if plain else b" ".join(hide(utf8(token)) for token in tokens)) + b"\n"


def utf8(text: str) -> bytes:
    """Encode a text as UTF-8.

    Raises:
        InputError: the text contains an unpaired surrogate.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a text contains {error.object[error.start]!r}, an unpaired surrogate, which cannot be encoded as UTF-8; "
            "read the texts with errors='replace'"
        ) from None
