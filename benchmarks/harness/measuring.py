"""Alternating measurements, result rows with their spread, scaling exponents, and isolated processes."""

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
    """The measured computation failed or returned a wrong result."""


class SkippedError(Exception):
    """A benchmark cannot run here or is too slow for this size; the message gives the reason."""


@dataclass(frozen=True)
class Row:
    """One row of a table: all measurements of our figure and, optionally, of a peer's."""

    case: str
    unit: str
    ours: list[float]
    peer: str = ""
    theirs: list[float] = field(default_factory=list)
    more_is_better: bool = True
    theory: float | None = None
    """The theoretical exponent."""
    points: list[list[float]] = field(default_factory=list)
    """(size, median seconds), if the row is a scaling exponent."""
    note: str = ""
    reason: str = ""
    """Why it differs from theory; shown below the table."""

    @property
    def ratios(self) -> list[float]:
        """The speed-up over the peer in each round."""
        pairs = zip(self.ours, self.theirs, strict=False)
        return [a / b if self.more_is_better else b / a for a, b in pairs]

    def cells(self) -> list[str]:
        """Return the printed cells: case, ours, the peer, the median ratio, the spread and the note."""
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
    """The configuration of a run: folder, input size, threads, peers."""

    folder: Path
    size: str = "default"
    threads: int = 2
    peers: Mapping[str, Peer] = field(default_factory=dict)
    turns: int = 0
    """Number of measurements per figure; 0 selects the default of the size."""

    def pick(self, quick: T, default: T, full: T | None = None) -> T:
        """Return the value for the size of this run; ``full`` defaults to ``default``."""
        return {"quick": quick, "default": default, "full": default if full is None else full}[self.size]

    def python(self, package: str) -> str | None:
        """Return the Python with this peer, if any."""
        return self.peers[package].python if package in self.peers else None

    @property
    def repeats(self) -> int:
        return self.turns or self.pick(3, 3, 5)


def number(value: float) -> str:
    """Format with three significant digits, without an exponent."""
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
    """Call each function in turn, ``repeats`` times; return the figures, and the error of each peer that failed."""
    figures: dict[str, list[float]] = {name: [] for name in runs}
    failed: dict[str, str] = {}
    for _ in range(repeats):
        for name, run in runs.items():
            if name in failed:
                continue
            try:
                figures[name].append(run())
            except PeerError as error:
                failed[name] = str(error)
    return {name: each for name, each in figures.items() if name not in failed}, failed


def compare(
    case: str,
    unit: str,
    ours: Mapping[str, Callable[[], float]],
    theirs: Mapping[str, Callable[[], float]],
    repeats: int,
    *,
    more_is_better: bool = True,
) -> list[Row]:
    """Return a row for each of our variants and each peer, run alternately; no peer if all are missing or failed."""
    figures, failed = alternate({**ours, **theirs}, repeats)
    note = "; ".join(f"{name} failed: {why}" for name, why in failed.items())
    rows = []
    for name in ours:
        label = f"{case}, {name}" if name else case
        for peer in [peer for peer in theirs if peer in figures] or [""]:
            rows.append(Row(label, unit, figures[name], peer, figures[peer] if peer else [], more_is_better, note=note))
    return rows


def slope(points: Sequence[Sequence[float]]) -> float:
    """Fit the exponent b of y = a x**b by least squares on the logarithms."""
    xs, ys = ([math.log(value) for value in column] for column in zip(*points, strict=True))
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def part_of(points: Sequence[Sequence[float]], part: Callable[[float], float], work: Callable[[float], float]) -> float:
    """Fit y = a part(x) + b work(x), with a, b >= 0, by relative least squares, and return a."""
    # Least squares of 1 = a part / y + b work / y.
    parts, works = ([each(x) / y for x, y in points] for each in (part, work))
    p, q, r = (sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((parts,) * 2, (parts, works), (works,) * 2))
    determinant = p * r - q * q
    if not determinant or sum(works) * p < sum(parts) * q:  # b would be negative
        return sum(parts) / p
    return max(0.0, (sum(parts) * r - sum(works) * q) / determinant)


def growth(
    case: str,
    runs: Mapping[int, Callable[[], float]],
    repeats: int,
    theory: float,
    reason: str | Callable[[list[list[float]]], str] = "",
) -> Row:
    """Fit the scaling exponent of seconds over the sizes in ``runs``, measured alternately, for each round.

    ``reason`` explains the difference from theory; it may be a function of the (size, median seconds) measured.
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
        note=f"at {sizes}; stepwise {steps}",
        reason=reason(points) if callable(reason) else reason,
    )


def _one(size: float) -> float:
    return 1.0


def fitted_share(
    what: str, part: Callable[[float], float] = _one, work: Callable[[float], float] = float
) -> Callable[[list[list[float]]], str]:
    """Return a reason for ``growth``: the fitted share of the time that scales as ``part`` (constant by default) rather
    than ``work``, at the smallest and the largest size."""

    def explain(points: list[list[float]]) -> str:
        factor = part_of(points, part, work)
        ends = points[0], points[-1]
        first, last = (f"{min(1, factor * part(size) / seconds):.0%} at {size:,}" for size, seconds in ends)
        return f"{what}: fitted share {first}, {last}"

    return explain


def table(rows: Sequence[Row]) -> list[str]:
    """Return lines of aligned columns for a terminal."""
    cells = [["", "ours", "peer", "ratio", "spread", ""], *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(5)]
    return ["  ".join([*(f"{c:<{w}}" for c, w in zip(line, widths, strict=False)), line[5]]).rstrip() for line in cells]


def anonymous_bytes(process: int | str = "self") -> int:
    """Return the anonymous memory of a process in bytes (RssAnon, not backed by files); 0 except on Linux."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssAnon")), 0)


@contextmanager
def watched_memory() -> Iterator[list[int]]:
    """Yield the largest growth of anonymous memory, sampled every millisecond if ``call_alone`` watches; else 0."""
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
    """Call ``module.function(*arguments)`` in a separate process and return its result, passed as JSON."""
    module, name = function.rsplit(".", 1)
    code = f"import json; from {module} import {name}; print(json.dumps({name}(*{arguments!r})))"
    environment = os.environ | ({"WATCH": "1"} if watch else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise WrongResultError(f"{function} exited with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
