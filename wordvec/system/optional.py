"""Optional libraries, the extras of the package: imported where they are used, with one message where one is absent."""

from importlib import import_module
from typing import Any

from wordvec.errors import InputError


def optional_module(name: str, need: str, extra: str) -> Any:
    """Return a module of an optional library.

    Args:
        name: the module, such as ``matplotlib.figure``.
        need: what needs which package, as the message states it.
        extra: the extra of ``setup.cfg`` that installs it.

    Raises:
        InputError: it cannot be imported; the message has the command that installs it.

    Example:
        >>> optional_module("hover_craft", "eels need hover-craft", "eels")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: eels need hover-craft, which is not installed: pip install 'wordvec-seqclf[eels]'
    """
    try:
        return import_module(name)
    except ImportError:
        raise InputError(f"{need}, which is not installed: pip install 'wordvec-seqclf[{extra}]'") from None
