"""How fast are analogies answered beside gensim, on the same vectors, in turns?

    python -m benchmarks queries

asks ``most_similar`` for the ten nearest to b - a + c, one question at a time, among random vectors; both programs read
the same file in word2vec's binary format, and must give the same answers. Microseconds a question, reading not counted.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, Run, WrongResultError, compare
from benchmarks.peers import Server

_GENSIM = """
import json, sys, time
from gensim.models import KeyedVectors
vectors = KeyedVectors.load_word2vec_format(sys.argv[1], binary=True)
for line in sys.stdin:
    questions = json.loads(line)
    start = time.perf_counter()
    found = [vectors.most_similar(positive=[b, c], negative=[a], topn=10)[0][0] for a, b, c in questions]
    print(json.dumps([time.perf_counter() - start, found]), flush=True)
"""


def compare_queries(path: Path, types: int, questions: int, peer_python: str | None, repeats: int) -> Iterator[Row]:
    from wordvec import Vocabulary, WordVectors, load_vectors, save_vectors

    random = np.random.default_rng(1)
    table = random.standard_normal((types, 100)).astype(np.float32)
    words = [f"w{k}" for k in range(types)]
    save_vectors(WordVectors(Vocabulary(words, np.arange(types, 0, -1)), table), path)
    vectors = load_vectors(path)
    asked = [[words[k] for k in random.choice(types, 3, replace=False)] for _ in range(questions)]
    vectors.analogy(*asked[0])
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
    finally:
        if peer is not None:
            peer.close()
    if "gensim" in answers and answers["gensim"] != answers["ours"]:
        raise WrongResultError(f"{case}: gensim's answers are others")


def rows(run: Run) -> Iterator[Row]:
    for types in run.pick((50_000,), (50_000, 400_000)):
        path, questions = run.folder / f"queries-{types}.bin", run.pick(200, 500)
        yield from compare_queries(path, types, questions, run.python("gensim"), run.repeats)
