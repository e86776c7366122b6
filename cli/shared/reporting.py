"""Progress and messages on stderr, JSON and tables for stdout, and number formatting."""

import contextlib
import json
import logging
import math
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from cli.shared.option_names import as_options

if TYPE_CHECKING:
    from wordvec import Progress as ProgressState
    from wordvec import WordVectors

LINE_SECONDS = 10.0
"""Seconds between progress lines if stderr is not a terminal."""

_LEAST, _ENOUGH = 8, 16
"""Characters that a narrow table leaves for its first column: the least, and to have all columns next to each other."""

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
"""Tabs and what ends a line."""

PREPARING = "preparing"
"""Shown in place of a speed until one has been measured."""

_live_bars: list[Any] = []
"""The current progress bar on the terminal, if any: lines must be printed through it."""


_PACKAGES = ("corpora", "wordvec", "seqclf")
_REPLACED = ("seqclf.training.loop",)
"""Loggers whose messages, except warnings, the commands replace by their own."""
_COMPILING, _LONG_COMPILATION = "wordvec.kernels.compiling", logging.INFO + 5
"""The logger that reports compilation, and the level it uses after ten seconds; importing it would load Numba."""


class _ClickHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = as_options(record.getMessage())
        if record.levelno >= logging.WARNING:
            log(f"Warning: {text}")
        elif record.name not in _REPLACED:
            log(text)


@contextlib.contextmanager
def library_messages(quiet: bool) -> Iterator[None]:
    """Print the log messages of the libraries while a command runs; if ``quiet``, only errors and long compilations."""
    handler = _ClickHandler()
    loggers = [logging.getLogger(name) for name in (*_PACKAGES, _COMPILING)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR if quiet else logging.INFO)
    if quiet:
        logging.getLogger(_COMPILING).setLevel(_LONG_COMPILATION)
    for logger in loggers[:-1]:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def log(message: str, quiet: bool = False) -> None:
    """Print a line on stderr, above the progress bar if there is one, unless ``quiet``."""
    if quiet:
        return
    if _live_bars:
        _live_bars[-1].console.print(message, markup=False, highlight=False, soft_wrap=True)
    else:
        click.echo(message, err=True)


def note_vectors(vectors: "WordVectors", words: Iterable[str]) -> None:
    """Print a note on stderr for each word whose vector is composed, or all zeros, so that its cosines are 0."""
    for word in dict.fromkeys(words):
        if vectors.lookup(word) < 0:
            log(f"Note: {word!r} is not in the vocabulary; its vector is composed of its n-grams")
        if not vectors[word].any():
            log(f"Note: the vector of {word!r} is all zeros, and its similarity to every word is 0")


