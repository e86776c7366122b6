"""Roofline: a kernel, the work it does, and how it is timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """What a kernel cannot do without: so many FLOP, and so many bytes read from memory and written to it."""

    flop: float
    read: float = 0.0
    written: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """A kernel that is ready to be timed: ``seconds()`` runs it once."""

    case: str
    work: Work
    seconds: Callable[[], float]
    why: str = ""
    """What else it does, where that is more."""


def timed(function: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start
