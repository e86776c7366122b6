"""A timer for periodic checkpoints and evaluations."""

import math
import time
from numbers import Real
from typing import Any

from wordvec.errors import InputError


class Clock:
    """A timer that is due once ``seconds`` have passed since its last reset; never due if None."""

    def __init__(self, name: str, seconds: float | None) -> None:
        self._seconds = None if seconds is None else check_positive(name, seconds)
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()

    def is_due(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._since >= self._seconds


def check_positive(name: str, value: Any) -> Any:
    """Return the value, a finite number above 0.

    Raises:
        InputError: the value is not a finite number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise InputError(f"{name} must be a number above 0, got {value!r}")
    return value
