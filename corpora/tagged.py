"""Reader for tagged sentences in column format: one token per line, an empty line after each sentence."""

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.files import COMPRESSED, Source
from corpora.readers import arriving_lines, source_lines
from corpora.sources import resolve_one

_CONLLU = (2, 4)
"""1-based CoNLL-U columns FORM and UPOS."""
_CONLLU_ENDINGS = (".conllu", ".conll-u")
_CONLLU_WIDTH = 10
_CONLLU_FIRST = re.compile(r"1|1-\d+|0\.1")
"""The first ID of a sentence."""
_CONLLU_SKIPPED = re.compile(r"\d+[-.]\d+")
"""IDs of multiword ranges and empty nodes."""
_BLANKS = " \t\r"
_BORDER = re.compile(r"\s*-DOCSTART-(\s|$)")
_COMMENT = re.compile(r"#( |$)|#\w+ ?=")
_KEY_AND_VALUE = re.compile(r"# ?[\w.:-]+ ?= ")


def read_tagged(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    token_column: int | None = None,
    tag_column: int | None = None,
) -> tuple[list[list[str]], list[list[str]]]:
    """Read sentences and their tags from one column-format file.

    A line holds a token and its tags, separated by tabs (or by spaces if the first token's line has no tab, as in
    CoNLL-2003); an empty line ends a sentence, and so does a document border, ``-DOCSTART-``. In CoNLL-U (``.conllu``,
    or ten columns of which the first numbers the tokens and the seventh their heads), lines starting with ``#``,
    multiword ranges such as ``3-4`` and empty nodes such as ``5.1`` are skipped. In other files ``#`` is an ordinary
    token, but lines that start with ``# `` before a sentence are comments if they are of the form ``# key = value`` or
    have other columns than the tokens.

    Args:
        source: a file, plain or compressed; ``-`` for standard input; ``sample:tags``; or a part of a catalogue data
            set (``data:ud_ewt/train``).
        encoding, encoding_errors: see :class:`corpora.TextCorpus`.
        token_column, tag_column: 1-based columns; by default 1 and 2, in CoNLL-U 2 and 4 (FORM and UPOS).

    Returns:
        The tokens of each sentence, and their tags.

    Raises:
        InputError: the source does not exist, a line lacks one of the columns, or there are no sentences.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tags.tsv"
        >>> _ = path.write_text("A\\tDET\\tDT\\ncat\\tNOUN\\tNN\\n\\nSleep\\tVERB\\tVB\\n")
        >>> read_tagged(path)
        ([['A', 'cat'], ['Sleep']], [['DET', 'NOUN'], ['VERB']])
    """
    found = resolve_one(source)
    name = _plain_name(found)
    lines = list(source_lines(found, encoding, encoding_errors))
    layout = _layout(lines)
    conllu = layout.conllu or name.endswith(_CONLLU_ENDINGS)
    columns = [
        default if given is None else given
        for given, default in zip((token_column, tag_column), _CONLLU if conllu else (1, 2), strict=True)
    ]
    for role, column in zip(("token_column", "tag_column"), columns, strict=True):
        if column < 1:
            raise InputError(f"{role} must be at least 1, got {column}; columns are numbered from 1")
    sentences: list[list[str]] = []
    tags: list[list[str]] = []
    inside = False
    for row in _rows(found.name, lines, columns, layout, conllu):
        if row is None:
            inside = False
            continue
        if not inside:
            sentences.append([])
            tags.append([])
            inside = True
        sentences[-1].append(row[0])
        tags[-1].append(row[1])
    if not sentences:
        raise InputError(f"{found.name} contains no sentences; expected a token, a tab and a tag on each line")
    return sentences, tags


def read_tokens(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    token_column: int | None = None,
) -> list[list[str]]:
    """Read the tokens of sentences: one token per line in column format, with or without tags, else one sentence.

    Files named ``.conll`` or ``.conllu``, ``.tsv`` files with a tab in their first line, CoNLL-U of any name, and any
    file if ``token_column`` is given are in column format. Every line of other files, including blank ones, is a
    sentence, split at white space.

    Args:
        source, encoding, encoding_errors, token_column: see :func:`read_tagged`.

    Raises:
        InputError: the source does not exist, or a line lacks the column.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tokens.tsv"
        >>> _ = path.write_text("A\\tDET\\ncat\\tNOUN\\n\\nSleep\\tVERB\\n")
        >>> read_tokens(path)
        [['A', 'cat'], ['Sleep']]
    """
    return list(iter_tokens(source, encoding=encoding, encoding_errors=encoding_errors, token_column=token_column))


