"""Readers for labeled texts in TSV, CSV, JSON Lines and fastText format; errors name the file and line."""

import ast
import contextlib
import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.files import Source
from corpora.readers import arriving_lines, source_lines
from corpora.sources import resolve_one
from corpora.tables import (
    Lines,
    check_width,
    csv_records,
    encodable,
    ending_of,
    json_records,
    kind_of,
    listed,
    position,
    tsv_records,
)

_FASTTEXT = "__label__"
_FASTTEXT_LABEL = re.compile(rf"(?<!\S){_FASTTEXT}(\S*)\s*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_QUOTED_LIST = re.compile(rf"\s*(?:(?:{_QUOTED.pattern})[\s,]*)*")
"""Quoted strings with commas or white space between them, or nothing."""
_ENOUGH_TO_JUDGE = 8
"""Lines without a header from which on swapped columns are recognized."""

Example = tuple[str, str, str | list[str]]
"""Location (``file:line``), text, and the label as written or a list of labels."""


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
    - ``.jsonl``, ``.ndjson``: one JSON object per line; a label may be a string, a number or a boolean.
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
) -> Iterator[tuple[str, str, str]]:
    """Yield the location (``file:line``), text and label of each example that :func:`read_labelled` returns.

    Arguments and errors as :func:`read_labelled`.

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
    for where, text, label in _examples(source, (encoding, encoding_errors), text_column, label_column):
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
    reader = {".tsv": _tsv_texts, ".csv": _csv_texts, ".jsonl": _jsonl_texts, ".ndjson": _jsonl_texts}.get(
        ending_of(found)
    )
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
    labeled = first[1].startswith(_FASTTEXT)
    for _, text in itertools.chain([first], lines):
        yield _FASTTEXT_LABEL.sub("", text).strip() if labeled else text


def _tsv_texts(name: str, lines: Lines, text_column: str | None) -> Iterator[str]:
    place, width = None, 0
    for where, cells in tsv_records(name, lines):
        if place is None:
            width = len(cells)
            names = {cell.strip().lower() for cell in cells}
            if text_column is not None or (names & {"label", "text"} and (width > 1 or names == {"text"})):
                place = text_place(where, cells, text_column)
                continue
            if width > 2:
                raise InputError(f"{where}: expected label<TAB>text or a text, found {width} columns; add a header")
            place = width - 1
        check_width(where, cells, width, "texts must not contain tabs")
        yield cells[place]


def _csv_texts(name: str, lines: Lines, text_column: str | None) -> Iterator[str]:
    place, width = None, 0
    for where, cells, delimiter in csv_records(name, lines):
        if place is None:
            place, width = text_place(where, cells, text_column), len(cells)
        elif cells:
            check_width(where, cells, width, f"put texts that contain {delimiter!r} in double quotes")
            yield cells[place]


def text_place(where: str, header: list[str], text_column: str | None) -> int:
    """Return the column of the text: the one named, or the only one, or the only one besides the label."""
    header = [cell.strip() for cell in header]
    found, label = _column(header, "text", text_column), _column(header, "label", None)
    if found is None and text_column is None:
        others = [column for column in range(len(header)) if column != label]
        if len(others) == 1 and len(header) <= 2:
            return others[0]
    return position(where, header, text_column or "text", "text_column") if found is None else found


def _jsonl_texts(name: str, lines: Lines, text_column: str | None) -> Iterator[str]:
    for where, record in json_records(name, lines):
        yield record_text(where, record, text_column)


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
        reader = _reader(found, first[1])
        for example in reader(found.name, itertools.chain([first], lines), text_column, label_column):
            yield example
            count += 1
    if not count:
        raise InputError(f"{found.name} contains no examples, only {'a header' if first[1] else 'empty lines'}")


def _reader(source: Source, first: str) -> Callable[..., Iterator[Example]]:
    """Select the reader by the file extension, else by the first line."""
    ending = ending_of(source)
    if ending in _READERS:
        return _READERS[ending]
    if _FASTTEXT_LABEL.search(first):
        return _fasttext
    if first.startswith("{"):
        return _jsonl
    if "\t" in first:
        return _tsv
    raise InputError(
        f"{source.name}: cannot determine the label format; expected .tsv (label<TAB>text), .csv, .jsonl or lines "
        f"with {_FASTTEXT}NAME"
    )


def _tsv(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    columns, headerless = None, False
    labels: set[str | list[str]] = set()
    texts: set[str] = set()
    count = 0
    for where, cells in tsv_records(name, lines):
        if columns is None:
            named = text_column is not None or label_column is not None
            if named or (len(cells) > 1 and "label" in (cell.strip().lower() for cell in cells)):
                columns = _Columns(where, cells, text_column, label_column)
                continue
            if len(cells) == 1:
                raise InputError(
                    f"{where}: expected label<TAB>text, found no tab in {cells[0]!r:.40}; name the file .csv if its "
                    "columns are separated otherwise"
                )
            columns, headerless = _Columns(where, ["label", "text"], None, None), True
        example = columns.example(where, cells, "texts must not contain tabs, and more columns need a header")
        if headerless:
            count += 1
            labels.add(example[2])
            texts.add(example[1])
        yield example
    if count >= _ENOUGH_TO_JUDGE and 2 * len(labels) > count and len(labels) >= 2 * len(texts):
        raise InputError(
            f"{name}: {len(labels):,} of {count:,} labels are different, but only {len(texts):,} texts; without a "
            "header the columns are label<TAB>text: swap them, or put the header text<TAB>label on the first line"
        )


def _csv(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    columns = None
    for where, cells, delimiter in csv_records(name, lines):
        if columns is None:
            columns = _Columns(where, cells, text_column, label_column)
        elif cells:
            yield columns.example(where, cells, f"put texts that contain {delimiter!r} in double quotes")


class _Columns:
    """Positions of text and label in a row."""

    def __init__(self, where: str, header: list[str], text_column: str | None, label_column: str | None) -> None:
        self._count = len(header)
        header = [cell.strip() for cell in header]
        asked = {"text": text_column, "label": label_column}
        found = {role: _column(header, role, wanted) for role, wanted in asked.items()}
        for role, other in (("text", found["label"]), ("label", found["text"])):
            if found[role] is None and asked[role] is None and len(header) == 2 and other is not None:
                found[role] = 1 - other
        self._text, self._label = (
            position(where, header, asked[role] or role, f"{role}_column") if column is None else column
            for role, column in found.items()
        )

    def example(self, where: str, cells: list[str], hint: str) -> Example:
        check_width(where, cells, self._count, hint)
        return where, cells[self._text], cells[self._label]


def _column(header: list[str], role: str, wanted: str | None) -> int | None:
    """Return the column named ``wanted``; by default ``role``, in any case unless it occurs as written."""
    if wanted is None and role not in header:
        header, wanted = [cell.lower() for cell in header], role
    name = role if wanted is None else wanted
    return header.index(name) if header.count(name) == 1 else None


def _label(where: str, label: str) -> str:
    label = label.strip()
    if not label:
        raise InputError(f"{where}: the label is empty")
    return label


def record_text(where: str, record: dict[str, Any], text_column: str | None) -> str:
    """Return the text of a JSON object; raise InputError if there is none."""
    text = _value(where, record, text_column, "text")
    if not isinstance(text, str):
        raise InputError(f"{where}: {text_column or 'text'!r} must be a string, found {kind_of(text)}")
    return encodable(where, text)


def _jsonl(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    for where, record in json_records(name, lines):
        text = record_text(where, record, text_column)
        label = _value(where, record, label_column, "label")
        written = [_written(where, each, label_column) for each in (label if isinstance(label, list) else [label])]
        yield where, text, written if isinstance(label, list) else written[0]


def _written(where: str, label: Any, label_column: str | None) -> str:
    if isinstance(label, float) and not math.isfinite(label):
        raise InputError(f"{where}: {label_column or 'label'!r} must not be missing, got {label!r}; leave the text out")
    if not isinstance(label, (str, int, float)):
        raise InputError(f"{where}: {label_column or 'label'!r} must be a string or a number, found {kind_of(label)}")
    return encodable(where, label if isinstance(label, str) else json.dumps(label))


def _value(where: str, record: dict[str, Any], key: str | None, default: str) -> Any:
    name = default if key is None else key
    if name not in record:
        found = f"set {default}_column to one of {listed(list(record))}" if record else "the object is empty"
        raise InputError(f"{where}: no key {name!r:.40}; {found}")
    return record[name]


def _fasttext(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    if text_column is not None or label_column is not None:
        raise InputError(f"{name}: text_column and label_column do not apply to fastText lines")
    for number, line in lines:
        where = f"{name}:{number}"
        if not line.strip():
            continue
        labels = _FASTTEXT_LABEL.findall(line)
        if not labels:
            raise InputError(f"{where}: expected a label {_FASTTEXT}NAME, found {line!r:.20}")
        yield where, _FASTTEXT_LABEL.sub("", line).strip(), labels if len(labels) > 1 else labels[0]


_READERS: dict[str, Callable[..., Iterator[Example]]] = {
    ".tsv": _tsv,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
}
