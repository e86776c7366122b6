"""What every benchmark shares: runs in turns, a row with its spread, the slope of a cost, processes of their own."""

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from benchmarks.harness.peers import Peer, PeerError

SIZES = ("quick", "default", "full")
T = TypeVar("T")


class WrongResultError(Exception):
    """What was measured is not what should have been computed, or nothing was computed."""


class SkippedError(Exception):
    """A benchmark cannot be run here or is too long for this size, and why."""


@dataclass(frozen=True)
class Row:
    """One line of a table: our figure and perhaps a peer's, each as often as it was measured."""

    case: str
    unit: str
    ours: list[float]
    peer: str = ""
    theirs: list[float] = field(default_factory=list)
    more_is_better: bool = True
    theory: float | None = None
    """What an exponent should be."""
    points: list[list[float]] = field(default_factory=list)
    """(size, median seconds) where the row is the slope of a cost."""
    note: str = ""
    reason: str = ""
    """Why it is not what theory says; told below the table."""

    @property
    def ratios(self) -> list[float]:
        """How many times as good as the peer we were, turn by turn."""
        pairs = zip(self.ours, self.theirs, strict=False)
        return [a / b if self.more_is_better else b / a for a, b in pairs]

    def cells(self) -> list[str]:
        """Case, ours, the peer, the median ratio and the spread, as they are printed."""
        ours = f"{number(median(self.ours))} {self.unit}"
        if self.theory is not None:
            ours += f" (theory {number(self.theory)})"
        if not self.theirs:
            return [self.case, ours, "", "", _spread(self.ours), self.note]
        theirs = f"{self.peer}: {number(median(self.theirs))}"
        ratio = f"{number(median(self.ratios))}x"
        return [self.case, ours, theirs, ratio, _spread(self.ratios), self.note]


@dataclass(frozen=True)
class Run:
    """How much to measure, with whom and where."""

    folder: Path
    size: str = "default"
    threads: int = 2
    peers: Mapping[str, Peer] = field(default_factory=dict)
    turns: int = 0
    """How often each figure is measured; 0: as the size has it."""

    def pick(self, quick: T, default: T, full: T | None = None) -> T:
        """The slice that goes with the size of this run; ``full`` is as ``default`` unless given."""
        return {"quick": quick, "default": default, "full": default if full is None else full}[self.size]

    def python(self, package: str) -> str | None:
        """The Python that has this peer, if any."""
        return self.peers[package].python if package in self.peers else None

    @property
    def repeats(self) -> int:
        return self.turns or self.pick(3, 3, 5)


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return "1 run"
    return f"{number(min(values))} to {number(max(values))}, {len(values)} runs"


def threads_of(count: int) -> str:
    return f"{count} thread" + "s" * (count > 1)


