"""How fast are analogy queries, compared with gensim on the same vectors?

    python -m benchmarks queries

asks ``most_similar`` for the ten nearest to b - a + c, one query at a time, among random vectors; both programs load
the same file in word2vec's binary format and must return the same answers as plain NumPy. Figures are microseconds per
query, without loading. Then a file of questions is evaluated within the 30,000 most frequent words, as is usual to
score vectors.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness.measuring import Row, Run, WrongResultError, compare
from benchmarks.harness.peers import Server

if TYPE_CHECKING:
    from wordvec import WordVectors

FREQUENT = 30_000
"""Number of words that a file of questions is restricted to."""

_GENSIM = """
import json, sys, time
from gensim.models import KeyedVectors
vectors = KeyedVectors.load_word2vec_format(sys.argv[1], binary=True)
for line in sys.stdin:
    questions = json.loads(line)
    start = time.perf_counter()
    if isinstance(questions[0], str):
        score = vectors.evaluate_word_analogies(questions[0], restrict_vocab=30_000, case_insensitive=False)[0]
        print(json.dumps([time.perf_counter() - start, score]), flush=True)
        continue
    found = [vectors.most_similar(positive=[b, c], negative=[a], topn=10)[0][0] for a, b, c in questions]
    print(json.dumps([time.perf_counter() - start, found]), flush=True)
"""


def compare_queries(path: Path, types: int, questions: int, peer_python: str | None, repeats: int) -> Iterator[Row]:
    from wordvec import Vocabulary, WordVectors, load_vectors, save_vectors
    from wordvec.vectors.rounded_rows import AFTER

    random = np.random.default_rng(1)
    table = random.standard_normal((types, 100)).astype(np.float32)
    words = [f"w{k}" for k in range(types)]
    save_vectors(WordVectors(Vocabulary(words, np.arange(types, 0, -1)), table), path)
    vectors = load_vectors(path)
    asked = [[words[k] for k in random.choice(types, 3, replace=False)] for _ in range(questions)]
    for each in asked[: AFTER + 1]:  # until the rows are rounded
        vectors.analogy(*each)
    answers = {}

    def ours() -> float:
        start = time.perf_counter()
        answers["ours"] = [vectors.analogy(*each)[0][0] for each in asked]
        return (time.perf_counter() - start) / questions * 1e6

    peer = Server(peer_python, _GENSIM, path) if peer_python else None

    def theirs() -> float:
        assert peer is not None
        seconds, answers["gensim"] = peer(*asked)
        return seconds / questions * 1e6

    case = f"analogy among {types:,} words, d100"
    try:
        yield from compare(case, "us", {"": ours}, {"gensim": theirs} if peer else {}, repeats, more_is_better=False)
        yield from _compare_files(path.with_suffix(".txt"), vectors, asked, peer, repeats)
    finally:
        if peer is not None:
            peer.close()
    expected = _by_numpy(table, words, asked)
    for who, found in answers.items():
        if found != expected:
            raise WrongResultError(f"{case}: the answers of {who} differ from NumPy's")


def _by_numpy(table: np.ndarray, words: list[str], asked: list[list[str]]) -> list[str]:
    """Return the nearest word to b - a + c except these, by definition."""
    units = table / np.linalg.norm(table, axis=1, keepdims=True)
    found = []
    for question in asked:
        a, b, c = rows = [int(word[1:]) for word in question]
        scores = units @ (units[b] - units[a] + units[c])
        scores[rows] = -np.inf
        found.append(words[int(scores.argmax())])
    return found


def _compare_files(
    path: Path, vectors: "WordVectors", asked: list[list[str]], peer: Server | None, repeats: int
) -> Iterator[Row]:
    """Compare the evaluation of a file with the same questions, each with an answer."""
    from wordvec import evaluate_file

    known = [[vectors.tokens[int(word[1:]) % FREQUENT] for word in question] for question in asked]
    lines = [" ".join([*question, vectors.tokens[0]]) for question in known if len({*question, vectors.tokens[0]}) == 4]
    path.write_text(": all\n" + "\n".join(lines * 2) + "\n", encoding="utf-8")
    scores = {}

    def ours() -> float:
        start = time.perf_counter()
        scores["ours"] = evaluate_file(vectors, path).score
        return time.perf_counter() - start

    def theirs() -> float:
        assert peer is not None
        seconds, scores["gensim"] = peer(str(path))
        return float(seconds)

    ours()
    case = f"{2 * len(lines):,} questions of a file, among {len(vectors):,} words"
    yield from compare(case, "s", {"": ours}, {"gensim": theirs} if peer else {}, repeats, more_is_better=False)
    if len({round(score, 6) for score in scores.values()}) > 1:
        raise WrongResultError(f"{case}: the scores differ: {scores}")


def rows(run: Run) -> Iterator[Row]:
    for types in run.pick((50_000,), (50_000, 400_000)):
        path, questions = run.folder / f"queries-{types}.bin", run.pick(200, 500)
        yield from compare_queries(path, types, questions, run.python("gensim"), run.repeats)
