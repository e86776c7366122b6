"""Command-line options derived from the settings classes, which declare name, default, range and help."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import click

from cli.shared.options import Decorator, together
from wordvec.system.settings import Settings, base_type, declaration, default_text, field_of, flags_of


def setting_option(
    kind: type[Settings], name: str, *, flags: str | None = None, parameter: str | None = None, **changed: Any
) -> Decorator:
    """Return the option of one setting.

    Args:
        kind: a settings class.
        name: the field.
        flags, parameter: the names of the option and of the command's parameter; None: those of the field.
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
    flags = flags or flags_of(field)
    if declared.choices:
        keywords["type"] = click.Choice(declared.choices)
    elif plain is not bool:
        keywords |= {"type": plain, "metavar": declared.metavar}
    if plain is bool and "/" not in flags:
        keywords |= {"is_flag": True, "show_default": False}
    if declared.none is not None:
        keywords |= {"help": f"{declared.help}  [default: {default_text(field)}]", "show_default": False}
    return click.option(flags, parameter or name, **(keywords | changed))


def setting_options(kind: type[Settings], *names: str) -> Decorator:
    """Return the options of several settings as one decorator; ``--help`` lists them in this order."""
    return together(*(setting_option(kind, name) for name in names))


def all_setting_options(kind: type[Settings], **changed: Mapping[str, Any]) -> Decorator:
    """Return the options of all settings of a class, in the order of their declaration.

    Args:
        kind: a settings class.
        changed: by setting, keywords of ``click.option`` that replace the derived ones.
    """
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = [field.name for field in fields if declaration(field).command_line]
    return together(*(setting_option(kind, name, **changed.get(name, {})) for name in names))
