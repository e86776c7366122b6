"""What does quality cost? Tokens a second against each score, over the number of shared negatives and centres.

    python -m benchmarks.frontier --peer-python peers/bin/python -o frontier.svg

trains skip-gram on wiki8 (settings of ``benchmarks.word2vec``, 5 epochs) with several numbers of shared negatives S and
of centres T that share them, and with gensim and word2vec.c, evaluates every vector file in the same way (P30k
analogies, WordSim-353, SimLex-999), and draws the scores over the speed. Speeds are measured first, each over one epoch
of its own, with nothing in between. One seed a point unless ``--seeds`` says more: over seeds, a score's standard
deviation is about .5 %, .005 and .005.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean, median
from typing import Any

import click

from benchmarks.machine import describe
from benchmarks.peers import PEERS, Job
from benchmarks.word2vec import wiki8_lines

SETS = {
    "analogy/questions-words.txt": "P30k analogies",
    "similarity/ws353.tsv": "WS353",
    "similarity/simlex999.tsv": "SimLex",
}
GRID = [(8, 8), (12, 8), (16, 4), (16, 8), (16, 16), (24, 8), (32, 4), (32, 8), (48, 8)]
DEFAULT = (16, 8)
MODES = ("reproducible", "hogwild")


def evaluate(vectors: Any) -> list[float]:
    """The three scores of a vector file."""
    from wordvec import evaluate_file

    return [evaluate_file(vectors, Path(os.environ["WORDVEC_DATA"]) / name).score for name in SETS]


def draw(points: list[dict], path: Path) -> None:
    """One panel a score: ours in both modes, each point labelled S, T, and the peers."""
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
        axis.set_xlabel("million raw tokens a second")
        axis.set_title(name)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("score after 5 epochs")
    axes[0].legend()
    figure.suptitle("Shared negatives, centres that share them (bold: the default)")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


@click.command()
@click.option("--peer-python", help="A Python that has gensim and word2vec; without it ours stands alone.")
@click.option("--threads", default=2, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--seeds", default=1, show_default=True)
@click.option("--repeats", default=2, show_default=True, help="Epochs that the speed is the median of.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The plot: .svg or .png.")
def main(peer_python: str | None, threads: int, epochs: int, seeds: int, repeats: int, output: Path) -> None:
    """Train every point, evaluate it and draw all; the figures go to OUTPUT with .json as its suffix."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, load_vectors, train_word2vec

    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    points: list[dict] = [
        {"who": mode, "shared": shared, "block": block} for shared, block in GRID for mode in MODES
    ] + [{"who": peer} for peer in (PEERS if peer_python else ())]
    with tempfile.TemporaryDirectory() as folder:
        path, saved = wiki8_lines(Path(folder), None), Path(folder) / "vectors.txt"
        corpus = encode_corpus(TextCorpus(path), cache=False)

        def train(point: dict, epochs: int, seed: int = 1) -> tuple[float, Any]:
            """Millions of raw tokens a second, and the vectors."""
            if point["who"] in PEERS:
                job = Job(path, "skipgram", 100, threads, 0.025, epochs)
                seconds = PEERS[point["who"]](str(peer_python), job, saved).train
                return corpus.raw_tokens * epochs / seconds / 1e6, load_vectors(saved)
            settings = Word2VecSettings(
                mode=point["who"], shared_negatives=point["shared"], block_size=point["block"], epochs=epochs, seed=seed
            )
            result = train_word2vec(corpus, settings, threads=threads)
            return corpus.raw_tokens * epochs / result.seconds / 1e6, result.vectors

        machine = describe(threads)
        click.echo(machine)
        for point in points:
            point["rate"] = median(train(point, 1)[0] for _ in range(repeats))
            click.echo(f"{_name(point)}: {point['rate']:.2f} Mw/s")
        click.echo("speeds are known; now the scores")
        for point in points:
            many = 1 if point["who"] in PEERS else seeds  # a peer's figures do not repeat, whatever its seed
            scores = [evaluate(train(point, epochs, seed)[1]) for seed in range(1, many + 1)]
            point["scores"] = [mean(each) for each in zip(*scores, strict=True)]
            click.echo(f"{_name(point)}: {point['scores'][0]:.3f} {point['scores'][1]:.3f} {point['scores'][2]:.3f}")
    facts = {"machine": machine, "threads": threads, "epochs": epochs, "seeds": seeds, "points": points}
    output.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
    draw(points, output)


def _name(point: dict) -> str:
    return " ".join(map(str, (point["who"], *(point[key] for key in ("shared", "block") if key in point))))


if __name__ == "__main__":
    main()
