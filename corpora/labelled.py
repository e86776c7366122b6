"""Readers for labeled texts in TSV, CSV, JSON Lines and fastText format; errors name the file and line."""

import ast
import contextlib
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.labelled_lines import FASTTEXT, FASTTEXT_LABEL, Example, example_reader, text_reader
from corpora.readers import arriving_lines, source_lines
from corpora.sources import resolve_one
from corpora.tables import Lines, encodable

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_QUOTED_LIST = re.compile(rf"\s*(?:(?:{_QUOTED.pattern})[\s,]*)*")
"""Quoted strings with commas or white space between them, or nothing."""


def read_labelled(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
    label_column: str | None = None,
) -> tuple[list[str], list[str]]:
    """Read texts and their labels from one file.

    The file extension (ignoring a compression suffix) selects the format:

    - ``.tsv``: ``label<TAB>text``. Empty lines are skipped. A first line with a cell ``label`` and one or more others
      is a header; if a column is named, the first line always is. Double quotes are part of a text, unless every cell
      that starts with one is quoted by the rules of CSV and at least one needs to be, as spreadsheets write them.
    - ``.csv``: a header, then records; quoted fields may contain newlines. The delimiter is the first of comma,
      semicolon and tab that the header contains.
    - ``.jsonl``, ``.ndjson``: one JSON object per line, each key once; a label may be a string, a number or a boolean.
    - fastText: ``__label__x text``; labels may stand anywhere in a line.

    For any other extension, the first line decides. Columns are found by their names, in any order and case; of a
    header of two columns, one of them ``label`` or ``text``, the other may have any name. Texts may be empty, labels
    may not.

    Args:
        source: a file, ``-`` for standard input, ``sample:disasters``, ``sample:disasters-test``, or a part of a
            catalogue data set (``data:sst2/train``).
        encoding, encoding_errors: see :class:`corpora.TextCorpus`.
        text_column: column (or key) of the text, by default ``text``.
        label_column: column (or key) of the label, by default ``label``.

    Returns:
        texts and labels, of the same length.

    Raises:
        InputError: the source does not exist, a line is malformed, there are no examples, or lines without a header
            look like ``text<TAB>label``.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "messages.tsv"
        >>> _ = path.write_text("disaster\\tThe river is over its banks\\nother\\tLovely weather\\n")
        >>> read_labelled(path)
        (['The river is over its banks', 'Lovely weather'], ['disaster', 'other'])
    """
    reading: dict[str, Any] = {"encoding": encoding, "encoding_errors": encoding_errors}
    reading |= {"text_column": text_column, "label_column": label_column}
    _, texts, labels = zip(*iter_labelled(source, **reading), strict=True)
    return list(texts), list(labels)


def iter_labelled(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
    label_column: str | None = None,
    empty_labels: bool = False,
) -> Iterator[tuple[str, str, str]]:
    """Yield the location (``file:line``), text and label of each example that :func:`read_labelled` returns.

    Arguments and errors as :func:`read_labelled`; with ``empty_labels``, texts without a label are yielded too, with
    ``""``, so that :func:`check_labelled` can list them.

    Example:
        >>> where, text, label = next(iter_labelled("sample:disasters"))
        >>> where.rpartition(":")[2], label
        ('1', 'other')
    """
    for where, text, label in _examples(source, (encoding, encoding_errors), text_column, label_column):
        if isinstance(label, list):
            raise InputError(
                f"{where}: expected one label, found a list of {len(label)}; use one label per line or read label sets"
            )
        if empty_labels and (label is None or not label.strip()):
            yield where, text, ""
        elif label is None:
            raise _missing(where, label_column)
        else:
            yield where, text, _label(where, label)


def read_label_sets(
    source: str | os.PathLike[str],
    separator: str = ",",
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
    label_column: str | None = None,
) -> tuple[list[str], list[list[str]]]:
    """Read multi-label texts.

    Like :func:`read_labelled`, but a text may have any number of labels, including none, separated by ``separator``. A
    JSON object may also hold a list of labels, a fastText line several, and a cell a list as pandas writes it,
    ``['fire', 'flood']`` or ``[]``.

    Args:
        source, encoding, encoding_errors, text_column, label_column: see :func:`read_labelled`.
        separator: label separator; white space around a label is stripped.

    Returns:
        texts, and the distinct labels of each, in file order.

    Raises:
        InputError: as :func:`read_labelled`, a cell holds a malformed list, or ``separator`` is empty.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "messages.tsv"
        >>> _ = path.write_text("flood, storm\\tThe river is over its banks\\n\\tLovely weather\\n")
        >>> read_label_sets(path)
        (['The river is over its banks', 'Lovely weather'], [['flood', 'storm'], []])
    """
    reading: dict[str, Any] = {"encoding": encoding, "encoding_errors": encoding_errors}
    reading |= {"text_column": text_column, "label_column": label_column}
    _, texts, sets = zip(*iter_label_sets(source, separator, **reading), strict=True)
    return list(texts), list(sets)


