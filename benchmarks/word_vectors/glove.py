"""How fast is GloVe training, compared with the authors' program on the same counts?

    python -m benchmarks.word_vectors.glove --program GloVe/build/glove

counts wiki8 (found through WORDVEC_DATA) in lines of 1,000 tokens: window 15, both sides, 1/distance, min count 5. Then
it trains on these counts with each, alternating, and prints the medians of counts per second and of the ratios; without
``--program``, only ours. Preparing the counts is not timed: the program reads them shuffled from a file, and its epoch
is timed by its output; ours are first sorted into blocks, and that time is printed separately.
"""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, compare, threads_of
from benchmarks.harness.peers import PeerError
from benchmarks.harness.texts import speed_text

if TYPE_CHECKING:
    from wordvec.count_based.cooccurrence import CooccurrenceCounts


def write_for_program(found: "CooccurrenceCounts", folder: Path, limit: int) -> int:
    """Write the vocabulary and at most ``limit`` counts, shuffled, for the program; return how many."""
    counts = found.counts
    with open(folder / "vocabulary.txt", "w", encoding="utf-8") as file:
        for token, count in zip(found.vocabulary.tokens, found.vocabulary.counts, strict=True):
            file.write(f"{token} {count}\n")
    chosen = np.random.default_rng(1).permutation(counts.nnz)[:limit]
    cells = np.empty(len(chosen), np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")]))
    cells["word"] = np.searchsorted(counts.indptr, chosen, side="right")
    cells["context"] = counts.indices[chosen] + 1
    cells["count"] = counts.data[chosen]
    cells.tofile(folder / "counts.bin")
    return len(cells)


def program_rate(program: str, folder: Path, cells: int, size: int, threads: int) -> float:
    """Return counts per second in the program's second epoch, which starts when it reports the first."""
    command = [program, "-input-file", "counts.bin", "-vocab-file", "vocabulary.txt", "-save-file", "vectors"]
    command += ["-vector-size", str(size), "-threads", str(threads), "-iter", "2", "-x-max", "10", "-binary", "1"]
    times = []
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if re.search(r"iter: *\d+, cost", line):
                times.append(time.perf_counter())
    if len(times) != 2:
        raise PeerError(f"{program} reported {len(times)} epochs, expected 2")
    return cells / (times[1] - times[0])


def rows(run: Run) -> Iterator[Row]:
    """Compare with the authors' program if it is on the PATH."""
    from corpora import TextCorpus
    from wordvec import GloveSettings, count_cooccurrences, encode_corpus, train_glove

    tokens = run.pick(300_000, 2_000_000, 17_000_000)
    corpus = encode_corpus(TextCorpus(speed_text(run.folder, tokens)), cache=False)
    found = count_cooccurrences(corpus)
    settings = GloveSettings(vector_size=100, epochs=2, x_max=10)
    program = shutil.which("glove")
    cells = write_for_program(found, run.folder, 10_000_000) if program else 0

    def ours(threads: int) -> float:
        return train_glove(found, settings, threads=threads).summary()["cells_per_second"] / 1e6

    def theirs(threads: int) -> float:
        return program_rate(str(program), run.folder, cells, 100, threads) / 1e6

    for threads in (1, run.threads):
        ours(threads)
        peer = {"GloVe": lambda threads=threads: theirs(threads)} if program else {}
        modes = {"": lambda threads=threads: ours(threads)}
        yield from compare(
            f"d100, {cells or found.counts.nnz:,} counts, {threads_of(threads)}", "M/s", modes, peer, run.repeats
        )


@click.command()
@click.option("--program", type=click.Path(exists=True, resolve_path=True), help="The authors' program `glove`.")
@click.option("--vector-size", default=100, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
@click.option(
    "--program-counts",
    default=10_000_000,
    show_default=True,
    help="Maximum number of counts, sampled, for the program.",
)
def main(
    program: str | None, vector_size: int, threads: int, repeats: int, tokens: int | None, program_counts: int
) -> None:
    """Train two epochs with each, alternating, and print the ratio."""
    from corpora import TextCorpus
    from wordvec import GloveSettings, count_cooccurrences, encode_corpus, train_glove

    settings = GloveSettings(vector_size=vector_size, epochs=2, x_max=10)
    rates, peers = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = count_cooccurrences(encode_corpus(TextCorpus(speed_text(folder, tokens)), cache=False))
        cells = write_for_program(found, folder, program_counts) if program else 0
        for _ in range(repeats):
            start = time.perf_counter()
            result = train_glove(found, settings, threads=threads)
            before = time.perf_counter() - start - result.seconds
            rates.append(result.summary()["cells_per_second"])
            line = f"  ours {rates[-1] / 1e6:.2f} M counts/s after {before:.1f} s"
            if program:
                peers.append(program_rate(program, folder, cells, vector_size, threads))
                line += f"  the program {peers[-1] / 1e6:.3f} M  {rates[-1] / peers[-1]:.1f}x"
            click.echo(line)
    click.echo(
        f"{found.counts.nnz:,} counts, {vector_size} dimensions, {threads} threads: {median(rates) / 1e6:.2f} M "
        f"counts/s ({min(rates) / 1e6:.2f} to {max(rates) / 1e6:.2f}, {repeats} runs)"
    )
    if peers:
        ratios = [ours / peer for ours, peer in zip(rates, peers, strict=True)]
        click.echo(f"the program {median(peers) / 1e6:.3f} M; ratio {median(ratios):.1f}")
    click.echo(describe(threads))


if __name__ == "__main__":
    main()
