"""How fast are encoder-decoder networks? Training steps, greedy decoding and beam search, compared with PyTorch.

    python -m benchmarks.networks.transducers --peer-python /path/to/an/environment/with/torch/bin/python

The network is a bidirectional LSTM encoder and an LSTM decoder with general attention and input feeding (Luong et al.
2015), on characters (40 of them, words of 8 letters) and on words (10,000 of them, sentences of 12). PyTorch uses
padded batches of similar length, oneDNN's LSTM for the encoder, LSTMCell for each step of the decoder, one softmax
layer over all steps, sparse embedding gradients with SparseAdam, and fused Adam. Both drop 0.3 of the embeddings and of
the softmax's inputs, our default; ours draws a mask per distinct embedding and, with 10,000 words, per 32 inputs of the
softmax. Decoding takes 10 steps on both sides: ours cannot end before the last one, and must end there. Memory is the
peak anonymous memory of a process, sampled every 2 ms, that trains on all batches once. Runs alternate, and the table
shows medians.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, compare, table, threads_of
from benchmarks.networks.recurrent import Torch, begin_torch
from benchmarks.word_vectors.whole_command import run_watched
from seqclf.layers.batches import Sequences
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.workers import Workers
from seqclf.translation.defaults import ChosenTransducerSettings
from seqclf.translation.model import transducer_shape
from seqclf.translation.network import EOS, Targets, TransducerNetwork, initial_transducer
from seqclf.translation.searching import Search, search_targets
from seqclf.translation.trainer import Trainer

LENGTH = 10
"""Steps of the decoder for every target, with that of its end."""
SINGLE = 40
"""Sources decoded one at a time."""


@dataclass(frozen=True)
class Case:
    name: str
    units: int
    mean: float
    """Of the lengths."""
    batch_size: int
    hidden_size: int = 256
    vector_size: int = 128
    threads: int = 2
    dropout: float = 0.3

    def __str__(self) -> str:
        return f"{self.name} H{self.hidden_size}, {threads_of(self.threads)}"


CASES = [Case("characters", 40, 8, 32), Case("words V10000", 10_000, 12, 64, vector_size=256)]

PASSES = [
    ("train", "train", "k/s", ()),
    ("beam", "beam 5 in batches", "targets/s", (LENGTH,)),
    ("greedy", "greedy, one source", "ms", (LENGTH,)),
]
"""Method, description, unit and arguments of the peer."""

_TORCH = """
import json, sys, time
import numpy as np, torch
from torch import nn
state = {}
class Net(nn.Module):
    def __init__(self, case):
        super().__init__()
        h, e, v = case["hidden_size"], case["vector_size"], case["units"]
        self.dropout = nn.Dropout(case["dropout"])
        self.source = nn.Embedding(v, e, sparse=True)
        self.target = nn.Embedding(v + 1, e, sparse=True)
        self.encoder = nn.LSTM(e, h, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * h, 2 * h)
        self.cell = nn.LSTMCell(e + h, h)
        self.score = nn.Linear(2 * h, h, bias=False)
        self.combine = nn.Linear(3 * h, h)
        self.head = nn.Linear(h, v)
    def encode(self, padded, lengths):
        states, (final, _) = self.encoder(self.dropout(self.source(padded)))
        h, c = torch.tanh(self.bridge(torch.cat([final[0], final[1]], 1))).chunk(2, 1)
        mask = torch.arange(padded.shape[1])[None, :] >= lengths[:, None]
        return states, self.score(states), mask, h, c
    def step(self, x, states, keys, mask, h, c, fed):
        h, c = self.cell(torch.cat([x, fed], 1), (h, c))
        scores = torch.bmm(keys, h[:, :, None])[:, :, 0].masked_fill(mask, -1e9)
        context = torch.bmm(torch.softmax(scores, 1)[:, None], states)[:, 0]
        return h, c, torch.tanh(self.combine(torch.cat([context, h], 1)))
def pad(ids, offsets, members):
    lengths = offsets[members + 1] - offsets[members]
    padded = np.zeros((len(members), int(lengths.max())), np.int64)
    padded[np.arange(padded.shape[1])[None, :] < lengths[:, None]] = np.concatenate(
        [ids[offsets[m]:offsets[m + 1]] for m in members])
    return torch.from_numpy(padded), torch.from_numpy(lengths)
def prepare(case):
    torch.set_num_threads(case["threads"])
    net, data = Net(case), np.load(case["data"])
    dense = [p for n, p in net.named_parameters() if not n.startswith(("source.", "target."))]
    tables = [*net.source.parameters(), *net.target.parameters()]
    state.update(net=net, dense=dense, adam=torch.optim.Adam(dense, lr=1e-3, fused=True), case=case,
                 sparse=torch.optim.SparseAdam(tables, lr=1e-3), bos=case["units"],
                 source=(data["source_ids"].astype(np.int64), data["source_offsets"]),
                 target=(data["target_ids"].astype(np.int64), data["target_offsets"]),
                 batches=np.split(data["members"], data["splits"]), single=data["single"])
    return 0.0
