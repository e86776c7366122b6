"""Roofline benchmarks of the kernels of ``wordvec``, with the formulas for their work.

D is the vector size, N the number of tokens, V the vocabulary size; padding of D to a multiple of 16 is not counted.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness.measuring import Run
from benchmarks.harness.texts import speed_text
from benchmarks.kernels.roofline import Kernel, Work, timed

if TYPE_CHECKING:
    from wordvec import EncodedCorpus
    from wordvec.count_based.cooccurrence import CooccurrenceCounts

SIZE = 100
WINDOW = 5
TILE = 4


def vector_kernels(run: Run) -> Iterator[Kernel]:
    from corpora import TextCorpus
    from wordvec import count_cooccurrences, encode_corpus

    path = speed_text(run.folder, run.pick(300_000, 2_000_000))
    corpus = encode_corpus(TextCorpus(path), cache=False)
    yield from _predictive(corpus, hierarchical=run.size != "quick")
    yield _scan(path, corpus)
    yield _tfidf(path)
    counted = count_cooccurrences(corpus, threads=1)
    yield _count(corpus, counted)
    yield _glove(counted)
    if run.size != "quick":
        yield from _svd(counted)
    yield from _neighbors(run.pick(50_000, 200_000))


def _predictive(corpus: "EncodedCorpus", hierarchical: bool) -> Iterator[Kernel]:
    """Whole epochs without subsampling, in hogwild mode.

    The score of a pair and the updates of its row and of its input take D multiply-adds each, 6 D FLOP. A tile of four
    centers pairs each of them with S shared negatives and, in skip-gram, with all 2 window + 4 positions that its
    windows cover: 6 D (S + 2 window + 4) per token. CBOW pairs it with the four words of the tile, and averages and
    updates the positions: 6 D (S + 4) + 4 D (2 window + 4). Hierarchical softmax pairs each of 2 window contexts with
    the L nodes of the center's Huffman path: 12 D L window, with L averaged over the word counts.
    """
    from wordvec import Word2VecSettings, train_word2vec
    from wordvec.system.huffman import huffman_tree

    counts = np.asarray(corpus.vocabulary.counts)
    path = float((np.diff(huffman_tree(counts).offsets) * counts).sum() / counts.sum())
    reached = 2 * WINDOW + TILE
    each = {
        "skip-gram": ({"model": "skipgram"}, 6 * (16 + reached)),
        "CBOW": ({"model": "cbow"}, 6 * (12 + TILE) + 4 * reached),
        "hierarchical softmax": ({"model": "skipgram", "loss": "hierarchical"}, 12 * path * WINDOW),
    }
    for name, (options, flop) in each.items():
        if name == "hierarchical softmax" and not hierarchical:
            continue
        settings = Word2VecSettings(mode="hogwild", epochs=1, subsample=0, window=WINDOW, vector_size=SIZE, **options)  # type: ignore[arg-type]
        seconds = partial(lambda chosen: train_word2vec(corpus, chosen, threads=1).seconds, settings)
        rows = len(corpus.vocabulary)
        why = f"{rows:,} words: {2 * rows * SIZE * 4 / 1e6:.0f} MB of rows"
        yield Kernel(f"{name}, d{SIZE}", Work(flop * SIZE * len(corpus.ids)), seconds, why)


def _scan(path: Path, corpus: "EncodedCorpus") -> Kernel:
    """Count and encode: the text is read once; ids, 4 bytes each, are written, read and written as their final ones."""
    from corpora import TextCorpus
    from wordvec import encode_corpus

    work = Work(0, path.stat().st_size + 4 * len(corpus.ids), 8 * len(corpus.ids))
    return Kernel(
        "count and encode text", work, partial(timed, encode_corpus, TextCorpus(path), cache=False, threads=1),
        "each token is hashed, looked up and compared",
    )  # fmt: skip


def _tfidf(path: Path) -> Kernel:
    """TF-IDF of lines: the text is read once, and each entry written, a column of 4 bytes and a weight of 8."""
    from wordvec import TfidfVectorizer

    texts = path.read_text(encoding="utf-8").splitlines()
    texts = [" ".join(words[k : k + 100]) for words in map(str.split, texts) for k in range(0, len(words), 100)]
    entries = TfidfVectorizer(n_jobs=1).fit_transform(texts).nnz
    return Kernel(
        "TF-IDF, 100 tokens a text", Work(0, path.stat().st_size, 12 * entries),
        lambda: timed(TfidfVectorizer(n_jobs=1).fit_transform, texts), "hashes, counts and sorts each text's words",
    )  # fmt: skip


def _count(corpus: "EncodedCorpus", counted: "CooccurrenceCounts") -> Kernel:
    """Co-occurrences, window 15: each token's position is written and read (8 bytes), the ids of its window are read (4
    bytes each), and each cell is written (12 bytes)."""
    from wordvec import count_cooccurrences

    tokens, cells, pairs = len(corpus.ids), counted.counts.nnz, 2 * 15
    return Kernel(
        "count co-occurrences, window 15", Work(0, tokens * (8 + 4 * (pairs + 1)), 8 * tokens + 12 * cells),
        partial(timed, count_cooccurrences, corpus, threads=1),
        f"{tokens * pairs / 1e6:.0f} M additions, each to a different counter",
    )  # fmt: skip


def _glove(counted: "CooccurrenceCounts") -> Kernel:
    """Per cell: the dot product of two rows (2 D); for each row the gradient (D), the accumulated square (2 D), the
    inverse root (D) and the update (2 D): 14 D FLOP."""
    from wordvec import GloveSettings, train_glove

    settings = GloveSettings(vector_size=SIZE, epochs=1)
    work = Work(14 * SIZE * counted.counts.nnz)
    return Kernel(
        f"GloVe, d{SIZE}", work, lambda: train_glove(counted, settings, threads=1).seconds,
        "11 instructions for 14 FLOP instead of 7 multiply-adds: 64 % at most",
    )  # fmt: skip


def _svd(counted: "CooccurrenceCounts") -> Iterator[Kernel]:
    """Sparse times dense, K = 112 columns: 2 K FLOP per cell, which is read (8 bytes); result rows are written once.
    Dense times small, R rows: 2 R K K FLOP. Gram matrix: half of that, by symmetry."""
    from wordvec.kernels.factorization import add_gram, multiply_small, multiply_sparse

    matrix, stride = counted.counts, 112
    rows = matrix.shape[0]
    random = np.random.default_rng(1)
    dense = random.standard_normal(rows * stride).astype(np.float32)
    out, small = np.empty_like(dense), random.standard_normal(stride * stride).astype(np.float32)
    sparse = np.asarray(matrix.indptr, np.int64), np.asarray(matrix.indices, np.int32), matrix.data.astype(np.float32)
    yield Kernel(
        f"svd: sparse times dense, {stride} columns",
        Work(2 * stride * matrix.nnz, 8 * matrix.nnz, 4 * stride * rows),
        partial(timed, multiply_sparse, *sparse, dense, stride, out, 0, rows),
        f"each cell fetches a row of a {dense.nbytes / 1e6:.0f} MB matrix",
    )
    yield Kernel(
        "svd: dense times small", Work(2 * rows * stride**2),
        partial(timed, multiply_small, dense, small, stride, out, 0, rows),
    )  # fmt: skip
    gram, part = np.zeros(stride * stride, np.float32), min(rows, 2048)
    times = -(-20_000 // part)

    def grams() -> None:
        for _ in range(times):
            add_gram(dense, stride, gram, 0, part)

    yield Kernel("svd: Gram matrix", Work(times * part * stride * (stride + 1)), partial(timed, grams))


def _neighbors(words: int) -> Iterator[Kernel]:
    """Each query reads V D floats once, 2 V D FLOP; a batch of 256 queries shares the reads."""
    from wordvec import Vocabulary, WordVectors
    from wordvec.vectors.rounded_rows import AFTER

    random = np.random.default_rng(1)
    table = random.standard_normal((words, SIZE)).astype(np.float32)
    vectors = WordVectors(Vocabulary([f"w{k}" for k in range(words)], np.arange(words, 0, -1)), table)
    for k in range(AFTER + 1):
        vectors.most_similar(f"w{k}")
    ask, many = 20, [f"w{k}" for k in range(256)]

    def single() -> None:
        for k in range(ask):
            vectors.most_similar(f"w{k}")

    case = f"neighbours among {words:,}"
    rounded = (SIZE + 8) * words  # a byte a number, and a scale and an error a row
    yield Kernel(
        f"{case}, one question at a time", Work(2 * ask * SIZE * words, ask * rounded), partial(timed, single),
        f"{rounded / 1e6:.0f} MB of rows of eight bits, in part in the cache; plus top-k selection",
    )  # fmt: skip
    yield Kernel(
        f"{case}, 256 together", Work(2 * 256 * SIZE * words, 4 * SIZE * words),
        partial(timed, vectors.most_similar_batch, many), "matrix product by NumPy's BLAS, plus top-k selection",
    )  # fmt: skip
