"""Roofline model: a kernel, its minimal work, and its timer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """The minimal work of a kernel: FLOP, and bytes read from and written to memory."""

    flop: float
    read: float = 0.0
    written: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """A kernel ready to be timed: ``seconds()`` runs it once."""

    case: str
    work: Work
    seconds: Callable[[], float]
    why: str = ""
    """What else it spends time on."""


def timed(function: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start
