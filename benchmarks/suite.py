"""Runs benchmarks, each in a process of its own, so that one that crashes takes no other with it."""

import importlib
import multiprocessing
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from typing import Any

from benchmarks.measuring import Run, SkippedError
from benchmarks.peers import PeerError
from benchmarks.report import BUSY, busy_processors, commit, machine_facts, say_to_stderr
from benchmarks.texts import speed_source

NAMES = (
    "machine", "primitives", "limits", "startup", "word2vec", "scan", "cooccurrence", "glove", "documents", "queries",
    "recurrent", "net_costs", "large_softmax", "classification", "growth", "whole_command", "frontier",
    "bounded_memory",
)  # fmt: skip
"""In the order they run."""


def question(name: str) -> str:
    """The first line of a benchmark's docstring."""
    return (importlib.import_module(f"benchmarks.{name}").__doc__ or "").strip().splitlines()[0]


def measure(name: str, run: Run) -> dict[str, Any]:
    """One benchmark's question, seconds and rows, and why it was skipped or failed."""
    found: dict[str, Any] = {"question": "", "seconds": 0.0, "rows": []}
    start = time.perf_counter()
    try:
        found["question"] = question(name)
        for row in importlib.import_module(f"benchmarks.{name}").rows(run):
            found["rows"].append(asdict(row))
            say_to_stderr(f"  {'  '.join(filter(None, [*row.cells(), row.reason]))}")
    except SkippedError as error:
        found["skipped"] = str(error)
    except PeerError as error:
        found["skipped"] = f"the rest, because a peer died: {error}"
    except Exception:
        found["failed"] = traceback.format_exc()
    found["seconds"] = round(time.perf_counter() - start, 1)
    return found


def measure_alone(name: str, run: Run) -> dict[str, Any]:
    """As ``measure``, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, name, run).result()
        except BrokenProcessPool:
            return {"question": question(name), "seconds": 0.0, "rows": [], "failed": "its process crashed"}


def measure_all(names: tuple[str, ...], run: Run) -> dict[str, Any]:
    """The facts of a whole run."""
    start = time.perf_counter()
    facts: dict[str, Any] = {
        "machine": machine_facts(run.threads),
        "commit": commit(),
        "corpus": speed_source(),
        "size": run.size,
        "peers": {name: peer.version for name, peer in run.peers.items()},
        "seconds": 0.0,
        "benchmarks": {},
    }
    for name in names:
        say_to_stderr(f"\n{name}: {question(name)}")
        busy = busy_processors()
        if busy > BUSY:
            say_to_stderr(f"  others keep {busy:.1f} processors busy: measure again when they do not")
        found = facts["benchmarks"][name] = {**measure_alone(name, run), "busy": round(busy, 2)}
        for key in ("skipped", "failed"):
            if key in found:
                say_to_stderr(f"  {key}: {found[key]}")
        say_to_stderr(f"  {found['seconds']:.0f} s")
    facts["seconds"] = round(time.perf_counter() - start, 1)
    return facts
