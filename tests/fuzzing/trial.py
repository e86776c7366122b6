"""One trial: a file is read, and what happens is compared with the rules for damaged files."""

import logging
import time
import traceback
import warnings
from pathlib import Path

from tests.fuzzing.kinds import Kind
from wordvec import InputError, TrainingError

MOST_CHARACTERS = 300
MOST_SECONDS = 2.0
MOST_BYTES_PER_BYTE, MOST_EXTRA_BYTES = 4, 50_000_000
"""Limits of an error message, of processor time, and of memory: per byte of the file, and in addition."""

_ROOT = Path(__file__).resolve().parents[2]


def faults(kind: Kind, path: Path, content: bytes) -> dict[str, str]:
    """Read a file in every way of its kind and return what is wrong, by a name that is the same for the same fault.

    Args:
        kind: of the file.
        path: where the file is written.
        content: of the file.
    """
    found = {}
    path.write_bytes(content)
    memory = _Memory()
    for read in kind.reads:
        started = time.process_time()
        message = place = ""
        try:
            read(path)
        except (InputError, TrainingError) as error:
            message = str(error).replace(str(path), path.name)
            if len(message) > MOST_CHARACTERS or "\n" in message:
                place = _place(error)
        except Exception as error:
            found[f"{type(error).__name__} at {_place(error)}"] = "".join(traceback.format_exception(error))
        if place:
            found[f"message at {place}"] = f"{len(message):,} characters: {message[:1000]!r}"
        if (seconds := time.process_time() - started) > MOST_SECONDS:
            found[f"slow: {getattr(read, '__name__', read)}"] = f"{seconds:.1f} s"
    if (grown := memory.grown()) > MOST_BYTES_PER_BYTE * len(content) + MOST_EXTRA_BYTES:
        found["memory"] = f"{grown:,} bytes for a file of {len(content):,}"
    return found


def be_quiet() -> None:
    """Discard warnings and log messages."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


class _Memory:
    """The growth of the peak of resident memory; always 0 where Linux does not report it."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._before = self._peak()
        except OSError:
            self._before = 0

    def grown(self) -> int:
        return self._peak() - self._before if self._before else 0

    @staticmethod
    def _peak() -> int:
        with open("/proc/self/status", encoding="ascii") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")), 0)


def _place(error: BaseException) -> str:
    """Return the innermost line of the packages that an exception passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT) and "tests" not in frame.filename]
    return f"{Path(own[-1].filename).relative_to(_ROOT)}:{own[-1].lineno}" if own else "outside the packages"
