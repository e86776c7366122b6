"""Order of a command's help: examples after the first paragraph, options in sections."""

from collections.abc import Iterable

import click

from cli.shared.options import File

_EVERYWHERE = ("seed", "threads", "quiet", "json", "encoding", "version", "help")
"""What most commands have."""


def examples_first(text: str) -> str:
    """Return a help text with its examples after the first paragraph.

    Example:
        >>> examples_first("Sum up.\\n\\nDetails.\\n\\n\\b\\nExample:\\n  sum 1 2").split("\\n\\n")
        ['Sum up.', '\\x08\\nExample:\\n  sum 1 2', 'Details.']
    """
    first, *others = text.split("\n\n")
    return "\n\n".join([first, *sorted(others, key=lambda part: not part.lstrip("\b\n ").startswith("Example"))])


def option_sections(parameters: Iterable[click.Parameter]) -> dict[str, list[click.Option]]:
    """Return the options by the title of their section, in their order.

    Files are what a command reads and writes; ``General`` what most commands have.
    """
    found: dict[str, list[click.Option]] = {"Files": [], "Options": [], "General": []}
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            longest = max(parameter.opts, key=len).removeprefix("--")
            title = "General" if longest in _EVERYWHERE else "Options"
            found["Files" if isinstance(parameter.type, File) else title].append(parameter)
    return found
