"""Reader for parallel text: sources and their targets, in TSV, JSON Lines or two aligned files."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from corpora.encodings import UTF8
from corpora.errors import InputError
from corpora.readers import arriving_lines, source_lines
from corpora.sources import resolve_one
from corpora.tables import Lines, encodable, ending_of, json_records, kind_of, listed, position

_ROLES = ("source", "target", "features")
_DEFAULT = {"source": 1, "target": 2, "features": 2}
"""Columns; features follow the source where there is no target."""
_JSON = (".jsonl", ".ndjson")

Column = int | str
"""A column, numbered from 1, or its name in the header, or the key of a JSON object."""


class ParallelText(NamedTuple):
    """Sources and their targets, with features of each target or None."""

    sources: list[str]
    targets: list[str]
    features: list[str] | None = None


def read_parallel(
    source: str | os.PathLike[str],
    target_source: str | os.PathLike[str] | None = None,
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    source_column: Column | None = None,
    target_column: Column | None = None,
    features_column: Column | None = None,
) -> ParallelText:
    """Read sources and their targets from one file with both, or from two files with a line for each.

    A line of one file has columns separated by tabs; in ``.jsonl`` and ``.ndjson`` files it is an object. If a column
    is given by its name, the first line is a header. Double quotes are part of a text, and white space around it is
    not. Lines without any text are skipped.

    Args:
        source: a file, plain or compressed; ``-`` for standard input; a sample (``sample:dates``); or a part of a
            catalogue data set.
        target_source: a file with the target of each line of ``source``, which then has the sources only.
        encoding, encoding_errors: see :class:`corpora.TextCorpus`.
        source_column, target_column: columns, by default 1 and 2, or keys, by default ``source`` and ``target``.
        features_column: column or key of features of the target, such as those of an inflected form; None: none.

    Raises:
        InputError: the source does not exist, two files differ in their number of lines, a line lacks a column, a
            source or a target is empty, or there are no lines.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "forms.tsv"
        >>> _ = path.write_text("go\\tPAST\\twent\\nsee\\tPAST\\tsaw\\n")
        >>> read_parallel(path, target_column=3, features_column=2)
        ParallelText(sources=['go', 'see'], targets=['went', 'saw'], features=['PAST', 'PAST'])
    """
    if target_source is not None:
        if (source_column, target_column, features_column) != (None, None, None):
            raise InputError("columns do not apply to two files, whose lines are the sources and the targets")
        return _read_two(source, target_source, encoding, encoding_errors)
    found = resolve_one(source)
    lines: Lines = enumerate(source_lines(found, encoding, encoding_errors), 1)
    roles = _ROLES[:2] if features_column is None else _ROLES
    columns = [source_column, target_column, features_column][: len(roles)]
    rows: list[list[str]] = []
    for where, cells in _rows(found.name, lines, ending_of(found), roles, columns):
        for role, cell in zip(roles[:2], cells, strict=False):
            if not cell:
                raise InputError(f"{where}: the {role} is empty; give one, or remove the line")
        rows.append(cells)
    if not rows:
        raise InputError(f"{found.name} contains no pairs; expected a source, a tab and a target on each line")
    return ParallelText(*(list(column) for column in zip(*rows, strict=True)))


def iter_sources(
    source: str | os.PathLike[str],
    *,
    encoding: str = UTF8,
    encoding_errors: str = "strict",
    source_column: Column | None = None,
    features_column: Column | None = None,
    features: bool = False,
) -> Iterator[tuple[str, str | None]]:
    """Yield sources, and their features or None; those of a pipe or terminal as soon as they arrive.

    Lines are as in :func:`read_parallel`, whose targets need not be there, but no line is skipped: a blank one is an
    empty source. (JSON Lines have no blank lines.)

    Args:
        source, encoding, encoding_errors, source_column: see :func:`read_parallel`.
        features_column: column or key of the features.
        features: read features, by default of column 2 or of the key ``features``.

    Raises:
        InputError: the source does not exist, or a line that is not blank lacks a column.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "forms.tsv"
        >>> _ = path.write_text("go\\tPAST\\n\\nsee\\tPAST\\n")
        >>> list(iter_sources(path, features=True))
        [('go', 'PAST'), ('', ''), ('see', 'PAST')]
    """
    found = resolve_one(source)
    lines: Lines = enumerate(arriving_lines(found, encoding, encoding_errors), 1)
    roles = ["source", "features"] if features or features_column is not None else ["source"]
    columns = [source_column, features_column][: len(roles)]
    for _, cells in _rows(found.name, lines, ending_of(found), roles, columns, skip=False):
        yield cells[0], cells[1] if len(cells) > 1 else None


def _read_two(
    source: str | os.PathLike[str], target_source: str | os.PathLike[str], encoding: str, encoding_errors: str
) -> ParallelText:
    files = [resolve_one(each) for each in (source, target_source)]
    texts = [[line.strip() for line in source_lines(each, encoding, encoding_errors)] for each in files]
    counts = [f"{len(lines):,} line{'s' * (len(lines) != 1)}" for lines in texts]
    if len(texts[0]) != len(texts[1]):
        raise InputError(
            f"{files[0].name} has {counts[0]} but {files[1].name} has {counts[1]}; line n of one must belong to line n "
            "of the other"
        )
    pairs = [(number, *pair) for number, pair in enumerate(zip(*texts, strict=True), 1) if any(pair)]
    for number, *pair in pairs:
        for role, file, text in zip(_ROLES, files, pair, strict=False):
            if not text:
                raise InputError(f"{file.name}:{number}: the {role} is empty; give one, or remove the line from both")
    if not pairs:
        raise InputError(f"{files[0].name} and {files[1].name} contain no pairs; expected a text on each line")
    return ParallelText([pair[1] for pair in pairs], [pair[2] for pair in pairs])


def _rows(
    name: str,
    lines: Lines,
    ending: str,
    roles: Iterable[str],
    columns: Iterable[Column | None],
    skip: bool = True,
) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and the cells of each line, one for each role; ``skip`` leaves blank lines out."""
    roles, columns = list(roles), list(columns)
    if ending in _JSON:
        yield from _objects(name, lines, roles, columns)
        return
    places: list[int] | None = None
    for number, line in lines:
        where, cells = f"{name}:{number}", line.split("\t")
        if places is None:
            places = _places(where, cells, roles, columns)
            if any(_is_name(column) for column in columns):
                continue
        if not line.strip():
            if not skip:
                yield where, [""] * len(roles)
            continue
        if len(cells) <= max(places):
            expected = f"at least {max(places) + 1} column{'s' * (max(places) > 0)}"
            raise InputError(f"{where}: expected {expected}, found {len(cells)} separated by tabs")
        yield where, [cells[place].strip() for place in places]


