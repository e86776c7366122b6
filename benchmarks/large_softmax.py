"""How fast is a language model's last layer? Scores, loss and all gradients of a full softmax, in turns with PyTorch.

    python benchmarks/large_softmax.py --torch /path/to/python-with-torch

One step is cross-entropy over V words of R rows, with the gradients of the rows, the weights and the biases. The table
shows medians in milliseconds, GFLOP/s of the three matrix products (6 R H V), and the share of the peak that the
processor reached just before. PyTorch is its CPU build: ``linear``, ``cross_entropy``, ``backward``.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import describe, peak_gflops
from seqclf.vocabulary_head import VocabularyHead
from seqclf.workers import Workers

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", help="a Python that has PyTorch; without it ours runs alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    print(describe(options.threads))
    peer = None
    if options.torch:
        command = [options.torch, "-c", _TORCH, str(options.threads)]
        peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(f"{'R':>5} {'H':>5} {'V':>7} {'ours ms':>9} {'GFLOP/s':>8} {'of peak':>8} {'torch ms':>9} {'ratio':>6}")
    with Workers(options.threads) as workers:
        for size in SIZES:
            _compare(size, options.threads, options.turns, workers, peer)
    if peer is not None:
        peer.communicate()


def _compare(size: tuple[int, int, int], threads: int, turns: int, workers: Workers, peer: subprocess.Popen | None):
    rows, width, words = size
    ours, theirs, peaks = [], [], []
    for _ in range(turns):
        peaks.append(peak_gflops(threads, 2_000_000))
        ours += _ours(*size, workers)
        if peer is not None and peer.stdin is not None and peer.stdout is not None:
            peer.stdin.write(json.dumps([*size, 3]) + "\n")
            peer.stdin.flush()
            theirs += json.loads(peer.stdout.readline())
    seconds, peak = statistics.median(ours), statistics.median(peaks)
    speed = 6 * rows * width * words / seconds / 1e9
    line = f"{rows:>5} {width:>5} {words:>7} {seconds * 1e3:>9.1f} {speed:>8.0f} {speed / peak:>8.0%}"
    if theirs:
        torch = statistics.median(theirs)
        line += f" {torch * 1e3:>9.1f} {torch / seconds:>5.2f}x"
    print(line)


def _ours(rows: int, width: int, words: int, workers: Workers, repeats: int = 3) -> list[float]:
    random = np.random.default_rng(1)
    head = VocabularyHead(words, width, random=random)
    states = random.standard_normal((rows, width)).astype(np.float32)
    targets, times = random.integers(0, words, rows), []
    for _ in range(repeats + 1):
        head.clear_gradients()
        start = time.perf_counter()
        head.loss_and_backward(states, None, targets, workers=workers)
        times.append(time.perf_counter() - start)
    return times[1:]


if __name__ == "__main__":
    main()
