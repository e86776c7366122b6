"""Units of running text: the lines, paragraphs or files that become one sentence each."""

import itertools
import re
from collections.abc import Iterator

from corpora.errors import InputError

UNITS = ("line", "paragraph", "file")
"""Valid values of ``unit``."""

_SPACE = b" \t\n\r\v\f"
_BREAK = re.compile(rb"\n[ \t\r\v\f]*\n\s*")

_ENOUGH_LINES = 50
"""Lines, each with another after it, from which on wrapped text is recognized."""
_NARROWEST, _WIDEST = 30, 140
_ENOUGH_LENGTHS = 5
"""Lines of fewer lengths are made by a program, not by wrapping."""
_SENTENCE_END = re.compile(r"[.!?:;\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\]\u00bb]*$")


def check_unit(unit: str) -> str:
    """Return ``unit``.

    Raises:
        InputError: it is not one of ``UNITS``.
    """
    if unit not in UNITS:
        raise InputError(f"unit must be one of {', '.join(UNITS)}, got {unit!r}")
    return unit


def lines_of_units(blocks: Iterator[bytes], unit: str) -> Iterator[bytes]:
    """Yield the blocks of a file, which end at white space, with one line per paragraph, or one line in all.

    Memory does not depend on the length of the paragraphs. A paragraph ends at an empty line, or one of white space.
    """
    waiting, started = b"", False  # the white space before the next block, shortened; whether there was text
    for block in blocks:
        text = block.rstrip(_SPACE)
        space = block[len(text) :]
        if not text:
            waiting = _shortest(waiting + space)
            continue
        text = waiting + text if started else text.lstrip(_SPACE)
        yield text.replace(b"\n", b" ") if unit == "file" else _joined(text)
        waiting, started = _shortest(space), True
    if started or unit == "file":
        yield b"\n"


def _shortest(space: bytes) -> bytes:
    """Return white space that separates the same units as ``space``."""
    return b"\n" * min(space.count(b"\n"), 2) or b" "


def _joined(text: bytes) -> bytes:
    return b"\n".join([paragraph.replace(b"\n", b" ") for paragraph in _BREAK.split(text)])


def wrapped_width(text: str) -> int | None:
    """Return the width at which text is wrapped, or None if its lines do not end at one width within sentences.

    Lines are wrapped if most of them end without sentence-final punctuation and have no room for the first word of the
    next line. Verse and one sentence per line have lines of all lengths.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    pairs = [(line, after) for line, after in itertools.pairwise(lines) if line and after]
    if len(pairs) < _ENOUGH_LINES:
        return None
    lengths = sorted(len(line) for line, _ in pairs)
    width = lengths[int(0.98 * len(lengths))]
    if not _NARROWEST <= width <= _WIDEST or len(set(lengths)) < _ENOUGH_LENGTHS:
        return None
    cut = sum(
        " " in line and len(line) + 1 + len(after.split(None, 1)[0]) > width and not _SENTENCE_END.search(line)
        for line, after in pairs
    )
    return width if 2 * cut > len(pairs) else None
