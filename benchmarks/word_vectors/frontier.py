"""What does quality cost? Scores against tokens per second, by the number of shared negatives and centers.

    python -m benchmarks.word_vectors.frontier --peer-python peers/bin/python -o frontier.svg

trains skip-gram on wiki8 (settings of ``word2vec.py``, 5 epochs) with several numbers of shared negatives S and of
centers T that share them, and with gensim and word2vec.c, evaluates all vectors in the same way (P30k analogies,
WordSim-353, SimLex-999), and plots the scores over the speed. Speeds are measured first, each in separate one-epoch
runs. One seed per point unless ``--seeds`` sets more; the standard deviation of the scores over seeds is about 0.5 %,
0.005 and 0.005.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean, median
from typing import Any

import click

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, SkippedError
from benchmarks.harness.peers import PACKAGES, PEERS, Job
from benchmarks.harness.texts import data_file, speed_text

SETS = {
    "analogy/questions-words.txt": "P30k analogies",
    "similarity/ws353.tsv": "WS353",
    "similarity/simlex999.tsv": "SimLex",
}
GRID = [(8, 8), (12, 8), (16, 4), (16, 8), (16, 16), (24, 8), (32, 4), (32, 8), (48, 8)]
DEFAULT = (16, 8)
SAVING = ("gensim", "word2vec.c")
"""Peers whose vectors are evaluated."""
MODES = ("reproducible", "hogwild")


def evaluate(vectors: Any) -> list[float]:
    """Return the three scores of the vectors."""
    from wordvec import evaluate_file

    return [evaluate_file(vectors, Path(os.environ["WORDVEC_DATA"]) / name).score for name in SETS]


def draw(points: list[dict], path: Path) -> None:
    """Plot one panel per score: ours in both modes, each point labeled S, T, and the peers."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "frontier"
    figure, axes = pyplot.subplots(1, len(SETS), figsize=(15, 5), layout="constrained")
    styles = {"reproducible": ("o", "tab:blue"), "hogwild": ("^", "tab:orange")}
    for k, (name, axis) in enumerate(zip(SETS.values(), axes, strict=True)):
        for who in dict.fromkeys(point["who"] for point in points):
            of = [point for point in points if point["who"] == who]
            marker, color = styles.get(who, ("s", "tab:red" if who.startswith("gensim") else "tab:purple"))
            axis.scatter([p["rate"] for p in of], [p["scores"][k] for p in of], marker=marker, color=color, label=who)
            for p in of:
                if "shared" in p:
                    bold = "bold" if (p["shared"], p["block"]) == DEFAULT else "normal"
                    axis.annotate(
                        f"{p['shared']},{p['block']}", (p["rate"], p["scores"][k]), xytext=(4, 4),
                        textcoords="offset points", fontsize=8, color=color, fontweight=bold,
                    )  # fmt: skip
        axis.set_xscale("log")
        axis.margins(0.12)
        axis.set_xlabel("million raw tokens per second")
        axis.set_title(name)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("score after 5 epochs")
    axes[0].legend()
    figure.suptitle("Shared negatives, centers that share them (bold: the default)")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def measure(
    points: list[dict], path: Path, threads: int, epochs: int, seeds: int, repeats: int, python: Mapping[str, str]
) -> Iterator[dict]:
    """Measure all speeds, then yield each point with its rates, their median and its scores."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, load_vectors, train_word2vec

    saved = path.with_name("vectors.txt")
    corpus = encode_corpus(TextCorpus(path), cache=False)

    def train(point: dict, epochs: int, seed: int = 1) -> tuple[float, Any]:
        """Return millions of raw tokens per second, and the vectors."""
        if point["who"] in PEERS:
            job = Job(path, "skipgram", 100, threads, 0.025, epochs)
            seconds = PEERS[point["who"]](python[point["who"]], job, saved).train
            return corpus.raw_tokens * epochs / seconds / 1e6, load_vectors(saved)
        settings = Word2VecSettings(
            mode=point["who"], shared_negatives=point["shared"], block_size=point["block"], epochs=epochs, seed=seed
        )
        result = train_word2vec(corpus, settings, threads=threads)
        return corpus.raw_tokens * epochs / result.seconds / 1e6, result.vectors

    for point in points:
        point["rates"] = [train(point, 1)[0] for _ in range(repeats)]
        point["rate"] = median(point["rates"])
    for point in points:
        many = 1 if point["who"] in PEERS else seeds  # peers are not reproducible, whatever the seed
        scores = [evaluate(train(point, epochs, seed)[1]) for seed in range(1, many + 1)]
        point["scores"] = [mean(each) for each in zip(*scores, strict=True)]
        yield point


def rows(run: Run) -> Iterator[Row]:
    """Yield three points in both modes, and the peers that save vectors, with the scores as notes."""
    if run.size == "quick":
        raise SkippedError("only at the default size and with --full")
    missing = [name for name in ("text/wiki8.xz", *SETS) if not data_file(name)]
    if missing:
        raise SkippedError(f"not found: {', '.join(missing)}; set --data to the folder that contains them")
    grid = run.pick([], [(8, 8), DEFAULT, (32, 8)], GRID)
    python = {who: run.peers[PACKAGES[who]].python for who in SAVING if PACKAGES[who] in run.peers}
    points = [{"who": who, "shared": s, "block": t} for s, t in grid for who in MODES] + [
        {"who": who} for who in python
    ]
    path = speed_text(run.folder, run.pick(0, 2_000_000, 17_000_000))
    epochs = run.pick(1, 3, 5)
    for point in measure(points, path, run.threads, epochs, 1, 2, python):
        scores = ", ".join(f"{name} {score:.3f}" for name, score in zip(SETS.values(), point["scores"], strict=True))
        yield Row(_name(point), "Mw/s", point["rates"], note=f"after {epochs} epochs {scores}")


@click.command()
@click.option("--peer-python", help="A Python with gensim and word2vec installed.  [default: no peers]")
@click.option("--threads", default=2, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--seeds", default=1, show_default=True)
@click.option("--repeats", default=2, show_default=True, help="Epochs per speed, which is their median.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The plot: .svg or .png.")
def main(peer_python: str | None, threads: int, epochs: int, seeds: int, repeats: int, output: Path) -> None:
    """Train, evaluate and plot all points; the figures are also saved as JSON next to OUTPUT."""
    if not data_file("text/wiki8.xz"):
        sys.exit("text/wiki8.xz not found; set WORDVEC_DATA to the folder that contains it")
    python = dict.fromkeys(SAVING, peer_python) if peer_python else {}
    points: list[dict] = [
        {"who": mode, "shared": shared, "block": block} for shared, block in GRID for mode in MODES
    ] + [{"who": peer} for peer in python]
    machine = describe(threads)
    click.echo(machine)
    with tempfile.TemporaryDirectory() as folder:
        for point in measure(points, speed_text(Path(folder)), threads, epochs, seeds, repeats, python):
            scores = " ".join(f"{score:.3f}" for score in point["scores"])
            click.echo(f"{_name(point)}: {point['rate']:.2f} Mw/s {scores}")
    facts = {"machine": machine, "threads": threads, "epochs": epochs, "seeds": seeds, "points": points}
    output.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
    draw(points, output)


def _name(point: dict) -> str:
    return " ".join(map(str, (point["who"], *(point[key] for key in ("shared", "block") if key in point))))


if __name__ == "__main__":
    main()
