"""Settings: frozen dataclasses that declare each option once, with its default, valid range and help text.

The validation, the command-line option, the ``Attributes`` section of the docstring, the reference page and the record
in a file's header all follow from that declaration.
"""

import dataclasses
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar, dataclass_transform

from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_flag, check_kind, check_number, check_whole

_WIDTH = 118


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What a setting is, besides its name, type and default.

    Attributes:
        help: one sentence, for ``--help`` and the reference.
        detail: more for the reference: the source, the reason.
        choices: the valid words.
        function: whether a Python function is valid, too.
        least, above, most, below: the valid range of a number.
        check: a further check; raises InputError.
        none: what None stands for, in words.
        flags: the names on the command line, such as ``--tied/--untied``; None derives them from the field's name.
        metavar: the placeholder of the value in ``--help``.
        command_line: whether the commands offer it.
        earlier: the value in files of releases without the setting, if it is not the default.
        added: the release that brought the setting. A record leaves such a setting out while it has its default, so
            that a new setting does not change the files of runs that do not use it.
    """

    help: str
    detail: str = ""
    choices: tuple[str, ...] = ()
    function: bool = False
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    check: Callable[[Any], object] | None = None
    none: str | None = None
    flags: str | None = None
    metavar: str | None = None
    command_line: bool = True
    earlier: Any = None
    added: str | None = None

    @property
    def range(self) -> str:
        """The valid values, in words; empty where any value of the type is valid."""
        if self.choices:
            return f"one of {', '.join(self.choices)}{', or a function' * self.function}"
        bounds = {"at least": self.least, "above": self.above, "at most": self.most, "below": self.below}
        return " and ".join(f"{word} {bound:,g}" for word, bound in bounds.items() if bound is not None)


def setting(help: str, *, default: Any, **declared: Any) -> Any:
    """Declare a field of a settings class; the keywords are those of ``Declaration``."""
    return dataclasses.field(default=default, metadata={"setting": Declaration(help, **declared)})


SettingsT = TypeVar("SettingsT", bound="Settings")


@dataclass_transform(frozen_default=True, field_specifiers=(setting,))
def settings_class(cls: type[SettingsT]) -> type[SettingsT]:
    """Make a frozen dataclass and complete its docstring with the declarations.

    Example:
        >>> @settings_class
        ... class Reach(Settings):
        ...     '''How far a model looks.'''
        ...     window: int = setting("Words to each side.", default=5, least=1)
        >>> Reach(window=0)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: window must be at least 1, got 0
        >>> print(Reach.__doc__)
        How far a model looks.
        <BLANKLINE>
        Attributes:
            window: Words to each side. At least 1; default 5.
    """
    made = dataclasses.dataclass(frozen=True)(cls)
    head, example, tail = inspect.cleandoc(cls.__doc__ or "").partition("\n\nExample:")
    rows = "\n".join(_documented(field) for field in dataclasses.fields(made))  # type: ignore[arg-type]
    made.__doc__ = f"{head}\n\nAttributes:\n{rows}{example}{tail}"
    return made


class Settings:
    """Base of the settings classes: checks every value when it is made, and converts NumPy numbers to Python's.

    Raises:
        InputError: a value is out of range; the message states the rule and the value.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            object.__setattr__(self, field.name, checked(field, getattr(self, field.name)))
        self._check()

    def _check(self) -> None:
        """Check the rules that tie several settings together."""

    def record(self) -> dict[str, Any]:
        """Return the settings by name, as JSON can hold them in a file's header."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
            if declaration(field).added is None or getattr(self, field.name) != field.default
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the settings of a file's header; those that its release did not have take what it did, or the default.

        Raises:
            InputError: unknown settings, or values out of range.
        """
        unknown = sorted(set(record) - {field.name for field in dataclasses.fields(cls)})  # type: ignore[arg-type]
        if unknown:
            raise InputError(f"unknown settings {', '.join(unknown)}; a later release may have written them: upgrade")
        fields = [field for field in dataclasses.fields(cls) if declaration(field).earlier is not None]  # type: ignore[arg-type]
        return cls(**{**{field.name: declaration(field).earlier for field in fields}, **record})


def or_defaults(settings: SettingsT | None, kind: type[SettingsT]) -> SettingsT:
    """Return the settings that a caller gave, or the defaults if None.

    Raises:
        InputError: they are of another class.

    Example:
        >>> or_defaults({"window": 3}, Settings)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: settings must be Settings, got dict
    """
    return kind() if settings is None else check_kind("settings", settings, kind)


def flags_of(field: "dataclasses.Field[Any]") -> str:
    """Return the names of a setting's option, such as ``--tied/--untied``."""
    dashed = field.name.replace("_", "-")
    derived = f"--{dashed}/--no-{dashed}" if base_type(field) is bool else f"--{dashed}"
    return declaration(field).flags or derived


def declaration_of(kind: type[Settings], name: str) -> Declaration:
    """Return the declaration of a setting."""
    return declaration(field_of(kind, name))


def field_of(kind: type[Settings], name: str) -> "dataclasses.Field[Any]":
    """Return the field of a setting."""
    return {field.name: field for field in dataclasses.fields(kind)}[name]  # type: ignore[arg-type]


def declaration(field: "dataclasses.Field[Any]") -> Declaration:
    """Return the declaration of a field."""
    found: Declaration = field.metadata["setting"]
    return found


def base_type(field: "dataclasses.Field[Any]") -> type:
    """Return bool, int, float or str, the type of a field without None; object where it is another."""
    options = [kind for kind in _members(field.type) if kind is not types.NoneType]
    return options[0] if len(options) == 1 and options[0] in (bool, int, float, str) else object


def checked(field: "dataclasses.Field[Any]", value: Any) -> Any:
    """Return the value of a field as a Python value.

    Raises:
        InputError: it is out of range.
    """
    declared, kind, name = declaration(field), base_type(field), field.name
    if value is None and types.NoneType in _members(field.type):
        return None
    if kind is bool:
        value = check_flag(name, value)
    elif kind is int:
        value = check_whole(
            name, value, *(None if bound is None else int(bound) for bound in (declared.least, declared.most))
        )
    elif kind is float:
        value = check_number(
            name, value, least=declared.least, above=declared.above, most=declared.most, below=declared.below
        )
    elif declared.choices and not (declared.function and callable(value)):
        check_choice(name, value, declared.choices)
    if declared.check is not None:
        declared.check(value)
    return value


def default_text(field: "dataclasses.Field[Any]") -> str:
    """Return a field's default in words."""
    none = declaration(field).none
    if none is not None:
        return none
    if base_type(field) is bool:
        return "yes" if field.default else "no"
    return str(field.default)


def _members(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)


def _documented(field: "dataclasses.Field[Any]") -> str:
    """Return a field's line of an ``Attributes`` section."""
    declared = declaration(field)
    facts = f"default {default_text(field)}."
    if declared.range:
        facts = f"{declared.range[0].upper()}{declared.range[1:]}; {facts}"
    else:
        facts = facts.capitalize()
    text = " ".join(filter(None, (f"{field.name}: {declared.help}", declared.detail, facts)))
    return textwrap.fill(text, _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False)
