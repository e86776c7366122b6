"""Sources and targets as units, and as ids."""

from collections.abc import Iterable, Sequence

import numpy as np

from corpora import get_tokenizer
from corpora.normalization import normalized
from seqclf.data.columns import one_column
from seqclf.data.texts import count_tokens
from seqclf.translation.network import EOS, UNK, Targets
from wordvec import InputError, Vocabulary
from wordvec.system.validation import shown

END, UNKNOWN = "<eos>", "<unk>"
"""The names of ``EOS`` and ``UNK``."""
MOST_UNITS = 10_000
"""The largest number of units of a source or target: a longer line is most likely no pair."""


def as_lines(texts: Iterable[str], what: str) -> list[str]:
    """Return texts as a list of strings.

    Raises:
        InputError: a single string, or an element that is not a string.

    Example:
        >>> as_lines("ab", "sources")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: sources must be a list of strings, got the string 'ab'; pass ['ab']
    """
    if isinstance(texts, str | bytes):
        raise InputError(f"{what} must be a list of strings, got the string {texts!r:.40}; pass [{texts!r:.40}]")
    if not isinstance(texts, Iterable):
        raise InputError(f"{what} must be a list of strings, got {type(texts).__name__}")
    found = []
    for row, text in enumerate(one_column(texts, what)):
        if not isinstance(text, str):
            raise InputError(f"{what} must be strings, got {shown(text)} ({type(text).__name__}) at position {row}")
        found.append(str(text))
    return found


def split_units(text: str, kind: str) -> list[str]:
    """Return the units of a text: ``words``, ``characters``, or what ``spaces`` separate.

    Example:
        >>> split_units("No, no", "words"), split_units("No", "characters"), split_units("n oʊ", "spaces")
        (['No', 'no'], ['N', 'o'], ['n', 'oʊ'])
    """
    if kind == "characters":
        return list(text)
    return text.split() if kind == "spaces" else get_tokenizer("words").tokenize(text)


def join_units(units: Iterable[str], kind: str) -> str:
    """Return the text of some units: characters joined by nothing, others by a space.

    Example:
        >>> join_units(["n", "oʊ"], "spaces")
        'n oʊ'
    """
    return ("" if kind == "characters" else " ").join(units)


def feature_units(features: str) -> list[str]:
    """Return a unit for each feature; semicolons or spaces separate them.

    Example:
        >>> feature_units("V;PST")
        ['<V>', '<PST>']
    """
    return [f"<{feature}>" for feature in features.replace(";", " ").split()]


def source_units(
    sources: Iterable[str],
    features: Iterable[str] | None,
    kind: str,
    *,
    lowercase: bool = False,
    normalize: str = "none",
    what: str = "sources",
) -> list[list[str]]:
    """Return the units of each source, after those of its features.

    Raises:
        InputError: not strings, not one features string per source, a source without units, or one with too many.

    Example:
        >>> source_units(["go"], ["V;PST"], "characters")
        [['<V>', '<PST>', 'g', 'o']]
    """
    lines = as_lines(sources, what)
    found = []
    for line in lines:
        line = normalized(line, normalize)
        found.append(split_units(line.lower() if lowercase else line, kind))
    _check_units(found, lines, what, kind)
    if features is not None:
        given = as_lines(features, "features")
        if len(given) != len(lines):
            raise InputError(f"{len(given):,} features for {len(lines):,} {what}")
        found = [feature_units(own) + units for own, units in zip(given, found, strict=True)]
    return found


def target_units(targets: Iterable[str], kind: str, what: str = "targets") -> list[list[str]]:
    """Return the units of each target.

    Raises:
        InputError: not strings, a target without units, or one with too many.
    """
    lines = as_lines(targets, what)
    found = [split_units(line, kind) for line in lines]
    _check_units(found, lines, what, kind)
    return found


def _check_units(found: Sequence[Sequence[str]], lines: Sequence[str], what: str, kind: str) -> None:
    for row, (units, line) in enumerate(zip(found, lines, strict=True)):
        if not units:
            hint = "set the units to spaces, or leave it out" if line.strip() else "leave it out"
            raise InputError(
                f"{what} must have at least one unit each, got none at position {row}, {line!r:.40}; {hint}"
            )
        if len(units) > MOST_UNITS:
            hint = "; set the units to spaces or words, or split the text" if kind == "characters" else "; split it"
            raise InputError(
                f"{what} must have at most {MOST_UNITS:,} units each, got {len(units):,} at position {row}{hint}"
            )


def target_vocabulary(targets: Sequence[Sequence[str]], min_count: int) -> Vocabulary:
    """Return the vocabulary of the targets: the end, the unknown unit, then the others by descending count.

    Example:
        >>> target_vocabulary([["a", "b"], ["b"]], min_count=1).tokens
        ['<eos>', '<unk>', 'b', 'a']
    """
    counted = [(unit, count) for unit, count in count_tokens(targets) if unit not in (END, UNKNOWN)]
    kept = [(unit, count) for unit, count in counted if count >= min_count]
    rest = sum(count for _, count in counted) - sum(count for _, count in kept)
    return Vocabulary([END, UNKNOWN, *(unit for unit, _ in kept)], [len(targets), rest, *(n for _, n in kept)])


def encode_targets(targets: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Targets:
    """Return the units' ids; rare ones, and those named like ``END``, are ``UNK``.

    Example:
        >>> encode_targets([["b", "c"]], Vocabulary(["<eos>", "<unk>", "b"])).ids
        array([2, 1, 0], dtype=int32)
    """
    known = {**vocabulary.token_to_id, END: UNK}
    ids = [token_id for units in targets for token_id in (*(known.get(unit, UNK) for unit in units), EOS)]
    offsets = np.zeros(len(targets) + 1, np.int64)
    np.cumsum([len(units) + 1 for units in targets], out=offsets[1:])
    return Targets(np.array(ids, np.int32), offsets)
