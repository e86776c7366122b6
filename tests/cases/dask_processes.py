"""A Dask scheduler and workers as processes of their own, ended by their process ids."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Processes:
    """Starts ``dask scheduler`` and ``dask worker``; use as a context manager."""

    def __init__(self, folder):
        self.folder, self.address = folder, ""
        self.scheduler = None
        self.workers = []

    def _start(self, *words, code=""):
        command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}\n"
                   "from distributed.cli import dask_scheduler, dask_worker\n"
                   "kind = sys.argv.pop(1)\n"
                   "(dask_scheduler if kind == 'scheduler' else dask_worker).main()"]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "300s"}
        log = open(self.folder / f"{words[0]}-{len(self.workers)}.log", "w")  # noqa: SIM115 - it stays open
        return subprocess.Popen([*command, *words], cwd=self.folder, env=environment, stdout=log, stderr=log)

    def start_scheduler(self, port=None):
        port = port or free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")

    def start_worker(self, code="", guarded_limit=None):
        """Start a worker of one thread without a nanny, so that its process id is the worker's; with a limit of memory,
        the process is a nanny that kills its worker above it."""
        words = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--memory-limit", guarded_limit or "2GB")
        words += ("--nanny" if guarded_limit else "--no-nanny",)
        self.workers.append(self._start("worker", self.address, *words, code=code))
        return self.workers[-1]

    @staticmethod
    def kill(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in [*self.workers, self.scheduler]:
            if process is not None:
                self.kill(process)


def wait_until(condition, seconds=180):
    """Return the first true value of the condition."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "timed out"
        time.sleep(0.02)
    return found


needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None,
    reason="Dask is not installed; pip install -e '.[distributed]'",
)