def iter_tokens(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    token_column: int | None = None,
) -> Iterator[list[str]]:
    """Yield the sentences that :func:`read_tokens` returns; those of a pipe or terminal as soon as they arrive.

    Arguments and errors as :func:`read_tokens`.
    """
    found = resolve_one(source)
    name = _plain_name(found)
    lines, ahead = itertools.tee(arriving_lines(found, encoding, encoding_errors))
    layout = _layout(ahead)
    del ahead  # or all lines would be kept for it
    named = name.endswith((*_CONLLU_ENDINGS, ".conll")) or (name.endswith(".tsv") and layout.tabs and layout.width > 1)
    if not (named or layout.conllu or token_column is not None):
        yield from (line.split() for line in lines)
        return
    conllu = layout.conllu or name.endswith(_CONLLU_ENDINGS)
    column = (_CONLLU[0] if conllu else 1) if token_column is None else token_column
    if column < 1:
        raise InputError(f"token_column must be at least 1, got {column}; columns are numbered from 1")
    sentence: list[str] = []
    for row in _rows(found.name, lines, [column, column], layout, conllu):
        if row is not None:
            sentence.append(row[0])
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _plain_name(source: Source) -> str:
    """Return the name in lower case without a compression suffix."""
    name = source.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return name


class _Layout(NamedTuple):
    """How the lines of a file are divided, judged by its first line with a token."""

    tabs: bool
    width: int
    """Columns of that line."""
    conllu: bool


def _layout(lines: Iterable[str]) -> _Layout:
    """Judge a file by the first line that neither is empty nor looks like a comment or a document border."""
    for line in lines:
        if line.strip(_BLANKS) and not _COMMENT.match(line) and not _BORDER.match(line):
            tabs = "\t" in line
            cells = _cells(line, tabs)
            conllu = tabs and len(cells) == _CONLLU_WIDTH and bool(_CONLLU_FIRST.fullmatch(cells[0]))
            return _Layout(tabs, len(cells), conllu and (cells[6].isdecimal() or cells[6] == "_"))
    return _Layout(False, 0, False)


def _cells(line: str, tabs: bool) -> list[str]:
    """Split a line at tabs, or at tabs and spaces; other white space, such as U+00A0, may occur within tokens."""
    return line.split("\t") if tabs else re.split(r"[ \t]+", line.strip(_BLANKS))


def _is_comment(line: str, layout: _Layout) -> bool:
    """Return whether a line before the first token of a sentence is a comment rather than the token ``#``."""
    if not _COMMENT.match(line):
        return False
    return (
        bool(_KEY_AND_VALUE.match(line))
        or len(_cells(line, layout.tabs)) != layout.width
        or (not layout.tabs and "\t" in line)
    )


def _rows(
    name: str, lines: Iterable[str], columns: list[int], layout: _Layout, conllu: bool
) -> Iterator[tuple[str, str] | None]:
    """Yield the token and tag of each line, None for an empty line or a document border."""
    inside = False
    for number, line in enumerate(lines, 1):
        if not line.strip(_BLANKS) or _BORDER.match(line):
            inside = False
            yield None
            continue
        if line.startswith("#") if conllu else not inside and _is_comment(line, layout):
            continue
        cells = _cells(line, layout.tabs)
        where = f"{name}:{number}"
        if conllu and not cells[0].isdecimal():
            if _CONLLU_SKIPPED.fullmatch(cells[0]):
                continue
            raise InputError(f"{where}: the first column of CoNLL-U must be a token number, got {cells[0]!r:.40}")
        if len(cells) < max(columns):
            kind = "separated by tabs" if layout.tabs else "separated by spaces"
            found = f"found {len(cells)} {kind}"
            raise InputError(f"{where}: expected at least {max(columns)} columns, {found}")
        token, tag = (cells[column - 1].strip(_BLANKS) for column in columns)
        if not token or not tag:
            raise InputError(f"{where}: the {'tag' if token else 'token'} is empty")
        inside = True
        yield token, tag
