"""Threads of the networks' kernels."""

import threading

import pytest

from seqclf.layers.workers import Workers


def test_one_thread_does_not_look_up_the_number_of_cores(monkeypatch):
    def slow():
        pytest.fail("reads the limits of control groups")

    monkeypatch.setattr("seqclf.layers.workers.available_cores", slow)
    assert Workers(1).map(len, ["one", "three"]) == [3, 5]


def test_the_caller_runs_what_busy_threads_leave(monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 2)
    begun, end = threading.Barrier(3), threading.Event()

    def occupy(_):
        begun.wait(20)
        end.wait(20)

    with Workers(2) as workers:
        other = threading.Thread(target=workers.map, args=(occupy, range(2)))
        other.start()
        begun.wait(20)
        assert workers.map(len, ["one", "three"]) == [3, 5]
        end.set()
        other.join()


def test_all_calls_end_before_the_first_error_is_raised(monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 2)
    ended = []

    def fail(number):
        ended.append(number)
        raise KeyboardInterrupt if number == 1 else ValueError(number)

    with Workers(2) as workers, pytest.raises(ValueError, match="0"):
        workers.map(fail, range(3))
    assert sorted(ended) == [0, 1, 2]
