"""How fast are skip-gram and CBOW beside gensim, on the same text, in turns?

    python -m benchmarks.word2vec --gensim-python peers/bin/python

trains one epoch on wiki8 (found through WORDVEC_DATA), broken into lines of 1,000 tokens because gensim drops what a
line has beyond 10,000, with window 5, 5 negatives, subsampling 1e-3 and min count 5, ours and gensim's in turns, and
prints the medians of raw tokens a second and of the ratios. Compiling is not timed; gensim runs in a Python of its
own that has it installed. Both have their vocabulary before the clock starts: only training is timed.
"""

import json
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import click

_PEER = """
import json, sys, time
import gensim
from gensim.models import Word2Vec
path, sg, size, threads, alpha, tokens = sys.argv[1], *map(float, sys.argv[2:])
model = Word2Vec(sg=int(sg), vector_size=int(size), workers=int(threads), alpha=alpha,
                 window=5, negative=5, sample=1e-3, min_count=5, seed=1)
start = time.perf_counter()
model.build_vocab(corpus_file=path)
scanned = time.perf_counter()
model.train(corpus_file=path, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1)
done = time.perf_counter()
print(json.dumps({"peer": "gensim " + gensim.__version__, "scan": scanned - start, "train": done - scanned}))
"""


def wiki8_lines(folder: Path, limit: int | None) -> Path:
    """wiki8 in lines of 1,000 tokens, as a file in ``folder``; ``limit`` tokens at most."""
    source = Path(os.environ["WORDVEC_DATA"]) / "text" / "wiki8.xz"
    target = folder / "wiki8.txt"
    with lzma.open(source, "rt", encoding="utf-8") as file, open(target, "w", encoding="utf-8") as out:
        tokens = file.read().split()[:limit]
        for start in range(0, len(tokens), 1000):
            out.write(" ".join(tokens[start : start + 1000]) + "\n")
    return target


def gensim_run(python: str, path: Path, model: str, size: int, threads: int, rate: float) -> dict:
    command = [python, "-c", _PEER, str(path), str(int(model == "skipgram")), str(size), str(threads), str(rate), "0"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def runs(python: str, path: Path, model: str, size: int, threads: int, mode: str, repeats: int) -> Iterator[tuple]:
    """(our seconds, gensim's seconds) of one epoch, in turns."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    corpus = encode_corpus(TextCorpus(path), cache=False)
    settings = Word2VecSettings(model=model, vector_size=size, mode=mode, epochs=1).resolved()
    for _ in range(repeats):
        ours = train_word2vec(corpus, settings, threads=threads).seconds
        peer = gensim_run(python, path, model, size, threads, settings.learning_rate or 0.025)
        yield corpus.raw_tokens, ours, peer["train"], peer["peer"]


@click.command()
@click.option("--gensim-python", required=True, help="A Python that has gensim.")
@click.option("--model", type=click.Choice(["skipgram", "cbow"]), default="skipgram", show_default=True)
@click.option("--mode", type=click.Choice(["reproducible", "hogwild"]), default="reproducible", show_default=True)
@click.option("--vector-size", default=100, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Use only so many.  [default: all]")
def main(
    gensim_python: str, model: str, mode: str, vector_size: int, threads: int, repeats: int, tokens: int | None
) -> None:
    """Train one epoch with each, in turns, and print the ratio."""
    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    with tempfile.TemporaryDirectory() as folder:
        path = wiki8_lines(Path(folder), tokens)
        rates, peers, ratios, name = [], [], [], ""
        for raw, ours, peer, name in runs(gensim_python, path, model, vector_size, threads, mode, repeats):
            rates.append(raw / ours / 1e6)
            peers.append(raw / peer / 1e6)
            ratios.append(peer / ours)
            click.echo(f"  ours {rates[-1]:.2f}  {name} {peers[-1]:.3f} Mw/s  {ratios[-1]:.1f}x")
    click.echo(
        f"{model} d{vector_size}, {threads} threads, {mode}: ours {median(rates):.2f} Mw/s, {name} {median(peers):.3f} "
        f"Mw/s, ratio {median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}, {repeats} runs)"
    )


if __name__ == "__main__":
    main()
