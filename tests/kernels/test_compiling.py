"""Kernel compilation: deferred Ctrl-C, and the log message for slow compilations."""

import gc
import logging
import signal
import time

import pytest
from numba.core import event

from wordvec.kernels import compiling
from wordvec.kernels.compiling import collection_waits, interrupts_wait, told_when_slow


def test_interrupts_are_deferred_until_compilation_is_complete():
    steps = []

    def compile_something():
        with interrupts_wait() as came:
            assert not came
            signal.raise_signal(signal.SIGINT)
            assert came
            steps.append("continued")

    with pytest.raises(KeyboardInterrupt):
        compile_something()
    assert steps == ["continued"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_garbage_collection_waits_for_the_outermost_compilation():
    with collection_waits():
        with collection_waits():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.fixture
def clock(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    monkeypatch.setattr(compiling, "SLOW", 0.1)
    monkeypatch.setattr(compiling, "_clock", compiling._Clock())
    return compiling._clock


def once():
    return "once per machine", False


def compile_for(seconds):
    with event.trigger_event("numba:compile"):
        time.sleep(seconds)


def test_a_slow_compilation_is_logged_once_while_it_runs(clock, caplog):
    with told_when_slow(once), event.trigger_event("numba:compile"):
        compile_for(0.01)  # nested compilation
        time.sleep(0.3)
        assert caplog.messages == ["compiling kernels (10 to 30 s, once per machine)"]
    with told_when_slow(once):
        compile_for(0.2)
    assert len(caplog.records) == 1


def test_quick_compilations_are_logged_when_their_total_is_slow(clock, caplog):
    with told_when_slow(once):
        compile_for(0.06)
    time.sleep(0.15)
    assert not caplog.records, "time outside compilation does not count"
    with told_when_slow(once), told_when_slow(once):
        compile_for(0.09)
    assert len(caplog.records) == 1


def test_a_very_slow_compilation_is_reported_twice_the_second_time_even_if_quiet(clock, caplog, monkeypatch):
    monkeypatch.setattr(compiling, "VERY_SLOW", 0.2)
    caplog.set_level(compiling.NOTICE, logger="wordvec.kernels.compiling")
    for _ in range(2):
        with told_when_slow(once):
            compile_for(0.3)
    assert caplog.messages == ["compiling kernels for 0 s now (usually 10 to 30 s, once per machine)"]


def test_a_lack_of_cache_folders_is_a_warning(clock, caplog):
    with told_when_slow(lambda: ("in every process: no cache folder is writable", True)):
        compile_for(0.2)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "compiling kernels (10 to 30 s, in every process: no cache folder is writable)"


def test_cache_loads_are_not_logged(clock, caplog):
    with told_when_slow(once):
        time.sleep(0.2)
    compile_for(0.2)  # outside the context manager: not one of our kernels
    assert not caplog.records
