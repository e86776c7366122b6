"""Processes that compile kernels together: each takes the next model, and a kernel is compiled by one of them.

They divide kernels as ``wordvec.kernels.dividing`` describes, and stop between two kernels after Ctrl-C. Each kernel
is saved under a temporary name and then renamed, so a worker that is killed never leaves a broken one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeAlias

from cli.shared.errors import Failure

_WORKER = "import sys; sys.path[:] = {path!r}; from cli.compile_kernels import compile_share; compile_share()"
_LAST_KERNEL = 10.0
"""Seconds for which a worker that has to end may continue with its kernel."""

_DONE = "done\n"
"""What a worker writes after each training."""

_Worker: TypeAlias = "subprocess.Popen[str]"


def compile_together(models: list[str], folder: str, on_progress: Callable[[int], None], count: int) -> Counter[str]:
    """Run ``cli.compile_kernels.compile_share`` in ``count`` processes until all models are done.

    Args:
        models: their names.
        folder: empty, for the files of the workers.
        on_progress: receives the number of trainings done so far.

    Returns:
        The number of kernels compiled by the folder that stores them; "" for those in none.

    Raises:
        Failure: a worker failed or was killed.
    """
    kernels, done, running = Counter[str](), 0, count
    lines: SimpleQueue[tuple[_Worker, str]] = SimpleQueue()
    message = ""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_worker(models, folder, lines))
        while running:
            on_progress(done)
            worker, line = lines.get()
            if line.startswith("{"):
                kernels.update(json.loads(line))
            elif line == _DONE:
                done += 1
            elif line:
                message = line.strip() or message
            elif worker.wait():
                raise Failure(_reason(worker.returncode, message))
            else:
                running -= 1
    return kernels


@contextlib.contextmanager
def _worker(models: list[str], folder: str, lines: "SimpleQueue[tuple[_Worker, str]]") -> Iterator[None]:
    """Start a worker that puts its lines into a queue, "" at its end; if left earlier, let it finish its kernel."""
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER.format(path=sys.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace", start_new_session=True,
    )  # fmt: skip
    assert worker.stdin is not None
    assert worker.stdout is not None
    output = worker.stdout

    def listen() -> None:
        for line in output:
            lines.put((worker, line))
        lines.put((worker, ""))

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        with contextlib.suppress(OSError):
            worker.stdin.write(json.dumps([models, folder]) + "\n")
            worker.stdin.flush()
        yield
    finally:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(_LAST_KERNEL)
        worker.kill()
        worker.wait()
        listener.join()
        output.close()
        with contextlib.suppress(OSError):
            worker.stdin.close()


def _reason(code: int, message: str) -> str:
    if code < 0:
        message = f"a process was ended by signal {-code}, perhaps for lack of memory"
    return f"compiling failed: {message}; run it again, which continues, or on one core (taskset -c 0)"


def share_of_work() -> Iterator[tuple[str, str]]:
    """Yield each model that no other worker has taken, and an empty folder for it; end with the main process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a script
    models, folder = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    from wordvec.system.compiled import compiled_kernels, share_kernels

    claims = os.path.join(folder, "claims")
    os.makedirs(claims, exist_ok=True)
    share_kernels(claims)
    for model in models:
        own = os.path.join(folder, model)
        with contextlib.suppress(FileExistsError):
            os.mkdir(own)
            yield model, own
    _tell(json.dumps(compiled_kernels()) + "\n")


def training_done() -> None:
    """Tell the main process that a training of a model is done."""
    _tell(_DONE)


def _tell(line: str) -> None:
    assert sys.__stdout__ is not None  # commands that run here may have another
    sys.__stdout__.write(line)
    sys.__stdout__.flush()
