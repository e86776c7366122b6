"""Runs benchmarks in separate processes, so that a crash affects no other benchmark."""

import compileall
import importlib
import multiprocessing
import os
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from typing import Any

from benchmarks.harness.measuring import Run, SkippedError
from benchmarks.harness.peers import PeerError
from benchmarks.harness.report import BUSY, busy_processors, commit, log_to_stderr, machine_facts
from benchmarks.harness.texts import speed_source

_FOLDERS = {
    "harness": ("machine",),
    "kernels": ("primitives", "limits"),
    "networks": ("recurrent", "net_costs", "large_softmax", "language_models", "classification", "transducers"),
    "word_vectors": (
        "startup", "word2vec", "scan", "cooccurrence", "glove", "documents", "queries", "growth", "whole_command",
        "frontier", "bounded_memory", "phrases", "subwords",
    ),
}  # fmt: skip
MODULES = {name: f"benchmarks.{folder}.{name}" for folder, names in _FOLDERS.items() for name in names}
"""Module of each benchmark."""

BUDGETS = {
    "machine": (4, 4),
    "primitives": (4, 6),
    "limits": (42, 110),
    "startup": (26, 60),
    "word2vec": (34, 400),
    "scan": (12, 60),
    "cooccurrence": (11, 30),
    "glove": (4, 40),
    "documents": (14, 60),
    "queries": (6, 30),
    "recurrent": (10, 240),
    "net_costs": (16, 90),
    "large_softmax": (5, 60),
    "language_models": (8, 45),
    "classification": (8, 150),
    "transducers": (6, 110),
    "growth": (16, 250),
    "whole_command": (9, 300),
    "frontier": (1, 200),
    "bounded_memory": (1, 1),
    "phrases": (8, 150),
    "subwords": (8, 300),
}
"""Benchmarks in the order they run, each with its time budget in seconds on two cores with all peers: with ``--quick``
(5 minutes in total, including compilation) and at the default size (45 minutes)."""
NAMES = tuple(BUDGETS)


def question(name: str) -> str:
    """Return the first line of a benchmark's docstring."""
    return (importlib.import_module(MODULES[name]).__doc__ or "").strip().splitlines()[0]


def measure(name: str, run: Run) -> dict[str, Any]:
    """Run a benchmark; return its question, seconds, rows, and why it was skipped or failed, if so."""
    found: dict[str, Any] = {"question": "", "seconds": 0.0, "rows": []}
    start = time.perf_counter()
    try:
        found["question"] = question(name)
        for row in importlib.import_module(MODULES[name]).rows(run):
            found["rows"].append(asdict(row))
            log_to_stderr(f"  {'  '.join(filter(None, [*row.cells(), row.reason]))}")
    except SkippedError as error:
        found["skipped"] = str(error)
    except PeerError as error:
        found["skipped"] = f"the rest, because a peer failed: {error}"
    except Exception:
        found["failed"] = traceback.format_exc()
    found["seconds"] = round(time.perf_counter() - start, 1)
    return found


def measure_alone(name: str, run: Run) -> dict[str, Any]:
    """Run ``measure`` in a separate process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, name, run).result()
        except BrokenProcessPool:
            return {"question": question(name), "seconds": 0.0, "rows": [], "failed": "its process crashed"}


def planned(name: str, run: Run) -> str:
    """Return the time budget as text, if there is one."""
    seconds = run.pick(*BUDGETS[name], 0)
    return f", {seconds} s planned" if seconds else ""


def processor_seconds() -> float:
    """Return the CPU time of all finished child processes, where supported."""
    times = os.times()
    return times.children_user + times.children_system


def write_bytecode() -> None:
    """Compile our modules to bytecode, as pip does when it installs a package. Otherwise every process would compile
    them once more where Python must not write files (PYTHONDONTWRITEBYTECODE): 70 ms before a first prediction."""
    for package in ("wordvec", "seqclf", "corpora", "cli"):
        for folder in importlib.import_module(package).__path__:
            compileall.compile_dir(folder, quiet=2)


def measure_all(names: tuple[str, ...], run: Run) -> dict[str, Any]:
    """Run the benchmarks and return the contents of ``results.json``."""
    start = time.perf_counter()
    write_bytecode()
    facts: dict[str, Any] = {
        "machine": machine_facts(run.threads),
        "commit": commit(),
        "corpus": speed_source(),
        "size": run.size,
        "repeats": run.repeats,
        "peers": {name: peer.version_and_build for name, peer in run.peers.items()},
        "seconds": 0.0,
        "benchmarks": {},
    }
    for name in names:
        log_to_stderr(f"\n{name}: {question(name)}")
        busy = busy_processors()
        if busy > BUSY:
            log_to_stderr(f"  other programs keep {busy:.1f} processors busy; repeat the run on an idle machine")
        used = processor_seconds()
        found = facts["benchmarks"][name] = {**measure_alone(name, run), "busy": round(busy, 2)}
        found["processor_seconds"] = round(processor_seconds() - used, 1)
        for key in ("skipped", "failed"):
            if key in found:
                log_to_stderr(f"  {key}: {found[key]}")
        log_to_stderr(f"  {found['seconds']:.0f} s, {found['processor_seconds']:.0f} s of CPU time{planned(name, run)}")
    facts["seconds"] = round(time.perf_counter() - start, 1)
    return facts
