"""Command-line options derived from the settings classes, which declare name, default, range and help."""

from collections.abc import Callable
from typing import Any

import click

from wordvec.system.settings import Settings, base_type, declaration, default_text, field_of


def setting_option(kind: type[Settings], name: str, **changed: Any) -> Callable[[Any], Any]:
    """Return the option of one setting.

    Args:
        kind: a settings class.
        name: the field.
        changed: keywords of ``click.option`` that replace the derived ones.

    Example:
        >>> from wordvec import GloveSettings
        >>> @click.command
        ... @setting_option(GloveSettings, "x_max")
        ... def show(x_max): ...
        >>> option = show.params[0]
        >>> option.opts, option.default, option.help
        (['--x-max'], 10.0, 'Counts from here on weigh 1, smaller ones (x / x_max)^alpha (eq. 9).')
    """
    field = field_of(kind, name)
    declared, plain = declaration(field), base_type(field)
    keywords: dict[str, Any] = {"help": declared.help, "default": field.default, "show_default": True}
    dashed = name.replace("_", "-")
    flags = declared.flags or (f"--{dashed}/--no-{dashed}" if plain is bool else f"--{dashed}")
    if declared.choices:
        keywords["type"] = click.Choice(declared.choices)
    elif plain is not bool:
        keywords |= {"type": plain, "metavar": declared.metavar}
    if plain is bool and "/" not in flags:
        keywords |= {"is_flag": True, "show_default": False}
    if declared.none is not None:
        keywords |= {"help": f"{declared.help}  [default: {default_text(field)}]", "show_default": False}
    return click.option(flags, name, **(keywords | changed))


def setting_options(kind: type[Settings], *names: str) -> Callable[[Any], Any]:
    """Return the options of several settings as one decorator; ``--help`` lists them in this order."""

    def decorate(command: Any) -> Any:
        for name in reversed(names):
            command = setting_option(kind, name)(command)
        return command

    return decorate
