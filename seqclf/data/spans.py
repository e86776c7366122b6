"""Tags that mark spans of tokens, such as named entities: BIO (IOB2), BIOES and BILOU schemes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

_TAG = re.compile(r"(?:[BIESLU]-.+|O)", re.DOTALL)
_AS_BIOES = {"L": "E", "U": "S"}
_INSIDE, _BEGUN = ("I", "E"), ("B", "I")


class Span(NamedTuple):
    """A span of tokens: its type, and the places of its first and last token in the sentence."""

    kind: str
    first: int
    last: int


def marks_spans(labels: Iterable[Any]) -> bool:
    """Return whether all labels are O or start with B-, I-, E-, S- (or L-, U-), and one starts with B-, I-, S- or U-.

    Example:
        >>> marks_spans(["B-PER", "I-PER", "O"]), marks_spans(["DET", "NOUN"]), marks_spans(["O"])
        (True, False, False)
    """
    found = list(labels)
    return all(map(is_span_tag, found)) and any(label[:2] in ("B-", "I-", "S-", "U-") for label in found)


def is_span_tag(label: Any) -> bool:
    """Return whether a label is O or starts with B-, I-, E-, S-, L- or U-."""
    return isinstance(label, str) and bool(_TAG.fullmatch(label))


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Return the spans of a sentence as seqeval and conlleval define them; L- and U- count as E- and S-.

    A span starts at B-, at S-, or wherever the type changes or the last span has ended; an invalid I- thus starts one.

    Example:
        >>> spans_of(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
        [Span(kind='PER', first=0, last=1), Span(kind='LOC', first=3, last=3), Span(kind='LOC', first=4, last=4)]
    """
    found = []
    before, kind_before, first = "O", "", 0
    for place, (mark, kind) in enumerate([*map(_parts, tags), ("O", "")]):
        changes = kind != kind_before
        if before != "O" and (before in ("E", "S") or mark in ("B", "S", "O") or changes):
            found.append(Span(kind_before, first, place - 1))
        if mark in ("B", "S") or (mark != "O" and (before in ("E", "S", "O") or changes)):
            first = place
        before, kind_before = mark, kind
    return found


def _parts(tag: str) -> tuple[str, str]:
    mark, _, kind = str(tag).partition("-")
    return _AS_BIOES.get(mark, mark), kind


class Transitions(NamedTuple):
    """Which tags may start a sentence (C,), follow each other (C, C; from the row's to the column's), and end one."""

    start: np.ndarray
    between: np.ndarray
    end: np.ndarray


def valid_transitions(labels: Sequence[str]) -> Transitions:
    """Return the valid transitions, bool, of labels for which ``marks_spans`` holds.

    I- and E- only continue a span of their type. A span of several tokens whose type has an E- label (or
    L-) must end with it; of other types, spans may end anywhere.

    Example:
        >>> valid_transitions(["B-A", "I-A", "O"]).between.astype(int).tolist()
        [[1, 1, 1], [1, 1, 1], [1, 0, 1]]
        >>> valid_transitions(["B-A", "I-A", "O"]).start.tolist()
        [True, False, True]
    """
    parts = [_parts(label) for label in labels]
    closed = {kind for mark, kind in parts if mark == "E"}
    between = np.empty((len(parts), len(parts)), bool)
    for row, (mark, kind) in enumerate(parts):
        is_open = mark in _BEGUN
        for column, (following, other) in enumerate(parts):
            continues = following in _INSIDE
            between[row, column] = is_open and kind == other if continues else not (is_open and kind in closed)
    start = np.array([mark not in _INSIDE for mark, _ in parts])
    end = np.array([not (mark in _BEGUN and kind in closed) for mark, kind in parts])
    return Transitions(start, between, end)


def all_valid(sentences: Iterable[Sequence[str]], labels: Sequence[str]) -> bool:
    """Return whether no sentence has an invalid transition.

    Example:
        >>> all_valid([["B-A", "I-A"], ["O"]], ["B-A", "I-A", "O"]), all_valid([["I-A"]], ["B-A", "I-A", "O"])
        (True, False)
    """
    start, between, end = valid_transitions(labels)
    place = {label: row for row, label in enumerate(labels)}
    for sentence in sentences:
        rows = [place[tag] for tag in sentence]
        if rows and not (start[rows[0]] and end[rows[-1]] and between[rows[:-1], rows[1:]].all()):
            return False
    return True
