"""A long fuzzing campaign: ``python -m tests.fuzzing.campaign``, or ``make fuzz``.

Each worker process mutates the examples of one kind after the other and keeps what reaches lines of the packages that
nothing has reached before, for further mutation. A worker that dies, hangs or runs out of memory is replaced; the input
that it was reading is reduced and saved, like that of every other fault.
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzzing.kinds import kinds
from tests.fuzzing.mutations import changed
from tests.fuzzing.trial import be_quiet, faults

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(str(ROOT / name) + os.sep for name in ("corpora", "wordvec", "seqclf"))
SLICE = 0.5
"""Seconds for one kind before the next."""
MOST_SILENCE = 120.0
"""Seconds after which a worker that reports nothing hangs."""
MOST_ADDRESS_SPACE = 4 << 30
"""Bytes that a worker may map in addition to what it maps at the start."""
TRACED = 0.1
"""Share of the inputs that are traced, which takes several times as long."""
MOST_KEPT = 300
"""Inputs of a kind that are kept for mutation."""


class NewLines:
    """A trace function that counts the lines of the packages that were never reached before.

    A function whose lines have all been reached is no longer traced.
    """

    def __init__(self) -> None:
        self._missing: dict[CodeType, set[int]] = {}
        self.count = 0

    def during(self, call: Callable[[], Any]) -> Any:
        """Return the result of ``call`` and leave the number of new lines in ``count``."""
        self.count = 0
        before = sys.gettrace()  # of a coverage measurement
        sys.settrace(self._enter)
        try:
            return call()
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        missing = self._missing.get(code)
        if missing is None:
            ours = code.co_filename.startswith(PACKAGES) and "kernels" not in code.co_filename
            missing = self._missing[code] = {line for *_, line in code.co_lines() if line} if ours else set()
        return self._line if missing else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        missing = self._missing[frame.f_code]
        if frame.f_lineno in missing:
            missing.discard(frame.f_lineno)
            self.count += 1
        return self._line


class Folder:
    """The folder of a campaign: inputs that were kept, faults, and the files that the workers are reading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def kept(self, kind: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.path / "kept" / slug(kind)).glob("*"))]

    def keep(self, kind: str, content: bytes) -> None:
        self._write(self.path / "kept" / slug(kind) / hashlib.sha256(content).hexdigest()[:16], content)

    def save_fault(self, kind: str, fault: str, detail: str, content: bytes) -> Path:
        path = self.path / "faults" / f"{slug(kind)}-{slug(fault)}"
        self._write(path.with_name(path.name + ".txt"), f"{kind}: {fault}\n\n{detail}\n".encode())
        self._write(path.with_name(path.name + ".input"), content)
        return path.with_name(path.name + ".input")

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)[:80]


# -- a worker ---------------------------------------------------------------------------------------------------------


def work(number: int, seed: int, names: list[str], folder: Folder, reading: Path, reports: Connection) -> None:
    """Try mutated files until the process is ended, and send ``(kind, calls, faults)`` after every slice."""
    be_quiet()
    _limit_address_space()
    source = random.Random(f"{seed} {number}")
    lines, known = NewLines(), set[str]()
    inputs = {name: [*kinds()[name].examples, *folder.kept(name)] for name in names}

    def attempt(name: str, content: bytes) -> dict[str, str]:
        return faults(kinds()[name], reading / kinds()[name].file, content)

    for name in names:  # compile the kernels, and reach what is reached already
        (reading / "kind").write_text(name)
        for content in inputs[name]:
            attempt(name, content)
            lines.during(lambda: attempt(name, content))  # noqa: B023
        reports.send((name, 0, {}))
    while True:
        for name in source.sample(names, len(names)):
            (reading / "kind").write_text(name)
            calls, found, end = 0, dict[str, tuple[str, bytes]](), time.monotonic() + SLICE
            while time.monotonic() < end:
                first, other = source.choices(inputs[name], k=2)
                content = changed(first, source, kinds()[name].inner, other)
                calls += len(kinds()[name].reads)
                if source.random() < TRACED and len(inputs[name]) < MOST_KEPT:
                    wrong = lines.during(lambda: attempt(name, content))  # noqa: B023
                    if lines.count:
                        inputs[name].append(content)
                        folder.keep(name, content)
                else:
                    wrong = attempt(name, content)
                for fault in wrong.keys() - known:
                    known.add(fault)
                    smaller = reduced(content, lambda part: fault in attempt(name, part))  # noqa: B023
                    found[fault] = wrong[fault], smaller
            reports.send((name, calls, found))


def _limit_address_space() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MOST_ADDRESS_SPACE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def reduced(content: bytes, fails: Callable[[bytes], bool], tries: int = 300) -> bytes:
    """Remove parts of an input, ever smaller ones, as long as it still fails."""
    size = len(content) // 2
    while size and tries > 0:
        place = 0
        while place < len(content) and tries > 0:
            shorter = content[:place] + content[place + size :]
            tries -= 1
            if fails(shorter):
                content = shorter
            else:
                place += size
        size //= 2
    return content


