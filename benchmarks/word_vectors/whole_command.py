"""From a text file to saved vectors: how long does the whole command take, and how much memory of its own?

    python -m benchmarks.word_vectors.whole_command --peer-python peers/bin/python

runs `train-embeddings` and a gensim script (``corpus_file``, its fastest path) in turns on wiki8 in lines of 1,000
tokens, 5 epochs of skip-gram with the settings of ``word2vec.py``, each as a process of its own. The seconds
are the process's, from its start to its end: Python's start, imports, counting words, training, saving. Memory is the
most anonymous memory the process held (RssAnon: what no file backs); where the system does not say, it is left out.
Ours runs with compiled kernels on disk and, unless ``--cold``, with the encoded corpus in its cache.
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
    command: list[str], environment: dict[str, str] | None = None, *, asked: str = "", poll: float = _POLL
) -> tuple[float, float]:
    """Wall seconds of a process that reads ``asked``, and the most MB of anonymous memory it was seen to hold in looks
    ``poll`` seconds apart; 0 where the system does not say."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
        given.write(asked.encode())
        given.seek(0)
        start, most = time.perf_counter(), 0.0
        process = subprocess.Popen(
            command, env=os.environ | (environment or {}), stdin=given, stdout=subprocess.DEVNULL, stderr=said
        )
        while True:
            most = max(most, anonymous_bytes(process.pid) / 1e6)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(poll)
                break
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            failed = WrongResultError if command[0] == sys.executable else PeerError
            raise failed(f"{command[0]} failed: {said.read().decode(errors='replace')[-2000:]}")
    return seconds, most


def compare_commands(
    folder: Path, path: Path, job: Job, peer_python: str | None, mode: str, repeats: int, cold: bool = False
) -> list[Row]:
    """Seconds and anonymous memory of both commands, in turns."""
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
@click.option("--peer-python", required=True, help="A Python that has gensim.")
@click.option("--threads", default=2, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--mode", type=click.Choice(["reproducible", "hogwild"]), default="reproducible", show_default=True)
@click.option("--cold", is_flag=True, help="Count and encode the text in every run of ours.")
@click.option("--tokens", type=int, help="Use only so many.  [default: all]")
def main(peer_python: str, threads: int, epochs: int, repeats: int, mode: str, cold: bool, tokens: int | None) -> None:
    """Run both whole commands in turns and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        path = speed_text(Path(name), tokens)
        click.echo(f"{speed_source()}; {describe(threads)}")
        job = Job(path, "skipgram", 100, threads, 0.025, epochs)
        found = compare_commands(Path(name), path, job, peer_python, mode, repeats, cold)
        click.echo("\n".join(table(found)))


if __name__ == "__main__":
    main()
