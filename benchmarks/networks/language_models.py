"""How fast are language models? Training and reading a text, compared with PyTorch.

    python -m benchmarks.networks.language_models --peer-python /path/to/an/environment/with/torch/bin/python

Both train the same network with the same streams, windows, dropout, clipping, Adam and learning rates. PyTorch runs its
fastest loop on a CPU: ``nn.LSTM`` with oneDNN, time first, one matrix product for all scores of a window, fused Adam.
The table shows thousands of tokens per second, medians of alternating runs, on Zipf-distributed words.

With ``--text FILE``, articles that begin with a line ``= Title =``, both train to the end instead on its first two
million words, but for the last tenth of the articles, which choose the epoch and give the test perplexities printed.
"""

import argparse
import itertools
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, compare, table, threads_of
from benchmarks.networks.recurrent import Torch, begin_torch
from corpora.readers import read_lines
from seqclf.language.defaults import ChosenSettings, choose_settings, cutoffs_of
from seqclf.language.network import LanguageNetwork, LanguageShape, initial_parameters
from seqclf.language.settings import LanguageModelSettings
from seqclf.language.text import encode_text, read_training_text, tokens_of
from seqclf.language.train import train_language_network
from seqclf.layers.workers import Workers

STREAMS, WINDOW = 20, 35
STEPS = 12
"""Windows per timed run."""
WORDS = 2_000_000
"""Of the text that the quality is measured on."""


@dataclass(frozen=True)
class Case:
    vocabulary: int
    hidden_size: int
    layers: int = 1
    cell: str = "lstm"
    softmax: str = "full"
    """Tied, or adaptive."""

    def __str__(self) -> str:
        output = "" if self.softmax == "full" else f", {self.softmax} softmax"
        return f"{self.layers} x {self.cell.upper()} {self.hidden_size}, {self.vocabulary:,} words{output}"

    @property
    def cutoffs(self) -> tuple[int, ...]:
        return cutoffs_of(LanguageModelSettings(softmax=self.softmax), self.vocabulary)


CASES = [
    Case(10_000, 128),
    Case(10_000, 256),
    Case(10_000, 650, layers=2),
    Case(60, 256),
    Case(40_000, 256, softmax="adaptive"),
]

_TORCH = """
import json, math, sys, time
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
state = {}
class Net(nn.Module):
    def __init__(self, case):
        super().__init__()
        size = case["hidden_size"]
        self.embedding = nn.Embedding(case["vocabulary"], size)
        kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[case["cell"]]
        self.layers = nn.ModuleList([kind(size, size) for _ in range(case["layers"])])
        self.output = None
        if case["cutoffs"]:
            self.output = nn.AdaptiveLogSoftmaxWithLoss(size, case["vocabulary"], case["cutoffs"], head_bias=True)
        else:
            self.bias = nn.Parameter(torch.from_numpy(case["bias"]))
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        self.dropout = case["dropout"]
    def forward(self, tokens, targets, carried):
        x, last = self.embedding(tokens), []
        for number, layer in enumerate(self.layers):
            x, final = layer(x, carried[number] if carried else None)
            last.append(tuple(each.detach() for each in final) if isinstance(final, tuple) else final.detach())
            if self.training and self.dropout:
                x = x * (torch.bernoulli(torch.full_like(x[:1], 1 - self.dropout)) / (1 - self.dropout))
        if self.output is not None:
            return self.output(x.flatten(0, 1), targets.flatten()).loss, last
        return F.cross_entropy(F.linear(x, self.embedding.weight, self.bias).flatten(0, 1), targets.flatten()), last
def prepare(case):
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    loaded = np.load(case["data"])
    case["bias"] = loaded["bias"]
    net = Net(case)
    state.update(net=net, case=case, steps=0, adam=torch.optim.Adam(net.parameters(), lr=1.0, fused=True),
                 **{name: loaded[name].astype(np.int64) for name in ("ids", "dev", "test")})
    return 0.0
def rate(done, case):
    warmup = min(case["warmup"], case["steps"] // 5)
    if done < warmup:
        return case["rate"] * (done + 1) / warmup
    return case["rate"] * (case["steps"] - done) / (case["steps"] - warmup)
def train(_=None):
    net, case, ids = state["net"].train(), state["case"], state["ids"]
    each = (len(ids) - 1) // case["streams"]
    inputs = torch.from_numpy(ids[: each * case["streams"]].reshape(case["streams"], each).T.copy())
    targets = torch.from_numpy(ids[1 : each * case["streams"] + 1].reshape(case["streams"], each).T.copy())
    carried, start = None, time.perf_counter()
    for first in range(0, each, case["window"]):
        state["adam"].zero_grad(set_to_none=True)
        steps = slice(first, first + case["window"])
        loss, carried = net(inputs[steps], targets[steps], carried)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), case["clip"])
        for group in state["adam"].param_groups:
            group["lr"] = rate(state["steps"], case)
        state["adam"].step()
        state["steps"] += 1
    return time.perf_counter() - start
def read(text="ids"):
    net, ids = state["net"].eval(), torch.from_numpy(state[text])
    total, carried, start = 0.0, None, time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(ids) - 1, 512):
            part = ids[first : first + 513]
            loss, carried = net(part[:-1, None], part[1:, None], carried)
            total += float(loss) * (len(part) - 1)
    return [time.perf_counter() - start, total / (len(ids) - 1)]
def fit(epochs):
    best, kept = math.inf, None
    for _ in range(epochs):
        train()
        loss = read("dev")[1]
        print(loss, file=sys.stderr, flush=True)
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in state["net"].state_dict().items()}
    state["net"].load_state_dict(kept)
    return read("test")[1]
for line in sys.stdin:
    asked, *arguments = json.loads(line)
    calls = {"name": lambda: "torch " + torch.__version__, "prepare": prepare, "train": train, "read": read, "fit": fit}
    print(json.dumps(calls[asked](*arguments)), flush=True)
"""


