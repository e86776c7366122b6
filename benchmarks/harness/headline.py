"""Summary table and headline plot of a run: the main speed-ups over each peer."""

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
    ("word2vec", r"skipgram d100, (1 thread|\d+ threads), reproducible", r"skip-gram, \1"),
    ("word2vec", r"skipgram d300, (1 thread|\d+ threads), reproducible", r"skip-gram, 300 dimensions, \1"),
    ("word2vec", r"cbow d100, (1 thread|\d+ threads), reproducible", r"CBOW, \1"),
    ("whole_command", r".*, reproducible", "text file to saved vectors"),
    ("scan", r".*, 1 thread", "vocabulary scan and encoding, 1 thread"),
    ("documents", r"tfidf,.*, 1 thread", "TF-IDF, 1 thread"),
    ("queries", r"analogy among ([\d,]+) words, .*", r"one analogy, \1 words"),
    ("queries", r"1,000 questions of a file, among ([\d,]+) words", r"1,000 analogies, \1 words"),
    ("recurrent", r"BiLSTM sst E100 H128, train", "BiLSTM 128, training"),
    ("recurrent", r"BiLSTM imdb E100 H128, train", "BiLSTM 128, training on long texts"),
    ("recurrent", r"BiLSTM sst E100 H128, predict", "BiLSTM 128, batch prediction"),
    ("recurrent", r"BiLSTM sst E100 H128, one text, p50", "BiLSTM 128, one text, median latency"),
    ("recurrent", r"BiLSTM sst E100 H128, one text, p99", "BiLSTM 128, one text, 99th percentile"),
    ("recurrent", r"BiGRU sst E100 H128, train", "BiGRU 128, training"),
    ("recurrent", r"BiRNN sst E100 H128, train", "BiRNN 128, training"),
    ("net_costs", r"first prediction.*", "Python start to first prediction"),
    ("net_costs", r"anonymous memory at its peak, train.*", "peak memory, training a BiLSTM"),
    ("large_softmax", r"R700 H208 V10000, (1 thread|\d+ threads)", r"softmax over 10,000 words, \1"),
)
"""Benchmark, the row's case as a pattern, and its label."""

PLOTTED = (
    ("gensim", r"skip-gram, \d+ threads", "skip-gram training"),
    ("gensim", r"CBOW, \d+ threads", "CBOW training"),
    ("gensim", r"text file to saved vectors", "text file to saved vectors"),
    ("word2vec.c", r"skip-gram, 300 dimensions, \d+ threads", "skip-gram training, 300 dimensions"),
    ("torch", r"BiLSTM 128, training", "BiLSTM training"),
    ("torch", r"BiLSTM 128, batch prediction", "BiLSTM prediction, in batches"),
    ("torch", r"BiLSTM 128, one text, median latency", "BiLSTM prediction, one text"),
    ("scikit-learn", r"TF-IDF, 1 thread", "TF-IDF vectors"),
)
"""Peer, label in the table as a pattern, and label in the plot; one bar each, in this order."""
NAMES = {"torch": "PyTorch"}
"""Peers whose name in prose is not that of their package."""


def _peer(row: Row) -> str:
    return row.peer.split()[0]


def chosen_rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    """Yield the label and row of each chosen figure that has a peer, in order; unmeasured ones are left out."""
    for name, pattern, label in CHOSEN:
        for each in facts["benchmarks"].get(name, {}).get("rows", []):
            match = re.fullmatch(pattern, each["case"])
            if match and each["theirs"] and not each["peer"].startswith("ours"):
                yield match.expand(label), Row(**each)


def plotted_rows(facts: Mapping[str, Any]) -> list[tuple[str, str, Row]]:
    """Return the peer, label and row of each bar."""
    chosen = list(chosen_rows(facts))
    return [
        (NAMES.get(peer, peer), label, row)
        for peer, pattern, label in PLOTTED
        for found, row in chosen
        if _peer(row) == peer and re.fullmatch(pattern, found)
    ]


def summary(facts: Mapping[str, Any]) -> list[str]:
    """Return the table of the chosen rows as lines of Markdown; empty if nothing was measured with a peer."""
    rows = list(chosen_rows(facts))
    if not rows:
        return []
    lines = ["| | ours | theirs | peer | speed-up |", "|-|-|-|-|-|"]
    for label, row in rows:
        ratios = row.ratios
        ratio = f"**{number(median(ratios))}** ({number(min(ratios))} to {number(max(ratios))})"
        ours, theirs = (f"{number(median(each))} {row.unit}" for each in (row.ours, row.theirs))
        lines.append(f"| {label} | {ours} | {theirs} | {row.peer} | {ratio} |")
    return [
        *lines,
        "",
        "Medians over runs that alternate with the peer, range in parentheses; for memory, the ratio of the peaks.",
    ]


