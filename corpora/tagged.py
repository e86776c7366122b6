"""Reader for tagged sentences in column format: one token per line, an empty line after each sentence."""

import os
from collections.abc import Iterator

from corpora.errors import InputError
from corpora.files import COMPRESSED
from corpora.readers import source_lines
from corpora.sources import resolve_one

_CONLLU = (2, 4)
"""1-based CoNLL-U columns FORM and UPOS."""


def read_tagged(
    source: str | os.PathLike[str],
    *,
    encoding_errors: str = "strict",
    token_column: int | None = None,
    tag_column: int | None = None,
) -> tuple[list[list[str]], list[list[str]]]:
    """Read sentences and their tags from one column-format file.

    A line holds a token and its tags, separated by tabs (or by spaces if the first line has no tab, as in CoNLL-2003);
    an empty line ends a sentence. In CoNLL-U (``.conllu``), lines starting with ``#``, multiword ranges such as
    ``3-4`` and empty nodes such as ``5.1`` are skipped; in other files ``#`` is an ordinary token.

    Args:
        source: a file, plain or compressed; ``-`` for standard input; ``sample:tags``; or a part of a catalogue data
            set (``data:ud_ewt/train``).
        encoding_errors: ``strict`` rejects invalid UTF-8, ``replace`` substitutes U+FFFD.
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
    name = found.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    conllu = name.endswith((".conllu", ".conll-u"))
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
    for row in _rows(found.name, source_lines(found, encoding_errors), columns, conllu):
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


def _rows(name: str, lines: Iterator[str], columns: list[int], conllu: bool) -> Iterator[tuple[str, str] | None]:
    """Yield the token and tag of each line, None for an empty line."""
    separator: str | None = None
    separated = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield None
            continue
        if conllu and line.startswith("#"):
            continue
        if not separated:
            separator, separated = "\t" if "\t" in line else None, True
        cells = line.split(separator)
        if conllu and not cells[0].isdecimal():
            continue
        where = f"{name}:{number}"
        if len(cells) < max(columns):
            kind = "separated by tabs" if separator else "separated by spaces"
            found = f"found {len(cells)} {kind}"
            raise InputError(f"{where}: expected at least {max(columns)} columns, {found}")
        token, tag = (cells[column - 1].strip() for column in columns)
        if not token or not tag:
            raise InputError(f"{where}: the {'tag' if token else 'token'} is empty")
        yield token, tag
