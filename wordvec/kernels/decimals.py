"""Parser of lines of a token and decimal numbers, each rounded once to the nearest float32.

The digits of a number are an integer m of at most 19 digits, and a power of ten e (W. D. Clinger, How to read floating
point numbers accurately, PLDI 1990)::

    m 10^e  =  m * 10^e  or  m / 10^-e, in float64

rounds once if m <= 2^53 and |e| <= 22, as both operands are exact; else its relative error is below 2^-51, and if all
numbers within that error round to the same float32, so does the exact one. Otherwise, once in millions of numbers, the
lines are left to a slower parser.
"""

import numpy as np

from wordvec.kernels.simd import kernel

POWERS = np.array([float(f"1e{k}") for k in range(61)])
"""Powers of ten, float64, each rounded to the nearest."""

ONE, TEN, MOST = np.uint64(1), np.uint64(10), np.uint64(10**18)
"""One more digit fits in 64 bits while the integer is below ``MOST``."""
EXACT, EXACT_POWER = np.uint64(2**53), 22
"""The largest operands that are exact in float64."""
BELOW, ABOVE = 1 - 2.0**-50, 1 + 2.0**-50
SPACE, NEWLINE, PLUS, MINUS, POINT, LETTER_E = 32, 10, 43, 45, 46, 101


@kernel
def parse_lines(text: np.ndarray, powers: np.ndarray, vectors: np.ndarray, letters: np.ndarray) -> int:
    """Parse lines of a token and D numbers after a space each; white space may end a line.

    Args:
        text: (bytes,) uint8; the last one is a newline.
        powers: ``POWERS``.
        vectors: (lines, D) float32, output.
        letters: (bytes,) uint8, output: the tokens, each followed by a newline.

    Returns:
        The bytes written to ``letters``; -1 if a line is not of this form, or a number is not finite or too close to
        the middle between two float32.
    """
    place, end = np.uint64(0), np.uint64(text.size)
    written = row = 0
    while place < end:
        first = place
        while not is_white(text[place]):
            letters[written] = text[place]
            written += 1
            place += ONE
        if place == first:
            return -1
        letters[written] = NEWLINE
        written += 1
        for k in range(vectors.shape[1]):
            start = place + ONE
            if text[place] != SPACE:
                return -1
            vectors[row, k], place = parse_number(text, start, powers)
            if place == start:
                return -1
        while text[place] != NEWLINE:
            if not is_white(text[place]):
                return -1
            place += ONE
        place += ONE
        row += 1
    return written


@kernel(inline=True)
def is_white(byte: int) -> bool:
    return byte == 32 or (9 <= byte <= 13)


@kernel(inline=True)
def parse_number(text: np.ndarray, start: np.uint64, powers: np.ndarray) -> tuple[np.float32, np.uint64]:
    """Return the number from byte ``start`` on, and the byte after it: ``start`` if it cannot be read here."""
    place = start
    negative = text[place] == MINUS
    if negative or text[place] == PLUS:
        place += ONE
    first = place
    whole, place, exponent = parse_digits(text, place, np.uint64(0))
    digits = place - first
    if text[place] == POINT:
        first = place + ONE
        whole, place, dropped = parse_digits(text, first, whole)
        digits += place - first
        exponent += dropped - np.int64(place - first)
    is_valid = digits > 0
    if text[place] | 32 == LETTER_E:
        place += ONE
        is_small = text[place] == MINUS
        if is_small or text[place] == PLUS:
            place += ONE
        first = place
        power, place, _ = parse_digits(text, place, np.uint64(0))
        is_valid = is_valid and place > first
        shift = np.int64(min(power, np.uint64(1000)))
        exponent += -shift if is_small else shift
    is_valid = is_valid and abs(exponent) < powers.size
    value = 0.0
    if is_valid:
        power_of_ten = powers[np.uint64(abs(exponent))]
        value = np.float64(whole) / power_of_ten if exponent < 0 else np.float64(whole) * power_of_ten
    number = np.float32(value)
    if whole > EXACT or abs(exponent) > EXACT_POWER:
        is_valid = is_valid and np.float32(value * BELOW) == np.float32(value * ABOVE)
    is_valid = is_valid and number < np.inf
    return -number if negative else number, place if is_valid else start


@kernel(inline=True)
def parse_digits(text: np.ndarray, place: np.uint64, whole: np.uint64) -> tuple[np.uint64, np.uint64, np.int64]:
    """Append decimal digits to ``whole``; return it, the byte after them, and how many digits were too many."""
    dropped = np.int64(0)
    while 48 <= text[place] <= 57:
        if whole < MOST:
            whole = whole * TEN + np.uint64(text[place] - 48)
        else:
            dropped += 1
        place += ONE
    return whole, place, dropped
