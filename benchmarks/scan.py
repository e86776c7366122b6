"""How fast is a text counted and encoded beside gensim's vocabulary scan, on the same text, in turns?

    python -m benchmarks.scan --gensim-python peers/bin/python

takes wiki8 (100 MB, found through WORDVEC_DATA) in lines of 1,000 tokens and prints the medians of seconds and of the
ratios. Ours counts, chooses the vocabulary and writes all ids, with nothing from a cache but compiled kernels; gensim's
``scan_vocab`` counts alone. Both read the text from memory, where it is after the first run. The peak of anonymous
memory is that of one more run in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import click

from benchmarks.word2vec import wiki8_lines

_PEER = """
import json, sys, time
import gensim
model = gensim.models.Word2Vec(min_count=5)
start = time.perf_counter()
model.scan_vocab(corpus_file=sys.argv[1])
print(json.dumps({"peer": "gensim " + gensim.__version__, "seconds": time.perf_counter() - start}))
"""


def anonymous_bytes() -> int:
    """What this process holds beside files, where the system tells (Linux); else 0."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("RssAnon"))


def encode_once(path: str, threads: int | None) -> tuple[float, int]:
    """Seconds, and the largest growth of anonymous memory that looking every millisecond has seen."""
    from corpora import TextCorpus
    from wordvec import encode_corpus

    encode_corpus(["compile first"] * 5, threads=threads)
    before, most, done = anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.001):
            most = max(most, anonymous_bytes() - before)

    watcher = threading.Thread(target=watch)
    if os.environ.get("WATCH"):
        watcher.start()
    start = time.perf_counter()
    encode_corpus(TextCorpus(path), cache=False, threads=threads)
    seconds = time.perf_counter() - start
    done.set()
    if watcher.ident:
        watcher.join()
    return seconds, most


def run_alone(path: Path, threads: int | None, watch: bool = False) -> tuple[float, int]:
    code = f"from benchmarks.scan import encode_once; print(encode_once({os.fspath(path)!r}, {threads!r}))"
    environment = os.environ | ({"WATCH": "1"} if watch else {})
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return tuple(json.loads(found.stdout.replace("(", "[").replace(")", "]")))


@click.command()
@click.option("--gensim-python", required=True, help="A Python that has gensim.")
@click.option("--threads", type=int, help="Of ours.  [default: all cores]")
@click.option("--repeats", default=5, show_default=True)
@click.option("--tokens", type=int, help="Use only so many.  [default: all]")
def main(gensim_python: str, threads: int | None, repeats: int, tokens: int | None) -> None:
    """Scan with each, in turns, and print the ratio."""
    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    with tempfile.TemporaryDirectory() as folder:
        path = wiki8_lines(Path(folder), tokens)
        run_alone(path, threads)
        ours, peers, peer = [], [], {}
        for _ in range(repeats):
            ours.append(run_alone(path, threads)[0])
            command = [gensim_python, "-c", _PEER, os.fspath(path)]
            peer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            peers.append(peer["seconds"])
            click.echo(f"  ours {ours[-1]:.3f} s  {peer['peer']} {peers[-1]:.2f} s  {peers[-1] / ours[-1]:.1f}x")
        peak = run_alone(path, threads, watch=True)[1]
        ratios = [b / a for a, b in zip(ours, peers, strict=True)]
        size, spread = path.stat().st_size / 1e6, f"{min(ratios):.1f} to {max(ratios):.1f}, {repeats} runs"
        click.echo(
            f"{size:.0f} MB, {threads or 'all'} threads: {median(ours):.3f} s, {peer['peer']} {median(peers):.2f} s, "
            f"ratio {median(ratios):.1f} ({spread}); anonymous peak {peak / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