def train():
    net = state["net"].train()
    start = time.perf_counter()
    for members in state["batches"]:
        source, lengths = pad(*state["source"], members)
        target, sizes = pad(*state["target"], members)
        state["adam"].zero_grad(set_to_none=True)
        state["sparse"].zero_grad(set_to_none=True)
        states, keys, mask, h, c = net.encode(source, lengths)
        read = torch.cat([torch.full((len(members), 1), state["bos"]), target[:, :-1]], 1)
        fed, found = torch.zeros_like(h), []
        for x in net.dropout(net.target(read)).unbind(1):
            h, c, fed = net.step(x, states, keys, mask, h, c, fed)
            found.append(fed)
        real = torch.arange(target.shape[1])[None, :] < sizes[:, None]
        scores = net.head(net.dropout(torch.stack(found, 1)[real]))
        nn.functional.cross_entropy(scores, target[real], label_smoothing=0.1).backward()
        nn.utils.clip_grad_norm_(state["dense"], 5.0)
        state["adam"].step()
        state["sparse"].step()
    return time.perf_counter() - start
def search(members, beam, length):
    net = state["net"]
    states, keys, mask, h, c = net.encode(*pad(*state["source"], members))
    n, v = len(members), state["case"]["units"]
    last, fed = torch.full((n,), state["bos"]), torch.zeros_like(h)
    totals, width = torch.zeros((n, 1)), 1
    units = []
    for _ in range(length):
        h, c, fed = net.step(net.target(last), states, keys, mask, h, c, fed)
        scores = torch.log_softmax(net.head(fed), 1)
        if beam == 1:
            last = scores.argmax(1)
        else:
            totals, found = (totals[:, :, None] + scores.view(n, width, v)).view(n, -1).topk(beam)
            parents = (torch.arange(n)[:, None] * width + found // v).view(-1)
            last = (found % v).view(-1)
            h, c, fed = h[parents], c[parents], fed[parents]
            units = [each[parents] for each in units]
            if width < beam:
                states, keys, mask, width = states[parents], keys[parents], mask[parents], beam
        units.append(last)
    return torch.stack(units, 1).numpy()
def beam(length):
    net = state["net"].eval()
    start = time.perf_counter()
    with torch.inference_mode():
        for members in state["batches"]:
            search(members, 5, length)
    return time.perf_counter() - start
def greedy(length):
    torch.set_num_threads(1)
    net = state["net"].eval()
    start = time.perf_counter()
    with torch.inference_mode():
        for member in state["single"]:
            search(np.array([member]), 1, length)
    torch.set_num_threads(state["case"]["threads"])
    return time.perf_counter() - start
def name():
    return "torch " + torch.__version__
for line in sys.stdin:
    asked, *arguments = json.loads(line)
    calls = {"name": name, "prepare": prepare, "train": train, "greedy": greedy, "beam": beam}
    print(json.dumps(calls[asked](*arguments)), flush=True)
"""


class Ours:
    """The same passes in this package."""

    def __init__(self, case: Case, data: dict[str, np.ndarray], workers: Workers) -> None:
        self._case = case
        self._sources = Sequences(data["source_ids"], data["source_offsets"])
        self._single = data["single"]
        self._batches = np.split(data["members"], data["splits"])
        targets = Targets(data["target_ids"], data["target_offsets"])
        settings = ChosenTransducerSettings(
            hidden_size=case.hidden_size, vector_size=case.vector_size, target_vector_size=case.vector_size,
            batch_size=case.batch_size, dropout=case.dropout, epochs=1000,
        )  # fmt: skip
        encoder = EncoderShape(case.units, case.vector_size, **settings.encoder_options())
        shape = transducer_shape(encoder, case.units + 1, case.vector_size, settings)
        random = np.random.default_rng(0)
        rows = random.standard_normal((case.units, case.vector_size)).astype(np.float32)
        parameters = initial_transducer(shape, rows, np.ones(case.units), random)
        trained = TransducerNetwork(shape, parameters, smoothing=0.1)
        self._trainer = Trainer(trained, settings, self._sources, targets, tuned=case.units, workers=workers)
        parameters["head.bias"][EOS] = -1e9
        self._decoding = TransducerNetwork(shape, parameters)

    def train(self) -> float:
        start = time.perf_counter()
        for members in self._batches:
            self._trainer.learn(members)
        return time.perf_counter() - start

    def beam(self) -> float:
        start = time.perf_counter()
        search_targets(self._decoding, self._sources, Search(beam=5, max_length=LENGTH - 1), self._case.threads)
        return time.perf_counter() - start

    def greedy(self) -> float:
        start = time.perf_counter()
        for member in self._single.tolist():
            low, high = self._sources.offsets[member : member + 2].tolist()
            source = Sequences(self._sources.ids[low:high], np.array([0, high - low]))
            search_targets(self._decoding, source, Search(beam=1, max_length=LENGTH - 1), 1)
        return time.perf_counter() - start


def make_data(case: Case, batches: int = 12) -> dict[str, np.ndarray]:
    """Return pairs, and batches of similar length in random order."""
    random = np.random.default_rng(1)
    data = {}
    for side in ("source", "target"):
        lengths = np.clip(random.normal(case.mean, case.mean / 3, batches * case.batch_size), 2, 30).astype(np.int64)
        lengths.sort()
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        ids = (random.zipf(1.2, offsets[-1]) % (case.units - 1) + 1).astype(np.int32)
        if side == "target":
            ids[offsets[1:] - 1] = EOS
        data |= {f"{side}_ids": ids, f"{side}_offsets": offsets}
    members = random.permutation(np.arange(batches * case.batch_size).reshape(batches, -1)).reshape(-1)
    splits = np.arange(case.batch_size, members.size, case.batch_size)
    return data | {"members": members, "splits": splits, "single": random.permutation(members.size)[:SINGLE]}


def measure(case: Case, torch: Torch | None, repeats: int, folder: Path) -> Iterator[Row]:
    """Measure training, decoding one source at a time on one thread, and beam search in batches."""
    data = make_data(case)
    path = folder / "pairs.npz"
    np.savez(path, allow_pickle=False, **data)
    if torch:
        torch("prepare", asdict(case) | {"data": str(path)})
    amounts = {"train": data["target_ids"].size / 1e3, "beam": data["members"].size}
    with Workers(case.threads) as workers:
        ours = Ours(case, data, workers)
        for what, label, unit, arguments in PASSES:
            mine = getattr(ours, what)
            theirs = {torch.name: partial(torch, what, *arguments)} if torch else {}
            amount = None if what == "greedy" else amounts[what]
            for each in (mine, *theirs.values()):
                each()
            figures = {name: partial(_figure, amount, each) for name, each in theirs.items()}
            yield from compare(
                f"{case}, {label}",
                unit,
                {"": partial(_figure, amount, mine)},
                figures,
                repeats,
                more_is_better=what != "greedy",
            )


def train_once(case: Case, path: str) -> None:
    """Train on all batches of a file; runs in a separate process."""
    with np.load(path) as data, Workers(case.threads) as workers:
        Ours(case, dict(data), workers).train()


def memory(case: Case, name: str, python: str | None, repeats: int, folder: Path) -> Iterator[Row]:
    """Measure the peak memory of training, from a process's start."""
    path = str(folder / "pairs.npz")
    np.savez(path, allow_pickle=False, **make_data(case))
    code = f"from benchmarks.networks.transducers import Case, train_once; train_once({case!r}, {path!r})"
    ours = [sys.executable, "-c", code]
    requests = "".join(json.dumps(each) + "\n" for each in (["prepare", asdict(case) | {"data": path}], ["train"]))
    runs = {name: partial(_megabytes, [python, "-c", _TORCH], requests)} if python else {}
    label = f"{case}, anonymous memory at its peak, train"
    yield from compare(label, "MB", {"": partial(_megabytes, ours)}, runs, min(repeats, 3), more_is_better=False)


def _megabytes(command: list[str], requests: str = "") -> float:
    return run_watched(command, stdin=requests, poll=0.002)[1]


def _figure(amount: float | None, seconds: Callable[[], float]) -> float:
    """Return the amount per second, or milliseconds for each source decoded alone."""
    return 1e3 * seconds() / SINGLE if amount is None else amount / seconds()


def rows(run: Run) -> Iterator[Row]:
    python = run.python("torch")
    torch = begin_torch(python, _TORCH)
    try:
        for case in run.pick(CASES[:1], CASES):
            case = replace(case, threads=run.threads)
            yield from measure(case, torch, run.repeats, run.folder)
            if run.size != "quick":
                yield from memory(case, torch.name if torch else "", python, run.repeats, run.folder)
    finally:
        if torch:
            torch.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="a Python with PyTorch installed; default: no comparison")
    parser.add_argument("--repeats", type=int, default=5, help="runs per case")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch = Torch(options.peer_python, _TORCH) if options.peer_python else None
    print(describe(options.threads))
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            case = replace(case, threads=options.threads)
            name = torch.name if torch else ""
            rows = list(measure(case, torch, options.repeats, Path(folder)))
            rows += memory(case, name, options.peer_python, options.repeats, Path(folder))
            print("\n".join(table(rows)), flush=True)
    if torch:
        torch.close()


if __name__ == "__main__":
    main()
