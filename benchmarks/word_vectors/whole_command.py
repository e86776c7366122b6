"""How long does the whole command take, from text file to saved vectors, and how much memory does it need?

    python -m benchmarks.word_vectors.whole_command --peer-python peers/bin/python

runs `train-embeddings` and a gensim script (``corpus_file``, its fastest path) alternately on wiki8 in lines of 1,000
tokens, 5 epochs of skip-gram with the settings of ``word2vec.py``, each in a separate process. Seconds are the wall
time of the process: Python start-up, imports, counting words, training, saving. Memory is the peak anonymous memory of
the process (RssAnon: not backed by files), on Linux only. Ours runs with cached kernels and, unless ``--cold``, with
the cached encoded corpus.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from benchmarks.harness.machine import describe
from benchmarks.harness.measuring import Row, Run, WrongResultError, anonymous_bytes, compare, table, threads_of
from benchmarks.harness.peers import Job, PeerError, gensim_command
from benchmarks.harness.texts import speed_source, speed_text

_POLL = 0.05


def run_watched(
    command: list[str], environment: dict[str, str] | None = None, *, stdin: str = "", poll: float = _POLL
) -> tuple[float, float]:
    """Run a process that reads ``stdin``; return its wall seconds and the peak MB of anonymous memory, sampled every
    ``poll`` seconds; 0 except on Linux."""
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        start, most = time.perf_counter(), 0.0
        process = subprocess.Popen(
            command, env=os.environ | (environment or {}), stdin=given, stdout=subprocess.DEVNULL, stderr=errors
        )
        while True:
            most = max(most, anonymous_bytes(process.pid) / 1e6)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(poll)
                break
        seconds = time.perf_counter() - start
        if process.returncode:
            errors.seek(0)
            failed = WrongResultError if command[0] == sys.executable else PeerError
            raise failed(f"{command[0]} failed: {errors.read().decode(errors='replace')[-2000:]}")
    return seconds, most


def compare_commands(
    folder: Path, path: Path, job: Job, peer_python: str | None, mode: str, repeats: int, cold: bool = False
) -> list[Row]:
    """Measure seconds and anonymous memory of both commands, alternating."""
    ours = [
        sys.executable, "-c", "from cli.main import train_embeddings as main; main()", str(path), "-o",
        str(folder / "ours.txt"), "--threads", str(job.threads), "--epochs", str(job.epochs), "--mode", mode,
    ]  # fmt: skip
    environment = {"WORDVEC_CACHE": str(folder / "cache"), "PYTHONPATH": os.getcwd()}
    run_watched([*ours, "--epochs", "1"], environment)  # kernels compiled, corpus encoded
    memory: dict[str, list[float]] = {"ours": [], "gensim": []}

    def run(who: str, command: list[str], environment: dict[str, str]) -> float:
        seconds, most = run_watched(command, environment)
        memory[who].append(most)
        return seconds

    def run_ours() -> float:
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            return run("ours", ours, environment | ({"WORDVEC_CACHE": empty} if cold else {}))

    theirs = {}
    if peer_python:
        command = gensim_command(peer_python, job, folder / "peer.txt")
        theirs["gensim"] = partial(run, "gensim", command, {})
    case = f"whole command, {job.epochs} epochs, {threads_of(job.threads)}, {mode}"
    rows = compare(case, "s", {"": run_ours}, theirs, repeats, more_is_better=False)
    peer = rows[0].peer
    held = memory["gensim"] if peer else []
    return [*rows, Row(f"{case}, anonymous memory", "MB", memory["ours"], peer, held, more_is_better=False)]


def rows(run: Run) -> Iterator[Row]:
    path = speed_text(run.folder, run.pick(500_000, 3_000_000, 17_000_000))
    job = Job(path, "skipgram", 100, run.threads, 0.025, run.pick(1, 5))
    turns = min(run.repeats, run.pick(1, 3))
    yield from compare_commands(run.folder, path, job, run.python("gensim"), "reproducible", turns)


@click.command()
@click.option("--peer-python", required=True, help="A Python with gensim installed.")
@click.option("--threads", default=2, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--mode", type=click.Choice(["reproducible", "hogwild"]), default="reproducible", show_default=True)
@click.option("--cold", is_flag=True, help="Count and encode the text in every run of ours.")
@click.option("--tokens", type=int, help="Number of tokens to use.  [default: all]")
def main(peer_python: str, threads: int, epochs: int, repeats: int, mode: str, cold: bool, tokens: int | None) -> None:
    """Run both whole commands alternately and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        path = speed_text(Path(name), tokens)
        click.echo(f"{speed_source()}; {describe(threads)}")
        job = Job(path, "skipgram", 100, threads, 0.025, epochs)
        found = compare_commands(Path(name), path, job, peer_python, mode, repeats, cold)
        click.echo("\n".join(table(found)))


if __name__ == "__main__":
    main()
