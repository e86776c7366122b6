"""Rounds of all shards as tasks of a Dask cluster.

Every task is a pure function of its arguments, so Dask repeats those of a dead worker anywhere, to the same bits: there
are no actors, no tasks tied to a worker, and no data that only the client could send again. The rows before a round
stay in memory until the one after the next is done. All workers that train have copies of them, so that the death of a
worker costs a round or two.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wordvec import __version__
from wordvec.distributed.cluster import RETRIES, Cluster, check_version
from wordvec.distributed.combining import GROUP, combine
from wordvec.distributed.rounds import Facts, Job, Place, Plan, Tokens, first_rows, forget, span_of, split, train_span

_AHEAD = 2
"""Rounds submitted before the oldest is done, so that workers do not wait for the client."""

_MOST_TASKS = 50_000
"""Tasks after which the client resubmits the rows, so that the scheduler drops the history of tasks behind them."""


class _Round(NamedTuple):
    """The futures of a round: the rows after it in pieces, and the facts of all shards."""

    pieces: list[Any]
    facts: list[Any]


class RemoteRounds:
    """Trains shards on the workers of a cluster.

    Args:
        cluster: a connection.
        job: the training.
        plan: the shards and rounds.
        tokens: the futures of the tokens of each shard and round.
    """

    def __init__(self, cluster: Cluster, job: Job, plan: Plan, tokens: list[list[Any]]) -> None:
        self._cluster, self._client, self._job, self._plan, self._tokens = cluster, cluster.client, job, plan, tokens
        self._each = max(cluster.threads // plan.shards, 1)
        size = 4 * 2 * len(job.vocabulary) * job.settings.vector_size
        pieces = max(-(-size // cluster.piece_size), min(cluster.threads, 16))
        self._count = min(pieces, 2 * len(job.vocabulary))
        self._pieces: list[Any] = []
        self._before: list[Any] = []
        self._job_future: Any = None
        self._tasks = 0
        self._seconds = dict.fromkeys(("load", "train", "change", "wait"), 0.0)
        self._before_all = self._totals()

    def compile(self) -> None:
        """The workers compile what they lack in their first round."""

    def run(self, number: int, rows: np.ndarray | None) -> Iterator[list[Facts]]:
        """Yield the facts of all shards after each round, beginning with round ``number``."""
        total = self._plan.rounds * self._plan.epochs
        with self._cluster.failures("starting the training"):
            self._job_future = self._submit(same, "job", self._job)
            self._pieces = last = self._first_pieces() if rows is None else self._sent(rows, number)
        waiting: deque[_Round] = deque()
        submitted = number
        for now in range(number, total):
            with self._cluster.failures("training"):
                if self._tasks > _MOST_TASKS and not waiting:
                    self._pieces = last = self._sent(self.rows(), now)
                    self._before, self._tasks = [], 0
                while submitted < min(now + _AHEAD, total) and (self._tasks <= _MOST_TASKS or not waiting):
                    waiting.append(self._round(submitted, last))
                    last, submitted = waiting[-1].pieces, submitted + 1
                facts = self._finished(waiting[0])
            self._before, self._pieces = self._pieces, waiting.popleft().pieces
            yield facts

    def _finished(self, round: _Round) -> list[Facts]:
        from distributed import wait

        began = time.perf_counter()
        with self._client.as_current():
            wait([*round.facts, *round.pieces])
        self._seconds["wait"] += time.perf_counter() - began
        self._client.gather([piece for piece in round.pieces if piece.status != "finished"])  # raises their error
        facts: list[Facts] = [each for part in self._client.gather(round.facts) for each in part]
        for each in facts:
            for name, seconds in zip(("load", "train", "change"), each.seconds, strict=True):
                self._seconds[name] += seconds
        return facts

    def _submit(self, function: Any, name: str, *arguments: Any) -> Any:
        self._tasks += 1
        return self._client.submit(
            function, *arguments, key=f"{function.__name__.strip('_')}-{self._job.name}-{name}", retries=RETRIES
        )

    def _first_pieces(self) -> list[Any]:
        rows = self._submit(_first_pieces, "first", self._job_future, self._count)
        return [self._submit(item, f"first-{piece}", rows, piece) for piece in range(self._count)]

    def _sent(self, rows: np.ndarray, number: int) -> list[Any]:
        """Return pieces of a table that is sent to the scheduler, in tasks that can be repeated."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size of the tasks is intended
            return [
                self._submit(same, f"sent-{number}-{piece}", part)
                for piece, part in enumerate(split(rows, self._count))
            ]

    def _round(self, number: int, pieces: list[Any]) -> _Round:
        plan, job = self._plan, self._job
        changes: list[list[Any]] = []
        facts = []
        span = span_of(plan.shards, sum(self._client.nthreads().values()) or 1)  # workers join and leave
        for first in range(0, plan.shards, span):
            shards = range(first, min(first + span, plan.shards))
            places = [plan.place(job.settings, number, shard) for shard in shards]
            tokens = [self._tokens[shard][place.round] for shard, place in zip(shards, places, strict=True)]
            name = f"{number}-{first}"
            trained = self._submit(_train, name, self._job_future, tokens, pieces, places, self._each, __version__)
            changes.append([self._submit(_change, f"{name}-{piece}", trained, piece) for piece in range(len(pieces))])
            facts.append(self._submit(_facts, name, trained))
        after = []
        for piece, before in enumerate(pieces):
            parts, level = [each[piece] for each in changes], 0
            while len(parts) > GROUP:
                groups = [parts[first : first + GROUP] for first in range(0, len(parts), GROUP)]
                names = [f"{number}-{piece}-{level}-{group}" for group in range(len(groups))]
                parts = [self._submit(combine, name, None, group) for name, group in zip(names, groups, strict=True)]
                level += 1
            after.append(self._submit(combine, f"{number}-{piece}", before, parts))
        return _Round(after, facts)

    def rows(self) -> np.ndarray:
        """Return the table (2 V + U, D) float32 after the last round."""
        if not self._pieces:
            return first_rows(self._job)
        with self._cluster.failures("fetching the vectors"):
            return np.concatenate(self._client.gather(self._pieces))

    def timings(self) -> dict[str, float]:
        """Return seconds of loading rows, training and computing changes (of all shards), of waiting for rounds, and
        what the workers that are still there count: seconds of combining and receiving, and bytes sent."""
        found = {f"{name}_seconds": seconds for name, seconds in self._seconds.items()}
        for worker, totals in self._totals().items():
            for name, total in totals.items():
                found[name] = found.get(name, 0.0) + total - self._before_all.get(worker, {}).get(name, 0.0)
        return found

    def _totals(self) -> dict[str, dict[str, float]]:
        with self._cluster.failures("asking the workers"):
            return self._cluster.run_on_workers(_totals)

    def close(self) -> None:
        """Free the memory of the training on the workers."""
        self._pieces, self._before, self._job_future = [], [], None
        self._cluster.forget(forget, self._job.name)


