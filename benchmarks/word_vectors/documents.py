"""How fast is count and TF-IDF vectorization, compared with scikit-learn on the same texts?

    python -m benchmarks.word_vectors.documents --corpus wiki --weights tfidf

takes the lines of the first raw Wikipedia file (100 MB) or the messages of 20 Newsgroups, found through WORDVEC_DATA,
as a list of strings in memory. Ours is ``CountVectorizer`` or ``TfidfVectorizer``, theirs ``CountVectorizer`` or
``TfidfVectorizer`` with ``token_pattern=r"\\S+", lowercase=False``: the same tokens except for Unicode white space.
With ``--weights pattern`` or ``char_wb``, both count what scikit-learn's defaults or its n-grams of characters are.
Every run is one call in a separate process, after a warm-up on a few words; runs alternate. Prints the medians of
seconds and ratios, and the growth of anonymous memory in one additional run of each.
"""

import lzma
import sys
import time
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any

import click

from benchmarks.harness.measuring import Row, Run, WrongResultError, call_alone, compare, threads_of, watched_memory
from benchmarks.harness.texts import data_file

FILES = {"wiki": "text/wiki_raw_1.txt.xz", "news": "classify/20news.train.tsv.xz", "generated": ""}
WEIGHTS = ("count", "tfidf", "pattern", "char_wb")


def read_texts(corpus: str, limit: int | None) -> list[str]:
    """Return at most ``limit`` lines of Wikipedia, messages without their labels, or generated sentences."""
    if corpus == "generated":
        from corpora import english_sentences

        sentences = list(english_sentences())
        return [" ".join(sentences[k : k + 10]) for k in range(0, len(sentences), 10)][:limit]
    with lzma.open(data_file(FILES[corpus]) or FILES[corpus], "rt", encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n") for line in islice(file, limit)]
    return lines if corpus == "wiki" else [line.split("\t", 1)[1] for line in lines]


def vectorizer(who: str, weights: str, ngrams: int, threads: int | None) -> Any:
    """Return an unfitted transformer."""
    options: dict[str, Any] = {"ngram_range": (1, ngrams)}
    if weights == "char_wb":
        options = {"analyzer": "char_wb", "ngram_range": (2, 5)}
    if who == "ours":
        from wordvec import CountVectorizer, TfidfVectorizer
        from wordvec.document_vectors.estimator import SCIKIT_LEARN

        options |= SCIKIT_LEARN if weights in ("pattern", "char_wb") else {}
        return (TfidfVectorizer if weights == "tfidf" else CountVectorizer)(**options, n_jobs=threads)
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    if weights in ("count", "tfidf"):
        options |= {"token_pattern": r"\S+", "lowercase": False}
    return (TfidfVectorizer if weights == "tfidf" else CountVectorizer)(**options)


def run_once(
    who: str, corpus: str, weights: str, ngrams: int, threads: int | None, call: str, limit: int | None = None
) -> dict[str, Any]:
    """Return wall and CPU seconds, the growth of memory if watched, and the shape, entries and sum of the matrix."""
    texts = read_texts(corpus, limit)
    model = vectorizer(who, weights, ngrams, threads)
    model.fit_transform(["compile the kernels", "first the kernels"] * 5)
    model.transform(["compile"])
    if call == "transform":
        model.fit(texts)
        model.transform(["compile"])
    with watched_memory() as most:
        start, started = time.perf_counter(), time.process_time()
        matrix = getattr(model, call)(texts)
        seconds, busy = time.perf_counter() - start, time.process_time() - started
    return {
        "seconds": seconds, "busy": busy, "bytes": most[0], "shape": matrix.shape, "entries": int(matrix.nnz),
        "sum": float(matrix.sum()),
    }  # fmt: skip


def run_alone(*arguments: Any, watch: bool = False) -> dict[str, Any]:
    return call_alone("benchmarks.word_vectors.documents.run_once", *arguments, watch=watch)


def rows(run: Run) -> Iterator[Row]:
    """Compare ``fit_transform`` with that of scikit-learn, a dependency of ours; the matrix sums must agree."""
    import sklearn

    peer = f"scikit-learn {sklearn.__version__}"
    corpus = next((name for name, file in FILES.items() if not file or data_file(file)))
    limit = run.pick(4_000, 40_000, 10**9)
    for weights in run.pick(("tfidf", "pattern"), WEIGHTS):
        sums: dict[str, float] = {}

        def measure(who: str, threads: int, weights: str = weights, sums: dict = sums) -> float:
            found = run_alone(who, corpus, weights, 1, threads, "fit_transform", limit)
            sums[who] = found["sum"]
            return found["seconds"]

        measure("ours", 1)
        modes = {threads_of(n): (lambda n=n: measure("ours", n)) for n in run.pick((1,), (1, run.threads))}
        theirs = {peer: lambda: measure("theirs", 1)}
        case = f"{weights}, {limit:,} texts of {corpus}" if limit < 10**9 else f"{weights}, {corpus}"
        yield from compare(case, "s", modes, theirs, run.repeats, more_is_better=False)
        if abs(sums["ours"] - sums["theirs"]) > 1e-4 * abs(sums["theirs"]):
            raise WrongResultError(
                f"{weights}: the entries add up to {sums['ours']}, scikit-learn's to {sums['theirs']}"
            )


@click.command()
@click.option("--corpus", type=click.Choice(list(FILES)), default="wiki", show_default=True)
@click.option("--weights", type=click.Choice(WEIGHTS), default="tfidf", show_default=True)
@click.option("--call", type=click.Choice(["fit_transform", "transform"]), default="fit_transform", show_default=True)
@click.option("--ngrams", default=1, show_default=True, help="Largest n of the n-grams.")
@click.option("--threads", type=int, help="Threads of ours.  [default: all cores]")
@click.option("--repeats", default=3, show_default=True)
@click.option("--memory/--no-memory", default=True, help="Measure memory in one additional run of each.")
def main(corpus: str, weights: str, call: str, ngrams: int, threads: int | None, repeats: int, memory: bool) -> None:
    """Vectorize with each, alternating, and print the ratio."""
    if FILES[corpus] and not data_file(FILES[corpus]):
        sys.exit(f"{FILES[corpus]} not found; set WORDVEC_DATA to the folder that contains it")
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
        click.echo(f"peak anonymous memory: {peaks[0]:.0f} MB, theirs {peaks[1]:.0f} MB")


if __name__ == "__main__":
    main()
