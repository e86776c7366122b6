"""Messages that name our argument or attribute when a call uses another library's name for it."""

import functools
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: a call with one of these keyword arguments raises a TypeError that states the alternative.

    Example:
        >>> @renamed(topn="top")
        ... def search(top: int = 10) -> int:
        ...     return top
        >>> search(topn=3)
        Traceback (most recent call last):
            ...
        TypeError: search() has no argument 'topn'; use top
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name in names:
                    called = function.__qualname__.removesuffix(".__init__").rsplit(".")[-1]
                    raise TypeError(f"{called}() has no argument {name!r}; use {names[name]}")
            return function(*args, **kwargs)

        return checked

    return decorate


def missing(owner: object, name: str, other_names: Mapping[str, str]) -> AttributeError:
    """Return the error of an attribute that does not exist; ``other_names`` has what to use for names of gensim.

    Example:
        >>> str(missing(1, "index2word", {"index2word": "tokens"}))
        "int has no attribute 'index2word'; use tokens"
    """
    hint = f"; use {other_names[name]}" if name in other_names else ""
    return AttributeError(f"{type(owner).__name__} has no attribute {name!r}{hint}", name=name, obj=owner)
