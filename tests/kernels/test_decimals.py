"""Parser of vectors' lines against Python's float, rounded to float32."""

import random

import numpy as np
import pytest

from wordvec.kernels.decimals import POWERS, parse_lines


def parsed(text, width=1):
    """The tokens and vectors of a text, or None."""
    data = np.frombuffer(text.encode(), np.uint8)
    vectors = np.full((text.count("\n"), width), np.nan, np.float32)
    letters = np.zeros(len(data), np.uint8)
    with np.errstate(over="ignore"):
        written = parse_lines(data, POWERS, vectors, letters)
    return None if written < 0 else (letters[:written].tobytes().decode().split("\n")[:-1], vectors)


def halfway(x):
    """A float32 and the next one: a number in the middle between them, or nearly."""
    return (float(np.float32(x)) + float(np.nextafter(np.float32(x), np.float32(9)))) / 2


SPELLINGS = {
    "as gensim": lambda draw: repr(float(np.float32(draw.gauss(0, 1)))),
    "nine digits": lambda draw: f"{draw.gauss(0, 1) * 10 ** draw.randrange(-9, 9):.9g}",
    "six decimals": lambda draw: f"{draw.gauss(0, 1):.6f}",
    "many digits": lambda draw: f"{draw.randrange(10**20)}.{draw.randrange(10**20)}e{draw.randrange(-50, 9):+}",
    "small": lambda draw: f"{draw.random():.40f}",
    "near the middle": lambda draw: repr(halfway(draw.random()) + draw.choice((-1, 0, 1)) * 1e-16),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_numbers_round_as_those_of_python(spelling):
    draw = random.Random(1)
    numbers = [SPELLINGS[spelling](draw) for _ in range(300)]
    found = {number: parsed(f"w {number}\n") for number in numbers}
    for number, result in found.items():
        if result is not None:
            expected = np.float32(float(number))
            assert result[1].tobytes() == expected.tobytes(), number
    read = sum(result is not None for result in found.values())
    assert read == len(found) or (spelling == "near the middle" and read < len(found))


@pytest.mark.parametrize(
    "number", ["0", "-0", "+1", "1.", ".5", "-.5e-3", "1E5", "1e+05", "0e999", "00012", "3.4028234e38", "1e-45"]
)
def test_all_forms_of_numbers(number):
    result = parsed(f"w {number}\n")
    if number == "0e999":
        assert result is None
    else:
        assert result[1].tobytes() == np.float32(float(number)).tobytes()


@pytest.mark.parametrize(
    "number", ["", ".", "-", "+-1", "1e", "1e+", "e5", "1.2.3", "1x", "0x1", "nan", "inf", "1_0", "1e39", "1e400"]
)
def test_other_texts_are_left_to_the_slow_parser(number):
    assert parsed(f"v 1\nw {number}\n") is None


def test_lines_of_tokens_and_numbers():
    tokens, vectors = parsed("caf\u00e9 1 2 3\n-5 4 5e0 6 \r\n\x01 7 8 9\t\n", 3)
    assert tokens == ["caf\u00e9", "-5", "\x01"]
    assert vectors.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize("line", ["w 1", "w 1 2 3", " 1 2", "w  1 2", "w 1  2", "w\t1 2", "w 1\t2", "", "w", "a b 1 2"])
def test_lines_that_are_not_plain(line):
    assert parsed(f"v 1 2\n{line}\nx 3 4\n", 2) is None
