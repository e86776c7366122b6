"""The rule that every argument obeys: the right number, or one line of error."""

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from corpora import InputError, TrainingError
from tests.arguments.calls import Argument


def plain(result: Any) -> list[Any]:
    """Return a result as a flat list of arrays, strings and numbers."""
    if sp.issparse(result):
        return [result.data, result.indices, result.indptr] if result.format == "csr" else [result.toarray()]
    if isinstance(result, np.ndarray | str | int | float | np.generic) or result is None:
        return [result]
    if isinstance(result, dict):
        return [*result.keys(), *plain(list(result.values()))]
    return [part for each in result for part in plain(each)]


def same(found: Any, expected: Any) -> bool:
    """Whether two results are equal, whatever the types of their numbers."""
    one, other = plain(found), plain(expected)
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def is_finite(result: Any) -> bool:
    numbers = [np.asarray(part) for part in plain(result)]
    return all(np.isfinite(part).all() for part in numbers if part.dtype.kind in "fc")


def outcome(argument: Argument, value: Any) -> Any:
    """Return the result of a call, or the error that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return argument.read(argument.call(value))
        except Exception as error:
            return error


def _is_good(error: Exception) -> bool:
    kind = isinstance(error, InputError | TrainingError | TypeError)
    return kind and "\n" not in str(error) and 0 < len(str(error)) <= 400


def faults(argument: Argument, progress: Callable[[str], None] = lambda name: None) -> Iterator[str]:
    """Yield a description of each form of an argument that gives a wrong result or a bad error."""
    expected = None
    if argument.value is not None:
        expected = copy.deepcopy(argument.read(argument.call(copy.deepcopy(argument.value))))
        assert is_finite(expected)
    for form in argument.forms():
        progress(form.name)
        given = form.make()
        before = copy.deepcopy(given) if form.valid and not hasattr(given, "__next__") else None
        found = outcome(argument, given)
        if isinstance(found, Exception):
            if not _is_good(found):
                yield f"{form.name}: {type(found).__name__}: {found}"
        elif form.valid:
            if not same(found, expected):
                yield f"{form.name}: another result"
            elif before is not None and not same([given], [before]):
                yield f"{form.name}: changed the caller's value"
        elif form.extreme:
            if not is_finite(found):
                yield f"{form.name}: NaN or infinity"
        elif form.name not in argument.valid:
            yield f"{form.name}: accepted"


def keeps_own_copy(argument: Argument) -> bool:
    """Whether what a call returned stays the same when the caller's array changes."""
    given = copy.deepcopy(argument.value)
    made = argument.call(given)
    before = copy.deepcopy(argument.read(made))
    for array in (given.data, given.indices) if sp.issparse(given) else (given,):
        array[...] = array.flat[0]
    return same(argument.read(made), before)
