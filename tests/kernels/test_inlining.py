"""Inlined kernels do what Python does: parameters, several returns, defaults, and variables of the same names."""

from typing import NamedTuple

import numpy as np
import pytest

from wordvec.kernels.simd import JIT_OFF, kernel


@kernel(inline=True)
def halved(x: int, least: int = 1) -> int:
    """Assigns to its parameter, and returns in two places."""
    while x > least:
        if x % 2:
            return x
        x //= 2
    return -x


@kernel(inline=True)
def difference(a: int, b: int) -> int:
    x = halved(a)
    return x - halved(b, least=3)


@kernel(inline=True)
def fill(array: np.ndarray, value: int) -> None:
    for i in range(array.size):
        array[i] = value + i


@kernel
def caller(array: np.ndarray, a: int, b: int) -> int:
    x = a
    total = 0
    for a in range(1, b):
        total += difference(a, x) * difference(x, a)
        x = difference(b=x, a=a)
    fill(array, x)
    x = halved(x + a)
    return total * 100 + x


class Pair(NamedTuple):
    """Two arrays."""

    left: np.ndarray
    right: np.ndarray


@kernel(inline=True)
def add_left(pair: Pair, i: int) -> None:
    pair.right[i] += pair.left[i] * pair.left.size


@kernel
def fields(pair: Pair, other: Pair) -> None:
    for i in range(pair.left.size):
        swapped = Pair(pair.right, pair.left if i else other.left)
        add_left(swapped, i)
        add_left(pair, i)
        pair = Pair(pair.left, other.right)
    add_left(other, 0)


class Choice(NamedTuple):
    """An array, or none."""

    values: np.ndarray | None
    places: np.ndarray | None


@kernel(inline=True)
def count_chosen(values: np.ndarray | None, places: np.ndarray | None, total: int) -> int:
    if values is not None:
        total += values.size
    if places is not None:
        total += 100 * places.size
    return total


@kernel
def counts(choice: Choice) -> int:
    return count_chosen(choice.values, choice.places, 1) + count_chosen(choice.places, choice.places, 1)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [((3, None), 5), ((None, 2), 1 + 200 + 1 + 202), ((3, 2), 1 + 203 + 1 + 202), ((None, None), 2)],
)
def test_what_is_none_by_its_type_is_not_compiled(choice, expected):
    arrays = [size and np.zeros(size) for size in choice]
    assert counts(Choice(*arrays)) == expected


def test_fields_of_named_tuples_are_those_of_the_latest_value():
    pair, other = (Pair(*np.arange(6, dtype=np.int64).reshape(2, 3) + k) for k in (1, 10))
    fields(pair, other)
    assert pair.left.tolist() == [1, 44, 48]
    assert pair.right.tolist() == [7, 5, 6]
    assert other.left.tolist() == [22, 11, 12]
    assert other.right.tolist() == [79, 146, 159]


@pytest.mark.parametrize(("a", "b"), [(7, 30), (96, 12), (0, 2)])
def test_inlined_kernels_do_what_python_does(a, b):
    got, expected = np.zeros(3, np.int64), np.zeros(3, np.int64)
    pure = {"range": range}
    for each in (halved, difference, fill, caller):  # the Python functions, which call each other
        function = getattr(each, "py_func", each)
        pure[function.__name__] = type(function)(function.__code__, pure, None, function.__defaults__)
    assert caller(got, a, b) == pure["caller"](expected, a, b)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.skipif(JIT_OFF, reason="nothing is inlined")
def test_inlined_kernels_are_not_compiled_themselves():
    caller(np.zeros(1, np.int64), 1, 2)
    assert caller.signatures
    assert not any(inlined.signatures for inlined in (halved, difference, fill))
