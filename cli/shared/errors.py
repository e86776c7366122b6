"""What goes wrong becomes one line on stderr and an exit code: 1 bad input, 2 usage, 130 Ctrl-C."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from cli.shared.reporting import library_messages

_WRITTEN = "cli.shared.errors.written"
_CHECKPOINT = "cli.shared.errors.checkpoint"


def written(path: str) -> None:
    """Note that ``path`` is complete, so that Ctrl-C does not say that nothing was written."""
    click.get_current_context().meta.setdefault(_WRITTEN, []).append(path)


def resumes_from(path: str) -> None:
    """Note where the state of the work is kept, so that Ctrl-C says how to go on."""
    click.get_current_context().meta[_CHECKPOINT] = path


class Failure(click.ClickException):
    """Bad input: ``Error: ...`` on stderr, exit code 1."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split("\n")).strip())


class Interrupted(click.ClickException):
    """Ctrl-C: one line on stderr, exit code 130, as a shell reports it."""

    exit_code = 130

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        noted = context.meta if context else {}
        checkpoint = noted.get(_CHECKPOINT)
        if checkpoint is not None and os.path.exists(checkpoint):
            message = f"Interrupted; the same command with --resume goes on from {checkpoint}."
        else:
            message = f"Interrupted; {' and '.join(noted.get(_WRITTEN, [])) or 'nothing'} was written."
        super().__init__(message)

    def show(self, file: IO[Any] | None = None) -> None:
        # The terminal has echoed ^C: start on a line of our own.
        click.echo(("\n" if sys.stderr.isatty() else "") + self.message, file=file, err=True)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can cause into a Click exception; everything else is a bug and keeps its trace."""
    from corpora import WordvecError

    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise Interrupted from None
    except BrokenPipeError:
        # The reader has had enough (| head): no error. What is still buffered goes nowhere.
        _discard_stdout()
        raise click.exceptions.Exit(0) from None
    except WordvecError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        _discard_unwritable_stdout()
        raise Failure(_describe(error)) from error
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        raise Failure(f"not enough memory{detail}; take less data, or smaller sizes") from error


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _discard_unwritable_stdout() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _discard_stdout()


def _discard_stdout() -> None:
    """Point standard output at nothing, so that Python's own flush at exit cannot fail once more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class Command(click.Command):
    """A Click command whose errors are one line, and which prints what the libraries log."""

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors(), library_messages(quiet=ctx.params.get("quiet", False)):
            return super().invoke(ctx)


class Group(click.Group):
    """A Click group of such commands."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """Report the library's own rules for option values as usage errors, exit code 2, before any work is done."""
    from corpora import InputError

    try:
        yield
    except InputError as error:
        raise click.UsageError(str(error)) from error
