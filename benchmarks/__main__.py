"""Runs all or selected benchmarks against the available peers; see ``python -m benchmarks --help``.

The exit code is 1 after a crash or a wrong result, whatever the timings.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.harness.headline import check_readme, write_readme
from benchmarks.harness.measuring import Run, table
from benchmarks.harness.peers import Peer, install_peers, peer_folder, peers_of, with_build
from benchmarks.harness.report import compare_reports, log_to_stderr, reasons, rows_of, write_report
from benchmarks.harness.suite import NAMES, measure_all
from benchmarks.harness.texts import speed_source


def find_peers(pythons: tuple[str, ...], folder: Path, install: bool) -> dict[str, Peer]:
    found = peers_of(pythons) if pythons else install_peers(folder, log_to_stderr, install)
    return {name: with_build(peer) for name, peer in found.items()}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--quick", "size", flag_value="quick", help="Small inputs: 5 minutes on two cores.")
@click.option("--full", "size", flag_value="full", help="Full inputs.")
@click.option("--repeats", type=click.IntRange(min=1), help="Runs per figure.  [default: 3; with --full 5]")
@click.option(
    "--skip", multiple=True, type=click.Choice(NAMES), metavar="NAME", help="Benchmark to skip; can be repeated."
)
@click.option(
    "--threads", default=min(2, os.cpu_count() or 1), show_default=True, help="Threads, in addition to runs with one."
)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False), help="Folder of public data sets.  [default: WORDVEC_DATA]"
)
@click.option(
    "--peers", type=click.Path(path_type=Path), help="Environment for the peers.  [default: in the cache folder]"
)
@click.option("--peer-python", multiple=True, help="Use the peers installed in this Python; can be repeated.")
@click.option("--install/--no-install", default=True, show_default=True, help="Install missing peers.")
@click.option("--no-peers", is_flag=True, help="Measure only this package.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("benchmark-results"), show_default=True,
    help="Folder for RESULTS.md, results.json and the plot; the project's own are in benchmarks/results/.",
)  # fmt: skip
@click.option(
    "--readme", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also write the headline plot into this page, between its markers.",
)  # fmt: skip
@click.option(
    "--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write pages and plots from a results.json instead of measuring.",
)  # fmt: skip
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(exists=True, dir_okay=False),
    help="List the figures that changed from OLD to NEW.",
)
def main(
    names: tuple[str, ...],
    size: str | None,
    repeats: int | None,
    skip: tuple[str, ...],
    threads: int,
    data: str | None,
    peers: Path | None,
    peer_python: tuple[str, ...],
    install: bool,
    no_peers: bool,
    output: Path,
    readme: Path | None,
    source: Path | None,
    compare: tuple[str, str] | None,
) -> None:
    """Run the benchmarks NAMES, or all, alternating with the available peers, and write the results.

    Peers are gensim, word2vec.c, fastText, PyTorch (WORDVEC_TORCH_INDEX is the package index of its CPU build) and
    scikit-learn. Unavailable peers are skipped with a message. Without --quick or --full, the inputs take 45 minutes on
    two cores.
    """
    if compare:
        old, new = (json.loads(Path(path).read_text(encoding="utf-8")) for path in compare)
        click.echo("\n".join(compare_reports(old, new)))
        return
    if readme:
        try:
            check_readme(readme)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    if data:
        os.environ["WORDVEC_DATA"] = str(Path(data).resolve())
    if source:
        facts = json.loads(source.read_text(encoding="utf-8"))
    else:
        found = {} if no_peers else find_peers(peer_python, peers or peer_folder(), install)
        versions = ", ".join(f"{name} {peer.version_and_build}" for name, peer in found.items())
        log_to_stderr(f"text: {speed_source()}\npeers: {versions or 'none'}")
        with tempfile.TemporaryDirectory() as folder:
            os.environ["WORDVEC_CACHE"] = folder
            chosen = tuple(name for name in names or NAMES if name not in skip)
            facts = measure_all(chosen, Run(Path(folder), size or "default", threads, found, repeats or 0))
    write_report(facts, output)
    if readme:
        write_readme(facts, readme, output)
    click.echo(_tables(facts))
    failed = [name for name, each in facts["benchmarks"].items() if "failed" in each]
    log_to_stderr(f"results written to {output} after {facts['seconds']:.0f} s")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _tables(facts: dict[str, Any]) -> str:
    parts = []
    for name, each in facts["benchmarks"].items():
        rows = rows_of(each)
        lines = [*table(rows), *reasons(rows)] if rows else []
        lines += [f"{key}: {each[key].splitlines()[-1]}" for key in ("skipped", "failed") if key in each]
        parts.append("\n".join(["", f"{name}: {each['question']}", *lines]))
    return "\n".join(parts)


if __name__ == "__main__":
    main()
