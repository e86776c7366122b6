"""Checks of labeled texts before training: duplicates, contradictions, leakage, empty texts, damaged characters."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corpora.errors import InputError

_HEADERS = {"text", "sentence", "label", "class", "category", "target", "tweet", "message", "review", "title"}
_DAMAGED = re.compile("\ufffd|[\x00-\x08\x0e-\x1f]|\u00c3[\u0080-\u00bf]|\u00e2\u20ac")
"""Replacement and control characters, and UTF-8 that was decoded as Latin-1 or Windows-1252."""
_LONG = 10_000
"""Characters of a text from which on it is reported."""
_FEW = 5

Examples = Iterable[tuple[str, str, str]]
"""Location (``file:line``), text and label of each example, as ``iter_labelled`` yields them."""


@dataclass(frozen=True)
class Finding:
    """What is suspicious about some examples, and where they are."""

    kind: str
    message: str
    lines: list[str]


@dataclass(frozen=True)
class Part:
    """The size of one file: examples by label, and the lengths of texts in characters."""

    texts: int
    labels: dict[str, int]
    shortest: int
    median: float
    longest: int


@dataclass(frozen=True)
class DataReport:
    """Result of ``check_labelled``: the size of each file by its name, and the findings."""

    parts: dict[str, Part]
    findings: list[Finding]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)


def check_labelled(parts: Mapping[str, Examples]) -> DataReport:
    """Check labeled texts for what spoils a classifier or its evaluation.

    Texts are equal if they differ only in case and white space.

    Args:
        parts: examples by the name of their file; the first file is the training data.

    Raises:
        InputError: no file, or one without examples.

    Example:
        >>> train = [("a.tsv:1", "Fire!", "yes"), ("a.tsv:2", "fire!", "no"), ("a.tsv:3", "", "no")]
        >>> report = check_labelled({"a.tsv": train, "b.tsv": [("b.tsv:1", "fire!", "no")]})
        >>> for finding in report.findings[:3]:
        ...     print(finding.kind, finding.lines)
        leakage ['b.tsv:1 = a.tsv:1']
        contradictory labels ['a.tsv:1 yes', 'a.tsv:2 no', 'b.tsv:1 no']
        empty text ['a.tsv:3']
    """
    read = {name: list(examples) for name, examples in parts.items()}
    empty = [name for name, examples in read.items() if not examples]
    if not read or empty:
        raise InputError(f"nothing to check: {f'{empty[0]} has no examples' if empty else 'no files were given'}")
    places: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # part, location and label of each text
    for name, examples in read.items():
        for where, text, label in examples:
            places[" ".join(text.casefold().split())].append((name, where, label))
    findings = [
        *_between_texts(places, next(iter(read))),
        *_in_texts([example for examples in read.values() for example in examples]),
        *_in_labels(read),
    ]
    return DataReport({name: _part(examples) for name, examples in read.items()}, findings)


def _between_texts(places: Mapping[str, list[tuple[str, str, str]]], first: str) -> Iterable[Finding]:
    leaks, contradictions, duplicates = [], [], []
    leaked = contradicted = repeated = 0
    for text, found in places.items():
        if not text or len(found) == 1:
            continue
        by_part: dict[str, list[str]] = defaultdict(list)
        for name, where, _ in found:
            by_part[name].append(where)
        if first in by_part and len(by_part) > 1:
            others = [where for name, lines in by_part.items() if name != first for where in lines]
            leaked += len(others)
            leaks += [f"{where} = {by_part[first][0]}" for where in others]
        if len({label for _, _, label in found}) > 1:
            contradicted += len(found)
            contradictions += [f"{where} {label}" for _, where, label in found]
        else:
            copies = [(where, lines[0]) for lines in by_part.values() for where in lines[1:]]
            repeated += len(copies)
            duplicates += [f"{where} = {original}" for where, original in copies]
    if leaks:
        yield Finding(
            "leakage",
            f"{_counted(leaked, 'text')} of the other files {'is' if leaked == 1 else 'are'} also in {first}",
            leaks,
        )
    if contradictions:
        yield Finding(
            "contradictory labels", f"{contradicted:,} examples have a text that has other labels too", contradictions
        )
    if duplicates:
        yield Finding(
            "duplicates",
            f"{_counted(repeated, 'example', 'repeats', 'repeat')} another of the same file and label",
            duplicates,
        )


def _in_texts(examples: list[tuple[str, str, str]]) -> Iterable[Finding]:
    empty = [where for where, text, _ in examples if not text.strip()]
    if empty:
        yield Finding("empty text", _counted(len(empty), "text", "is empty", "are empty"), empty)
    damaged = [where for where, text, label in examples if _DAMAGED.search(text) or _DAMAGED.search(label)]
    if damaged:
        found = _counted(len(damaged), "example", "has", "have")
        yield Finding("encoding", f"{found} characters of a wrong encoding, or control characters", damaged)
    long = [f"{where} {len(text):,}" for where, text, _ in examples if len(text) >= _LONG]
    if long:
        yield Finding("long text", f"{_counted(len(long), 'text', 'has', 'have')} {_LONG:,} characters or more", long)


def _in_labels(read: Mapping[str, list[tuple[str, str, str]]]) -> Iterable[Finding]:
    training, *others = read
    known = Counter(label for _, _, label in read[training])
    for name, examples in read.items():
        where, text, label = examples[0]
        if {text.strip().lower(), label.strip().lower()} <= _HEADERS:
            yield Finding("header", f"the first example of {name}, {label} and {text}, looks like a header", [where])
        if name in others:
            new = [f"{where} {label}" for where, _, label in examples if label not in known]
            if new:
                yield Finding(
                    "unknown labels",
                    f"{_counted(len(new), 'label')} of {name} {'is' if len(new) == 1 else 'are'} not in {training}",
                    new,
                )
    if len(known) == 1:
        yield Finding("one label", f"all texts of {training} have the label {next(iter(known))}", [])
    elif 2 * len(known) > known.total() > _FEW:
        message = f"{len(known):,} of {known.total():,} labels are different; are text and label swapped?"
        yield Finding("many labels", message, [])
    else:
        rare = {label for label, count in known.items() if count < _FEW}
        if rare:
            lines = [f"{where} {label}" for where, _, label in read[training] if label in rare]
            yield Finding(
                "rare labels", f"{_counted(len(rare), 'label', 'has', 'have')} fewer than {_FEW} texts", lines
            )


def _part(examples: list[tuple[str, str, str]]) -> Part:
    lengths = [len(text) for _, text, _ in examples]
    labels = Counter(label for _, _, label in examples)
    by_count = dict(sorted(labels.items(), key=lambda pair: (-pair[1], pair[0])))
    return Part(len(examples), by_count, min(lengths), statistics.median(lengths), max(lengths))


def _counted(count: int, noun: str, singular: str = "", plural: str = "") -> str:
    """Return a number and a noun with its verb, if given: ``1 text is``, ``2 texts are``."""
    verb = singular if count == 1 else plural
    return f"{count:,} {noun}{'s' * (count != 1)}{verb and f' {verb}'}"
