"""How fast do texts become count or TF-IDF vectors beside scikit-learn, on the same list of texts, in turns?

    python -m benchmarks.documents --corpus wiki --weights tfidf

takes the lines of the first raw Wikipedia file (100 MB) or the messages of 20 Newsgroups, found through WORDVEC_DATA,
as a list of strings in memory. Ours is ``CountVectors`` or ``TfidfVectors``, theirs ``CountVectorizer`` or
``TfidfVectorizer`` with ``token_pattern=r"\\S+", lowercase=False``: the same tokens but for white space of Unicode.
Every run is one call in a process of its own, after one on a few words; the medians of seconds and of the ratios are
printed, and the largest growth of anonymous memory in one more run of each.
"""

import json
import lzma
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.scan import anonymous_bytes

FILES = {"wiki": "text/wiki_raw_1.txt.xz", "news": "classify/20news.train.tsv.xz"}


def read_texts(corpus: str) -> list[str]:
    """Lines of Wikipedia, or messages without their labels."""
    data = lzma.decompress((Path(os.environ["WORDVEC_DATA"]) / FILES[corpus]).read_bytes()).decode()
    lines = data.split("\n")[:-1]
    return lines if corpus == "wiki" else [line.split("\t", 1)[1] for line in lines]


def vectorizer(who: str, weights: str, ngrams: int, threads: int | None) -> Any:
    """A transformer that is not yet fitted."""
    options: dict[str, Any] = {"ngram_range": (1, ngrams)}
    if who == "ours":
        from wordvec import CountVectors, TfidfVectors

        return (CountVectors if weights == "count" else TfidfVectors)(**options, n_jobs=threads)
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    kind = CountVectorizer if weights == "count" else TfidfVectorizer
    return kind(**options, token_pattern=r"\S+", lowercase=False)


def run_once(who: str, corpus: str, weights: str, ngrams: int, threads: int | None, call: str) -> dict[str, Any]:
    """Seconds and, with WATCH set, the largest growth of anonymous memory that looking every millisecond has seen."""
    texts = read_texts(corpus)
    model = vectorizer(who, weights, ngrams, threads)
    model.fit_transform(["compile the kernels", "first the kernels"] * 5)
    model.transform(["compile"])
    if call == "transform":
        model.fit(texts)
        model.transform(["compile"])
    before, most, done = anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.001):
            most = max(most, anonymous_bytes() - before)

    watcher = threading.Thread(target=watch)
    if os.environ.get("WATCH"):
        watcher.start()
    start, started = time.perf_counter(), time.process_time()
    matrix = getattr(model, call)(texts)
    seconds, busy = time.perf_counter() - start, time.process_time() - started
    done.set()
    if watcher.ident:
        watcher.join()
    return {"seconds": seconds, "busy": busy, "bytes": most, "shape": matrix.shape, "entries": int(matrix.nnz)}


def run_alone(*arguments: Any, watch: bool = False) -> dict[str, Any]:
    code = f"import json; from benchmarks.documents import run_once; print(json.dumps(run_once(*{arguments!r})))"
    environment = os.environ | ({"WATCH": "1"} if watch else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


@click.command()
@click.option("--corpus", type=click.Choice(list(FILES)), default="wiki", show_default=True)
@click.option("--weights", type=click.Choice(["count", "tfidf"]), default="tfidf", show_default=True)
@click.option("--call", type=click.Choice(["fit_transform", "transform"]), default="fit_transform", show_default=True)
@click.option("--ngrams", default=1, show_default=True, help="Features of one word to so many.")
@click.option("--threads", type=int, help="Of ours.  [default: all cores]")
@click.option("--repeats", default=3, show_default=True)
@click.option("--memory/--no-memory", default=True, help="Measure memory in one more run of each.")
def main(corpus: str, weights: str, call: str, ngrams: int, threads: int | None, repeats: int, memory: bool) -> None:
    """Vectorise with each, in turns, and print the ratio."""
    if "WORDVEC_DATA" not in os.environ:
        sys.exit(f"WORDVEC_DATA names no folder with {FILES[corpus]}")
    import sklearn

    arguments = (corpus, weights, ngrams, threads, call)
    run_alone("ours", *arguments)
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(run_alone("ours", *arguments))
        theirs.append(run_alone("theirs", *arguments))
        a, b = ours[-1]["seconds"], theirs[-1]["seconds"]
        click.echo(f"  ours {a:.2f} s  scikit-learn {sklearn.__version__} {b:.2f} s  {b / a:.1f}x", nl=False)
        a, b = ours[-1]["busy"], theirs[-1]["busy"]
        click.echo(f"  (processor time {a:.2f} s, {b:.2f} s, {b / a:.1f}x)")
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)]
    texts, features = ours[-1]["shape"]
    click.echo(
        f"{corpus} {weights} {call}, n-grams to {ngrams}, {texts:,} texts, {features:,} features (theirs "
        f"{theirs[-1]['shape'][1]:,}), {threads or 'all'} threads: {median(a['seconds'] for a in ours):.2f} s, theirs "
        f"{median(b['seconds'] for b in theirs):.2f} s, ratio {median(ratios):.1f} ({min(ratios):.1f} to "
        f"{max(ratios):.1f}, {repeats} runs)"
    )
    if memory:
        peaks = [run_alone(who, *arguments, watch=True)["bytes"] / 1e6 for who in ("ours", "theirs")]
        click.echo(f"anonymous memory at its peak: {peaks[0]:.0f} MB, theirs {peaks[1]:.0f} MB")


if __name__ == "__main__":
    main()
