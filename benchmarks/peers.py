"""The programs we are compared with, run in a Python of their own that has them installed."""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_GENSIM = """
import json, sys, time
import gensim
from gensim.models import Word2Vec
path, sg, size, threads, alpha, epochs, output = sys.argv[1:]
model = Word2Vec(sg=int(sg), vector_size=int(size), workers=int(threads), alpha=float(alpha), epochs=int(epochs),
                 window=5, negative=5, sample=1e-3, min_count=5, seed=1)
start = time.perf_counter()
model.build_vocab(corpus_file=path)
scanned = time.perf_counter()
model.train(corpus_file=path, total_words=model.corpus_total_words, total_examples=model.corpus_count,
            epochs=int(epochs))
done = time.perf_counter()
if output:
    model.wv.save_word2vec_format(output)
print(json.dumps({"peer": "gensim " + gensim.__version__, "scan": scanned - start, "train": done - scanned}))
"""


@dataclass(frozen=True)
class Job:
    """One training, the same for everybody: window 5, 5 negatives, subsample 1e-3, min count 5."""

    path: Path
    model: str
    size: int
    threads: int
    rate: float
    epochs: int = 1


@dataclass(frozen=True)
class PeerRun:
    peer: str
    train: float
    """Seconds of training alone."""


def gensim_command(python: str, job: Job, output: Path | None = None) -> list[str]:
    """The command of one training with gensim, which saves its vectors as text to ``output`` if there is one."""
    values = [job.path, int(job.model == "skipgram"), job.size, job.threads, job.rate, job.epochs, output or ""]
    return [python, "-c", _GENSIM, *map(str, values)]


def run_gensim(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """gensim's ``corpus_file`` path, its fastest; it says itself how long training took."""
    found = json.loads(_run(gensim_command(python, job, output)).splitlines()[-1])
    return PeerRun(found["peer"], found["train"])


def run_word2vec_c(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """word2vec.c as the package ``word2vec`` on PyPI builds it: the whole run less one that only counts the words."""
    program = Path(python).with_name("word2vec")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(program), "-train", str(job.path), "-size", str(job.size), "-window", "5", "-negative", "5", "-sample",
            "1e-3", "-min-count", "5", "-threads", str(job.threads), "-alpha", str(job.rate), "-iter", str(job.epochs),
            "-cbow", str(int(job.model == "cbow")), "-debug", "0",
        ]  # fmt: skip
        start = time.perf_counter()
        _run([*command, "-save-vocab", f"{folder}/vocabulary"])
        counted = time.perf_counter()
        _run([*command, "-output", str(output or f"{folder}/vectors")])
        done = time.perf_counter()
    return PeerRun("word2vec.c", (done - counted) - (counted - start))


PEERS = {"gensim": run_gensim, "word2vec.c": run_word2vec_c}


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
