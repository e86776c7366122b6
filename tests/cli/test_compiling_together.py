"""Processes that compile kernels together: progress, counts, and their end."""

import os
import signal
import subprocess

import pytest

from cli.shared import compiling_together
from cli.shared.compiling_together import compile_together
from cli.shared.errors import Failure

_WORKER = """
import sys; sys.path[:] = {{path!r}}
import json, os, pathlib
from cli.shared.compiling_together import share_of_work, training_done
for model, folder in share_of_work():
    training_done()
    {rest}
"""


@pytest.fixture
def together(monkeypatch, tmp_path):
    """Compile with workers that do ``rest`` for each model; return the kernels and the last progress."""

    def run(rest, models="abcdefg", count=3):
        seen = []
        monkeypatch.setattr(compiling_together, "_WORKER", _WORKER.format(rest=rest))
        return compile_together(list(models), str(tmp_path), seen.append, count), seen

    return run


def test_each_model_is_compiled_once_and_its_kernels_are_counted(together, tmp_path):
    kernels, seen = together(
        "from wordvec.kernels.code_cache import compiled; compiled[pathlib.Path('k')] += 2; compiled[None] += 1\n"
        "    open(os.path.join(folder, str(os.getpid())), 'x').close()"
    )
    assert kernels == {"k": 14, "": 7}
    assert seen == sorted(seen)
    assert seen[-1] == 7
    assert [len(os.listdir(tmp_path / model)) for model in "abcdefg"] == [1] * 7


def test_a_worker_that_fails_ends_the_others(together):
    with pytest.raises(Failure, match=r"compiling failed: ValueError: no b; run it again"):
        together("if model == 'b': raise ValueError('no b')")


def test_what_a_worker_writes_in_another_encoding_is_no_end_of_listening(together):
    with pytest.raises(Failure, match="compiling failed: no J\ufffdrgen; run it again"):
        together(r"sys.stdout.buffer.write(b'no J\xfcrgen\n'); sys.stdout.flush(); os._exit(1)", count=1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_killed_worker_is_an_error_of_one_line(together):
    with pytest.raises(Failure, match="a process was ended by signal 9, perhaps for lack of memory"):
        together("os.kill(os.getpid(), 9)", count=1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_workers_end_when_interrupted(monkeypatch, tmp_path):
    started: list[subprocess.Popen[str]] = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(start(*a, **k)) or started[-1])
    monkeypatch.setattr(compiling_together, "_WORKER", _WORKER.format(rest="import time; time.sleep(60)"))

    def interrupt(done):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compile_together(["a", "b", "c"], str(tmp_path), interrupt, 2)
    assert [worker.returncode for worker in started] == [-signal.SIGINT] * 2
    assert not (tmp_path / "c").exists()
