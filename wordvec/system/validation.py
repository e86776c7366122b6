"""Argument validation; error messages state the rule and the offending value."""

import math
import reprlib
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

from wordvec.errors import InputError

T = TypeVar("T")

_MOST = 2**63 - 1
"""The largest integer of kernels and files, int64."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = _SHORT.maxarray = 4


def shown(value: Any) -> str:
    """Return the ``repr`` of a value on one line, shortened, so that no message prints a whole corpus."""
    return " ".join(_SHORT.repr(value).split("\n"))


def is_encodable(text: str) -> bool:
    r"""Return whether UTF-8 can encode a text, which an unpaired surrogate prevents.

    Example:
        >>> is_encodable("caf\u00e9"), is_encodable("\ud83d")
        (True, False)
    """
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Check that ``value`` is one of the strings in ``choices``.

    Raises:
        InputError: it is not.

    Example:
        >>> check_choice("loss", "hinge", ("negative", "softmax"))
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: loss must be one of negative, softmax, got 'hinge'
    """
    known = tuple(choices)
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {shown(value)}")


def check_kind(name: str, value: Any, kind: type[T], remedy: str = "") -> T:
    """Return ``value``, an instance of ``kind``.

    Raises:
        InputError: it is not; the message ends with ``remedy``.
    """
    if not isinstance(value, kind):
        advice = f"; {remedy}" if remedy else ""
        raise InputError(f"{name} must be {kind.__name__}, got {type(value).__name__}{advice}")
    return value


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` as a Python bool.

    Raises:
        InputError: it is neither true nor false.
    """
    plain = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, bool):
        raise InputError(f"{name} must be true or false, got {shown(value)}")
    return plain


def check_whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """Return ``value``, an integer of any type, as a Python int, which kernels and files can hold.

    Raises:
        InputError: not a whole number, below ``least``, or above ``most`` or what int64 holds.

    Example:
        >>> import numpy as np
        >>> check_whole("window", np.int64(5), 1)
        5
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} must be a whole number, got {shown(value)}")
    whole = int(value)
    found = f"{whole:,}" if abs(whole) <= _MOST else f"a number of {whole.bit_length():,} bits"
    if whole < (-_MOST if least is None else least):
        raise InputError(f"{name} must be at least {-_MOST if least is None else least:,}, got {found}")
    if whole > (_MOST if most is None else most):
        raise InputError(f"{name} must be at most {_MOST if most is None else most:,}, got {found}")
    return whole


def check_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Return ``value``, a finite number within the given bounds, as a Python float.

    Raises:
        InputError: not a finite number, or out of bounds.

    Example:
        >>> check_number("dropout", 1, least=0, below=1)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: dropout must be at least 0 and below 1, got 1
    """
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:  # a huge integer
        number = math.inf
    if not math.isfinite(number):
        huge = isinstance(value, int) and not isinstance(value, bool)
        found = f"a number of {value.bit_length():,} bits" if huge else shown(value)
        raise InputError(f"{name} must be a finite number, got {found}")
    bounds = {
        f"at least {least}": least is None or number >= least,
        f"above {above}": above is None or number > above,
        f"at most {most}": most is None or number <= most,
        f"below {below}": below is None or number < below,
    }
    if not all(bounds.values()):
        rules = " and ".join(rule for rule in bounds if not rule.endswith("None"))
        raise InputError(f"{name} must be {rules}, got {value}")
    return number
