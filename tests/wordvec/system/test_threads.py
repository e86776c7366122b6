"""Threads: their number, concurrency, and clean shutdown."""

import os
import signal
import threading
import time

import pytest

from wordvec.errors import InputError
from wordvec.system.control_groups import cpu_quota
from wordvec.system.threads import available_cores, run_in_threads, worker_count


def test_workers_are_capped_at_the_cores_unless_oversubscribed(monkeypatch):
    monkeypatch.delenv("WORDVEC_OVERSUBSCRIBE", raising=False)
    cores = available_cores()
    assert 1 <= cores <= (os.cpu_count() or 1)
    assert worker_count(None) == cores
    assert worker_count(1) == 1
    assert worker_count(cores + 7) == cores
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    assert worker_count(cores + 7) == cores + 7
    assert worker_count(None) == cores


@pytest.mark.parametrize(
    ("group", "files", "quota"),
    [
        ("0::/app/job", {"app/job/cpu.max": "max 100000", "app/cpu.max": "250000 100000"}, 2.5),
        ("0::/app/job", {"cpu.max": "150000 100000"}, 1.5),  # as a container sees it: the path does not exist
        ("0::/", {"cpu.max": "max 100000"}, None),
        (
            "3:cpu,cpuacct:/job\n0::/",
            {"cpu/job/cpu.cfs_quota_us": "50000", "cpu/job/cpu.cfs_period_us": "100000", "cpu/cpu.cfs_quota_us": "-1"},
            0.5,
        ),
        ("9:cpuset:/", {}, None),
    ],
)
def test_the_quota_of_a_container_limits_the_threads(tmp_path, monkeypatch, group, files, quota):
    for name, text in {"proc/self/cgroup": group, **{f"sys/fs/cgroup/{name}": t for name, t in files.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cpu_quota(tmp_path) == quota
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr("wordvec.system.threads.cpu_quota", lambda: quota)
    assert available_cores() == {2.5: 2, 1.5: 1, 0.5: 1, None: 8}[quota]


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_than_one_thread_is_an_error(threads):
    with pytest.raises(InputError, match=f"threads must be at least 1, got {threads}"):
        worker_count(threads)


def test_every_thread_runs_once_concurrently():
    together, seen, stopped = threading.Barrier(3, timeout=20), [], []

    def work(thread):
        together.wait()  # passes only when three threads wait at once
        seen.append((thread, threading.get_ident()))

    run_in_threads(work, 3, lambda: stopped.append(1), lambda: None)
    assert sorted(thread for thread, _ in seen) == [0, 1, 2]
    assert len({ident for _, ident in seen}) == 3
    assert threading.get_ident() not in {ident for _, ident in seen}
    assert not stopped


def test_watch_is_called_from_the_calling_thread():
    done, watchers = threading.Event(), []

    def watch():
        watchers.append(threading.get_ident())
        if len(watchers) == 3:
            done.set()

    run_in_threads(lambda thread: done.wait(20), 2, lambda: None, watch, every=0.01)
    assert watchers[:3] == [threading.get_ident()] * 3


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_errors_while_watching_stop_and_join_the_threads(kind):
    stopping, left = threading.Event(), []

    def work(thread):
        assert stopping.wait(20)
        time.sleep(0.05)
        left.append(thread)

    def watch():
        raise kind("enough")

    with pytest.raises(kind, match="enough"):
        run_in_threads(work, 2, stopping.set, watch, every=0.01)
    assert sorted(left) == [0, 1], "both threads returned before the exception propagated"


def test_errors_of_a_thread_propagate():
    def work(thread):
        if thread == 1:
            raise InputError("from the inside")

    with pytest.raises(InputError, match="from the inside"):
        run_in_threads(work, 2, lambda: None, lambda: None)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_repeated_ctrl_c_waits_for_the_threads():
    stopping, left = threading.Event(), []

    def work(thread):
        assert stopping.wait(20)
        for _ in range(3):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.05)
        left.append(thread)

    with pytest.raises(KeyboardInterrupt):
        run_in_threads(work, 2, stopping.set, lambda: signal.raise_signal(signal.SIGINT), every=0.01)
    assert sorted(left) == [0, 1], "both threads returned before the exception propagated"
