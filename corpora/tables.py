"""CSV, TSV and JSON Lines parsing with record locations, and column lookup by name."""

import contextlib
import csv
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from corpora.errors import InputError
from corpora.files import COMPRESSED, Source

Lines = Iterator[tuple[int, str]]
"""Pairs of 1-based line number and line without its newline."""


def csv_records(name: str, lines: Lines, delimiter: str | None = None) -> Iterator[tuple[str, list[str], str]]:
    """Yield the location (``file:line``), cells and delimiter of each CSV record, including the header and empty ones.

    Unless given, the delimiter is the first of comma, semicolon and tab that the header contains. Quoted fields may
    contain newlines.

    Raises:
        InputError: a quote is never closed or is misplaced.
    """
    first = next(lines, None)
    if first is None:
        return
    if delimiter is None:
        delimiter = next((each for each in ",;\t" if each in first[1]), ",")
    records = csv.reader((line + "\n" for _, line in itertools.chain([first], lines)), delimiter=delimiter, strict=True)
    start = first[0]
    with _long_fields():
        while True:
            where = f"{name}:{start}"
            try:
                cells = next(records, None)
            except csv.Error as error:
                raise InputError(f"{where}: not CSV: {_csv_reason(error)}") from None
            if cells is None:
                return
            yield where, cells, delimiter
            start = first[0] + records.line_num


def tsv_records(name: str, lines: Lines) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and cells of each line of a file separated by tabs, except empty lines.

    Double quotes are part of a cell unless the file is quoted as a spreadsheet or a CSV writer does: every cell that
    starts with a quote is a quoted field, and at least one needs to be (it contains a quote, comma, tab or newline), or
    all cells of a line are quoted. Lines before the first cell that starts with a quote are yielded as they arrive; the
    others are read to the end first.
    """
    for number, line in lines:
        if line.startswith('"') or '\t"' in line:
            kept = [(number, line), *lines]
            break
        if line:
            yield f"{name}:{number}", line.split("\t")
    else:
        return
    if _is_quoted([line for _, line in kept]):
        yield from ((where, cells) for where, cells, _ in csv_records(name, iter(kept), "\t") if cells)
    else:
        yield from ((f"{name}:{number}", line.split("\t")) for number, line in kept if line)


def _is_quoted(lines: list[str]) -> bool:
    needed, read = False, 0
    records = csv.reader((line + "\n" for line in lines), delimiter="\t", strict=True)
    try:
        with _long_fields():
            for cells in records:
                written = [cell for line in lines[read : records.line_num] for cell in line.split("\t")]
                if records.line_num - read > 1 and any("\t" in cell and "\n" in cell for cell in cells):
                    return False  # stray quotes that happen to match
                changed = set(cells) - set(written)
                needed = (
                    needed or len(changed) == len(cells) > 1 or any(re.search(r'["\t\n,]', cell) for cell in changed)
                )
                read = records.line_num
    except csv.Error:
        return False
    return needed


def _csv_reason(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "the double quote that opens a field here is never closed"
    return f"{reason}; double the quotes inside a quoted field"


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters per field, which is global to the process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def check_width(where: str, cells: list[str], columns: int, hint: str = "") -> None:
    """Check that a record has as many cells as the header.

    Raises:
        InputError: it does not; ``hint`` is the remedy for too many cells.
    """
    if len(cells) != columns:
        more = f"; {hint}" if hint and len(cells) > columns else ""
        expected = "1 column" if columns == 1 else f"{columns} columns"
        raise InputError(f"{where}: expected {expected}, found {len(cells)}{more}")


def position(where: str, header: list[str], name: str, option: str) -> int:
    """Return the index of the column ``name`` in a header.

    Raises:
        InputError: the column is missing or not unique; the message names ``option`` as the way to choose another.
    """
    count = header.count(name)
    if count == 1:
        return header.index(name)
    if count:
        raise InputError(f"{where}: {count} columns are named {name!r:.40}; column names must be unique")
    raise InputError(f"{where}: no column {name!r:.40}; set {option} to one of {listed(header)}")


def listed(names: list[str]) -> str:
    """Format at most ten names, and about 120 characters, for an error message."""
    written = [f"{name!r:.40}" for name in names[:10]]
    fitting = sum(length <= 120 for length in itertools.accumulate(map(len, written)))
    shown = ", ".join(written[:fitting])
    return f"{shown} and {len(names) - fitting} more" if len(names) > fitting else shown


def json_records(name: str, lines: Lines) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the location and the object of each line that is not empty.

    Raises:
        InputError: a line is not a JSON object, or a key occurs twice in an object.
    """
    decode = json.JSONDecoder(object_pairs_hook=_without_repeats).decode  # as fast as json.loads without the hook
    for number, line in lines:
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            record = decode(line)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON: {error.msg} at column {error.colno}") from None
        except ValueError as error:  # an integer with thousands of digits
            raise InputError(f"{where}: unreadable JSON: {error}") from None
        except RecursionError:
            raise InputError(f"{where}: the JSON is nested too deeply; expected a flat object") from None
        if not isinstance(record, dict):
            raise InputError(f"{where}: expected one JSON object per line, found {kind_of(record)}")
        yield where, record


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of keys and values."""
    found = dict(pairs)
    if len(found) < len(pairs):
        key, count = Counter(key for key, _ in pairs).most_common(1)[0]
        raise InputError(f"the key {key!r:.40} occurs {count} times in an object; rename or remove all but one")
    return found


def encodable(where: str, text: str) -> str:
    """Return ``text``; raise InputError on a lone surrogate (``\\ud83d``), which UTF-8 cannot encode."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(text[error.start]):04x}"
            raise InputError(
                f"{where}: {half} is an unpaired surrogate, which UTF-8 cannot encode; write the pair or remove it"
            ) from None
    return text


def kind_of(value: object) -> str:
    """Return the kind of a JSON value, for an error message."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def ending_of(source: Source) -> str:
    """Return the extension of a source's name, as :func:`extension_of`."""
    return extension_of(source.name)


def extension_of(name: str) -> str:
    """Return the file extension in lower case, ignoring a compression suffix."""
    name = name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return os.path.splitext(name)[1]
