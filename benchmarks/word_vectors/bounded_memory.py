"""Can a corpus ten times larger than memory be trained on? Run in a Linux control group with a hard memory limit.

    python -m benchmarks.word_vectors.bounded_memory --limit 256

writes generated text (Zipf-distributed words, and an endless supply of new ones) of ten times the limit, creates a
child control group, version 2 (``memory.max``) or 1 (``memory.limit_in_bytes``), runs ``train-embeddings`` in it, and
prints time and memory. Page cache counts, too, but is reclaimable; swap is disabled if possible. Creating a group needs
permission, as in a container or under ``systemd-run --user --scope``.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.harness.measuring import Row, Run, SkippedError, WrongResultError
from benchmarks.harness.texts import write_zipf

_ROOT = Path("/sys/fs/cgroup")
_RUN = "import sys; from cli import main; sys.exit(main.train_embeddings())"


class Group:
    """A child control group with a memory limit."""

    def __init__(self, limit: int) -> None:
        named = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().split("\n")[:-1])
        self.version = 1 if "memory" in named else 2
        parent = _ROOT / "memory" / named["memory"].lstrip("/") if self.version == 1 else _ROOT / named[""].lstrip("/")
        self.folder = parent / f"wordvec-{os.getpid()}"
        self.folder.mkdir()
        try:
            names = (
                ("memory.limit_in_bytes", "memory.swappiness")
                if self.version == 1
                else ("memory.max", "memory.swap.max")
            )
            (self.folder / names[0]).write_text(str(limit))
            with contextlib.suppress(OSError):
                (self.folder / names[1]).write_text("0")
        except BaseException:
            self.folder.rmdir()
            raise

    def enter(self) -> None:
        """Move this process into the group; called in a child process just before exec."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self) -> int:
        """Return the peak of charged bytes, including page cache."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        return int((self.folder / name).read_text())

    def anonymous(self) -> int:
        """Return the bytes of anonymous memory currently charged."""
        name = "rss" if self.version == 1 else "anon"
        lines = (self.folder / "memory.stat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == name)


@contextlib.contextmanager
def group_of(limit: int) -> Iterator[Group]:
    try:
        group = Group(limit)
    except (OSError, KeyError) as error:
        raise SkippedError(f"no control group can be created here: {error}") from error
    try:
        yield group
    finally:
        group.folder.rmdir()


def train_bounded(limit: int, times: float, place: Path, options: tuple[str, ...] = ()) -> tuple[float, int, int, int]:
    """Return seconds, MB of anonymous memory, MB including page cache, and the control group version."""
    text, vectors = place / "text", place / "vectors.safetensors"
    given = options or ("--vector-size", "16", "--window", "2", "--epochs", "1", "--max-types-in-memory", "200000")
    command = [sys.executable, "-c", _RUN, str(text), "-o", str(vectors), *given]
    environment = os.environ | {"WORDVEC_CACHE": str(place), "WORDVEC_CACHE_BYTES": str(1 << 50), "TMPDIR": str(place)}
    with group_of(limit * 10**6) as group:
        write_zipf(text, size=int(times * limit * 1e6), new_words=5)
        start, anonymous = time.perf_counter(), 0
        process = subprocess.Popen(command, env=environment, preexec_fn=group.enter)
        try:
            while process.poll() is None:
                anonymous = max(anonymous, group.anonymous())
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        seconds, peak = time.perf_counter() - start, group.peak()
    if process.returncode:
        raise WrongResultError(f"train-embeddings exited with {process.returncode}")
    return seconds, anonymous // 10**6, peak // 10**6, group.version


def rows(run: Run) -> Iterator[Row]:
    if run.size != "full":
        raise SkippedError("only with --full")
    seconds, anonymous, peak, _ = train_bounded(256, 10, run.folder)
    yield Row("2,560 MB of text, 256 MB of memory", "s", [seconds], more_is_better=False)
    yield Row("anonymous memory", "MB", [anonymous], more_is_better=False, note=f"{peak} MB including page cache")


@click.command()
@click.option("--limit", default=256, show_default=True, metavar="MB", help="Memory limit of the command.")
@click.option("--times", default=10.0, show_default=True, help="Size of the text as a multiple of the limit.")
@click.option("--folder", type=click.Path(), help="Folder on disk for the text and its ids.  [default: TMPDIR]")
@click.argument("options", nargs=-1)
def main(limit: int, times: float, folder: str | None, options: tuple[str, ...]) -> None:
    """Train on more text than fits in memory; OPTIONS after -- are passed to train-embeddings."""
    click.echo(f"{times * limit:,.0f} MB of text, {limit} MB of memory")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            seconds, anonymous, peak, version = train_bounded(limit, times, Path(place), options)
        except (SkippedError, WrongResultError) as error:
            sys.exit(str(error))
    click.echo(
        f"trained in {seconds:.0f} s in a control group of version {version}: {anonymous} MB "
        f"anonymous, {peak} MB including page cache, limit {limit} MB"
    )


if __name__ == "__main__":
    main()
