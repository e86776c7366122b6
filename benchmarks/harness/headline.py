"""The few rows of a run that its reader should see first: a table for the README, and a plot of the ratios."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness.measuring import Row, number

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
PLOT = "headline.svg"

CHOSEN = (
    ("word2vec", r"skipgram d100, 1 thread, reproducible", "skip-gram, 1 thread"),
    ("word2vec", r"skipgram d100, [^1]\d* threads, reproducible", "skip-gram, all threads"),
    ("word2vec", r"skipgram d300, 1 thread, reproducible", "skip-gram, 300 numbers, 1 thread"),
    ("word2vec", r"cbow d100, 1 thread, reproducible", "CBOW, 1 thread"),
    ("whole_command", r".*, reproducible", "whole command, text file to vectors"),
    ("scan", r".*, 1 thread", "count and encode text, 1 thread"),
    ("documents", r"tfidf,.*, 1 thread", "TF-IDF, 1 thread"),
    ("queries", r"analogy among.*", "analogy questions"),
    ("recurrent", r"BiLSTM sst E100 H128, train", "BiLSTM 128, training"),
    ("recurrent", r"BiLSTM imdb E100 H128, train", "BiLSTM 128, training on long texts"),
    ("recurrent", r"BiLSTM sst E100 H128, predict", "BiLSTM 128, prediction"),
    ("recurrent", r"BiLSTM sst E100 H128, one text, p50", "BiLSTM 128, one text, median"),
    ("recurrent", r"BiLSTM sst E100 H128, one text, p99", "BiLSTM 128, one text, slowest of 100"),
    ("recurrent", r"BiGRU sst E100 H128, train", "BiGRU 128, training"),
    ("recurrent", r"BiRNN sst E100 H128, train", "BiRNN 128, training"),
    ("net_costs", r"first prediction.*", "Python's start to first prediction"),
    ("net_costs", r"anonymous memory at its peak, train.*", "peak memory, training a BiLSTM"),
    ("large_softmax", r"R700 H208 V10000, [^1]\d* threads", "softmax over 10,000 words, a step"),
)
"""Benchmark, the row's case as a pattern, and how a reader is told of it."""


def chosen_rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    """Each chosen row with a peer, by its label, in order; what was not measured is left out."""
    for name, pattern, label in CHOSEN:
        for each in facts["benchmarks"].get(name, {}).get("rows", []):
            if each["theirs"] and not each["peer"].startswith("ours") and re.fullmatch(pattern, each["case"]):
                yield label, Row(**each)


def headline(facts: Mapping[str, Any], folder: str = "") -> list[str]:
    """Lines in Markdown; ``folder`` is where the plot and RESULTS.md lie, with a slash."""
    machine = facts["machine"]
    lines = ["| | ours | | peer | how many times as good |", "|-|-|-|-|-|"]
    for label, row in chosen_rows(facts):
        ratios = row.ratios
        ratio = f"**{number(median(ratios))}** ({number(min(ratios))} to {number(max(ratios))})"
        ours, theirs = (f"{number(median(each))} {row.unit}" for each in (row.ours, row.theirs))
        lines.append(f"| {label} | {ours} | {theirs} | {row.peer} | {ratio} |")
    if facts.get("headline"):
        lines += ["", f"![ratios]({folder}{facts['headline']})"]
    peers = ", ".join(f"{name} {version}" for name, version in facts["peers"].items())
    return [
        *lines,
        "",
        f"{machine['processor']} ({machine['kind']}), {machine['cores']} cores; text: {facts['corpus']};"
        f" peers: {peers}; medians of turns with the peer, in brackets their range. Written by `python -m benchmarks`,"
        f" commit {facts['commit'] or 'unknown'}; everything it measured is in [RESULTS.md]({folder}RESULTS.md).",
    ]


def check_readme(readme: Path) -> str:
    """The text of a page that has both markers.

    Raises:
        ValueError: it has not.
    """
    text = readme.read_text(encoding="utf-8")
    if not 0 <= text.find(BEGIN) < text.find(END):
        raise ValueError(
            f"{readme} has no line {BEGIN} with a line {END} below; write both where the table should stand"
        )
    return text


def write_readme(facts: Mapping[str, Any], readme: Path, folder: Path) -> None:
    """Put the table between the markers; the plot and RESULTS.md lie in ``folder``."""
    text = check_readme(readme)
    there = Path(os.path.relpath(folder, readme.parent)).as_posix() + "/"
    middle = "\n".join(headline(facts, "" if there == "./" else there))
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    readme.write_text(f"{before}\n{middle}\n{after}", encoding="utf-8")


def draw_headline(facts: Mapping[str, Any], path: Path) -> bool:
    """A bar for each chosen ratio, on a logarithmic axis; False where matplotlib is missing or there is none."""
    rows = list(chosen_rows(facts))[::-1]
    try:
        import matplotlib
    except ImportError:
        return False
    if not rows:
        return False
    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullFormatter

    pyplot.rcParams["svg.hashsalt"] = "headline"
    peers = sorted({row.peer.split()[0] for _, row in rows})
    figure, axis = pyplot.subplots(figsize=(9, 0.8 + 0.32 * len(rows)), layout="constrained")
    for k, (_, row) in enumerate(rows):
        ratios = row.ratios
        peer, ratio = row.peer.split()[0], median(ratios)
        first = peer not in {row.peer.split()[0] for _, row in rows[k + 1 :]}
        axis.barh(k, ratio - 1, left=1, color=f"C{peers.index(peer)}", label=row.peer if first else None, height=0.7)
        axis.plot([min(ratios), max(ratios)], [k, k], color="black", linewidth=1)
        axis.annotate(
            number(ratio), (max(1, *ratios), k), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.axvline(1, color="black", linewidth=1)
    axis.set_xscale("log")
    low, high = (edge(edge(row.ratios) for _, row in rows) for edge in (min, max))
    axis.set_xlim(min(0.7, 0.8 * low), max(3, 1.6 * high))
    marks = [x for x in (0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200) if 0.8 * min(low, 0.8) <= x <= 1.6 * high]
    axis.set_xticks(marks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=9)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    axis.set_title("How many times as good as the peer: median, and range over turns", fontsize=10)
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], fontsize=8, loc="best")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
    return True