def _places(where: str, cells: list[str], roles: list[str], columns: list[Column | None]) -> list[int]:
    """Return the index of each role's column; ``cells`` are the header if a column is given by its name."""
    places = []
    header = [cell.strip() for cell in cells]
    for role, given in zip(roles, columns, strict=True):
        column = _DEFAULT[role] if given is None else given
        if _is_name(column):
            places.append(position(where, header, str(column), f"{role}_column"))
            continue
        if int(column) < 1:
            raise InputError(f"{role}_column must be at least 1, got {column}; columns are numbered from 1")
        places.append(int(column) - 1)
    return places


def _is_name(column: Column | None) -> bool:
    return isinstance(column, str) and not column.isdecimal()


def _objects(
    name: str, lines: Lines, roles: list[str], columns: list[Column | None]
) -> Iterator[tuple[str, list[str]]]:
    for where, record in json_records(name, lines):
        cells = []
        for role, given in zip(roles, columns, strict=True):
            key = role if given is None else str(given)
            if key not in record:
                found = f"set {role}_column to one of {listed(list(record))}" if record else "the object is empty"
                raise InputError(f"{where}: no key {key!r:.40}; {found}")
            if not isinstance(record[key], str):
                raise InputError(f"{where}: {key!r:.40} must be a string, found {kind_of(record[key])}")
            cells.append(encodable(where, record[key]).strip())
        yield where, cells
