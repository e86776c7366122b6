"""How fast is a language model's softmax layer? Scores, loss and all gradients, compared with PyTorch.

    python -m benchmarks.networks.large_softmax --peer-python /path/to/python-with-torch

One step is the cross-entropy of R rows over V words, with the gradients of rows, weights and biases. The table shows
medians in milliseconds, GFLOP/s of the three matrix products (6 R H V), and the fraction of the peak measured just
before. PyTorch uses its CPU build: ``linear``, ``cross_entropy``, ``backward``.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.harness.machine import describe, peak_gflops
from benchmarks.harness.measuring import Row, Run, compare, table, threads_of
from benchmarks.harness.peers import Server
from seqclf.layers.vocabulary_head import VocabularyHead
from seqclf.layers.workers import Workers

SIZES = [(700, 208, 10_000), (700, 656, 10_000), (640, 128, 10_000), (320, 208, 50_000)]

_TORCH = """
import json, sys, time, torch
torch.set_num_threads(int(sys.argv[1]))
for line in sys.stdin:
    rows, width, words, repeats = json.loads(line)
    layer = torch.nn.Linear(width, words)
    states, targets = torch.randn(rows, width, requires_grad=True), torch.randint(words, (rows,))
    times = []
    for _ in range(repeats + 1):
        layer.zero_grad(); states.grad = None
        start = time.perf_counter()
        torch.nn.functional.cross_entropy(layer(states), targets).backward()
        times.append(time.perf_counter() - start)
    print(json.dumps(times[1:]), flush=True)
"""


def compare_steps(size: tuple[int, int, int], threads: int, repeats: int, workers: Workers, peer: Server | None) -> Row:
    """Return milliseconds per step; the note has our fraction of the peak."""
    theirs = {"torch": lambda: 1e3 * statistics.median(peer(*size, 3))} if peer else {}
    peaks = []

    def ours() -> float:
        peaks.append(peak_gflops(threads))
        return _ours(*size, workers) * 1e3

    case = "R{} H{} V{}".format(*size) + f", {threads_of(threads)}"
    (row,) = compare(case, "ms", {"": ours}, theirs, repeats, more_is_better=False)
    speed = 6 * size[0] * size[1] * size[2] / statistics.median(row.ours) / 1e6
    note = f"{speed:.0f} GFLOP/s, {speed / statistics.median(peaks):.0%} of peak"
    return replace(row, note="; ".join(filter(None, [note, row.note])))


def compare_all(sizes: list, threads: int, repeats: int, python: str | None) -> Iterator[Row]:
    peer = Server(python, _TORCH, threads) if python else None
    try:
        with Workers(threads) as workers:
            for size in sizes:
                yield compare_steps(size, threads, repeats, workers, peer)
    finally:
        if peer is not None:
            peer.close()


def rows(run: Run) -> Iterator[Row]:
    for threads in run.pick((run.threads,), (1, run.threads)):
        yield from compare_all(run.pick(SIZES[2:3], SIZES), threads, run.repeats, run.python("torch"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="a Python with PyTorch installed; default: no comparison")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(describe(options.threads))
    print("\n".join(table(list(compare_all(SIZES, options.threads, options.repeats, options.peer_python)))))


def _ours(rows: int, width: int, words: int, workers: Workers, repeats: int = 3) -> float:
    random = np.random.default_rng(1)
    head = VocabularyHead(words, width, random=random)
    states = random.standard_normal((rows, width)).astype(np.float32)
    targets, times = random.integers(0, words, rows), []
    for _ in range(repeats + 1):
        head.clear_gradients()
        start = time.perf_counter()
        head.loss_and_backward(states, None, targets, workers=workers)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
