"""How fast are recurrent networks? Training steps, batch and single-text prediction, compared with PyTorch.

    python -m benchmarks.networks.recurrent --peer-python /path/to/an/environment/with/torch/bin/python

PyTorch uses its fastest CPU path: padded batches of similar length (its packed sequences are several times slower),
oneDNN where it has a kernel, a sparse embedding gradient with SparseAdam, fused Adam. Both sides do the whole step:
batching, forward, backward, clipping, Adam, embedding update. Runs alternate, and the table shows medians. Texts have
the length distributions of SST-2 (mean 19) and IMDb (mean 230, at most 400) and Zipf-distributed words.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, compare, table
from benchmarks.harness.peers import PeerError, Server
from benchmarks.harness.report import log_to_stderr
from seqclf.classification.network import Network, NetworkShape, initial_parameters
from seqclf.classification.settings import ClassifierSettings
from seqclf.layers.batch_prediction import predict_rows, workers_for
from seqclf.layers.batches import Sequences, pack
from seqclf.layers.workers import Workers
from seqclf.training.dropout import DropoutRates
from seqclf.training.pooled import Trainer

VOCABULARY = 16_000
SINGLE = 300
"""Number of texts predicted one at a time."""


@dataclass(frozen=True)
class Case:
    lengths: str
    """sst, imdb, or a fixed length."""
    vector_size: int
    hidden_size: int
    cell: str = "lstm"
    layers: int = 1
    bidirectional: bool = True
    batch_size: int = 32
    threads: int = 2

    def __str__(self) -> str:
        way = "Bi" if self.bidirectional else ""
        layers = f" x{self.layers}" if self.layers > 1 else ""
        return f"{way}{self.cell.upper()}{layers} {self.lengths} E{self.vector_size} H{self.hidden_size}"


CASES = [
    *(Case(lengths, e, h) for lengths in ("sst", "imdb") for e in (100, 300) for h in (64, 128)),
    Case("sst", 100, 256),
    Case("sst", 300, 128, layers=2),
    Case("sst", 100, 128, cell="gru"),
    Case("sst", 100, 128, cell="rnn"),
    Case("sst", 100, 128, bidirectional=False),
]

_TORCH = """
import json, sys, time
import numpy as np, torch
from torch import nn
torch.backends.mkldnn.enabled = True
state = {}
class Net(nn.Module):
    def __init__(self, case):
        super().__init__()
        kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[case["cell"]]
        self.embedding = nn.Embedding(case["vocabulary"], case["vector_size"], sparse=True)
        self.layers = kind(case["vector_size"], case["hidden_size"], num_layers=case["layers"], batch_first=True,
                           bidirectional=case["bidirectional"])
        self.head = nn.Linear(case["hidden_size"] * (1 + case["bidirectional"]), 2)
    def forward(self, padded, lengths):
        states, _ = self.layers(self.embedding(padded))
        mask = (torch.arange(padded.shape[1])[None, :] < lengths[:, None]).unsqueeze(2)
        return self.head((states * mask).sum(1) / lengths.clamp(min=1)[:, None])
def batch(members):
    ids, offsets = state["ids"], state["offsets"]
    lengths = offsets[members + 1] - offsets[members]
    padded = np.zeros((len(members), int(lengths.max())), np.int64)
    padded[np.arange(padded.shape[1])[None, :] < lengths[:, None]] = np.concatenate(
        [ids[offsets[m]:offsets[m + 1]] for m in members])
    return torch.from_numpy(padded), torch.from_numpy(lengths)
def prepare(case):
    torch.set_num_threads(case["threads"])
    net = Net(case)
    dense = [p for n, p in net.named_parameters() if not n.startswith("embedding")]
    loaded = np.load(case["data"])
    state.update(net=net, dense=dense, adam=torch.optim.Adam(dense, lr=2e-3, fused=True),
                 sparse=torch.optim.SparseAdam(net.embedding.parameters(), lr=2e-3), case=case,
                 ids=loaded["ids"].astype(np.int64), offsets=loaded["offsets"], targets=loaded["targets"],
                 batches=np.split(loaded["members"], loaded["splits"]), single=loaded["single"])
    return 0.0