def headline(facts: Mapping[str, Any], folder: str = "") -> list[str]:
    """Return the plot and its caption as lines of Markdown.

    ``folder`` is the path of the plot and RESULTS.md, with a trailing slash.
    """
    machine = facts["machine"]
    lines = [f"![{_title(facts)}]({folder}{facts['headline']})", ""] if facts.get("headline") else []
    peers = ", ".join(f"{name} {version}" for name, version in facts["peers"].items())
    return [
        *lines,
        f"{machine['processor']} ({machine['kind']}), {machine['cores']} cores; text: {facts['corpus']}; {peers}."
        f" Written by `python -m benchmarks`; all figures: [RESULTS.md]({folder}RESULTS.md).",
    ]


def check_readme(readme: Path) -> str:
    """Return the text of a page that has both markers.

    Raises:
        ValueError: a marker is missing, or they are in the wrong order.
    """
    text = readme.read_text(encoding="utf-8")
    if not 0 <= text.find(BEGIN) < text.find(END):
        raise ValueError(f"{readme} has no line {BEGIN} followed by a line {END}; add both where the plot belongs")
    return text


def write_readme(facts: Mapping[str, Any], readme: Path, folder: Path) -> None:
    """Write the plot and its caption between the markers; the plot and RESULTS.md are in ``folder``."""
    text = check_readme(readme)
    there = Path(os.path.relpath(folder, readme.parent)).as_posix() + "/"
    middle = "\n".join(headline(facts, "" if there == "./" else there))
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    readme.write_text(f"{before}\n{middle}\n{after}", encoding="utf-8")


def _title(facts: Mapping[str, Any]) -> str:
    peers = list(dict.fromkeys(peer for peer, _, _ in plotted_rows(facts)))
    return "Speed-up over " + " and ".join(filter(None, [", ".join(peers[:-1]), peers[-1]]))


def draw_headline(facts: Mapping[str, Any], path: Path) -> bool:
    """Draw a bar for each plotted speed-up, grouped by peer, on a logarithmic axis.

    Returns False if matplotlib is missing or there is nothing to plot.
    """
    bars = plotted_rows(facts)
    try:
        import matplotlib
    except ImportError:
        return False
    if not bars:
        return False
    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullFormatter

    pyplot.rcParams["svg.hashsalt"] = "headline"
    peers = list(dict.fromkeys(peer for peer, _, _ in bars))
    places = [k + 0.9 * peers.index(peer) for k, (peer, _, _) in enumerate(bars)]  # a gap before each peer
    figure, axis = pyplot.subplots(figsize=(8, 1.1 + 0.36 * places[-1]), layout="constrained")
    for place, (peer, _, row) in zip(places, bars, strict=True):
        ratios = row.ratios
        ratio = median(ratios)
        axis.barh(place, ratio - 1, left=1, color=f"C{peers.index(peer)}", height=0.7)
        axis.plot([min(ratios), max(ratios)], [place, place], color="black", linewidth=1)
        end = (max(1, *ratios), place)
        axis.annotate(number(ratio), end, xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
    for peer in peers:
        top = min(place for place, (each, _, _) in zip(places, bars, strict=True) if each == peer)
        color = f"C{peers.index(peer)}"
        axis.annotate(
            f"compared with {peer}", (0, top - 0.75), xycoords=("axes fraction", "data"), xytext=(-3.5, 0),
            textcoords="offset points", ha="right", va="center", fontsize=9, fontweight="bold", color=color,
        )  # fmt: skip
    axis.axvline(1, color="black", linewidth=1)
    axis.set_xscale("log")
    low, high = (edge(edge(row.ratios) for _, _, row in bars) for edge in (min, max))
    axis.set_xlim(min(0.9, 0.9 * low), max(3, 1.4 * high))
    marks = [x for x in (0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200) if min(0.9, low) <= x <= 1.4 * high]
    axis.set_xticks(marks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(places, [label for _, label, _ in bars], fontsize=9)
    axis.set_ylim(places[-1] + 0.6, -1.2)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.set_xlabel("times as fast; 1 = the peer (median, line: range over turns; logarithmic)", fontsize=9)
    axis.set_title(_title(facts), fontsize=11)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
    return True