# -- tasks -------------------------------------------------------------------------------------------------------------


def same(value: Any) -> Any:
    """Return the value: a task that holds it, and can be repeated."""
    return value


def _first_pieces(job: Job, count: int) -> list[np.ndarray]:
    return split(first_rows(job), count)


def item(results: Sequence[Any], number: int) -> Any:
    """Return one of the results of a task."""
    return results[number]


def _train(
    job: Job, tokens: list[Tokens], rows: list[np.ndarray], places: list[Place], threads: int, version: str
) -> tuple[list[np.ndarray], list[Facts]]:
    from distributed import get_worker

    check_version(version, get_worker().address)
    return train_span(job, tokens, rows, places, threads)


def _change(trained: tuple[list[np.ndarray], list[Facts]], piece: int) -> np.ndarray:
    return trained[0][piece]


def _facts(trained: tuple[list[np.ndarray], list[Facts]]) -> list[Facts]:
    return trained[1]


def _totals(dask_worker: Any) -> dict[str, float]:
    """Return what a worker has counted since it started."""
    seconds = {key: total for key, total in dask_worker.digests_total.items() if key[-1] == "seconds"}
    return {
        "combine_seconds": sum(total for key, total in seconds.items() if key[0] == "execute" and key[2] == "combine"),
        "receive_seconds": sum(total for key, total in seconds.items() if key[0] == "gather-dep"),
        "moved_bytes": float(dask_worker.transfer_outgoing_bytes_total),
    }
