"""Results of a run as JSON, Markdown and plots, and the comparison of two runs."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness.headline import PLOT, draw_headline, summary
from benchmarks.harness.measuring import Row, number

LEAST_CHANGE = 0.05
LEAST_CHANGE_OF_ONE = 0.25
"""For a figure that was measured once, whose noise is unknown."""
BUSY = 0.5
"""Processors that other programs may use before figures are unreliable."""
RULE = (
    f"moved: the medians differ by more than {LEAST_CHANGE:.0%} ({LEAST_CHANGE_OF_ONE:.0%} for a figure measured once) "
    "and the ranges do not overlap; ratios are compared if both runs have the peer, our own figures otherwise"
)


def machine_facts(threads: int) -> dict[str, Any]:
    """Return processor, cores, memory, system and versions, but no host name."""
    import llvmlite.binding

    packages = ("numpy", "numba", "llvmlite", "scipy", "scikit-learn")
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        memory = 0.0
    return {
        "processor": _processor(),
        "kind": llvmlite.binding.get_host_cpu_name(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in packages},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def busy_processors(seconds: float = 0.3) -> float:
    """Measure how many processors other programs use while this one sleeps; 0 except on Linux."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0

    def ticks() -> tuple[int, int]:
        used = [int(value) for value in path.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(used), sum(used) - used[3] - used[4]  # without idle and I/O wait

    before = ticks()
    time.sleep(seconds)
    total, used = (b - a for a, b in zip(before, ticks(), strict=True))
    return used / total * (os.cpu_count() or 1) if total else 0.0


def commit() -> str:
    """Return the checkout's commit, with ``+changes`` if tracked files are modified; empty outside a checkout."""
    root = Path(__file__).resolve().parent
    found = []
    for command in (["rev-parse", "--short=10", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        try:
            done = subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True)
        except OSError:
            return ""
        found.append(done.stdout.strip())
    return found[0] + "+changes" * bool(found[1])


def rows_of(benchmark: Mapping[str, Any]) -> list[Row]:
    return [Row(**row) for row in benchmark.get("rows", [])]


def markdown(facts: Mapping[str, Any]) -> str:
    """Return RESULTS.md."""
    machine = facts["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    peers = ", ".join(f"{name} {version}" for name, version in facts["peers"].items()) or "none"
    lines = [
        f"# Results: {machine['processor']} ({machine['kind']})",
        "",
        f"Written by `python -m benchmarks{_arguments(facts)}`, which overwrites it; do not edit.",
        "",
        f"- Machine: {machine['processor']} ({machine['kind']}), {machine['cores']} cores, {machine['memory_gib']} GiB"
        f", {machine['system']}",
        f"- Versions: Python {machine['python']}, {versions}; commit {facts['commit'] or 'unknown'}",
        f"- Peers: {peers}",
        f"- Text: {facts['corpus']}",
        f"- Took {facts['seconds'] / 60:.1f} minutes; {machine['threads']} threads unless stated otherwise",
        "",
        "A ratio above 1 means faster, or smaller, than the peer; both figures of a ratio are from the same round.",
    ]
    if facts.get("headline"):
        lines += ["", f"![speed-up over each peer]({facts['headline']})"]
    table = summary(facts)
    if table:
        lines += ["", "## Summary", "", *table]
    for name, benchmark in facts["benchmarks"].items():
        lines += ["", f"## {name}", "", benchmark["question"], ""]
        if benchmark.get("busy", 0) > BUSY:
            lines += [f"Other programs kept {benchmark['busy']:.1f} processors busy: these figures are unreliable.", ""]
        rows = rows_of(benchmark)
        if rows:
            lines += ["| | ours | peer | ratio | range | note |", "|-|-|-|-|-|-|"]
            lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows]
            lines += [""] * any(row.reason for row in rows) + reasons(rows)
        for key in ("skipped", "failed"):
            if benchmark.get(key):
                lines += ["", f"{key.capitalize()}: {benchmark[key].splitlines()[-1]}"]
        if any(row.points for row in rows) and facts.get("plot"):
            lines += ["", f"![seconds as a function of size]({facts['plot']})"]
    return "\n".join(lines) + "\n"


def reasons(rows: Sequence[Row]) -> list[str]:
    """Return a line for each row that explains why the measured exponent differs from theory."""
    return [f"- {row.case}: {row.reason}." for row in rows if row.reason]


def _arguments(facts: Mapping[str, Any]) -> str:
    return "" if facts["size"] == "default" else f" --{facts['size']}"


def draw_growth(rows: list[Row], path: Path) -> bool:
    """Plot seconds over size with the fitted and the theoretical slope; False if matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "growth"
    columns = min(4, len(rows))
    shape = (-(-len(rows) // columns), columns)
    figure, axes = pyplot.subplots(*shape, figsize=(4 * columns, 3.4 * shape[0]), layout="constrained", squeeze=False)
    for axis in axes.flat[len(rows) :]:
        axis.remove()
    for row, axis in zip(rows, axes.flat, strict=False):
        sizes, seconds = zip(*row.points, strict=True)
        theory = [seconds[0] * (size / sizes[0]) ** (row.theory or 0) for size in sizes]
        axis.loglog(sizes, seconds, "o-", label=f"measured, slope {median(row.ours):.2f}")
        axis.loglog(sizes, theory, "--", color="gray", label=f"theory, slope {row.theory:.2f}")
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
        axis.set_xticks([], minor=True)
        for show in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            show(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "1235" else "")
        axis.set_title(row.case)
        axis.set_ylabel("seconds")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return True


def write_report(facts: dict[str, Any], folder: Path) -> None:
    """Write ``results.json``, ``RESULTS.md`` and, if they are not empty, ``headline.svg`` and ``growth.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    if draw_headline(facts, folder / PLOT):
        facts["headline"] = PLOT
    growing = [row for benchmark in facts["benchmarks"].values() for row in rows_of(benchmark) if row.points]
    if growing and draw_growth(growing, folder / "growth.svg"):
        facts["plot"] = "growth.svg"
    (folder / "results.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text(markdown(facts), encoding="utf-8")


def compare_reports(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each figure that moved beyond the noise, and for each that only one run has."""
    before, after = ({_key(n, r): r for n, b in f["benchmarks"].items() for r in rows_of(b)} for f in (old, new))
    moved = 0
    for key, row in after.items():
        if key not in before:
            yield f"new: {key}"
            continue
        line = _moved(before[key], row)
        if line:
            moved += 1
            yield f"{key}: {line}"
    yield from (f"gone: {key}" for key in before if key not in after)
    yield f"{moved} of {len(before.keys() & after.keys())} figures moved ({RULE})"


def _key(name: str, row: Row) -> str:
    return f"{name}: {row.case}" + (f", compared with {row.peer.split()[0]}" if row.peer else "")


def _moved(old: Row, new: Row) -> str:
    ratios = bool(old.ratios and new.ratios)
    a, b = (old.ratios, new.ratios) if ratios else (old.ours, new.ours)
    change = median(b) / median(a) - 1 if median(a) else 0.0
    least = LEAST_CHANGE if min(len(a), len(b)) > 1 else LEAST_CHANGE_OF_ONE
    if abs(change) <= least or not (min(a) > max(b) or max(a) < min(b)):
        return ""
    if new.theory is not None:
        word = "changed"
    else:
        word = "better" if (change > 0) == (ratios or new.more_is_better) else "worse"
    unit = "x" if ratios else f" {new.unit}"
    return f"{word} by {abs(change):.0%}, {number(median(a))} to {number(median(b))}{unit}"


def log_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
