"""Compilation divided between two processes: recorded calls, and claims."""

import os
import threading
import time

import numpy as np
import pytest
from numba import types

from wordvec.kernels import dividing
from wordvec.kernels.simd import JIT_OFF, kernel

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")


@kernel
def first(x: np.ndarray) -> None:
    x[0] = 1


@kernel(internal=True)
def part(x: np.ndarray, number: int) -> None:
    x[1] = number


@kernel(parts=lambda signature: [(part, (*signature, types.int64))])
def last(x: np.ndarray) -> float:
    part(x, 2)
    return x[1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(dividing, "_other", None)
    monkeypatch.setattr(dividing, "_is_helper", False)
    return str(tmp_path)


def test_the_helper_records_kernels_and_compiles_the_last_first(folder, monkeypatch):
    compiled, x = [], np.zeros(2)

    def run():
        first(x)
        assert float(last(x)) == 0
        assert not x.any()
        first(x)
        raise ValueError

    for each in (first, last, part):
        monkeypatch.setattr(each, "compile", recording(each, each.compile, compiled))
    dividing.compile_last_first(run, folder)
    assert list(dict.fromkeys(name for name, recorded in compiled if not recorded)) == ["part", "last", "first"]
    first(x)
    assert last(x) == 2
    assert x.tolist() == [1, 2]


def recording(dispatcher, compile_now, compiled):
    def compile_and_note(signature):
        compiled.append((dispatcher.py_func.__name__, dividing._calls is not None))
        return compile_now(signature)

    return compile_and_note


def test_without_a_helper_nothing_is_claimed(folder):
    assert not dividing.claim("kernel")
    dividing.ask_for_help(lambda: None)
    assert not dividing.claim("kernel")
    assert not os.listdir(folder)


def test_a_helper_is_started_once_and_a_claim_waits_for_the_other_process(folder):
    started = []
    dividing.ask_for_help(lambda: started.append(1) or dividing.Helper(folder, lambda: True))
    os.mkdir(os.path.join(folder, "kernel"))
    threading.Timer(0.1, os.rmdir, [os.path.join(folder, "kernel")]).start()
    before = time.monotonic()
    with dividing.claims_released():
        assert dividing.claim("kernel")
        assert time.monotonic() - before > 0.09
        assert dividing.claim("called by it")
    assert not os.listdir(folder)
    assert started == [1]


def test_the_helper_leaves_a_claimed_kernel_to_the_process(folder, monkeypatch):
    monkeypatch.setattr(dividing, "_other", dividing.Helper(folder, lambda: True))
    monkeypatch.setattr(dividing, "_is_helper", True)
    os.mkdir(os.path.join(folder, "kernel"))
    with pytest.raises(dividing.TakenError):
        dividing.claim("kernel")


def test_a_process_does_not_wait_forever(folder, monkeypatch):
    monkeypatch.setattr(dividing, "PATIENCE", 0.05)
    monkeypatch.setattr(dividing, "_other", dividing.Helper(folder, lambda: True))
    os.mkdir(os.path.join(folder, "kernel"))
    assert dividing.claim("kernel")
    monkeypatch.setattr(dividing, "PATIENCE", 60)
    monkeypatch.setattr(dividing, "_other", dividing.Helper(folder, lambda: False))
    assert dividing.claim("kernel"), "the other process has ended"
    dividing.ask_for_help(None)
    assert not dividing.claim("kernel")
