"""Rule-based sentence segmentation."""

import itertools
import re
import unicodedata

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_CLOSING = r"[\"'\u201d\u2019\u00bb)\]]*"
_END = re.compile(rf"(?:[.!?\u2026]+{_CLOSING}(?=\s)|[\u3002\uff01\uff1f]+{_CLOSING}[\u300d\u300f]*)\s*")
"""The end of a sentence and the white space after it; the full stops of Chinese and Japanese need none."""

_NEVER_LAST = frozenset([
    "adm", "brig", "capt", "cf", "col", "cpl", "dr", "e.g", "eg", "esp", "fig", "figs", "fr", "ft", "gen", "gov",
    "hon", "i.e", "ie", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms", "mt", "op", "pp", "prof", "rep",
    "rev", "sen", "sgt", "sr", "st", "vol", "vs",
])  # fmt: skip
"""Abbreviations, without their last period, that a name, a number or an example follows."""
_BEFORE_NUMBERS = frozenset(["ca", "c", "ch", "no", "nos", "p", "sec", "art"])
_STARTERS = frozenset([
    "A", "After", "An", "And", "As", "At", "But", "For", "He", "However", "If", "In", "It", "Its", "On", "She",
    "Since", "So", "That", "The", "Then", "There", "These", "They", "This", "Those", "Though", "Thus", "To", "We",
    "What", "When", "While", "Who", "With", "You",
])  # fmt: skip
"""Words that, capitalized after ``U.S.``, start a sentence."""

_NARROWEST, _WIDEST = 30, 140
"""Widths in characters at which text is wrapped."""


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order, each on one line.

    A sentence ends at a full stop, question or exclamation mark, with closing quotes, before white space and anything
    but a lower-case letter; also at an empty line; and at every line end unless the lines are wrapped at one width. It
    does not end at the period of an abbreviation or an initial.

    Args:
        text: any text; the rules for abbreviations are those of English.

    Returns:
        non-empty strings, in which every run of white space is one space.

    Example:
        >>> split_sentences('Mr. J. Smith paid 3.50 dollars. "Why?" he asked.\\n\\nIn the U.S. This is cheap!')
        ['Mr. J. Smith paid 3.50 dollars.', '"Why?" he asked.', 'In the U.S.', 'This is cheap!']
    """
    found = []
    for paragraph in _BLANK.split(text):
        for unit in _units(paragraph):
            found += _sentences(unit)
    return found


def _units(paragraph: str) -> list[str]:
    """Return the lines of a paragraph, or all in one if they are wrapped: most have no room for the next word."""
    lines = [line for line in map(str.strip, paragraph.splitlines()) if line]
    pairs = list(itertools.pairwise(lines))
    width = max(map(len, lines), default=0)
    full = sum(len(line) + 1 + len(after.split(None, 1)[0]) > width for line, after in pairs)
    wrapped = _NARROWEST <= width <= _WIDEST and 2 * full > len(pairs)
    return [" ".join(lines)] if wrapped else lines


def _sentences(unit: str) -> list[str]:
    unit = " ".join(unit.split())
    found, start = [], 0
    for match in _END.finditer(unit):
        if _ends(unit, start, match):
            found.append(unit[start : match.end()].strip())
            start = match.end()
    rest = unit[start:].strip()
    return [*found, rest] if rest else found


def _ends(unit: str, start: int, match: re.Match[str]) -> bool:
    """Whether a sentence that began at ``start`` ends with the matched punctuation."""
    following = unit[match.end() :]
    first = next((letter for letter in following[:3] if letter.isalnum()), "")
    if unicodedata.category(first or ".") == "Ll":
        return False
    if not match.group().rstrip().startswith(".") or match.group().rstrip() != ".":
        return True
    words = unit[start : match.start()].rsplit(None, 2)
    word = words[-1].lstrip("\"'(\u201c\u2018[") if words else ""
    if word.lower() in _NEVER_LAST or (word.lower() in _BEFORE_NUMBERS and first.isdigit()):
        return False
    if re.fullmatch(r"[^\W\d_](?:\.[^\W\d_])+", word):  # U.S.
        return following.split(None, 1)[0] in _STARTERS if following else True
    initial = len(word) == 1 and word.isupper() and word != "I"  # George W. Bush, but not: vitamin C.
    return not (initial and (len(words) == 1 or words[-2][:1].isupper() or words[-2].endswith(".")))
