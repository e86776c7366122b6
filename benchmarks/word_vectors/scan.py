"""How fast is vocabulary counting and encoding, compared with gensim's vocabulary scan of the same text?

    python -m benchmarks.word_vectors.scan --peer-python peers/bin/python

takes wiki8 (100 MB, found through WORDVEC_DATA; otherwise generated text) in lines of 1,000 tokens and prints the
medians of seconds and ratios. Ours counts, selects the vocabulary and writes all ids, with only compiled kernels
cached; gensim's ``scan_vocab`` only counts. Both read the text from the page cache after the first run. The peak of
anonymous memory is from one additional run in a separate process.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.harness.measuring import Row, Run, call_alone, compare, table, threads_of, watched_memory
from benchmarks.harness.peers import run_json
from benchmarks.harness.texts import speed_source, speed_text

_PEER = """
import json, sys, time
import gensim
model = gensim.models.Word2Vec(min_count=5)
start = time.perf_counter()
model.scan_vocab(corpus_file=sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def encode_once(path: str, threads: int | None) -> tuple[float, int]:
    """Return seconds, and the growth of memory if watched."""
    from corpora import TextCorpus
    from wordvec import encode_corpus

    encode_corpus(["compile first"] * 5, threads=threads)
    with watched_memory() as most:
        start = time.perf_counter()
        encode_corpus(TextCorpus(path), cache=False, threads=threads)
        seconds = time.perf_counter() - start
    return seconds, most[0]


def compare_scans(path: Path, threads: int | None, peer_python: str | None, repeats: int) -> Iterator[Row]:
    """Yield the seconds of both, and our memory."""
    text = os.fspath(path)

    def ours(watch: bool = False) -> list[float]:
        return call_alone("benchmarks.word_vectors.scan.encode_once", text, threads, watch=watch)

    ours()
    megabytes = path.stat().st_size / 1e6
    theirs = {"gensim": lambda: run_json([str(peer_python), "-c", _PEER, text])["seconds"]} if peer_python else {}
    case = f"{megabytes:.0f} MB, {threads_of(threads or os.cpu_count() or 1)}"
    yield from compare(case, "s", {"": lambda: ours()[0]}, theirs, repeats, more_is_better=False)
    yield Row(f"{case}, anonymous memory", "MB", [ours(watch=True)[1] / 1e6], more_is_better=False)


def rows(run: Run) -> Iterator[Row]:
    path = speed_text(run.folder, run.pick(2_000_000, 8_000_000))
    for threads in run.pick((1,), (1, run.threads)):
        yield from compare_scans(path, threads, run.python("gensim"), run.repeats)


@click.command()
@click.option("--peer-python", required=True, help="A Python with gensim installed.")
@click.option("--threads", type=int, help="Threads of ours.  [default: all cores]")
@click.option("--repeats", default=5, show_default=True)
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
def main(peer_python: str, threads: int | None, repeats: int, tokens: int | None) -> None:
    """Scan with each, alternating, and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = speed_text(Path(folder), tokens)
        click.echo(speed_source())
        click.echo("\n".join(table(list(compare_scans(path, threads, peer_python, repeats)))))


if __name__ == "__main__":
    main()