def train():
    net, loss = state["net"].train(), nn.CrossEntropyLoss()
    start = time.perf_counter()
    for members in state["batches"]:
        padded, lengths = batch(members)
        state["adam"].zero_grad(set_to_none=True)
        state["sparse"].zero_grad(set_to_none=True)
        loss(net(padded, lengths), torch.from_numpy(state["targets"][members])).backward()
        nn.utils.clip_grad_norm_(state["dense"], 5.0)
        state["adam"].step()
        state["sparse"].step()
    return time.perf_counter() - start
def predict():
    net = state["net"].eval()
    start = time.perf_counter()
    with torch.inference_mode():
        for members in state["batches"]:
            torch.softmax(net(*batch(members)), 1).numpy()
    return time.perf_counter() - start
def single(threads):
    torch.set_num_threads(threads)
    net, found = state["net"].eval(), []
    with torch.inference_mode():
        for m in state["single"]:
            start = time.perf_counter()
            torch.softmax(net(*batch(np.array([m]))), 1).numpy()
            found.append(time.perf_counter() - start)
    torch.set_num_threads(state["case"]["threads"])
    return found
def name():
    return "torch " + torch.__version__
for line in sys.stdin:
    asked, *arguments = json.loads(line)
    calls = {"name": name, "prepare": prepare, "train": train, "predict": predict, "single": single}
    print(json.dumps(calls[asked](*arguments)), flush=True)
"""


_SPINNING = 0.3
"""Seconds after which PyTorch's threads, which spin for a while without work, leave the cores to ours."""


class Torch(Server):
    """PyTorch in a separate process, which runs passes on request."""

    def __init__(self, python: str, code: str = _TORCH) -> None:
        super().__init__(python, code)
        self.name: str = self("name")


class Ours:
    """The same passes in this package."""

    def __init__(self, case: Case, data: dict[str, np.ndarray], workers: Workers) -> None:
        shape = NetworkShape(
            VOCABULARY, case.vector_size, case.hidden_size, 2, cell=case.cell, bidirectional=case.bidirectional,
            pooling="mean", layers=case.layers,
        )  # fmt: skip
        random = np.random.default_rng(0)
        table = random.standard_normal((VOCABULARY, case.vector_size)).astype(np.float32)
        self.network = Network(shape, initial_parameters(shape, table, random))
        self._data, self._workers, self._threads = data, workers, case.threads
        self._batches = np.split(data["members"], data["splits"])
        settings = ClassifierSettings(dropout=0.0)
        self._trainer = Trainer(
            self.network,
            settings,
            rates=DropoutRates(),
            tuned_rows=VOCABULARY,
            steps=10**6,
            workers=workers,
        )

    def train(self) -> float:
        ids, offsets, targets = self._data["ids"], self._data["offsets"], self._data["targets"]
        start = time.perf_counter()
        for members in self._batches:
            batch = pack(ids, offsets, members)
            self._trainer.step(batch, targets[members[batch.order]].astype(np.int32))
        return time.perf_counter() - start

    def predict(self) -> float:
        start = time.perf_counter()
        predict_rows(self.network, Sequences(self._data["ids"], self._data["offsets"]), self._workers)
        return time.perf_counter() - start

    def single(self) -> list[float]:
        found = []
        with workers_for(1, self._threads) as worker:
            for member in self._data["single"]:
                start = time.perf_counter()
                offsets = self._data["offsets"][member : member + 2]
                text = Sequences(self._data["ids"][offsets[0] : offsets[1]], offsets - offsets[0])
                predict_rows(self.network, text, worker)
                found.append(time.perf_counter() - start)
        return found


