"""How fast are skip-gram and CBOW beside gensim and word2vec.c, on the same text, in turns?

    python -m benchmarks.word2vec --peer-python peers/bin/python

trains one epoch on wiki8 (found through WORDVEC_DATA), broken into lines of 1,000 tokens because gensim drops what a
line has beyond 10,000, with window 5, 5 negatives, subsampling 1e-3 and min count 5, ours and the peer's in turns, and
prints the medians of raw tokens a second and of the ratios. Compiling is not timed; peers run in a Python of their own
that has them installed. Everybody has the vocabulary before the clock starts: only training is timed.
"""

import lzma
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import click

from benchmarks.machine import describe
from benchmarks.peers import PEERS, Job


def wiki8_lines(folder: Path, limit: int | None) -> Path:
    """wiki8 in lines of 1,000 tokens, as a file in ``folder``; ``limit`` tokens at most."""
    source = Path(os.environ["WORDVEC_DATA"]) / "text" / "wiki8.xz"
    target = folder / "wiki8.txt"
    with lzma.open(source, "rt", encoding="utf-8") as file, open(target, "w", encoding="utf-8") as out:
        tokens = file.read().split()[:limit]
        for start in range(0, len(tokens), 1000):
            out.write(" ".join(tokens[start : start + 1000]) + "\n")
    return target


@click.command()
@click.option("--peer-python", required=True, help="A Python that has the peer.")
@click.option("--peer", type=click.Choice(list(PEERS)), default="gensim", show_default=True)
@click.option("--model", type=click.Choice(["skipgram", "cbow"]), default="skipgram", show_default=True)
@click.option("--vector-size", default=100, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Use only so many.  [default: all]")
def main(
    peer_python: str, peer: str, model: str, vector_size: int, threads: int, repeats: int, tokens: int | None
) -> None:
    """Train one epoch with each, in turns, in both modes, and print the ratios."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    rates: dict[str, list[float]] = {"reproducible": [], "hogwild": [], "peer": []}
    ratios: dict[str, list[float]] = {"reproducible": [], "hogwild": []}
    with tempfile.TemporaryDirectory() as folder:
        path = wiki8_lines(Path(folder), tokens)
        corpus = encode_corpus(TextCorpus(path), cache=False)
        for _ in range(repeats):
            line = []
            for mode in ratios:
                settings = Word2VecSettings(model=model, vector_size=vector_size, mode=mode, epochs=1).resolved()
                result = train_word2vec(corpus, settings, threads=threads)
                rates[mode].append(result.raw_tokens / result.seconds / 1e6)
                line.append(f"{mode} {rates[mode][-1]:.2f}")
            found = PEERS[peer](peer_python, Job(path, model, vector_size, threads, settings.learning_rate or 0.025))
            rates["peer"].append(corpus.raw_tokens / found.train / 1e6)
            for mode in ratios:
                ratios[mode].append(rates[mode][-1] / rates["peer"][-1])
            click.echo(f"  {', '.join(line)}, {found.peer} {rates['peer'][-1]:.3f} Mw/s  ({describe(threads)})")
    shared = f"{settings.shared_negatives} shared negatives, blocks of {settings.block_size}"
    click.echo(f"{model} d{vector_size}, {threads} threads, {shared}, medians of {repeats}:")
    for mode, each in ratios.items():
        spread = f"{min(each):.1f} to {max(each):.1f}"
        click.echo(
            f"  {mode} {median(rates[mode]):.2f} Mw/s, {found.peer} {median(rates['peer']):.3f} Mw/s, ratio "
            f"{median(each):.1f} ({spread})"
        )


if __name__ == "__main__":
    main()
