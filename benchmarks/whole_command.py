"""From a text file to saved vectors: how long does the whole command take, and how much memory of its own?

    python -m benchmarks.whole_command --peer-python peers/bin/python

runs `train-embeddings` and a gensim script (``corpus_file``, its fastest path) in turns on wiki8 in lines of 1,000
tokens, 5 epochs of skip-gram with the settings of ``benchmarks.word2vec``, each as a process of its own. The seconds
are the process's, from its start to its end: Python's start, imports, counting words, training, saving. Memory is the
most anonymous memory the process held (RssAnon: what no file backs); where the system does not say, it is left out.
Ours runs with compiled kernels on disk and, unless ``--cold``, with the encoded corpus in its cache.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click

from benchmarks.machine import describe
from benchmarks.peers import Job, gensim_command
from benchmarks.word2vec import wiki8_lines

_POLL = 0.05


def run_watched(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds of a process, and the most MB of anonymous memory it held; nan where the system does not say."""
    start, most = time.perf_counter(), float("nan")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            held = _anonymous(process.pid)
            most = held if most != most else max(most, held)
            time.sleep(_POLL)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            raise click.ClickException(f"{command[0]} failed:\n{said.read().decode(errors='replace')}")
    return seconds, most


def _anonymous(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), default=float("nan"))


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
    if "WORDVEC_DATA" not in os.environ:
        sys.exit("WORDVEC_DATA names no folder with text/wiki8.xz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = wiki8_lines(folder, tokens)
        ours = [
            sys.executable, "-c", "from cli.main import train_embeddings as main; main()", str(path), "-o",
            str(folder / "ours.txt"), "--threads", str(threads), "--epochs", str(epochs), "--mode", mode,
        ]  # fmt: skip
        peer = gensim_command(peer_python, Job(path, "skipgram", 100, threads, 0.025, epochs), folder / "peer.txt")
        environment = {"WORDVEC_CACHE": str(folder / "cache"), "PYTHONPATH": os.getcwd()}
        run_watched([*ours, "--epochs", "1"], environment)  # kernels compiled, corpus encoded
        found: dict[str, list[tuple[float, float]]] = {"ours": [], "gensim": []}
        for _ in range(repeats):
            if cold:
                environment["WORDVEC_CACHE"] = tempfile.mkdtemp(dir=folder)
            found["ours"].append(run_watched(ours, environment))
            found["gensim"].append(run_watched(peer, {}))
            (seconds, memory), (peer_seconds, peer_memory) = found["ours"][-1], found["gensim"][-1]
            click.echo(
                f"  ours {seconds:.1f} s, {memory:.0f} MB; gensim {peer_seconds:.1f} s, {peer_memory:.0f} MB; "
                f"{peer_seconds / seconds:.1f}x  ({describe(threads)})"
            )
    ratios = [peer[0] / own[0] for own, peer in zip(found["ours"], found["gensim"], strict=True)]
    memories = [own[1] / peer[1] for own, peer in zip(found["ours"], found["gensim"], strict=True)]
    click.echo(
        f"whole command, {epochs} epochs, {threads} threads, {mode}: {median(ratios):.1f}x as fast "
        f"({min(ratios):.1f} to {max(ratios):.1f}, {repeats} runs), {median(memories):.2f}x the anonymous memory"
    )


if __name__ == "__main__":
    main()
