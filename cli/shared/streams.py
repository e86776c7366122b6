"""Standard streams that survive a closed or full terminal, and that write UTF-8 to files and pipes."""

import io
import os
import sys


class _Forgiving(io.FileIO):
    """A file whose write errors are ignored: a message that nobody can read must not end the work."""

    def write(self, data, /) -> int:  # type: ignore[no-untyped-def]
        try:
            written = super().write(data)
        except OSError:
            written = None
        return len(data) if written is None else written


class _Output(io.FileIO):
    """A file whose write errors name standard output."""

    def write(self, data, /) -> int:  # type: ignore[no-untyped-def]
        try:
            return super().write(data)
        except OSError as error:
            error.filename = error.filename or "standard output"
            raise


def prepare_streams() -> None:
    """Prepare standard output and standard error for a command; streams that a caller has replaced are left alone.

    A closed stream becomes the null device, for reading only, so that neither a result nor another file takes its
    place. Standard output is UTF-8 unless it is a terminal, and escapes what it cannot encode. Standard error ignores
    write errors.
    """
    if sys.__stdout__ is None or sys.__stderr__ is None or sys.__stdin__ is None:
        while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 2:
            pass
        os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    elif sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        terminal = sys.stdout.isatty()
        if terminal and sys.platform == "win32":
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.flush()
            output = io.BufferedWriter(_Output(sys.stdout.fileno(), "w", closefd=False))
            encoding = sys.stdout.encoding if terminal else "utf-8"
            sys.stdout = io.TextIOWrapper(output, encoding, "backslashreplace", line_buffering=terminal)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    elif (
        sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper)
        and not (sys.platform == "win32" and sys.stderr.isatty())
    ):  # fmt: skip
        sys.stderr.flush()
        messages = io.BufferedWriter(_Forgiving(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = io.TextIOWrapper(messages, sys.stderr.encoding, "backslashreplace", line_buffering=True)
