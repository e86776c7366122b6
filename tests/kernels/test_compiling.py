"""Compiling: Ctrl-C waits for it, and who waits long is told, once, and only where something is compiled."""

import logging
import signal
import time

import pytest
from numba.core import event

from wordvec.kernels import compiling
from wordvec.kernels.compiling import interrupts_wait, told_when_slow


def test_an_interrupt_takes_effect_when_the_kernel_is_whole():
    steps = []

    def compile_something():
        with interrupts_wait() as came:
            assert not came
            signal.raise_signal(signal.SIGINT)
            assert came
            steps.append("went on")

    with pytest.raises(KeyboardInterrupt):
        compile_something()
    assert steps == ["went on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.fixture
def clock(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    monkeypatch.setattr(compiling, "SLOW", 0.1)
    monkeypatch.setattr(compiling, "_clock", compiling._Clock())
    return compiling._clock


def compile_for(seconds):
    with event.trigger_event("numba:compile"):
        time.sleep(seconds)


def test_a_slow_compilation_is_told_once_while_it_happens(clock, caplog):
    with told_when_slow(), event.trigger_event("numba:compile"):
        compile_for(0.01)  # one kernel compiles another
        time.sleep(0.3)
        assert "compiling the kernels, once per machine" in caplog.text
    with told_when_slow():
        compile_for(0.2)
    assert len(caplog.records) == 1


def test_quick_compilations_are_told_when_they_add_up(clock, caplog):
    with told_when_slow():
        compile_for(0.06)
    time.sleep(0.15)
    assert not caplog.records, "nothing is compiled any more"
    with told_when_slow(), told_when_slow():
        compile_for(0.09)
    assert len(caplog.records) == 1


def test_what_comes_from_the_cache_is_not_spoken_of(clock, caplog):
    with told_when_slow():
        time.sleep(0.2)
    compile_for(0.2)  # somebody else's, not one of our kernels
    assert not caplog.records
