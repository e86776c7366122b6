"""Argument validation: valid values are returned as Python types, errors state the rule."""

from fractions import Fraction

import numpy as np
import pytest

from wordvec import InputError
from wordvec.system.validation import check_choice, check_number, check_whole


def test_valid_values_are_returned_as_python_types():
    assert check_choice("cell", "lstm", {"rnn": 0, "lstm": 1}) is None
    whole = check_whole("window", np.int32(3), 3)
    assert (whole, type(whole)) == (3, int)
    number = check_number("dropout", np.float32(0.5), least=0, below=1)
    assert (number, type(number)) == (0.5, float)
    assert check_number("share", Fraction(1, 4)) == 0.25
    assert check_number("nucleus", 1, above=0, most=1) == 1.0


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: check_choice("cell", "elman", ("rnn", "gru")), "cell must be one of rnn, gru, got 'elman'"),
        (lambda: check_choice("cell", None, ("rnn", "gru")), "cell must be one of rnn, gru, got None"),
        (lambda: check_choice("cell", ["rnn"], ("rnn", "gru")), r"cell must be one of rnn, gru, got \['rnn'\]"),
        (lambda: check_whole("window", 2.0), "window must be a whole number, got 2.0"),
        (lambda: check_whole("window", True), "window must be a whole number, got True"),
        (lambda: check_whole("window", "2"), "window must be a whole number, got '2'"),
        (lambda: check_whole("window", 0, 1), "window must be at least 1, got 0"),
        (lambda: check_number("rate", "0.5"), "rate must be a finite number, got '0.5'"),
        (lambda: check_number("rate", True), "rate must be a finite number, got True"),
        (lambda: check_number("rate", float("nan"), least=0), "rate must be a finite number, got nan"),
        (lambda: check_number("rate", float("inf"), above=0), "rate must be a finite number, got inf"),
        (lambda: check_number("rate", 0, above=0), "rate must be above 0, got 0"),
        (lambda: check_number("rate", -1, least=0), "rate must be at least 0, got -1"),
        (lambda: check_number("rate", 1.0, least=0, below=1), "rate must be at least 0 and below 1, got 1.0"),
        (lambda: check_number("rate", 1.5, above=0, most=1), "rate must be above 0 and at most 1, got 1.5"),
    ],
)
def test_errors_state_the_rule_and_the_value(check, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        check()
