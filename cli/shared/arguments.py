"""Texts that start with a dash, given as arguments."""

from collections.abc import Callable
from typing import Any

import click

from cli.shared.option_names import renamed_option

_DASH = "\0"
"""Stands for the first dash of a text while Click parses the command line; no argument can contain NUL."""


def parse_texts(command: click.Command, parse: Callable[[list[str]], list[str]], args: list[str]) -> list[str]:
    """Call ``parse(args)`` so that an argument with white space that starts with a dash is a text, not an option.

    Everything after ``--`` is left to Click, and so is an option with its value in one argument (``--name=a b``).

    Raises:
        click.NoSuchOption: for a single word such as ``-5``, with the remedy if the command takes arguments; for an
            option of fastText or word2vec.c, with the name here.
    """
    end = args.index("--") if "--" in args else len(args)
    marked = [_DASH + arg[1:] if _is_text(command, arg) else arg for arg in args[:end]]
    try:
        return parse([*marked, *args[end:]])
    except click.NoSuchOption as error:
        other = renamed_option(command, args[:end])
        if other is not None:
            raise click.NoSuchOption(other[0], f"No such option {other[0]!r}; use {other[1]}", ctx=error.ctx) from None
        if error.option_name.startswith("--") or not any(isinstance(each, click.Argument) for each in command.params):
            raise
        message = f"{error.message.removesuffix('.')}; put -- before an argument that starts with -"
        raise click.NoSuchOption(error.option_name, message, error.possibilities, error.ctx) from None
    except click.UsageError as error:
        message = error.format_message().replace(repr(_DASH)[1:-1], _DASH)  # messages may quote with repr()
        if _DASH not in message:
            raise
        raise click.UsageError(restored(message), error.ctx) from None


def restored(value: Any) -> Any:
    """Return a parsed value with the dashes that ``parse_texts`` replaced."""
    if isinstance(value, str):
        return value.replace(_DASH, "-")
    if isinstance(value, tuple | list):
        return type(value)(restored(each) for each in value)
    return value


def _is_text(command: click.Command, arg: str) -> bool:
    if not arg.startswith("-") or not any(letter.isspace() for letter in arg):
        return False
    head = arg.split(None, 1)[0]
    if head.startswith("--"):
        name = head.partition("=")[0]
        return "=" not in head or not any(name in option.opts for option in command.params)
    valued = (option for option in command.params if isinstance(option, click.Option) and not option.is_flag)
    return not any(arg[:2] in option.opts for option in valued)
