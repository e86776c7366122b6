"""Progress reports: what every ``on_progress`` function is called with."""

import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Progress:
    """How far a long call is.

    Attributes:
        stage: ``reading``, ``counting`` or ``training``.
        done, total: the work done, and all of it, in units.
        unit: ``bytes``, ``tokens``, ``cells`` (nonzero counts), ``texts``, ``sentences``, ``sequences``, ``windows``.
        per_second: units per second in this call; NaN before it can be estimated.
        seconds_left: at that rate; NaN before it can be estimated.
        epoch: the current one, from 0. epochs: their number; both 0 where there are none.
        loss: mean training loss of the current epoch so far; None where there is none.
        learning_rate: the current one; None where there is none.
        metrics: those of the last finished epoch on validation data, by name, such as ``dev_accuracy``.
        epoch_done: whether this report ends an epoch.
    """

    stage: str
    done: float
    total: float
    unit: str
    per_second: float = math.nan
    seconds_left: float = math.nan
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    learning_rate: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    epoch_done: bool = False


OnProgress: TypeAlias = Callable[[Progress], None]


def seconds_left(done: float, total: float, per_second: float) -> float:
    """Return the time that the rest takes; NaN while the speed is 0, and so unknown.

    Example:
        >>> seconds_left(6, 10, 2.0), seconds_left(6, 10, 0.0), seconds_left(10, 10, 0.0)
        (2.0, nan, 0.0)
    """
    if done >= total:
        return 0.0
    return (total - done) / per_second if per_second > 0 else math.nan


def reporter(on_progress: OnProgress | None, stage: str, unit: str) -> Callable[[float, float], None] | None:
    """Return a function of the work done and of all work that calls ``on_progress``; None without one.

    Example:
        >>> report = reporter(lambda state: print(state.stage, state.done, state.total, state.unit), "reading", "bytes")
        >>> report(5, 10)
        reading 5 10 bytes
    """
    if on_progress is None:
        return None
    began = time.perf_counter()

    def report(done: float, total: float) -> None:
        per_second = done / max(time.perf_counter() - began, 1e-9)
        on_progress(Progress(stage, done, total, unit, per_second, seconds_left(done, total, per_second)))

    return report


class ProgressLine:
    """An ``on_progress`` that keeps one line on stderr up to date, in a notebook or terminal, and clears it at the end.

    Example:
        >>> show = ProgressLine()
        >>> show(Progress("training", 5, 10, "tokens", loss=0.5))
        >>> show(Progress("training", 10, 10, "tokens"))
    """

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, state: Progress) -> None:
        """Show a report."""
        line = "" if state.done >= state.total else _line(state)
        sys.stderr.write("\r" + line.ljust(self._shown) + ("" if line else "\r"))
        sys.stderr.flush()
        self._shown = len(line)


def _line(state: Progress) -> str:
    parts = [f"{100 * state.done / state.total:.0f} %"]
    parts += [f"epoch {state.epoch + 1} of {state.epochs}"] if state.epochs else []
    parts += [] if state.loss is None else [f"loss {state.loss:.3f}"]
    parts += [f"{name} {value:.3f}" for name, value in state.metrics.items()]
    parts += [] if math.isnan(state.seconds_left) else [f"{state.seconds_left:.0f} s left"]
    return f"{state.stage}: {', '.join(parts)}"
