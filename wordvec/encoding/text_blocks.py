"""Texts, or lists of tokens, as blocks of UTF-8: a line each, tokens between ASCII white space."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from corpora import get_tokenizer
from wordvec.encoding.scanning import WHITE, hide
from wordvec.errors import InputError

_BLOCK = 1 << 18
"""Bytes or letters after which a block ends with the line."""


def blocks_of(
    corpus: Iterable[str] | Iterable[list[str]], tokenizer: str, lowercase: bool
) -> tuple[Iterator[bytes], bool]:
    """Texts or lists of tokens, whichever the first item is, as blocks of bytes; whether they are lower-cased.

    Raises:
        InputError: there is no item, it is one string, or ``lowercase`` is not a bool; while the blocks are read: an
            item is neither, or of another kind than the first.
    """
    if lowercase not in (True, False):
        raise InputError(f"lowercase must be True or False, got {lowercase!r}")
    if isinstance(corpus, str | bytes):
        raise InputError("expected several texts or lists of tokens, got one string; put it into a list")
    items: Iterator[Any] = iter(corpus)
    try:
        first = next(items)
    except StopIteration:
        raise InputError("the corpus is empty; give it at least one text") from None
    items = chain([first], items)
    if isinstance(first, str):
        return _text_blocks(items, tokenizer, lowercase), lowercase
    return _list_blocks(items), False


def _text_blocks(texts: Iterator[str], tokenizer: str, lowercase: bool) -> Iterator[bytes]:
    waiting: list[str] = []
    size = 0
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"item {place} is of type {type(text).__name__}, the first is a text; give one kind")
        waiting.append(text)
        size += len(text)
        if size >= _BLOCK:
            yield _joined(waiting, tokenizer, lowercase)
            waiting, size = [], 0
    if waiting:
        yield _joined(waiting, tokenizer, lowercase)


def _joined(texts: list[str], tokenizer: str, lowercase: bool) -> bytes:
    """A line for each text, whose own line ends are spaces: no token reaches across one, nor does casing."""
    texts.append("")
    block = "\n".join(texts)
    if block.count("\n") >= len(texts):
        block = "\n".join([text.replace("\n", " ") for text in texts])
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
            raise InputError(f"item {place} holds {token!r}; a token must be a string that is not empty")
    line = utf8(" ".join(tokens))
    # A token may hold any character, even what separates tokens.
    plain = len(line) - len(line.translate(None, WHITE)) == len(tokens) - 1
    return (line if plain else b" ".join(hide(utf8(token)) for token in tokens)) + b"\n"


def utf8(text: str) -> bytes:
    """The text's bytes.

    Raises:
        InputError: it holds half of a character.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a text holds {error.object[error.start]!r}, half of a character, which cannot be written as UTF-8; "
            "read the texts with errors='replace'"
        ) from None