@dataclass(frozen=True)
class Task:
    """A network, its settings, and token ids: of the training text and, for its quality, of two more texts."""

    case: Case
    settings: ChosenSettings
    counts: np.ndarray
    ids: np.ndarray
    dev: np.ndarray
    test: np.ndarray
    threads: int

    def network(self) -> LanguageNetwork:
        case, size = self.case, self.case.hidden_size
        tied = case.softmax == "full"
        shape = LanguageShape(case.vocabulary, size, size, case.cell, "after", case.layers, tied, case.cutoffs)
        return LanguageNetwork(shape, initial_parameters(shape, self.counts, np.random.default_rng([1, 0x1217])))

    def prepare(self, torch: Torch, folder: Path) -> None:
        """Hand the same task to PyTorch."""
        chosen, path = self.settings, folder / "text.npz"
        bias = np.log((self.counts + 1) / (self.counts.sum() + self.counts.size)).astype(np.float32)
        np.savez(path, allow_pickle=False, ids=self.ids, dev=self.dev, test=self.test, bias=bias)
        streams = min(chosen.batch_size, (self.ids.size - 1) // chosen.window)
        steps = -(-((self.ids.size - 1) // streams) // chosen.window) * chosen.epochs
        about = {"data": str(path), "threads": self.threads, "dropout": chosen.dropout, "rate": chosen.learning_rate}
        about |= {"warmup": chosen.warmup_steps, "clip": chosen.clip_norm, "window": chosen.window}
        about |= {"streams": streams, "steps": steps, "cutoffs": self.case.cutoffs}
        torch("prepare", asdict(self.case) | about)


def speed_task(case: Case, threads: int) -> Task:
    """Return a task with Zipf-distributed words."""
    random = np.random.default_rng(1)
    size = STREAMS * WINDOW * STEPS + 1
    chances = 1 / np.arange(1, case.vocabulary + 1)
    ids = random.choice(case.vocabulary, size, p=chances / chances.sum()).astype(np.int32)
    given = LanguageModelSettings(
        hidden_size=case.hidden_size, tied=case.softmax == "full", softmax=case.softmax, layers=case.layers,
        cell=case.cell, batch_size=STREAMS, window=WINDOW, dropout=0.3, embedding_dropout=0.0, learning_rate=0.003,
        epochs=1,
    )  # fmt: skip
    chosen = choose_settings(given, size - 1, case.vocabulary)
    return Task(case, chosen, np.bincount(ids, minlength=case.vocabulary), ids, ids[:1], ids[:1], threads)


def measure(case: Case, torch: Torch | None, threads: int, repeats: int, folder: Path) -> Iterator[Row]:
    """Measure training steps, and the log-probabilities of a text that is read as one stream."""
    task = speed_task(case, threads)
    network, thousands = task.network(), (task.ids.size - 1) / 1e3
    if torch:
        task.prepare(torch, folder)
    with Workers(threads) as workers:

        def train() -> float:
            start = time.perf_counter()
            train_language_network(network, task.ids, settings=task.settings, workers=workers)
            return thousands / (time.perf_counter() - start)

        def read() -> float:
            start = time.perf_counter()
            network.log_probabilities(task.ids, workers)
            return thousands / (time.perf_counter() - start)

        theirs = {"train": lambda: thousands / torch("train"), "read": lambda: thousands / torch("read")[0]}
        for name, ours in (("train", train), ("read", read)):
            ours()
            if torch:
                theirs[name]()
            peer = {torch.name: theirs[name]} if torch else {}
            yield from compare(f"{case}, {name}, {threads_of(threads)}", "k/s", {"": ours}, peer, repeats)


def rows(run: Run) -> Iterator[Row]:
    torch = begin_torch(run.python("torch"), _TORCH)
    try:
        for case in run.pick(CASES[:1], CASES[:2], CASES):
            yield from measure(case, torch, run.threads, run.repeats, run.folder)
    finally:
        if torch:
            torch.close()


def first_articles(path: str) -> list[list[str]]:
    """Return the lines of the first articles of a file, of two million words."""
    articles: list[list[str]] = []
    count = 0
    for line in read_lines(path):
        if line.startswith("= ") and line.endswith(" ="):
            if count >= WORDS:
                break
            articles.append([])
        articles[-1].append(line)
        count += len(line.split())
    return articles


def quality_task(options: argparse.Namespace) -> Task:
    """Return a task with the words of a file."""
    given = LanguageModelSettings(
        hidden_size=options.hidden_size, tied=True, tokenizer="words", max_vocabulary=options.vocabulary,
        embedding_dropout=0.0, epochs=options.epochs, dropout=0.2,
    )  # fmt: skip

    def words(part: list[list[str]]) -> Iterator[str]:
        lines = itertools.chain.from_iterable(part)
        return tokens_of(lines, "word", given.tokenizer, given.lowercase, given.normalize)

    articles = first_articles(options.text)
    held = len(articles) // 20
    vocabulary, ids, _ = read_training_text(
        words(articles[: -2 * held]), "word", min_count=1, max_vocabulary=options.vocabulary, held_out=0.0
    )
    parts = articles[-2 * held : -held], articles[-held:]
    dev, test = (encode_text(words(part), vocabulary, "word") for part in parts)
    chosen = choose_settings(given, ids.size - 1, len(vocabulary))
    assert vocabulary.counts is not None
    return Task(Case(len(vocabulary), options.hidden_size), chosen, vocabulary.counts, ids, dev, test, options.threads)


def print_quality(task: Task, torch: Torch | None, folder: Path) -> None:
    """Train both to the end, one after the other, and print their test perplexities."""
    print(f"{task.case}; {task.ids.size - 1:,} training tokens, {task.test.size - 1:,} test tokens", flush=True)
    start, network = time.perf_counter(), task.network()
    with Workers(task.threads) as workers:
        train_language_network(network, task.ids, settings=task.settings, workers=workers, dev=task.dev)
        loss = -float(network.log_probabilities(task.test, workers).mean())
    print(f"ours: perplexity {math.exp(loss):.2f} after {time.perf_counter() - start:.0f} s", flush=True)
    if torch:
        start = time.perf_counter()
        task.prepare(torch, folder)
        theirs = torch("fit", task.settings.epochs)
        print(f"{torch.name}: perplexity {math.exp(theirs):.2f} after {time.perf_counter() - start:.0f} s")
        print(f"ratio {math.exp(loss - theirs):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="a Python with PyTorch installed; default: no comparison")
    parser.add_argument("--repeats", type=int, default=3, help="runs per case")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--text", help="a text file, for the quality")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=10_000)
    options = parser.parse_args()
    torch = begin_torch(options.peer_python, _TORCH)
    print(describe(options.threads))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.text:
            print_quality(quality_task(options), torch, folder)
        else:
            for case in CASES:
                found = list(measure(case, torch, options.threads, options.repeats, folder))
                print("\n".join(table(found)), flush=True)
    if torch:
        torch.close()


if __name__ == "__main__":
    main()
