"""How does cost scale? The slope of seconds over size, on logarithmic axes, compared with theory.

    python -m benchmarks growth

Tokens, vocabulary, vector size and threads for skip-gram; hidden size and text length for a BiLSTM. Each round measures
every size once, without subsampling, which would keep a different share of each text. Only the threads are compared
with subsampling: without it, so few words make up most of the text that a single lane trains them. The slope is fitted
to each round, and the table shows the median and the spread of these slopes. Lines below the table explain differences
from theory: the fitted share of the time that scales differently, or the table sizes compared with the caches. The
words of the text are Zipf-distributed, so that any number of tokens and types can be generated.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.machine import caches, peak_gflops, round_trip
from benchmarks.harness.measuring import Row, Run, fitted_share, growth, slope
from benchmarks.harness.texts import write_zipf
from benchmarks.networks.recurrent import CASES, Case, Ours, make_data
from seqclf.layers.batches import pack
from seqclf.layers.cells import padded
from seqclf.layers.workers import Workers

if TYPE_CHECKING:
    from wordvec import EncodedCorpus


def rows(run: Run) -> Iterator[Row]:
    million = 1_000_000
    sizes = run.pick(
        [million // 4, million // 2, million, 2 * million],
        [million, 3 * million, 10 * million],
        [million, 3 * million, 10 * million, 30 * million, 100 * million, 500 * million],
    )
    corpora = {tokens: zipf_corpus(run, tokens) for tokens in sizes}
    once = fitted_share("fixed cost of building, merging and sorting the threads' word tables")
    yield growth("tokens, encoding", {n: partial(encode, run, n) for n in sizes}, run.repeats, 1, once)
    yield growth("tokens, training", {n: train(corpora[n]) for n in sizes}, run.repeats, 1, _tables_of(corpora))
    fixed = run.pick(million // 2, 2 * million, 4 * million)
    kinds = run.pick([10_000, 30_000, 100_000], [10_000, 30_000, 100_000, 300_000, million])
    kinds += run.pick([], [], [2 * million])
    many = {types: zipf_corpus(run, fixed, types) for types in kinds}
    for size in run.pick((100,), (100, 16)):
        runs = {n: train(many[n], vector_size=size) for n in kinds}
        case = f"vocabulary, training d{size} on {fixed / million:g} M tokens"
        yield growth(case, runs, run.repeats, 0, _tables_of(many, size))
    corpus = corpora[sizes[1]]
    dimensions = run.pick([50, 100, 200, 400], [50, 100, 200, 300, 400, 600, 1000])
    runs = {n: train(corpus, vector_size=n) for n in dimensions}
    same = fitted_share("cost of sampling, window weights and sigmoids, equal at all sizes", work=padded)
    yield growth("vector size, training", runs, run.repeats, 1, same)
    if run.threads > 1:
        threads = sorted({1, 2, run.threads})
        for mode in ("reproducible", "hogwild"):
            runs = {n: train(corpus, threads=n, mode=mode, subsample=1e-3) for n in threads}
            yield growth(f"threads, training {mode}", runs, run.repeats, -1, partial(_shared, mode))
    yield from net_growth(run)


def _tables_of(corpora: "dict[int, EncodedCorpus]", vector_size: int = 100) -> str:
    words = [len(corpus.vocabulary) for corpus in corpora.values()]
    least, most = (2 * n * padded(vector_size) * 4 / 1e6 for n in (words[0], words[-1]))
    held = " and ".join(f"{size / 2**20:.3g} MB" for level, size in caches().items() if level > 1)
    rows = f"the rows of {words[0]:,} to {words[-1]:,} words take {least:,.1f} to {most:,.0f} MB"
    return f"{rows} and increasingly exceed the caches{held and ' of '}{held}"


def _shared(mode: str, points: list[list[float]]) -> str:
    peaks = [peak_gflops(int(threads)) for threads, _ in (points[0], points[-1])]
    what = "threads wait for each other and copy rows into a lane and back" if mode == "reproducible" else ""
    machine = f"{points[-1][0]:,} threads reach {peaks[1] / peaks[0]:.2f} times the peak of one"
    away = f"a round trip between threads takes {round_trip():.0f} ns"
    return "; ".join(filter(None, [machine, what, away]))


def net_growth(run: Run) -> Iterator[Row]:
    """Training steps of a BiLSTM on one thread; theory is the slope of the FLOP of its matrix products."""
    base = replace(CASES[0], threads=1)
    widths = run.pick([32, 64, 128], [32, 64, 128, 256, 512])
    cases = {h: replace(base, hidden_size=h, lengths="20") for h in widths}
    distinct, packed = _batch_size(cases[widths[0]])
    flop = {h: float(h * (base.vector_size * distinct + h * packed)) for h in widths}
    same = fitted_share(
        "cost of packing, embeddings and their updates, equal at all sizes", work=lambda h: flop[int(h)]
    )
    yield from recurrent("hidden size, BiLSTM", cases, slope(list(flop.items())), run, same)
    lengths = run.pick([20, 60, 200], [4, 10, 30, 100, 300, 1000, 4000])
    same = fitted_share("cost of packing and Adam updates, once per step")
    cases = {n: replace(base, lengths=str(n)) for n in lengths}
    yield from recurrent("text length, BiLSTM", cases, 1, run, same)


def _batch_size(case: Case) -> tuple[float, float]:
    """Return the mean numbers of distinct tokens and of tokens per batch."""
    data = make_data(case)
    batches = [pack(data["ids"], data["offsets"], each) for each in np.split(data["members"], data["splits"])]
    return mean(each.token_ids.size for each in batches), mean(float(each.starts[-1]) for each in batches)


def zipf_text(run: Run, tokens: int, types: int | None = None) -> str:
    """Write a file with ``tokens`` tokens that contains, if given, each of ``types`` words."""
    path = run.folder / f"zipf-{tokens}-{types}.txt"
    if not path.exists():
        write_zipf(path, tokens=max(tokens, types or 0), types=types or 50_000, every_word=types is not None)
    return str(path)


def zipf_corpus(run: Run, tokens: int, types: int | None = None) -> "EncodedCorpus":
    from corpora import TextCorpus
    from wordvec import encode_corpus

    return encode_corpus(TextCorpus(zipf_text(run, tokens, types)), min_count=1 if types else 5, cache=False)


def encode(run: Run, tokens: int) -> float:
    start = time.perf_counter()
    zipf_corpus(run, tokens)
    return time.perf_counter() - start


def train(
    corpus: "EncodedCorpus", vector_size: int = 100, threads: int = 1, mode: str = "reproducible", subsample: float = 0
) -> Callable[[], float]:
    """Return a function that measures the seconds of one epoch; kernels are compiled first."""
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    settings = Word2VecSettings(vector_size=vector_size, epochs=1, subsample=subsample, mode=mode)
    train_word2vec(encode_corpus(["compile the kernels first"] * 20), settings, threads=threads)
    return lambda: train_word2vec(corpus, settings, threads=threads).seconds


def recurrent(case: str, cases: dict[int, Case], theory: float, run: Run, reason: Any) -> Iterator[Row]:
    """Measure training steps on one thread."""
    with Workers(1) as workers:
        passes = {size: Ours(each, make_data(each), workers) for size, each in cases.items()}
        for each in passes.values():
            each.train()
        yield growth(case, {size: each.train for size, each in passes.items()}, run.repeats, theory, reason)