def make_data(case: Case) -> dict[str, np.ndarray]:
    """Return texts, and batches of similar length in random order."""
    random = np.random.default_rng(1)
    if case.lengths == "sst":
        lengths = np.clip(random.normal(19.3, 9.3, 40 * case.batch_size), 2, 52).astype(np.int64)
    elif case.lengths == "imdb":
        lengths = np.clip(random.lognormal(5.3, 0.6, 6 * case.batch_size), 20, 400).astype(np.int64)
    else:
        lengths = np.full(2 * case.batch_size, int(case.lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ranks = random.zipf(1.1, 4 * offsets[-1])
    ids = (ranks[ranks < VOCABULARY] - 1)[: offsets[-1]].astype(np.int32)
    ids = np.resize(ids, offsets[-1])
    batches = np.argsort(lengths, kind="stable").reshape(-1, case.batch_size)
    members = random.permutation(batches).reshape(-1)
    return {
        "ids": ids,
        "offsets": offsets,
        "targets": random.integers(0, 2, lengths.size),
        "members": members,
        "splits": np.arange(case.batch_size, members.size, case.batch_size),
        "single": np.flatnonzero(lengths <= 30)[:SINGLE],
    }


def measure(case: Case, torch: Torch | None, repeats: int, folder: Path) -> Iterator[Row]:
    """Measure training, batch prediction, and single texts (median and 99th percentile)."""
    data = make_data(case)
    path = folder / "data.npz"
    np.savez(path, allow_pickle=False, **data)
    if torch:
        torch("prepare", asdict(case) | {"vocabulary": VOCABULARY, "data": str(path)})
    thousands = data["ids"].size / 1e3
    with Workers(case.threads) as workers:
        ours = Ours(case, data, workers)
        for what in ("train", "predict"):
            mine = getattr(ours, what)
            theirs = {torch.name: partial(_rate, thousands, partial(torch, what))} if torch else {}
            mine()
            if torch:
                torch(what)
            yield from compare(f"{case}, {what}", "k/s", {"": partial(_rate, thousands, mine)}, theirs, repeats)
        if case.lengths == "sst" and case.bidirectional:
            yield from _compare_single(case, ours, torch, repeats)


def _rate(amount: float, seconds: Callable[[], Any]) -> float:
    return amount / float(seconds())


def _compare_single(case: Case, ours: Ours, torch: Torch | None, repeats: int) -> Iterator[Row]:
    """Measure microseconds per text, with the threads of the run; PyTorch with one or two, whichever is faster."""
    ours.single()
    if torch:
        torch("single", 1)
    runs = []
    for _ in range(repeats):
        theirs = []
        if torch:
            theirs = [torch("single", threads) for threads in (1, 2)]
            time.sleep(_SPINNING)
        runs.append((ours.single(), *theirs))
    for percent in (50, 99):
        each = [[1e6 * float(np.percentile(column, percent)) for column in run] for run in runs]
        best = [min(run[1:]) for run in each] if torch else []
        name = f"{case}, one text, p{percent}"
        yield Row(name, "us", [run[0] for run in each], torch.name if torch else "", best, more_is_better=False)


def begin_torch(python: str | None, code: str = _TORCH) -> Torch | None:
    """Start PyTorch; return None if it is missing or fails."""
    try:
        return Torch(python, code) if python else None
    except PeerError as error:
        log_to_stderr(f"  skipping torch: {error}")
        return None


def rows(run: Run) -> Iterator[Row]:
    torch = begin_torch(run.python("torch"))
    try:
        for case in run.pick(CASES[:1], CASES):
            yield from measure(replace(case, threads=run.threads), torch, run.repeats, run.folder)
    finally:
        if torch:
            torch.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="a Python with PyTorch installed; default: no comparison")
    parser.add_argument("--repeats", type=int, default=5, help="runs per case")
    parser.add_argument("--only", default="", help="only cases whose description contains this")
    options = parser.parse_args()
    torch = Torch(options.peer_python) if options.peer_python else None
    print(describe(2))
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only in str(case):
                print("\n".join(table(list(measure(case, torch, options.repeats, Path(folder))))), flush=True)
    if torch:
        torch.close()


if __name__ == "__main__":
    main()
