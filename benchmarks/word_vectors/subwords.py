"""How fast is skip-gram with subwords, compared with fastText and gensim's FastText?

    python -m benchmarks.word_vectors.subwords --peer-python peers/bin/python

trains one epoch on wiki8 (found through WORDVEC_DATA; otherwise on generated text), in lines of 1,000 tokens, with
vector size 100, n-grams of 3 to 6 characters in 2,000,000 buckets, window 5, 5 negatives, subsampling 1e-3, min count
5 and a learning rate of 0.05. Runs alternate with the peers; prints the medians of raw tokens per second and of the
ratios. Only training is timed; fastText's time is the difference of two runs of one and two epochs, as each counts the
words, too.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, WrongResultError, compare, table, threads_of
from benchmarks.harness.peers import run_json
from benchmarks.harness.texts import speed_source, speed_text

if TYPE_CHECKING:
    from wordvec import EncodedCorpus

_FASTTEXT = """
import json, sys, time
import fasttext
def seconds(epochs):
    start = time.perf_counter()
    fasttext.train_unsupervised(
        sys.argv[1], model="skipgram", dim=100, thread=int(sys.argv[2]), lr=0.05, epoch=epochs, ws=5, neg=5, t=1e-3,
        minCount=5, minn=3, maxn=6, bucket=2_000_000, verbose=0)
    return time.perf_counter() - start
less, more = seconds(1), seconds(2)
print(json.dumps({"train": more - less}))
"""
_GENSIM = """
import json, sys, time
from gensim.models import FastText
path, threads = sys.argv[1:]
model = FastText(sg=1, vector_size=100, workers=int(threads), alpha=0.05, epochs=1, window=5, negative=5, sample=1e-3,
                 min_count=5, min_n=3, max_n=6, bucket=2_000_000, seed=1)
model.build_vocab(corpus_file=path)
start = time.perf_counter()
model.train(corpus_file=path, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1)
print(json.dumps({"train": time.perf_counter() - start}))
"""
PEERS = {"fasttext": _FASTTEXT, "gensim": _GENSIM}
"""Packages, and the code that trains with them and prints the seconds."""


def compare_training(
    corpus: "EncodedCorpus", path: Path, threads: int, peers: Mapping[str, str], repeats: int
) -> Iterator[Row]:
    """Yield the speed with so many threads, compared with peers (package: Python)."""
    from wordvec import Word2VecSettings, train_word2vec

    def ours() -> float:
        result = train_word2vec(corpus, Word2VecSettings(subwords="3-6", epochs=1, learning_rate=0.05), threads=threads)
        if not np.isfinite(result.vectors.vectors).all():
            raise WrongResultError("the vectors are not finite")
        return result.raw_tokens / result.seconds / 1e6

    def theirs(package: str, python: str) -> float:
        command = [python, "-c", PEERS[package], os.fspath(path), str(threads)]
        return float(corpus.raw_tokens / run_json(command)["train"] / 1e6)

    others: dict[str, Callable[[], float]] = {name: partial(theirs, name, python) for name, python in peers.items()}
    yield from compare(f"skipgram d100, n 3-6, {threads_of(threads)}", "Mw/s", {"": ours}, others, repeats)


def rows(run: Run) -> Iterator[Row]:
    """With one and more threads; with ``--quick`` without peers, which take half a minute for 200,000 words.

    With so few words, dividing the table among the threads takes as long as training.
    """
    corpus, path = _corpus(run.folder, run.pick(100_000, 1_000_000, 4_000_000))
    peers = {name: run.peers[name].python for name in PEERS if name in run.peers and run.size != "quick"}
    for threads in run.pick((1,), (1, run.threads)):
        yield from compare_training(corpus, path, threads, peers, run.repeats)


def _corpus(folder: Path, tokens: int | None) -> tuple["EncodedCorpus", Path]:
    """Return the encoded text and its file, after compiling the kernels."""
    from corpora import TextCorpus
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    path = speed_text(folder, tokens)
    few = encode_corpus(["compile the kernels first"] * 20)
    train_word2vec(few, Word2VecSettings(subwords="3-6", vector_size=16, epochs=1, subsample=0), threads=1)
    return encode_corpus(TextCorpus(path), cache=False), path


@click.command()
@click.option("--peer-python", required=True, help="A Python with the peer installed.")
@click.option("--peer", type=click.Choice(list(PEERS)), default="fasttext", show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
def main(peer_python: str, peer: str, threads: int, repeats: int, tokens: int | None) -> None:
    """Train one epoch with each, alternating, and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, path = _corpus(Path(folder), tokens)
        before = describe(threads)
        found = compare_training(corpus, path, threads, {peer: peer_python}, repeats)
        click.echo("\n".join([f"{speed_source()}, {corpus.raw_tokens:,} tokens; {before}", *table(list(found))]))


if __name__ == "__main__":
    main()
