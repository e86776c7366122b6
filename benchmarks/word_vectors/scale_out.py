"""Cost model of training over shards on a cluster, and a simulation of its stragglers and failures.

``python -m benchmarks.word_vectors.scale_out`` prints both for a terabyte of text; nothing is trained. The constants
were measured, see docs/explanation/beyond-one-machine.md.
"""

import math
from dataclasses import dataclass

import click
import numpy as np

_BYTES_PER_TOKEN = 5.9
"""Of English text: 100,000,000 bytes of Wikipedia have 16,975,332 tokens."""


@dataclass(frozen=True)
class Machine:
    """One node, and the network between nodes.

    Attributes:
        tokens_per_second: raw tokens that all threads of a node train per second at 100 dimensions; it falls with D.
        copied: bytes per second at which a node loads rows and computes changes.
        combined: bytes of changes per second that a node combines.
        bandwidth: bytes per second that a node sends, and receives at the same time, Dask's copies included.
        task: seconds of the scheduler, and of the client that submits it, for a task.
        latency: seconds that one level of dependent tasks takes in addition.
        read: bytes of text per second that a node counts or encodes.
    """

    tokens_per_second: float = 10e6
    copied: float = 6.3e9
    combined: float = 5.8e9
    bandwidth: float = 1e9
    task: float = 4e-3
    latency: float = 5e-3
    read: float = 1e9


@dataclass(frozen=True)
class Training:
    """A training of S shards, one per node."""

    tokens: float
    types: int
    size: int
    shards: int
    round_tokens: float
    epochs: int = 5
    piece: float = 256e6
    threads: int = 16
    group: int = 8

    @property
    def model(self) -> float:
        """Bytes of the rows of both sides."""
        return 8.0 * self.types * self.size

    @property
    def rounds(self) -> int:
        """Rounds over all epochs."""
        return self.epochs * math.ceil(self.tokens / (self.shards * self.round_tokens))

    @property
    def pieces(self) -> int:
        """Pieces of the rows, as ``RemoteRounds`` cuts them."""
        return max(math.ceil(self.model / self.piece), min(self.threads * self.shards, 16))

    @property
    def tasks(self) -> int:
        """Tasks of a round: training, facts and the pieces of the changes of each shard, and the combinations."""
        groups, left = 0, self.shards
        while left > self.group:
            left = math.ceil(left / self.group)
            groups += left
        return self.shards * (2 + self.pieces) + self.pieces * (groups + 1)

    @property
    def levels(self) -> int:
        """Combinations that follow one another."""
        return max(1, math.ceil(math.log(max(self.shards, 2), self.group)))


def round_seconds(training: Training, machine: Machine) -> dict[str, float]:
    """Return the seconds of a round by purpose; all nodes work at the same speed.

    A node receives the rows before the round and the changes that it combines, and sends as much: 2 M (W - 1) / W bytes
    each way for a model of M bytes and W nodes, and an eighth more of the changes for each further level. This assumes
    that combinations spread evenly over the nodes, and that copies of the rows are copied in turn. The scheduler
    handles its tasks while nodes train; what does not fit into that time is added.
    """
    model = training.model
    speed = machine.tokens_per_second * 100 / training.size
    levels = sum(training.group**-level for level in range(training.levels))
    train = training.round_tokens / speed
    seconds = {
        "train": train,
        "load and change": 3 * model / machine.copied,
        "combine": model * levels / machine.combined,
        "exchange": moved_bytes(training) / training.shards / machine.bandwidth,
        "latency": (2 + training.levels) * machine.latency,
    }
    scheduler = training.tasks * machine.task - sum(seconds.values())
    return {**seconds, "scheduler": max(scheduler, 0.0)}


def moved_bytes(training: Training) -> float:
    """Return the bytes that all nodes send each other in a round; nodes that train several shards count as one."""
    levels = sum(training.group**-level for level in range(training.levels))
    return training.model * (1 + levels) * (training.shards - 1)


def training_seconds(training: Training, machine: Machine) -> float:
    """Return the seconds of all rounds."""
    return training.rounds * sum(round_seconds(training, machine).values())