def iter_label_sets(
    source: str | os.PathLike[str],
    separator: str = ",",
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
    label_column: str | None = None,
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the location (``file:line``), text and labels of each example that :func:`read_label_sets` returns.

    Arguments and errors as :func:`read_label_sets`.

    Example:
        >>> where, _, labels = next(iter_label_sets("sample:disasters"))
        >>> where.rpartition(":")[2], labels
        ('1', ['other'])
    """
    if not separator:
        raise InputError("separator must not be empty, got ''; use ',' or another character")
    encodable("separator", separator)
    for where, text, label in _examples(source, (encoding, encoding_errors), text_column, label_column):
        if label is None:
            raise _missing(where, label_column)
        parts = _split(where, label, separator) if isinstance(label, str) else label
        yield where, text, [part for part in dict.fromkeys(part.strip() for part in parts) if part]


def read_texts(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
) -> list[str]:
    """Read texts without using labels: the records of a table, or the lines of any other file.

    A file that :func:`read_labelled` reads as a table by its extension is a table here as well, with or without labels:

    - ``.csv``, ``.jsonl``, ``.ndjson``: the column or key of the text. A ``.csv`` may have a single column of any name.
    - ``.tsv``: a first line with a cell ``label`` or ``text``, or any if a column is named, is a header. Without a
      header, lines are ``label<TAB>text`` or, without a tab, texts; empty lines are skipped.

    Every line of other files, including blank ones, is a text; fastText's labels are left out if the first line starts
    with one.

    Args:
        source, encoding, encoding_errors, text_column: see :func:`read_labelled`.

    Raises:
        InputError: the source does not exist, a line is malformed, or ``text_column`` is given for a file without
            columns.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "messages.csv"
        >>> _ = path.write_text('id,text\\n7,"Flood warning\\nfor the valley"\\n8,Lovely weather\\n')
        >>> read_texts(path)
        ['Flood warning\\nfor the valley', 'Lovely weather']
    """
    return list(iter_texts(source, encoding=encoding, encoding_errors=encoding_errors, text_column=text_column))


def iter_texts(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    text_column: str | None = None,
) -> Iterator[str]:
    """Yield the texts that :func:`read_texts` returns; those of a pipe or terminal as soon as they arrive.

    Arguments and errors as :func:`read_texts`.
    """
    found = resolve_one(source)
    lines: Lines = enumerate(arriving_lines(found, encoding, encoding_errors), 1)
    reader = text_reader(found)
    if reader is not None:
        yield from reader(found.name, lines, text_column)
        return
    if text_column is not None:
        raise InputError(
            f"{found.name} has no columns, but text_column is {text_column!r}; leave it out, or name the file .csv, "
            ".tsv or .jsonl"
        )
    first = next(lines, None)
    if first is None:
        return
    labeled = first[1].startswith(FASTTEXT)
    for _, text in itertools.chain([first], lines):
        yield FASTTEXT_LABEL.sub("", text).strip() if labeled else text


def _missing(where: str, label_column: str | None) -> InputError:
    return InputError(f"{where}: {label_column or 'label'!r} must not be missing; add it, or leave the text out")


def _label(where: str, label: str) -> str:
    label = label.strip()
    if not label:
        raise InputError(f"{where}: the label is empty; add it, or leave the text out")
    return label


def _split(where: str, label: str, separator: str) -> list[str]:
    """Return the labels of a cell, which may hold a list as pandas and JSON write it: ``['fire', 'flood']``."""
    cell = label.strip()
    if (cell[:1], cell[-1:]) not in (("[", "]"), ("{", "}"), ("(", ")")) or not _QUOTED_LIST.fullmatch(cell[1:-1]):
        return label.split(separator)
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    # Adjacent strings without a comma between them, as NumPy prints arrays, are one string in Python.
    written = [match[0] for match in _QUOTED.finditer(cell)]
    if isinstance(found, str):
        found = [found]
    if found is None or len(found) != len(written) or not all(isinstance(each, str) for each in found):
        raise InputError(
            f"{where}: the label {cell!r:.40} is not a list of labels; write names separated by {separator!r}, or a "
            "list such as ['a', 'b']"
        )
    return list(found)


def _examples(
    source: str | os.PathLike[str], encoding: tuple[str, str], text_column: str | None, label_column: str | None
) -> Iterator[Example]:
    """Yield all examples of a file; raise InputError if there are none."""
    found, count = resolve_one(source), 0
    with contextlib.closing(source_lines(found, *encoding)) as unnumbered:
        lines: Lines = enumerate(unnumbered, 1)
        first = next(lines, None)
        if first is None:
            raise InputError(f"{found.name} is empty; expected labels and texts")
        reader = example_reader(found, first[1])
        for example in reader(found.name, itertools.chain([first], lines), text_column, label_column):
            yield example
            count += 1
    if not count:
        raise InputError(f"{found.name} contains no examples, only {'a header' if first[1] else 'empty lines'}")