def print_json(value: Any) -> None:
    """Print a value on stdout as indented JSON with non-ASCII characters unescaped."""
    click.echo(json.dumps(finite(value), indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """Print a value on stdout as JSON on one line, with non-ASCII characters unescaped."""
    click.echo(json.dumps(finite(value), ensure_ascii=False))


def finite(value: Any) -> Any:
    """Return the value with None for every NaN and infinity, which JSON cannot represent.

    Example:
        >>> finite({"loss": [2.5, float("nan")]})
        {'loss': [2.5, None]}
    """
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def short_number(value: float) -> str:
    """Format a count or rate with three significant digits.

    Example:
        >>> short_number(17_005_207), short_number(312_000), short_number(42)
        ('17.0 M', '312 k', '42')
    """
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{max(0, 2 - int(scaled >= 9.995) - int(scaled >= 99.95))}f}{unit}"
    return f"{value:.0f}"


def percent(share: float | None) -> str:
    """Format a fraction as a percentage, None as a dash.

    Example:
        >>> percent(0.7312), percent(None)
        ('73.1 %', '-')
    """
    return "-" if share is None else f"{100 * share:.1f} %"


def one_line(text: str) -> str:
    r"""Return a label, or other text, that fits one cell of a line: with spaces for tabs and line breaks.

    Example:
        >>> one_line("too\nlate")
        'too late'
    """
    return _BREAKS.sub(" ", text)


def duration(seconds: float) -> str:
    """Format seconds as s, m:ss or h:mm:ss.

    Example:
        >>> duration(7.3), duration(125), duration(3725)
        ('7 s', '2:05', '1:02:05')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), width: int | None = None) -> str:
    """Format rows in aligned columns: the first left-aligned, the others right-aligned.

    Columns beyond the width follow in further tables, each with the first column, whose cells wrap if they are long.
    Tabs and line breaks in a cell are spaces.

    Args:
        rows, header: of equal length.
        width: characters in a line; None takes that of the terminal, or of COLUMNS.

    Example:
        >>> print(table([["ham", "0.99"], ["spam", "1"]], ["label", "F1"]))
        label    F1
        ham    0.99
        spam      1
        >>> print(table([["ham and eggs", "0.99", "17"]], ["label", "F1", "texts"], width=15))
        label       F1
        ham and
        eggs      0.99
        <BLANKLINE>
        label     texts
        ham and
        eggs         17
    """
    lines = [[one_line(str(cell)) for cell in row] for row in ([header] if header else []) + list(rows)]
    if not lines:
        return ""
    room = _width() if width is None else width
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = room - sum(2 + each for each in widths[1:])
    if left < _ENOUGH:  # not all columns fit next to each other
        left = max(room - 2 - max(widths[1:], default=-2), _LEAST)
    widths[0] = min(widths[0], left)
    parts: list[list[int]] = [[]]
    for column in range(1, len(widths)):
        if parts[-1] and widths[0] + sum(2 + widths[each] for each in [*parts[-1], column]) > room:
            parts.append([])
        parts[-1].append(column)
    return "\n\n".join("\n".join(_row(line, part, widths) for line in lines) for part in parts)


def _row(cells: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
    """Return the first cell, which may take several lines, and some others."""
    name = cells[0]
    if len(name) > widths[0]:
        indent = " " * (len(name) - len(name.lstrip()))
        name = "\n".join(textwrap.wrap(name.lstrip(), widths[0], initial_indent=indent, subsequent_indent=indent))
    last = name.rpartition("\n")[2]
    padded = name + " " * (widths[0] - len(last))
    return "  ".join([padded, *(cells[column].rjust(widths[column]) for column in columns)]).rstrip()


def _width() -> int:
    """Return the characters in a line of standard output: unlimited for a file or a pipe, unless COLUMNS is set."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return sys.maxsize


class Progress:
    """Progress of a task: a bar if stderr is a terminal, else a line every ``LINE_SECONDS``.

    Example:
        >>> with Progress("training", quiet=True) as progress:
        ...     progress.update(5, 10, "loss 2.1")
    """

    def __init__(self, label: str, quiet: bool = False) -> None:
        self.label = label
        self.quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._next_line = 0.0

    def __enter__(self) -> "Progress":
        self._next_line = time.monotonic() + LINE_SECONDS
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TaskProgressColumn(),
                TextColumn("{task.fields[detail]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self.label, total=None, detail="")
            self._bar.start()
            _live_bars.append(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            _live_bars.remove(self._bar)
            self._bar.stop()
            self._bar = None

    def bytes(self, state: "ProgressState") -> None:
        """Show how many bytes were read."""
        self.update(state.done, state.total, f"{short_number(state.done)}B")

    def update(self, done: float, total: float, detail: str) -> None:
        """Report that ``done`` of ``total`` is complete, followed by ``detail``."""
        share = 100 * done / total if total else 100.0
        self._show(done, total, detail, f"{share:.0f} %, {detail}")

    def count(self, done: int, unit: str, per_second: float) -> None:
        """Report that ``done`` of an unknown number are complete, and their speed."""
        detail = f"{done:,} {unit}, {short_number(per_second)} {unit}/s"
        self._show(done, None, detail, detail)

    def _show(self, done: float, total: float | None, detail: str, line: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, detail=detail)
        elif not self.quiet and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            log(f"{self.label}: {line}")


def dev_measures(metrics: Mapping[str, float]) -> str:
    """Return the validation accuracy, or micro-F1, of an epoch, after a comma.

    Example:
        >>> dev_measures({"dev_accuracy": 0.712, "dev_loss": 0.6}), dev_measures({})
        (', dev accuracy 71.2 %', '')
    """
    found = ""
    if "dev_accuracy" in metrics:
        found += f", dev accuracy {percent(metrics['dev_accuracy'])}"
    if "dev_entity_f1" in metrics:
        found += f", dev entity F1 {metrics['dev_entity_f1']:.3f}"
    if "dev_macro_f1" in metrics:
        found += f", dev macro-F1 {metrics['dev_macro_f1']:.3f}"
    if "dev_micro_f1" in metrics:
        found += f", dev micro-F1 {metrics['dev_micro_f1']:.3f}"
    return found


def show_epochs(
    progress: Progress,
    state: "ProgressState",
    quiet: bool,
    measures: Callable[[Mapping[str, float]], str] = dev_measures,
) -> None:
    """Show how far the training of a network is: at the bar, and in a line for each epoch.

    Args:
        progress: the bar. state: what ``on_progress`` is called with.
        quiet: no line for each epoch.
        measures: from the metrics of an epoch to their text.
    """
    now = f"epoch {state.epoch + 1}/{state.epochs}: loss {state.loss:.3f}{measures(state.metrics)}"
    detail = PREPARING
    if math.isfinite(state.seconds_left):
        speed = f"{short_number(state.per_second)} {state.unit}/s"
        detail = f"{now}, {speed}, {duration(state.seconds_left)} left"
    progress.update(state.done, state.total, detail)
    if state.epoch_done:
        log(now, quiet)
