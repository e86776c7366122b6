"""How fast are phrases found, compared with gensim's ``Phrases``?

    python -m benchmarks.word_vectors.phrases --peer-python peers/bin/python

takes wiki8 (found through WORDVEC_DATA; otherwise generated text) in lines of 1,000 tokens and prints the medians of
seconds and ratios. Both read the text, count words and pairs, and return all phrases with their scores
(``export_phrases``); the phrases must be the same. Ours runs with compiled kernels, without the cached corpus.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.harness.measuring import Row, Run, WrongResultError, call_alone, compare, table, threads_of
from benchmarks.harness.peers import run_json
from benchmarks.harness.texts import speed_source, speed_text

_PEER = """
import json, sys, time
from gensim.models.phrases import Phrases
from gensim.models.word2vec import LineSentence
start = time.perf_counter()
found = Phrases(LineSentence(sys.argv[1], max_sentence_length=10**9)).export_phrases()
print(json.dumps({"seconds": time.perf_counter() - start, "phrases": len(found), "sum": sum(found.values())}))
"""


def find_once(path: str, threads: int) -> tuple[float, int, float]:
    """Return seconds, the number of phrases and the sum of their scores."""
    from corpora import TextCorpus
    from wordvec import Phrases, encode_corpus

    Phrases(min_count=1, threshold=0.1).fit(["compile the kernels first"] * 5)
    start = time.perf_counter()
    corpus = encode_corpus(TextCorpus(path), min_count=1, cache=False, threads=threads)
    found = Phrases(n_jobs=threads).fit(corpus).phrases_
    return time.perf_counter() - start, len(found), sum(found.values())


def compare_phrases(path: Path, threads: int, peer_python: str | None, repeats: int) -> Iterator[Row]:
    """Yield the seconds of both."""
    text = os.fspath(path)
    _, phrases, total = call_alone("benchmarks.word_vectors.phrases.find_once", text, threads)

    def ours() -> float:
        found: float = call_alone("benchmarks.word_vectors.phrases.find_once", text, threads)[0]
        return found

    def gensim() -> float:
        found = run_json([str(peer_python), "-c", _PEER, text])
        if found["phrases"] != phrases or abs(found["sum"] - total) > 1e-6 * total:
            raise WrongResultError(f"gensim finds {found['phrases']} phrases, ours {phrases}, or their scores differ")
        return float(found["seconds"])

    case = f"{path.stat().st_size / 1e6:.0f} MB, {threads_of(threads)}"
    yield from compare(case, "s", {"": ours}, {"gensim": gensim} if peer_python else {}, repeats, more_is_better=False)


def rows(run: Run) -> Iterator[Row]:
    path = speed_text(run.folder, run.pick(500_000, 2_000_000))
    yield from compare_phrases(path, 1, run.python("gensim"), run.repeats)


@click.command()
@click.option("--peer-python", required=True, help="A Python with gensim installed.")
@click.option("--threads", default=1, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
def main(peer_python: str, threads: int, repeats: int, tokens: int | None) -> None:
    """Find the phrases with each, alternating, and print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = speed_text(Path(folder), tokens)
        click.echo(speed_source())
        click.echo("\n".join(table(list(compare_phrases(path, threads, peer_python, repeats)))))


if __name__ == "__main__":
    main()
