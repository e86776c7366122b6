"""Peers: other libraries, found or installed in a separate Python environment and run there."""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

INSTALLED = ("gensim", "word2vec", "fasttext", "torch")
"""Packages to install, each independently of the others. scikit-learn is a dependency of ours."""
TORCH_INDEX = "WORDVEC_TORCH_INDEX"
"""Variable with the package index of PyTorch's CPU build; the default build for Linux takes gigabytes."""
_TIMEOUT = 900
"""Seconds per installation."""

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


_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""

_FASTTEXT = """
import importlib.metadata, json, sys, time
import fasttext
path, sg, size, threads, alpha, epochs, output = sys.argv[1:]
def seconds(epochs):
    start = time.perf_counter()
    model = fasttext.train_unsupervised(
        path, model="skipgram" if int(sg) else "cbow", dim=int(size), thread=int(threads), lr=float(alpha),
        epoch=epochs, ws=5, neg=5, t=1e-3, minCount=5, minn=0, maxn=0, wordNgrams=2, bucket=1_000_000,
        verbose=0)
    return time.perf_counter() - start
less, more = seconds(int(epochs)), seconds(2 * int(epochs))
print(json.dumps({"peer": "fasttext " + importlib.metadata.version("fasttext"), "train": more - less}))
"""


_BUILDS = {
    "gensim": "from gensim.models import word2vec; build = f'FAST_VERSION {word2vec.FAST_VERSION}'",
    "torch": "from torch.backends import cpu, mkldnn; "
    "build = cpu.get_cpu_capability() + ', oneDNN' * mkldnn.is_available()",
}
"""Code that reports how a peer was built: gensim's C loops (-1: none), PyTorch's instruction set."""


class PeerError(Exception):
    """A peer failed or did not print its results."""


@dataclass(frozen=True)
class Peer:
    """A package and a Python in which it is installed."""

    package: str
    version: str
    python: str
    build: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def version_and_build(self) -> str:
        """Version and build."""
        return f"{self.version} ({self.build})" if self.build else self.version


def peers_of(pythons: Iterable[str]) -> dict[str, Peer]:
    """Find the peers installed in these Pythons, by package name; the first Python that has one is used."""
    found: dict[str, Peer] = {}
    for python in pythons:
        for name, version in run_json([python, "-c", _VERSIONS, *INSTALLED]).items():
            found.setdefault(name, Peer(name, version, python))
    return found


def with_build(peer: Peer) -> Peer:
    """Return the peer with its build, if it can be determined."""
    if peer.package not in _BUILDS:
        return peer
    code = f"import json; {_BUILDS[peer.package]}; print(json.dumps({{'build': build}}))"
    try:
        return replace(peer, build=run_json([peer.python, "-c", code])["build"])
    except (PeerError, KeyError):
        return peer


def peer_folder() -> Path:
    """Return the default folder of the peers' environment."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wordvec" / "benchmark-peers"


def install_peers(folder: Path, log: Callable[[str], object], install: bool = True) -> dict[str, Peer]:
    """Return the peers in the environment in ``folder``, which is created if needed; log what is skipped, and why."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        if not install:
            log("no peers are installed")
            return {}
        venv.create(folder, with_pip=True)
    found = peers_of([str(python)])
    for name in INSTALLED if install else ():
        index = os.environ.get(TORCH_INDEX, "")
        if name in found:
            continue
        if name == "torch" and sys.platform == "linux" and not index:
            log(f"skipping torch: set {TORCH_INDEX} to the package index of its CPU build")
            continue
        log(f"installing {name} into {folder}")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name]
        try:
            _run([*command, *(["--index-url", index] if name == "torch" and index else [])], _TIMEOUT)
        except PeerError as error:
            log(f"skipping {name}: {error}")
    return peers_of([str(python)])


@dataclass(frozen=True)
class Job:
    """One training run, identical for all peers: window 5, 5 negatives, subsample 1e-3, min count 5."""

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
    """Seconds of training only."""


def gensim_command(python: str, job: Job, output: Path | None = None) -> list[str]:
    """Return the command of one training run with gensim, which saves its vectors as text to ``output`` if given."""
    return [python, "-c", _GENSIM, *_values(job, output)]


def run_gensim(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """Train with gensim's ``corpus_file``, its fastest input; the script measures the training time itself."""
    found = run_json(gensim_command(python, job, output))
    return PeerRun(found["peer"], found["train"])


def run_word2vec_c(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """Train with word2vec.c from the PyPI package ``word2vec``; the time of a run that only counts is subtracted."""
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


def run_fasttext(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """Train with fastText without subwords; the time is the difference of two runs, as each counts the words, too.

    With one thread, fastText 0.9.3 initializes only the first tenth of a matrix; the rest may contain NaN. Buckets for
    word n-grams, which unsupervised training never looks up, keep the words within that tenth.
    """
    if output is not None:
        raise ValueError("fastText's vectors are not saved here")
    found = run_json([python, "-c", _FASTTEXT, *_values(job, output)])
    return PeerRun(found["peer"], found["train"])


PEERS = {"gensim": run_gensim, "word2vec.c": run_word2vec_c, "fasttext": run_fasttext}
PACKAGES = {"gensim": "gensim", "word2vec.c": "word2vec", "fasttext": "fasttext"}
"""The package that provides each peer."""


class Server:
    """Code in a peer's Python that answers each line of JSON with another, until closed."""

    def __init__(self, python: str, code: str, *arguments: object) -> None:
        command = [python, "-c", code, *map(str, arguments)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def __call__(self, *request: object) -> Any:
        to, answers = self._process.stdin, self._process.stdout
        assert to is not None
        assert answers is not None
        try:
            to.write(json.dumps(request) + "\n")
            to.flush()
            return json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise PeerError(f"exited with {self._process.poll()} during a request") from error

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def run_json(command: list[str]) -> dict:
    """Run the command and return the JSON object in the last line it prints."""
    output = _run(command)
    try:
        return json.loads(output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise PeerError(f"printed no results: {output[-200:]!r}") from error


def _values(job: Job, output: Path | None) -> list[str]:
    values = [job.path, int(job.model == "skipgram"), job.size, job.threads, job.rate, job.epochs, output or ""]
    return [str(value) for value in values]


def _run(command: list[str], timeout: float | None = None) -> str:
    """Run the command, for at most ``timeout`` seconds, and return its output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerError(str(error)) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise PeerError(next((line for line in reversed(lines) if "rror" in line), f"exited with {done.returncode}"))
    return done.stdout
