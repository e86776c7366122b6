"""Errors as one line on stderr and an exit code: 1 for bad input, 2 for usage errors, 130 for Ctrl-C."""

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import IO, Any

import click

from cli.shared.arguments import parse_texts, restored
from cli.shared.help_sections import examples_first, option_sections
from cli.shared.option_names import as_options
from cli.shared.options import File, OutputFile
from cli.shared.reporting import library_messages
from cli.shared.signals import interrupts_raised, treat_termination_as_interrupt
from cli.shared.streams import prepare_streams

_ARGUMENTS = "cli.shared.errors.arguments"
_OUTPUTS = "cli.shared.errors.outputs"
_CHECKPOINT = "cli.shared.errors.checkpoint"
_FEW_OPTIONS = 12
"""So many options need no sections in the help."""


def note_output(path: str) -> None:
    """Record that ``path`` is complete, so that the message on Ctrl-C names it."""
    outputs = click.get_current_context().meta.setdefault(_OUTPUTS, [])
    if path not in outputs:
        outputs.append(path)


def note_checkpoint(path: str) -> None:
    """Record the checkpoint file, so that the message on Ctrl-C explains how to resume."""
    click.get_current_context().meta[_CHECKPOINT] = path


def command_line() -> str:
    """Return the current command with its arguments, quoted for a shell."""
    return str(click.get_current_context().meta[_ARGUMENTS])


class Failure(click.ClickException):
    """Bad input: ``Error: ...`` on stderr, exit code 1."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(as_options(" ".join(message.split("\n")).strip()))


class Interrupted(click.ClickException):
    """Ctrl-C: one line on stderr, exit code 130, as a shell reports it."""

    exit_code = 130

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        noted = context.meta if context else {}
        checkpoint = noted.get(_CHECKPOINT)
        outputs = " and ".join(noted.get(_OUTPUTS, []))
        message = f"Interrupted after writing {outputs}" if outputs else "Interrupted"
        if checkpoint is not None and os.path.exists(checkpoint):
            message += f"; rerun with --resume to continue from {checkpoint}"
        elif not outputs:
            message += "; no output was written"
        message += "."
        super().__init__(message)

    def show(self, file: IO[Any] | None = None) -> None:
        # The terminal echoes ^C: start on a new line.
        click.echo(("\n" if sys.stderr.isatty() else "") + self.message, file=file, err=True)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn errors that users can cause into Click exceptions; anything else is a bug and keeps its traceback."""
    from corpora import WordvecError

    try:
        with interrupts_raised():
            yield
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise Interrupted from None
    except BrokenPipeError:
        # The reader closed the pipe (| head), which is not an error: discard what is still buffered.
        _discard_stdout()
        raise click.exceptions.Exit(0) from None
    except WordvecError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        _discard_unwritable_stdout()
        raise Failure(_describe(error)) from error
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        raise Failure(f"not enough memory{detail}; use less data or smaller sizes") from error


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _discard_unwritable_stdout() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _discard_stdout()


def _discard_stdout() -> None:
    """Redirect standard output to the null device, so that Python's flush at exit cannot fail again."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


class _Base(click.Command):
    """A Click command with prepared streams, and with one-line errors from the first moment."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        prepare_streams()
        treat_termination_as_interrupt()
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except KeyboardInterrupt:
            raise Interrupted from None

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples after the first paragraph."""
        whole = self.help
        self.help = examples_first(whole or "")
        super().format_help_text(ctx, formatter)
        self.help = whole


class Command(_Base):
    """A Click command with one-line errors, which prints the log messages of the libraries."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; many of them in sections."""
        sections = option_sections(self.get_params(ctx))
        if sum(map(len, sections.values())) <= _FEW_OPTIONS:
            super().format_options(ctx, formatter)
            return
        for title, options in sections.items():
            records = [record for option in options if (record := option.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = shlex.join([*ctx.command_path.split(), *args])
        rest = parse_texts(self, lambda given: super(Command, self).parse_args(ctx, given), args)
        ctx.params = {name: restored(value) for name, value in ctx.params.items()}
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors(), library_messages(quiet=ctx.params.get("quiet", False)):
            check_files()
            return super().invoke(ctx)


class Group(_Base, click.Group):
    """A Click group of such commands, which suggests one for a mistyped name."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        with one_line_errors():
            return super().invoke(ctx)


def check_files(**more: str) -> None:
    """Report as a usage error an output that would replace an input or another output of the current command.

    Args:
        more: further outputs, such as a checkpoint, by description.
    """
    from corpora import InputError, find
    from wordvec.system.atomic_files import refuse_overwriting

    context = click.get_current_context()
    outputs, inputs = dict(more), []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if not value or not isinstance(parameter.type, File):
            continue
        name = parameter.human_readable_name if isinstance(parameter, click.Argument) else max(parameter.opts, key=len)
        if isinstance(parameter.type, OutputFile):
            outputs[name] = value
            continue
        for source in [value] if isinstance(value, str) else value:
            places = [source]
            if source.startswith("data:"):
                with contextlib.suppress(InputError):  # a missing data set is reported when it is read
                    places = list(map(str, find(source)))
            inputs += [(name, place) for place in places]
    if outputs:
        with usage_errors():
            refuse_overwriting(outputs, inputs)


@contextlib.contextmanager
def usage_errors(names: Mapping[str, str] | None = None) -> Iterator[None]:
    """Report invalid settings as usage errors, exit code 2, before any work is done; ``names`` as in ``as_options``."""
    from corpora import InputError

    try:
        yield
    except InputError as error:
        raise click.UsageError(as_options(str(error), names)) from error
