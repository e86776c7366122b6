"""The programs we are compared with: found or installed in a Python of their own, and run there."""

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
"""What is installed, each by an attempt of its own. scikit-learn comes with us."""
TORCH_INDEX = "WORDVEC_TORCH_INDEX"
"""The variable that names the package index of PyTorch's CPU build; the usual build for Linux weighs gigabytes."""
_PATIENCE = 900
"""Seconds that one installation may take."""

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
"""What says how a peer was built: gensim's loops in C (-1: none), and what PyTorch computes with."""


class PeerError(Exception):
    """A peer did not come to its end, or did not say what it was asked."""


@dataclass(frozen=True)
class Peer:
    """A package in a Python that has it."""

    package: str
    version: str
    python: str
    build: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def told(self) -> str:
        """Version and build."""
        return f"{self.version} ({self.build})" if self.build else self.version


def peers_of(pythons: Iterable[str]) -> dict[str, Peer]:
    """What these Pythons have, by the name of the package; the first that has it counts."""
    found: dict[str, Peer] = {}
    for python in pythons:
        for name, version in run_json([python, "-c", _VERSIONS, *INSTALLED]).items():
            found.setdefault(name, Peer(name, version, python))
    return found


def with_build(peer: Peer) -> Peer:
    """The same peer and how it was built, where it says."""
    if peer.package not in _BUILDS:
        return peer
    code = f"import json; {_BUILDS[peer.package]}; print(json.dumps({{'build': build}}))"
    try:
        return replace(peer, build=run_json([peer.python, "-c", code])["build"])
    except (PeerError, KeyError):
        return peer


def peer_folder() -> Path:
    """Where peers are installed unless told otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wordvec" / "benchmark-peers"


def install_peers(folder: Path, say: Callable[[str], object], install: bool = True) -> dict[str, Peer]:
    """The peers in an environment in ``folder``, made and filled where it has to be; says what is left out, and why."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        if not install:
            say("no peers: none are installed")
            return {}
        venv.create(folder, with_pip=True)
    found = peers_of([str(python)])
    for name in INSTALLED if install else ():
        index = os.environ.get(TORCH_INDEX, "")
        if name in found:
            continue
        if name == "torch" and sys.platform == "linux" and not index:
            say(f"torch is left out: set {TORCH_INDEX} to the package index of its CPU build")
            continue
        say(f"installing {name} into {folder}")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name]
        try:
            _run([*command, *(["--index-url", index] if name == "torch" and index else [])], _PATIENCE)
        except PeerError as error:
            say(f"{name} is left out: {error}")
    return peers_of([str(python)])


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
    return [python, "-c", _GENSIM, *_values(job, output)]


def run_gensim(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """gensim's ``corpus_file`` path, its fastest; it says itself how long training took."""
    found = run_json(gensim_command(python, job, output))
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


def run_fasttext(python: str, job: Job, output: Path | None = None) -> PeerRun:
    """fastText without subwords: so many epochs more, because it counts words in the same call.

    With one thread, fastText 0.9.3 fills the first tenth of a matrix and leaves the rest as memory was, NaN included.
    Buckets for n-grams of words, which unsupervised training does not look up, keep the words within that tenth.
    """
    if output is not None:
        raise ValueError("fastText's vectors are not saved here")
    found = run_json([python, "-c", _FASTTEXT, *_values(job, output)])
    return PeerRun(found["peer"], found["train"])


PEERS = {"gensim": run_gensim, "word2vec.c": run_word2vec_c, "fasttext": run_fasttext}
PACKAGES = {"gensim": "gensim", "word2vec.c": "word2vec", "fasttext": "fasttext"}
"""The package that brings a peer."""


class Server:
    """Code in a peer's Python that answers each line of JSON with one, until it is closed."""

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
            raise PeerError(f"it ended with {self._process.poll()} when asked for more") from error

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def run_json(command: list[str]) -> dict:
    """The JSON object in the last line that the command prints."""
    said = _run(command)
    try:
        return json.loads(said.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise PeerError(f"it printed no figures: {said[-200:]!r}") from error


def _values(job: Job, output: Path | None) -> list[str]:
    values = [job.path, int(job.model == "skipgram"), job.size, job.threads, job.rate, job.epochs, output or ""]
    return [str(value) for value in values]


def _run(command: list[str], patience: float | None = None) -> str:
    """What the command prints; it may take ``patience`` seconds."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerError(str(error)) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise PeerError(next((line for line in reversed(lines) if "rror" in line), f"it ended with {done.returncode}"))
    return done.stdout
