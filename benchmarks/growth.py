"""How does cost grow? The slope of seconds over size, on logarithmic axes, beside what theory says.

    python -m benchmarks growth

Tokens, vocabulary, vector size and threads for skip-gram, hidden size and text length for a BiLSTM. Each round measures
every size once, without subsampling, which would keep another part of each text; the slope is fitted to each round, and
the table shows the median and the spread of these slopes. The text has words by Zipf's law, so that any number of them
and of different words can be had.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import Row, Run, growth
from benchmarks.recurrent import CASES, Case, Ours, make_data
from benchmarks.texts import write_zipf
from seqclf.workers import Workers

if TYPE_CHECKING:
    from wordvec import EncodedCorpus


def rows(run: Run) -> Iterator[Row]:
    million = 1_000_000
    sizes = run.pick(
        [million // 4, million // 2, million, 2 * million],
        [million, 3 * million, 10 * million],
        [million, 3 * million, 10 * million, 30 * million, 100 * million],
    )
    corpora = {tokens: zipf_corpus(run, tokens) for tokens in sizes}
    yield growth("tokens, encoding", {n: partial(encode, run, n) for n in sizes}, run.repeats, 1)
    yield growth("tokens, training", {n: train(corpora[n]) for n in sizes}, run.repeats, 1)
    fixed = run.pick(million // 2, 2 * million)
    kinds = run.pick([10_000, 30_000, 100_000], [10_000, 30_000, 100_000, 300_000, million])
    many = {types: zipf_corpus(run, fixed, types) for types in kinds}
    note = f"{fixed:,} tokens; rows that no cache holds cost more"
    yield growth("vocabulary, training", {n: train(many[n]) for n in kinds}, run.repeats, 0, note)
    corpus = corpora[sizes[1]] if run.size == "quick" else corpora[sizes[0]]
    dimensions = run.pick([50, 100, 200, 400], [50, 100, 200, 300, 400, 600])
    runs = {n: train(corpus, vector_size=n) for n in dimensions}
    yield growth(
        "vector size, training", runs, run.repeats, 1, "sampling and the order of windows cost the same at each"
    )
    if run.threads > 1:
        threads = sorted({1, 2, run.threads})
        yield growth("threads, training", {n: train(corpus, threads=n) for n in threads}, run.repeats, -1)
    base = replace(CASES[0], threads=1)
    widths = run.pick([32, 64, 128], [32, 64, 128, 256, 512])
    yield from recurrent("hidden size, BiLSTM", {h: replace(base, hidden_size=h, lengths="20") for h in widths}, 2, run)
    lengths = run.pick([20, 60, 200], [10, 30, 100, 300, 1000])
    yield from recurrent("text length, BiLSTM", {n: replace(base, lengths=str(n)) for n in lengths}, 1, run)


def zipf_text(run: Run, tokens: int, types: int | None = None) -> str:
    """A file with so many tokens, and with each of ``types`` words once if given."""
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


def train(corpus: "EncodedCorpus", vector_size: int = 100, threads: int = 1) -> Callable[[], float]:
    """Gives the seconds of one epoch; a first training has compiled."""
    from wordvec import Word2VecSettings, encode_corpus, train_word2vec

    settings = Word2VecSettings(vector_size=vector_size, epochs=1, subsample=0)
    train_word2vec(encode_corpus(["compile the kernels first"] * 20), settings, threads=threads)
    return lambda: train_word2vec(corpus, settings, threads=threads).seconds


def recurrent(case: str, cases: dict[int, Case], theory: float, run: Run) -> Iterator[Row]:
    """Training steps on one thread."""
    with Workers(1) as workers:
        passes = {size: Ours(each, make_data(each), workers) for size, each in cases.items()}
        for each in passes.values():
            each.train()
        note = "between 1 (the input's product) and 2 (the state's)" if theory == 2 else ""
        yield growth(case, {size: each.train for size, each in passes.items()}, run.repeats, theory, note)
