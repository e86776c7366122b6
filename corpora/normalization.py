"""Unicode normalization of texts, at next to no cost for those that are normalized already."""

import re
import unicodedata

from corpora.errors import InputError

FORMS = ("none", "NFC", "NFKC")
"""Valid values of ``normalize``."""

_MAY_CHANGE = re.compile(
    "[\u0300-\u036f\u0374\u037e\u0387\u0483-\u0487\u0590-\u05ff\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0700-\u109f"
    "\u1100-\u139f\u1700-\u1cff\u1dc0-\u1dff\u1f00-\u2001\u20d0-\u20ff\u2126\u212a\u212b\u2329\u232a\u2adc\u2cef-\u2cf1"
    "\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099\u309a\ua660-\uabff\uf900-\ufaff\ufb1d-\ufb4f\ufe20-\ufe2f"
    "\U00010000-\U0001efff\U00020000-\U0002ffff]"
)
"""Characters that NFC may change or join with the one before (NFC_Quick_Check), and some others; all from U+0300 on."""

_LEAD = 0xCC
"""First byte in UTF-8 of U+0300; the first byte of any earlier character is smaller."""


def check_form(form: str) -> str:
    """Return ``form``.

    Raises:
        InputError: it is not one of ``FORMS``.
    """
    if form not in FORMS:
        raise InputError(f"normalize must be one of {', '.join(FORMS)}, got {form!r}")
    return form


def normalized(text: str, form: str) -> str:
    """Return ``text`` in a Unicode normalization form: ``NFC``, ``NFKC``, or as it is (``none``).

    Example:
        >>> len("cafe\\u0301"), len(normalized("cafe\\u0301", "NFC"))
        (5, 4)
    """
    return text if form == "none" or text.isascii() else unicodedata.normalize(form, text)  # type: ignore[arg-type]


def normalized_block(block: bytes, form: str) -> bytes:
    """Return UTF-8 text, which starts and ends at ASCII white space, in a Unicode normalization form.

    For NFC, only the words with characters that it may change are decoded if characters from U+0300 on are few.
    """
    if form == "none" or block.isascii():
        return block
    import numpy as np

    octets = np.frombuffer(block, np.uint8)
    leads = np.flatnonzero(octets >= _LEAD)
    if form != "NFC" or len(leads) > len(block) // 16:
        return normalized(block.decode(), form).encode()
    first, after = octets[leads], np.arange(4)
    within = after < (2 + (first >= 0xE0) + (first >= 0xF0))[:, None]
    letters = octets.take((leads[:, None] + after)[within]).tobytes().decode()
    parts, done = [], 0
    for found in _MAY_CHANGE.finditer(letters):
        place = int(leads[found.start()])
        if place >= done:
            start = max(block.rfind(b" ", done, place), done)
            end = block.find(b" ", place)
            end = len(block) if end < 0 else end
            parts += [block[done:start], normalized(block[start:end].decode(), form).encode()]
            done = end
    return b"".join([*parts, block[done:]]) if parts else block
