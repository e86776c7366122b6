"""Files of intrinsic benchmarks: word pairs with ratings, analogy questions, categories and outliers."""

import csv
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wordvec.errors import InputError


@dataclass
class Section:
    """A named list of analogy questions."""

    name: str
    questions: list[list[str]] = field(default_factory=list)


def read_questions(path: str | os.PathLike[str]) -> list[Section]:
    """Return the sections with questions; ``//`` starts a comment, as in Google's older file."""
    sections = [Section("(no section)")]
    for place, line in numbered_lines(path):
        words = line.split()
        if line.startswith(":"):
            sections.append(Section(line[1:].strip()))
        elif words and not line.startswith("//"):
            if len(words) != 4:
                raise InputError(
                    f"{place}: expected 4 words, found {len(words)}; a question is a line of four words, "
                    f"and a section starts with a colon"
                )
            sections[-1].questions.append(words)
    sections = [section for section in sections if section.questions]
    if not sections:
        raise InputError(f"{path}: no questions; expected four words per line")
    return sections


def read_pairs(path: str | os.PathLike[str]) -> list[tuple[str, str, float]]:
    """Return word pairs and scores; the first line that is not a comment sets separator and columns, or is a header."""
    pairs: list[tuple[str, str, float]] = []
    separator, width, column = "", 0, None
    for place, line in numbered_lines(path):
        if not line.strip() or (line.startswith("#") and score_column(columns_of(line)) is None):
            continue
        separator = separator or _separator(line)
        columns = columns_of(line, separator)
        if column is None:
            column = score_column(columns)
            if column is None and not width and len(columns) >= 3 and not any(map(_is_number, columns)):
                width = len(columns)  # a header
                continue
        width = width or max(len(columns), 3)
        problem = _problem(columns, width, 2 if column is None else column)
        if problem:
            raise InputError(
                f"{place}: {problem}; a line is two words and a score, separated by tabs, commas or spaces"
            )
        assert column is not None
        pairs.append((columns[0], columns[1], _number(columns[column])))
    if not pairs:
        raise InputError(f"{path}: no word pairs; expected two words and a score per line, separated by tabs")
    return pairs


def read_categories(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Return words and their categories; a line that starts with ``#`` is a comment.

    Raises:
        InputError: the file has no words, or a line without a category, which the message names.
    """
    found = []
    for place, line in numbered_lines(path):
        if line.strip() and not line.startswith("#"):
            columns = columns_of(line)
            if len(columns) < 2 or not all(columns[:2]):
                raise InputError(f"{place}: expected a word and its category, found {line.strip()!r:.40}")
            found.append((columns[0], columns[1]))
    if not found:
        raise InputError(f"{path}: no words; expected a word and its category per line")
    return found


def read_outliers(path: str | os.PathLike[str]) -> list[tuple[list[str], list[str]]]:
    """Return groups of words and their outliers, which empty lines separate.

    Raises:
        InputError: a group has no outliers.
    """
    parts: list[list[str]] = [[]]
    for _, line in numbered_lines(path):
        if line.strip():
            parts[-1].append(line.strip())
        elif parts[-1]:
            parts.append([])
    parts = [part for part in parts if part]
    if not parts or len(parts) % 2:
        raise InputError(
            f"{path}: expected the words of a group, an empty line and its outliers, found {len(parts)} lists of words"
        )
    return list(zip(parts[::2], parts[1::2], strict=True))


def _separator(line: str) -> str:
    return next((separator for separator in "\t;," if separator in line), " ")


def columns_of(line: str, separator: str = "") -> list[str]:
    separator = separator or _separator(line)
    if separator == " ":
        return line.split()
    if separator == "\t":
        return [column.strip() for column in line.split("\t")]
    return [column.strip() for column in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def score_column(columns: list[str]) -> int | None:
    """Return the first column after the two words that holds a number; in SimLex-999, a word class precedes it."""
    return next((place for place in range(2, len(columns)) if math.isfinite(_number(columns[place]))), None)


def _problem(columns: list[str], width: int, column: int) -> str:
    """Return what is wrong with a line of word pairs, or nothing."""
    if len(columns) != width:
        return f"expected {width} columns, found {len(columns)}"
    if not all((*columns[:2], columns[column])):
        return "a column is empty"
    return "" if math.isfinite(_number(columns[column])) else f"expected a score, found {columns[column]!r:.40}"


def numbered_lines(path: str | os.PathLike[str]) -> Iterable[tuple[str, str]]:
    from corpora import read_lines

    return ((f"{path}:{number}", line) for number, line in enumerate(read_lines(path), 1))


def _number(text: str) -> float:
    return float(text) if _is_number(text) else math.nan


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def benchmark_name(path: str | os.PathLike[str]) -> str:
    name = Path(path).name
    for compressed in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(compressed)
    return Path(name).stem