def reading_seconds(training: Training, machine: Machine) -> float:
    """Return the seconds of counting and encoding the text."""
    return 2 * training.tokens * _BYTES_PER_TOKEN / (machine.read * training.shards)


@dataclass(frozen=True)
class Troubles:
    """What goes wrong: the spread (sigma of a log-normal factor) of each node's training time in each round, nodes that
    are slow throughout by a factor, the mean hours between failures of a node, and the minutes until another replaces
    it. ``rounds_lost`` are repeated after a failure."""

    spread: float = 0.05
    slow_share: float = 0.01
    slow_factor: float = 1.5
    hours_between_failures: float = 1000.0
    replaced_minutes: float = 5.0
    rounds_lost: int = 2


def simulate(training: Training, machine: Machine, troubles: Troubles, seed: int = 1) -> dict[str, float]:
    """Return the seconds of a training with stragglers and failures, and what they add.

    A round ends when its slowest task does. A slow node gets as much to do as the others: there is one task per node.
    After a failure, its shard is trained by another node, after that one's own, until the node is replaced.
    """
    random = np.random.default_rng(seed)
    parts = round_seconds(training, machine)
    own = parts["train"] + parts["load and change"]
    rest = sum(parts.values()) - own
    slow = np.where(random.random(training.shards) < troubles.slow_share, troubles.slow_factor, 1.0)
    seconds = ideal = repeated = 0.0
    failures, missing_until = 0, 0.0
    for _ in range(training.rounds):
        nodes = own * slow * np.exp(troubles.spread * random.standard_normal(training.shards))
        length = float(nodes.max()) + (own if seconds < missing_until else 0.0) + rest
        failed = random.poisson(training.shards * length / (3600 * troubles.hours_between_failures))
        if failed:
            failures += failed
            repeated += troubles.rounds_lost * length
            missing_until = seconds + 60 * troubles.replaced_minutes
            length += troubles.rounds_lost * length
        seconds += length
        ideal += own + rest
    return {"seconds": seconds, "ideal": ideal, "failures": failures, "repeated": repeated}


def a_terabyte(shards: int, types: int = 1_000_000, size: int = 300, per_type: float = 15.0) -> Training:
    """Return the training of a terabyte of text in so many shards, one per node."""
    return Training(1e12 / _BYTES_PER_TOKEN, types, size, shards, per_type * types)


@click.command()
@click.option("--bandwidth", default=1.0, show_default=True, help="Of a node, in GB/s.")
@click.option("--tokens-per-second", default=10.0, show_default=True, help="Of a node at 100 dimensions, in millions.")
def main(bandwidth: float, tokens_per_second: float) -> None:
    """Print the cost of a terabyte of text on 8, 32 and 128 nodes, and a simulation of what goes wrong."""
    machine = Machine(bandwidth=bandwidth * 1e9, tokens_per_second=tokens_per_second * 1e6)
    rows = []
    for shards in (8, 32, 128):
        for per_type in (15.0, 60.0):
            training = a_terabyte(shards, per_type=per_type)
            parts = round_seconds(training, machine)
            hours = training_seconds(training, machine) / 3600
            found = simulate(training, machine, Troubles())
            largest = max((name for name in parts if name != "train"), key=parts.__getitem__)
            rows.append([
                f"{shards}", f"{training.round_tokens / 1e6:.0f} M", f"{training.rounds:,}", f"{parts['train']:.1f} s",
                f"{sum(parts.values()) - parts['train']:.1f} s", largest, f"{hours:.1f} h",
                f"{found['seconds'] / 3600:.1f} h", f"{found['failures']:.0f}",
            ])  # fmt: skip
    header = ["nodes", "T", "rounds", "training", "rest", "mostly", "in all", "with troubles", "failures"]
    click.echo("\n".join("  ".join(f"{cell:>13}" for cell in row) for row in [header, *rows]))
    click.echo(f"\nreading on 32 nodes: {reading_seconds(a_terabyte(32), machine) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
