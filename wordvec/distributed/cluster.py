"""Connection to a Dask cluster: versions checked, errors in one line."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from wordvec import __version__
from wordvec.errors import InputError, TrainingError
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_number, check_whole

RETRIES = 3
"""How often a task is repeated whose files or connections fail; Dask itself repeats the tasks of dead workers."""

_LOCAL = {
    "distributed.comm.timeouts.tcp": "300s",  # other work may keep the machine busy
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}
"""Dask's configuration of workers on this machine."""

_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}
"""Environment of workers on this machine: their arrays take the memory of the last round, because fresh pages cost more
time than filling them does."""

_log = logging.getLogger(__name__)


class Cluster:
    """A connection to the scheduler of a Dask cluster, or to worker processes of its own on this machine.

    Args:
        scheduler: the address, such as ``tcp://node1:8786``; or a ``distributed.Client``, which stays open.
        workers: without a scheduler, start so many worker processes on this machine.
        threads: of each of these workers.
        piece_size: bytes of the vectors that a task combines at most, which bounds its memory.
        timeout: seconds to wait for the scheduler, and for a first worker.

    Raises:
        InputError: Dask is not installed, no scheduler answers, it has no workers, or a worker has another version.

    Example:
        >>> with Cluster(workers=2) as cluster:  # doctest: +SKIP
        ...     shards = encode_on(cluster, TextCorpus("news.txt"))
        ...     vectors = train_sharded(shards, sharding=ShardSettings(shards=4)).vectors
    """

    def __init__(
        self,
        scheduler: Any = None,
        *,
        workers: int | None = None,
        threads: int = 1,
        piece_size: int = 32 << 20,
        timeout: float = 10.0,
    ) -> None:
        distributed = optional_module("distributed", "a cluster needs Dask", "distributed")
        self.piece_size = check_whole("piece_size", piece_size, 1)
        check_number("timeout", timeout, above=0)
        self._own: list[Any] = []
        self._logger, self._level = logging.getLogger("distributed"), logging.getLogger("distributed").level
        if isinstance(scheduler, distributed.Client):
            self.client: Any = scheduler
        else:
            self._logger.setLevel(logging.CRITICAL)  # every failure becomes an error of ours
            try:
                self.client = self._connected(distributed, scheduler, workers, threads, timeout)
            except BaseException:
                self.close()
                raise
        self.address = str(self.client.scheduler.address)
        try:
            self.threads = self._check_workers(timeout)
            self.workers = len(self.client.nthreads())
        except BaseException:
            self.close()
            raise

    def _connected(
        self, distributed: Any, address: str | None, workers: int | None, threads: int, seconds: float
    ) -> Any:
        if address is None:
            import dask

            with dask.config.set(_LOCAL | _prepared()), _interrupts_ignored():
                own = distributed.LocalCluster(
                    n_workers=check_whole("workers", 1 if workers is None else workers, 1),
                    threads_per_worker=check_whole("threads", threads, 1),
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=logging.CRITICAL,
                )
            self._own.append(own)
            address = own.scheduler_address
        _check_address(address)
        try:
            client = distributed.Client(address, timeout=seconds, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"no Dask scheduler answers at {address} within {seconds:g} s ({reason:.80}); start one with `dask "
                "scheduler`, and check the address and the firewall"
            ) from None
        self._own.append(client)
        return client

    def _check_workers(self, seconds: float) -> int:
        """Return the number of threads of all workers."""
        with self.failures("connecting"):
            try:
                self.client.wait_for_workers(1, timeout=seconds)
            except TimeoutError:
                raise InputError(
                    f"the scheduler at {self.address} has no workers; start some with `dask worker {self.address}`"
                ) from None
            found = self.client.run(versions, on_error="return")
            for worker, other in found.items():
                if isinstance(other, Exception):
                    raise InputError(
                        f"the worker {worker} cannot import wordvec-seqclf {__version__} "
                        f"({type(other).__name__}: {other!s:.100}); install it there"
                    )
                check_version(other["wordvec-seqclf"], worker)
            own = versions()
            differing = {name for other in found.values() for name in own if other[name] != own[name]}
            if differing:
                _log.warning(
                    "workers have other versions of %s than this machine; the bits of the result may depend on them",
                    ", ".join(sorted(differing)),
                )
            return sum(self.client.nthreads().values())

    @contextlib.contextmanager
    def failures(self, what: str) -> Iterator[None]:
        """Turn Dask's errors into ours; the errors of tasks pass unchanged."""
        import asyncio
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        try:
            yield
        except KilledWorker as error:
            raise self._out_of_memory(f"workers died again and again while {what}", str(error.task)) from None
        except MemoryError as error:
            raise self._out_of_memory(f"a worker ran out of memory while {what}", str(error)) from None
        except (FutureCancelledError, CancelledError, asyncio.CancelledError, CommClosedError) as error:
            raise self.lost(what) from error
        except TimeoutError as error:
            raise self.lost(what) from error

    def _out_of_memory(self, what: str, detail: str) -> TrainingError:
        return TrainingError(
            f"{what} ({detail.rsplit('-', 1)[0]:.60}), probably out of memory: give each more memory or fewer threads "
            "(training takes about four times the vectors of both sides a thread), or lower vector_size, the "
            f"vocabulary, or piece_size (--piece-size), now {self.piece_size / 2**20:.3g} MB"
        )

    def lost(self, what: str) -> TrainingError:
        """Return the error for a scheduler that no longer answers."""
        return TrainingError(
            f"the connection to the scheduler at {self.address} was lost while {what}; start the cluster again and "
            "resume from the checkpoint, if there is one"
        )

    def run_on_workers(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Return what a function returns on each worker."""
        found: dict[str, Any] = self.client.run(function, *arguments)
        return found

    def forget(self, function: Callable[[str], None], name: str) -> None:
        """Call a function that frees memory on each worker, if the cluster still answers."""
        if self.client.status == "running":
            with contextlib.suppress(Exception):
                self.client.run(function, name)

    def close(self) -> None:
        """Close the connection, and end the workers of this machine that were started for it."""
        for each in reversed(self._own):
            with contextlib.suppress(Exception):
                each.close()
        self._own.clear()
        self._logger.setLevel(self._level)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _prepared() -> dict[str, Any]:
    """Return how workers start: forked from a process that loads their modules, while this one loads its own."""
    if sys.platform != "linux":
        return {}
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(["distributed", "wordvec.distributed.warm"])
    added = _ENVIRONMENT.keys() - os.environ.keys()
    try:
        os.environ.update({name: _ENVIRONMENT[name] for name in added})
        with _interrupts_ignored():
            forkserver.ensure_running()
    finally:
        for name in added:
            del os.environ[name]
    from wordvec.distributed import warm  # noqa: F401

    return {"distributed.worker.multiprocessing-method": "forkserver"}


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that are started within ignore Ctrl-C, which reaches all processes of a terminal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_address(address: str) -> None:
    """Check the form of an address: a client of Dask that cannot parse it ends late and with a stack trace.

    Raises:
        InputError: it has no host, no port or an unknown protocol.
    """
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        protocol, place = parse_address(address)
        get_backend(protocol)
        is_valid = bool(parse_host_port(place)[0])
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InputError(f"the address of a scheduler must be such as tcp://host:8786, got {address!r}")


def versions() -> dict[str, str]:
    """Return the versions of this process that the result depends on."""
    import platform
    from importlib.metadata import version

    others = {name: version(name) for name in ("numpy", "numba")}
    return {"wordvec-seqclf": __version__, "python": platform.python_version(), **others}


def check_version(other: str, where: str) -> None:
    """Check that a worker has our version.

    Raises:
        InputError: it has another one.
    """
    if other != __version__:
        raise InputError(
            f"the worker {where} has wordvec-seqclf {other}, but this machine has {__version__}; install the same "
            "version on all machines"
        )
