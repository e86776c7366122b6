"""The helper that compiles kernels while a command runs."""

import os
import subprocess
import sys
import time

import click
import numpy as np
import pytest

from cli.shared.compiling_ahead import TRAININGS, compile_ahead
from wordvec.kernels import dividing
from wordvec.kernels.simd import JIT_OFF
from wordvec.system import threads
from wordvec.system.compiled import with_zeros

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")

NEEDED = {
    "embeddings": {"train_rounds"},
    "tagger": {"lstm_forward", "lstm_backward"},
    "language-model": {"output_group_losses", "output_exponentials", "lstm_backward"},
    "forecaster": {"lstm_forward", "lstm_backward"},
    "transducer": {"decode", "decode_back", "greedy_steps"},
    "classifier": {"lstm_forward", "softmax_forward", "softmax_backward", "lstm_backward", "adam_update_rows"},
}


_RECORD = """
from cli.shared.compiling_ahead import TRAININGS
from wordvec.kernels import dividing
from wordvec.system.compiled import with_zeros
for task, train in TRAININGS.items():
    dividing._calls = {}
    try:
        with_zeros(lambda: train({}))
    finally:
        print(task, *(dispatcher.py_func.__name__ for dispatcher, _ in dividing._calls))
"""


def test_the_helper_knows_the_kernels_of_all_trainings():
    done = subprocess.run([sys.executable, "-c", _RECORD], capture_output=True, text=True)
    found = {task: set(kernels) for task, *kernels in map(str.split, done.stdout.splitlines())}
    assert found.keys() == TRAININGS.keys(), done.stderr
    for task, needed in NEEDED.items():
        assert needed <= found[task]


def test_arrays_start_as_zeros_where_kernels_do_nothing():
    made: list[np.ndarray] = []
    empty = np.empty

    def run():
        made.extend([np.empty(100_000), np.empty_like(np.ones(100_000, np.float32))])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        with_zeros(run)
    assert not np.concatenate(made).any()
    assert np.empty is empty


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    monkeypatch.delenv("WORDVEC_COMPILE_AHEAD")
    monkeypatch.setattr(dividing, "_start", None)
    monkeypatch.setattr(dividing, "_other", None)


def test_the_helper_compiles_until_the_command_ends(two_cores, tmp_path, monkeypatch):
    helpers: list[subprocess.Popen[str]] = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: helpers.append(start(*a, **k)) or helpers[0])
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with click.Context(click.Command("train")):
        compile_ahead("embeddings", {}, None)
        assert dividing._start is not None
        folder, is_running = dividing._start()
        end = time.monotonic() + 60
        while not os.listdir(folder) and time.monotonic() < end:
            time.sleep(0.05)
        assert os.listdir(folder)[0].startswith("slices.prepare_slice")  # the last part of the training kernel
        assert is_running()
    assert not os.path.exists(folder)
    assert helpers[0].returncode is not None
    assert dividing._start is None


@pytest.mark.parametrize(("given", "cores", "variable"), [(1, 2, "1"), (None, 1, "1"), (None, 2, "0")])
def test_no_helper_on_one_thread_one_core_or_if_unwanted(two_cores, given, cores, variable, monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    monkeypatch.setenv("WORDVEC_COMPILE_AHEAD", variable)
    with click.Context(click.Command("train")):
        compile_ahead("embeddings", {}, given)
        assert dividing._start is None
