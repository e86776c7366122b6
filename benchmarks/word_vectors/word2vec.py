"""How fast are skip-gram and CBOW, compared with gensim, word2vec.c and fastText on the same text?

    python -m benchmarks.word_vectors.word2vec --peer-python peers/bin/python

trains one epoch on wiki8 (found through WORDVEC_DATA; otherwise on generated text), in lines of 1,000 tokens because
gensim truncates lines at 10,000, with window 5, 5 negatives, subsampling 1e-3 and min count 5. Runs alternate with the
peer; prints the medians of raw tokens per second and of the ratios, and core-seconds per million tokens. Only training
is timed, not compilation or the vocabulary scan. Peers run in a Python in which they are installed.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, WrongResultError, compare, number, table, threads_of
from benchmarks.harness.peers import PACKAGES, PEERS, Job
from benchmarks.harness.texts import speed_source, speed_text

if TYPE_CHECKING:
    from wordvec import EncodedCorpus

MODES = ("reproducible", "hogwild")


def compare_training(corpus: "EncodedCorpus", job: Job, peers: Mapping[str, str], repeats: int) -> list[Row]:
    """Compare both modes with peers (name: Python), and reproducible with hogwild mode."""

    def ours(mode: str) -> float:
        settings = Word2VecSettings(model=job.model, vector_size=job.size, mode=mode, epochs=1)
        result = train_word2vec(corpus, settings, threads=job.threads)
        if not np.isfinite(result.vectors.vectors).all():
            raise WrongResultError(f"{job.model}, {mode}: the vectors are not finite")
        return result.raw_tokens / result.seconds / 1e6

    def theirs(peer: str) -> float:
        return corpus.raw_tokens / PEERS[peer](peers[peer], job).train / 1e6

    from wordvec import Word2VecSettings, train_word2vec

    case = f"{job.model} d{job.size}, {threads_of(job.threads)}"
    modes = {mode: partial(ours, mode) for mode in MODES}
    rows = compare(case, "Mw/s", modes, {peer: partial(theirs, peer) for peer in peers}, repeats)
    rows = [replace(row, note="; ".join(filter(None, [core_seconds(row, job.threads), row.note]))) for row in rows]
    same, free = (next(row.ours for row in rows if row.case.endswith(mode)) for mode in MODES)
    return [*rows, Row(f"{case}, reproducible", "Mw/s", same, "ours, hogwild", free)]


def core_seconds(row: Row, threads: int) -> str:
    """Return time times cores, to which the energy is proportional, per million tokens."""
    ours = f"{number(threads / median(row.ours))} core-seconds per million tokens"
    return f"{ours}, {row.peer} {number(threads / median(row.theirs))}" if row.theirs else ours


def rows(run: Run) -> Iterator[Row]:
    """Skip-gram and CBOW by vector size and threads; fastText, which takes three epochs, only at one setting."""
    corpus, path = _corpus(run.folder, run.pick(300_000, 1_000_000, 4_000_000))
    peers = {peer: run.peers[package].python for peer, package in PACKAGES.items() if package in run.peers}
    for model, rate in (("skipgram", 0.025), ("cbow", 0.05)):
        for size in run.pick((100,), (100, 300)):
            for threads in run.pick((1,), (1, run.threads)):
                with_fasttext = run.size != "quick" and (size, threads) == (100, 1)
                asked = {peer: python for peer, python in peers.items() if with_fasttext or peer != "fasttext"}
                yield from compare_training(corpus, Job(path, model, size, threads, rate), asked, run.repeats)


def _corpus(folder: Path, tokens: int | None) -> tuple["EncodedCorpus", Path]:
    """Return the encoded text and its file, after compiling the kernels of both models."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    path = speed_text(folder, tokens)
    for model in ("skipgram", "cbow"):
        for mode in MODES:
            few = encode_corpus(["compile the kernels first"] * 20)
            train_word2vec(
                few, Word2VecSettings(model=model, mode=mode, vector_size=16, epochs=1, subsample=0), threads=1
            )
    return encode_corpus(TextCorpus(path), cache=False), path


@click.command()
@click.option("--peer-python", required=True, help="A Python with the peer installed.")
@click.option("--peer", type=click.Choice(list(PEERS)), default="gensim", show_default=True)
@click.option("--model", type=click.Choice(["skipgram", "cbow"]), default="skipgram", show_default=True)
@click.option("--vector-size", default=100, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
def main(
    peer_python: str, peer: str, model: str, vector_size: int, threads: int, repeats: int, tokens: int | None
) -> None:
    """Train one epoch with each, alternating, in both modes, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, path = _corpus(Path(folder), tokens)
        before = describe(threads)
        found = compare_training(corpus, Job(path, model, vector_size, threads, 0.025), {peer: peer_python}, repeats)
    click.echo("\n".join([f"{speed_source()}, {corpus.raw_tokens:,} tokens; {before}", *table(found)]))


if __name__ == "__main__":
    main()
