"""Checks of labeled texts before training: missing labels, duplicates, contradictions, leakage, damaged characters."""

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

Examples = Iterable[tuple[str, str, str | list[str]]]
"""Location (``file:line``), text and label of each example, as ``iter_labelled`` and ``iter_label_sets`` yield them."""
_Example = tuple[str, str, tuple[str, ...]]
"""The same, with the labels as a tuple."""
_MISSING = ("",)


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
        parts: examples by the name of their file, each with a label, ``""`` if it is missing, or a list of labels; the
            first file is the training data.

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
    read = {name: [_checkable(example) for example in examples] for name, examples in parts.items()}
    empty = [name for name, examples in read.items() if not examples]
    if not read or empty:
        raise InputError(f"nothing to check: {f'{empty[0]} has no examples' if empty else 'no files were given'}")
    labeled = {name: [each for each in examples if each[2] != _MISSING] for name, examples in read.items()}
    places: dict[str, list[_Example]] = defaultdict(list)  # part, location and labels of each text
    for name, examples in labeled.items():
        for where, text, labels in examples:
            places[" ".join(text.casefold().split())].append((name, where, labels))
    every = [example for examples in read.values() for example in examples]
    findings = [
        *_missing(every),
        *_between_texts(places, next(iter(read))),
        *_in_texts(every),
        *_in_labels({name: examples for name, examples in labeled.items() if examples}, next(iter(read))),
    ]
    return DataReport({name: _part(examples) for name, examples in read.items()}, findings)


def _checkable(example: tuple[str, str, str | list[str]]) -> _Example:
    where, text, label = example
    return where, text, (label.strip() and label,) if isinstance(label, str) else tuple(sorted(label))


def _missing(examples: list[_Example]) -> Iterable[Finding]:
    missing = [where for where, _, labels in examples if labels == _MISSING]
    if missing:
        message = _counted(len(missing), "text has", "texts have")
        yield Finding("missing labels", f"{message} no label; training refuses them", missing)


def _between_texts(places: Mapping[str, list[_Example]], first: str) -> Iterable[Finding]:
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
        if len({labels for _, _, labels in found}) > 1:
            contradicted += len(found)
            contradictions += [f"{where} {', '.join(labels)}" for _, where, labels in found]
        else:
            copies = [(where, lines[0]) for lines in by_part.values() for where in lines[1:]]
            repeated += len(copies)
            duplicates += [f"{where} = {original}" for where, original in copies]
    if leaks:
        message = _counted(leaked, "text of the other files is", "texts of the other files are")
        yield Finding("leakage", f"{message} also in {first}", leaks)
    if contradictions:
        yield Finding(
            "contradictory labels", f"{contradicted:,} examples have a text that has other labels too", contradictions
        )
    if duplicates:
        message = _counted(repeated, "example repeats", "examples repeat")
        yield Finding("duplicates", f"{message} another of the same file and label", duplicates)


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _in_texts(examples: list[_Example]) -> Iterable[Finding]:
    empty = [where for where, text, _ in examples if not text.strip()]
    if empty:
        yield Finding("empty text", _counted(len(empty), "text is empty", "texts are empty"), empty)
    damaged = [where for where, text, labels in examples if any(map(_DAMAGED.search, (text, *labels)))]
    if damaged:
        message = _counted(len(damaged), "example has", "examples have")
        yield Finding("encoding", f"{message} characters of a wrong encoding, or control characters", damaged)
    long = [f"{where} {len(text):,}" for where, text, _ in examples if len(text) >= _LONG]
    if long:
        message = _counted(len(long), "text has", "texts have")
        yield Finding("long text", f"{message} {_LONG:,} characters or more", long)


def _in_labels(read: Mapping[str, list[_Example]], training: str) -> Iterable[Finding]:
    if training not in read:
        return
    known = Counter(label for _, _, labels in read[training] for label in labels)
    for name, examples in read.items():
        where, text, labels = examples[0]
        if labels and {text.strip().lower(), *(label.strip().lower() for label in labels)} <= _HEADERS:
            shown = f"the first example of {name}, {', '.join(labels)} and {text}, looks like a header"
            yield Finding("header", shown, [where])
        if name != training:
            new = [f"{where} {label}" for where, _, labels in examples for label in labels if label not in known]
            if new:
                message = _counted(len(new), f"label of {name} is", f"labels of {name} are")
                yield Finding("unknown labels", f"{message} not in {training}", new)
    distinct = {labels for _, _, labels in read[training]}
    if len(distinct) == 1:
        same = ", ".join(next(iter(distinct)))
        yield Finding("one label", f"all texts of {training} have {f'the label {same}' if same else 'no label'}", [])
    elif 2 * len(known) > known.total() > _FEW:
        message = f"{len(known):,} of {known.total():,} labels are different; are text and label swapped?"
        yield Finding("many labels", message, [])
    else:
        rare = {label for label, count in known.items() if count < _FEW}
        if rare:
            lines = [f"{where} {label}" for where, _, labels in read[training] for label in labels if label in rare]
            message = _counted(len(rare), "label has", "labels have")
            yield Finding("rare labels", f"{message} fewer than {_FEW} texts", lines)


def _part(examples: list[_Example]) -> Part:
    lengths = [len(text) for _, text, _ in examples]
    counts = Counter(label for _, _, labels in examples if labels != _MISSING for label in labels)
    by_count = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return Part(len(examples), by_count, min(lengths), statistics.median(lengths), max(lengths))
