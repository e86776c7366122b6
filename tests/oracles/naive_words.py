"""The tokenizer ``words2``, character by character, without regular expressions."""

import unicodedata

_REPLACED = {"\u2019": "'", "\u2010": "-", "\u2011": "-", "\u00ad": ""}
_JOINERS = "\u200c\u200d"
_PARTS = 8


def words2(text):
    """Return the tokens of a text."""
    text = "".join(_REPLACED.get(letter, letter) for letter in text)
    tokens, place = [], 0
    while place < len(text):
        if not _starts(text, place):
            place += 1
            continue
        end = _number(text, place) or _link(text, place) or _address(text, place)
        end = end or _abbreviation(text, place) or _word(text, place)
        tokens.append(text[place:end].strip("_'") if "_" in text else text[place:end])
        place = end
    return [token for token in tokens if token]


def _starts(text, place):
    return place < len(text) and (text[place].isalnum() or text[place] == "_")


def _run(text, place):
    """Return the end of the letters, digits, underscores and combining marks from ``place`` on."""
    while _runs(text, place):
        place += 1
    return place


def _runs(text, place):
    return 0 <= place < len(text) and (_starts(text, place) or unicodedata.category(text[place])[0] == "M")


def _is_letter(text, place):
    return 0 <= place < len(text) and text[place].isalnum() and not text[place].isdecimal()


def _link(text, place):
    for scheme in ("http://", "https://", "HTTP://", "HTTPS://", "ftp://", "www.", "WWW."):
        start = place + len(scheme)
        if (
            not _runs(text, place - 1)
            and text.startswith(scheme, place)
            and (scheme[-1] == "/" or _starts(text, start))
        ):
            start += scheme[-1] != "/"
            end = start
            while end < len(text) and not text[end].isspace() and text[end] not in '<>"':
                end += 1
            while end > start and not (_starts(text, end - 1) or text[end - 1] == "/"):
                end -= 1
            if end > start:
                return end
    return None


def _parts(text, place, separators):
    """Return the ends of up to ``_PARTS`` runs after the first, each joined by one of the separators."""
    ends = [_run(text, place)]
    while len(ends) <= _PARTS and text[ends[-1] : ends[-1] + 1] in tuple(separators) and _starts(text, ends[-1] + 1):
        ends.append(_run(text, ends[-1] + 1))
    return ends


def _address(text, place):
    at = _parts(text, place, ".+-")[-1]
    if text[at : at + 1] != "@" or not _starts(text, at + 1):
        return None
    for end in reversed(_parts(text, at + 1, ".-")):
        last = end + 1
        while _starts(text, last):
            last += 1
        if text[end : end + 1] == "." and last >= end + 3:
            return last
    return None


def _abbreviation(text, place):
    for first in (2, 1):
        if _runs(text, place - 1) or not all(_is_letter(text, place + k) for k in range(first)):
            continue
        for count in range(9, 0, -1):
            end = place + first + 2 * count
            dots = range(place + first, end, 2)
            if all(text[k : k + 1] == "." and _is_letter(text, k + 1) for k in dots) and not _starts(text, end):
                return end + (text[end : end + 1] == ".")
    return None


def _number(text, place):
    end = place
    while end < len(text) and text[end].isdecimal():
        end += 1
    last, found = end, None
    while end > place and text[last : last + 1] in tuple(".,:/") and text[last + 1 : last + 2].isdecimal():
        last += 1
        while last < len(text) and text[last].isdecimal():
            last += 1
        found = last
    return found


def _word(text, place):
    end = _run(text, place)
    while True:
        joined = text[end : end + 1] in ("'", *_JOINERS) and _run(text, end + 1) > end + 1
        hyphened = text[end : end + 1] == "-" and _starts(text, end + 1)
        if joined or (
            hyphened and (_is_letter(text, end - 1) or _is_letter(text, end + 1) or "_" in text[end - 1 : end + 2 : 2])
        ):
            end = _run(text, end + 1)
        else:
            return end
