"""Training on a Dask cluster of separate processes: the bits of threads, whatever dies."""

import contextlib
import os
import socket
import sys
from dataclasses import replace

import numpy as np
import pytest

from corpora import TextCorpus
from corpora.ranges import Range
from tests.cases.dask_processes import Processes, free_port, needs_dask, wait_until
from wordvec import (
    CooccurrenceSettings,
    InputError,
    TrainingError,
    Word2VecSettings,
    count_cooccurrences,
    encode_corpus,
)
from wordvec.distributed.settings import ShardSettings
from wordvec.distributed.training import train_sharded
from wordvec.kernels.simd import JIT_OFF
from wordvec.word2vec.settings import ContinuationSettings

pytestmark = [needs_dask, pytest.mark.skipif(JIT_OFF, reason="workers would interpret the kernels")]

SETTINGS = Word2VecSettings(vector_size=12, window=3, epochs=3, subsample=0, lane_tokens=64)
SHARDING = ShardSettings(shards=5, round_tokens=400)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    numbers = np.random.default_rng(4).zipf(1.3, 6_500) % 400
    path.write_text("\n".join(" ".join(f"w{number}" for number in line) for line in np.array_split(numbers, 60)))
    return path


@pytest.fixture(scope="module")
def corpus(text):
    return encode_corpus(TextCorpus(text), min_count=3, cache=False)


@pytest.fixture(scope="module")
def expected(corpus):
    return train_sharded(corpus, SETTINGS, SHARDING, threads=1)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    with Processes(tmp_path_factory.mktemp("dask")) as found:
        found.start_scheduler()
        found.start_worker()
        found.start_worker()
        yield found


@pytest.fixture(scope="module")
def cluster(processes):
    from wordvec.distributed.cluster import Cluster

    found = wait_until(lambda: _connected(Cluster, processes.address))
    with found:
        found.client.wait_for_workers(2, timeout=180)
        yield found


def _connected(make, address):
    """With a short time-out, which is also that of a lost connection."""
    try:
        return make(address, timeout=2, piece_size=10_000)
    except InputError:
        return None


@pytest.fixture(scope="module")
def shards(cluster, text):
    from wordvec.distributed.remote_corpus import encode_on

    states = []
    found = encode_on(cluster, TextCorpus(text), min_count=3, range_bytes=4_000, on_progress=states.append)
    assert states[-1].done == states[-1].total == text.stat().st_size
    return found


def bits(result):
    return result.vectors.vectors.tobytes() + result.vectors.context_vectors.tobytes()


def test_the_corpus_is_that_of_one_machine(shards, corpus):
    assert shards.vocabulary == corpus.vocabulary
    assert (shards.size, shards.raw_tokens, shards.raw_types) == (
        len(corpus.ids),
        corpus.raw_tokens,
        corpus.raw_types,
    )
    assert shards.longest == np.diff(corpus.offsets).max()


def test_two_workers_do_the_work_to_the_same_bits(shards, cluster, expected):
    states, tasks = [], []

    def look(state):
        states.append(state)
        tasks.append(cluster.client.run_on_scheduler(_tasks, "train"))

    result = train_sharded(shards, SETTINGS, SHARDING, on_progress=look)
    assert bits(result) == bits(expected)
    assert (result.losses, result.effective_tokens) == (expected.losses, expected.effective_tokens)
    assert result.corpus_digest == expected.corpus_digest
    assert tasks[0] == 0
    assert tasks[-1] == 5 * result.rounds
    assert result.timings["moved_bytes"] > 2 * len(shards.vocabulary) * 12 * 4
    assert result.timings["train_seconds"] > 0
    assert len(states) == result.rounds + 1


def _tasks(prefix, dask_scheduler):
    """The number of tasks that the scheduler knows."""
    return sum(str(key).startswith(f"{prefix}-") for key in dask_scheduler.tasks)


@pytest.mark.parametrize("loss", ["negative", "hierarchical"])
def test_continues_evaluates_and_stops_as_threads_do(shards, corpus, expected, loss):
    def train(text):
        settings, scores = replace(SETTINGS, loss=loss), iter([1.0, 2.0, 0.0])
        return train_sharded(
            text, settings, SHARDING, initial=expected.vectors, continuation=ContinuationSettings(initial_rate=0.5),
            evaluate=lambda vectors: next(scores), early_stopping=1,
        )  # fmt: skip

    here, there = train(corpus), train(shards)
    assert there.vectors.vectors.tobytes() == here.vectors.vectors.tobytes() != expected.vectors.vectors.tobytes()
    assert (there.scores, there.losses, there.kept_epoch) == (here.scores, here.losses, 2)


def test_a_killed_worker_changes_nothing(shards, processes, cluster, expected):
    third = processes.start_worker()
    cluster.client.wait_for_workers(3, timeout=180)

    def kill(state):
        if state.done >= state.total / 3 and third.poll() is None:
            processes.kill(third)

    assert bits(train_sharded(shards, SETTINGS, SHARDING, on_progress=kill)) == bits(expected)
    assert third.poll() is not None


@pytest.mark.parametrize("more", [{}, {"contexts": "left", "window": 30}, {"window_weights": "flat", "window": 3}])
def test_cooccurrences_are_those_of_one_machine(shards, corpus, more):
    from wordvec.distributed.cooccurrence import count_cooccurrences_on

    settings = CooccurrenceSettings(**more)
    found, wanted = (
        count_cooccurrences_on(shards, settings, piece_tokens=700).counts,
        count_cooccurrences(corpus, settings).counts,
    )
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    assert found.dtype == wanted.dtype
    with pytest.raises(InputError, match=r"counting on a cluster needs subsample = 0, got 0\.1"):
        count_cooccurrences_on(shards, CooccurrenceSettings(subsample=0.1))


