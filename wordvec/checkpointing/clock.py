"""A clock that says when a checkpoint or an evaluation is due."""

import math
import time
from numbers import Real
from typing import Any

from wordvec.errors import InputError


class Clock:
    """Says when so many seconds have passed since it was last reset; never, without a number of them."""

    def __init__(self, name: str, seconds: float | None) -> None:
        self._seconds = None if seconds is None else check_positive(name, seconds)
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()

    def is_due(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._since >= self._seconds


def check_positive(name: str, value: Any) -> Any:
    """The value, a finite number above 0.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise InputError(f"{name} must be a number above 0, got {value!r}")
    return value