# -- the campaign -----------------------------------------------------------------------------------------------------


def _try_once(name: str, content: bytes, folder: Path) -> None:
    be_quiet()
    _limit_address_space()
    faults(kinds()[name], folder / kinds()[name].file, content)


def _kills(name: str, content: bytes) -> bool:
    """Whether a process that reads ``content`` dies or hangs."""
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(target=_try_once, args=(name, content, Path(folder)))
        process.start()
        process.join(MOST_SILENCE)
        died = process.exitcode != 0
        process.kill()
        process.join()
    return died


class Campaign:
    """Workers, their counts, and the faults that they found.

    Args:
        folder: where inputs and faults are saved.
        names: the kinds of files.
        seed: of all random choices.
    """

    def __init__(self, folder: Path, names: list[str], seed: int) -> None:
        self.folder, self.names, self.seed = Folder(folder), names, seed
        self.counts: Counter[str] = Counter()
        self.faults: dict[str, Path] = {}
        self._started = 0
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[Connection, tuple[BaseProcess, Path, float]] = {}

    def run(self, count: int, minutes: float, workers: int) -> None:
        """Run until ``count`` calls or ``minutes`` have passed."""
        end = time.monotonic() + 60 * minutes
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as reading:
            for _ in range(workers):
                self._start(Path(reading))
            try:
                while self.counts.total() < count and time.monotonic() < end:
                    for reports in wait([*self._workers], timeout=5):
                        self._receive(reports)  # type: ignore[arg-type]
                    for reports, (_, _, last) in [*self._workers.items()]:
                        if time.monotonic() - last > MOST_SILENCE:
                            self._replace(reports, "hangs")
            except KeyboardInterrupt:
                print("interrupted")
            finally:
                for process, _, _ in self._workers.values():
                    process.kill()
                    process.join()

    def _start(self, reading: Path) -> None:
        folder = reading / str(self._started)
        folder.mkdir()
        reports, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=work, args=(self._started, self.seed, self.names, self.folder, folder, sender), daemon=True
        )
        process.start()
        sender.close()
        self._started += 1
        self._workers[reports] = process, folder, time.monotonic()

    def _receive(self, reports: Connection) -> None:
        try:
            name, calls, found = reports.recv()
        except EOFError:
            process = self._workers[reports][0]
            process.join()
            if process.exitcode == 1:
                raise RuntimeError("a worker failed outside the packages, see above") from None
            self._replace(reports, f"ends the process with exit code {process.exitcode}")
            return
        process, folder, _ = self._workers[reports]
        self._workers[reports] = process, folder, time.monotonic()
        self.counts[name] += calls
        for fault, (detail, content) in found.items():
            self._note(name, fault, detail, content)

    def _replace(self, reports: Connection, fault: str) -> None:
        process, folder, _ = self._workers.pop(reports)
        process.kill()
        process.join()
        if (folder / "kind").exists():
            name = (folder / "kind").read_text()
            content = (folder / kinds()[name].file).read_bytes()
            self._note(name, fault, "", reduced(content, lambda part: _kills(name, part), tries=40))
        self._start(folder.parent)

    def _note(self, name: str, fault: str, detail: str, content: bytes) -> None:
        if f"{name}: {fault}" not in self.faults:
            self.faults[f"{name}: {fault}"] = path = self.folder.save_fault(name, fault, detail, content)
            print(f"{name}: {fault} ({path}, {len(content)} bytes)", flush=True)

    def report(self) -> str:
        """Return the number of calls of each kind, and the faults."""
        rows = [f"{self.counts[name]:>12,}  {name}" for name in self.names]
        found = [f"fault  {fault}\n       {path}" for fault, path in self.faults.items()] or ["no faults"]
        return "\n".join([*rows, f"{self.counts.total():>12,}  in all", *found])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--count", type=float, default=1e6, help="calls of readers to stop after (default: %(default)s)"
    )
    parser.add_argument("--minutes", type=float, default=60, help="minutes to stop after (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all random choices (default: the time)")
    parser.add_argument("--kind", action="append", choices=list(kinds()), help="a kind of file (default: all)")
    parser.add_argument("-o", dest="folder", type=Path, default=Path(".fuzzing"), help="default: %(default)s")
    parser.add_argument(
        "--try", dest="input", type=Path, help="read this saved input of --kind and print what is wrong"
    )
    given = parser.parse_args()
    names = given.kind or list(kinds())
    if given.input:
        with tempfile.TemporaryDirectory() as folder:
            kind = kinds()[names[0]]
            found = faults(kind, Path(folder) / kind.file, given.input.read_bytes())
        print("\n".join(f"{fault}\n{detail}" for fault, detail in found.items()) or "no faults")
        return bool(found)
    print(f"seed {given.seed}", flush=True)
    campaign = Campaign(given.folder, names, given.seed)
    campaign.run(int(given.count), given.minutes, given.workers)
    print(campaign.report())
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "counts.json").write_text(json.dumps(campaign.counts, indent=1))
    return bool(campaign.faults)


if __name__ == "__main__":
    sys.exit(main())