def test_a_file_that_workers_cannot_read(cluster, text, monkeypatch):
    from wordvec.distributed import remote_corpus

    monkeypatch.setattr(remote_corpus, "ranges_of", lambda *_: [Range("/nowhere/gone.txt", 99, 0, 99)])
    with pytest.raises(InputError, match=r"/nowhere/gone\.txt: no such file.*\(on the worker tcp://127"):
        remote_corpus.encode_on(cluster, TextCorpus(text))


def test_no_scheduler_answers():
    from wordvec.distributed.cluster import Cluster

    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match=f"no Dask scheduler answers at {address} within 0.3 s"):
        Cluster(address, timeout=0.3)


@pytest.mark.parametrize("address", ["", "host", "tcp://host", "tcp://host:port", "tcp://:8786", "gopher://host:1"])
def test_an_address_of_another_form(address):
    from wordvec.distributed.cluster import Cluster

    with pytest.raises(InputError, match="the address of a scheduler must be such as tcp://host:8786, got '" + address):
        Cluster(address)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_workers_of_this_machine_start_with_their_modules(recwarn):
    from wordvec.distributed.cluster import Cluster

    before = dict(os.environ)
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # it is taken
            other.bind(("", 8787))  # Dask's port of status pages
            other.listen()
        with Cluster(workers=1) as cluster:
            ((modules, environment),) = cluster.run_on_workers(_at_start).values()
    assert not recwarn.list
    assert {"wordvec.distributed.warm", "wordvec.kernels.tokenize", "wordvec.kernels.combining"} <= modules
    assert b"MALLOC_TRIM_THRESHOLD_=1099511627776" in environment, "memory of a round is given back"
    assert os.environ.get("MALLOC_ARENA_MAX") == before.get("MALLOC_ARENA_MAX")


def _at_start():
    """Return the modules and the environment that the C library of a worker has read."""
    with open("/proc/self/environ", "rb") as file:
        return set(sys.modules), file.read().split(b"\0")


def test_workers_without_memory(text, monkeypatch):
    """In this process, whose worker raises what NumPy does; a worker that the system kills is lost by Dask."""
    import distributed

    from wordvec.distributed import remote_rounds
    from wordvec.distributed.cluster import Cluster
    from wordvec.distributed.remote_corpus import encode_on

    def too_large(*arguments):
        raise MemoryError("Unable to allocate 9.00 GiB for an array")

    with distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client:
        cluster = Cluster(client, piece_size=3 << 20)
        monkeypatch.setattr(remote_rounds, "train_span", too_large)
        message = r"a worker ran out of memory while training \(Unable to allocate 9.* \(--piece-size\), now 3 MB"
        with pytest.raises(TrainingError, match=message):
            train_sharded(encode_on(cluster, TextCorpus(text)), SETTINGS, SHARDING)
        dead = distributed.KilledWorker("train-job-7-1", list(cluster.client.nthreads()), 4)
        message = r"workers died again and again while counting \(train-job-7\), probably"
        with pytest.raises(TrainingError, match=message), cluster.failures("counting"):
            raise dead


def test_a_worker_killed_for_its_memory(text, tmp_path, monkeypatch):
    """By its nanny, in the first task of a training with vectors larger than its limit."""
    from wordvec.distributed.cluster import Cluster
    from wordvec.distributed.remote_corpus import encode_on

    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")  # 3 by default
    with Processes(tmp_path) as own:
        own.start_scheduler()
        own.start_worker(guarded_limit="400MB")
        with wait_until(lambda: _connected(Cluster, own.address)) as cluster:
            shards = encode_on(cluster, TextCorpus(text), min_count=3)
            wide = replace(SETTINGS, vector_size=200_000_000 // len(shards.vocabulary) // 4)
            message = r"workers died again and again while training .*, probably out of memory: give each more memory"
            with pytest.raises(TrainingError, match=message):
                train_sharded(shards, wide, SHARDING)


def test_a_lost_scheduler_and_another_cluster(shards, processes, text, expected, tmp_path):
    """The last test of this cluster."""
    from wordvec.distributed.cluster import Cluster
    from wordvec.distributed.remote_corpus import encode_on

    path = tmp_path / "checkpoint"

    def kill(state):
        if path.exists():
            processes.kill(processes.scheduler)

    with pytest.raises(TrainingError, match=r"the connection to the scheduler at tcp://127.* was lost while"):
        train_sharded(shards, SETTINGS, SHARDING, checkpoint=path, checkpoint_every=1e-9, on_progress=kill)
    with Processes(tmp_path) as others:
        others.start_scheduler()
        wait_until(lambda: _has_no_workers(others.address))
        others.start_worker()
        with wait_until(lambda: _connected(Cluster, others.address)) as cluster:
            again = encode_on(cluster, TextCorpus(text), min_count=3)
            states = []
            resumed = train_sharded(again, SETTINGS, SHARDING, checkpoint=path, resume=True, on_progress=states.append)
            assert 0 < states[1].done < states[1].total
            assert bits(resumed) == bits(expected)
        others.start_worker(code="import wordvec; wordvec.__version__ = '0.1.9'")
        wait_until(lambda: _refuses_version(others.address))


def _has_no_workers(address):
    from wordvec.distributed.cluster import Cluster

    try:
        Cluster(address, timeout=1)
    except InputError as error:
        return f"the scheduler at {address} has no workers" in str(error)


def _refuses_version(address):
    from wordvec import __version__
    from wordvec.distributed.cluster import Cluster

    try:
        Cluster(address, timeout=5).close()
    except InputError as error:
        return f"has wordvec-seqclf 0.1.9, but this machine has {__version__}" in str(error)
