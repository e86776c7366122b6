"""How fast is co-occurrence counting, compared with GloVe's own tool, and how much memory does it need?

    python -m benchmarks.word_vectors.cooccurrence --peer-python peers/bin/python

counts wiki8 (found through WORDVEC_DATA) in lines of 1,000 tokens: window 15, both sides, 1/distance, min count 5. The
tool, ``cooccur`` of GloVe 1.2, took 24 s for it on one core of a machine where gensim's skip-gram (d100, one thread)
processes 0.283 million tokens per second. So gensim is run here, alternating with ours, and its rate converts those
24 s to this machine. It trains on a part of the text, whose smaller vocabulary makes it slightly faster, which does not
favor us.

Ours starts from the encoded corpus in memory and ends with the matrix; only compiled kernels are cached. Peaks of
anonymous memory (excluding mapped files) are from one additional run each, in separate processes.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import click

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, WrongResultError, call_alone, compare, threads_of, watched_memory
from benchmarks.harness.peers import Job, run_gensim
from benchmarks.harness.texts import data_file, speed_text

_TOOL_SECONDS, _GENSIM_RATE = 24.0, 0.283
"""Measured on one machine."""

_CELLS = 59_964_245
"""Number of cells that the tool finds."""


def count_once(path: str, workers: int, memory: int | None) -> tuple[float, int, int]:
    """Return seconds, cells, and the growth of anonymous memory, sampled every millisecond."""
    from corpora import TextCorpus
    from wordvec import count_cooccurrences, encode_corpus

    count_cooccurrences(encode_corpus(["compile first"] * 5), threads=workers)
    corpus = encode_corpus(TextCorpus(path))
    with watched_memory() as most:
        start = time.perf_counter()
        found = count_cooccurrences(corpus, threads=workers, memory=memory)
        seconds = time.perf_counter() - start
    return seconds, len(found.counts.data), most[0]


def run_alone(path: Path, threads: int, memory: int | None = None, watch: bool = False) -> tuple[float, int, int]:
    return call_alone("benchmarks.word_vectors.cooccurrence.count_once", os.fspath(path), threads, memory, watch=watch)


def rows(run: Run) -> Iterator[Row]:
    """Measure only ours, by threads, as the tool is not an installable package; all runs must find equal cells."""
    tokens = run.pick(1_000_000, 4_000_000, 17_000_000)
    path = speed_text(run.folder, tokens)
    run_alone(path, 1)
    cells = set()

    def count(threads: int, watch: bool = False) -> tuple[float, int]:
        seconds, found, most = run_alone(path, threads, watch=watch)
        cells.add(found)
        return tokens / seconds / 1e6, most

    threads = (1, run.threads)
    modes = {threads_of(n): (lambda n=n: count(n)[0]) for n in threads}
    yield from compare(f"window 15, {tokens / 1e6:.0f} M tokens", "Mw/s", modes, {}, run.repeats)
    yield Row("anonymous memory, 1 thread", "MB", [count(1, watch=True)[1] / 1e6], more_is_better=False)
    if len(cells) != 1:
        raise WrongResultError(f"the number of cells depends on the threads: {sorted(cells)}")


@click.command()
@click.option("--peer-python", required=True, help="A Python with gensim installed.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--gensim-tokens", default=2_000_000, show_default=True, help="Tokens that gensim trains on.")
@click.option("--budgets", default="500e6,100e6", show_default=True, help="Memory limits of the last runs, in bytes.")
def main(peer_python: str, repeats: int, gensim_tokens: int, budgets: str) -> None:
    """Count with one thread and with two, alternating with gensim, and print the estimated time of the tool."""
    if not data_file("text/wiki8.xz"):
        sys.exit("text/wiki8.xz not found; set WORDVEC_DATA to the folder that contains it")
    with tempfile.TemporaryDirectory() as folder:
        part, path = speed_text(Path(folder), gensim_tokens), speed_text(Path(folder))
        os.environ["WORDVEC_CACHE"] = folder
        run_alone(path, 1)
        ours: dict[int, list[float]] = {1: [], 2: []}
        ratios: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(repeats):
            found = run_gensim(peer_python, Job(part, "skipgram", 100, 1, 0.025))
            tool = _TOOL_SECONDS * _GENSIM_RATE / (gensim_tokens / found.train / 1e6)
            for threads, seconds in ours.items():
                taken, cells, _ = run_alone(path, threads)
                if cells != _CELLS:
                    sys.exit(f"{cells:,} cells, the tool finds {_CELLS:,}")
                seconds.append(taken)
                ratios[threads].append(tool / taken)
            click.echo(
                f"  ours {ours[1][-1]:.2f} s, 2 threads {ours[2][-1]:.2f} s; {found.peer} "
                f"{gensim_tokens / found.train / 1e6:.3f} Mw/s, the tool an estimated {tool:.1f} s  ({describe(2)})"
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
