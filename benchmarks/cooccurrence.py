"""How fast are co-occurrences counted, beside GloVe's own tool, and in how much memory?

    python -m benchmarks.cooccurrence --gensim-python peers/bin/python

counts wiki8 (found through WORDVEC_DATA) in lines of 1,000 tokens: window 15, both sides, 1/distance, min count 5. The
tool, ``cooccur`` of GloVe 1.2, took 24 s for it on one core of a machine where gensim's skip-gram (d100, one thread)
learns from 0.283 million tokens a second. So gensim is run here, in turns with ours, and its rate says what those 24 s
are here. It trains on a part of the text, whose smaller vocabulary makes it a little faster, and us no better.

Ours starts with the encoded corpus in memory and ends with the matrix; nothing is cached but compiled kernels. Peaks of
anonymous memory (what is mapped from files does not count) are those of one more run each, in processes of their own.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import click

from benchmarks.machine import describe
from benchmarks.peers import Job, run_gensim
from benchmarks.scan import anonymous_bytes
from benchmarks.word2vec import wiki8_lines

_TOOL_SECONDS, _GENSIM_RATE = 24.0, 0.283
"""Those of one machine."""

_CELLS = 59_964_245
"""What the tool finds."""


def count_once(path: str, workers: int, memory: int | None) -> tuple[float, int, int]:
    """Seconds, cells, and the largest growth of anonymous memory that looking every millisecond has seen."""
    from corpora import TextCorpus
    from wordvec import count_cooccurrences, encode_corpus

    count_cooccurrences(encode_corpus(["compile first"] * 5), threads=workers)
    corpus = encode_corpus(TextCorpus(path))
    before, most, done = anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.001):
            most = max(most, anonymous_bytes() - before)

    watcher = threading.Thread(target=watch)
    if os.environ.get("WATCH"):
        watcher.start()
    start = time.perf_counter()
    found = count_cooccurrences(corpus, threads=workers, memory=memory)
    seconds = time.perf_counter() - start
    done.set()
    if watcher.ident:
        watcher.join()
    return seconds, len(found.counts.data), most


def run_alone(path: Path, threads: int, memory: int | None = None, watch: bool = False) -> tuple[float, int, int]:
    arguments = f"{os.fspath(path)!r}, {threads}, {memory}"
    code = f"from benchmarks.cooccurrence import count_once; print(*count_once({arguments}))"
    environment = os.environ | ({"WATCH": "1"} if watch else {})
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    seconds, cells, peak = found.stdout.split()
    return float(seconds), int(cells), int(peak)


@click.command()
@click.option("--gensim-python", required=True, help="A Python that has gensim.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--gensim-tokens", default=2_000_000, show_default=True, help="What gensim trains on.")
@click.option("--budgets", default="500e6,100e6", show_default=True, help="Bytes to count in, for the last runs.")
def main(gensim_python: str, repeats: int, gensim_tokens: int, budgets: str) -> None:
    """Count on one thread and on two, in turns with gensim, and print what the tool would have taken."""
    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "part").mkdir()
        part, path = wiki8_lines(Path(folder) / "part", gensim_tokens), wiki8_lines(Path(folder), None)
        os.environ["WORDVEC_CACHE"] = folder
        run_alone(path, 1)
        ours: dict[int, list[float]] = {1: [], 2: []}
        ratios: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(repeats):
            found = run_gensim(gensim_python, Job(part, "skipgram", 100, 1, 0.025))
            tool = _TOOL_SECONDS * _GENSIM_RATE / (gensim_tokens / found.train / 1e6)
            for threads, seconds in ours.items():
                taken, cells, _ = run_alone(path, threads)
                if cells != _CELLS:
                    sys.exit(f"{cells:,} cells, the tool finds {_CELLS:,}")
                seconds.append(taken)
                ratios[threads].append(tool / taken)
            click.echo(
                f"  ours {ours[1][-1]:.2f} s, 2 threads {ours[2][-1]:.2f} s; {found.peer} "
                f"{gensim_tokens / found.train / 1e6:.3f} Mw/s, the tool so {tool:.1f} s  ({describe(2)})"
            )
        for threads, seconds in ours.items():
            each = ratios[threads]
            click.echo(
                f"{_CELLS:,} cells, {threads} threads: {median(seconds):.2f} s, {median(each):.1f} times as fast "
                f"({min(each):.1f} to {max(each):.1f}, {repeats} runs)"
            )
        for memory in (None, *(int(float(budget)) for budget in budgets.split(","))):
            taken, _, peak = run_alone(path, 1, memory, watch=True)
            allowed = "free" if memory is None else f"{memory / 1e6:.0f} MB"
            click.echo(f"memory {allowed}: {taken:.2f} s, anonymous peak {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
