"""Burg's method, one value after the other."""


def burg(values, order):
    """Return the coefficients of the deviations from 0, the last value's first, and the variance of the errors."""
    forward = backward = list(values)
    coefficients, variance = [], sum(value**2 for value in values) / len(values)
    for _ in range(order):
        ahead, behind = forward[1:], backward[:-1]
        products = sum(f * b for f, b in zip(ahead, behind, strict=True))
        k = 2 * products / sum(f**2 + b**2 for f, b in zip(ahead, behind, strict=True))
        coefficients = [a - k * b for a, b in zip(coefficients, coefficients[::-1], strict=True)] + [k]
        variance *= 1 - k**2
        forward = [f - k * b for f, b in zip(ahead, behind, strict=True)]
        backward = [b - k * f for f, b in zip(ahead, behind, strict=True)]
    return coefficients, variance


def continued(values, coefficients, steps):
    """Return the next values."""
    values = list(values)
    for _ in range(steps):
        values.append(sum(a * value for a, value in zip(coefficients, reversed(values), strict=False)))
    return values[len(values) - steps :]
