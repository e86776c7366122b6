"""What are the fixed costs? Start-up, compilation, installed size and memory, compared with gensim.

    python -m benchmarks startup

Each figure is the wall time of a separate process. "Compiling" is a training run with an empty kernel cache minus the
same run with a full one: of a training in Python, and of the first run of two commands, which compile in two processes,
with the processor time of both. Installed size is that of a package's files and of all its dependencies; memory is the
anonymous memory of a process after the import. For the fixed costs of a network, compared with PyTorch, see
``net_costs``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.measuring import Row, Run, WrongResultError, anonymous_bytes, call_alone, compare
from benchmarks.harness.peers import Peer, PeerError, run_json

_TRAIN = """
from wordvec import Word2VecSettings, encode_corpus, train_word2vec
settings = Word2VecSettings(vector_size=16, epochs=1, subsample=0)
train_word2vec(encode_corpus(["compile the kernels first"] * 20), settings, threads=1)
"""
_COMMAND = """
import json, os, sys, time
from cli.main import wordvec
start = time.perf_counter()
wordvec(sys.argv[1:], standalone_mode=False)
times = os.times()
print(json.dumps([time.perf_counter() - start, times.user + times.system, times.children_user + times.children_system]))
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
print(json.dumps({"seconds": seconds, "held": held}))
"""
_SIZE = """
import re
from importlib import metadata
def files_of(*names):
    files, waiting = {}, list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name not in files:
            files[name] = [str(file.locate()) for file in package.files or ()]
            wanted = [need for need in package.requires or () if "extra ==" not in need]
            waiting += [re.match("[A-Za-z0-9._-]+", need).group() for need in wanted]
    return {path for paths in files.values() for path in paths}
"""
_PEER_SIZE = """
import json, os, sys
print(json.dumps({"size": sum(os.path.getsize(path) for path in files_of(sys.argv[1]) if os.path.isfile(path)) / 1e6}))
"""
OURS = ("numpy", "numba", "scipy", "scikit-learn", "click", "rich", "safetensors")
"""Our dependencies, whose own dependencies are counted, too."""
PYTHON_PEERS = ("gensim", "word2vec", "fasttext", "torch")


def seconds_of(code: str, environment: dict[str, str] | None = None) -> float:
    """Return the wall time of a Python process that runs ``code``."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ | (environment or {}))
    if done.returncode:
        raise WrongResultError(f"exited with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - start


def imported() -> list[float]:
    """Return the seconds to import everything that training needs, and the MB of memory afterwards."""
    start = time.perf_counter()
    exec("import wordvec; wordvec.train_word2vec, wordvec.WordVectors")
    return [time.perf_counter() - start, anonymous_bytes() / 2**20]


def installed_size() -> float:
    """Return the MB of our packages and their dependencies, counted as in ``peer_size``."""
    root = Path(__file__).resolve().parents[2]
    found: dict[str, Any] = {}
    exec(_SIZE, found)
    own = [str(file) for p in ("wordvec", "seqclf", "cli", "corpora") for file in (root / p).rglob("*.py")]
    return sum(os.path.getsize(path) for path in {*own, *found["files_of"](*OURS)} if os.path.isfile(path)) / 1e6


def peer_size(peer: Peer) -> float:
    """Return the MB of a package and its dependencies in the peer's Python."""
    return float(run_json([peer.python, "-c", _SIZE + _PEER_SIZE, peer.package])["size"])


def imports(run: Run) -> Iterator[Row]:
    peer = run.peers.get("gensim")
    name, note = (str(peer), "") if peer else ("", "")
    theirs = []
    try:
        theirs = [run_json([peer.python, "-c", _GENSIM]) for _ in range(run.repeats)] if peer else []
    except PeerError as error:
        name, note = "", f"gensim failed: {error}"
    ours = [call_alone("benchmarks.word_vectors.startup.imported") for _ in range(run.repeats)]
    for k, (case, unit, what) in enumerate((("import", "s", "seconds"), ("memory after import", "MB", "held"))):
        yield Row(case, unit, [each[k] for each in ours], name, [each[what] for each in theirs], False, note=note)


def sizes(run: Run) -> Iterator[Row]:
    """Compare the installed size with every available peer."""
    ours, notes, compared = installed_size(), [], False
    for peer in (run.peers[package] for package in PYTHON_PEERS if package in run.peers):
        try:
            yield Row("installed size", "MB", [ours], str(peer), [peer_size(peer)], False)
            compared = True
        except PeerError as error:
            notes.append(f"{peer.package} failed: {error}")
    if not compared:
        yield Row("installed size", "MB", [ours], more_is_better=False, note="; ".join(notes))


def first_runs() -> Iterator[Row]:
    """Measure what the first run of a command takes longer than the next, with small data."""
    with tempfile.TemporaryDirectory() as folder:
        text, labeled = Path(folder, "text.txt"), Path(folder, "labeled.tsv")
        text.write_text("compile the kernels first\n" * 2000)
        labeled.write_text("".join(f"{'yes' if k % 3 else 'no'}\tcompile kernel {k} first\n" for k in range(300)))
        for name, data in (("train-embeddings", [str(text)]), ("classify-text", ["train", str(labeled)])):
            command = [name, *data, "-o", str(Path(folder, "model.safetensors")), "--epochs", "1", "--quiet"]
            cache = {"NUMBA_CACHE_DIR": str(Path(folder, name)), "WORDVEC_CACHE": str(Path(folder, "encoded"))}
            first, second = (_times_of(command, cache) for _ in range(2))
            added = [one - other for one, other in zip(first, second, strict=True)]
            for what, seconds in zip(("", ", processor time", ", processor time of the helper"), added, strict=True):
                yield Row(f"first {name}, compiling{what}", "s", [seconds], more_is_better=False)


def _times_of(command: list[str], environment: dict[str, str]) -> list[float]:
    """Return the seconds of a command: wall time, processor time of its process, and of those that it started."""
    code = [sys.executable, "-c", _COMMAND, *command]
    done = subprocess.run(code, capture_output=True, text=True, env=os.environ | environment)
    if done.returncode:
        raise WrongResultError(f"exited with {done.returncode}: {done.stderr[-2000:]}")
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times


def rows(run: Run) -> Iterator[Row]:
    yield from imports(run)
    yield from sizes(run)
    yield from compare("wordvec --help", "s", {"": partial(seconds_of, _HELP)}, {}, run.repeats, more_is_better=False)
    with tempfile.TemporaryDirectory() as cache:
        place = {"NUMBA_CACHE_DIR": cache}
        cold = seconds_of(_TRAIN, place)
        warm = [seconds_of(_TRAIN, place) for _ in range(run.repeats)]
    yield Row("a training on ten words, kernels compiled before", "s", warm, more_is_better=False)
    yield Row("compiling skip-gram, once ever", "s", [cold - min(warm)], more_is_better=False)
    if run.size != "quick":
        yield from first_runs()
