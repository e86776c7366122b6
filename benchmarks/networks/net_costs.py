"""What are the fixed costs of a network? First prediction, compilation and memory, compared with PyTorch.

    python -m benchmarks net_costs

"First prediction" is the wall time of a process: Python start-up, imports, loading a saved BiLSTM classifier, and the
label of one text; both programs load their weights from a file and split the text at spaces, and ours loads compiled
kernels from its cache. "Kernels compiled first" is a process with an empty kernel cache minus the same with a full one;
PyTorch compiles nothing. Memory is the peak anonymous memory of a process (not backed by files), sampled every 2 ms,
for the same work in both: one pass over texts with the lengths of SST-2. ``--quick`` measures only the first
prediction.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness.measuring import Row, Run, compare
from benchmarks.networks.recurrent import _TORCH, CASES, VOCABULARY, Case, Ours, make_data
from benchmarks.word_vectors.startup import seconds_of
from benchmarks.word_vectors.whole_command import run_watched
from seqclf.layers.workers import Workers

HIDDEN, VECTORS = 128, 100
TEXT = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10"

_PREDICT = """
from seqclf import load_model
load_model({path!r}).predict([{text!r}], threads=1)
"""
_TRAIN = """
from seqclf import ClassifierSettings, train_classifier
settings = ClassifierSettings(epochs=1, **{settings!r})
train_classifier(["one text", "another"] * 8, [0, 1] * 8, settings=settings, threads=1).predict(["a text"], threads=1)
"""
_TORCH_SAVE = """
import json, sys, torch
path, words, vectors, hidden = sys.argv[1], *map(int, sys.argv[2:])
torch.save({"words": {f"w{k}": k for k in range(words)}, "embedding": torch.randn(words, vectors),
            "lstm": torch.nn.LSTM(vectors, hidden, batch_first=True, bidirectional=True).state_dict(),
            "head": torch.nn.Linear(2 * hidden, 2).state_dict()}, path)
print(json.dumps({}))
"""
_TORCH_PREDICT = """
import sys, torch
path, text, vectors, hidden = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
torch.set_num_threads(1)
saved = torch.load(path, weights_only=True)
lstm = torch.nn.LSTM(vectors, hidden, batch_first=True, bidirectional=True)
head = torch.nn.Linear(2 * hidden, 2)
lstm.load_state_dict(saved["lstm"])
head.load_state_dict(saved["head"])
with torch.inference_mode():
    ids = torch.tensor([[saved["words"][word] for word in text.split()]])
    torch.softmax(head(lstm(saved["embedding"][ids])[0].mean(1)), 1).numpy()
"""


def save_ours(path: Path) -> None:
    """Save a classifier with the same vocabulary size and layer sizes."""
    from seqclf import ClassifierSettings, train_classifier

    texts = [" ".join(f"w{k}" for k in range(first, first + 400)) for first in range(0, VOCABULARY, 400)]
    settings = ClassifierSettings(
        epochs=1, hidden_size=HIDDEN, vector_size=VECTORS, pooling="mean", min_count=1, batch_size=1
    )
    train_classifier(texts, [k % 2 for k in range(len(texts))], settings=settings, threads=1).save(path)


def pass_once(what: str, path: str, threads: int) -> None:
    """Make one pass over the texts in a file; runs in a separate process."""
    with np.load(path) as data, Workers(threads) as workers:
        getattr(Ours(_case(threads), dict(data), workers), what)()


def rows(run: Run) -> Iterator[Row]:
    peer = run.peers.get("torch")
    name, python = (str(peer), peer.python) if peer else ("", "")
    with tempfile.TemporaryDirectory() as folder:
        yield first_prediction(run, Path(folder), name, python)
        if run.size != "quick":
            yield from memory(run, Path(folder), name, python)
            yield from compiled_first()


def first_prediction(run: Run, folder: Path, name: str, python: str) -> Row:
    ours, theirs = folder / "model.safetensors", folder / "model.pt"
    save_ours(ours)
    command = [sys.executable, "-c", _PREDICT.format(path=str(ours), text=TEXT)]
    runs = {}
    if python:
        runs[name] = partial(_torch_prediction, python, theirs)
    run_watched(command)
    case = f"first prediction, BiLSTM E{VECTORS} H{HIDDEN}, from Python's start"
    return compare(case, "s", {"": lambda: run_watched(command)[0]}, runs, run.repeats, more_is_better=False)[0]


def _torch_prediction(python: str, path: Path) -> float:
    if not path.exists():
        run_watched([python, "-c", _TORCH_SAVE, str(path), *map(str, (VOCABULARY, VECTORS, HIDDEN))])
    return run_watched([python, "-c", _TORCH_PREDICT, str(path), TEXT, str(VECTORS), str(HIDDEN)])[0]


def memory(run: Run, folder: Path, name: str, python: str) -> Iterator[Row]:
    case = _case(run.threads)
    path = folder / "data.npz"
    np.savez(path, allow_pickle=False, **make_data(case))
    prepare = asdict(case) | {"vocabulary": VOCABULARY, "data": str(path)}
    for what in ("predict", "train"):
        code = f"from benchmarks.networks.net_costs import pass_once; pass_once({what!r}, {str(path)!r}, {run.threads})"
        ours = [sys.executable, "-c", code]
        requests = "\n".join(json.dumps(request) for request in (["prepare", prepare], [what])) + "\n"
        run_watched(ours)
        runs = {name: partial(_megabytes, [python, "-c", _TORCH], requests)} if python else {}
        label = f"anonymous memory at its peak, {what}, {case}"
        turns = min(run.repeats, 3)  # they vary by only a few percent
        yield from compare(label, "MB", {"": partial(_megabytes, ours)}, runs, turns, more_is_better=False)


def compiled_first() -> Iterator[Row]:
    """Measure training and prediction on sixteen texts, for each cell."""
    for cell in ("lstm", "gru", "rnn"):
        code = _TRAIN.format(settings={"cell": cell})
        with tempfile.TemporaryDirectory() as cache:
            place = {"NUMBA_CACHE_DIR": cache}
            cold = seconds_of(code, place)
            warm = seconds_of(code, place)
        case = f"Bi{cell.upper()} classifier trained on 16 texts, kernels compiled"
        yield Row(f"{case} before", "s", [warm], more_is_better=False)
        yield Row(f"{case} first: what that adds", "s", [cold - warm], more_is_better=False)


def _case(threads: int) -> Case:
    return replace(CASES[0], vector_size=VECTORS, hidden_size=HIDDEN, threads=threads)


def _megabytes(command: list[str], requests: str = "") -> float:
    return run_watched(command, stdin=requests, poll=0.002)[1]
