"""Labeled texts in the lines of TSV, CSV, JSON Lines and fastText files."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from corpora.errors import InputError
from corpora.files import Source
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

FASTTEXT = "__label__"
FASTTEXT_LABEL = re.compile(rf"(?<!\S){FASTTEXT}(\S*)\s*")
_ENOUGH_TO_JUDGE = 8
"""Lines without a header from which on swapped columns are recognized."""

Example = tuple[str, str, str | list[str] | None]
"""Location (``file:line``), text, and the label as written, a list of labels, or None: null or NaN in JSON."""


def example_reader(source: Source, first: str) -> Callable[..., Iterator[Example]]:
    """Return the reader of examples for a file extension, else for a first line."""
    ending = ending_of(source)
    if ending in _READERS:
        return _READERS[ending]
    if FASTTEXT_LABEL.search(first):
        return _fasttext
    if first.startswith("{"):
        return _jsonl
    if "\t" in first:
        return _tsv
    raise InputError(
        f"{source.name}: cannot determine the label format; expected .tsv (label<TAB>text), .csv, .jsonl or lines "
        f"with {FASTTEXT}NAME"
    )


def text_reader(source: Source) -> Callable[[str, Lines, str | None], Iterator[str]] | None:
    """Return the reader of texts for a file extension; None for a file without columns."""
    return _TEXT_READERS.get(ending_of(source))


def _tsv(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    columns, headerless = None, False
    labels: set[str | list[str] | None] = set()
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


def _jsonl(name: str, lines: Lines, text_column: str | None, label_column: str | None) -> Iterator[Example]:
    for where, record in json_records(name, lines):
        text = record_text(where, record, text_column)
        label = _value(where, record, label_column, "label")
        if label is None or (isinstance(label, float) and math.isnan(label)):
            yield where, text, None
            continue
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
        labels = FASTTEXT_LABEL.findall(line)
        if not labels:
            raise InputError(f"{where}: expected a label {FASTTEXT}NAME, found {line!r:.20}")
        yield where, FASTTEXT_LABEL.sub("", line).strip(), labels if len(labels) > 1 else labels[0]


_READERS: dict[str, Callable[..., Iterator[Example]]] = {
    ".tsv": _tsv,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
}


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


def _jsonl_texts(name: str, lines: Lines, text_column: str | None) -> Iterator[str]:
    for where, record in json_records(name, lines):
        yield record_text(where, record, text_column)


_TEXT_READERS: dict[str, Callable[[str, Lines, str | None], Iterator[str]]] = {
    ".tsv": _tsv_texts,
    ".csv": _csv_texts,
    ".jsonl": _jsonl_texts,
    ".ndjson": _jsonl_texts,
}


def text_place(where: str, header: list[str], text_column: str | None) -> int:
    """Return the column of the text: the one named, or the only one, or the only one besides the label."""
    header = [cell.strip() for cell in header]
    found, label = _column(header, "text", text_column), _column(header, "label", None)
    if found is None and text_column is None:
        others = [column for column in range(len(header)) if column != label]
        if len(others) == 1 and len(header) <= 2:
            return others[0]
    return position(where, header, text_column or "text", "text_column") if found is None else found


def record_text(where: str, record: dict[str, Any], text_column: str | None) -> str:
    """Return the text of a JSON object; raise InputError if there is none."""
    text = _value(where, record, text_column, "text")
    if not isinstance(text, str):
        raise InputError(f"{where}: {text_column or 'text'!r} must be a string, found {kind_of(text)}")
    return encodable(where, text)
