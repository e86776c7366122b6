"""What does it cost to begin? Start-up, compiling, installed size and memory, beside gensim.

    python -m benchmarks startup

Each figure is that of a process of its own, from its start to its end. "Compiling" is the first training ever, with an
empty cache of compiled kernels, less the same training with a full one. Installed size counts what our dependencies
need beyond Python itself, and for gensim likewise; memory is what a process that has imported each holds of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

from benchmarks.measuring import Row, Run, WrongResultError, anonymous_bytes, compare
from benchmarks.peers import run_json

_TRAIN = """
from wordvec import Word2VecSettings, encode_corpus, train_word2vec
settings = Word2VecSettings(vector_size=16, epochs=1, subsample=0)
train_word2vec(encode_corpus(["compile the kernels first"] * 20), settings, threads=1)
"""
_HELP = "import sys; sys.argv = ['wordvec', '--help']; from cli.main import wordvec; wordvec()"
_GENSIM = """
import json, time
from pathlib import Path
start = time.perf_counter()
from gensim.models import Word2Vec
seconds = time.perf_counter() - start
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
held = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0)
from importlib import metadata
def size(*names):
    return sum(file.locate().stat().st_size for name in names for file in metadata.distribution(name).files or ()
               if file.locate().is_file()) / 1e6
print(json.dumps({"seconds": seconds, "held": held, "size": size("gensim", "numpy", "scipy", "smart_open")}))
"""
OURS = ("numpy", "numba", "llvmlite", "scipy", "scikit-learn", "joblib", "click", "rich", "safetensors")
"""What comes with us; small dependencies of dependencies are left out, as they are for gensim."""


def seconds_of(code: str, environment: dict[str, str] | None = None) -> float:
    """From the start of a Python that runs ``code`` to its end."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ | (environment or {}))
    if done.returncode:
        raise WrongResultError(f"ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - start


def imported() -> list[float]:
    """Seconds to import all that training takes, and MB held then."""
    start = time.perf_counter()
    exec("import wordvec; wordvec.train_word2vec, wordvec.WordVectors")
    return [time.perf_counter() - start, anonymous_bytes() / 2**20]


def installed_size() -> float:
    """MB of our packages and of what they need."""
    root = Path(__file__).resolve().parent.parent
    own = sum(f.stat().st_size for p in ("wordvec", "seqclf", "cli", "corpora") for f in (root / p).rglob("*.py"))
    files = [Path(str(file.locate())) for name in OURS for file in metadata.distribution(name).files or ()]
    return (own + sum(file.stat().st_size for file in files if file.is_file())) / 1e6


def rows(run: Run) -> Iterator[Row]:
    from benchmarks.measuring import call_alone

    peer = run.peers.get("gensim")
    facts = [run_json([peer.python, "-c", _GENSIM]) for _ in range(run.repeats)] if peer else []
    ours = [call_alone("benchmarks.startup.imported") for _ in range(run.repeats)]
    name = str(peer) if peer else ""
    yield Row("import", "s", [each[0] for each in ours], name, [each["seconds"] for each in facts], False)
    yield Row("memory after import", "MB", [each[1] for each in ours], name, [each["held"] for each in facts], False)
    yield Row("installed size", "MB", [installed_size()], name, [each["size"] for each in facts[:1]], False)
    yield from compare("wordvec --help", "s", {"": partial(seconds_of, _HELP)}, {}, run.repeats, more_is_better=False)
    with tempfile.TemporaryDirectory() as cache:
        place = {"NUMBA_CACHE_DIR": cache}
        cold = seconds_of(_TRAIN, place)
        warm = [seconds_of(_TRAIN, place) for _ in range(run.repeats)]
    yield Row("a training on ten words, kernels compiled before", "s", warm, more_is_better=False)
    yield Row("compiling skip-gram, once ever", "s", [cold - min(warm)], more_is_better=False)