def alternate(runs: Mapping[str, Callable[[], float]], repeats: int) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Call each in turn, ``repeats`` times: the figures of all that lived, and why a peer did not."""
    figures: dict[str, list[float]] = {name: [] for name in runs}
    died: dict[str, str] = {}
    for _ in range(repeats):
        for name, run in runs.items():
            if name in died:
                continue
            try:
                figures[name].append(run())
            except PeerError as error:
                died[name] = str(error)
    return {name: each for name, each in figures.items() if name not in died}, died


def compare(
    case: str,
    unit: str,
    ours: Mapping[str, Callable[[], float]],
    theirs: Mapping[str, Callable[[], float]],
    repeats: int,
    *,
    more_is_better: bool = True,
) -> list[Row]:
    """Rows of each way of ours beside each peer, measured in turns; ours alone where every peer is missing or died."""
    figures, died = alternate({**ours, **theirs}, repeats)
    note = "; ".join(f"{name} died: {why}" for name, why in died.items())
    rows = []
    for name in ours:
        label = f"{case}, {name}" if name else case
        for peer in [peer for peer in theirs if peer in figures] or [""]:
            rows.append(Row(label, unit, figures[name], peer, figures[peer] if peer else [], more_is_better, note=note))
    return rows


def slope(points: Sequence[Sequence[float]]) -> float:
    """The exponent b of y = a x**b, by least squares on the logarithms."""
    xs, ys = ([math.log(value) for value in column] for column in zip(*points, strict=True))
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def part_of(points: Sequence[Sequence[float]], part: Callable[[float], float], work: Callable[[float], float]) -> float:
    """The factor a of the fit y = a part(x) + b work(x), neither below 0; relative errors count alike."""
    # Least squares of 1 = a part / y + b work / y.
    parts, works = ([each(x) / y for x, y in points] for each in (part, work))
    p, q, r = (sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((parts,) * 2, (parts, works), (works,) * 2))
    determinant = p * r - q * q
    if not determinant or sum(works) * p < sum(parts) * q:  # b would be below 0
        return sum(parts) / p
    return max(0.0, (sum(parts) * r - sum(works) * q) / determinant)


def growth(
    case: str,
    runs: Mapping[int, Callable[[], float]],
    repeats: int,
    theory: float,
    reason: str | Callable[[list[list[float]]], str] = "",
) -> Row:
    """The exponent with which seconds grow over the sizes in ``runs``, measured in turns, round by round.

    ``reason`` says why it is not what theory says; it may be made of the (size, median seconds) that were found.
    """
    figures, _ = alternate({str(size): run for size, run in runs.items()}, repeats)
    rounds = zip(*(figures[str(size)] for size in runs), strict=True)
    slopes = [slope(list(zip(runs, seconds, strict=True))) for seconds in rounds]
    points = [[size, median(figures[str(size)])] for size in runs]
    steps = ", ".join(number(slope(points[k : k + 2])) for k in range(len(points) - 1))
    sizes = ", ".join(f"{size:,}" for size in runs)
    return Row(
        case,
        "exponent",
        slopes,
        theory=theory,
        points=points,
        note=f"at {sizes}; step by step {steps}",
        reason=reason(points) if callable(reason) else reason,
    )


def _one(size: float) -> float:
    return 1.0


def told_part(
    what: str, part: Callable[[float], float] = _one, work: Callable[[float], float] = float
) -> Callable[[list[list[float]]], str]:
    """A reason for ``growth``: by a fit, the share of the time that grows as ``part`` does (by default not at all) and
    not as ``work``, at both ends."""

    def tell(points: list[list[float]]) -> str:
        factor = part_of(points, part, work)
        ends = points[0], points[-1]
        first, last = (f"{min(1, factor * part(size) / seconds):.0%} at {size:,}" for size, seconds in ends)
        return f"{what}: by a fit {first}, {last}"

    return tell


def table(rows: Sequence[Row]) -> list[str]:
    """Lines for a terminal, columns aligned."""
    cells = [["", "ours", "peer", "ratio", "spread", ""], *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(5)]
    return ["  ".join([*(f"{c:<{w}}" for c, w in zip(line, widths, strict=False)), line[5]]).rstrip() for line in cells]


def anonymous_bytes(process: int | str = "self") -> int:
    """What a process holds beside files, where the system tells (Linux); else 0."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssAnon")), 0)


@contextmanager
def watched_memory() -> Iterator[list[int]]:
    """The largest growth of anonymous memory, seen every millisecond if ``call_alone`` was told to watch; else 0."""
    before, most, done = anonymous_bytes(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            most[0] = max(most[0], anonymous_bytes() - before)

    watcher = threading.Thread(target=watch)
    if os.environ.get("WATCH"):
        watcher.start()
    try:
        yield most
    finally:
        done.set()
        if watcher.ident:
            watcher.join()


def call_alone(function: str, *arguments: Any, watch: bool = False) -> Any:
    """What ``module.function(*arguments)`` gives, as JSON, in a process of its own."""
    module, name = function.rsplit(".", 1)
    code = f"import json; from {module} import {name}; print(json.dumps({name}(*{arguments!r})))"
    environment = os.environ | ({"WATCH": "1"} if watch else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise WrongResultError(f"{function} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
